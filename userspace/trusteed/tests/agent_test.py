#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""
The whole agent over a gate without a kernel: what its clients see, what the
service manager sees, what is left after it was killed.

usage: agent_test.py TRUSTEED-WITH-FAKE-GATE
"""

import os
import signal
import subprocess
import time

from agent_host import AGENT, MINUTE, TRUSTEE, Failure, Host, check, equal, run

NOBODY = """
volumes:
  - name: acme
    path: VOLUME
"""

SELF = """
volumes:
  - name: acme
    path: VOLUME
    self-grants:
      - users: [UID]
        path: db
        access: [read, write]
        for: 15m
        reasons: [customer-ticket, incident]
services:
  - unit: pg.service
    volume: acme
    path: db
    access: [read]
    for: 10m
"""


UNRECORDED = "does not record accesses that are allowed"


def test_trustee():
    host = Host(TRUSTEE)
    said = host.start()
    equal(said["STATUS"], "1 configured volume protected", "status line")
    equal(sorted(host.kept), ["netlink", "varlink"], "descriptors kept by the manager")
    equal(os.stat(host.top + "/state/secret").st_mode & 0o777, 0o600, "mode of the secret")
    equal(os.stat(host.top + "/state/secret").st_size, 32, "size of the secret")
    equal(os.stat(host.top + "/socket").st_mode & 0o777, 0o666, "mode of the socket")
    client = host.client()

    status = client.call("Status")
    equal(status["state"], "armed", "state")
    equal(status["volumes"], 1, "volumes")
    equal(status["hooks"], ["file_open"], "hooks")
    volume = client.call("ListVolumes")["volumes"][0]
    equal(volume["maxDurationNSec"], 30 * MINUTE, "configured maximum")
    equal(volume["record"], ["allowed"], "record by default")
    equal(volume["path"], host.volume, "where it is")

    grant = client.call("Grant", volume="acme", path="mail/letter", pid=os.getpid(),
                        access=["read"], durationNSec=MINUTE, reason="customer-ticket",
                        ticket="SR-1", maxUses=3, keepExec=True, onEnd="unmap")["grant"]
    equal(grant["pid"], os.getpid(), "pid of the grant")
    equal(grant["objectKind"], "file", "kind")
    equal(grant["ino"], os.stat(host.volume + "/mail/letter").st_ino, "inode")
    equal((grant["path"], grant["ticket"], grant["maxUses"], grant["keepExec"],
           grant["descendants"], grant["requesterUid"], grant["state"]),
          ("mail/letter", "SR-1", 3, True, False, os.getuid(), "active"), "what was asked for")
    equal(grant["nextExec"], False, "not with the next exec")
    equal(grant["onEnd"], "unmap", "what becomes of mappings")
    fields = open(f"/proc/{os.getpid()}/stat").read().rsplit(")", 1)[1].split()
    equal(grant["startTicks"], int(fields[19]), "start of the process")
    check(f"(pid {os.getpid()}, keep-exec) for 1m, customer-ticket SR-1, asked by" in host.text(),
          "recorded with all its terms")
    tree = client.call("Grant", volume="acme", path="db/", access=["read", "write"],
                       durationNSec=MINUTE, delayNSec=MINUTE, reason="maintenance")["grant"]
    equal((tree["pid"], tree["objectKind"], tree["state"]),
          (os.getpid(), "subtree", "not-yet"), "for the caller itself, later")
    equal(tree["expiresBoottimeNSec"] - tree["notBeforeBoottimeNSec"], MINUTE, "duration")

    base = dict(volume="acme", path="mail/letter", access=["read"], durationNSec=MINUTE,
                reason="incident")
    for change, error, attribute in (
            ({"volume": "beta"}, "NoSuchVolume", None),
            ({"path": "nothing"}, "Refused", "path"),
            ({"path": "escape/passwd"}, "Refused", "path"),
            ({"path": "../x"}, "Refused", "path"),
            ({"path": "/etc/passwd"}, "Refused", "path"),
            ({"path": "mail/letter/"}, "Refused", "path"),
            ({"path": "mail/letter", "subtree": True}, "Refused", "path"),
            ({"pid": 0x3fffffff}, "Refused", "pid"),
            ({"pid": -1}, "Refused", "pid"),
            ({"pid": 2}, "Refused", "pid"),
            ({"access": []}, "Refused", "access"),
            ({"access": ["rw"]}, "Refused", "access"),
            ({"durationNSec": 0}, "Refused", "durationNSec"),
            ({"durationNSec": -5}, "Refused", "durationNSec"),
            ({"durationNSec": 31 * MINUTE}, "Refused", "grant[0].expires-boottime-ns"),
            ({"durationNSec": 2**63 - 1, "delayNSec": 2**63 - 1}, "Refused", "durationNSec"),
            ({"delayNSec": -1}, "Refused", "delayNSec"),
            ({"keepExec": True, "nextExec": True}, "Refused", "grant[0].flags"),
            ({"onEnd": "stay"}, "Refused", "onEnd"),
            ({"reason": "unspecified"}, "Refused", "reason"),
            ({"reason": "fun"}, "Refused", "reason"),
            ({"reason": "customer-ticket"}, "Refused", "ticket"),
            ({"reason": "legal-order"}, "Refused", "reason"),
            ({"ticket": "x" * 65}, "Refused", "ticket")):
        got, parameters = client.refused("Grant", **{**base, **change})
        equal((got, parameters.get("attribute")), (error, attribute), f"refused {change}")
    for change in ({"path": 7}, {"pid": "x"}, {"access": "read"}, {"surplus": 1},
                   {"durationNSec": "1m"}):
        got, parameters = client.refused("Grant", **{**base, **change})
        equal((got, parameters["parameter"]),
              ("org.varlink.service.InvalidParameter", list(change)[0]), f"invalid {change}")
    equal(client.refused("Nothing")[0], "org.varlink.service.MethodNotFound", "unknown method")
    child = subprocess.Popen(["sleep", "100"])
    child.kill()
    time.sleep(0.2)
    equal(client.refused("Grant", **base, pid=child.pid)[0], "Refused", "a dead process")
    child.wait()
    equal(client.call("Status")["grants"], 2, "grants after all the refusals")

    equal([g["id"] for g in client.call("ListGrants", pid=os.getpid())["grants"]],
          [grant["id"], tree["id"]], "grants of a process")
    equal(client.call("ListGrants", volume="acme", pid=1)["grants"], [], "grants of another")
    equal(client.refused("ListGrants", volume="x")[0], "NoSuchVolume", "grants of no volume")
    for change in ({}, {"ids": []}, {"ids": [0]}, {"ids": [1], "all": True}):
        equal(client.refused("Revoke", **change)[0], "Refused", f"revoke {change}")
    got = client.refused("Revoke", ids=[grant["id"], 99])
    equal(got, ("NoSuchGrant", {"id": 99}), "one of two grants does not exist")
    equal([g["id"] for g in client.call("ListGrants")["grants"]], [tree["id"]],
          "the other was revoked")
    check("1 grants revoked, asked by" in host.text(), "and by whom is recorded")
    equal(client.call("Revoke", all=True), {"ended": 1}, "revoke all")

    changed = client.call("SetVolume", name="acme", onAgentLoss="revoke", record=[])["volume"]
    equal((changed["onAgentLoss"], changed["record"], changed["maxDurationNSec"]),
          ("revoke", [], 30 * MINUTE), "changed settings")
    equal(host.text().count(UNRECORDED), 1, "that nothing is recorded is said")
    equal(client.refused("SetVolume", name="acme")[0], "Refused", "nothing to set")
    equal(client.refused("SetVolume", name="acme", onAgentLoss="keep")[1]["attribute"],
          "onAgentLoss", "unknown setting")
    equal(client.call("SetVolume", name="acme", metadata="hidden")["volume"]["metadata"],
          "hidden", "names and attributes hidden")
    equal(client.call("SetVolume", name="acme", onAgentLoss="revoke")["volume"]["metadata"],
          "hidden", "and still so when something else is changed")
    equal(client.refused("SetVolume", name="acme", metadata="shut")[1]["attribute"],
          "metadata", "unknown way to show it")
    equal(client.call("SetVolume", name="acme", metadata="open")["volume"]["metadata"], "open",
          "names and attributes open again")
    equal(client.call("SetVolume", name="acme", leastOnEnd="unmap")["volume"]["leastOnEnd"],
          "unmap", "mappings end with grants")
    equal(client.refused("SetVolume", name="acme", leastOnEnd="stay")[1]["attribute"],
          "leastOnEnd", "unknown end")
    got = client.refused("Grant", **{**base, "onEnd": "deny-io"})[1]
    equal((got["attribute"], got["message"]),
          ("onEnd", 'deny-io is less than volume "acme" demands: unmap'), "less than the least")
    for asked, given in (({}, "unmap"), ({"onEnd": "unmap"}, "unmap"), ({"onEnd": "kill"}, "kill")):
        equal(client.call("Grant", **{**base, **asked})["grant"]["onEnd"], given, f"asked for {asked}")
    client.call("Revoke", all=True)
    client.call("SetVolume", name="acme", leastOnEnd="deny-io")
    equal(client.refused("SetVolume", name="acme", maxDurationNSec=0)[1]["attribute"],
          "maxDurationNSec", "zero maximum")
    equal(client.refused("AddVolume", name="b", path=host.top + "/no")[0], "Refused",
          "a path that does not exist")
    equal(client.refused("AddVolume", name="b", path=host.top)[1]["message"],
          f'nothing is mounted at "{host.top}"', "a path where nothing is mounted")
    equal(client.refused("AddVolume", name="b c", path=host.volume)[1]["attribute"], "name",
          "a name with a blank")
    equal(client.refused("AddVolume", name="acme", path=host.volume)[1]["attribute"], "name",
          "a name that is taken")
    equal(client.call("RemoveVolume", name="acme"), {"ended": 0}, "remove")
    equal(client.refused("RemoveVolume", name="acme"), ("NoSuchVolume", {"name": "acme"}),
          "remove again")
    equal(client.call("ListVolumes")["volumes"], [], "no volumes")
    added = client.call("AddVolume", name="acme", path=host.volume)["volume"]
    equal((added["name"], added["record"]), ("acme", ["allowed"]), "add again")
    client.call("RemoveVolume", name="acme")
    added = client.call("AddVolume", name="other", path=host.volume, record=[])["volume"]
    equal(added["record"], [], "without a record")
    equal(host.text().count(UNRECORDED), 2, "which is said, too")
    equal(host.kill(signal.SIGTERM), 0, "exit status")
    check("ERROR: " not in host.text() and "runtime error" not in host.text(),
          "the sanitizers are silent")


def test_nobody():
    host = Host(NOBODY)
    host.start()
    client = host.client()
    uid = os.getuid()
    root = uid == 0
    base = dict(volume="acme", path="mail/letter", access=["read"], durationNSec=MINUTE,
                reason="incident")
    for method, parameters, allowed in (
            ("Status", {}, root), ("ListVolumes", {}, root), ("ListGrants", {}, root),
            ("Revoke", {"all": True}, root),
            ("AddVolume", {"name": "b", "path": "/"}, False),
            ("SetVolume", {"name": "acme", "onAgentLoss": "hold"}, False),
            ("RemoveVolume", {"name": "acme"}, False),
            ("Grant", base, False), ("Grant", {**base, "pid": 1}, False),
            ("Grant", {**base, "volume": "nonesuch"}, False)):
        got, parameters = client.refused(method, **parameters)
        equal(got, "no error" if allowed else "NotPermitted", f"{method} of uid {uid}")
        if not allowed:
            check(parameters["who"].startswith(f"uid {uid}") and parameters["cure"],
                  f"who and cure: {parameters}")
    client.send("Watch", more=True)
    if not root:
        try:
            client.receive()
            check(False, "watching not permitted")
        except Failure as failure:
            equal(failure.error, "NotPermitted", "watching not permitted")
    check(host.wait_text("not permitted: may not"), "refusals are recorded")
    host.kill(signal.SIGTERM)


def test_self():
    host = Host(SELF)
    host.start()
    client = host.client()
    base = dict(volume="acme", path="db/main.db", access=["read"], durationNSec=MINUTE,
                reason="incident")
    grant = client.call("Grant", **base, descendants=True, keepExec=True)["grant"]
    equal((grant["pid"], grant["descendants"]), (os.getpid(), True), "a grant to itself")
    equal(client.call("Grant", **base, pid=os.getpid())["grant"]["pid"], os.getpid(),
          "by its own number")
    grant = client.call("Grant", **base, nextExec=True)["grant"]
    equal((grant["nextExec"], grant["keepExec"]), (True, False), "from the next exec")
    for change, what in (
            ({"path": "mail/letter"}, 'grant himself access outside of "db" on volume "acme"'),
            ({"path": "mail/nothing"}, 'grant himself access outside of "db" on volume "acme"'),
            ({"path": "mail/letter/x"}, 'grant himself access outside of "db" on volume "acme"'),
            ({"path": "dbx"}, 'grant himself access outside of "db" on volume "acme"'),
            ({"path": "."}, 'grant himself access outside of "db" on volume "acme"'),
            ({"access": ["read", "meta"]}, 'grant himself meta on "db" of volume "acme"'),
            ({"durationNSec": 16 * MINUTE},
             'grant himself more than 15m on "db" of volume "acme"'),
            ({"reason": "emergency"},
             'grant himself "db" of volume "acme" for the reason emergency'),
            ({"delayNSec": 1}, "grant himself something for later"),
            ({"pid": os.getppid()}, "give a grant to another process")):
        got, parameters = client.refused("Grant", **{**base, **change})
        equal((got, parameters.get("what")), ("NotPermitted", what), f"{change}")
    equal(client.refused("Grant", **{**base, "reason": "customer-ticket"})[1]["attribute"],
          "ticket", "a reason that needs a ticket")
    for path in "db/nothing", "db/../mail", "/db":
        got, parameters = client.refused("Grant", **{**base, "path": path})
        equal((got, parameters["attribute"]), ("Refused", "path"), f"what is wrong with {path}")
    # Another process with the connection of the first: the grant is not his.
    got = client.refused("Service")
    equal(got[0], "Refused", "standing grants without a bus")
    check("systemd cannot be asked" in got[1]["message"], f"said so: {got[1]}")
    host.kill(signal.SIGTERM)


def test_killed():
    host = Host(TRUSTEE)
    host.start()
    client = host.client()
    grant = client.call("Grant", volume="acme", path="db/deep", access=["read"],
                        durationNSec=MINUTE, reason="incident")["grant"]
    client.call("SetVolume", name="acme", onAgentLoss="revoke")
    for round in range(3):
        host.kill()
        late = host.client()
        late.send("ListGrants")
        host.start()
        got = late.receive()["parameters"]["grants"]
        equal([(g["id"], g["path"], g["requesterUid"]) for g in got],
              [(grant["id"], "db/deep", os.getuid())],
              "a client that came meanwhile sees the grant, with its path")
    check("still the agent, with the socket of the former run" in host.text(), "adopted")
    equal(late.call("Status")["agentPid"], host.process.pid, "as this process")
    equal(late.call("ListVolumes")["volumes"][0]["onAgentLoss"], "hold",
          "the configured setting is in force again")

    # The manager lost the socket: a new one is bound, by the secret.
    late.call("SetVolume", name="acme", onAgentLoss="revoke")
    os.close(host.kept.pop("netlink"))
    host.kill()
    host.start()
    check("bound as the agent" in host.text(), "bound anew")
    equal(host.client().call("ListGrants")["grants"], [], "what revoke promises")

    # Rubbish in the store does not keep the agent from starting.
    host.kill()
    os.close(host.kept["netlink"])
    host.kept["netlink"] = os.open("/dev/null", os.O_RDONLY)
    host.kept["surplus"] = os.open("/dev/null", os.O_RDONLY)
    host.start()
    equal(host.client().call("Status")["state"], "armed", "started with rubbish in the store")

    # Without the secret the volumes are out of reach, and that is said.
    os.close(host.kept.pop("netlink"))
    host.kill()
    os.unlink(host.top + "/state/secret")
    host.start(wait=False)
    check(host.process.wait(20) != 0, "no secret, no agent")
    check(host.wait_text("cannot become the agent: not the secret of the former agent"),
          "and the reason")


def test_bad_secret():
    host = Host(TRUSTEE)
    os.mkdir(host.top + "/state", 0o700)
    path = host.top + "/state/secret"
    for content, mode, text in ((b"x" * 31, 0o600, "has not exactly 32 bytes"),
                                (b"x" * 33, 0o600, "has not exactly 32 bytes"),
                                (b"x" * 32, 0o640, "could have been read by others")):
        with open(path, "wb") as file:
            file.write(content)
        os.chmod(path, mode)
        host.start(wait=False)
        check(host.process.wait(20) != 0 and text in host.text(), text)


def test_second_agent():
    host = Host(TRUSTEE)
    host.start()
    second = subprocess.run(
        [AGENT, "--config", host.top + "/trusteed.yaml", "--socket", host.top + "/other",
         "--state-directory", host.top + "/state", "--runtime-directory", host.top + "/run"],
        env=dict(os.environ, TRUSTGATE_FAKE=host.top + "/gate"), capture_output=True,
        timeout=60)
    check(second.returncode != 0, "a second agent ends")
    check(b"another process is the agent already" in second.stderr, f"{second.stderr}")
    equal(host.client().call("Status")["state"], "armed", "the first is unharmed")
    host.kill(signal.SIGTERM)


def test_no_module():
    host = Host(TRUSTEE)
    host.start(wait=False, TRUSTGATE_FAKE_NO_MODULE="1")
    check(host.process.wait(20) != 0, "without the module there is no agent")
    check("modprobe trustgate" in host.text(), "and the cure is named")


def test_degraded():
    host = Host(TRUSTEE)
    host.umount()
    said = host.start()
    check(said["STATUS"].startswith("degraded: 1 of 1 configured volumes not protected"),
          f"status line: {said['STATUS']}")
    check('volume "acme" is NOT protected: nothing is mounted at' in host.text(), "loud")
    client = host.client()
    equal(client.call("Status")["state"], "degraded", "state")
    host.mount()
    said = host.wait_for("STATUS=1 configured volume protected")
    equal(client.call("Status")["state"], "armed", "protected once it is mounted")
    host.kill(signal.SIGTERM)


def test_reload():
    host = Host(TRUSTEE)
    host.start()
    client = host.client()
    for text, message in (
            (TRUSTEE + "nonsense: 1\n", 'unknown key "nonsense"'),
            ("trustees: [nosuchuser0]\n", 'there is no user "nosuchuser0"')):
        host.config(text)
        host.process.send_signal(signal.SIGHUP)
        host.wait_for("RELOADING=1")
        host.wait_for("READY=1")
        check(message in host.text() and "the old configuration stays in force" in host.text(),
              f"bad file is refused: {message}")
        equal(client.call("ListVolumes")["volumes"][0]["maxDurationNSec"], 30 * MINUTE,
              "the old settings stay")
    host.config(TRUSTEE.replace("30m", "5m"))
    host.process.send_signal(signal.SIGHUP)
    said = host.wait_for("RELOADING=1")
    check(int(said["MONOTONIC_USEC"]) > 0, "the manager is told when")
    host.wait_for("READY=1")
    equal(client.call("ListVolumes")["volumes"][0]["maxDurationNSec"], 5 * MINUTE,
          "new settings")
    equal(host.text().count(UNRECORDED), 0, "recorded so far")
    host.config(TRUSTEE.replace("max-", "record: []\n    max-"))
    host.process.send_signal(signal.SIGHUP)
    host.wait_for("READY=1")
    equal(client.call("ListVolumes")["volumes"][0]["record"], [], "no record on demand")
    equal(host.text().count(UNRECORDED), 1, "with a warning")
    client.call("RemoveVolume", name="acme")
    host.config(TRUSTEE)
    host.process.send_signal(signal.SIGHUP)
    host.wait_for("READY=1")
    equal(len(client.call("ListVolumes")["volumes"]), 1, "a reload protects again")
    host.config("trustees: [UID]\n")
    host.process.send_signal(signal.SIGHUP)
    host.wait_for("READY=1")
    equal(len(client.call("ListVolumes")["volumes"]), 1,
          "what is no longer configured stays protected")
    check('"acme" is protected, although it is not configured' in host.text(), "and is named")
    host.config("volumes:\n  - {name: a, path: VOLUME/}\n")
    host.process.send_signal(signal.SIGHUP)
    host.wait_for("READY=1")
    check(client.refused("AddVolume", name="x", path="/")[0] == "NotPermitted",
          "a trustee who is none any more")
    host.kill(signal.SIGTERM)


def test_watch():
    host = Host(TRUSTEE)
    host.start()
    watcher, slow, client = host.client(), host.client(), host.client()
    try:
        client.call("Watch")
        check(False, "Watch needs more")
    except Failure as failure:
        equal(failure.error, "org.varlink.service.ExpectedMore", "Watch needs more")
    client = host.client()
    watcher.send("Watch", more=True)
    slow.send("Watch", more=True)
    for _ in range(200):
        if client.call("Status")["watchers"] == 2:
            break
        time.sleep(0.02)
    equal(client.call("Status")["watchers"], 2, "watchers")
    host.event("denied", 4711, "mail/a b\nc")
    event = watcher.receive()
    check(event["continues"], "more to come")
    event = event["parameters"]["event"]
    equal((event["type"], event["pid"], event["path"], event["cause"], event["access"],
           event["volume"], event["dropped"]),
          ("denied", 4711, "mail/a b", "no-grant", ["read"], "acme", 0), "an event")
    check(host.wait_text("denied read to cat (pid 4711, uid 0)"), "is recorded")

    # The slow one does not read: the other gets all, the agent stays awake.
    # What lies in socket buffers and in the queue is more than 4096 events.
    total, seen, longest = 9000, 0, 0
    for i in range(total):
        host.event("denied", i + 1, "x" * 180)
        if i % 50 == 49:
            begin = time.monotonic()
            client.call("Status")
            longest = max(longest, time.monotonic() - begin)
            while seen < i + 1:
                watcher.receive()
                seen += 1
    equal(seen, total, "events that the quick watcher got")
    check(longest < 5, f"the longest answer meanwhile took {longest:.2f} s")
    got = [slow.receive()["parameters"]["event"] for _ in range(4000)]
    host.event("denied", 1, "last")
    while got[-1]["path"] != "last":
        got.append(slow.receive()["parameters"]["event"])
    lost = got[-1]["seq"] - got[0]["seq"] + 1 - len(got)
    check(lost > 0, f"{lost} events were lost to the slow one")
    equal(got[-1]["dropped"], lost, "and he is told how many")
    check("allowed read to cat" not in host.text(), "nothing was allowed so far")
    host.event("allowed", 7, "mail/letter")
    check(host.wait_text("allowed read to cat (pid 7"),
          "what is allowed is recorded in a storm of denials")
    watcher.socket.close()
    slow.socket.close()
    for _ in range(100):
        if client.call("Status")["watchers"] == 0:
            break
        time.sleep(0.05)
    equal(client.call("Status")["watchers"], 0, "watchers that left")
    records = host.text().count("denied read to cat")
    check(records <= 1 + 100 * 60, f"{records} records of {total + 2} denials")
    host.kill(signal.SIGTERM)
    check("more denials and 0 more allowed accesses" in host.text(),
          "the rest of the storm is counted")
    check("runtime error" not in host.text() and "ERROR: " not in host.text(),
          "the sanitizers are silent")


def test_listing():
    host = Host(TRUSTEE)
    host.start()
    client = host.client()
    base = dict(volume="acme", path="mail/letter", access=["read"], durationNSec=MINUTE,
                reason="incident")
    for _ in range(300):
        client.call("Grant", **base)
    equal(len(client.call("ListGrants")["grants"]), 300, "in one reply")
    client.send("ListGrants", more=True)
    parts = []
    while True:
        message = client.receive()
        parts.append(len(message["parameters"]["grants"]))
        if not message.get("continues"):
            break
    equal((sum(parts), len(parts) > 1, max(parts) <= 64), (300, True, True), f"in parts {parts}")
    # One who goes away in the middle.
    leaver = host.client()
    leaver.send("ListGrants", more=True)
    leaver.socket.close()
    equal(client.call("Revoke", volume="acme"), {"ended": 300}, "all revoked")
    client.send("ListGrants", more=True)
    message = client.receive()
    equal((message["parameters"], message.get("continues", False)), ({"grants": []}, False),
          "an empty list")
    host.kill(signal.SIGTERM)


def test_options():
    host = Host(TRUSTEE)
    agent = lambda *a: subprocess.run([AGENT, *a], capture_output=True, text=True, timeout=60)
    good = agent("--check", "--config", host.top + "/trusteed.yaml")
    equal((good.returncode, good.stdout, good.stderr),
          (0, f"{host.top}/trusteed.yaml: 1 trustees, 1 volumes, 0 services\n", ""),
          "a good configuration")
    host.config("trustee: []\n")
    bad = agent("--check", "--config", host.top + "/trusteed.yaml")
    equal((bad.returncode, bad.stdout, bad.stderr),
          (1, "", f'{host.top}/trusteed.yaml:1: unknown key "trustee"; '
                  'known are trustees, policy, volumes, services\n'), "a bad one")
    equal(agent("--nonsense").returncode, 1, "an unknown option")
    equal(agent("surplus").returncode, 1, "an argument")
    equal(agent("--version").stdout.split()[0], "trusteed", "the version")
    check("--config" in agent("--help").stdout, "the help")


run(test_options, test_trustee, test_nobody, test_self, test_killed, test_bad_secret,
    test_second_agent, test_no_module, test_degraded, test_reload, test_listing, test_watch)
