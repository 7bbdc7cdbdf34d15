#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# kunit_test - the unit tests inside the modules (KUnit), as flat TAP.
#
# Loading a module runs its suites; their results stay in debugfs until it is
# unloaded.

debugfs=/sys/kernel/debug/kunit
[ -d $debugfs ] || {
	echo "1..0 # SKIP this kernel has no KUnit"
	exit 4
}

modprobe trustgate_core || {
	echo "1..1"
	echo "not ok 1 trustgate_core loads"
	exit 1
}
modprobe trustgate_core_test || {
	echo "1..1"
	echo "not ok 1 trustgate_core_test loads"
	exit 1
}

# It holds the engine, which later tests unload.
trap 'rmmod trustgate_core_test' EXIT

for suite in "$debugfs"/trustgate*; do
	[ -e "$suite/results" ] || continue
	sed 's/^/# /' "$suite/results"
	sed -n "s/^    \(\(not \)\{0,1\}ok\) [0-9]* \(.*\)/\1\t${suite##*/}.\3/p" \
		"$suite/results"
done | awk -F'\t' '
	/^#/ { print; next }
	{ n++; print $1 " " n " " $2; if ($1 != "ok") bad = 1 }
	END {
		if (!n) {
			print "not ok 1 the modules have unit tests"
			n = bad = 1
		}
		print "1.." n
		exit bad
	}'
