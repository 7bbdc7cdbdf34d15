#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""
Requests on record: they outlive the agent, follow their grants, and are listed.

usage: agent_docket_test.py TRUSTEED-WITH-FAKE-GATE TRUSTGATE
"""

import json
import os
import signal
import sqlite3
import subprocess
import time

from agent_host import MINUTE, check, equal, run
from agent_people import (
    ALICE, BOB, CAROL, TRUSTGATE, approve, begin, end, grants, play, raised, recorded, refused, shown, state,
    states, wait_recorded, wait_state)


def test_killed_between():
    host, client = begin()
    number = raised(host, client)
    approve(host, client, ALICE, number, durationNSec=MINUTE)
    host.kill()
    host.start()
    client = host.client()
    request = shown(host, client, number)["request"]
    equal((request["state"], request["trustees"]), ("pending", 1), "the first approval is there")
    equal(refused(host, client, ALICE, "Approve", number, reason="incident")[0], "NotPermitted",
          "and counts")
    given = approve(host, client, BOB, number)["grant"]
    check(given["expiresBoottimeNSec"] - given["createdBoottimeNSec"] < 2 * MINUTE, "with its limits")
    # A grant that ended meanwhile.
    host.kill()
    host.start()
    client = host.client()
    equal(state(host, client, number), "approved", "it lives on")
    end(host)


def test_killed_while_granting():
    """The kernel has given it, and nobody was there to note that."""
    host, client = begin()
    number = raised(host, client)
    approve(host, client, ALICE, number)
    play(host, BOB)
    host.answer("kill-grant-add")
    try:
        client.call("Approve", id=number, reason="incident")
        check(False, "it dies")
    except (EOFError, ConnectionResetError):
        check(True, "it dies")
    host.process.wait(20)
    host.start()
    client = host.client()
    equal(grants(host, client), [], "what nobody knows of is revoked")
    equal(state(host, client, number), "expired", "and the request is over")
    equal(len(shown(host, client, number)["approvals"]), 2, "both approvals are on record")
    end(host)


def test_store_broken():
    host, client = begin()
    number = raised(host, client)
    locked = sqlite3.connect(host.top + "/state/requests.db", isolation_level=None)
    locked.execute("BEGIN IMMEDIATE")
    error, what = refused(host, client, ALICE, "Approve", number, reason="incident")
    equal((error, "requests cannot be kept" in what), ("Refused", True), "not approved")
    host.event("request-raised", os.getpid(), "/db/unkept")
    check(host.wait_text('"db/unkept" on volume "acme" by cat (pid %d, uid 4711): requests cannot be kept'
                         % os.getpid()), "what cannot be kept is denied")
    play(host, ALICE)
    check("locked" in client.call("Status")["requestsProblem"], "state tells it")
    equal(grants(host, client), [], "nothing is given")
    locked.execute("ROLLBACK")
    for _ in range(60):
        if refused(host, client, ALICE, "Approve", number, reason="incident")[0] == "no error":
            break
        time.sleep(0.25)
    equal(client.call("Status").get("requestsProblem"), None, "it is over")
    check("grant" in approve(host, client, BOB, number), "and goes on")
    end(host)


def test_damaged():
    host, client = begin()
    raised(host, client)
    host.kill()
    with open(host.top + "/state/requests.db", "r+b") as file:
        file.write(b"not a database at all")
    for name in ("-wal", "-shm"):
        if os.path.exists(host.top + "/state/requests.db" + name):
            os.unlink(host.top + "/state/requests.db" + name)
    host.start()
    client = host.client()
    play(host, ALICE)
    check("not a database" in client.call("Status")["requestsProblem"], "said in the state")
    check(host.wait_text("requests cannot be kept"), "what waits is denied")
    equal(grants(host, client), [], "nothing is given")
    end(host)


def test_fails_to_close():
    """A grant has ended, and what was mapped under it has not."""
    host, client = begin("1")
    cleared, left, late = (raised(host, client, f"db/f{i}") for i in range(3))
    given = {number: approve(host, client, ALICE, number)["grant"]["id"] for number in (cleared, left, late)}
    for number in given:
        host.event("grant-ended", os.getpid(), f"{given[number]} mapped")
    host.event("grant-cleared", os.getpid(), str(given[cleared]))
    check(wait_state(host, client, cleared, "revoked"), "cleared in time it is over")
    equal(state(host, client, left), "approved", "the others are looked at for a while")
    check(wait_state(host, client, left, "failed-to-close") and wait_state(host, client, late, "failed-to-close"),
          "then they have failed to close")
    equal(shown(host, client, left)["request"]["cause"], "its grant has ended and is still mapped", "which is told")
    check(wait_recorded(host, "request-failed-to-close", lambda body: body["request"] == left), "in the account, too")
    host.event("grant-cleared", os.getpid(), str(given[late]))
    check(wait_state(host, client, late, "revoked"), "until they are cleared")
    equal(states(host, client, late), ["raised", "pending", "approved", "failed-to-close", "revoked"], "late")
    host.kill()
    host.start()
    client = host.client()
    equal(state(host, client, left), "failed-to-close", "and over a restart")
    host.event("grant-cleared", os.getpid(), str(given[left]))
    check(wait_state(host, client, left, "revoked"), "in the end")
    end(host)


def test_number_of_another():
    """The kernel counts grants anew when its module is loaded anew."""
    host, client = begin("1")
    play(host, ALICE)
    other = client.call("Grant", volume="acme", path="mail/letter", pid=os.getpid(), access=["read"],
                        durationNSec=10 * MINUTE, reason="incident")["grant"]
    first = raised(host, client)
    approve(host, client, ALICE, first)
    play(host, 4711)
    second = client.call("ExtendRequest", id=first, durationNSec=MINUTE)["request"]["id"]
    mine = approve(host, client, ALICE, second)["grant"]
    records = sqlite3.connect(host.top + "/state/requests.db", isolation_level=None)
    records.execute("UPDATE request SET grant_id = ? WHERE id = ?", (other["id"], first))
    play(host, CAROL)
    equal(client.call("RevokeRequest", id=second)["ended"], 1, "its own grant is revoked")
    left = [g["id"] for g in grants(host, client)]
    check(other["id"] in left and mine["id"] not in left, "and not what has the number of the one before")
    third = raised(host, client, "db/third")
    approve(host, client, ALICE, third)
    records.execute("UPDATE request SET grant_id = ? WHERE id = ?", (other["id"], third))
    play(host, 4711)
    equal(client.refused("ExtendRequest", id=third, durationNSec=MINUTE)[0], "Refused",
          "nor is that extended")
    play(host, CAROL)
    equal(client.call("RevokeRequest", id=third)["ended"], 0, "nor revoked with this one")
    check(other["id"] in [g["id"] for g in grants(host, client)], "the other's grant lives")
    equal(state(host, client, third), "revoked", "which is on record")
    end(host)


def test_history():
    host, client = begin("1")
    numbers = [raised(host, client, f"db/f{i}") for i in range(3)]
    client.call("Deny", id=numbers[0])
    host.event("request-closed", os.getpid(), "/db/f1")
    check(wait_state(host, client, numbers[1], "expired"), "withdrawn")
    waiting = [r["id"] for r in client.call("ListRequests")["requests"]]
    equal(waiting, numbers[2:], "one waits")
    history = client.call("ListRequests", history=True)["requests"]
    equal([r["id"] for r in history], numbers[::-1], "all, the newest first")
    equal([r["id"] for r in client.call("ListRequests", history=True, states=["rejected", "expired"])["requests"]],
          [numbers[1], numbers[0]], "by state")
    equal([r["id"] for r in client.call("ListRequests", history=True, before=numbers[2], max=1)["requests"]],
          [numbers[1]], "in parts")
    equal(client.call("ListRequests", history=True, volume="other")["requests"], [], "of one volume")
    equal(client.call("ListRequests", history=True, sinceRealtimeNSec=time.time_ns() + MINUTE)["requests"], [],
          "since")
    error, details = client.refused("ListRequests", history=True, states=["gone"])
    equal((error, details["attribute"]), ("Refused", "states"), "a state that is none")
    cli = subprocess.run([TRUSTGATE, "history", "--agent", host.top + "/socket", "--json", "--state", "rejected"],
                         capture_output=True, text=True, timeout=60)
    equal([r["id"] for r in json.loads(cli.stdout or "[]")], [numbers[0]], "for scripts")
    cli = subprocess.run([TRUSTGATE, "show", "--agent", host.top + "/socket", str(numbers[0])],
                         capture_output=True, text=True, timeout=60)
    check("State      rejected" in cli.stdout and "denied as trustee by 3001" in cli.stdout,
          f"for people: {cli.stdout} {cli.stderr}")
    end(host)


def test_parts():
    """A list has its bounds, whatever is on record; who may see less sees all of that."""
    host, client = begin("1")
    numbers = [raised(host, client, f"db/f{i}") for i in range(3)]
    equal([r["id"] for r in client.call("ListRequests", max=2)["requests"]], numbers[:2], "the first two")
    equal([r["id"] for r in client.call("ListRequests", after=numbers[1])["requests"]], numbers[2:], "then the rest")
    client.call("Deny", id=numbers[0])
    docket = sqlite3.connect(host.top + "/state/requests.db", isolation_level=None)
    columns = ", ".join(row[1] for row in docket.execute("PRAGMA table_info(request)") if row[1] not in ("id", "volume"))
    # Of another tenant, and thousands of them: sorted they do not fit into a cache.
    docket.execute(f"""WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 12000)
        INSERT INTO request (volume, {columns}) SELECT 'other', {columns.replace("kernel_id", "0")}
        FROM request, n WHERE id = {numbers[0]}""")
    docket.close()
    equal(len(client.call("ListRequests", history=True)["requests"]), 1000, "at most a thousand at a time")
    play(host, CAROL)
    equal([r["id"] for r in client.call("ListRequests", history=True)["requests"]], numbers[::-1],
          "a tenant sees all that is his, though there is newer")
    equal([r["id"] for r in client.call("ListRequests", history=True, states=["rejected"])["requests"]],
          numbers[:1], "in a state, too")
    play(host, ALICE)
    equal([r["id"] for r in client.call("ListRequests")["requests"]], numbers[1:], "what waits is found among them")
    end(host)


def test_closed_unseen():
    """What waits is on record and closed before a new run of the agent has taken it."""
    host, client = begin("1")
    numbers = [raised(host, client, f"db/f{i}") for i in range(3)]
    host.kill()
    host.start(TRUSTGATE_FAKE_UNTAKEN="1")
    client = host.client()
    equal(state(host, client, numbers[0]), "pending", "nothing is taken yet")
    host.event("request-closed", os.getpid(), "/db/f0")
    check(wait_state(host, client, numbers[0], "expired"), "one is withdrawn, which is on record")
    equal(shown(host, client, numbers[0])["request"]["cause"], "withdrawn", "with its cause")
    check("grant" in approve(host, client, BOB, numbers[1]), "one that is not taken can be approved")
    play(host, BOB)
    client.call("Deny", id=numbers[2])
    equal(state(host, client, numbers[2]), "rejected", "or denied")
    equal([r["id"] for r in client.call("ListRequests")["requests"]], [], "nothing waits")
    end(host)


def test_many_closed_unseen():
    """More than there is room for in what waits for the account."""
    host, client = begin("1")
    number = raised(host, client)
    host.kill()
    docket = sqlite3.connect(host.top + "/state/requests.db", isolation_level=None)
    columns = ", ".join(row[1] for row in docket.execute("PRAGMA table_info(request)") if row[1] not in ("id", "kernel_id"))
    docket.execute(f"""WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 300)
        INSERT INTO request (kernel_id, {columns}) SELECT 10000 + i, {columns} FROM request, n""")
    docket.close()
    host.start()
    client = host.client()
    equal(len(client.call("ListRequests", history=True, states=["expired"])["requests"]), 300, "all of them are over")
    equal([r["id"] for r in client.call("ListRequests")["requests"]], [number], "but the one that is not")
    equal(host.kill(signal.SIGTERM), 0, "exit status")
    equal((len(recorded(host, "request-expired")), recorded(host, "entries-lost")), (300, []), "and all are in the account")


run(test_killed_between, test_killed_while_granting, test_store_broken, test_damaged,
    test_fails_to_close, test_number_of_another, test_history, test_parts, test_closed_unseen,
    test_many_closed_unseen)
