#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""The library's names and numbers are those of the specification.

usage: names_test.py SPECIFICATION NAMES_DUMP
"""

import subprocess
import sys
import unittest

import yaml

SPEC = yaml.safe_load(open(sys.argv[1], encoding="utf-8"))
LINES = subprocess.run([sys.argv[2]], check=True, capture_output=True, text=True).stdout.splitlines()


def entry_name(entry):
    """Entries are either a name or a mapping with one."""
    return entry if isinstance(entry, str) else entry["name"]


class NamesTest(unittest.TestCase):
    """Compares both directions, so that neither side can have more."""

    maxDiff = None

    def test_values(self):
        """Every enum and every flag, with its value."""
        expected = []
        for definition in SPEC["definitions"]:
            if definition["type"] not in ("enum", "flags"):
                continue
            for i, entry in enumerate(definition["entries"]):
                value = 1 << i if definition["type"] == "flags" else i
                expected.append(f"value {definition['name']} {entry_name(entry)} {value}")
        self.assertGreater(len(expected), 40)
        self.assertEqual(sorted(expected), sorted(l for l in LINES if l.startswith("value ")))

    def test_attributes(self):
        """Every attribute with its number, whether it repeats, what it nests."""
        expected = []
        for attribute_set in SPEC["attribute-sets"]:
            if "subset-of" in attribute_set:
                continue
            for i, attribute in enumerate(attribute_set["attributes"]):
                multi = "multi" if attribute.get("multi-attr") else "single"
                nested = attribute.get("nested-attributes", "-")
                for other in SPEC["attribute-sets"]:
                    if other["name"] == nested:
                        nested = other.get("subset-of", nested)
                expected.append(f"attribute {attribute_set['name']} {attribute['name']} {i + 1} {multi} {nested}")
        self.assertGreater(len(expected), 80)
        self.assertEqual(sorted(expected), sorted(l for l in LINES if l.startswith("attribute ")))

    def test_nothing_else(self):
        """No line that is of neither kind."""
        self.assertEqual([], [l for l in LINES if not l.startswith(("value ", "attribute "))])


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], verbosity=2)
