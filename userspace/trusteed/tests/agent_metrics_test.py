#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""
Numbers of a running agent, as "trustgate metrics" prints them: each rises by what
it counts, and by nothing else.

usage: agent_metrics_test.py AGENT TRUSTGATE TESTS
TESTS is the directory with exposition.py.
"""

import json
import os
import subprocess
import sys

from agent_host import Host, TRUSTEE, check, equal, run

TRUSTGATE = sys.argv[2]
sys.path.insert(0, sys.argv[3])
import exposition  # pylint: disable=wrong-import-position

POLICY = """
volumes:
  - name: acme
    rules:
      - name: people
        access: [read]
        ask: {for: 10m, deadline: 1m}
"""


def metrics(host):
    done = subprocess.run([TRUSTGATE, "metrics", "--agent", host.top + "/socket"], capture_output=True, text=True,
                          check=False)
    equal((done.returncode, done.stderr), (0, ""), "metrics")
    return exposition.read(done.stdout)


def begin(config=TRUSTEE):
    host = Host(config + "    ask: 5m\npolicy: TOP/policy.yaml\n")
    with open(host.top + "/policy.yaml", "w", encoding="utf-8") as file:
        file.write(POLICY)
    os.chmod(host.top + "/policy.yaml", 0o600)
    host.start()
    return host


def changes(before, after):
    """What has risen or fallen, without times, which always do, and the account, which has its own test."""
    names = {}
    for name, samples in after.items():
        if any(word in name for word in ("seconds", "account", "_events_total", "trustgate_events_total")):
            continue
        for labels, now in samples.items():
            difference = now - before.get(name, {}).get(labels, 0)
            if difference:
                names[name.removeprefix("trustgate_"), tuple(sorted(value for _, value in labels))] = difference
    return names


def settled(host, kind, count):
    """Numbers as soon as the agent has had so many events of a kind."""
    for _ in range(200):
        found = metrics_quietly(host)
        if exposition.value(found, "agent_events_total", type=kind) >= count:
            return found
    check(False, f"{count} events {kind}")
    return found


def metrics_quietly(host):
    done = subprocess.run([TRUSTGATE, "metrics", "--agent", host.top + "/socket"], capture_output=True, text=True,
                          check=True)
    return exposition.read(done.stdout)


def test_begin():
    host = begin()
    found = metrics(host)
    for name, labels, expected in (
            ("gate_up", {}, 1), ("agent_up", {}, 1), ("agent_bound", {}, 1), ("volumes", {}, 1),
            ("gate_state", {"state": "armed"}, 1), ("gate_state", {"state": "broken"}, 0),
            ("volume_protected", {"volume": "acme"}, 1), ("account_writable", {}, 1), ("grants", {}, 0),
            ("denied_total", {"volume": "acme", "cause": "no-grant"}, 0), ("requests_open", {}, 0),
            ("oldest_request_wait_seconds", {}, 0), ("agent_events_total", {"type": "gate-broken"}, 0),
            ("ask_duration_seconds_count", {"end": "granted"}, 0)):
        equal(exposition.value(found, name, **labels), expected, f"{name} {labels}")
    equal([labels for labels in found["trustgate_denied_total"] if ("cause", "asked") in labels], [],
          "asked is no denial")


def test_denials_and_proofs():
    host = begin()
    before = metrics(host)
    for _ in range(3):
        host.event("denied")
    host.event("allowed")
    after = settled(host, "allowed", 1)
    equal(changes(before, after), {("denied_total", ("acme", "no-grant")): 3, ("allowed_total", ("acme",)): 1},
          "denials and allows")
    host.event("gate-broken")
    broken = settled(host, "gate-broken", 1)
    equal(changes(after, broken), {("proofs_broken_total", ()): 1}, "a broken proof")


def test_requests():
    host = begin()
    client = host.client()
    before = metrics(host)
    host.event("request-raised", os.getpid(), "/db/main.db")
    waits = settled(host, "request-raised", 1)
    equal(changes(before, waits), {("asked_total", ("acme",)): 1, ("requests_open", ()): 1,
                                   ("requests_waiting_for_trustee", ()): 1}, "one waits")
    check(exposition.value(waits, "oldest_request_wait_seconds") > 0, "and gets older")
    request = client.call("ListRequests")["requests"][0]
    client.call("Approve", id=request["id"], reason="incident")
    host.event("request-closed", os.getpid(), "/db/main.db")
    granted = settled(host, "request-closed", 1)
    bounds = len([labels for labels in granted["trustgate_ask_duration_seconds_bucket"]
                  if ("end", "granted") in labels])
    difference = changes(waits, granted)
    equal((difference[("requests_open", ())], difference[("requests_waiting_for_trustee", ())],
           difference[("grants", ())]), (-1, -1, 1), "approved")
    equal(bounds, 18, "buckets")

    def count(found, end):
        return exposition.value(found, "ask_duration_seconds_count", end=end)

    waited = exposition.value(granted, "ask_duration_seconds_sum", end="granted")
    equal((count(granted, "granted"), count(granted, "withdrawn")), (1, 0), "measured by its end")
    check(0 < waited < 20, f"as long as it took: {waited}")
    for labels, value in granted["trustgate_ask_duration_seconds_bucket"].items():
        if ("end", "granted") in labels:
            bound = float(dict(labels)["le"].replace("+Inf", "inf"))
            check(value == (waited <= bound), f"{waited} in the bucket {bound}: {value}")

    # What was raised before the agent's start is measured from when it was raised.
    host.event("request-raised", os.getpid(), "/db/deep/leaf")
    settled(host, "request-raised", 2)
    host.kill()
    host.start()
    host.event("request-closed", os.getpid(), "/db/deep/leaf")
    withdrawn = settled(host, "request-closed", 1)
    equal((count(withdrawn, "withdrawn"), count(withdrawn, "granted")), (1, 0), "over a restart")
    check(exposition.value(withdrawn, "ask_duration_seconds_sum", end="withdrawn") > 0.01, "with its time")
    host.event("request-closed", os.getpid(), "/nobody/knows")
    equal(count(settled(host, "request-closed", 2), "withdrawn"), 1, "what was never raised is not measured")


def test_refusals_and_account():
    host = begin()
    before = metrics(host)
    host.client().refused("Approve", id=4711, reason="incident")
    after = metrics(host)
    equal(changes(before, after), {("agent_refusals_total", ()): 1}, "a refusal")
    account = host.top + "/state/account.db"
    for _ in range(100):
        after = metrics_quietly(host)
        if not exposition.value(after, "account_entries_waiting"):
            break
    check(exposition.value(after, "account_entries_total") >
          exposition.value(before, "account_entries_total"), f"entries of {os.path.exists(account)}")
    equal(exposition.value(after, "account_failures_total"), 0, "no failure")


def test_not_protected():
    host = begin(TRUSTEE.replace("    max-duration", "    max-duration", 1) +
                 "  - name: lost\n    path: TOP/nowhere\n")
    found = metrics(host)
    equal((exposition.value(found, "volume_protected", volume="acme"),
           exposition.value(found, "volume_protected", volume="lost"),
           exposition.value(found, "gate_state", state="degraded")), (1, 0, 1), "one is not protected")


def test_json():
    host = begin()
    done = subprocess.run([TRUSTGATE, "metrics", "--json", "--agent", host.top + "/socket"], capture_output=True,
                          text=True, check=True)
    reply = json.loads(done.stdout)
    equal(sorted(reply), ["agent", "status", "volumes"], "JSON")
    equal(len(reply["agent"]["boundsNSec"]), 17, "bounds")


run(test_begin, test_denials_and_proofs, test_requests, test_refusals_and_account, test_not_protected, test_json)
