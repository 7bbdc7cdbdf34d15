#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""
Opens that wait: answered by the policy, by a trustee, or not at all.

usage: agent_asked_test.py TRUSTEED-WITH-FAKE-GATE
"""

import os
import signal
import subprocess
import time

from agent_host import AGENT, MINUTE, Host, check, equal, run

CONFIG = """
trustees: [UID]
policy: TOP/policy.yaml
volumes:
  - name: acme
    path: VOLUME
    ask: 5m
"""

POLICY = """
volumes:
  - name: acme
    rules:
      - name: backup
        paths: [mail]
        exe: EXE
        access: [read]
        allow: {for: 2m, reason: automation, descendants: true}
      - name: never
        paths: [db/deep]
        deny: true
      - name: people
        paths: [db]
        ask: {for: 10m, deadline: 1m}
      - name: hasty
        paths: [fast]
        ask: {for: 10m, deadline: 1s}
"""


def begin(policy=POLICY, **environment):
    host = Host(CONFIG)
    write_policy(host, policy)
    host.start(**environment)
    return host, host.client()


def write_policy(host, text):
    with open(host.top + "/policy.yaml", "w") as file:
        os.fchmod(file.fileno(), 0o600)
        file.write(text.replace("EXE", os.path.realpath("/proc/self/exe")))


def end(host):
    equal(host.kill(signal.SIGTERM), 0, "exit status")
    check("ERROR: " not in host.text() and "runtime error" not in host.text(),
          "the sanitizers are silent")


def raised(host, path, pid=None):
    host.event("request-raised", pid or os.getpid(), "/" + path)


def waiting(client, count=1):
    """Those that wait for a trustee, as soon as there are so many."""
    for _ in range(200):
        requests = client.call("ListRequests")["requests"]
        if len(requests) == count:
            break
        time.sleep(0.05)
    return requests


def grants(client):
    return client.call("ListGrants")["grants"]


def test_allowed_by_rule():
    host, client = begin()
    raised(host, "mail/letter")
    check(host.wait_text('by rule "backup"'), "the rule is on record")
    given = grants(client)
    equal(len(given), 1, "a grant")
    equal((given[0]["pid"], given[0]["path"], given[0]["access"], given[0]["reason"]),
          (os.getpid(), "mail/letter", ["read"], "automation"), "as the rule says")
    check(given[0]["descendants"], "with descendants")
    check(given[0].get("requesterUid") is None, "nobody asked for it by name")
    left = given[0]["expiresBoottimeNSec"] - given[0]["createdBoottimeNSec"]
    check(abs(left - 2 * MINUTE) < MINUTE, "for its time")
    equal(waiting(client, 0), [], "no trustee is asked")

    # Another program is another matter.
    other = subprocess.Popen(["sleep", "1000"])
    raised(host, "mail/letter", other.pid)
    check(host.wait_text("no rule is for it"), "by another program it is denied")
    equal(len(grants(client)), 1, "and no grant")
    other.kill()
    other.wait()
    end(host)


def test_denied_by_rule():
    host, client = begin()
    raised(host, "db/deep/leaf")
    check(host.wait_text('not granted: read of "db/deep/leaf" on volume "acme" by cat'), "denied")
    check('rule "never"' in host.text(), "by that rule")
    raised(host, "elsewhere")
    check(host.wait_text("no rule is for it"), "where there is no rule")
    equal((grants(client), waiting(client, 0)), ([], []), "nothing is given")
    end(host)


def test_trustee_approves():
    host, client = begin()
    raised(host, "db/main.db")
    requests = waiting(client)
    equal(len(requests), 1, "waits for a trustee")
    request = requests[0]
    equal((request["volume"], request["path"], request["access"], request["pid"], request["uid"],
           request["comm"], request["rule"], request["maxDurationNSec"]),
          ("acme", "db/main.db", ["read"], os.getpid(), 4711, "cat", "people", 10 * MINUTE),
          "what he is told")
    check(request["deadlineBoottimeNSec"] - request["raisedBoottimeNSec"] <= MINUTE,
          "the rule's deadline is nearer than the volume's")
    check(host.wait_text(f"trustgate approve {request['id']}"), "the next step is named")
    equal(client.call("ListRequests", volume="other")["requests"], [], "not of another volume")

    for parameters, attribute in (
            ({"reason": "no-such"}, "reason"),
            ({"reason": "customer-ticket"}, "ticket"),
            ({"reason": "incident", "durationNSec": 11 * MINUTE}, "durationNSec"),
            ({"reason": "incident", "durationNSec": -1}, "durationNSec"),
            ({"reason": "incident", "access": ["read", "write"]}, "access"),
            ({"reason": "incident", "access": []}, "access")):
        error, details = client.refused("Approve", id=request["id"], **parameters)
        equal((error, details.get("attribute")), ("Refused", attribute), f"{parameters}")
    error, details = client.refused("Approve", id=request["id"] + 1, reason="incident")
    equal((error, details.get("attribute")), ("Refused", "id"), "another number")
    equal(len(waiting(client)), 1, "it waits on")

    grant = client.call("Approve", id=request["id"], reason="customer-ticket", ticket="SR-1",
                        durationNSec=MINUTE)["grant"]
    equal((grant["pid"], grant["path"], grant["ticket"], grant["requesterUid"]),
          (os.getpid(), "db/main.db", "SR-1", os.getuid()), "approved")
    equal(waiting(client, 0), [], "waits no longer")
    error, _ = client.refused("Approve", id=request["id"], reason="incident")
    equal(error, "Refused", "not twice")
    check(host.wait_text("asked by uid"), "on record")
    end(host)


def test_trustee_denies():
    host, client = begin()
    raised(host, "db/main.db")
    request = waiting(client)[0]
    client.call("Deny", id=request["id"])
    equal((waiting(client, 0), grants(client)), ([], []), "neither waits nor is given")
    check(host.wait_text("denied by uid"), "on record")
    end(host)


def test_not_for_himself():
    """Who has logged in as a trustee and become somebody else is still he."""
    host, client = begin()
    raised(host, "db/mine")
    request = waiting(client)[0]
    error, details = client.refused("Approve", id=request["id"], reason="incident")
    equal((error, details.get("what")),
          ("NotPermitted", "approve what he has asked for himself"), "not for himself")
    equal(grants(client), [], "nothing is given")
    equal(len(waiting(client)), 1, "another trustee may")
    end(host)


def test_only_trustees():
    host = Host(CONFIG.replace("trustees: [UID]", "trustees: [4242]"))
    write_policy(host, POLICY)
    host.start()
    client = host.client()
    raised(host, "db/main.db")
    check(host.wait_text("waits for approval"), "it waits")
    error, _ = client.refused("Approve", id=1, reason="incident")
    equal(error, "NotPermitted", "root is no trustee, and nobody else is")
    end(host)


def test_rule_is_impatient():
    host, client = begin()
    raised(host, "fast")
    check(host.wait_text("nobody has decided in time"), "denied when its time is over")
    equal(waiting(client, 0), [], "waits no longer")
    end(host)


def test_process_is_another():
    host, client = begin()
    raised(host, "mail/reused")
    raised(host, "db/main.db")
    equal(len(waiting(client)), 1, "the next is dealt with")
    equal(grants(client), [], "nothing for a pid that was used again")
    end(host)


def test_withdrawn():
    host, client = begin()
    raised(host, "db/main.db")
    equal(len(waiting(client)), 1, "waits")
    host.event("request-closed", os.getpid(), "/db/main.db")
    equal(waiting(client, 0), [], "not when the process has gone")
    check(host.wait_text(": withdrawn"), "on record")
    end(host)


def test_lost_events_and_restart():
    host, client = begin()
    raised(host, "elsewhere")
    check(host.wait_text("no rule is for it"), "one that is seen")
    raised(host, "db/unseen")
    raised(host, "db/main.db")
    equal(len(waiting(client, 2)), 2, "a gap in the numbers has it look")
    host.kill()
    host.start()
    client = host.client()
    equal([request["path"] for request in waiting(client, 2)], ["db/unseen", "db/main.db"],
          "after a restart they are found again")
    client.call("Approve", id=waiting(client, 2)[0]["id"], reason="incident")
    equal(len(waiting(client)), 1, "and answered")
    end(host)


def test_reload():
    host, client = begin(POLICY.replace("ask: {for: 10m, deadline: 1m}", "deny: true"))
    write_policy(host, "volumes: nonsense")
    host.process.send_signal(signal.SIGHUP)
    check(host.wait_text("the old policy stays in force"), "a bad one is refused")
    raised(host, "mail/letter")
    check(host.wait_text('by rule "backup"'), "the old one decides")
    write_policy(host, POLICY)
    host.process.send_signal(signal.SIGHUP)
    host.wait_for("READY=1")
    raised(host, "db/main.db")
    equal(len(waiting(client)), 1, "the new one decides")
    end(host)


def test_without_policy():
    host = Host(CONFIG.replace("policy: TOP/policy.yaml\n", ""))
    host.start()
    client = host.client()
    raised(host, "mail/letter")
    check(host.wait_text("there is no policy"), "denied")
    equal((grants(client), waiting(client, 0)), ([], []), "nothing is given")
    end(host)

    host = Host(CONFIG)
    write_policy(host, "volumes: nonsense")
    checked = subprocess.run([AGENT, "--config", host.top + "/trusteed.yaml", "--check"],
                             capture_output=True, text=True, check=False)
    check(checked.returncode == 1 and "policy.yaml:1: volumes" in checked.stderr,
          f"--check complains about it: {checked.stderr}")
    host.start()
    check("without a policy every open that waits is denied" in host.text(), "a bad one is none")
    raised(host, "mail/letter")
    check(host.wait_text("there is no policy"), "denied")
    end(host)


def test_not_carried_out():
    """More than the volume allows."""
    host, client = begin(POLICY.replace("for: 2m", "for: 3h"))
    raised(host, "mail/letter")
    check(host.wait_text('rule "backup" cannot be carried out'), "said why")
    equal(grants(client), [], "nothing is given")
    raised(host, "db/main.db")
    equal(len(waiting(client)), 1, "and it goes on")
    end(host)


def test_allowed_together():
    """What has come together is written together, and all of it is given."""
    host, client = begin()
    host.process.send_signal(signal.SIGSTOP)
    # The socket of a process that is stopped does not hold many.
    for number in range(5):
        raised(host, f"mail/{number}")
    raised(host, "db/deep/leaf")
    host.process.send_signal(signal.SIGCONT)
    for _ in range(200):
        given = grants(client)
        if len(given) == 5:
            break
        time.sleep(0.05)
    equal(sorted(grant["path"] for grant in given),
          sorted(f"mail/{number}" for number in range(5)), "all of them, and no other")
    check(host.wait_text('rule "never"'), "nor what another rule denies")
    end(host)


run(test_allowed_by_rule, test_allowed_together, test_denied_by_rule, test_trustee_approves, test_trustee_denies,
    test_not_for_himself, test_only_trustees, test_rule_is_impatient, test_process_is_another,
    test_withdrawn, test_lost_events_and_restart, test_reload, test_without_policy,
    test_not_carried_out)
