#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""
One call ends everything on a volume, or on the host, and it stays so until a
trustee says otherwise.

usage: agent_stop_test.py TRUSTEED-WITH-FAKE-GATE
"""

import os
import shutil
import signal
import subprocess

from agent_host import MINUTE, Host, check, equal, run

CONFIG = """
trustees: [UID]
policy: TOP/policy.yaml
volumes:
  - name: acme
    path: VOLUME
    ask: 5m
  - name: late
    path: TOP/late
"""

POLICY = """
volumes:
  - name: acme
    rules:
      - name: people
        paths: [db]
        ask: {for: 10m, deadline: 5m}
      - name: all
        paths: [mail]
        allow: {for: 2m, reason: automation}
"""

WISH = {"volume": "acme", "path": "mail/letter", "access": ["read"],
        "durationNSec": 10 * MINUTE, "reason": "incident"}


def begin(config=CONFIG):
    host = Host(config)
    with open(host.top + "/policy.yaml", "w") as file:
        os.fchmod(file.fileno(), 0o600)
        file.write(POLICY)
    host.start()
    return host, host.client()


def end(host):
    equal(host.kill(signal.SIGTERM), 0, "exit status")
    check("ERROR: " not in host.text() and "runtime error" not in host.text(),
          "the sanitizers are silent")


def grants(client):
    return client.call("ListGrants")["grants"]


def raised(host, path):
    host.event("request-raised", os.getpid(), "/" + path)


def stopped(client):
    return client.call("Status")["stopped"]


def test_a_volume():
    host, client = begin()
    client.call("Grant", **WISH)
    client.call("Grant", **{**WISH, "path": "db/"})
    raised(host, "db/main.db")
    check(host.wait_text("waits for approval"), "somebody waits")
    equal(client.call("Stop", volume="acme"), {"ended": 2, "refused": 1}, "everything is ended")
    equal((grants(client), client.call("ListRequests")["requests"]), ([], []), "nothing is left")
    equal(stopped(client), ["acme"], "it shows")
    check('volume "acme" stopped by uid' in host.text(), "on record")

    error, details = client.refused("Grant", **WISH)
    equal((error, details["errno"], details["attribute"]), ("Refused", 13, "volume"),
          "nothing is given")
    check('until a trustee says "trustgate start acme"' in details["message"], "with the cure")
    raised(host, "mail/letter")
    check(host.wait_text("the volume is stopped"), "nor by the policy")
    equal(grants(client), [], "indeed")
    equal(client.call("Stop", volume="acme"), {"ended": 0, "refused": 0}, "twice does no harm")
    equal(stopped(client), ["acme"], "and shows once")

    for sig in (signal.SIGKILL, signal.SIGTERM):
        host.kill(sig)
        host.start()
        client = host.client()
        equal(stopped(client), ["acme"], f"still so after a restart ({sig.name})")
        equal(client.refused("Grant", **WISH)[0], "Refused", "indeed")
    host.process.send_signal(signal.SIGHUP)
    host.wait_for("READY=1")
    equal(client.refused("Grant", **WISH)[0], "Refused", "and after a reload")

    client.call("Start", volume="acme")
    equal(stopped(client), [], "started")
    client.call("Grant", **WISH)
    equal(len(grants(client)), 1, "it is given again")
    error, details = client.refused("Start", volume="acme")
    equal((error, details["attribute"]), ("Refused", "volume"), "what is not stopped is not started")
    host.kill()
    host.start()
    client = host.client()
    equal(stopped(client), [], "that is kept, too")
    end(host)


def test_the_host():
    host, client = begin()
    client.call("Grant", **WISH)
    client.call("Stop", volume="late")
    equal(client.call("Stop", all=True)["ended"], 1, "all grants")
    equal(sorted(stopped(client)), ["*", "late"], "it shows")
    error, details = client.refused("Grant", **WISH)
    check(error == "Refused" and "trustgate start --all" in details["message"], "nothing is given")
    error, _ = client.refused("Start", volume="late")
    equal(error, "Refused", "one of them alone cannot be started")
    host.kill()
    host.start()
    client = host.client()
    equal(sorted(stopped(client)), ["*", "late"], "after a restart")
    client.call("Start", all=True)
    equal(stopped(client), [], "started, every one")
    host.kill()
    # What somebody else has left there is none of the agent's files.
    open(host.top + "/state/stopped.no name", "w").close()
    host.start()
    client = host.client()
    equal(stopped(client), [], "also after a restart")
    client.call("Grant", **WISH)
    end(host)


def test_who_and_what():
    host, client = begin(CONFIG.replace("trustees: [UID]", "trustees: [4242]"))
    root = os.getuid() == 0
    error, _ = client.refused("Stop", volume="acme")
    equal(error, "no error" if root else "NotPermitted", "root may stop, others may not")
    error, _ = client.refused("Start", volume="acme")
    equal(error, "NotPermitted", "only a trustee may start")
    end(host)

    host, client = begin()
    for what, error in (({}, "Refused"), ({"volume": "acme", "all": True}, "Refused"),
                        ({"volume": "beta"}, "NoSuchVolume"), ({"volume": "a/b"}, "NoSuchVolume")):
        equal(client.refused("Stop", **what)[0], error, f"Stop {what}")
    equal(stopped(client), [], "nothing is stopped by that")
    equal(client.refused("Start")[0], "Refused", "Start of nothing")
    end(host)


def test_cannot_be_kept():
    """It is stopped first; whether it stays so is told."""
    host, client = begin()
    client.call("Grant", **WISH)
    shutil.move(host.top + "/state", host.top + "/away")
    error, details = client.refused("Stop", volume="acme")
    check(error == "Refused" and "only until the agent is restarted" in details["message"],
          f"said so: {details}")
    equal(grants(client), [], "but the grants have ended")
    equal(client.refused("Grant", **WISH)[0], "Refused", "and nothing is given")
    equal(client.refused("Start", volume="acme")[0], "Refused", "nor is it started half")
    equal(stopped(client), ["acme"], "indeed")
    shutil.move(host.top + "/away", host.top + "/state")
    client.call("Start", volume="acme")
    equal(stopped(client), [], "started")
    end(host)


def keepers(host, *lines):
    """What the gate says: volume, pid, seconds later than true, files, mappings."""
    with open(host.top + "/gate.keepers", "w") as file:
        file.writelines(" ".join(map(str, line)) + "\n" for line in lines)


def test_survivors():
    host, client = begin()
    equal(client.call("ListKeepers"), {"keepers": [], "more": 0}, "nobody")
    sleeper = subprocess.Popen(["sleep", "100"])
    number = client.call("ListVolumes")["volumes"][0]["id"]
    keepers(host, (number, os.getpid(), 0, 2, 0), (number, sleeper.pid, 0, 1, 3), (number + 1, 1, 0, 1, 1))
    reply = client.call("ListKeepers", volume="acme")
    equal(reply["more"], 0, "and no more")
    first, second = reply["keepers"]
    equal((first["pid"], first["mappings"], second["pid"], second["files"]),
          (sleeper.pid, 3, os.getpid(), 2), "those first who have mappings")
    equal((first["volume"], first["path"], first["program"], first["unknown"]),
          ("acme", "db/main.db", False, False), "what they have")
    equal((first["comm"], first["exe"]), ("worker", os.readlink(f"/proc/{sleeper.pid}/exe")), "who they are")
    equal(client.call("ListKeepers")["keepers"], reply["keepers"], "of all volumes")
    keepers(host, (number, sleeper.pid, 1, 1, 0))
    check("exe" not in client.call("ListKeepers")["keepers"][0],
          "no program is told of another process that has the number")
    keepers(host, *((number, 1 << 22 | i, 0, 1, int(i == 300)) for i in range(301)))
    reply = client.call("ListKeepers")
    equal((len(reply["keepers"]), reply["more"]), (256, 45), "a list that ends, and what is left of it")
    equal(reply["keepers"][0]["mappings"], 1, "nobody who sees something is left out for one who does not")
    host.answer("lose-keeper-get")
    equal(client.refused("ListKeepers")[0], "Refused", "not known is not nobody")
    equal(client.refused("ListKeepers", volume="beta")[0], "NoSuchVolume", "of no volume")
    sleeper.kill()
    sleeper.wait()
    end(host)


run(test_a_volume, test_the_host, test_who_and_what, test_cannot_be_kept, test_survivors)
