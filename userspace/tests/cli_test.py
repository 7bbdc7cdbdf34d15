#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Every verb of trustgate against an agent that answers as it is told.

usage: cli_test.py TRUSTGATE FAKE_AGENT [TEST...]
"""

import json
import os
import pty
import re
import socket
import subprocess
import threading
import time

import scripted
from scripted import (CANNOT_RUN, DONE, HOSTILE, HOSTILE_SHOWN, LEFT, NOT_FOUND, REFUSED, SEC, STATUS, TRUSTGATE,
                      UNREACHABLE, USAGE, WISH, boottime, grant, volume)


class CliTest(scripted.ScriptedAgent):
    """Each verb, its output and its exit status."""

    # ---- status ----

    def test_status(self):
        self.answer("Status", replies=[STATUS])
        out, _ = self.check(DONE, "status")
        for part in ("State: armed, last proof ", "3 in all", "Agent: trusteed 0.2.0, pid 99, 1 watching",
                     "Volumes: 1 of at most 64", "Grants: 2 of at most 1048576, held by 1 process\n",
                     "at most 512.0 MiB of the kernel's", "Events: 77, 0 dropped, 0 missed by the agent",
                     "Audit: 4 denials left out", "Hooks: file_open mmap_file", "ABI: 1"):
            self.assertIn(part, out)
        self.assertNotIn("\x1b", out)
        out, _ = self.check(DONE, "status", "--json")
        self.assertEqual(STATUS, json.loads(out))
        self.assertEqual(1, out.count("\n"))
        out, _ = self.check(DONE, "status", "--json=pretty")
        self.assertEqual(STATUS, json.loads(out))
        self.assertGreater(out.count("\n"), 10)
        out, _ = self.check(DONE, "status", "--json=off")
        self.assertIn("State: armed", out)

    def test_status_unreachable(self):
        nowhere = os.path.join(self.directory, "nowhere")
        _, err = self.check(UNREACHABLE, "status", agent=nowhere)
        self.assertIn("systemctl status trusteed", err)
        self.assertIn("from the kernel" if "what follows" in err else "asking the kernel instead failed, too", err)

    def test_status_colours(self):
        self.answer("Status", replies=[STATUS])
        for env, options, coloured in (
                ({"TERM": "xterm"}, [], True), ({"TERM": "xterm", "NO_COLOR": "1"}, [], False),
                ({"TERM": "dumb"}, [], False), ({"TERM": "xterm"}, ["--no-color"], False),
                ({"TERM": "xterm"}, ["--color=never"], False), ({"TERM": "xterm", "NO_COLOR": "1"}, ["--color"], True)):
            parent, child = pty.openpty()
            with os.fdopen(parent, "rb", buffering=0) as terminal:
                process = subprocess.run([TRUSTGATE, "status", "--agent", self.socket, *options], stdout=child, check=False,
                                         env={"PATH": os.environ["PATH"], **env})
                os.close(child)
                text = b""
                try:
                    while chunk := terminal.read(4096):
                        text += chunk
                except OSError:
                    pass
            self.assertEqual(0, process.returncode)
            self.assertIn(b"armed", text)
            self.assertEqual(coloured, b"\x1b[32marmed" in text, (env, options))
        self.assertIn("\x1b[32marmed", self.check(DONE, "status", "--color=always")[0])
        self.assertNotIn("\x1b", self.check(DONE, "status", "--color=auto")[0])
        self.assertIn("\x1b", self.check(DONE, "status", "--json", "--color")[0])
        _, err = self.check(USAGE, "status", "--color=sometimes")
        self.assertIn("auto, always or never", err)

    # ---- volumes ----

    def test_volume_list(self):
        self.answer("ListVolumes", replies=[{"volumes": [volume(), volume(name="b" + HOSTILE, id=2, path=None)]}])
        out, _ = self.check(DONE, "volume list")
        lines = out.splitlines()
        self.assertEqual(["NAME", "PATH", "FSTYPE", "DEVICE", "MAX", "ON-LOSS", "GRANTS", "ALLOWED", "DENIED"],
                         lines[0].split())
        self.assertEqual(["acme", "/srv/acme", "ext4", "254:16", "8h", "hold", "2", "40", "7"], lines[1].split())
        self.assertIn("b" + HOSTILE_SHOWN, lines[2])
        self.assertEqual(3, len(lines))
        out, _ = self.check(DONE, "volume list", "-n", "-o", "id,COUNTERS,uuid,record", "acme")
        self.assertEqual("1 granted=40,no-grant=5,expired=2 0bd0f7a6-0c1c-4b3c-9c3c-111111111111 allowed".split(),
                         out.splitlines()[0].split())
        self.assertEqual(("ListVolumes", {"name": "acme"}), self.calls()[-1])
        out, _ = self.check(DONE, "volume list", "-o", "+id")
        self.assertEqual("ID", out.split("\n", maxsplit=1)[0].split()[-1])
        out, _ = self.check(DONE, "volume list", "-j")
        self.assertEqual([volume(), volume(name="b" + HOSTILE, id=2, path=None)], json.loads(out))

    def test_volume_list_asked(self):
        """An open that waits is neither allowed nor denied yet."""
        self.answer("ListVolumes", replies=[{"volumes": [volume(counters=[
            {"cause": "granted", "count": 3}, {"cause": "asked", "count": 9}, {"cause": "refused", "count": 2}])]}])
        self.assertEqual(["3", "2"], self.check(DONE, "volume list", "-n", "-o", "ALLOWED,DENIED")[0].split())

    def test_volume_list_empty(self):
        self.answer("ListVolumes", replies=[{"volumes": []}])
        self.assertEqual("", self.check(DONE, "volume list")[0])
        self.assertEqual("[]\n", self.check(DONE, "volume list", "--json=short")[0])

    def test_volume_add(self):
        self.answer("AddVolume", replies=[{"volume": volume()}])
        out, _ = self.check(DONE, "volume add", "acme", ".", cwd=self.directory)
        self.assertEqual("volume acme is protected now: grants of at most 8h, on agent loss hold, record allowed, metadata open, on end at least unmap\n",
                         out)
        self.assertEqual([("AddVolume", {"name": "acme", "path": os.path.realpath(self.directory)})], self.calls())
        out, _ = self.check(DONE, "volume add", "acme", "/", "--max-duration", "1h30m", "--on-agent-loss=revoke",
                            "--record", "allowed", "--json")
        self.assertEqual(volume(), json.loads(out))
        self.assertEqual(("AddVolume", {"name": "acme", "path": "/", "maxDurationNSec": 5400 * SEC,
                                        "onAgentLoss": "revoke", "record": ["allowed"]}), self.calls()[-1])
        _, err = self.check(REFUSED, "volume add", "acme", "/nonexistent")
        self.assertIn("/nonexistent", err)
        self.assertEqual(2, len(self.calls()))

    def test_volume_set(self):
        self.answer("SetVolume", replies=[{"volume": volume(record=[])}])
        out, _ = self.check(DONE, "volume set", "acme", "--record=none")
        self.assertEqual("volume acme is changed: grants of at most 8h, on agent loss hold, record none, metadata open, on end at least unmap\n",
                         out)
        self.assertEqual([("SetVolume", {"name": "acme", "record": []})], self.calls())
        self.answer("SetVolume", replies=[{"volume": volume(metadata="hidden")}])
        out, _ = self.check(DONE, "volume set", "acme", "--metadata=hidden")
        self.assertIn("metadata hidden, ", out)
        self.assertEqual(("SetVolume", {"name": "acme", "metadata": "hidden"}), self.calls()[-1])
        self.check(DONE, "volume set", "acme", "--least-on-end=kill", "--ask", "5m")
        self.check(DONE, "volume set", "acme", "--ask=off")
        self.assertEqual([("SetVolume", {"name": "acme", "leastOnEnd": "kill", "askNSec": 300 * SEC}),
                          ("SetVolume", {"name": "acme", "askNSec": 0})], self.calls()[-2:])
        _, err = self.check(USAGE, "volume set", "acme")
        self.assertIn("nothing to change", err)

    def test_volume_del(self):
        self.answer("RemoveVolume", replies=[{"ended": 1}])
        self.assertEqual("volume acme is no longer protected, 1 grant ended\n",
                         self.check(DONE, "volume del", "acme")[0])
        self.assertEqual('{"ended":1}\n', self.check(DONE, "volume del", "acme", "-j")[0])
        self.assertEqual(("RemoveVolume", {"name": "acme"}), self.calls()[0])

    # ---- grants ----

    def test_grant(self):
        self.answer("Grant", replies=[{"grant": grant()}])
        out, _ = self.check(DONE, "grant", "--pid", "1234", *WISH, "--ticket", "SR-4711")
        self.assertRegex(out, r"^grant 17: read,write,names on acme:db for pid 1234 \(sqlite3\), "
                              r"expires in 1[45]m[\ds]* \([-\d ]*\d\d:\d\d:\d\d\); \"trustgate revoke 17\" ends it\n$")
        self.assertEqual([("Grant", {
            "volume": "acme", "path": "db/", "pid": 1234, "access": ["read", "write", "names"],
            "durationNSec": 900 * SEC, "subtree": True, "reason": "customer-ticket", "ticket": "SR-4711"})],
            self.calls())
        out, _ = self.check(DONE, "grant", "-p", "1", *WISH, "--time=relative")
        self.assertRegex(out, r"expires in 14m\d+s; ")
        out, _ = self.check(DONE, "grant", "-p", "1", *WISH, "--time=absolute")
        self.assertRegex(out, r"expires 20\d\d-\d\d-\d\d \d\d:\d\d:\d\d; ")
        out, _ = self.check(DONE, "grant", "--pid", "1", "-V", "v", "-P", "a/b", "-a", "read,write", "--for=20s",
                            "-r", "incident", "--after=5s", "--uses=3", "--file", "--descendants", "--keep-exec", "--on-end=kill",
                            "--supervised", "-j")
        self.assertEqual(17, json.loads(out)["id"])
        self.assertEqual(("Grant", {
            "volume": "v", "path": "a/b", "pid": 1, "access": ["read", "write"], "durationNSec": 20 * SEC,
            "delayNSec": 5 * SEC, "maxUses": 3, "subtree": False, "descendants": True, "keepExec": True, "supervised": True,
            "onEnd": "kill", "reason": "incident"}), self.calls()[-1])
        self.check(DONE, "grant", "--pid", "1", *WISH, "--next-exec")
        asked = self.calls()[-1][1]
        self.assertEqual((None, True), (asked.get("keepExec"), asked["nextExec"]))

    def test_grant_letter_w(self):
        """w means more on a directory, so what the path is has to be known."""
        os.mkdir(os.path.join(self.directory, "dir"))
        with open(os.path.join(self.directory, "file"), "w", encoding="utf-8"):
            pass
        self.answer("Grant", replies=[{"grant": grant()}])
        self.answer("ListVolumes", replies=[{"volumes": [volume(path=self.directory)]}])
        base = ["--pid", "1", "-V", "acme", "--for", "1s", "-r", "incident"]

        def access(path, text, *more):
            self.check(DONE, "grant", *base, "-P", path, "-a", text, *more)
            call = self.calls()[-1][1]
            return call["access"], call.get("subtree")

        self.assertEqual((["read", "write", "names"], None), access("dir", "rw"))
        self.assertEqual((["read", "write"], None), access("file", "rw"))
        self.assertEqual((["read", "write"], None), access("dir", "read,write"))
        self.assertEqual((["read", "write"], False), access("dir", "rw", "--file"))
        self.assertEqual((["read", "write", "names"], True), access("dir", "rw", "--subtree"))
        self.assertEqual((["read", "write", "names"], True), access(".", "rw"))
        self.assertEqual((["read"], None), access("nowhere", "r"))
        count = len([call for call in self.calls() if call[0] == "Grant"])
        _, err = self.check(USAGE, "grant", *base, "-P", "nowhere", "-a", "rw")
        self.assertIn("--subtree or --file", err)
        self.answer("ListVolumes", replies=[{"volumes": [volume(path=None)]}])
        _, err = self.check(USAGE, "grant", *base, "-P", "dir", "-a", "rw")
        self.assertIn("the volume has no path", err)
        self.answer("ListVolumes", error="io.trustgate.Agent.NotPermitted",
                    parameters={"who": "uid 1000", "what": "list volumes", "cure": "ask a trustee"})
        _, err = self.check(USAGE, "grant", *base, "-P", "dir", "-a", "rw")
        self.assertIn("does not show you the volume", err)
        self.assertIn("--subtree or --file", err)
        self.assertEqual(count, len([call for call in self.calls() if call[0] == "Grant"]))

    def test_grants(self):
        many = [grant(id=i + 1) for i in range(200)]
        self.answer("ListGrants", replies=[{"grants": many[:100]}, {"grants": many[100:]}])
        out, _ = self.check(DONE, "grants")
        lines = out.splitlines()
        self.assertEqual(201, len(lines))
        self.assertEqual(["ID", "VOLUME", "PATH", "ACCESS", "PID", "COMM", "LEFT", "USES", "REASON", "TICKET"],
                         lines[0].split())
        self.assertRegex(lines[1], r"^ *1 acme +db/ +read,write,names +1234 sqlite3 +14m\d+s +3 customer-ticket SR-4711$")
        out, _ = self.check(DONE, "grants", "--json=short")
        self.assertEqual(many, json.loads(out))
        self.assertEqual([("ListGrants", {})] * 2, self.calls())

    def test_grants_hostile(self):
        self.answer("ListGrants", replies=[{"grants": [
            grant(path=HOSTILE, objectKind="file", comm=HOSTILE, ticket=HOSTILE, maxUses=5, ino=2**63 - 1),
            {**grant(), "path": None, "comm": None, "ticket": None, "requesterUid": None}]}])
        out, _ = self.check(DONE, "grants", "-o", "PATH,COMM,TICKET,USES,INO,BY", "--volume", "acme", "--pid", "7")
        self.assertEqual([HOSTILE_SHOWN] * 3 + ["3/5", str(2**63 - 1), "1000"], out.splitlines()[1].split())
        self.assertEqual(["3", "12"], out.splitlines()[2].split())
        self.assertTrue(all(c == "\n" or c.isprintable() for c in out), out)
        self.assertEqual([("ListGrants", {"volume": "acme", "pid": 7})], self.calls())
        out, _ = self.check(DONE, "grants", "-j")
        self.assertEqual(HOSTILE, json.loads(out)[0]["path"])

    def test_grants_times(self):
        now = boottime()
        self.answer("ListGrants", replies=[{"grants": [grant(
            expiresBoottimeNSec=now + 100 * SEC, createdBoottimeNSec=now - 50 * SEC)]}])
        columns = "EXPIRES,BEGINS,CREATED,FLAGS,STATE,KIND"
        out, _ = self.check(DONE, "grants", "-n", "-o", columns)
        clock = r"\([-\d ]*\d\d:\d\d:\d\d\)"
        self.assertRegex(out, rf"^in 1m3\ds {clock} +5\ds ago {clock} keep-exec active subtree$")
        out, _ = self.check(DONE, "grants", "-n", "-o", columns, "--time=relative")
        self.assertRegex(out, r"^in 1m3\ds +5\ds ago keep-exec active subtree$")
        self.answer("ListGrants", replies=[{"grants": [grant(keepExec=False, nextExec=True, descendants=True),
                                                       grant(keepExec=False)]}])
        out, _ = self.check(DONE, "grants", "-n", "-o", "FLAGS,ID")
        self.assertEqual([["descendants,next-exec", "17"], ["17"]], [line.split() for line in out.splitlines()])
        self.answer("ListGrants", replies=[{"grants": [grant(
            expiresBoottimeNSec=now + 100 * SEC, createdBoottimeNSec=now - 50 * SEC)]}])
        out, _ = self.check(DONE, "grants", "-n", "-o", columns, "--time", "absolute")
        self.assertRegex(out, r"^20\d\d-\d\d-\d\d \d\d:\d\d:\d\d +20\d\d-")
        out, _ = self.check(DONE, "grants", "-n", "-o", "expires", "--time=boottime")
        self.assertEqual(f"{(now + 100 * SEC) // SEC}", out.split(".", maxsplit=1)[0])

    def test_grants_ended(self):
        self.answer("ListGrants", replies=[{"grants": [
            grant(id=1, onEnd="unmap", end="expired", mapped=2, state="ended"),
            grant(id=2, onEnd="kill", end="revoked", mapped=0, state="ended")]}])
        out, _ = self.check(DONE, "grants", "-n", "-o", "ID,LEFT,ONEND,END,MAPPED,STATE")
        self.assertEqual([["1", "still", "mapped", "unmap", "expired", "2", "ended"],
                          ["2", "ended", "kill", "revoked", "0", "ended"]],
                         [line.split() for line in out.splitlines()])

    def test_revoke(self):
        self.answer("Revoke", replies=[{"ended": 2}])
        self.assertEqual("2 grants ended\n", self.check(DONE, "revoke", "4", "18446744073709551615")[0])
        self.check(DONE, "revoke", "--volume", "acme")
        self.check(DONE, "revoke", "-p", "77")
        self.check(DONE, "revoke", "--all")
        self.assertEqual('{"ended":2}\n', self.check(DONE, "revoke", "--all", "-j")[0])
        self.assertEqual([("Revoke", parameters) for parameters in (
            {"ids": [4, 18446744073709551615]}, {"volume": "acme"}, {"pid": 77}, {"all": True}, {"all": True})],
            self.calls())

    def test_revoke_wait(self):
        """Done when none of those grants is listed as ended any more."""
        self.answer("Revoke", replies=[{"ended": 1}])
        self.answer("Status", replies=[STATUS | {"ending": 0}])
        out, _ = self.check(DONE, "revoke", "--all", "--wait")
        self.assertEqual("1 grant ended\nno mapping is left\n", out)
        self.assertEqual(["Revoke", "Status"], [call[0] for call in self.calls()])
        # Others may be left, and others may live.
        self.answer("Status", replies=[STATUS])
        self.answer("ListGrants", replies=[{"grants": [
            grant(id=4), grant(id=5, volume="other", end="revoked", mapped=1, state="ended")]}])
        for which in (["4"], ["-V", "acme"]):
            self.check(DONE, "revoke", "-w", *which)
        out, _ = self.check(DONE, "revoke", "-w", "--volume", "acme", "-j")
        self.assertEqual({"ended": 1, "left": []}, json.loads(out))
        self.assertEqual(("ListGrants", {"volume": "acme"}), self.calls()[-1])

    def test_revoke_wait_long(self):
        self.answer("Revoke", replies=[{"ended": 1}])
        self.answer("Status", replies=[STATUS])
        self.answer("ListGrants", replies=[{"grants": []}, {"grants": [
            grant(id=8, end="revoked", mapped=1, state="ended"), grant(id=9, end="expired", mapped=0, state="ended")]}])
        begin = time.monotonic()
        out, err = self.check(LEFT, "revoke", "--all", "--wait", "--timeout", "1s")
        self.assertGreaterEqual(time.monotonic() - begin, 1)
        self.assertEqual("1 grant ended\n", out)
        self.assertIn("2 grants have ended of which mappings may be left: 8 and others", err)
        out, err = self.check(LEFT, "revoke", "-w", "-V", "acme", "--timeout=1ms", "-j")
        self.assertEqual([8, 9], [left["id"] for left in json.loads(out)["left"]])
        timer = threading.Timer(1, self.answer, ("Status",), {"replies": [STATUS | {"ending": 0}]})
        timer.start()
        self.addCleanup(timer.join)
        self.assertIn("no mapping is left", self.check(DONE, "revoke", "--all", "-w")[0])

    def test_revoke_wait_ended(self):
        """What has ended already is waited for, and not ended once more."""
        self.answer("Revoke", replies=[{"ended": 1}])
        self.answer("Status", replies=[STATUS])
        self.answer("ListGrants", replies=[{"grants": [grant(id=8, end="revoked", mapped=1, state="ended")]}])
        out, _ = self.check(LEFT, "revoke", "-w", "--timeout=1ms", "8")
        self.assertEqual("0 grants ended\n", out)
        self.assertNotIn("Revoke", [call[0] for call in self.calls()])
        self.check(LEFT, "revoke", "-w", "--timeout=1ms", "8", "9")
        self.assertIn(("Revoke", {"ids": [9]}), self.calls())
        # By the numbers that the process's grants had while it had one.
        self.answer("ListGrants", replies=[{"grants": [grant(id=8, pid=0, end="revoked", mapped=1, state="ended")]}])
        self.check(LEFT, "revoke", "-w", "--timeout=1ms", "-p", "77")
        self.assertIn(("ListGrants", {"pid": 77}), self.calls())

    def test_revoke_wait_fails(self):
        self.answer("Revoke", error="io.trustgate.Agent.NoSuchGrant", parameters={"id": 3})
        self.answer("Status", replies=[STATUS | {"ending": 0}])
        _, err = self.check(REFUSED, "revoke", "3", "--wait")
        self.assertIn("there is no grant 3", err)
        self.answer("Revoke", replies=[{"ended": 1}])
        self.answer("Status", error="io.trustgate.Agent.NotPermitted",
                    parameters={"who": "uid 1000", "what": "look", "cure": "ask a trustee"})
        out, err = self.check(LEFT, "revoke", "--all", "--wait")
        self.assertEqual("1 grant ended\n", out)
        self.assertIn("the grants have ended; whether mappings are left is not known", err)
        self.assertEqual({"ended": 1}, json.loads(self.check(LEFT, "revoke", "--all", "--wait", "-j")[0]))

    # ---- watch ----

    def watch_events(self):
        """Three events with a gap between the last two."""
        base = {"timeBoottimeNSec": boottime(), "dropped": 0}
        return [
            {"event": base | {"seq": 1, "type": "denied", "volume": "acme", "hook": "file_open", "access": ["read"],
                              "cause": "no-grant", "pid": 7, "tid": 8, "uid": 0, "loginuid": 1000, "comm": "c at",
                              "ino": 5, "path": HOSTILE, "pathCut": True}},
            {"event": base | {"seq": 2, "type": "grant-ended", "volume": "other", "grantId": 4, "end": "revoked",
                              "loginuid": 2**32 - 1}},
            {"event": base | {"seq": 6, "type": "agent-bound"}},
        ]

    def test_watch(self):
        self.answer("Watch", replies=self.watch_events(), disconnect=True)
        out, err = self.check(UNREACHABLE, "watch")
        lines = out.splitlines()
        self.assertEqual(3, len(lines))
        self.assertRegex(lines[0], r"^20\d\d-\d\d-\d\d \d\d:\d\d:\d\d denied volume=acme path=")
        self.assertTrue(lines[0].endswith(
            f'path=...{HOSTILE_SHOWN} access=read cause=no-grant comm="c at" pid=7 uid=0 loginuid=1000 '
            "hook=file_open seq=1"), lines[0])
        self.assertIn("grant-ended volume=other end=revoked grant=4 seq=2", lines[1])
        self.assertIn("3 events were lost before number 6", err)
        self.assertIn("closed the connection", err)

    def test_watch_json(self):
        self.answer("Watch", replies=self.watch_events(), disconnect=True)
        out, _ = self.check(UNREACHABLE, "watch", "--json")
        self.assertEqual([event["event"] for event in self.watch_events()][0]["path"],
                         json.loads(out.splitlines()[0])["path"])
        self.assertEqual([1, 2, 6], [json.loads(line)["seq"] for line in out.splitlines()])

    def test_watch_filter(self):
        self.answer("Watch", replies=self.watch_events(), disconnect=True)
        out, _ = self.check(UNREACHABLE, "watch", "--volume", "acme")
        self.assertEqual(1, len(out.splitlines()))
        out, _ = self.check(UNREACHABLE, "watch", "--type=agent-bound,grant-ended", "-j")
        self.assertEqual([2, 6], [json.loads(line)["seq"] for line in out.splitlines()])
        for what in ("17", "acme"):
            self.check(UNREACHABLE, "watch", "--supervise", what)
        self.assertEqual([{"superviseGrant": 17}, {"superviseVolume": "acme"}], [call[1] for call in self.calls()[2:]])

    def test_watch_by_grant(self):
        base = {"timeBoottimeNSec": boottime(), "dropped": 0, "type": "allowed", "volume": "acme", "access": ["read"]}
        self.answer("Watch", replies=[{"event": base | {"seq": seq, "path": f"/{seq}"} | about} for seq, about in enumerate(
            ({"grantId": 7}, {"grantId": 7}, {"grantId": 8, "volume": HOSTILE}, {"type": "denied"}, {"grantId": 7}), 1)],
                    disconnect=True)
        out, _ = self.check(UNREACHABLE, "watch", "--by-grant", "--time", "absolute")
        lines = out.splitlines()
        self.assertEqual(["grant 7 on volume acme", f"grant 8 on volume {HOSTILE_SHOWN}", "no grant",
                          "grant 7 on volume acme"], [line for line in lines if not line.startswith("  ")])
        self.assertEqual([0, 3, 5, 7], [at for at, line in enumerate(lines) if not line.startswith("  ")])
        self.assertNotIn("grant=", out)
        _, err = self.check(USAGE, "watch", "--by-grant", "--json")
        self.assertIn("--by-grant", err)

    def test_watch_live(self):
        """Lines come one by one, not when a buffer is full."""
        self.answer("Watch", replies=self.watch_events() + [{"event": {"seq": 7, "type": "denied",
                                                                      "timeBoottimeNSec": 1, "dropped": 0}}])
        with subprocess.Popen([TRUSTGATE, "watch", "--agent", self.socket, "-j"], stdout=subprocess.PIPE, text=True,
                              stderr=subprocess.PIPE) as process:
            self.assertEqual(1, json.loads(process.stdout.readline())["seq"])
            process.communicate(timeout=60)

    # ---- exec ----

    def test_exec(self):
        self.answer("Grant", replies=[{"grant": grant()}])
        out, _ = self.check(DONE, "exec", *WISH, "--ticket", "SR-4711", "--", "sh", "-c", "echo $0 $#", "a", "--for")
        self.assertEqual("a 1\n", out)
        self.assertEqual([("Grant", {
            "volume": "acme", "path": "db/", "access": ["read", "write", "names"], "durationNSec": 900 * SEC,
            "subtree": True, "nextExec": True, "reason": "customer-ticket", "ticket": "SR-4711"})], self.calls())
        self.assertEqual(42, self.run_cli("exec", *WISH, "sh", "-c", "exit 42")[0])
        self.check(DONE, "exec", *WISH, "--keep-exec", "--descendants", "--", "true")
        asked = self.calls()[-1][1]
        self.assertEqual((True, True, None),
                         (asked["keepExec"], asked["descendants"], asked.get("nextExec")))

    def test_exec_same_process(self):
        """The program is the process that asked, with no descriptor left over."""
        self.answer("Grant", replies=[{"grant": grant()}])
        with subprocess.Popen([TRUSTGATE, "exec", "--agent", self.socket, *WISH, "sh", "-c",
                               "echo $$; readlink /proc/$$/fd/*"],
                              stdout=subprocess.PIPE, text=True, stdin=subprocess.DEVNULL) as process:
            pid, *descriptors = process.communicate(timeout=60)[0].splitlines()
        self.assertEqual(process.pid, int(pid))
        self.assertIn("/dev/null", descriptors)
        self.assertFalse([name for name in descriptors if name.startswith("socket:")], descriptors)

    def test_exec_refused(self):
        marker = os.path.join(self.directory, "ran")
        self.answer("Grant", error="io.trustgate.Agent.NotPermitted", parameters={
            "who": "uid 1000 (dba)", "what": "give himself a grant on acme", "cure": "ask a trustee: alice"})
        _, err = self.check(REFUSED, "exec", *WISH, "--", "touch", marker)
        self.assertEqual("trustgate: not permitted: uid 1000 (dba) may not give himself a grant on acme; "
                         "ask a trustee: alice\n", err)
        _, err = self.check(UNREACHABLE, "exec", *WISH, "--", "touch", marker,
                            agent=os.path.join(self.directory, "nowhere"))
        self.assertFalse(os.path.exists(marker))

    def test_exec_cannot_run(self):
        self.answer("Grant", replies=[{"grant": grant()}])
        _, err = self.check(NOT_FOUND, "exec", *WISH, "--", "/nonexistent/program")
        self.assertIn("/nonexistent/program", err)
        _, err = self.check(CANNOT_RUN, "exec", *WISH, "--", self.directory)
        self.assertIn("Permission denied", err)

    def test_exec_service(self):
        self.answer("Service", replies=[{"grants": [grant()]}])
        self.assertEqual("hello\n", self.check(DONE, "exec", "--service", "echo", "hello")[0])
        self.assertEqual("hello\n", self.check(DONE, "exec", "--service=a.service", "echo", "hello")[0])
        self.assertEqual([("Service", {}), ("Service", {"unit": "a.service"})], self.calls())
        _, err = self.check(USAGE, "exec", "--service", "--volume", "acme", "echo")
        self.assertIn("leave the other options out", err)
        self.answer("Service", replies=[{"grants": []}])
        _, err = self.check(REFUSED, "exec", "--service", "echo", "hello")
        self.assertIn("no grant", err)

    # ---- errors ----

    def test_errors(self):
        errors = (
            ("io.trustgate.Agent.NoSuchVolume", {"name": HOSTILE}, REFUSED,
             f'there is no volume "{HOSTILE_SHOWN}". See "trustgate volume list".'),
            ("io.trustgate.Agent.NoSuchGrant", {"id": 7}, REFUSED, "there is no grant 7"),
            ("io.trustgate.Agent.Refused", {"errno": 34, "message": "longer than the volume allows",
                                            "attribute": "grant[0].expires-boottime-ns"}, REFUSED,
             "refused: longer than the volume allows (attribute grant[0].expires-boottime-ns) [ERANGE]"),
            ("io.trustgate.Agent.Refused", {"errno": 2, "message": "no db", "attribute": None}, REFUSED,
             "refused: no db [ENOENT]"),
            ("io.systemd.System", {"errno": 12}, REFUSED, "the agent failed: Cannot allocate memory"),
            ("org.varlink.service.InvalidParameter", {"parameter": "path"}, REFUSED, '"path"'),
            ("org.varlink.service.MethodNotFound", {"method": "x"}, REFUSED, "another version"),
            ("io.trustgate.Agent.Unheard", {}, REFUSED, "io.trustgate.Agent.Unheard"),
        )
        for error, parameters, code, text in errors:
            self.answer("Grant", error=error, parameters=parameters)
            out, err = self.check(code, "grant", "--pid", "1", *WISH)
            self.assertIn(text, err)
            self.assertEqual("", out)
            self.assertTrue(all(c == "\n" or c.isprintable() for c in err), err)

    def test_senseless_answers(self):
        for method, verb in (("Grant", ["grant", "--pid", "1", *WISH]), ("AddVolume", ["volume add", "a", "/"]),
                             ("ListVolumes", ["volume list"]), ("ListGrants", ["grants"])):
            self.answer(method, replies=[{"strange": 1}])
            _, err = self.check(REFUSED, *verb)
            self.assertIn("makes no sense", err)
        for method, verb in (("Grant", ["grant", "--pid", "1", *WISH]), ("Revoke", ["revoke", "--all"]),
                             ("ListGrants", ["grants"])):
            self.answer(method, replies=[], disconnect=True)
            _, err = self.check(UNREACHABLE, *verb)
            self.assertIn("closed the connection", err)

    def test_unreachable(self):
        nowhere = os.path.join(self.directory, "nowhere")
        dead = os.path.join(self.directory, "dead")
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(dead)
        for agent in (nowhere, dead):
            for verb in (["grants"], ["volume list"], ["revoke", "--all"], ["watch"], ["grant", "--pid", "1", *WISH]):
                _, err = self.check(UNREACHABLE, *verb, agent=agent)
                self.assertIn(f"cannot reach the agent at {agent}", err)
                self.assertIn("systemctl status trusteed", err)

    def test_full_disk(self):
        self.answer("ListGrants", replies=[{"grants": [grant()]}])
        with open("/dev/full", "w", encoding="utf-8") as full:
            process = subprocess.run([TRUSTGATE, "grants", "--agent", self.socket], stdout=full,
                                     stderr=subprocess.PIPE, text=True, check=False)
        self.assertEqual(REFUSED, process.returncode)
        self.assertIn("No space left on device", process.stderr)

    # ---- usage ----

    def test_usage(self):
        long = "x" * 65
        cases = (
            ([], "no verb is given"),
            (["frob"], 'there is no verb "frob"'),
            (["volume"], "volume needs a second word: add, set, del, list"),
            (["volume", "frob"], 'there is no verb "volume frob"'),
            (["--json"], "options come after the verb"),
            (["status", "extra"], 'unexpected argument "extra"'),
            (["status", "--frob"], "there is no option --frob"),
            (["status", "-x"], "there is no option -x"),
            (["status", "--json=yaml"], "--json is pretty, short or off"),
            (["grants", "--time=now"], "--time is relative, absolute, both or boottime"),
            (["grants", "--output"], "--output needs a value"),
            (["grants", "-o"], "needs a value"),
            (["grants", "-o", "ID,FROB"], 'there is no column "FROB"'),
            (["grants", "-o", "ID,"], "empty column name"),
            (["grants", "--noheadings=3"], "takes no value"),
            (["grants", "--pid", "x"], 'needs a whole number, not "x"'),
            (["grants", "--pid", "-1"], "needs a whole number"),
            (["grants", "--pid", "0"], "between 1 and 2147483647"),
            (["grants", "--pid", "99999999999999999999999"], "between 1 and 2147483647"),
            (["volume", "add", "acme"], "missing argument, expected NAME PATH"),
            (["volume", "add", "", "/"], "1 to 63 bytes"),
            (["volume", "add", "x" * 64, "/"], "1 to 63 bytes"),
            (["volume", "add", "a", "/", "--max-duration", "0s"], "longer than 0s"),
            (["volume", "add", "a", "/", "--max-duration", "8"], "without a unit"),
            (["volume", "add", "a", "/", "--on-agent-loss", "ask"], "hold or revoke"),
            (["volume", "add", "a", "/", "--record", "all"], 'say allowed or none'),
            (["volume", "set", "a", "--metadata", "shut"], "open or hidden"),
            (["volume", "set", "a", "--least-on-end", "stay"], "none of deny-io, unmap and kill"),
            (["approve", "7", "--at", "2001-01-01"], "that time has passed"),
            (["approve", "7", "--at", "2001-13-01"], "is a duration as 2h, or a time of UTC"),
            (["extend", "7"], "--for is missing"),
            (["history", "--max", "0"], "must be between 1"),
            (["show", "0"], "ID must be between 1"),
            (["revoke", "--request", "3", "--all"], "exclude each other"),
            (["revoke", "--request", "3", "--wait"], "--wait goes with grants"),
            (["revoke", "--all", "--comment", "x"], "--comment goes with --request"),
            (["approve", "7", "--reason", "fun"], "is not a reason"),
            (["deny", "x"], 'needs a whole number, not "x"'),
            (["revoke"], "say which grants"),
            (["start", "acme", "--all"], "either a VOLUME or --all"),
            (["revoke", "1", "--all"], "exclude each other"),
            (["revoke", "--all", "--pid", "3"], "exclude each other"),
            (["revoke", "--all", "--timeout", "1s"], "goes with --wait"),
            (["revoke", "--all", "--wait", "--timeout", "0s"], "must be longer than 0s"),
            (["revoke", "0"], "ID must be between 1"),
            (["revoke", "4x"], 'not "4x"'),
            (["watch", "--type", "denied,frob"], 'no type of event "frob"'),
            (["grant", *WISH], "--pid is missing"),
            (["grant", "--pid", "1"], "--volume is missing"),
            (["grant", "--pid", "1", "-V", "a"], "--path is missing"),
            (["grant", "--pid", "1", "-V", "a", "-P", ""], "--path is empty"),
            (["grant", "--pid", "1", "-V", "a", "-P", "/abs"], "leave out the leading /"),
            (["grant", "--pid", "1", "-V", "a", "-P", "x"], "--access is missing"),
            (["grant", "--pid", "1", "-V", "a", "-P", "x", "-a", "q"], 'access "q"'),
            (["grant", "--pid", "1", "-V", "a", "-P", "x", "-a", "r"], "--for is missing"),
            (["grant", "--pid", "1", "-V", "a", "-P", "x", "-a", "r", "--for", "1s"], "--reason is missing"),
            (["grant", "-r", "unspecified"], "is no reason"),
            (["grant", "-r", "fun"], 'there is no reason "fun"'),
            (["grant", "-t", long], "longer than 64 bytes"),
            (["grant", "--uses", "0"], "between 1 and 2147483647"),
            (["grant", "--on-end", "stay"], "none of deny-io, unmap and kill"),
            (["grant", "--pid", "1", *WISH, "--file"], '--file contradicts the path "db/"'),
            (["grant", "--pid", "1", *WISH, "--file", "--subtree"], "exclude each other"),
            (["grant", "--pid", "1", *WISH, "--keep-exec", "--next-exec"], "exclude each other"),
            (["exec", *WISH, "--next-exec", "true"], "--next-exec"),
            (["exec", *WISH], "missing argument, expected [--] PROGRAM"),
            (["exec", "true"], "--volume is missing"),
        )
        for arguments, text in cases:
            with self.subTest(arguments=arguments):
                process = subprocess.run([TRUSTGATE, *arguments], capture_output=True, text=True, check=False)
                self.assertEqual(USAGE, process.returncode, process.stderr)
                self.assertIn(text, process.stderr)
                self.assertIn("--help", process.stderr)
                self.assertEqual("", process.stdout)
        self.assertEqual([], self.calls())

    def test_help(self):
        out = subprocess.run([TRUSTGATE, "--help"], capture_output=True, text=True, check=True).stdout
        verbs = re.findall(r"^  ([a-z]+(?: [a-z]+)?)  +\S", out, re.MULTILINE)
        self.assertEqual(29, len(verbs))
        for verb in verbs:
            for option in ("--help", "-h"):
                process = subprocess.run([TRUSTGATE, *verb.split(), option], capture_output=True, text=True, check=True)
                self.assertTrue(process.stdout.startswith(f"Usage: trustgate {verb} "), process.stdout)
                self.assertEqual("", process.stderr)
        version = subprocess.run([TRUSTGATE, "--version"], capture_output=True, text=True, check=True).stdout
        self.assertRegex(version, r"^trustgate \d+\.\d+\.\d+\n$")


if __name__ == "__main__":
    scripted.main()
