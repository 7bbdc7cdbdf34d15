#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""What "trustgate metrics" makes of the agent's answers.

usage: metrics_test.py TRUSTGATE FAKE_AGENT [TEST...]
"""

import json
import os
import unittest

import exposition
import scripted
from scripted import DONE, METRICS, REFUSED, SEC, STATUS, UNREACHABLE, USAGE, boottime, volume

try:
    from prometheus_client import parser
except ImportError:
    parser = None

ODD = 'a\\b"c\nd{e}, é'


class MetricsTest(scripted.ScriptedAgent):
    """The format, and where each number comes from."""

    def tell(self, status=STATUS, volumes=None, metrics=METRICS):
        """What the agent answers."""
        self.answer("Status", replies=[status])
        self.answer("ListVolumes", replies=[{"volumes": volumes or [volume()]}])
        self.answer("Metrics", replies=[metrics])

    def test_numbers(self):
        oldest = boottime() - 7 * SEC
        self.tell(STATUS | {"requests": 2, "requestsMax": 16384, "oldestRequestBoottimeNSec": oldest},
                  [volume(counters=[{"cause": "granted", "count": 40}, {"cause": "no-grant", "count": 5},
                                    {"cause": "asked", "count": 8}])],
                  METRICS | {"unprotected": ["lost"], "accountOldestBoottimeNSec": boottime() - 2 * SEC})
        found = exposition.read(self.check(DONE, "metrics")[0])
        for name, labels, expected in (
                ("gate_up", {}, 1), ("agent_up", {}, 1), ("agent_bound", {}, 1), ("gate_state", {"state": "armed"}, 1),
                ("gate_state", {"state": "degraded"}, 0), ("hooks", {}, 2), ("volumes", {}, 1), ("grants", {}, 2),
                ("grants_ended_mapped", {}, 1), ("mappings_ended_total", {}, 2), ("processes_killed_total", {}, 3),
                ("requests_open", {}, 2), ("requests_limit", {}, 16384), ("requests_waiting_for_trustee", {}, 1),
                ("events_total", {}, 77), ("audit_suppressed_total", {}, 4), ("proofs_total", {}, 3),
                ("proofs_broken_total", {}, 2), ("agent_events_total", {"type": "denied"}, 3),
                ("agent_refusals_total", {}, 6), ("account_entries_total", {}, 9), ("account_writable", {}, 1),
                ("allowed_total", {"volume": "acme"}, 40), ("asked_total", {"volume": "acme"}, 8),
                ("denied_total", {"volume": "acme", "cause": "no-grant"}, 5),
                ("denied_total", {"volume": "acme", "cause": "crowded"}, 0),
                ("volume_protected", {"volume": "acme"}, 1), ("volume_protected", {"volume": "lost"}, 0),
                ("volume_grants", {"volume": "acme"}, 2),
                ("ask_duration_seconds_bucket", {"end": "granted", "le": "0.001"}, 1),
                ("ask_duration_seconds_bucket", {"end": "granted", "le": "1"}, 3),
                ("ask_duration_seconds_bucket", {"end": "granted", "le": "+Inf"}, 4),
                ("ask_duration_seconds_sum", {"end": "granted"}, 5.5),
                ("ask_duration_seconds_count", {"end": "refused"}, 0)):
            self.assertEqual(expected, exposition.value(found, name, **labels), name)
        self.assertEqual({("volume", "acme")}, set.union(*map(set, found["trustgate_denied_total"])) & {
            ("volume", "acme"), ("cause", "asked"), ("cause", "granted")})
        for name, seconds in (("oldest_request_wait_seconds", 7), ("account_lag_seconds", 2)):
            self.assertAlmostEqual(seconds, exposition.value(found, name), delta=60)
            self.assertGreaterEqual(exposition.value(found, name), seconds)

    def test_trouble(self):
        self.tell(STATUS | {"state": "degraded", "agentPid": 0, "accountProblem": "the disk is full"})
        found = exposition.read(self.check(DONE, "metrics")[0])
        for name, labels, expected in (("agent_bound", {}, 0), ("account_writable", {}, 0),
                                       ("gate_state", {"state": "degraded"}, 1), ("gate_state", {"state": "armed"}, 0),
                                       ("oldest_request_wait_seconds", {}, 0)):
            self.assertEqual(expected, exposition.value(found, name, **labels), name)

    def test_odd_names(self):
        self.tell(volumes=[volume(name=ODD), volume(id=2, name="é" * 30)])
        found = exposition.read(self.check(DONE, "metrics")[0])
        self.assertEqual(40, exposition.value(found, "allowed_total", volume=ODD))
        self.assertEqual(40, exposition.value(found, "allowed_total", volume="é" * 30))

    @unittest.skipUnless(parser, "the client library of Prometheus is missing: apt install python3-prometheus-client")
    def test_other_reader(self):
        """Prometheus' own library reads the same out of it."""
        self.tell(volumes=[volume(name=ODD), volume()])
        out, _ = self.check(DONE, "metrics")
        theirs = {}
        for family in parser.text_string_to_metric_families(out):
            self.assertTrue(family.documentation)
            self.assertNotEqual("unknown", family.type, family.name)
            for sample in family.samples:
                theirs.setdefault(sample.name, {})[frozenset(sample.labels.items())] = sample.value
        # Times go on between the digits that a number has.
        self.assertEqual(exposition.read(out), theirs)

    def test_textfile(self):
        """It is there as a whole or not at all, and can be read by another user."""
        self.tell()
        target = os.path.join(self.directory, "trustgate.prom")
        self.assertEqual(("", ""), self.check(DONE, "metrics", "--textfile", target))
        before = sorted(os.listdir(self.directory))
        with open(target, encoding="utf-8") as file:
            self.assertEqual(1, exposition.value(exposition.read(file.read()), "agent_up"))
        self.assertEqual(0o644, os.stat(target).st_mode & 0o7777)
        inode = os.stat(target).st_ino
        with open(target, encoding="utf-8") as reader:
            self.check(DONE, "metrics", "--textfile", target)
            self.assertNotEqual(inode, os.stat(target).st_ino)
            # Who has begun to read goes on with the old numbers.
            exposition.read(reader.read())
        self.assertEqual(before, sorted(os.listdir(self.directory)), "nothing else is left")
        os.mkdir(os.path.join(self.directory, "directory"))
        _, err = self.check(REFUSED, "metrics", "--textfile", os.path.join(self.directory, "directory"))
        self.assertIn("putting it in place", err)
        self.assertEqual(sorted(before + ["directory"]), sorted(os.listdir(self.directory)))
        _, err = self.check(REFUSED, "metrics", "--textfile", os.path.join(self.directory, "nowhere", "file"))
        self.assertIn("No such file", err)
        self.check(USAGE, "metrics", "--textfile", target, "--json")

    def test_unreachable(self):
        """That nobody answers is a number, too."""
        nowhere = os.path.join(self.directory, "nowhere")
        target = os.path.join(self.directory, "trustgate.prom")
        out, err = self.check(UNREACHABLE, "metrics", agent=nowhere)
        self.assertIn("systemctl status trusteed", err)
        found = exposition.read(out)
        self.assertEqual(0, exposition.value(found, "agent_up"))
        # On a host with the gate, root would be told by the kernel.
        if not exposition.value(found, "gate_up"):
            self.assertEqual({"trustgate_agent_up", "trustgate_gate_up"}, set(found))
        self.check(UNREACHABLE, "metrics", "--textfile", target, agent=nowhere)
        with open(target, encoding="utf-8") as file:
            self.assertEqual(0, exposition.value(exposition.read(file.read()), "agent_up"))

    def test_refused(self):
        self.tell()
        self.answer("Metrics", error="io.trustgate.Agent.NotPermitted",
                    parameters={"who": "uid 1000", "what": "look", "cure": "ask a trustee"})
        out, err = self.check(REFUSED, "metrics")
        self.assertEqual("", out)
        self.assertIn("not permitted: uid 1000 may not look; ask a trustee", err)

    def test_json(self):
        self.tell()
        self.assertEqual({"status": STATUS, "volumes": [volume()], "agent": METRICS},
                         json.loads(self.check(DONE, "metrics", "--json")[0]))


if __name__ == "__main__":
    scripted.main()
