# SPDX-License-Identifier: GPL-2.0-only
"""trustgate and an agent that answers as it is told, for the tests that import this.

usage of such a test: X_test.py TRUSTGATE FAKE_AGENT [TEST...]
"""

import json
import os
import socket
import subprocess
import sys
import tempfile
import time
import unittest

TRUSTGATE, FAKE_AGENT = map(os.path.abspath, sys.argv[1:3])
SEC = 1_000_000_000

DONE, REFUSED, USAGE, UNREACHABLE, LEFT, CANNOT_RUN, NOT_FOUND = 0, 1, 2, 3, 4, 126, 127


def boottime():
    """CLOCK_BOOTTIME, which all times of the interface refer to."""
    return time.clock_gettime_ns(time.CLOCK_BOOTTIME)


def volume(**changes):
    """A volume as the agent shows it."""
    return {
        "id": 1, "name": "acme", "fstype": "ext4", "uuid": "0bd0f7a6-0c1c-4b3c-9c3c-111111111111",
        "device": "254:16", "path": "/srv/acme", "maxDurationNSec": 8 * 3600 * SEC,
        "onAgentLoss": "hold", "record": ["allowed"], "metadata": "open", "leastOnEnd": "unmap", "grants": 2, "addedBoottimeNSec": 1,
        "counters": [{"cause": "granted", "count": 40}, {"cause": "no-grant", "count": 5},
                     {"cause": "expired", "count": 2}],
    } | changes


def request(**changes):
    """An open that waits, as the agent shows it."""
    now = boottime()
    return {
        "id": 7, "volume": "acme", "path": "db/main.db", "access": ["read"], "pid": 812, "uid": 0, "loginuid": 0,
        "comm": "cat", "rule": "people", "maxDurationNSec": 600 * SEC, "raisedBoottimeNSec": now - 3 * SEC,
        "deadlineBoottimeNSec": now + 60 * SEC,
    } | changes


def grant(**changes):
    """A grant as the agent shows it."""
    return {
        "id": 17, "volume": "acme", "pid": 1234, "startTicks": 5, "execId": 1, "descendants": False,
        "keepExec": True, "nextExec": False, "supervised": False, "objectKind": "subtree", "path": "db", "ino": 12, "inodeGeneration": 3,
        "access": ["read", "write", "names"], "notBeforeBoottimeNSec": 0,
        "expiresBoottimeNSec": boottime() + 900 * SEC, "maxUses": 0, "uses": 3, "reason": "customer-ticket",
        "ticket": "SR-4711", "requesterUid": 1000, "comm": "sqlite3", "createdBoottimeNSec": 1,
        "onEnd": "deny-io", "state": "active",
    } | changes


STATUS = {
    "version": "0.2.0", "abiVersion": 1, "state": "armed", "agentPid": 99, "volumes": 1, "volumesMax": 64,
    "grants": 2, "grantsMax": 1048576, "grantsBytesMax": 512 * 1024 * 1024, "subjects": 1, "nowBoottimeNSec": 5,
    "eventSeq": 77, "eventsDropped": 0, "eventsAgentMissed": 0, "auditSuppressed": 4, "ending": 1, "unmapped": 2, "killed": 3, "proofs": 3,
    "proofBoottimeNSec": 1, "hooks": ["file_open", "mmap_file"], "watchers": 1, "supervisors": 0, "stopped": [],
}
WISH = ["--volume", "acme", "--path", "db/", "--access", "rw", "--for", "15m", "--reason", "customer-ticket"]
HOSTILE = "a\x1b[31m\nb\u202e\\x"
HOSTILE_SHOWN = "a\\x1b[31m\\x0ab\\u202e\\\\x"
METRICS = {
    "startedBoottimeNSec": 1, "events": [{"type": "denied", "count": 3}, {"type": "gate-broken", "count": 2}],
    "boundsNSec": [1_000_000, SEC], "waited": [
        {"end": "granted", "count": 4, "sumNSec": 5 * SEC + 500_000_000, "upTo": [1, 3]},
        {"end": "refused", "count": 0, "sumNSec": 0, "upTo": [0, 0]}],
    "waitingForTrustee": 1, "refusals": 6, "accountWaiting": 0, "accountWritten": 9, "accountLost": 0,
    "accountFailures": 0, "unprotected": [], "failingServices": 0,
}


class ScriptedAgent(unittest.TestCase):
    """One agent and one directory for each test."""

    maxDiff = None

    def setUp(self):
        directory = tempfile.TemporaryDirectory(prefix="trustgate-cli-")
        self.addCleanup(directory.cleanup)
        self.directory = directory.name
        self.socket = os.path.join(self.directory, "agent")
        self.log = os.path.join(self.directory, "log")
        self.script = os.path.join(self.directory, "script")
        self.start_agent()

    def start_agent(self):
        """Start it, and wait until it listens."""
        self.agent = agent = subprocess.Popen([FAKE_AGENT, self.socket, self.script, self.log])
        self.addCleanup(agent.wait)
        self.addCleanup(agent.terminate)
        for _ in range(1000):
            with socket.socket(socket.AF_UNIX) as probe:
                if probe.connect_ex(self.socket) == 0:
                    return
            self.assertIsNone(agent.poll())
            time.sleep(0.02)
        self.fail("the fake agent does not listen")

    def answer(self, method, **how):
        """Say how the agent answers a method."""
        script = {}
        if os.path.exists(self.script):
            with open(self.script, encoding="utf-8") as file:
                script = json.load(file)
        script[method] = how
        # The agent may be reading it.
        with open(self.script + ".new", "w", encoding="utf-8") as file:
            json.dump(script, file)
        os.replace(self.script + ".new", self.script)

    def calls(self):
        """What the agent was asked, as (method, parameters)."""
        if not os.path.exists(self.log):
            return []
        with open(self.log, encoding="utf-8") as file:
            return [(call["method"], call["parameters"]) for call in map(json.loads, file)]

    def run_cli(self, *arguments, agent=None, env=None, **options):
        """Run a verb, give (code, stdout, stderr)."""
        words = arguments[0].split()
        result = subprocess.run(
            [TRUSTGATE, *words, "--agent", agent or self.socket, *arguments[1:]], text=True, capture_output=True,
            timeout=60, check=False, stdin=subprocess.DEVNULL, env={**os.environ, "TZ": "UTC", **(env or {})}, **options)
        return result.returncode, result.stdout, result.stderr

    def check(self, expected_code, *arguments, **options):
        """Run a verb, check its exit code, give (stdout, stderr)."""
        code, out, err = self.run_cli(*arguments, **options)
        self.assertEqual(expected_code, code, f"{arguments}: {out}{err}")
        if expected_code == DONE:
            self.assertEqual("", err)
        else:
            self.assertTrue(err.startswith("trustgate: "), err)
        return out, err


def main():
    """Run the tests of the program, or those that are named."""
    unittest.main(module="__main__", argv=sys.argv[:1] + sys.argv[3:], verbosity=2)
