#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""
Grants that demand a supervisor: who can be one, and what becomes of them when
there is none any more.

usage: agent_supervise_test.py TRUSTEED-WITH-FAKE-GATE
"""

import os
import signal
import socket
import subprocess
import time

from agent_host import MINUTE, TRUSTEE, Failure, Host, check, equal, run

REQUIRED = TRUSTEE + "    supervision: required\n"
OTHER = 4711
STRANGERS = TRUSTEE.replace("[UID]", "[UID, 4242]")


TENANT = """
trustees: [4242]
volumes:
  - name: acme
    path: VOLUME
    max-duration: 30m
    tenants: [3003]
  - name: late
    path: TOP/late
"""


def play(host, uid):
    """From here on, whoever calls is this person."""
    users(host, os.getpid(), f"{uid} {uid}")
    with open(host.top + "/gate.peer.new", "w") as file:
        file.write(f"{uid} {uid}\n")
    os.rename(host.top + "/gate.peer.new", host.top + "/gate.peer")


def begin(config=TRUSTEE):
    host = Host(config)
    host.start()
    host.subjects = []
    return host, host.client()


def end(host):
    for subject in host.subjects:
        subject.kill()
        subject.wait()
    equal(host.kill(signal.SIGTERM), 0, "exit status")
    check("ERROR: " not in host.text() and "runtime error" not in host.text(),
          "the sanitizers are silent")


def users(host, pid, text):
    with open(f"{host.top}/gate.user-{pid}", "w") as file:
        file.write(text)


def subject(host, user=OTHER, login=OTHER):
    """A process of somebody else."""
    process = subprocess.Popen(["sleep", "1000"])
    host.subjects.append(process)
    users(host, process.pid, f"{user} {login}")
    return process.pid


def give(client, pid, **more):
    return client.call("Grant", volume="acme", path="mail/letter", pid=pid, access=["read"],
                       durationNSec=10 * MINUTE, reason="incident", **more)["grant"]


def state(client, grant):
    return [g["state"] for g in client.call("ListGrants")["grants"] if g["id"] == grant["id"]]


def becomes(client, grant, wanted, seconds=10):
    until = time.monotonic() + seconds
    while state(client, grant) != [wanted] and time.monotonic() < until:
        time.sleep(0.05)
    return equal(state(client, grant), [wanted], f"grant is {wanted}")


def supervise(host, **what):
    watcher = host.client()
    watcher.send("Watch", more=True, **what)
    return watcher


def refused(host, **what):
    watcher = supervise(host, **what)
    try:
        return "no error", watcher.receive()
    except Failure as failure:
        return failure.error, failure.parameters
    finally:
        watcher.socket.close()


def test_of_one_grant():
    host, client = begin()
    grant = give(client, subject(host), supervised=True)
    other = give(client, subject(host), supervised=True)
    plain = give(client, subject(host))
    equal((grant["supervised"], grant["state"]), (True, "suspended"), "nobody supervises yet")
    equal((plain["supervised"], plain["state"]), (False, "active"), "another demands nothing")
    watcher = supervise(host, superviseGrant=grant["id"])
    becomes(client, grant, "active")
    becomes(client, other, "suspended")
    equal(client.call("Status")["supervisors"], 1, "counted")
    check(f"supervises grant {grant['id']}" in host.text(), "on record")
    host.event("denied")
    equal(watcher.receive()["parameters"]["event"]["type"], "denied", "who supervises watches")
    second = supervise(host, superviseGrant=grant["id"])
    time.sleep(0.2)
    watcher.socket.close()
    check(host.wait_text("no longer supervises"), "that is on record, too")
    becomes(client, grant, "active")
    second.socket.close()
    becomes(client, grant, "suspended", 5)
    # Not when the kernel is told again who does.
    for _ in range(2):
        quick = supervise(host, superviseGrant=grant["id"])
        becomes(client, grant, "active")
        quick.socket.close()
        becomes(client, grant, "suspended", 1)
    third = supervise(host, superviseGrant=grant["id"])
    becomes(client, grant, "active")
    third.socket.close()
    end(host)


def protect_another(host, client):
    os.makedirs(host.top + "/late")
    open(host.top + "/late/.mounted", "w").close()
    client.call("AddVolume", name="late", path=host.top + "/late")


def test_of_a_volume():
    host, client = begin()
    before = give(client, subject(host), supervised=True)
    protect_another(host, client)
    elsewhere = supervise(host, superviseVolume="late")
    check(host.wait_text('supervises volume "late"'), "another volume is supervised")
    equal(state(client, before), ["suspended"], "which is nothing to this one")
    elsewhere.socket.close()
    watcher = supervise(host, superviseVolume="acme")
    becomes(client, before, "active")
    after = give(client, subject(host), supervised=True)
    equal(after["state"], "active", "one that is given meanwhile is live at once")
    # Longer than what was said first.
    time.sleep(12)
    equal((state(client, before), state(client, after)), (["active"], ["active"]),
          "said again and again")
    watcher.socket.close()
    becomes(client, before, "suspended", 5)
    becomes(client, after, "suspended", 5)
    end(host)


def test_nothing_to_see():
    """Nobody supervises what is not recorded."""
    host, client = begin()
    grant = give(client, subject(host), supervised=True)
    watcher = supervise(host, superviseVolume="acme")
    becomes(client, grant, "active")
    client.call("SetVolume", name="acme", record=[])
    host.event("volume-changed")
    becomes(client, grant, "suspended", 5)
    check(host.wait_text('volume "acme" does not record accesses that are allowed: nobody supervises'), "and why")
    for what, attribute in (({"superviseGrant": grant["id"]}, "superviseGrant"),
                            ({"superviseVolume": "acme"}, "superviseVolume")):
        error, details = refused(host, **what)
        equal((error, details["attribute"]), ("Refused", attribute), "nor does who comes later")
        check("set its record to [allowed] first" in details["message"], "who is told how")
    client.call("SetVolume", name="acme", record=["allowed"])
    host.event("volume-changed")
    becomes(client, grant, "active")
    watcher.socket.close()
    becomes(client, grant, "suspended", 5)
    end(host)


def test_required():
    host, client = begin(REQUIRED)
    grant = give(client, subject(host))
    equal((grant["supervised"], grant["state"]), (True, "suspended"), "whoever gives it")
    host.config(TRUSTEE)
    host.process.send_signal(signal.SIGHUP)
    host.wait_for("READY=1")
    equal(give(client, subject(host))["supervised"], False, "no longer after a reload")
    equal(state(client, grant), ["suspended"], "a grant keeps its terms")
    end(host)


def test_nobody_supervises_himself():
    host, client = begin()
    me = os.getuid()
    own = give(client, os.getpid(), supervised=True)
    login = give(client, subject(host, OTHER, me), supervised=True)
    became = give(client, subject(host, me, OTHER), supervised=True)
    for grant, what in ((own, "his own"), (login, "as whom he logged in"), (became, "as another")):
        error, details = refused(host, superviseGrant=grant["id"])
        equal((error, details.get("what")), ("NotPermitted", "supervise his own access"), what)
    other = give(client, subject(host), supervised=True)
    watcher = supervise(host, superviseVolume="acme")
    becomes(client, other, "active")
    equal([state(client, grant) for grant in (own, login, became)], [["suspended"]] * 3,
          "nor by way of the volume")
    watcher.socket.close()
    # Who has logged in as the subject's user and become a trustee.
    users(host, os.getpid(), f"{me} {OTHER}")
    for user, login in ((OTHER, OTHER), (OTHER, 4712), (4712, OTHER)):
        grant = give(client, subject(host, user, login), supervised=True)
        error, _ = refused(host, superviseGrant=grant["id"])
        equal(error, "NotPermitted", f"whoever he has become, of user {user} logged in as {login}")
    # Whose a process is cannot be found out.
    users(host, os.getpid(), f"{me} {me}")
    for text, what in (("?", "its user"), (f"{OTHER} ?", "who had logged in")):
        unknown = subject(host)
        users(host, unknown, text)
        grant = give(client, unknown, supervised=True)
        error, _ = refused(host, superviseGrant=grant["id"])
        equal(error, "NotPermitted", f"on doubt about {what} not")
        watcher = supervise(host, superviseVolume="acme")
        becomes(client, other, "active")
        equal(state(client, grant), ["suspended"], "nor by way of the volume")
        watcher.socket.close()
        becomes(client, other, "suspended", 5)
    users(host, os.getpid(), f"{me} ?")
    error, details = refused(host, superviseVolume="acme")
    check(error == "Refused" and "as whom you have logged in" in details["message"],
          f"nor who could be anybody: {details}")
    equal(state(client, other), ["suspended"], "indeed")
    end(host)


def test_only_trustees():
    host, client = begin(STRANGERS)
    grant = give(client, subject(host), supervised=True)
    watcher = supervise(host, superviseGrant=grant["id"])
    becomes(client, grant, "active")
    host.config(TRUSTEE.replace("UID", "4242"))
    host.process.send_signal(signal.SIGHUP)
    host.wait_for("READY=1")
    host.config(STRANGERS)
    host.process.send_signal(signal.SIGHUP)
    host.wait_for("READY=1")
    becomes(client, grant, "active")
    host.config(TRUSTEE.replace("UID", "4242"))
    host.process.send_signal(signal.SIGHUP)
    host.wait_for("READY=1")
    error, details = refused(host, superviseGrant=grant["id"])
    equal((error, details.get("what")), ("NotPermitted", "supervise grants"), "no trustee any more")
    host.config(STRANGERS)
    host.process.send_signal(signal.SIGHUP)
    host.wait_for("READY=1")
    watcher.socket.close()
    becomes(client, grant, "suspended", 5)
    end(host)


def test_tenant():
    """One of the tenant's people supervises what is on his volume, and sees no more."""
    host, client = begin(TENANT)
    play(host, 4242)
    protect_another(host, client)
    grant = give(client, subject(host), supervised=True)
    plain = give(client, subject(host))
    play(host, 3003)
    for what in ({"superviseVolume": "late"}, {"superviseVolume": "none"}, {"superviseGrant": 4711}, {}):
        error, details = refused(host, **what)
        equal((error, details.get("what") if what else None),
              ("NotPermitted", "supervise grants" if what else None), f"nothing else: {what}")
    error, _ = refused(host, superviseGrant=plain["id"])
    equal(error, "Refused", "one that demands nobody is not his to supervise")
    play(host, 3005)
    equal(refused(host, superviseVolume="acme")[0], "NotPermitted", "nobody else does")
    equal(refused(host, superviseGrant=grant["id"])[0], "NotPermitted", "nor this grant alone")
    play(host, 3003)
    watcher = supervise(host, superviseVolume="acme")
    check(host.wait_text('supervises volume "acme"'), "he supervises")
    play(host, 4242)
    becomes(client, grant, "active")
    host.event("denied", path="mail/first")
    host.event("denied", path="other/one", volume="late")
    host.event("denied", path="other/two", volume="late")
    host.event("denied", path="mail/second")
    seen = [watcher.receive()["parameters"]["event"] for _ in range(2)]
    equal([(e["path"], e.get("others")) for e in seen], [("mail/first", None), ("mail/second", 2)],
          "he is told of his volume, and how much he is not told")
    equal(seen[1]["seq"] - seen[0]["seq"], 3, "so that no gap is left")
    host.config(TENANT.replace("[3003]", "[3004]"))
    host.process.send_signal(signal.SIGHUP)
    host.wait_for("READY=1")
    becomes(client, grant, "suspended", 5)
    watcher.socket.close()
    end(host)


