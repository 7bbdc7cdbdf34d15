#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""trustgate policy check and policy test, without an agent or a gate.

usage: policy_cli_test.py TRUSTGATE [TEST...]
"""

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import unittest

TRUSTGATE = os.path.abspath(sys.argv[1])
DONE, REFUSED, USAGE = 0, 1, 2
SEC = 1_000_000_000
HEX = "ab" * 32

POLICY = f"""\
volumes:
  - name: acme
    rules:
      - name: secret
        paths: [db/secret]
        deny: true
      - name: postgres
        exe: /usr/lib/postgresql/*/bin/postgres
        digest: sha256:{HEX}
        units: [postgresql@*.service]
        paths: [pgdata]
        allow: {{for: 10m, renew: true, descendants: true, reason: automation}}
      - name: writers
        users: [4711]
        access: [write]
        deny: true
      - name: staff
        login-users: [0]
        access: [read, write]
        ask: {{for: 20m, deadline: 4h}}
"""
REQUEST = ["-V", "acme", "-P", "pgdata/base", "-a", "rw"]
POSTGRES = ["--exe", "/usr/lib/postgresql/17/bin/postgres", "--digest", "sha256:" + HEX,
            "--unit", "postgresql@17-main.service"]


class PolicyTest(unittest.TestCase):
    maxDiff = None

    def setUp(self):
        self.top = tempfile.TemporaryDirectory(prefix="trustgate-policy-")
        self.addCleanup(self.top.cleanup)
        self.file = os.path.join(self.top.name, "policy.yaml")
        self.write(POLICY)

    def write(self, text):
        """Make this the policy."""
        with open(self.file, "w", encoding="utf-8") as file:
            file.write(text)
        os.chmod(self.file, 0o600)

    def run_verb(self, verb, *arguments):
        """Status, standard output and standard error."""
        done = subprocess.run([TRUSTGATE, "policy", verb, *arguments], capture_output=True, text=True, check=False)
        return done.returncode, done.stdout, done.stderr

    def decide(self, *arguments):
        """The decision as JSON."""
        status, out, err = self.run_verb("test", "--file", self.file, "--json=short", *arguments)
        self.assertEqual((DONE, ""), (status, err))
        return json.loads(out)

    def test_check_good(self):
        self.assertEqual((DONE, f"{self.file}: 1 volumes, 4 rules\n", ""), self.run_verb("check", self.file))
        self.write("# nothing is allowed\n")
        self.assertEqual((DONE, f"{self.file}: 0 volumes, 0 rules\n", ""), self.run_verb("check", self.file))

    def test_check_bad(self):
        self.write(POLICY.replace("paths: [pgdata]", "paths: [/pgdata]"))
        self.assertEqual((REFUSED, "", f"trustgate: {self.file}:11: volumes[0].rules[1].paths[0]: \"/pgdata\" begins "
                          "with \"/\"; it is relative to the volume's root\n"), self.run_verb("check", self.file))
        self.write(POLICY + "      - {name: open, ask: {for: 1m, deadline: 1m}}\n      - {name: rest, deny: true}\n")
        status, _, err = self.run_verb("check", self.file)
        self.assertEqual(REFUSED, status)
        self.assertIn(f"{self.file}:22: volumes[0].rules: \"rest\" is never reached: \"open\" in line 21", err)
        missing = self.file + "-missing"
        self.assertEqual((REFUSED, "", f"trustgate: {missing}: does not exist; write it, trustgate-policy.yaml(5) has "
                          "an example\n"), self.run_verb("check", missing))
        os.chmod(self.file, 0o622)
        status, _, err = self.run_verb("check", self.file)
        self.assertEqual(REFUSED, status)
        self.assertIn("chmod go-w", err)

    def test_check_warnings(self):
        self.write(POLICY.replace(f"        digest: sha256:{HEX}\n        units: [postgresql@*.service]\n", ""))
        status, out, err = self.run_verb("check", self.file)
        self.assertEqual(DONE, status)
        self.assertIn("4 rules", out)
        self.assertRegex(err, r':7: warning: rule "postgres" of volume "acme" knows the program by its path alone')
        self.assertEqual(1, len(err.splitlines()))

    def test_default_file(self):
        for verb, arguments in (("check", []), ("test", REQUEST)):
            _, _, err = self.run_verb(verb, *arguments)
            if not os.path.exists("/etc/trustgate/policy.yaml"):
                self.assertIn("trustgate: /etc/trustgate/policy.yaml: does not exist", err)

    def test_allow(self):
        decision = self.decide(*REQUEST, *POSTGRES)
        self.assertEqual({"outcome": "allow", "rule": "postgres", "line": 7, "onDoubt": False,
                          "durationNSec": 600 * SEC, "renew": True, "descendants": True, "reason": "automation"},
                         {name: value for name, value in decision.items() if name not in ("tried", "facts")})
        self.assertEqual([
            {"rule": "secret", "line": 4, "outcome": "deny", "matched": False, "failed": ["paths"], "unknown": [],
             "why": "does not hold: paths"},
            {"rule": "postgres", "line": 7, "outcome": "allow", "matched": True, "failed": [], "unknown": [],
             "why": "all conditions hold"}], decision["tried"])
        self.assertEqual({"volume": "acme", "path": "pgdata/base", "subtree": False, "access": ["read", "write"],
                          "exe": POSTGRES[1], "sha256": HEX, "unit": POSTGRES[5]}, decision["facts"])

    def test_ask(self):
        decision = self.decide(*REQUEST, *POSTGRES[:-1], "none", "--user", "0", "--login-user", "root")
        self.assertEqual(("ask", "staff", 1200 * SEC, 4 * 3600 * SEC),
                         tuple(decision[name] for name in ("outcome", "rule", "durationNSec", "deadlineNSec")))
        self.assertEqual(["units"], decision["tried"][1]["failed"])
        self.assertEqual((0, 0, None), tuple(decision["facts"][name] for name in ("user", "loginUser", "unit")))

    def test_deny(self):
        decision = self.decide("-V", "acme", "-P", "db/secret/key", "-a", "r", "--login-user", "0")
        self.assertEqual(("deny", "secret", False), tuple(decision[name] for name in ("outcome", "rule", "onDoubt")))
        # All of a directory is what is secret in it, too.
        for words in (["-P", "db", "--subtree"], ["-P", "db/"], ["-P", "."]):
            self.assertEqual("secret", self.decide("-V", "acme", "-a", "r", *words)["rule"], words)
        # Nobody's access: no rule.
        decision = self.decide(*REQUEST, "--exe", "/bin/sh", "--user", "5", "--login-user", "none")
        self.assertEqual("deny", decision["outcome"])
        self.assertNotIn("rule", decision)
        self.assertEqual(4, len(decision["tried"]))
        decision = self.decide("-V", "beta", "-P", ".", "-a", "r")
        self.assertEqual(("deny", []), (decision["outcome"], decision["tried"]))

    def test_doubt(self):
        """What is not known allows nothing and denies."""
        words = [word for word in POSTGRES if word not in ("--digest", "sha256:" + HEX)]
        decision = self.decide(*REQUEST, *words)
        self.assertEqual((False, ["digest"]), tuple(decision["tried"][1][name] for name in ("matched", "unknown")))
        # Whoever it is may be the user who must not write.
        self.assertEqual(("deny", "writers", True), tuple(decision[name] for name in ("outcome", "rule", "onDoubt")))
        self.assertEqual("denies on doubt, not known: users", decision["tried"][2]["why"])
        decision = self.decide(*REQUEST, *words, "--user", "0")
        self.assertNotIn("rule", decision)
        self.assertEqual("not known: login-users", decision["tried"][3]["why"])

    def test_access_on_directories(self):
        """The letter w means more there, as it does for a grant."""
        for words, access in ((["-P", "x", "-a", "rw"], ["read", "write"]),
                              (["-P", "x/", "-a", "rw"], ["read", "write", "names"]),
                              (["-P", "x/", "-a", "read,write"], ["read", "write"])):
            self.assertEqual(access, self.decide("-V", "acme", *words)["facts"]["access"], words)

    def test_text(self):
        status, out, _ = self.run_verb("test", "-f", self.file, *REQUEST, *POSTGRES)
        self.assertEqual(DONE, status)
        lines = out.splitlines()
        self.assertEqual(["RULE", "LINE", "OUTCOME", "MATCH", "WHY"], lines[0].split())
        self.assertRegex(lines[1], r"^secret +4 deny +no +does not hold: paths$")
        self.assertRegex(lines[2], r"^postgres +7 allow +yes +all conditions hold$")
        self.assertEqual('allow by rule "postgres": for 10m, renewed while it holds, with descendants, '
                         "reason automation", lines[3])
        cases = (
            (["-V", "acme", "-P", "x", "-a", "r", "--login-user", "0"],
             'ask by rule "staff": at most for 20m, to be approved within 4h'),
            (["-V", "acme", "-P", "x", "-a", "w"], 'deny by rule "writers", on doubt'),
            (["-V", "acme", "-P", "x", "-a", "x"], "deny: no rule is for it"),
            (["-V", "a\x1bb", "-P", "x", "-a", "r"], r'deny: the policy has no rules for volume "a\x1bb"'),
        )
        for words, verdict in cases:
            _, out, _ = self.run_verb("test", "-f", self.file, *words)
            self.assertEqual(verdict, out.splitlines()[-1])
        _, out, _ = self.run_verb("test", "-f", self.file, *REQUEST, *POSTGRES, "-n", "-o", "rule,match")
        self.assertEqual([["secret", "no"], ["postgres", "yes"]], [line.split() for line in out.splitlines()[:2]])

    def sleeper(self, program):
        """A process that executes a program for as long as the test lasts."""
        process = subprocess.Popen([program, "600"])

        def end():
            process.kill()
            process.wait()
        self.addCleanup(end)
        for _ in range(1000):
            if os.readlink(f"/proc/{process.pid}/exe") == program:
                break
            time.sleep(0.01)
        return process

    def test_process(self):
        program = os.path.join(os.path.realpath(self.top.name), "prog*am")
        shutil.copy(os.path.realpath(shutil.which("sleep")), program)
        pid = str(self.sleeper(program).pid)
        facts = self.decide(*REQUEST, "--pid", pid)["facts"]
        with open(program, "rb") as file:
            self.assertEqual(hashlib.sha256(file.read()).hexdigest(), facts["sha256"])
        self.assertEqual((program, os.getuid()), (facts["exe"], facts["user"]))
        # Whether the filesystem has fs-verity or not, this file does not.
        self.assertIsNone(facts["fsverity"])
        with open(f"/proc/{pid}/cgroup", encoding="utf-8") as file:
            cgroup = re.search(r"^0::(.*)$", file.read(), re.MULTILINE)
        self.assertEqual(cgroup and cgroup.group(1), facts.get("cgroup"))
        try:
            with open(f"/proc/{pid}/loginuid", encoding="utf-8") as file:
                login = int(file.read())
            self.assertEqual(None if login == 2**32 - 1 else login, facts["loginUser"])
        except FileNotFoundError:
            self.assertNotIn("loginUser", facts)

        # A program that is not there any more has no path; what it was can be read.
        os.unlink(program)
        facts = self.decide(*REQUEST, "--pid", pid)["facts"]
        self.assertNotIn("exe", facts)
        self.assertIn("sha256", facts)
        # What is given counts more.
        facts = self.decide(*REQUEST, "--pid", pid, *POSTGRES, "--user", "7", "--login-user", "8", "--cgroup",
                            "/x", "--digest", "fsverity-sha256:" + HEX)["facts"]
        self.assertEqual([POSTGRES[1], HEX, HEX, 7, 8, POSTGRES[5], "/x"], [facts[name] for name in (
            "exe", "sha256", "fsverity", "user", "loginUser", "unit", "cgroup")])
        _, out, _ = self.run_verb("test", "-f", self.file, *REQUEST, "--pid", pid)
        self.assertRegex(out, r"(?m)^ +exe  not known$")
        self.assertRegex(out, rf"(?m)^ +user  {os.getuid()}$")

    def test_no_process(self):
        process = subprocess.Popen(["true"])
        process.wait()
        status, out, err = self.run_verb("test", "-f", self.file, *REQUEST, "--pid", str(process.pid))
        self.assertEqual((REFUSED, "", f"trustgate: there is no process {process.pid}\n"), (status, out, err))

    def test_usage(self):
        cases = (
            (["check", "a", "b"], 'unexpected argument "b"'),
            (["check", "--json"], "there is no option --json"),
            (["test", "x"], 'unexpected argument "x"'),
            (["test"], "--volume is missing"),
            (["test", "-V", "a"], "--path is missing"),
            (["test", "-V", "a", "-P", "x"], "--access is missing"),
            (["test", "-P", "/x"], '--path: "/x" begins with "/"'),
            (["test", "-P", "x/../y"], '--path: "x/../y" contains ".."'),
            (["test", "-a", "q"], 'access "q"'),
            (["test", "--exe", "sh"], '--exe needs an absolute path without "..", not "sh"'),
            (["test", "--cgroup", "/a/../b"], "--cgroup needs an absolute path"),
            (["test", "--digest", "md5:1"], '--digest: "md5:1" begins neither with'),
            (["test", "--user", "nosuchuser0"], '--user: there is no user "nosuchuser0"'),
            (["test", "--user", "none"], '--user: there is no user "none"'),
            (["test", "--login-user", "4294967295"], "--login-user must be between 0 and 4294967294"),
            (["test", "--pid", "0"], "--pid must be between 1"),
            (["test", *REQUEST, "-o", "FROB"], 'there is no column "FROB"'),
        )
        for arguments, text in cases:
            with self.subTest(arguments=arguments):
                status, out, err = self.run_verb(*arguments)
                self.assertEqual((USAGE, ""), (status, out))
                self.assertIn(text, err)
        status, _, err = self.run_verb("frob")
        self.assertEqual(USAGE, status)
        self.assertIn("only policy with check, test", err)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1] + sys.argv[2:], verbosity=2)
