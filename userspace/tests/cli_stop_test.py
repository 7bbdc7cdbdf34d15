#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""
trustgate stop and start, as cli_test.py tests the other verbs.

usage: cli_stop_test.py TRUSTGATE FAKE_AGENT
"""

import json
import re

import scripted
from scripted import DONE, HOSTILE, HOSTILE_SHOWN, LEFT, STATUS, grant


class StopTest(scripted.ScriptedAgent):
    """All is ended, and what is left is told."""

    def test_stop(self):
        self.answer("Stop", replies=[{"ended": 2, "refused": 1}])
        self.answer("Status", replies=[STATUS | {"ending": 0, "stopped": ["*"]}])
        self.answer("ListKeepers", replies=[{"keepers": [], "more": 0}])
        self.assertEqual("stopped: 2 grants ended, 1 request refused\nno mapping is left that had to end\n"
                         "no process has files open or mapped\n", self.check(DONE, "stop", "--all")[0])
        self.assertIn("Stopped: all volumes, see trustgate start", self.check(DONE, "status")[0])
        self.answer("Status", replies=[STATUS])
        self.answer("ListGrants", replies=[{"grants": [grant(end="revoked", mapped=1, state="ended")]}])
        out, _ = self.check(LEFT, "stop", "acme", "--timeout=1ms")
        self.assertIn("left: grant 17 of pid 1234 (sqlite3): 1 process has mappings on volume acme\n", out)
        self.answer("Start", replies=[{}])
        self.assertIn("started", self.check(DONE, "start", "acme")[0])
        self.assertEqual([{"all": True}, {"volume": "acme"}], [call[1] for call in self.calls() if call[0] == "Stop"])

    def test_survivors(self):
        self.answer("Stop", replies=[{"ended": 2, "refused": 0}])
        self.answer("Status", replies=[STATUS | {"ending": 0}])
        keeper = {"volume": "acme", "pid": 812, "startTicks": 1, "uid": 0, "comm": "cat", "exe": "/usr/bin/" + HOSTILE,
                  "unit": "dump.service", "files": 2, "mappings": 3, "program": True, "unknown": False,
                  "path": "db/main.db"}
        other = keeper | {"pid": 813, "exe": None, "unit": None, "files": 1, "mappings": 0, "program": False,
                          "pathCut": True}
        busy = other | {"pid": 814, "files": 0, "unknown": True}
        self.answer("ListKeepers", replies=[{"keepers": [keeper, busy, other], "more": 4}])
        out, _ = self.check(DONE, "stop", "acme")
        self.assertNotIn(HOSTILE, out)
        self.assertRegex(out, r"(?m)^acme +812 +/usr/bin/" + re.escape(HOSTILE_SHOWN) +
                         r" +dump\.service +3 mapped \(program\), 2 open +db/main\.db$")
        self.assertRegex(out, r"(?m)^acme +813 +cat +1 open +\.\.\.db/main\.db$")
        self.assertRegex(out, r"(?m)^acme +814 +cat +perhaps mapped +\.\.\.db")
        self.assertIn("\nand 4 more\n", out)
        self.assertIn("seen without any check, until these processes end (kill PID, systemctl stop UNIT)", out)
        said = json.loads(self.check(DONE, "stop", "acme", "--json")[0])
        self.assertEqual((812, 3, 4), (said["survivors"][0]["pid"], len(said["survivors"]), said["survivorsMore"]))
        self.answer("ListKeepers", replies=[{"keepers": [other], "more": 0}])
        out, _ = self.check(DONE, "stop", "acme")
        self.assertIn("What is open is denied at each use.", out)
        self.assertNotIn("seen without any check", out)

    def test_survivors_unknown(self):
        """What is not known is not nothing, but nobody has anything of what is not mounted."""
        self.answer("Stop", replies=[{"ended": 0, "refused": 0}])
        self.answer("Status", replies=[STATUS | {"ending": 0}])
        self.answer("ListKeepers", error="io.trustgate.Agent.Refused",
                    parameters={"errno": 5, "message": "no answer"})
        _, err = self.check(LEFT, "stop", "acme")
        self.assertIn("everything is stopped; who still has files open or mapped is not known", err)
        self.answer("ListKeepers", error="io.trustgate.Agent.NoSuchVolume", parameters={"name": "late"})
        self.assertIn("no process has files open or mapped\n", self.check(DONE, "stop", "late")[0])
        self.assertEqual([], json.loads(self.check(DONE, "stop", "late", "--json")[0])["survivors"])


if __name__ == "__main__":
    scripted.main()
