#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""
Grants by rules with "renew: true": renewed while the rule holds, and no longer.

usage: agent_renewed_test.py TRUSTEED-WITH-FAKE-GATE
"""

import os
import signal
import subprocess
import sys
import time

from agent_host import Host, check, equal, run

CONFIG = """
trustees: [UID]
policy: TOP/policy.yaml
volumes:
  - name: acme
    path: VOLUME
    ask: 5m
"""

HEAD = """
volumes:
  - name: acme
    rules:
"""
RULE = """
      - name: service
        paths: [mail, db]
        exe: EXE
        access: [read, write]
        allow: {for: 2s, renew: true, descendants: true, reason: automation}
"""
SECRET = """
      - name: secret
        paths: [db/deep]
        ask: {for: 1m, deadline: 1m}
"""
SECOND = 10**9


def begin(rules=RULE):
    host = Host(CONFIG)
    write_policy(host, rules)
    host.start()
    return host, host.client()


def write_policy(host, rules):
    with open(host.top + "/policy.yaml", "w") as file:
        os.fchmod(file.fileno(), 0o600)
        file.write((HEAD + rules).replace("EXE", os.path.realpath("/proc/self/exe")))


def reload(host):
    host.process.send_signal(signal.SIGHUP)
    host.wait_for("READY=1")


def end(host):
    equal(host.kill(signal.SIGTERM), 0, "exit status")
    check("ERROR: " not in host.text() and "runtime error" not in host.text(),
          "the sanitizers are silent")


def grants(client):
    return sorted(client.call("ListGrants")["grants"], key=lambda grant: grant["id"])


def raised(host, client, path, pid=None, count=1):
    """The open is answered, and there are so many grants."""
    host.event("request-raised", pid or os.getpid(), "/" + path)
    for _ in range(200):
        given = grants(client)
        if len(given) >= count:
            break
        time.sleep(0.05)
    return given


def renewed(client, after, seconds=10):
    """The newest grant, as soon as it is another than that with this number."""
    for _ in range(20 * seconds):
        given = grants(client)
        if given and given[-1]["id"] > after:
            return given[-1]
        time.sleep(0.05)
    return None


def stays(client, seconds=3):
    """No grant is added or ended."""
    before = [grant["id"] for grant in grants(client)]
    time.sleep(seconds)
    return [grant["id"] for grant in grants(client)] == before


def test_renewed():
    host, client = begin()
    first = raised(host, client, "mail/letter")[0]
    equal((first["pid"], first["path"], first["access"], first["objectKind"]),
          (os.getpid(), "mail", ["read", "write"], "subtree"), "all that the rule is for")
    check('granted read,write of "mail"' in host.text(), "which is on record")
    last = first
    for _ in range(3):
        following = renewed(client, last["id"])
        if not check(following, "renewed"):
            break
        equal([following[key] for key in ("pid", "path", "access", "objectKind", "descendants",
                                          "reason")],
              [first[key] for key in ("pid", "path", "access", "objectKind", "descendants",
                                      "reason")], "by the same")
        check(following["createdBoottimeNSec"] < last["expiresBoottimeNSec"], "in time")
        last = following
    # Another file of the same tree was asked about at the same time.
    given = raised(host, client, "mail/other", count=len(grants(client)) + 1)
    check(any(grant["path"] == "mail/other" for grant in given), "a file of its own once")
    check(renewed(client, given[-1]["id"])["path"] == "mail", "which is not renewed")
    end(host)


def test_earlier_rule():
    """Another rule is for part of it: no more than the file is given."""
    host, client = begin(SECRET + RULE)
    first = raised(host, client, "db/main.db")[0]
    equal((first["path"], first["access"], first["objectKind"]), ("db/main.db", ["read"], "file"),
          "the file that was asked about")
    end(host)


def test_policy_changes():
    host, client = begin()
    first = raised(host, client, "mail/letter")[0]
    write_policy(host, RULE.replace("service", "other").replace("2s", "3s"))
    reload(host)
    following = renewed(client, first["id"])
    check(following and following["expiresBoottimeNSec"] -
          following["createdBoottimeNSec"] > 2.5 * SECOND, "by a rule that allows the same")
    for rules, what in ((RULE.replace("paths: [mail, db]", "paths: [db]"), "is for others"),
                        (SECRET.replace("db/deep", "mail/x") + RULE, "comes after another"),
                        (RULE.replace("EXE", "/usr/bin/other"), "is for another program"),
                        (RULE.replace("[read, write]", "[read]"), "allows less")):
        write_policy(host, RULE)
        reload(host)
        if not grants(client):
            raised(host, client, "mail/letter")
        write_policy(host, rules)
        reload(host)
        equal(grants(client), [], f"revoked at once by a rule that {what}")
        check(host.wait_text("the policy does not allow it any more"), "and that is said")
    check(stays(client), "nothing more is given")

    # Not renewed is not revoked.
    write_policy(host, RULE)
    reload(host)
    raised(host, client, "mail/letter")
    write_policy(host, RULE.replace("renew: true, ", ""))
    reload(host)
    check(grants(client) and stays(client), "what is not to be renewed runs to its end")
    end(host)


def test_bad_policy():
    host, client = begin()
    first = raised(host, client, "mail/letter")[0]
    write_policy(host, "nonsense")
    reload(host)
    check(renewed(client, first["id"]), "a bad policy changes nothing")
    end(host)


def test_restart():
    host, client = begin()
    first = raised(host, client, "mail/letter")[0]
    host.kill()
    host.start()
    client = host.client()
    following = renewed(client, first["id"])
    check(following and following["path"] == "mail", "goes on after a restart")
    host.kill()
    write_policy(host, RULE.replace("mail, ", ""))
    host.start()
    equal(grants(host.client()), [], "what is not allowed any more is revoked then")
    end(host)


def test_process_ends():
    host, client = begin()
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    first = raised(host, client, "mail/letter", child.pid)[0]
    equal(first["pid"], child.pid, "given")
    last = renewed(client, first["id"])
    check(last, "renewed")
    child.kill()
    child.wait()
    time.sleep(0.5)
    check(stays(client), "not when the process has ended")
    end(host)


def test_object_is_another():
    host, client = begin()
    first = raised(host, client, "mail/letter")[0]
    os.rename(host.volume + "/mail", host.volume + "/former")
    os.mkdir(host.volume + "/mail")
    check(host.wait_text("is another file now"), "another object is no object of that grant")
    check(stays(client, 1), "it is not renewed")
    equal(grants(client)[-1]["id"] >= first["id"], True, "what was given runs to its end")
    end(host)


def test_revoked():
    """What a person has revoked is not given again, by a new open either."""
    host, client = begin()
    first = raised(host, client, "mail/letter")[0]
    last = renewed(client, first["id"])
    host.event("grant-ended", os.getpid(), str(last["id"]))
    check(host.wait_text("it is not given again to this process"), "on record")
    equal(grants(client), [], "all of the chain has ended")
    host.event("request-raised", os.getpid(), "/mail/letter")
    check(host.wait_text("a grant by it was revoked"), "the next open is denied")
    check(stays(client), "nothing is given")
    host.kill()
    host.start()
    client = host.client()
    host.event("request-raised", os.getpid(), "/mail/letter")
    check(stays(client, 1), "nor after a restart")
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    equal(len(raised(host, client, "mail/letter", child.pid)), 1, "another process gets it")
    child.kill()
    child.wait()
    end(host)


def test_lost_events():
    """That a part of it was revoked is found out, too, if the kernel's word was lost."""
    host, client = begin()
    first = raised(host, client, "mail/letter")[0]
    last = renewed(client, first["id"])
    host.event("grant-ended", os.getpid(), f"{last['id']} unseen")
    host.event("denied")
    check(host.wait_text("it is not given again to this process"), "a gap in the numbers has it look")
    equal(grants(client), [], "all of the chain has ended")
    check(stays(client), "nothing is given")
    end(host)
    # What lives goes on.
    host, client = begin()
    first = raised(host, client, "mail/letter")[0]
    host.event("denied", path="db/unseen")
    host.event("denied")
    check(host.wait_text("did not reach the agent"), "others are lost")
    check(renewed(client, first["id"]), "it is renewed")
    end(host)


def test_stopped():
    """Everything on the volume is stopped: this, too, and what would follow it."""
    host, client = begin()
    first = raised(host, client, "mail/letter")[0]
    last = renewed(client, first["id"])
    check(last, "renewed")
    check(client.call("Stop", volume="acme")["ended"] >= 1, "stopped")
    equal(grants(client), [], "all of the chain has ended")
    check(stays(client), "nothing is given in its turn")
    host.event("request-raised", os.getpid(), "/mail/letter")
    check(host.wait_text("the volume is stopped"), "nor to the next open")
    host.kill()
    host.start()
    client = host.client()
    check(stays(client), "nor after a restart")
    client.call("Start", volume="acme")
    check(stays(client, 1), "nor by itself when it is started")
    following = raised(host, client, "mail/letter")
    equal(len(following), 1, "but to the next open")
    check(renewed(client, following[0]["id"]), "and is renewed again")
    end(host)


run(test_lost_events, test_stopped, test_renewed, test_earlier_rule, test_policy_changes, test_bad_policy, test_restart,
    test_process_ends, test_object_is_another, test_revoked)
