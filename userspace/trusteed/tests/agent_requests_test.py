#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""
Requests that several people decide about.

usage: agent_requests_test.py TRUSTEED-WITH-FAKE-GATE TRUSTGATE
"""

import os
import signal
import sqlite3
import subprocess
import time

from agent_host import MINUTE, check, equal, run
from agent_people import (
    ALICE, BOB, CAROL, CONFIG, DAVE, EVE, TRUSTGATE, approve, begin, end, grants, play, raised, recorded,
    refused, shown, state, states, wait_recorded, wait_state)


def test_two_trustees():
    host, client = begin()
    number = raised(host, client)
    reply = approve(host, client, ALICE, number, durationNSec=3 * MINUTE, comment="looks right")
    equal((reply["request"]["state"], reply["request"]["trustees"], reply["request"]["needTrustees"],
           "grant" in reply), ("pending", 1, 2, False), "one of two is not enough")
    equal(grants(host, client), [], "nothing is given")
    equal(refused(host, client, ALICE, "Approve", number, reason="incident"),
          ("NotPermitted", f"approve request {number} twice: he has approved it already"),
          "one person is not two")
    error, what = refused(host, client, BOB, "Approve", number, login=ALICE, reason="incident")
    equal((error, "already as uid 3001" in what), ("NotPermitted", True),
          "nor when he has become the other")
    error, what = refused(host, client, CAROL, "Approve", number, reason="incident")
    equal((error, "no approval of a tenant is missing" in what), ("NotPermitted", True),
          "no tenant is needed")
    equal(refused(host, client, EVE, "Approve", number, reason="incident"),
          ("NotPermitted", "read requests"), "and not anybody")
    check(wait_recorded(host, "refused", lambda b: b["uid"] == EVE and b["method"] == "Approve"
                        and "requests" in b["cause"]), "which is on record")
    error, what = refused(host, client, BOB, "Approve", number, reason="maintenance")
    equal((error, "has the reason incident already" in what), ("Refused", True), "of one mind")
    equal(grants(host, client), [], "still nothing is given")
    reply = approve(host, client, BOB, number, durationNSec=2 * MINUTE)
    given = reply["grant"]
    equal((reply["request"]["state"], given["pid"], given["requesterUid"], given["reason"]),
          ("approved", os.getpid(), BOB, "incident"), "two are enough")
    left = given["expiresBoottimeNSec"] - given["createdBoottimeNSec"]
    check(abs(left - 2 * MINUTE) < MINUTE / 2, "for the shorter time")
    equal(reply["request"]["grantId"], given["id"], "the grant is known")
    details = shown(host, client, number)
    equal([(a["uid"], a["role"], a["approves"], a.get("comment")) for a in details["approvals"]],
          [(ALICE, "trustee", True, "looks right"), (BOB, "trustee", True, None)], "who and why")
    equal(states(host, client, number), ["raised", "pending", "approved"], "each state")
    check(wait_recorded(host, "request-approved", lambda b: b["request"] == number), "in the account")
    equal(len(recorded(host, "request-approval")), 2, "with both approvals")
    host.event("grant-ended", os.getpid(), "x")
    check(wait_state(host, client, number, "completed"), "it ends by itself")
    equal(shown(host, client, number)["request"]["cause"], "expired", "and how is known")
    end(host)


def test_tenant_and_trustee():
    host, client = begin("{trustee: 1, tenant: 1}")
    number = raised(host, client)
    approve(host, client, CAROL, number)
    error, what = refused(host, client, DAVE, "Approve", number, reason="incident")
    equal((error, "no approval of a tenant is missing" in what), ("NotPermitted", True),
          "a second tenant is no trustee")
    play(host, DAVE)
    equal([r["id"] for r in client.call("ListRequests")["requests"]], [number], "but he sees it")
    equal(client.refused("Status")[0], "NotPermitted", "and nothing else")
    equal(refused(host, client, EVE, "ShowRequest", number)[0], "NotPermitted", "others see nothing")
    equal(client.refused("ListRequests")[0], "NotPermitted", "nor the list")
    equal(refused(host, client, EVE, "ShowRequest", 99), refused(host, client, EVE, "ShowRequest", number),
          "and not whether there is one")
    check("grant" in approve(host, client, ALICE, number), "a trustee is")
    end(host)


def test_denial_wins():
    host, client = begin("{trustee: 1, tenant: 1}")
    number = raised(host, client)
    approve(host, client, ALICE, number)
    equal(refused(host, client, EVE, "Deny", number)[0], "NotPermitted", "not by anybody")
    play(host, CAROL)
    equal(client.call("Deny", id=number, comment="not now")["request"]["state"], "rejected", "denied")
    check(host.wait_text("denied by uid 3003"), "the open is, too")
    equal(grants(host, client), [], "nothing is given")
    error, what = refused(host, client, DAVE, "Approve", number, reason="incident")
    equal((error, what), ("Refused", f"request {number} does not wait for approval: it is rejected"),
          "for good")
    last = shown(host, client, number)["approvals"][-1]
    equal((last["uid"], last["role"], last["approves"], last["comment"]),
          (CAROL, "tenant", False, "not now"), "on record")
    # Whoever has approved may think better of it.
    number = raised(host, client, "db/deep")
    approve(host, client, ALICE, number)
    equal(client.call("Deny", id=number)["request"]["state"], "rejected", "by who has approved")
    end(host)


def test_narrowed():
    host, client = begin()
    number = raised(host, client)
    for more, attribute in (({"durationNSec": 11 * MINUTE}, "durationNSec"), ({"access": ["write"]}, "access"),
                            ({"delayNSec": 2 * MINUTE}, "delayNSec"), ({"delayNSec": -1}, "delayNSec"),
                            ({"comment": "x" * 1025}, "comment")):
        error, details = client.refused("Approve", id=number, reason="incident", **more)
        equal((error, details.get("attribute")), ("Refused", attribute), f"{attribute} is checked")
    equal(shown(host, client, number)["approvals"], [], "none of that counts")
    # The first is never passed by the second.
    approve(host, client, ALICE, number, durationNSec=MINUTE, descendants=True)
    given = approve(host, client, BOB, number, durationNSec=9 * MINUTE)["grant"]
    check(given["expiresBoottimeNSec"] - given["createdBoottimeNSec"] < 2 * MINUTE, "the least time")
    equal(given["descendants"], False, "not what one alone allows")
    end(host)


def test_later():
    host, client = begin("1")
    number = raised(host, client)
    reply = approve(host, client, ALICE, number, delayNSec=2 * 10**9)
    equal((reply["request"]["state"], "grant" in reply), ("approved", False), "not yet")
    equal([r["id"] for r in client.call("ListRequests")["requests"]], [number], "listed until then")
    host.kill()
    host.start()
    client = host.client()
    check(wait_state(host, client, number, "approved"), "the agent is killed and knows it")
    for _ in range(200):
        if grants(host, client):
            break
        time.sleep(0.05)
    given = grants(host, client)
    equal([g["path"] for g in given], ["db/main.db"], "it begins")
    number = raised(host, client, "db/deep")
    approve(host, client, ALICE, number, delayNSec=30 * 10**9)
    equal(client.call("RevokeRequest", id=number)["request"]["state"], "revoked", "called off")
    check(host.wait_text("called off by uid 3001"), "and the open is denied")
    end(host)


def test_deadline():
    host, client = begin()
    number = raised(host, client, "fast")
    approve(host, client, ALICE, number)
    check(wait_state(host, client, number, "expired"), "nobody else came")
    equal(grants(host, client), [], "nothing is given")
    error, _ = refused(host, client, BOB, "Approve", number, reason="incident")
    equal(error, "Refused", "too late")
    end(host)


def test_revoke_and_extend():
    host, client = begin()
    number = raised(host, client)
    approve(host, client, ALICE, number, durationNSec=5 * MINUTE)
    approve(host, client, BOB, number)
    first = grants(host, client)[0]
    play(host, EVE)
    equal(client.refused("ExtendRequest", id=number, durationNSec=MINUTE)[0], "NotPermitted",
          "not by anybody")
    play(host, 4711)
    error, details = client.refused("ExtendRequest", id=number, durationNSec=40 * MINUTE)
    equal((error, details.get("attribute")), ("Refused", "durationNSec"), "no more than the volume allows")
    more = client.call("ExtendRequest", id=number, durationNSec=10 * MINUTE,
                       comment="it takes longer")["request"]
    equal((more["kind"], more["state"], more["parent"], more["requesterUid"], more["trustees"]),
          ("extension", "pending", number, 4711, 0), "it needs approval as the first did")
    error, _ = client.refused("ExtendRequest", id=number, durationNSec=MINUTE)
    equal(error, "Refused", "one at a time")
    equal(refused(host, client, 4711, "Approve", more["id"], reason="incident")[0], "NotPermitted",
          "not by who asks")
    check("grant" not in approve(host, client, ALICE, more["id"]), "one is not enough")
    second = approve(host, client, BOB, more["id"])["grant"]
    gained = second["expiresBoottimeNSec"] - first["expiresBoottimeNSec"]
    check(abs(gained - 10 * MINUTE) < MINUTE, "so much longer than the old one")
    equal((second["pid"], second["ino"] == first["ino"] or not first["ino"], second["path"]),
          (os.getpid(), True, "db/main.db"), "of the same")
    equal(state(host, client, number), "extended", "the old one is continued")
    play(host, CAROL)
    reply = client.call("RevokeRequest", id=more["id"], comment="enough")
    equal((reply["ended"], reply["request"]["state"], reply["request"]["cause"]), (2, "revoked", "enough"),
          "ended by a tenant")
    equal(grants(host, client), [], "with what it continued")
    equal(refused(host, client, ALICE, "RevokeRequest", more["id"])[0], "Refused", "not twice")
    end(host)


def test_revoked_off_record():
    """What takes away is done, whether it can be written or not."""
    host, client = begin("1")
    number = raised(host, client)
    approve(host, client, ALICE, number)
    locked = sqlite3.connect(host.top + "/state/requests.db", isolation_level=None)
    locked.execute("BEGIN IMMEDIATE")
    play(host, CAROL)
    error, details = client.refused("RevokeRequest", id=number)
    check(error == "Refused" and f"the grant of request {number} has ended, but" in details["message"],
          f"it is revoked, and why it is no success: {details}")
    equal(grants(host, client), [], "nothing is left")
    check(f"that request {number} is revoked is not on record" in host.text(), "which is told")
    locked.execute("ROLLBACK")
    for _ in range(100):
        if client.refused("ShowRequest", id=number)[0] == "no error" and \
                state(host, client, number) != "approved":
            break
        time.sleep(0.25)
    check(state(host, client, number) in ("revoked", "completed"), "and closed as soon as it can be")
    end(host)


def test_asked_by_a_person():
    host, client = begin("{trustee: 1, tenant: 1}")
    play(host, EVE)
    wish = {"volume": "acme", "path": "db/", "access": ["read", "write"], "durationNSec": 10 * MINUTE,
            "nextExec": True}
    for more, attribute in (
            ({"reason": "unspecified"}, "reason"), ({"reason": "customer-ticket"}, "ticket"),
            ({"reason": "legal-order"}, "legalReference"),
            ({"reason": "legal-order", "legalReference": "Az. 1"}, "notify"),
            ({"reason": "legal-order", "legalReference": "Az. 1", "notify": "maybe"}, "notify"),
            ({"reason": "incident", "notify": "delayed"}, "notify"),
            ({"reason": "incident", "path": "../etc"}, "path"),
            ({"reason": "incident", "access": []}, "access"),
            ({"reason": "incident", "durationNSec": 31 * MINUTE}, "durationNSec"),
            ({"reason": "incident", "retentionDays": 40000}, "retentionDays"),
            ({"reason": "incident", "location": "x" * 1025}, "location")):
        error, details = client.refused("Ask", **(wish | more))
        equal((error, details.get("attribute")), ("Refused", attribute), f"{more}")
    equal(client.refused("Ask", **(wish | {"reason": "incident", "volume": "other"}))[0], "NoSuchVolume",
          "a volume that is none")
    asked = client.call("Ask", **wish, reason="legal-order", legalReference="Az. 1", notify="prohibited",
                        location="DE", retentionDays=30, comment="by order")["request"]
    number = asked["id"]
    equal((asked["kind"], asked["state"], asked["path"], asked["subtree"], asked["requesterUid"], asked["pid"],
           asked["location"], asked["retentionDays"], asked["notify"], asked["legalReference"]),
          ("person", "pending", "db", True, EVE, os.getpid(), "DE", 30, "prohibited", "Az. 1"), "what for")
    equal(client.call("ShowRequest", id=number)["request"]["state"], "pending", "he may see it")
    check("grant" not in approve_as_asked(host, client, CAROL, number), "a tenant alone is not enough")
    given = approve_as_asked(host, client, ALICE, number, durationNSec=MINUTE, access=["read"])["grant"]
    equal((given["pid"], given["path"], given["access"], given["nextExec"], given["reason"], given["requesterUid"]),
          (os.getpid(), "db", ["read"], True, "legal-order", EVE), "what all allow")
    # More than anybody reads.
    play(host, EVE)
    for _ in range(16):
        last = client.call("Ask", **wish, reason="incident")["request"]["id"]
    equal(client.refused("Ask", **wish, reason="incident")[1].get("errno"), 16, "not any number")
    equal(client.call("Deny", id=last)["request"]["state"], "rejected", "he takes one back")
    client.call("Ask", **wish, reason="incident")
    end(host)


def approve_as_asked(host, client, uid, number, **more):
    """The reason is who asks's."""
    play(host, uid)
    return client.call("Approve", id=number, **more)


