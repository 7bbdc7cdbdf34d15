#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""
trustgate observe, and what other verbs tell of it, as cli_test.py tests them.

usage: cli_observe_test.py TRUSTGATE FAKE_AGENT
"""

import scripted
from scripted import DONE, METRICS, SEC, STATUS, USAGE, boottime, volume


def observed(**changes):
    """A volume that is observed."""
    now = boottime()
    return volume(observedUntilBoottimeNSec=now + 3600 * SEC, observedSinceBoottimeNSec=now - 60 * SEC,
                  counters=[{"cause": "granted", "count": 40}, {"cause": "no-grant", "count": 5, "observed": 70},
                            {"cause": "expired", "count": 0, "observed": 3}]) | changes


class ObserveTest(scripted.ScriptedAgent):
    """It is begun and ended, and shows."""

    def test_begin(self):
        self.answer("Observe", replies=[{"volume": observed()}])
        out, _ = self.check(DONE, "observe", "acme", "--for", "2h", "--reason", "maintenance", "-t", "CHG-17",
                            "--comment", "moving in", "--time=relative")
        self.assertRegex(out, r"^volume acme is observed until in (1h|59m\d+s): accesses are recorded and NOT DENIED\n$")
        self.assertEqual([("Observe", {"volume": "acme", "durationNSec": 7200 * SEC, "reason": "maintenance",
                                       "ticket": "CHG-17", "comment": "moving in"})], self.calls())

    def test_end(self):
        self.answer("Unobserve", replies=[{"volume": volume()}])
        self.assertIn("observed no longer", self.check(DONE, "observe", "acme", "--end")[0])
        self.assertEqual([("Unobserve", {"volume": "acme"})], self.calls())

    def test_usage(self):
        for words, error in ((("acme",), "--for is missing"), (("acme", "--for", "1h"), "--reason is missing"),
                             (("acme", "--for", "8d", "--reason", "incident"), "at most 7d"),
                             (("acme", "--for", "1h", "--reason", "fun"), "there is no reason"),
                             (("acme", "--end", "--for", "1h"), "--end goes with no other option"),
                             ((), "VOLUME")):
            self.assertIn(error, self.check(USAGE, "observe", *words)[1], words)
        for words, error in ((("--reason", "incident"), "--observe is missing"),
                             (("--observe", "1h"), "--reason is missing"),
                             (("--observe", "8d", "--reason", "incident"), "at most 7d")):
            self.assertIn(error, self.check(USAGE, "volume add", "acme", "/", *words)[1], words)
        self.check(USAGE, "volume set", "acme", "--observe", "1h")
        self.assertEqual([], self.calls())

    def test_volume_add(self):
        self.answer("AddVolume", replies=[{"volume": observed()}])
        out, _ = self.check(DONE, "volume add", "acme", "/", "--observe", "1h", "-r", "incident")
        self.assertIn("is protected now, and observed: nothing is denied yet", out)
        self.assertEqual([("AddVolume", {"name": "acme", "path": "/", "observeNSec": 3600 * SEC, "reason": "incident"})],
                         self.calls())

    def test_shown(self):
        now = boottime()
        status = STATUS | {"observations": [
            {"volume": "acme", "live": True, "times": 2, "sinceBoottimeNSec": 1, "untilBoottimeNSec": now + 3600 * SEC},
            {"volume": "gone\x1b", "live": False, "times": 1, "sinceBoottimeNSec": 1, "untilBoottimeNSec": 2}]}
        self.answer("Status", replies=[status])
        self.answer("ListVolumes", replies=[{"volumes": [observed()]}])
        self.answer("Metrics", replies=[METRICS])
        out, _ = self.check(DONE, "status", "--time=boottime")
        self.assertRegex(out, r"  Observed: acme is recorded and NOT DENIED since \S+ until \S+, with breaks\n")
        self.assertRegex(out, r"  Observed: gone\\x1b was not denied since \S+ until \S+\n")
        self.assertIn('"observations"', self.check(DONE, "status", "--json")[0])
        out, _ = self.check(DONE, "volume list", "-n", "-o", "NAME,ALLOWED,DENIED,PASSED")
        self.assertEqual(["acme", "40", "5", "73"], out.split())
        out, _ = self.check(DONE, "metrics")
        for line in ('trustgate_observed_total{volume="acme",cause="no-grant"} 70',
                     'trustgate_observed_total{volume="acme",cause="expired"} 3',
                     'trustgate_observed_total{volume="acme",cause="traced"} 0',
                     'trustgate_denied_total{volume="acme",cause="no-grant"} 5', 'trustgate_volume_observed{volume="acme"} 1',
                     'trustgate_observations_total{volume="acme"} 2'):
            self.assertIn(line + "\n", out)
        self.answer("ListVolumes", replies=[{"volumes": [volume()]}])
        self.assertIn('trustgate_volume_observed{volume="acme"} 0\n', self.check(DONE, "metrics")[0])


if __name__ == "__main__":
    scripted.main()