def test_refused():
    host, client = begin()
    plain = give(client, subject(host))
    for what, error, attribute in (
            ({"superviseGrant": plain["id"]}, "Refused", "superviseGrant"),
            ({"superviseGrant": plain["id"] + 100}, "NoSuchGrant", None),
            ({"superviseVolume": "beta"}, "NoSuchVolume", None),
            ({"superviseGrant": plain["id"], "superviseVolume": "acme"}, "Refused",
             "superviseGrant")):
        got, details = refused(host, **what)
        equal((got, details.get("attribute")), (error, attribute), f"{what}")
    equal(client.call("Status")["watchers"], 0, "who is refused does not watch either")
    end(host)


def test_agent_restarts():
    host, client = begin()
    grant = give(client, subject(host), supervised=True)
    watcher = supervise(host, superviseVolume="acme")
    becomes(client, grant, "active")
    host.kill()
    host.start()
    client = host.client()
    equal(state(client, grant), ["suspended"], "nobody is connected to the new one")
    watcher.socket.close()
    watcher = supervise(host, superviseGrant=grant["id"])
    becomes(client, grant, "active")
    # The kernel does not answer: what was said before runs out, and is said again.
    host.answer("lose-grant-supervise")
    time.sleep(3)
    becomes(client, grant, "active")
    watcher.socket.close()
    becomes(client, grant, "suspended", 5)
    end(host)