def test_exec_asks():
    host, client = begin()
    play(host, EVE)
    command = [TRUSTGATE, "exec", "--agent", host.top + "/socket", "--ask", "-V", "acme", "-P", "db/main.db",
               "-a", "r", "--for", "5m", "-r", "incident", "-c", "look", "--", "echo", "it runs"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    line = process.stderr.readline()
    check("waits for approval: trustees 0 of 2, tenants 0 of 0" in line, f"said: {line}")
    number = int(line.split()[1])
    # The agent is killed while it waits.
    approve_as_asked(host, client, ALICE, number)
    host.kill()
    host.start()
    client = host.client()
    equal(process.poll(), None, "it waits on")
    given = approve_as_asked(host, client, BOB, number)["grant"]
    out, err = process.communicate(timeout=60)
    equal((process.returncode, out, given["pid"]), (0, "it runs\n", process.pid), f"approved: {err}")

    play(host, EVE)
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    number = int(process.stderr.readline().split()[1])
    play(host, ALICE)
    client.call("Deny", id=number, comment="no")
    out, err = process.communicate(timeout=60)
    equal((process.returncode, out), (1, ""), "denied")
    check(f"request {number} is rejected: no" in err, f"and why: {err}")

    play(host, EVE)
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    number = int(process.stderr.readline().split()[1])
    process.terminate()
    process.communicate(timeout=60)
    check(wait_state(host, client, number, "expired"), "who gives up waits no longer")
    end(host)


def test_stop():
    """What was approved in part before everything was stopped counts no more after it."""
    host, client = begin("2")
    play(host, EVE)
    number = client.call("Ask", volume="acme", path="db/", access=["read"], durationNSec=MINUTE,
                         reason="incident", nextExec=True)["request"]["id"]
    equal(approve(host, client, ALICE, number)["request"]["state"], "pending", "one of two")
    shown = client.call("ShowRequest", id=number)["request"]
    equal((shown["nextExec"], shown["descendants"], shown["supervised"]), (True, False, False), "what it is beyond access")
    play(host, ALICE)
    equal(client.call("Stop", volume="acme")["refused"], 1, "stopped")
    equal(state(host, client, number), "rejected", "with what waits")
    client.call("Start", volume="acme")
    equal(refused(host, client, BOB, "Approve", number)[0], "Refused", "no more")
    equal(refused(host, client, 4242, "Deny", number)[0], "NotPermitted", "others learn nothing")
    end(host)


def test_break_glass():
    host, client = begin()
    watcher = host.client()
    play(host, ALICE)
    watcher.send("Watch", more=True)
    while client.call("Status")["watchers"] != 1:
        time.sleep(0.02)
    wish = {"volume": "acme", "path": "db/main.db", "access": ["read"], "durationNSec": MINUTE,
            "reason": "emergency", "comment": "it burns", "breakGlass": True}
    equal(client.call("Status")["breakGlass"], 0, "whole")
    play(host, CAROL)
    equal(client.refused("Ask", **wish)[0], "NotPermitted", "not by anybody")
    equal(client.refused("Ask", **(wish | {"volume": "other"}))[0], "NotPermitted",
          "who learns nothing about volumes")
    play(host, EVE)
    for more, attribute in (({"reason": "incident"}, "reason"), ({"comment": ""}, "comment"),
                            ({"durationNSec": 11 * MINUTE}, "durationNSec")):
        error, details = client.refused("Ask", **(wish | more))
        equal((error, details.get("attribute")), ("Refused", attribute), f"{more}")
    equal(grants(host, client), [], "nothing is given")
    play(host, EVE)
    reply = client.call("Ask", **wish)
    number = reply["request"]["id"]
    equal((reply["request"]["kind"], reply["request"]["state"], reply["request"]["acknowledged"],
           reply["grant"]["breakGlass"], reply["grant"]["reason"]),
          ("break-glass", "approved", False, True, "emergency"), "taken")
    check(host.wait_text(f'BREAK-GLASS: uid {EVE} ({EVE}) takes access to "db/main.db" on volume "acme" for 1m: it burns'), "loudly")
    check(wait_recorded(host, "request-approved", lambda b: b["request"] == number and b["uid"] == EVE),
          "in the account")
    host.event("grant-ended", os.getpid(), "x")
    play(host, ALICE)
    told = watcher.receive()["parameters"]["event"]
    equal((told["type"], told.get("breakGlass")), ("grant-ended", True), "watchers see it marked")
    check(wait_state(host, client, number, "completed"), "it ends as any other")
    equal(client.call("Status")["breakGlass"], 1, "the state tells it until then")
    for uid in (EVE, CAROL, 0):
        equal(refused(host, client, uid, "Acknowledge", number)[0], "NotPermitted", f"{uid} cannot acknowledge it")
    host.kill()
    host.start()
    client = host.client()
    play(host, ALICE)
    equal(client.call("Status")["breakGlass"], 1, "also after a crash")
    equal(client.call("Acknowledge", id=number, comment="seen")["request"]["acknowledged"], True, "a trustee does")
    equal(client.call("Status")["breakGlass"], 0, "and it is over")
    equal(refused(host, client, BOB, "Acknowledge", number)[0], "Refused", "once")
    # A trustee who does it himself needs another one.
    play(host, BOB)
    number = client.call("Ask", **wish)["request"]["id"]
    equal(refused(host, client, BOB, "Acknowledge", number)[0], "NotPermitted", "not by himself")
    # What cannot be on record is not given.
    locked = sqlite3.connect(host.top + "/state/requests.db", isolation_level=None)
    locked.execute("BEGIN IMMEDIATE")
    play(host, EVE)
    before = len(grants(host, client))
    play(host, EVE)
    equal(client.refused("Ask", **wish)[0], "Refused", "without a record")
    equal(len(grants(host, client)), before, "nothing is given")
    locked.execute("ROLLBACK")
    end(host)


def test_by_order():
    """Who approves an open says what a process cannot: by which order, and more."""
    host, client = begin("{trustee: 1, tenant: 1}")
    number = raised(host, client)
    order = {"reason": "legal-order", "legalReference": "Az. 1", "notify": "delayed"}
    for more, attribute in (
            ({"reason": "legal-order"}, "legalReference"), (order | {"notify": None}, "notify"),
            (order | {"notify": "maybe"}, "notify"), (order | {"reason": "incident"}, "legalReference"),
            (order | {"retentionDays": 40000}, "retentionDays"), (order | {"location": "x" * 1025}, "location")):
        error, details = client.refused("Approve", id=number, **more)
        equal((error, details.get("attribute")), ("Refused", attribute), f"{more}")
    play(host, ALICE)
    client.call("Approve", id=number, **order, location="DE", retentionDays=30)
    said = ("legal-order", "Az. 1", "delayed", "DE", 30)
    request = shown(host, client, number)["request"]
    equal(tuple(request[name] for name in ("reason", "legalReference", "notify", "location", "retentionDays")), said,
          "on record")
    play(host, CAROL)
    for more, attribute in (({"legalReference": "Az. 2"}, "legalReference"), ({"notify": "notify"}, "notify"),
                            ({"location": "FR"}, "location"), ({"retentionDays": 31}, "retentionDays")):
        error, details = client.refused("Approve", id=number, **more)
        equal((error, details.get("attribute")), ("Refused", attribute), f"not another one: {more}")
    equal(client.call("Approve", id=number)["grant"]["reason"], "legal-order", "the other need not say it again")
    check(wait_recorded(host, "request-approved", lambda body: (
        body.get("legalReference"), body.get("notify"), body.get("location"), body.get("retentionDays")) == said[1:]),
        "in the account, too")
    end(host)


def test_demands_more():
    """Whoever waits needs what the volume demands by now, and what it did then."""
    host, client = begin("2")
    number = raised(host, client)
    host.config(CONFIG.replace("APPROVALS", "1"))
    host.process.send_signal(signal.SIGHUP)
    host.wait_for("READY=1")
    check("grant" not in approve(host, client, ALICE, number), "not less than then")
    host.config(CONFIG.replace("APPROVALS", "{trustee: 1, tenant: 1}"))
    host.process.send_signal(signal.SIGHUP)
    host.wait_for("READY=1")
    check("grant" not in approve(host, client, BOB, number), "nor less than now")
    check("grant" in approve(host, client, CAROL, number), "both")
    end(host)


run(test_two_trustees, test_tenant_and_trustee, test_denial_wins, test_narrowed, test_later,
    test_deadline, test_revoke_and_extend, test_revoked_off_record, test_asked_by_a_person,
    test_exec_asks, test_stop, test_break_glass, test_by_order, test_demands_more)
