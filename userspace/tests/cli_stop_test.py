#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""
trustgate stop and start, as cli_test.py tests the other verbs.

usage: cli_stop_test.py TRUSTGATE FAKE_AGENT
"""

import scripted
from scripted import DONE, LEFT, STATUS, grant


class StopTest(scripted.ScriptedAgent):
    """All is ended, and what is left is told."""

    def test_stop(self):
        self.answer("Stop", replies=[{"ended": 2, "refused": 1}])
        self.answer("Status", replies=[STATUS | {"ending": 0, "stopped": ["*"]}])
        self.assertIn("stopped: 2 grants ended, 1 request refused\nno mapping", self.check(DONE, "stop", "--all")[0])
        self.assertIn("Stopped: all volumes, see trustgate start", self.check(DONE, "status")[0])
        self.answer("Status", replies=[STATUS])
        self.answer("ListGrants", replies=[{"grants": [grant(end="revoked", mapped=1, state="ended")]}])
        out, _ = self.check(LEFT, "stop", "acme", "--timeout=1ms")
        self.assertIn("left: grant 17 of pid 1234 (sqlite3): 1 process has mappings on volume acme\n", out)
        self.answer("Start", replies=[{}])
        self.assertIn("started", self.check(DONE, "start", "acme")[0])
        self.assertEqual([{"all": True}, {"volume": "acme"}], [call[1] for call in self.calls() if call[0] == "Stop"])


if __name__ == "__main__":
    scripted.main()
