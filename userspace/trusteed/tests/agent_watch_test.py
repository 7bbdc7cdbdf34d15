#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""
Watchers that do not read: how long that is borne. Takes more than a minute, as
that is what it is about.

usage: agent_watch_test.py TRUSTEED-WITH-FAKE-GATE
"""

import signal
import time

from agent_host import TRUSTEE, Host, check, equal, run

# More than fit into a watcher's queue and the buffers of his socket.
EVENTS = 9000
PATIENCE = 60


def watchers(client):
    return client.call("Status")["watchers"]


def becomes(client, count, seconds):
    until = time.monotonic() + seconds
    while watchers(client) != count and time.monotonic() < until:
        time.sleep(0.2)
    return equal(watchers(client), count, "watchers")


def test_patience():
    host = Host(TRUSTEE)
    host.start()
    client, deaf, slow = host.client(), host.client(), host.client()
    for watcher in (deaf, slow):
        watcher.send("Watch", more=True)
    becomes(client, 2, 10)
    for number in range(EVENTS):
        host.event("denied", number + 1, "x" * 180)
    client.call("Status")
    full = time.monotonic()
    time.sleep(PATIENCE / 2)
    # He reads little, but he reads.
    for _ in range(EVENTS // 4):
        slow.receive()
    for _ in range(EVENTS // 4):
        host.event("denied", 1, "y" * 180)
    equal(watchers(client), 2, f"after {time.monotonic() - full:.0f} s both are there")
    becomes(client, 1, PATIENCE)
    gone = time.monotonic() - full
    check(gone > PATIENCE / 2 + 5, f"one is let go after {gone:.0f} s")
    check(host.wait_text("letting a watcher of uid"), "which is said")
    check(slow.receive()["continues"], "who has read something meanwhile is still there")
    equal(watchers(client), 1, "he alone")
    equal(host.kill(signal.SIGTERM), 0, "exit status")
    check("ERROR: " not in host.text() and "runtime error" not in host.text(),
          "the sanitizers are silent")


run(test_patience)
