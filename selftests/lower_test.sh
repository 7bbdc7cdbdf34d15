#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# lower_test - the agent closes what a volume's device is made of, follows it
# as it changes, and leaves it open where the configuration says so; and all
# devices of a btrfs. Partitions of a disk that is used as a whole, too.
# shellcheck source=selftests/agent.sh
. "$(dirname "$0")/agent.sh"

[ -n "${TRUSTGATE_DISK2-}" ] || skip "no second empty disk (TRUSTGATE_DISK2)"

first=$TRUSTGATE_DISK
second=$TRUSTGATE_DISK2
mapped=tg-lower

clean_up()
{
	:
}

# The volume has to be gone first.
clean_all()
{
	clean
	! dmsetup info tg-again >/dev/null 2>&1 || dmsetup remove tg-again
	! dmsetup info $mapped >/dev/null 2>&1 || dmsetup remove $mapped
	[ ! -e "${first}1" ] || partition 2
}

map()
{
	dmsetup "$1" $mapped --table "$2"
}

reads()
{
	head -c 512 "$1" >/dev/null
}

# As addpart(8) and delpart(8), which not every system has: 1 adds a partition in
# the midst of the first disk, 2 takes it away.
partition()
{
	python3 - "$first" "$1" <<-"END"
	import ctypes, fcntl, os, struct, sys
	part = ctypes.create_string_buffer(
	    struct.pack("=qqi64s64s4x", 1 << 20, 1 << 20, 1, b"", b""))
	disk = os.open(sys.argv[1], os.O_RDONLY)
	fcntl.ioctl(disk, 0x1269, struct.pack("=iiixxxxQ", int(sys.argv[2]), 0,
	                                      len(part), ctypes.addressof(part)))
	END
}

prepare()
{
	modprobe dm_mod
	partition 1 && reads "${first}1" || return
	map create "0 262144 linear $first 0"
	TRUSTGATE_DISK=/dev/mapper/$mapped
	make_volume || return
	configure <<-END
	END
	systemctl start trusteed.service
}

is_closed()
{
	! reads "$1"
}

lower()
{
	as tgtrustee trustgate volume list --json |
		python3 -c 'import json, sys; print(json.load(sys.stdin)[0]["lowerDevices"])'
}

closes_what_is_below()
{
	expect fails "the volume's own device is closed" reads /dev/mapper/$mapped
	expect fails "the disk below it is closed" reads "$first"
	expect fails "a partition on its sectors is closed" reads "${first}1"
	expect fails "nobody can map it again" dmsetup create tg-again \
		--table "0 262144 linear $first 0"
	equal "$(lower)" 2 "both are listed"
	expect 0 "another disk is open" reads "$second"
}

follows()
{
	map reload "0 262144 linear $first 0
262144 2048 linear $second 0"
	dmsetup resume $mapped
	eventually 20 "a disk that is added is closed" is_closed "$second"
	expect fails "the first one still is" reads "$first"
	map reload "0 262144 linear $first 0"
	dmsetup resume $mapped
	eventually 20 "one that is taken away is open again" reads "$second"
	expect fails "the first one still is closed" reads "$first"
}

outlives_the_agent()
{
	systemctl kill --signal=KILL trusteed.service
	expect fails "without the agent it is closed" reads "$first"
	eventually 60 "the agent comes back" agent_answers
	expect fails "with it, too" reads "$first"
}

leaves_open()
{
	configure <<-END
	    lower-devices: open
	END
	systemctl reload trusteed.service
	eventually 20 "left open by the configuration" reads "$first"
	expect fails "the volume's own device is closed" reads /dev/mapper/$mapped
	configure <<-END
	    lower-devices: closed
	END
	systemctl reload trusteed.service
	eventually 20 "and closed again" is_closed "$first"
	as tgtrustee trustgate volume del test >/dev/null
	expect 0 "open when it is no volume any more" reads "$first"
}

unmapped()
{
	dmsetup remove $mapped
}

# Two devices, neither of which the filesystem calls its own.
make_btrfs()
{
	modprobe btrfs
	mkfs.btrfs -q -f "$first" "$second" &&
		mount -o "subvolid=5,device=$first,device=$second" "$first" $volume ||
		return
	# The disk's partitions may have been read anew meanwhile.
	[ -e "${first}1" ] || partition 1
	reads "${first}1"
}

closes_all_of_a_btrfs()
{
	systemctl stop trusteed.service
	umount $volume
	eventually 20 "the volume is gone" unmapped
	expect 0 "a btrfs is made" make_btrfs
	systemctl start trusteed.service
	eventually 20 "its first device is closed" is_closed "$first"
	eventually 20 "its second device is closed" is_closed "$second"
	expect fails "a partition of the first is closed" reads "${first}1"
	equal "$(lower)" 3 "all three are listed"
	trustgate verify test >/run/tg-test/verified
	expect 0 "verify finds the one closed" grep -E \
		"closed.*$first .*cannot be opened" /run/tg-test/verified
	expect 0 "verify finds the other closed" grep -E \
		"closed.*$second .*cannot be opened" /run/tg-test/verified
	as tgtrustee trustgate volume del test >/dev/null
	expect 0 "open when it is no volume any more" reads "$second"
}

trap clean_all EXIT
prepared prepare
closes_what_is_below
follows
outlives_the_agent
leaves_open
closes_all_of_a_btrfs
finish
