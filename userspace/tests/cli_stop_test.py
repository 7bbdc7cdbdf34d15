#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""
trustgate stop and start, as cli_test.py tests the other verbs.

usage: cli_stop_test.py TRUSTGATE FAKE_AGENT
"""

import json
import os
import pty
import re
import subprocess
import threading

import scripted
from scripted import DONE, HOSTILE, HOSTILE_SHOWN, LEFT, STATUS, grant


class StopTest(scripted.ScriptedAgent):
    """Stopping, waiting for what remains, telling of it."""

    def setUp(self):
        super().setUp()
        self.answer("ListVolumes", replies=[{"volumes": []}])

    def test_stop(self):
        """All is ended, and what is left is told."""
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

    def on_terminal(self, *arguments):
        """Run a verb with a terminal for its complaints, give (code, what was shown there)."""
        parent, child = pty.openpty()
        shown = []

        def read():
            while True:
                try:
                    shown.append(os.read(parent, 4096).decode())
                except OSError:
                    return

        reader = threading.Thread(target=read)
        reader.start()
        code = subprocess.run([scripted.TRUSTGATE, *arguments, "--agent", self.socket], stdout=subprocess.DEVNULL,
                              stderr=child, stdin=subprocess.DEVNULL, timeout=60, check=False).returncode
        os.close(child)
        reader.join()
        os.close(parent)
        return code, "".join(shown)

    def test_progress(self):
        """Who waits sees for what, on a terminal alone; then nothing is left of it."""
        self.answer("Stop", replies=[{"ended": 2, "refused": 0}])
        self.answer("Revoke", replies=[{"ended": 2}])
        self.answer("Status", replies=[STATUS])
        self.answer("ListKeepers", replies=[{"keepers": [], "more": 0}])
        self.answer("ListGrants", replies=[{"grants": [grant(end="revoked", mapped=1, state="ended")]}])
        code, shown = self.on_terminal("stop", "acme", "--timeout", "1500ms")
        self.assertEqual(LEFT, code)
        self.assertRegex(shown, r"\r\x1b\[Kwaiting for the mappings of 1 grant to end, 1.*s left\r\x1b\[K")
        self.assertRegex(shown, r"\r\x1b\[K(\x1b\[[0-9;]*m)?trustgate: the time is up[^\x1b]*$")
        threading.Timer(0.5, self.answer, ("Status",), {"replies": [STATUS | {"ending": 0}]}).start()
        code, shown = self.on_terminal("revoke", "--all", "--wait")
        self.assertEqual(DONE, code)
        self.assertRegex(shown, r"mappings of 1 grant to end\r\x1b\[K")
        self.answer("Status", replies=[STATUS])
        self.assertNotIn("waiting", self.check(LEFT, "stop", "acme", "--timeout=10ms")[1])

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
        for method in ("ListVolumes", "ListGrants", "ListKeepers"):
            self.answer(method, error="io.trustgate.Agent.NoSuchVolume", parameters={"name": "late"})
        # The end of another's mappings is waited for.
        self.answer("Status", replies=[STATUS | {"ending": 1}])
        self.assertIn("no process has files open or mapped\n", self.check(DONE, "stop", "late")[0])
        self.assertEqual([], json.loads(self.check(DONE, "stop", "late", "--json")[0])["survivors"])


if __name__ == "__main__":
    scripted.main()
