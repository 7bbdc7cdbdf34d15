#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Help, manual page, completion, header and symbol map say the same.

usage: docs_test.py TRUSTGATE NAMES_DUMP LIBRARY SOURCE [TEST...]
SOURCE is the directory userspace.
"""

import glob
import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

import zsh_completion

TRUSTGATE, NAMES_DUMP, LIBRARY, SOURCE = map(os.path.abspath, sys.argv[1:5])
BASH_COMPLETION = "/usr/share/bash-completion/bash_completion"
# Options that every verb has are described once in the manual page.
SHARED = {"help", "agent", "color", "no-color", "json", "time", "output", "noheadings"}


def read(*path):
    """A source file."""
    with open(os.path.join(SOURCE, *path), encoding="utf-8") as file:
        return file.read()


def run(*words, **options):
    """Standard output of a command that succeeds."""
    return subprocess.run(words, check=True, capture_output=True, text=True, **options).stdout


VERBS = re.findall(r"^  ([a-z]+(?: [a-z]+)?)  +\S", run(TRUSTGATE, "--help"), re.MULTILINE)
HELP = {verb: run(TRUSTGATE, *verb.split(), "--help") for verb in VERBS}


def long_options(verb):
    """Long options in the help of a verb."""
    return set(re.findall(r"^  (?:-[a-zA-Z0-9], |    )--([a-z-]+)", HELP[verb], re.MULTILINE))


def short_options(verb):
    """Short options in the help of a verb."""
    return set(re.findall(r"^  -([a-zA-Z0-9])\b", HELP[verb], re.MULTILINE))


def columns(verb):
    """Columns in the help of a verb."""
    return re.findall(r"^  [* ] ([A-Z-]+) ", HELP[verb], re.MULTILINE)


def names(enum):
    """Names of an enum in the library."""
    return re.findall(rf"^value {enum} (\S+) ", run(NAMES_DUMP), re.MULTILINE)


class ManualTest(unittest.TestCase):
    """trustgate(8) and libtrustgate(3)."""

    maxDiff = None

    def sections(self):
        """Text of each verb's subsection."""
        parts = re.split(r"^\.Ss (.*)$|^\.Sh .*$", read("man", "trustgate.8"), flags=re.MULTILINE)
        return {parts[i]: parts[i + 1] for i in range(1, len(parts) - 1, 2) if parts[i]}

    def test_verbs(self):
        self.assertEqual(29, len(VERBS))
        self.assertEqual(VERBS, list(self.sections()))

    def test_options(self):
        """Each verb's own options, no more and no fewer."""
        sections = self.sections()
        for verb in VERBS:
            described = set(re.findall(r"Fl -([a-z][a-z-]*)", "\n".join(
                line for line in sections[verb].splitlines() if line.startswith(".It "))))
            # These two are described with the verbs whose options they share.
            if verb == "volume set":
                described |= {"max-duration", "on-agent-loss", "record", "metadata", "least-on-end", "ask"}
            self.assertEqual(long_options(verb) - SHARED, described, verb)

    def test_short_options(self):
        page = read("man", "trustgate.8")
        for verb in VERBS:
            for letter in short_options(verb):
                self.assertRegex(page, rf"(?m)^\.It Fl {letter} , Fl -", f"{verb} -{letter}")

    def test_columns(self):
        sections = self.sections()
        for verb in VERBS:
            described = re.findall(r"\b[A-Z][A-Z-]+\b", " ".join(re.findall(
                r"^\.Cm ([A-Z].*)$", sections[verb], re.MULTILINE)))
            self.assertEqual(columns(verb), described, verb)

    def test_names(self):
        """Reasons and types of events are complete."""
        page = " ".join(read("man", "trustgate.8").split())
        for enum, skipped in (("reason", {"unspecified"}), ("event-type", set()), ("access", set()),
                              ("on-agent-loss", set()), ("gate-state", set()), ("record", set()),
                              ("metadata", set())):
            for name in set(names(enum)) - skipped:
                self.assertRegex(page, rf"(\.Cm|\.Pq|,|\.) {name}\b", f"{enum} {name}")

    def test_exit_codes(self):
        header = read("trustgate", "cli.h")
        codes = sorted(int(code) for code in re.findall(r"^\tEXIT_[A-Z_]+ = (\d+),", header, re.MULTILINE))
        page = read("man", "trustgate.8").split(".Sh EXIT STATUS")[1].split(".Sh ")[0]
        self.assertEqual(codes, [int(code) for code in re.findall(r"^\.It (\d+)$", page, re.MULTILINE)])
        self.assertEqual(7, len(codes))

    def test_lint(self):
        if not shutil.which("mandoc"):
            self.skipTest("mandoc is missing: apt install mandoc")
        pages = [os.path.join(SOURCE, "man", name) for name in ("trustgate.8", "trustgate-policy.yaml.5", "libtrustgate.3")]
        result = subprocess.run(["mandoc", "-T", "lint", *pages], capture_output=True, text=True, check=False)
        # Whether the other pages are installed is no fault of these.
        complaints = [line for line in (result.stdout + result.stderr).splitlines()
                      if "referenced manual not found" not in line and "outdated mandoc.db" not in line]
        self.assertEqual([], complaints)


