#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""
What the agent writes to the account, and what it does while it cannot.

usage: agent_account_test.py TRUSTEED-WITH-FAKE-GATE TRUSTGATE
"""

import json
import os
import signal
import subprocess
import sys
import threading
import time

from agent_host import MINUTE, TRUSTEE, Failure, Host, Locked, check, equal, run

TRUSTGATE = sys.argv[2]
STRICT = TRUSTEE + "    audit: strict\n"


def begin(config=TRUSTEE):
    host = Host(config)
    host.start()
    wait_kind(host, "agent-started")
    return host, host.client()


def end(host):
    equal(host.kill(signal.SIGTERM), 0, "exit status")
    check("ERROR: " not in host.text() and "runtime error" not in host.text(),
          "the sanitizers are silent")


def journal(host, verb, *more):
    return subprocess.run([TRUSTGATE, "journal", verb, "--file", host.top + "/state/account.db",
                           *more], capture_output=True, text=True, timeout=60)


def entries(host):
    result = journal(host, "export")
    return [json.loads(line) for line in result.stdout.splitlines()]


def kinds(host):
    return [entry["kind"] for entry in entries(host)]


def wait_kind(host, kind, times=1):
    for _ in range(200):
        if kinds(host).count(kind) >= times:
            return True
        time.sleep(0.05)
    return False


def verified(host, what):
    result = journal(host, "verify")
    if not check(result.returncode == 0, what):
        print(f"# {result.stdout}{result.stderr}", flush=True)


def grant(client):
    return client.call("Grant", volume="acme", path="mail/letter", pid=os.getpid(),
                       access=["read"], durationNSec=MINUTE, reason="customer-ticket",
                       ticket="SR-4711")["grant"]


def test_recorded():
    host, client = begin()
    given = grant(client)
    at_once = entries(host)
    intents = [e for e in at_once if e["kind"] == "granting"]
    equal(len(intents), 1, "on disk when the grant is there")
    body = intents[0]["body"]
    equal((body["volume"], body["path"], body["pid"], body["ticket"]),
          ("acme", "mail/letter", os.getpid(), "SR-4711"), "what, where, to whom, and why")
    host.event("denied", os.getpid(), "mail/letter")
    check(wait_kind(host, "denied"), "a denial")
    client.refused("Grant", volume="nowhere", path="x", pid=os.getpid(), access=["read"],
                   durationNSec=MINUTE, reason="incident")
    check(wait_kind(host, "refused"), "a refusal")
    client.call("Revoke", ids=[given["id"]])
    check(wait_kind(host, "revoked"), "who revoked")
    end(host)
    told = kinds(host)
    equal((told[:2], told[-1]), (["genesis", "agent-started"], "agent-stopping"),
          "from its start to its end")
    verified(host, "the account is in order")


def test_restarted():
    """Whoever goes on with the account goes on with the kernel's numbers."""
    host, client = begin()
    grant(client)
    host.event("denied", os.getpid(), "mail/letter")
    check(wait_kind(host, "denied"), "a denial")
    host.kill()
    verified(host, "in order after SIGKILL")
    host.start()
    host.event("denied", os.getpid(), "mail/letter")
    check(wait_kind(host, "denied", 2), "another")
    first, second = [e for e in entries(host) if e["kind"] == "denied"]
    equal(second["kernelSeq"], first["kernelSeq"] + 1 + second["kernelMissed"],
          "numbers go on, or say how many are missing")
    check("gate-loaded" not in kinds(host), "the kernel's part is the same")

    # Another life of the kernel's part counts from the beginning.
    host.kill()
    del host.kernel
    for name in os.listdir(host.top):
        if name == "gate" or name.startswith("gate."):
            os.unlink(f"{host.top}/{name}")
    while host.kept:
        os.close(host.kept.popitem()[1])
    host.start()
    host.event("denied", os.getpid(), "mail/letter")
    check(wait_kind(host, "gate-loaded"), "numbers that go back are explained")
    check(wait_kind(host, "denied", 3), "and the denial is there")
    end(host)
    verified(host, "in order over three lives")


def test_killed_under_load():
    """What a caller was told of is on disk, at whatever moment the agent dies."""
    for moment in (0.02, 0.1, 0.4):
        host, client = begin()
        killer = threading.Timer(moment, host.process.kill)
        parameters = dict(volume="acme", path="mail/letter", pid=os.getpid(), access=["read"],
                          durationNSec=MINUTE, reason="customer-ticket")
        killer.start()
        told = []
        try:
            while True:
                client.send("Grant", ticket=f"SR-{len(told)}", **parameters)
                told.append(client.receive()["parameters"]["grant"]["ticket"])
        except (EOFError, ConnectionError):
            host.process.wait()
        # A transaction that was half done is rolled back by who writes next.
        host.start()
        recorded = {e["body"]["ticket"] for e in entries(host) if e["kind"] == "granting"}
        equal(set(told) - recorded, set(), f"all of {len(told)} are recorded")
        verified(host, f"in order, killed after {moment} s")
        end(host)


