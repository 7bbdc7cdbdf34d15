#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""
Standing grants of a service that this test is the main process of: given,
revoked, lost.

usage: agent_standing_test.py TRUSTEED-WITH-FAKE-GATE
"""

import errno
import os
import signal
import subprocess
import time

from agent_host import MINUTE, Host, check, equal, run

CONFIG = """
trustees: [UID]
volumes:
  - name: acme
    path: VOLUME
services:
  - unit: pg.service
    volume: acme
    path: db
    access: [read, write]
    for: 10m
"""


def begin(config=CONFIG):
    host = Host(config)
    host.start(TRUSTGATE_FAKE_UNIT="pg.service")
    return host, host.client()


def mine(client):
    """What the kernel has for this process."""
    return client.call("ListGrants", pid=os.getpid())["grants"]


def end(host):
    equal(host.kill(signal.SIGTERM), 0, "exit status")
    check("ERROR: " not in host.text() and "runtime error" not in host.text(),
          "the sanitizers are silent")


def test_given():
    host, client = begin()
    equal(mine(client), [], "nothing before it asks")
    grants = client.call("Service", unit="pg.service")["grants"]
    equal(len(grants), 1, "its standing grant")
    grant = grants[0]
    equal((grant["pid"], grant["path"], grant["access"], grant["reason"]),
          (os.getpid(), "db", ["read", "write"], "automation"), "as configured")
    equal((grant["descendants"], grant["keepExec"], grant["nextExec"]), (True, True, False),
          "with its descendants, over exec")
    check(grant.get("requesterUid") is None, "nobody asked for it by name")
    equal(grant["expiresBoottimeNSec"] - grant["createdBoottimeNSec"] <= 10 * MINUTE, True,
          "for its time")
    equal(client.call("Service")["grants"][0]["id"], grant["id"], "asked again it is the same")
    error, parameters = client.refused("Service", unit="other.service")
    equal((error, parameters["what"]),
          ("NotPermitted", "take the standing grants of a unit he does not belong to"),
          "of another unit")

    # Another run of the agent goes on with it.
    host.kill()
    host.start(TRUSTGATE_FAKE_UNIT="pg.service")
    client = host.client()
    equal(client.call("Service")["grants"][0]["id"], grant["id"], "after a restart")
    end(host)


def test_stopped():
    host, client = begin()
    client.call("Service")
    held = len(client.call("ListGrants")["grants"])
    equal(client.call("Stop", volume="acme")["ended"], held, "stopped, with its descendants")
    equal(mine(client), [], "nothing is left")
    error, details = client.refused("Service")
    check(error == "Refused" and "is stopped" in details["message"], "nor given")
    client.call("Start", volume="acme")
    equal(len(mine(client)), 1, "started, it is back by itself")
    equal(len(client.call("Service")["grants"]), 1, "and known")
    end(host)


def test_revoked():
    """The kernel's event about it is lost: this gate sends none."""
    host, client = begin()
    client.call("Service")
    check(client.call("Revoke", all=True)["ended"] >= 1, "revoked")
    for what in "at once", "after a restart of the agent":
        error, parameters = client.refused("Service")
        equal((error, parameters.get("errno")), ("Refused", errno.EACCES), f"not again {what}")
        equal(mine(client), [], "and the kernel has none")
        host.kill()
        host.start(TRUSTGATE_FAKE_UNIT="pg.service")
        client = host.client()
    equal(host.text().count("a standing grant of pg.service was revoked"), 1, "recorded once")
    end(host)


def test_other_revoked():
    host, client = begin()
    client.call("Service")
    other = client.call("Grant", volume="acme", path="mail", access=["read"],
                        durationNSec=MINUTE, reason="incident")["grant"]["id"]
    equal(client.call("Revoke", ids=[other]), {"ended": 1}, "a grant of the same process")
    equal(len(client.call("Service")["grants"]), 1, "its standing grant is not affected")
    end(host)


CHAIN = CONFIG.replace("for: 10m", "for: 8s")


def begin_chain(client):
    """A chain of two grants to this process: the first is renewed at half time."""
    first = client.call("Service")["grants"][0]["id"]
    for _ in range(100):
        time.sleep(0.1)
        newest = client.call("Service")["grants"][0]["id"]
        if newest != first:
            return first, newest
    raise TimeoutError("not renewed")


def test_older_revoked():
    """Not the newest of the chain, which would go on giving access."""
    host, client = begin(CHAIN)
    first, newest = begin_chain(client)
    equal({first, newest} <= {g["id"] for g in mine(client)}, True, "both are alive")
    equal(client.call("Revoke", ids=[first]), {"ended": 1}, "the older is revoked")
    equal(mine(client), [], "the newer ended with it")
    equal(client.refused("Service")[1].get("errno"), errno.EACCES, "not given again")
    end(host)


def begin_elder(host):
    """A child of this process that is older than the chain, with its grant."""
    client = host.client()
    child = subprocess.Popen(["sleep", "600"])
    client.call("Service")
    grants = client.call("ListGrants", pid=child.pid)["grants"]
    check(grants, "a descendant has a grant of its own")
    return client, child, grants[0]["id"]


def test_descendants_revoked():
    host, _ = begin()
    client, child, grant = begin_elder(host)
    equal(client.call("Revoke", ids=[grant]), {"ended": 1}, "a descendant's is revoked")
    equal(mine(client), [], "the main process's ended with it")
    equal(client.refused("Service")[1].get("errno"), errno.EACCES, "not given again")
    child.kill()
    child.wait()
    end(host)


def test_descendants_gone():
    """What ended with its process nobody has revoked."""
    host, _ = begin()
    client, child, grant = begin_elder(host)
    child.kill()
    child.wait()
    equal(client.call("Revoke", ids=[grant]), {"ended": 1}, "as the kernel does, in silence")
    equal(len(client.call("Service")["grants"]), 1, "the standing grant is not affected")
    end(host)


def test_lost():
    host, client = begin()
    host.answer("lose-grant-add")
    grants = client.refused("Service")
    # Its first grant is lost and revoked; trying again at once may have helped.
    while grants[0] == "Refused":
        equal(grants[1]["errno"], errno.EAGAIN, "not there yet")
        check("no answer" in grants[1]["message"], f"said why: {grants[1]['message']}")
        check(host.wait_text("has its standing grant", 5), "given a second later")
        grants = client.refused("Service")
    equal([g["id"] for g in mine(client)], [g["id"] for g in grants[1]["grants"]],
          "what the kernel has is what the agent knows")
    check("1 grants of a request without an answer were revoked" in host.text(), "recorded")
    check("was revoked; it is not given again" not in host.text(), "by nobody's wish")
    end(host)


run(test_given, test_stopped, test_revoked, test_other_revoked, test_older_revoked,
    test_descendants_revoked, test_descendants_gone, test_lost)
