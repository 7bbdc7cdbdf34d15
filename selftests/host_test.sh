#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# host_test - the tests, run as on a host that is not of the bed.
#
# There they make their filesystems in files and mount them by way of loop
# devices. Owns: that they find these by themselves, pass, and give them back.

cd "$(dirname "$0")" || exit 1
tests="mount_test mmap_test"
images='/var/tmp/trustgate-selftest.*'
log=$(mktemp)
trap 'rm -f "$log"' EXIT

count=0 failed=0
result()
{
	count=$((count + 1))
	if [ "$1" = 0 ]; then
		echo "ok $count $2"
	else
		echo "not ok $count $2"
		failed=1
	fi
}

# Requests that loop devices have served so far.
served()
{
	cat /sys/block/loop*/stat 2>/dev/null | awk '{ n += $1 + $5 } END { print n + 0 }'
}

has_served()
{
	[ "$(served)" -gt "$before" ]
}

# Detached for good a moment after the last user is gone.
gone()
{
	local _
	for _ in $(seq 50); do
		losetup -l -n -O BACK-FILE | grep -qF trustgate-selftest ||
			break
		sleep 0.1
	done
	! losetup -l -n -O BACK-FILE | grep -F trustgate-selftest &&
		! compgen -G "$images"
}

echo "1..4"
before=$(served)
# shellcheck disable=SC2086
env -u TRUSTGATE_DISK -u TRUSTGATE_DISK2 -u BED_KERNEL ./run $tests >"$log" 2>&1
result $? "the tests pass"
grep -Eq '^# [1-9][0-9]* passed, 0 failed, 0 skipped$' "$log"
result $? "none of them is skipped"
has_served
result $? "their filesystems are on loop devices"
gone
result $? "neither devices nor files are left"
[ $failed = 0 ] || sed 's/^/# /' "$log"
exit $failed