class PolicyPageTest(unittest.TestCase):
    """trustgate-policy.yaml(5) has every key, and its example is good."""

    def test_keys(self):
        page = read("man", "trustgate-policy.yaml.5")
        keys = re.findall(r'^\t\{ "([a-z-]+)", (?:true|false), ', read("policy", "policy_load.c"), re.MULTILINE)
        self.assertEqual(21, len(keys))
        described = re.findall(r"^\.It Sy ([a-z-]+)$", page, re.MULTILINE)
        self.assertEqual(sorted(keys), sorted(described))

    def test_example(self):
        """The example is a good policy, without a warning."""
        page = read("man", "trustgate-policy.yaml.5")
        example = page.split(".Bd -literal\n")[1].split("\n.Ed")[0].replace("\\&", "")
        for user in ("dba", "backup"):
            example = example.replace(f"[{user}]", "[root]")
        with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
            file.write(example)
            file.flush()
            done = subprocess.run([TRUSTGATE, "policy", "check", file.name], capture_output=True, text=True,
                                  check=False)
        self.assertEqual((0, ""), (done.returncode, done.stderr))


def public_header():
    """trustgate.h and the headers that it consists of."""
    header = read("libtrustgate", "trustgate.h")
    parts = re.findall(r'^#include "(.*)"$', header, re.MULTILINE)
    return header + "".join(read("libtrustgate", part) for part in parts)


class LibraryTest(unittest.TestCase):
    """Header, map, manual page and the library itself."""

    def header(self):
        """Functions that the header declares and the library defines."""
        text = re.sub(r"/\*.*?\*/", "", public_header(), flags=re.DOTALL)
        text = re.sub(r"static inline[^;]*?\{.*?\n\}", "", text, flags=re.DOTALL)
        return set(re.findall(r"\b(trustgate_[a-z_]+)\(", text))

    def test_installed(self):
        """No header that the library offers is left out of the build or of trustgate.h."""
        files = set(glob.glob("trustgate*.h", root_dir=os.path.join(SOURCE, "libtrustgate")))
        build = read("libtrustgate", "meson.build")
        included = set(re.findall(r'^#include "(.*)"$', read("libtrustgate", "trustgate.h"), re.MULTILINE))
        self.assertEqual(files, set(re.findall(r"'(trustgate[\w-]*\.h)'", build)))
        self.assertEqual(files, included | {"trustgate.h"})

    def test_map(self):
        exported = set(re.findall(r"^\t(trustgate_[a-z_]+);$", read("libtrustgate", "libtrustgate.map"), re.MULTILINE))
        self.assertGreater(len(exported), 40)
        self.assertEqual(self.header(), exported)

    def test_library(self):
        symbols = run("nm", "-D", "--defined-only", LIBRARY)
        defined = set(re.findall(r" T (\w+)@@LIBTRUSTGATE_0$", symbols, re.MULTILINE))
        self.assertEqual(self.header(), defined)
        self.assertEqual([], re.findall(r" [TDBR] (?!_init|_fini)(\w+)$", symbols, re.MULTILINE))

    def test_soname(self):
        self.assertIn("[libtrustgate.so.0]", run("readelf", "-d", LIBRARY))

    def test_kernel_doc(self):
        """Every function has a comment that names each of its parameters."""
        header = public_header()
        for name in sorted(self.header()):
            comment = re.search(rf"/\*\*\n \* {name}\(\) - .*?\*/", header, re.DOTALL)
            self.assertIsNotNone(comment, name)
            arguments = re.search(rf"\b{name}\(([^;]*?)\)\s*(?:;|__attr)", re.sub(
                r"/\*.*?\*/", "", header, flags=re.DOTALL), re.DOTALL).group(1)
            for argument in re.findall(r"(\w+)(?:\[[A-Z_0-9]*\])?\s*(?:,|$)", arguments):
                if argument != "void":
                    self.assertIn(f"@{argument}:", comment.group(0), name)

    def test_manual(self):
        described = set(re.findall(r"^\.Fn (trustgate_[a-z_]+)", read("man", "libtrustgate.3"), re.MULTILINE))
        self.assertEqual(set(), self.header() - described)
        inline = set(re.findall(r"^static inline [\w \*]*?(trustgate_\w+)\(", public_header(),
                                re.MULTILINE))
        self.assertEqual(set(), described - self.header() - inline)

    def test_example(self):
        """The example of the manual page compiles as it is printed."""
        page = read("man", "libtrustgate.3")
        example = page.split(".Bd -literal -offset indent\n")[1].split("\n.Ed")[0].replace("\\e", "\\")
        declarations, statements = example.split("\n\n", maxsplit=1)
        program = ("#include <err.h>\n#include <poll.h>\n#include <stdio.h>\n#include <trustgate.h>\n"
                   f"int main(void)\n{{\n{declarations}\n{statements}\nreturn 0;\n}}\n")
        subprocess.run([os.environ.get("CC", "cc"), "-x", "c", "-Wall", "-Wextra", "-Werror", "-fsyntax-only",
                        "-I", os.path.join(SOURCE, "libtrustgate"), "-I", os.path.join(SOURCE, "../kmod/uapi"), "-"],
                       input=program, text=True, check=True)


