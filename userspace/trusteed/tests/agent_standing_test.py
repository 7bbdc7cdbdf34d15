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


def begin():
    host = Host(CONFIG)
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


run(test_given, test_revoked, test_other_revoked, test_lost)
