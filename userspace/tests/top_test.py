#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""The screen of "trustgate top", read from a terminal as a person would.

usage: top_test.py TRUSTGATE FAKE_AGENT [TEST...]
"""

import fcntl
import json
import os
import pty
import select
import signal
import struct
import subprocess
import termios
import time
import unittest

import scripted
from scripted import (DONE, METRICS, REFUSED, SEC, STATUS, TRUSTGATE, UNREACHABLE, USAGE, boottime, grant, request,
                      volume)

try:
    import pyte
except ImportError:
    pyte = None

HOSTILE = "a\x1b[31m\nb\u202e"
HOSTILE_SHOWN = "a\\x1b[31m\\x0ab\\u202e"
# Longer than any of it takes, so that a slow host is no failure.
PATIENCE = 30


class Terminal:
    """trustgate top on a terminal of its own."""

    def __init__(self, agent, *arguments, rows=24, columns=80, **environment):
        self.screen = pyte.Screen(columns, rows)
        self.stream = pyte.ByteStream(self.screen)
        self.bytes = b""
        self.parent, self.child = pty.openpty()
        self.resize(rows, columns)
        self.modes = termios.tcgetattr(self.child)
        variables = {name: value for name, value in os.environ.items() if name not in ("NO_COLOR", "COLUMNS", "LINES")}
        variables.update({"TERM": "linux", "TZ": "UTC", "LC_ALL": "C.UTF-8"}, **environment)
        self.can_hide = variables["TERM"] == "linux"
        self.process = subprocess.Popen(
            [TRUSTGATE, "top", "--agent", agent, "--interval", "200ms", *arguments], stdin=self.child,
            stdout=self.child, stderr=self.child, env=variables, start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0))

    def resize(self, rows, columns):
        """The window has another size."""
        fcntl.ioctl(self.child, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        self.screen.resize(rows, columns)

    def read(self, seconds=0.1):
        """Draw what has come."""
        while select.select([self.parent], [], [], seconds)[0]:
            try:
                text = os.read(self.parent, 65536)
            except OSError:
                return
            self.bytes += text
            self.stream.feed(text)
            seconds = 0.05

    def text(self):
        """The screen as one text."""
        return "\n".join(line.rstrip() for line in self.screen.display)

    def line(self, words):
        """The first line with these words, or an empty one."""
        return next((line for line in self.screen.display if words in line), "")

    def wait(self, words, gone=False):
        """Until words are on the screen, or not any more."""
        end = time.monotonic() + PATIENCE
        while (words in self.text()) == gone:
            if time.monotonic() > end or self.process.poll() is not None:
                raise AssertionError(f"{'still' if gone else 'no'} {words!r} in:\n{self.text()}")
            self.read()

    def type(self, keys):
        """Press keys."""
        os.write(self.parent, keys.encode())

    def end(self):
        """Wait for the end, give the exit status."""
        deadline = time.monotonic() + PATIENCE
        while self.process.poll() is None and time.monotonic() < deadline:
            self.read()
        self.read()
        return self.process.poll()

    def close(self):
        """Whatever the test has left."""
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        os.close(self.parent)
        os.close(self.child)


class Scripted(scripted.ScriptedAgent):
    """An agent with a volume, a request and two grants."""

    def setUp(self):
        super().setUp()
        self.tell()
        self.answer("Watch", replies=[{"event": {
            "seq": 1, "type": "allowed", "timeBoottimeNSec": boottime(), "dropped": 0, "grantId": 17, "comm": "psql",
            "path": "db/base/1", "volume": "acme"}}], disconnect=True)

    def tell(self, volumes=None, requests=None, grants=None, status=None):
        """What the agent answers."""
        requests = [request()] if requests is None else requests
        self.answer("Status", replies=[STATUS | {"requests": len(requests)} | (status or {})])
        self.answer("ListVolumes", replies=[{"volumes": volumes or [volume()]}])
        self.answer("ListRequests", replies=[{"requests": requests}])
        self.answer("ListGrants", replies=[{"grants": [
            grant(), grant(id=18, volume="other", pid=99, comm="tar", expiresBoottimeNSec=boottime() + 5000 * SEC)]
            if grants is None else grants}])
        self.answer("Metrics", replies=[METRICS | {"unprotected": ["lost"]}])

    def asked(self, method):
        """Parameters of the calls of a method."""
        return [parameters for name, parameters in self.calls() if name == method]


class OnceTest(Scripted):
    """One frame, for a pipe."""

    def once(self, *arguments, **options):
        """The lines of it."""
        return self.check(DONE, "top", "--once", "--interval", "100ms", *arguments, **options)[0].splitlines()

    def test_frame(self):
        lines = self.once()
        text = "\n".join(lines)
        self.assertNotIn("\x1b", text)
        self.assertTrue(all(len(line) <= 80 and line == line.rstrip() for line in lines), text)
        self.assertRegex(lines[0], r"^trustgate 20\d\d-\d\d-\d\d \d\d:\d\d:\d\d  gate armed, 2 grants, 1 waiting$")
        self.assertEqual("per second: allowed 0.0, asked 0.0, denied 0.0", lines[1])
        self.assertRegex(text, r"(?m)^ lost +NOT PROTECTED$")
        self.assertRegex(text, r"(?m)^ acme +protected +2 +1 +0.0 +0.0 +0.0$")
        self.assertRegex(text, r"(?m)^ +7 +[3-9]s +5\ds +812 cat \(root\) +r---- acme:db/main.db$")
        self.assertRegex(text, r"(?m)^ +17 +14m\d+s +1234 sqlite3 +rw-n- acme:db/ +3 uses$")
        self.assertIn(" WAITS    LEFT     PID REQUESTED BY ", text)

    def test_nothing(self):
        self.tell(requests=[], grants=[])
        text = "\n".join(self.once())
        self.assertIn("\n nobody waits for an answer\n", text)
        self.assertTrue(text.endswith("\n nothing is granted"), text)

    def test_hostile(self):
        self.tell(requests=[request(comm=HOSTILE, path=HOSTILE)], grants=[grant(path=HOSTILE)],
                  volumes=[volume(name=HOSTILE)])
        text = "\n".join(self.once(env={"COLUMNS": "160"}))
        self.assertTrue(all(c == "\n" or c.isprintable() for c in text), text)
        self.assertEqual(4, text.count(HOSTILE_SHOWN[:18]), text)

    def test_width(self):
        self.tell(requests=[request(path="long/" * 40 + "end")])
        for columns in (60, 80, 200):
            lines = self.once(env={"COLUMNS": str(columns)})
            self.assertLessEqual(max(map(len, lines)), columns)
            self.assertTrue(any(line.endswith("/end") for line in lines) or columns < 80, lines)

    def test_filter(self):
        text = "\n".join(self.once("--volume", "other"))
        self.assertIn("tar", text)
        self.assertNotIn("sqlite3", text)
        self.assertNotIn("main.db", text)

    def test_json(self):
        reply = json.loads("".join(self.once("--json")))
        self.assertEqual(["grants", "perSecond", "requests", "status", "volumes"], sorted(reply))
        self.assertEqual([17, 18], [one["id"] for one in reply["grants"]])
        self.assertEqual([("lost", False), ("acme", True)], [(one["name"], one["protected"]) for one in reply["volumes"]])
        _, err = self.check(USAGE, "top", "--json")
        self.assertIn("--once", err)

    def test_errors(self):
        self.check(UNREACHABLE, "top", "--once", agent=os.path.join(self.directory, "nowhere"))
        _, err = self.check(USAGE, "top")
        self.assertIn("needs a terminal", err)
        self.check(USAGE, "top", "--interval", "1ms")
        self.answer("ListGrants", error="io.trustgate.Agent.NotPermitted",
                    parameters={"who": "uid 1000", "what": "list grants", "cure": "ask a trustee"})
        _, err = self.check(REFUSED, "top", "--once")
        self.assertIn("ask a trustee", err)


@unittest.skipUnless(pyte, "a terminal to draw on is missing: apt install python3-pyte")
class ScreenTest(Scripted):
    """The screen, with keys."""

    def begin(self, *arguments, **options):
        """A terminal that has shown the first frame."""
        terminal = Terminal(self.socket, *arguments, **options)
        self.addCleanup(terminal.close)
        terminal.wait("sqlite3")
        return terminal

    def leave(self, terminal, expected=0):
        """The end, with the terminal as it was."""
        self.assertEqual(expected, terminal.end())
        self.assertEqual(terminal.modes, termios.tcgetattr(terminal.child), "the terminal's modes")
        if terminal.can_hide:
            self.assertGreater(terminal.bytes.rfind(b"\x1b[?25h"), terminal.bytes.rfind(b"\x1b[?25l"), "the cursor")

    def test_screen(self):
        terminal = self.begin()
        terminal.wait("db/base/1")
        text = terminal.text()
        self.assertIn("gate armed, 2 grants, 1 waiting", text)
        self.assertRegex(text, r"(?m)^>     7 .* cat \(root\) .*acme:db/main.db$")
        self.assertIn("NOT PROTECTED", text)
        self.assertEqual("a approve  d deny  r revoke  v volume  s sort: time left  ? help  q quit",
                         terminal.screen.display[23].rstrip())
        terminal.type("q")
        self.leave(terminal)

    def test_rates(self):
        terminal = self.begin()
        terminal.wait("denied 0.0")
        self.tell(volumes=[volume(counters=[{"cause": "granted", "count": 100000}, {"cause": "no-grant", "count": 5000},
                                            {"cause": "asked", "count": 300}])])
        terminal.wait("(no-grant ")
        self.assertNotIn("allowed 0.0", terminal.line("per second"))

    def test_changes(self):
        """What comes and goes; the selection stays with its request."""
        terminal = self.begin()
        terminal.wait(">     7")
        soon = request(id=9, path="other", deadlineBoottimeNSec=boottime() + 30 * SEC)
        self.tell(requests=[request(), soon])
        terminal.wait("acme:other")
        self.assertIn(">     7", terminal.text())
        self.tell(requests=[soon])
        terminal.wait(">     9")
        terminal.type("\x1b[B")
        terminal.wait(">    17")
        terminal.type("j")
        terminal.wait(">    18")
        terminal.type("\t")
        terminal.wait(">     9")

    def test_approve(self):
        self.answer("Approve", replies=[{"grant": grant()}])
        terminal = self.begin()
        terminal.type("a")
        terminal.wait("approve 7: why? _")
        self.assertIn("1 customer-ticket 2 maintenance 3 incident", terminal.text())
        terminal.type("nonsense\r")
        terminal.wait("a number from 1 on")
        terminal.type("\x15inc\r")
        terminal.wait("incident: which ticket?")
        terminal.type("SR-é1x\x7f\r")
        terminal.wait("for how long? (empty: 10m, which the rule allows)")
        terminal.type("11m\r")
        terminal.wait("at most 10m")
        terminal.type("\x1530s\r")
        terminal.wait("approve 7 for 30s: read on acme:db/main.db by cat (pid 812)? [y/N]")
        self.assertEqual([], self.asked("Approve"))
        terminal.type("y\r")
        terminal.wait("approved for 14m")
        self.assertEqual([{"id": 7, "reason": "incident", "ticket": "SR-é1", "durationNSec": 30 * SEC}],
                         self.asked("Approve"))
        terminal.type("q")
        self.leave(terminal)

    def test_refused(self):
        """The agent's no is shown, with its cure."""
        self.answer("Approve", error="io.trustgate.Agent.NotPermitted", parameters={
            "who": "root", "what": "approve what he has asked for himself", "cure": "ask another trustee"})
        terminal = self.begin()
        terminal.type("a3\r\r\ry\r")
        terminal.wait("not permitted: root may not approve what he has asked for himself; ask another")

    def test_deny_and_revoke(self):
        self.answer("Deny", replies=[{}])
        self.answer("Revoke", replies=[{"ended": 1}])
        terminal = self.begin()
        terminal.type("r")
        terminal.wait("select a grant first")
        for answer in ("n\r", "\r", "\x1b"):
            terminal.type("d")
            terminal.wait("deny 7: read on")
            terminal.type(answer)
            terminal.wait("nothing was changed")
        self.assertEqual([], self.asked("Deny"))
        terminal.type("dperhaps\r")
        terminal.wait("answer y or n")
        terminal.type("yes\r")
        terminal.wait("denied")
        terminal.wait("[y/N]", gone=True)
        terminal.type("\tr")
        terminal.wait("revoke 17: read,write,names on acme:db by sqlite3 (pid 1234)? [y/N]")
        # What is asked about does not change with the list.
        self.tell(grants=[grant(id=19)])
        terminal.wait(">    19")
        terminal.type("y\r")
        terminal.wait("1 grant ended")
        self.assertEqual(([{"id": 7}], [{"ids": [17]}]), (self.asked("Deny"), self.asked("Revoke")))

    def test_filter_sort_help(self):
        self.tell(volumes=[volume(), volume(name="other", id=2)])
        terminal = self.begin()
        terminal.type("vnowhere\r")
        terminal.wait('there is no volume "nowhere"')
        terminal.type("\x15other\r")
        terminal.wait("sqlite3", gone=True)
        self.assertIn("only other", terminal.text())
        terminal.type("v\r")
        terminal.wait("sqlite3")
        for name in ("number", "object", "program", "time left"):
            terminal.type("s")
            terminal.wait(f"s sort: {name}")
        terminal.type("?")
        terminal.wait("Ctrl-L             draw the screen anew")
        terminal.type("x")
        terminal.wait("REQUESTED BY")

    def test_sizes(self):
        many = [request(id=100 + i, path=f"file{i}") for i in range(40)]
        self.tell(requests=many)
        terminal = self.begin()
        terminal.wait("> " + "  100")
        for rows, columns in ((50, 132), (10, 40), (3, 10), (1, 1), (24, 80)):
            terminal.resize(rows, columns)
            terminal.process.send_signal(signal.SIGWINCH)
            terminal.read(0.6)
            self.assertIsNone(terminal.process.poll(), f"{rows}x{columns}")
            self.assertTrue(all(len(line) <= columns for line in terminal.screen.display))
        terminal.wait("q quit")
        terminal.type("\x1b[4~")
        terminal.wait("file39")
        self.assertIn(">", terminal.line("file39"))
        self.assertIn("sqlite3", terminal.text(), "the grants keep their part")
        terminal.type("q")
        self.leave(terminal)

    def test_colours(self):
        for environment, coloured in (({}, True), ({"NO_COLOR": "1"}, False), ({"TERM": "vt100"}, False)):
            terminal = self.begin(**environment)
            terminal.wait("NOT PROTECTED")
            self.assertEqual(coloured, any(cell.fg == "red" for line in terminal.screen.buffer.values()
                                           for cell in line.values()), environment)
            terminal.type("q")
            self.leave(terminal)

    def test_signals(self):
        """However it ends, the terminal is given back."""
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT):
            terminal = self.begin()
            terminal.process.send_signal(number)
            self.leave(terminal, 128 + number)
        terminal = self.begin()
        terminal.process.send_signal(signal.SIGABRT)
        self.leave(terminal, -signal.SIGABRT)
        terminal = self.begin()
        terminal.type("\x03")
        self.leave(terminal, 128 + signal.SIGINT)

    def test_suspend(self):
        terminal = self.begin()
        terminal.type("\x1a")
        for _ in range(PATIENCE * 10):
            with open(f"/proc/{terminal.process.pid}/stat", encoding="utf-8") as file:
                state = file.read().rsplit(")", maxsplit=1)[1].split()[0]
            if state == "T":
                break
            terminal.read()
        self.assertEqual("T", state)
        self.assertEqual(terminal.modes, termios.tcgetattr(terminal.child))
        terminal.process.send_signal(signal.SIGCONT)
        terminal.screen.reset()
        terminal.wait("sqlite3")
        terminal.type("q")
        self.leave(terminal)

    def test_agent_goes_and_comes(self):
        """It says so, goes on trying, and keys work meanwhile."""
        terminal = self.begin()
        self.agent.terminate()
        self.agent.wait()
        os.unlink(self.socket)
        terminal.wait("trying again")
        self.assertIn("the agent cannot be reached", terminal.text())
        terminal.type("?")
        terminal.wait("this help")
        terminal.type("x")
        self.start_agent()
        terminal.wait("trying again", gone=True)
        terminal.type("q")
        self.leave(terminal)

    def test_agent_hangs(self):
        terminal = self.begin()
        self.agent.send_signal(signal.SIGSTOP)
        self.addCleanup(self.agent.send_signal, signal.SIGCONT)
        terminal.wait("did not answer in time")
        terminal.type("q")
        self.leave(terminal)

    def test_unknown_terminal(self):
        for term in ("nonsense", "dumb"):
            terminal = Terminal(self.socket, TERM=term)
            self.addCleanup(terminal.close)
            self.assertEqual(1, terminal.end())
            self.assertIn(b"--once", terminal.bytes)
            self.assertEqual(terminal.modes, termios.tcgetattr(terminal.child))


if __name__ == "__main__":
    scripted.main()