@unittest.skipUnless(os.path.exists(BASH_COMPLETION), "bash-completion is missing: apt install bash-completion")
class CompletionTest(unittest.TestCase):
    """What bash offers, compared with the help."""

    maxDiff = None

    def complete(self, line, stub="echo acme; echo other"):
        """The words offered at the end of a line."""
        words = re.findall(r"=|[^ =]+", line) + ([""] if line.endswith(" ") else [])
        script = f"""
            source {BASH_COMPLETION}
            source {SOURCE}/completion/trustgate
            trustgate() {{ {stub}; }}
            COMP_LINE=$1 COMP_POINT=${{#1}}; shift
            COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
            _trustgate
            printf '%s\\n' "${{COMPREPLY[@]}}"
        """
        out = run("bash", "--norc", "-c", script, "bash", line, *words)
        return [word for word in out.splitlines() if word]

    def test_verbs(self):
        offered = self.complete("trustgate ")
        self.assertEqual({verb.split()[0] for verb in VERBS} | {"--help", "--version"}, set(offered))
        for first in {verb.split()[0] for verb in VERBS if " " in verb}:
            self.assertEqual({verb.split()[1] for verb in VERBS if verb.startswith(first + " ")} | {"--help"},
                             set(self.complete(f"trustgate {first} ")), first)
        self.assertEqual(["grant", "grants"], sorted(self.complete("trustgate gr")))

    def test_options(self):
        for verb in VERBS:
            self.assertEqual({f"--{option}" for option in long_options(verb)},
                             set(self.complete(f"trustgate {verb} --")), verb)

    def test_columns(self):
        for verb in VERBS:
            if columns(verb):
                self.assertEqual(columns(verb), self.complete(f"trustgate {verb} --output "), verb)
        self.assertEqual(["ID,EXPIRES"], self.complete("trustgate grants -o ID,EX"))

    def test_values(self):
        self.assertEqual(names("reason")[1:], self.complete("trustgate grant --reason "))
        self.assertEqual(names("access"), self.complete("trustgate exec --access "))
        self.assertEqual(["read,write"], self.complete("trustgate exec -a read,w"))
        self.assertEqual(names("on-agent-loss"), self.complete("trustgate volume add a / --on-agent-loss "))
        self.assertEqual(names("metadata"), self.complete("trustgate volume set a --metadata "))
        self.assertEqual(names("on-end"), self.complete("trustgate volume set a --least-on-end "))
        self.assertEqual(names("record") + ["none"], self.complete("trustgate volume set a --record "))
        self.assertEqual(names("event-type"), self.complete("trustgate watch --type "))
        self.assertEqual(["--json=pretty"], self.complete("trustgate grants --json=p"))
        self.assertEqual(["--time=relative"], self.complete("trustgate grants --time=r"))
        self.assertIn("1", self.complete("trustgate grant --pid 1"))
        self.assertEqual(["root"], self.complete("trustgate policy test --user roo"))
        self.assertEqual(["none"], self.complete("trustgate policy test --login-user non"))
        self.assertEqual(["/usr"], self.complete("trustgate policy test --exe /us"))
        self.assertEqual(["/usr"], self.complete("trustgate policy test --file /us"))
        self.assertEqual(["/usr"], self.complete("trustgate policy check /us"))
        # The same word has no value there.
        self.assertEqual(["--file"], self.complete("trustgate grant --file --fil"))

    def test_agent_values(self):
        """Names of volumes and numbers of grants come from the agent."""
        for line in ("trustgate grants --volume ", "trustgate volume del ", "trustgate volume list ",
                     "trustgate revoke -V ", "trustgate exec --volume="):
            self.assertEqual({"acme", "other"}, {word.split("=")[-1] for word in self.complete(line)}, line)
        self.assertEqual(["17"], self.complete("trustgate revoke ", stub="echo 17"))
        self.assertEqual([], self.complete("trustgate revoke ", stub="echo no agent >&2; return 3"))
        # A name is whatever a trustee has thought of: it must not be executed.
        stub = "printf '%s\\n' 'a$(echo>&2${IFS}executed)' 'b;x' '`c`'"
        self.assertEqual([r"a\$\(echo\>\&2\$\{IFS\}executed\)", r"b\;x", r"\`c\`"],
                         self.complete("trustgate volume del ", stub=stub))
        self.assertEqual([r"b\;x"], self.complete("trustgate grants -V b", stub=stub))

    def test_program(self):
        """Behind exec's options the program's own completion takes over."""
        self.assertIn("sha256sum", self.complete("trustgate exec --volume acme sha256s"))
        self.assertIn("sha256sum", self.complete("trustgate exec --volume acme -- sha256s"))
        self.assertIn("/usr", self.complete("trustgate exec -V acme cat /us"))
        self.assertIn("/usr", self.complete("trustgate exec -V acme -- cat /us"))