def test_agent_stands_still():
    """What it has said is over by the clock, whatever becomes of it."""
    host, client = begin()
    grant = give(client, subject(host), supervised=True)
    watcher = supervise(host, superviseGrant=grant["id"])
    becomes(client, grant, "active")
    host.process.send_signal(signal.SIGSTOP)
    time.sleep(11)
    # The state as the kernel has it, before the agent could say anything.
    client.send("ListGrants")
    host.process.send_signal(signal.SIGCONT)
    equal([g["state"] for g in client.receive()["parameters"]["grants"]], ["suspended"],
          "suspended meanwhile")
    becomes(client, grant, "active")
    watcher.socket.close()
    end(host)


def test_who_does_not_read():
    host, client = begin()
    grant = give(client, subject(host), supervised=True)
    watcher = host.client()
    watcher.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    watcher.send("Watch", more=True, superviseGrant=grant["id"])
    becomes(client, grant, "active")
    host.event("denied")
    check(host.wait_text("does not read what happens", 20), "noticed")
    becomes(client, grant, "suspended", 5)
    equal(watcher.receive()["parameters"]["event"]["type"], "denied", "there it was")
    becomes(client, grant, "active", 5)
    watcher.socket.close()
    end(host)


def test_who_reads_while_more_comes():
    """There is nearly always something unread, and never for long."""
    host, client = begin()
    grant = give(client, subject(host), supervised=True)
    watcher = supervise(host, superviseGrant=grant["id"])
    becomes(client, grant, "active")
    until = time.monotonic() + 13
    while time.monotonic() < until:
        host.event("denied")
        time.sleep(0.2)
        watcher.receive()
    check("does not read what happens" not in host.text(), "he does read")
    equal(state(client, grant), ["active"], "grant is active all the time")
    watcher.socket.close()
    end(host)


run(test_of_one_grant, test_of_a_volume, test_nothing_to_see, test_required, test_nobody_supervises_himself,
    test_only_trustees, test_tenant, test_refused, test_agent_restarts, test_agent_stands_still,
    test_who_does_not_read, test_who_reads_while_more_comes)
