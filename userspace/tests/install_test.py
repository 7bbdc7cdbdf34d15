#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""What "make install" puts where, and that "make uninstall" takes it away.

usage: install_test.py SOURCE BUILD [TEST...]
SOURCE is the top of the tree, BUILD a build directory that is complete.
"""

import glob
import os
import re
import subprocess
import sys
import tempfile
import unittest

SOURCE, BUILD = map(os.path.abspath, sys.argv[1:3])
del sys.argv[1:3]

PROMISED = """
usr/bin/trustgate
usr/sbin/trusteed
usr/include/libtrustgate/trustgate.h
usr/include/libtrustgate/trustgate-grants.h
usr/include/libtrustgate/linux/trustgate.h
usr/lib/sysusers.d/trusteed.conf
usr/share/man/man3/libtrustgate.3
usr/share/man/man5/trusteed.yaml.5
usr/share/man/man5/trustgate-policy.yaml.5
usr/share/man/man8/trusteed.8
usr/share/man/man8/trustgate.8
usr/share/bash-completion/completions/trustgate
""".split()


def files(top):
    """Files and links below a directory, relative to it."""
    found = set()
    for directory, _, names in os.walk(top):
        found |= {os.path.relpath(os.path.join(directory, name), top) for name in names}
    return found


class InstallTest(unittest.TestCase):
    maxDiff = None

    def setUp(self):
        self.top = tempfile.TemporaryDirectory(prefix="trustgate-install-")
        self.addCleanup(self.top.cleanup)
        self.root = os.path.join(self.top.name, "root")
        os.mkdir(os.path.join(self.top.name, "build"))
        os.symlink(BUILD, os.path.join(self.top.name, "build", "userspace"))

    def make(self, target):
        environment = {k: v for k, v in os.environ.items() if k not in ("MAKEFLAGS", "DESTDIR")}
        done = subprocess.run(["make", "-C", SOURCE, target, "BUILD=" + os.path.join(self.top.name, "build"),
                               "DESTDIR=" + self.root], env=environment, capture_output=True, text=True, check=False)
        self.assertEqual(0, done.returncode, done.stdout + done.stderr)

    def only(self, pattern):
        """The one file that a pattern stands for."""
        found = glob.glob(os.path.join(self.root, pattern), recursive=True)
        self.assertEqual(1, len(found), f"{pattern}: {found}")
        return found[0]

    def test_install(self):
        self.make("install")
        installed = files(self.root)
        self.assertEqual(set(), set(PROMISED) - installed)
        self.assertTrue(os.path.isdir(os.path.join(self.root, "etc/trustgate")))
        with open(self.only("usr/lib*/**/trusteed.service"), encoding="utf-8") as unit:
            text = unit.read()
        program = re.search(r"^ExecStart=(\S+)$", text, re.MULTILINE).group(1)
        self.assertTrue(os.access(self.root + program, os.X_OK), program)
        user = re.search(r"^User=(\S+)$", text, re.MULTILINE).group(1)
        with open(os.path.join(self.root, "usr/lib/sysusers.d/trusteed.conf"), encoding="utf-8") as users:
            self.assertRegex(users.read(), rf"(?m)^u {user} ")
        self.only("usr/share/zsh/*/_trustgate")
        # Not enabled, and of use where it is.
        for name, section in (("trustgate-metrics.service", "Service"), ("trustgate-metrics.timer", "Timer")):
            with open(self.only(f"usr/lib*/**/{name}"), encoding="utf-8") as unit:
                self.assertIn(f"[{section}]", unit.read())
        self.assertEqual([], glob.glob(os.path.join(self.root, "**/*.wants"), recursive=True))
        with open(self.only("usr/lib*/**/trustgate-metrics.service"), encoding="utf-8") as unit:
            command = re.search(r"^ExecStart=(\S+) metrics ", unit.read(), re.MULTILINE).group(1)
        self.assertTrue(os.access(self.root + command, os.X_OK), command)
        # Whoever builds against the library finds all that its header includes.
        library = self.only("usr/lib*/**/libtrustgate.so")
        subprocess.run([os.environ.get("CC", "cc"), "-x", "c", "-fsyntax-only", "-Wall", "-Werror",
                        "-I", os.path.join(self.root, "usr/include/libtrustgate"), "-"],
                       input="#include <trustgate.h>\nint main(void) { return !trustgate_version(); }\n",
                       text=True, check=True)
        self.assertTrue(os.path.exists(library), "the link leads to the library")
        self.only("usr/lib*/**/pkgconfig/libtrustgate.pc")

        # What others have written stays, be it in a directory of ours.
        kept = {"etc/trustgate/trusteed.yaml", "usr/include/libtrustgate/other.h", "usr/bin/other"}
        for name in kept:
            with open(os.path.join(self.root, name), "w", encoding="utf-8"):
                pass
        self.make("uninstall")
        self.assertEqual(kept, files(self.root))
        os.unlink(os.path.join(self.root, "usr/include/libtrustgate/other.h"))
        self.make("uninstall")
        self.assertFalse(os.path.exists(os.path.join(self.root, "usr/include/libtrustgate")))
        self.assertTrue(os.path.isdir(os.path.join(self.root, "usr/include")))

    def uninstall_host(self, state):
        """What "make uninstall" does to a host whose systemd says so; nothing is removed.

        Answers its status, what it said and what it asked of systemd."""
        tools = os.path.join(self.top.name, "tools")
        asked = os.path.join(self.top.name, "asked")
        os.makedirs(tools, exist_ok=True)
        # Without a list of what there is to remove, it cannot go on.
        for name, text in (("systemctl", f'echo "$*" >>"{asked}"\ncase "$*" in {state}) exit 0 ;; esac\nexit 3\n'),
                           ("meson", f'echo meson >>"{asked}"\nexit 1\n')):
            with open(os.path.join(tools, name), "w", encoding="utf-8") as tool:
                tool.write("#!/bin/sh\n" + text)
            os.chmod(os.path.join(tools, name), 0o755)
        environment = {k: v for k, v in os.environ.items() if k != "DESTDIR"}
        environment.update(PATH=tools + ":" + os.environ["PATH"], MESON=os.path.join(tools, "meson"))
        done = subprocess.run([os.path.join(SOURCE, "userspace/uninstall"), BUILD], env=environment,
                              capture_output=True, text=True, check=False)
        with open(asked, encoding="utf-8") as lines:
            return done.returncode, done.stdout + done.stderr, lines.read().splitlines()

    def test_uninstall_while_the_agent_runs(self):
        status, text, asked = self.uninstall_host("*is-active*|*is-enabled*")
        self.assertEqual(1, status)
        self.assertIn("systemctl disable --now trusteed", text)
        self.assertEqual(["-q is-active trusteed.service"], asked)

    def test_uninstall_disables_the_unit(self):
        _, _, asked = self.uninstall_host("*is-enabled*|disable*")
        self.assertEqual(["-q is-active trusteed.service", "-q is-enabled trusteed.service",
                          "disable trusteed.service", "-q is-enabled trustgate-metrics.timer",
                          "disable --now trustgate-metrics.timer", "meson"], asked)


if __name__ == "__main__":
    unittest.main()
