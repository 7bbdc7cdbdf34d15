#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# nodes_test - character devices that pass commands on to a volume's disk, of NVMe
# and of SCSI: the agent closes them, and leaves those of other disks alone.
# shellcheck source=selftests/agent.sh
. "$(dirname "$0")/agent.sh"

[ -n "${TRUSTGATE_DISK2-}" ] || skip "no second empty disk (TRUSTGATE_DISK2)"

nvmet=/sys/kernel/config/nvmet
name=tg-nodes
scsi=

# NVMe in software: the two disks as namespaces of one controller.
make_nvme()
{
	local subsystem=$nvmet/subsystems/$name disk i=0
	modprobe nvmet && modprobe nvme-loop || return
	mountpoint -q /sys/kernel/config ||
		mount -t configfs configfs /sys/kernel/config || return
	mkdir $subsystem && echo 1 >$subsystem/attr_allow_any_host || return
	for disk in "$TRUSTGATE_DISK" "$TRUSTGATE_DISK2"; do
		i=$((i + 1))
		mkdir $subsystem/namespaces/$i &&
			printf %s "$disk" >$subsystem/namespaces/$i/device_path &&
			echo 1 >$subsystem/namespaces/$i/enable || return
	done
	mkdir $nvmet/ports/1 && echo loop >$nvmet/ports/1/addr_trtype &&
		ln -s $subsystem $nvmet/ports/1/subsystems/$name &&
		echo "transport=loop,nqn=$name" >/dev/nvme-fabrics
}

end_nvme()
{
	local controller
	for controller in /sys/class/nvme/*; do
		[ ! -e "$controller/delete_controller" ] ||
			echo 1 >"$controller/delete_controller"
	done
	rm -f $nvmet/ports/1/subsystems/$name
	rmdir $nvmet/ports/1 $nvmet/subsystems/$name/namespaces/* \
		$nvmet/subsystems/$name
} 2>/dev/null

clean_up()
{
	:
}

clean_all()
{
	clean
	end_nvme
	modprobe -rq scsi_debug
}

# In place of the last one.
make_volume_on()
{
	TRUSTGATE_DISK=$1
	make_volume
}

unmounted()
{
	! mountpoint -q $volume || umount $volume
}

can_open()
{
	: <"$1"
}

cannot_open()
{
	! can_open "$1"
}

# Reads the filesystem's superblock as a command to the disk, and knows it.
commands()
{
	python3 - "$1" <<-"END"
	import ctypes, fcntl, mmap, os, struct, sys
	# The disk below wants whole sectors of memory, too.
	buffer = mmap.mmap(-1, 4096)
	address = ctypes.addressof(ctypes.c_char.from_buffer(buffer))
	# Namespaces are found in any order.
	nsid = int(open("/sys/block/nvme0n1/nsid").read())
	command = struct.pack("<BBHIIIQQ10I", 2, 0, 0, nsid, 0, 0, 0, address,
	                      0, 4096, 0, 0, 7, 0, 0, 0, 0, 0)
	node = os.open(sys.argv[1], os.O_RDONLY)
	result = fcntl.ioctl(node, 0xC0484E43, bytearray(command))
	sys.exit(result != 0 or buffer[1080:1082] != b"\x53\xef")
	END
}

has_disks()
{
	[ -b /dev/nvme0n1 ] && [ -c /dev/ng0n1 ] && [ -c /dev/ng0n2 ]
}

prepare()
{
	local i
	make_nvme || return
	for i in $(seq 100); do
		! has_disks || break
		sleep 0.2
	done
	make_volume_on /dev/nvme0n1 || return
	configure <<-END
	END
}

closes_nvme()
{
	expect 0 "a command to the disk reads the volume" commands /dev/ng0n1
	systemctl start trusteed.service
	eventually 20 "its generic node is closed" cannot_open /dev/ng0n1
	eventually 20 "its controller is closed" cannot_open /dev/nvme0
	expect fails "no command reads it" commands /dev/ng0n1
	expect fails "the disk is closed" can_open /dev/nvme0n1
	expect 0 "another disk of the controller is open" can_open /dev/ng0n2
	expect 0 "so is what is no disk" can_open /dev/zero
	trustgate verify test >/run/tg-test/verified
	expect 0 "verify finds the node closed" grep -E \
		"closed.*/dev/ng0n1 .*cannot be opened" /run/tg-test/verified
	expect 0 "verify finds the controller closed" grep -E \
		"closed.*/dev/nvme0 .*cannot be opened" /run/tg-test/verified
	systemctl kill --signal=KILL trusteed.service
	expect fails "without the agent it is closed" can_open /dev/ng0n1
	eventually 60 "the agent comes back" agent_answers
	expect fails "with it, too" can_open /dev/ng0n1
	as tgtrustee trustgate volume del test >/dev/null
	expect 0 "open when it is no volume any more" can_open /dev/ng0n1
	expect 0 "likewise the controller" can_open /dev/nvme0
}

find_scsi()
{
	local device
	for device in /sys/bus/pseudo/drivers/scsi_debug/adapter*/host*/target*/*:*/block/*; do
		[ ! -e "$device" ] || scsi=${device%/block/*}
	done
	[ -n "$scsi" ]
}

make_scsi()
{
	systemctl stop trusteed.service
	modprobe sg && modprobe sd_mod && modprobe scsi_debug dev_size_mb=64 || return
	udevadm settle
}

# node_of LIST - the one device of the disk's that a directory of sysfs lists
node_of()
{
	local found=("$scsi/$1"/*)
	echo "${found[0]##*/}"
}

closes_scsi()
{
	expect 0 "a SCSI disk is made" make_scsi
	expect 0 "it is in sysfs" find_scsi
	find_scsi || return
	local disk generic bsg
	disk=/dev/$(node_of block)
	generic=/dev/$(node_of scsi_generic)
	bsg=/dev/bsg/$(node_of bsg)
	eventually 20 "the last volume is gone" unmounted
	expect 0 "a volume is made of it" make_volume_on "$disk"
	expect 0 "$generic can be opened" can_open "$generic"
	expect 0 "$bsg can be opened" can_open "$bsg"
	systemctl start trusteed.service
	eventually 20 "$generic is closed" cannot_open "$generic"
	eventually 20 "$bsg is closed" cannot_open "$bsg"
	# One that comes later, as the module for such nodes is loaded again.
	modprobe -r sg && modprobe sg
	eventually 20 "$generic is there again" test -c "$generic"
	eventually 20 "$generic is closed again" cannot_open "$generic"
	trustgate verify test >/run/tg-test/verified
	expect 0 "verify finds $generic closed" grep -E \
		"closed.*$generic .*cannot be opened" /run/tg-test/verified
	configure <<-END
	    lower-devices: open
	END
	systemctl reload trusteed.service
	eventually 20 "left open by the configuration" can_open "$generic"
	expect 0 "verify finds $generic open" sh -c \
		"trustgate verify test | grep -E 'open.*$generic .*can be opened'"
	as tgtrustee trustgate volume del test >/dev/null
	systemctl stop trusteed.service
	eventually 20 "it is unmounted" unmounted
}

trap clean_all EXIT
prepared prepare
closes_nvme
closes_scsi
finish
