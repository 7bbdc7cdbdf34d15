# SPDX-License-Identifier: GPL-2.0-only
"""A strict reader of Prometheus' text format, for the tests that import this."""

import re

NAME = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
LABEL = r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\[\\"n])*)"'
SAMPLE = re.compile(rf"({NAME})(?:\{{((?:{LABEL})(?:,{LABEL})*)\}})? (\+Inf|[0-9]+(?:\.[0-9]+)?)")
SUFFIXES = {"counter": {""}, "gauge": {""}, "histogram": {"_bucket", "_sum", "_count"}}


def need(good, what):
    """Whatever is not as it has to be ends the test."""
    if not good:
        raise AssertionError(what)


def unescape(text):
    """The value of a label."""
    return re.sub(r"\\(.)", lambda match: "\n" if match.group(1) == "n" else match.group(1), text)


def read_samples(lines, name, kind):
    """Samples of one family as {(name, labels): value}; takes them off the lines."""
    samples = {}
    while lines and not lines[0].startswith("#"):
        line = lines.pop(0)
        match = SAMPLE.fullmatch(line)
        need(match, f"no sample: {line!r}")
        need(match.group(1).startswith(name) and match.group(1)[len(name):] in SUFFIXES[kind],
             f"not of the family {name}: {line!r}")
        labels = tuple(sorted((key, unescape(value)) for key, value in re.findall(LABEL, match.group(2) or "")))
        need(len(dict(labels)) == len(labels), f"a label twice: {line!r}")
        need((match.group(1), labels) not in samples, f"a sample twice: {line!r}")
        need(match.group(7) != "+Inf", f"no number: {line!r}")
        samples[match.group(1), labels] = float(match.group(7))
    return samples


def check_histogram(name, samples):
    """Buckets rise, the last is the count."""
    series = {}
    for (sample, labels), value in samples.items():
        rest = tuple(label for label in labels if label[0] != "le")
        one = series.setdefault(rest, {"buckets": []})
        if sample == name + "_bucket":
            one["buckets"].append((float(dict(labels)["le"].replace("+Inf", "inf")), value))
        else:
            one[sample[len(name):]] = value
    for labels, one in series.items():
        need(set(one) == {"buckets", "_sum", "_count"}, f"{name}{labels} is not complete")
        need(one["buckets"] == sorted(one["buckets"]) and [value for _, value in one["buckets"]] ==
             sorted(value for _, value in one["buckets"]), f"{name}{labels}: the buckets do not rise")
        need(one["buckets"][-1] == (float("inf"), one["_count"]), f"{name}{labels}: the last bucket is not the count")


def read(text):
    """All samples as {name: {labels: value}}, labels as a frozenset of pairs; checks every rule."""
    need(text.endswith("\n"), "the last line does not end")
    lines = text[:-1].split("\n")
    found, families = {}, set()
    while lines:
        header = re.fullmatch(rf"# HELP ({NAME}) (\S.*\.)", lines.pop(0))
        need(header, "a family begins with its help")
        name = header.group(1)
        kind = re.fullmatch(rf"# TYPE {name} (counter|gauge|histogram)", lines.pop(0) if lines else "")
        need(kind, f"{name}: the type does not follow the help")
        kind = kind.group(1)
        need(name not in families, f"{name} twice")
        families.add(name)
        need(name.startswith("trustgate_"), f"{name} has not our prefix")
        need((kind == "counter") == name.endswith("_total"), f"{name}: _total is for counters, and only for them")
        need(kind == "counter" or not re.search(r"_(sum|count|bucket)$", name), f"{name} ends badly")
        need(not re.search(r"_(ns|nsec|ms|usec|minutes|hours|kib|mib)(_|$)", name), f"{name} is not in a base unit")
        samples = read_samples(lines, name, kind)
        if kind == "histogram":
            check_histogram(name, samples)
        for (sample, labels), value in samples.items():
            found.setdefault(sample, {})[frozenset(labels)] = value
    return found


def value(found, name, **labels):
    """One sample."""
    return found["trustgate_" + name][frozenset(labels.items())]