def test_strict():
    host, client = begin(STRICT)
    equal(client.call("ListVolumes")["volumes"][0]["audit"], "strict", "the kernel is told")
    given = grant(client)
    with Locked(host):
        error, details = client.refused("Grant", volume="acme", path="db/main.db",
                                        pid=os.getpid(), access=["read"], durationNSec=MINUTE,
                                        reason="incident")
        equal((error, details["attribute"]), ("Refused", "volume"), "nothing is given")
        check("demands that each access is recorded" in details["message"] and
              "locked" in details["message"], f"and why: {details['message']}")
        equal(len(client.call("ListGrants")["grants"]), 1, "a reader may be in the way for a moment")
        check(host.wait_text('1 grants on strict volume "acme" are ended'),
              "if it stays, what was given ends, and that is said")
        equal(client.call("ListGrants")["grants"], [], "none is left")
        check("locked" in client.call("Status")["accountProblem"], "state tells it")
    check(host.wait_text("the account is written again"), "it is tried again")
    equal(client.call("Status").get("accountProblem"), None, "state tells that, too")
    check(grant(client)["id"] != given["id"], "grants are given again")
    end(host)
    verified(host, "the account is in order")


def test_normal():
    host, client = begin()
    equal(client.call("ListVolumes")["volumes"][0]["audit"], "normal", "the kernel is told")
    with Locked(host):
        given = grant(client)
        equal(len(client.call("ListGrants")["grants"]), 1, "given without a record")
        check(host.wait_text("nothing is recorded in the account"), "loudly")
        host.event("denied", os.getpid(), "mail/letter")
        equal(kinds_locked(host), 0, "nothing is written")
    check(host.wait_text("the account is written again"), "it is tried again")
    check(wait_kind(host, "denied"), "what happened meanwhile is there")
    equal([e["body"]["ticket"] for e in entries(host) if e["kind"] == "granting"],
          [given["ticket"]], "the grant, too")
    check("entries-lost" not in kinds(host), "nothing was lost")
    end(host)
    verified(host, "the account is in order")


def test_locked():
    """A reader that does not end keeps nobody waiting."""
    host, client = begin()
    with Locked(host):
        longest, began = 0, time.monotonic()
        while time.monotonic() - began < 6:
            host.event("denied", os.getpid(), "mail/letter")
            before = time.monotonic()
            client.call("Status")
            grant(client)
            longest = max(longest, time.monotonic() - before)
            time.sleep(0.1)
    # SQLite itself would wait for two seconds.
    check(longest < 1, f"the longest wait for an answer was {longest * 1000:.0f} ms")
    check(host.wait_text("the account is written again"), "and then it is written")
    end(host)


def test_passing_reader():
    """One that ends is no failure, and a strict volume's grants live on."""
    host, client = begin(STRICT)
    given = grant(client)
    with Locked(host):
        host.event("denied", os.getpid(), "mail/letter")
        time.sleep(0.5)
        equal(client.call("Status").get("accountProblem"), None, "no problem yet")
    check(wait_kind(host, "denied"), "it is written as soon as the reader has gone")
    equal([g["id"] for g in client.call("ListGrants")["grants"]], [given["id"]], "the grant lives")
    check("nothing is recorded" not in host.text(), "and nothing was to complain about")
    end(host)
    verified(host, "the account is in order")


def kinds_locked(host):
    return len(journal(host, "export").stdout.splitlines())


def test_lost():
    """What does not fit into memory is counted."""
    host, client = begin()
    events = 90
    with Locked(host):
        for _ in range(events):
            host.event("denied", os.getpid(), "mail/letter")
        client.call("Status")
    check(wait_kind(host, "entries-lost"), "the loss is recorded")
    told = [e["body"]["lost"] for e in entries(host) if e["kind"] == "entries-lost"]
    equal(len(told), 1, "once")
    recorded = kinds(host).count("denied")
    check(recorded < events and recorded + told[0] >= events, f"{recorded} and {told[0]} lost")
    end(host)


def test_not_opened():
    """Without an account the agent works, but for strict volumes."""
    for config, error in ((TRUSTEE, None), (STRICT, "Refused")):
        host = Host(config)
        os.makedirs(host.top + "/state/account.db", mode=0o700)
        os.chmod(host.top + "/state", 0o700)
        host.start()
        client = host.client()
        try:
            grant(client)
            got = None
        except Failure as failure:
            got = failure.error
        equal(got, error, "a grant")
        check("must be a file" in client.call("Status")["accountProblem"], "state says why")
        check(host.wait_text("nothing is recorded in the account"), "loudly")
        os.rmdir(host.top + "/state/account.db")
        check(host.wait_text("the account is written again"), "it is made as soon as possible")
        grant(client)
        end(host)
        equal(kinds(host)[:2], ["genesis", "agent-started"], "from its beginning")
        verified(host, "the account is in order")


run(test_recorded, test_restarted, test_killed_under_load, test_strict, test_normal, test_locked,
    test_passing_reader, test_lost, test_not_opened)
