#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""The verbs of trustgate journal, and the account's format a second time.

usage: account_test.py TRUSTGATE ACCOUNT_TEST [TEST...]
The hashes are computed here from Documentation/userspace-api/trustgate-account.rst.
"""

import base64
import hashlib
import json
import os
import pty
import sqlite3
import struct
import subprocess
import sys
import tempfile
import unittest

TRUSTGATE, ACCOUNT_TEST = map(os.path.abspath, sys.argv[1:3])


def fields(*parts):
    """Each with its length before it."""
    return b"".join(struct.pack(">I", len(part)) + part for part in parts)


def number(value):
    """Eight bytes; nothing for no number."""
    return b"" if value is None else struct.pack(">Q", value)


def entry_hash(line):
    """Hash of an entry of the export, from all else in it."""
    body = json.dumps(line["body"], sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(fields(
        b"trustgate account entry 1", bytes.fromhex(line["store"]), number(line["seq"]),
        bytes.fromhex(line["bootId"]), number(int(line["realtimeNSec"])), number(int(line["boottimeNSec"])),
        line["kind"].encode(), number(line.get("kernelSeq")), number(line.get("kernelMissed")),
        body.encode(), bytes.fromhex(line["previous"]))).hexdigest()


class JournalTest(unittest.TestCase):
    """One account of 41 entries for each test."""

    def setUp(self):
        directory = tempfile.TemporaryDirectory(prefix="trustgate-journal-")
        self.addCleanup(directory.cleanup)
        self.directory = directory.name
        subprocess.run([ACCOUNT_TEST, self.directory], check=True, stdout=subprocess.DEVNULL)
        self.file = os.path.join(self.directory, "sample")

    def run_cli(self, verb, *options, **more):
        """Run a verb, give (code, stdout, stderr)."""
        result = subprocess.run([TRUSTGATE, "journal", verb, "--file", self.file, *options], text=True,
                                capture_output=True, check=False, **more)
        return result.returncode, result.stdout, result.stderr

    def keep(self, name, text):
        """A file with this text."""
        path = os.path.join(self.directory, name)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        return path

    def tamper(self, *statements):
        """Change the account as one who can write it."""
        with sqlite3.connect(self.file) as db:
            for table in ("entry", "checkpoint"):
                for what in ("update", "delete"):
                    db.execute(f"DROP TRIGGER {table}_{what}")
            for statement in statements:
                db.execute(statement)
        db.close()

    def export(self, *options):
        """The entries that an export gives."""
        code, out, err = self.run_cli("export", *options)
        self.assertEqual((0, ""), (code, err))
        return [json.loads(line) for line in out.splitlines()]

    def test_export(self):
        lines = self.export()
        self.assertEqual(list(range(1, 42)), [line["seq"] for line in lines])
        before = "00" * 32
        for line in lines:
            self.assertEqual(before, line["previous"])
            before = entry_hash(line)
            self.assertEqual(before, line["hash"])
        self.assertEqual("genesis", lines[0]["kind"])
        self.assertEqual(lines[0]["store"], lines[0]["body"]["store"])
        self.assertEqual({"n": 39}, lines[40]["body"])
        self.assertEqual((125, 5), (lines[21]["kernelSeq"], lines[21]["kernelMissed"]))

    def test_filters(self):
        self.assertEqual([40, 41], [line["seq"] for line in self.export("--from", "40")])
        self.assertEqual({"denied"}, {line["kind"] for line in self.export("--kind", "denied")})
        self.assertEqual(41, len(self.export("--since", "1h")))
        self.assertEqual(41, len(self.export("--since", "2001-02-03T04:05:06Z")))
        self.assertEqual([], self.export("--since", "2200-01-01"))
        for options in (["--since", "2001-99-01"], ["--since", "x"], ["--from", "0"], ["--kind", "A"]):
            self.assertEqual(2, self.run_cli("export", *options)[0], options)

    def test_signature(self):
        """OpenSSL's own program agrees, with the message made here."""
        _, head, _ = self.run_cli("head")
        word, form, store, seq, digest, moment, signature = head.strip().split(":")
        self.assertEqual(("trustgate-account-head", "1", "41"), (word, form, seq))
        message = fields(b"trustgate account checkpoint 1", bytes.fromhex(store), number(int(seq)),
                         bytes.fromhex(digest), number(int(moment)))
        for name, content in (("message", message), ("signature", bytes.fromhex(signature))):
            with open(os.path.join(self.directory, name), "wb") as file:
                file.write(content)
        self.keep("pem", self.run_cli("key")[1])
        subprocess.run(["openssl", "pkeyutl", "-verify", "-pubin", "-inkey", "pem", "-rawin", "-in", "message",
                        "-sigfile", "signature"], cwd=self.directory, check=True, stdout=subprocess.DEVNULL)

    def test_verify(self):
        head = self.run_cli("head")[1]
        key = self.keep("pem", self.run_cli("key")[1])
        code, out, err = self.run_cli("verify", "--key", key, "--expect", head)
        self.assertEqual((0, ""), (code, err))
        self.assertIn("41 entries, intact", out)
        self.assertIn("5 events as lost", out)
        self.assertNotIn("--", out)
        code, out, _ = self.run_cli("verify", "--json")
        result = json.loads(out)
        self.assertEqual(0, code)
        self.assertEqual((True, False, 41, 41, 5, []), tuple(result[name] for name in (
            "intact", "keyPinned", "entries", "signed", "kernelMissed", "findings")))
        self.assertIn("--key", self.run_cli("verify")[1])

        self.tamper("DELETE FROM entry WHERE seq > 31", "DELETE FROM checkpoint WHERE seq > 31")
        self.assertEqual(0, self.run_cli("verify")[0])
        code, out, _ = self.run_cli("verify", "--expect", head)
        self.assertEqual(1, code)
        self.assertIn("entry 41: truncated", out)

    def test_found(self):
        self.tamper("UPDATE entry SET body = '{}' WHERE seq = 15")
        code, out, _ = self.run_cli("verify")
        self.assertEqual(1, code)
        self.assertIn("entry 15: changed", out)
        self.assertIn("NOT INTACT", out)
        code, out, _ = self.run_cli("verify", "--json")
        self.assertEqual([(15, "changed")], [(one["seq"], one["kind"]) for one in json.loads(out)["findings"]])
        code, out, err = self.run_cli("export")
        self.assertEqual((1, 14), (code, len(out.splitlines())))
        self.assertIn("entry 15: changed", err)

    def rehash(self, last):
        """Change entry 15, and compute hashes anew from there up to the last."""
        lines = self.export()
        lines[14]["body"] = {"n": 99}
        statements = ["UPDATE entry SET body = '{\"n\":99}' WHERE seq = 15"]
        for at in range(14, last):
            lines[at]["previous"] = lines[at - 1]["hash"]
            lines[at]["hash"] = entry_hash(lines[at])
            statements.append("UPDATE entry SET previous = x'{previous}', hash = x'{hash}' WHERE seq = {seq}"
                              .format(**lines[at]))
        self.tamper(*statements)

    def test_rehashed_entry(self):
        self.rehash(15)
        self.assertIn("entry 16: unchained", self.run_cli("verify")[1].splitlines()[0])

    def test_rehashed_chain(self):
        """Who computes the whole chain anew still lacks the key."""
        self.rehash(41)
        code, out, _ = self.run_cli("verify")
        self.assertEqual(1, code)
        self.assertEqual([f"entry {seq}: unsigned: the entry is not the one that was signed" for seq in (21, 31, 41)],
                         out.splitlines()[:3])

    def test_wrong_key(self):
        der = bytes.fromhex("302a300506032b6570032100") + bytes(range(32))
        pem = f"-----BEGIN PUBLIC KEY-----\n{base64.b64encode(der).decode()}\n-----END PUBLIC KEY-----\n"
        code, out, _ = self.run_cli("verify", "--key", self.keep("pem", pem))
        self.assertEqual(1, code)
        self.assertIn("entry 0: foreign", out)

    def test_never_writes(self):
        names = sorted(os.listdir(self.directory))
        with open(self.file, "rb") as file:
            content = file.read()
        for verb in ("verify", "export", "head", "key"):
            self.assertEqual(0, self.run_cli(verb)[0])
        self.assertEqual(names, sorted(os.listdir(self.directory)))
        with open(self.file, "rb") as file:
            self.assertEqual(content, file.read())

    def test_output_fails(self):
        with open("/dev/full", "w", encoding="utf-8") as full:
            result = subprocess.run([TRUSTGATE, "journal", "export", "--file", self.file], stdout=full,
                                    stderr=subprocess.PIPE, text=True, check=False)
        self.assertEqual(1, result.returncode)
        self.assertIn("No space left", result.stderr)
        reader, writer = os.pipe()
        os.close(reader)
        result = subprocess.run([TRUSTGATE, "journal", "export", "--file", self.file], stdout=writer,
                                stderr=subprocess.PIPE, text=True, check=False)
        os.close(writer)
        self.assertEqual(1, result.returncode)
        self.assertIn("Broken pipe", result.stderr)

    def test_progress(self):
        """What takes a while shows how far it is, on a terminal alone, and leaves nothing of that."""
        os.mkdir(os.path.join(self.directory, "more"))
        subprocess.run([ACCOUNT_TEST, os.path.join(self.directory, "more"), "60000"], check=True,
                       stdout=subprocess.DEVNULL)
        self.file = os.path.join(self.directory, "more", "long")
        for verb in ("verify", "export"):
            parent, child = pty.openpty()
            with subprocess.Popen([TRUSTGATE, "journal", verb, "--file", self.file], stderr=child,
                                  stdout=subprocess.DEVNULL) as process:
                os.close(child)
                shown = b""
                try:
                    while part := os.read(parent, 4096):
                        shown += part
                except OSError:
                    pass
                self.assertEqual(0, process.wait())
            os.close(parent)
            self.assertRegex(shown, rb"^(\r\x1b\[K[0-9]+ of 60[0-9]{3} entries)+\r\x1b\[K$")
        self.assertEqual("", self.run_cli("verify")[2])

    def test_cannot_tell(self):
        self.assertEqual(2, self.run_cli("verify", "--expect", "x")[0])
        self.assertEqual(2, self.run_cli("verify", "--key", "/dev/null")[0])
        self.file = os.path.join(self.directory, "absent")
        for verb, expected in (("verify", 2), ("export", 1), ("head", 1), ("key", 1)):
            code, _, err = self.run_cli(verb)
            self.assertEqual(expected, code)
            self.assertIn("No such file", err)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1] + sys.argv[3:], verbosity=2)