@unittest.skipUnless(shutil.which("zsh"), "zsh is missing: apt install zsh")
class ZshCompletionTest(unittest.TestCase):
    """What zsh offers, compared with the help."""

    maxDiff = None

    @classmethod
    def setUpClass(cls):
        cls.zsh = zsh_completion.Zsh(os.path.join(SOURCE, "completion"), TRUSTGATE)
        cls.addClassCleanup(cls.zsh.close)

    def complete(self, line, **options):
        """The words offered at the end of a line, each once."""
        return sorted(set(self.zsh.complete(line, **options)))

    def test_verbs(self):
        self.assertEqual(sorted({verb.split()[0] for verb in VERBS} | {"--help", "--version"}),
                         self.complete("trustgate "))
        for first in {verb.split()[0] for verb in VERBS if " " in verb}:
            self.assertEqual(sorted({verb.split()[1] for verb in VERBS if verb.startswith(first + " ")} | {"--help"}),
                             self.complete(f"trustgate {first} "), first)
        self.assertEqual(["grant", "grants"], self.complete("trustgate gr"))

    def test_options(self):
        for verb in ("status", "grant", "volume set", "top", "metrics", "policy test", "journal verify"):
            self.assertEqual(sorted(f"--{option}" for option in long_options(verb)),
                             self.complete(f"trustgate {verb} --"), verb)

    def test_columns(self):
        for verb in ("grants", "volume list", "policy test"):
            self.assertEqual(sorted(columns(verb)), self.complete(f"trustgate {verb} --output "), verb)

    def test_values(self):
        for line, expected in (
                ("grant --reason ", names("reason")[1:]), ("grant -r inc", ["incident"]),
                ("grant --access ", names("access")), ("volume set a --metadata ", names("metadata")),
                ("volume set a --on-agent-loss ", names("on-agent-loss")),
                ("volume set a --least-on-end ", names("on-end")), ("watch --type ", names("event-type")),
                ("grants --json=p", ["pretty"]), ("grants --time ", ["relative", "absolute", "both", "boottime"]),
                ("status --color=n", ["never"])):
            self.assertEqual(sorted(expected), self.complete(f"trustgate {line}"), line)

    def test_agent_values(self):
        """Volumes, grants and requests come from the agent; nothing in them is executed."""
        for line in ("grants --volume ", "volume del ", "volume list ", "verify ", "top -V ", "stop ", "start ", "observe "):
            self.assertEqual(["acme", "other"], self.complete(f"trustgate {line}"), line)
        stub = "print -r -- '  17 acme db/$(touch /executed) sqlite3'; print -r -- '   4 acme x:y cat'"
        for line in ("revoke ", "approve ", "deny ", "show ", "extend ", "revoke --request ", "watch --grant "):
            self.assertEqual(["17", "4"], self.complete(f"trustgate {line}", stub=stub), line)
        stub = "print -r -- 'a$(touch executed)'; print -r -- 'b;x'"
        self.assertEqual([r"a\$\(touch\ executed\)", r"b\;x"], self.complete("trustgate volume del ", stub=stub))
        self.assertEqual([], self.complete("trustgate revoke ", stub="print no agent >&2; return 3"))

    def test_program(self):
        self.assertIn("sha256sum", self.complete("trustgate exec --volume acme -- sha256s"))


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1] + sys.argv[5:], verbosity=2)
