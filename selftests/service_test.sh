#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# service_test - standing grants: given to a service's main process, renewed
# with its children, kept over restarts, withheld after a revocation, ended.
# shellcheck source=selftests/agent.sh
. "$(dirname "$0")/agent.sh"

clean_up()
{
	systemctl -q stop tg-reader.service tg-asker.service tg-holder.service
	rm -f /run/systemd/system/tg-{reader,asker,holder}.service
}

services()
{
	cat >/run/tg-test/reader <<-'END'
	#!/bin/bash
	# Reads the file in the main process and in a child forked at the start.
	reader()
	{
		while :; do
			if read -r line <"$2"; then echo "$1 read"; else echo "$1 denied"; fi
			sleep 1
		done
	}
	reader child "$1" 2>/dev/null &
	reader main "$1" 2>/dev/null
	END
	cat >/run/tg-test/asker <<-'END'
	#!/usr/bin/python3
	# Asks for the standing grants of its unit, then reads at once.
	import json, socket, sys
	s = socket.socket(socket.AF_UNIX)
	s.connect("/run/trusteed/io.trustgate.Agent")
	call = {"method": "io.trustgate.Agent.Service", "parameters": {}}
	s.sendall(json.dumps(call).encode() + b"\0")
	data = b""
	while b"\0" not in data:
	    data += s.recv(65536)
	reply = json.loads(data[:-1])
	print(reply)
	open(sys.argv[1]).read()
	END
	cat >/run/tg-test/holder <<-'END'
	#!/usr/bin/python3
	# Has the file open, and mapped, for good.
	import mmap, sys, time
	f = open(sys.argv[1], "rb")
	m = mmap.mmap(f.fileno(), 0, prot=mmap.PROT_READ)
	print(m[:1], flush=True)
	time.sleep(1000)
	END
	chmod 755 /run/tg-test/reader /run/tg-test/asker /run/tg-test/holder
	cat >/run/systemd/system/tg-holder.service <<-END
	[Service]
	Type=exec
	ExecStart=/usr/bin/trustgate exec --service -- /run/tg-test/holder $volume/db/x
	END
	cat >/run/systemd/system/tg-reader.service <<-END
	[Service]
	Type=exec
	ExecStart=/run/tg-test/reader $volume/db/x
	END
	cat >/run/systemd/system/tg-asker.service <<-END
	[Service]
	Type=oneshot
	ExecStart=/run/tg-test/asker $volume/db/x
	END
	systemctl daemon-reload
}

prepare()
{
	make_volume || return
	configure <<-END
	services:
	  - {unit: tg-reader.service, volume: test, path: db, access: [read], for: 8s}
	  - {unit: tg-asker.service, volume: test, path: db, access: [read], for: 8s}
	  - {unit: tg-holder.service, volume: test, path: db, access: [read], for: 8s}
	END
	services
	systemctl start trusteed.service
}

read_lately()
{
	journalctl -q -b -u tg-reader.service -o cat | tail -n 2 | grep -qx "$1 $2"
}

stands_by_services()
{
	local main
	systemctl start tg-reader.service
	eventually 30 "the main process reads" read_lately main read
	eventually 30 "its child reads" read_lately child read
	main=$(systemctl show -P MainPID tg-reader.service)
	sleep 10
	expect 0 "and after a renewal the main process reads" read_lately main read
	expect 0 "and its child" read_lately child read
	systemctl restart dbus.service
	systemctl kill --signal=KILL trusteed.service
	eventually 60 "the bus and the agent are restarted" agent_answers
	eventually 30 "after that the main process reads" read_lately main read
	as tgtrustee trustgate revoke --volume test >/dev/null
	eventually 10 "revoked, it is denied" read_lately main denied
	eventually 10 "as is its child" read_lately child denied
	systemctl kill --signal=KILL trusteed.service
	eventually 60 "the agent is killed and comes back" agent_answers
	sleep 5
	expect 0 "the service is denied still" read_lately main denied
	expect 0 "it restarts" systemctl restart tg-reader.service
	eventually 30 "and reads again" read_lately main read
	main=$(systemctl show -P MainPID tg-reader.service)
	systemctl stop tg-reader.service
	eventually 10 "stopped, it holds nothing" sh -c \
		"! setpriv --reuid tgtrustee --regid tgtrustee --clear-groups trustgate grants --json | grep -q '\"pid\":$main,'"
	expect 0 "a service that asks first reads at once" systemctl start tg-asker.service
	expect fails "one that is not configured gets nothing" /run/tg-test/asker $volume/db/x
	# Root can put anything into the unit's control group; it is not enough.
	systemctl start tg-reader.service
	eventually 30 "the main process reads" read_lately main read
	expect fails "nor does one that was put into its control group" sh -c \
		"echo \$\$ >/sys/fs/cgroup/system.slice/tg-reader.service/cgroup.procs; /run/tg-test/asker $volume/db/x"
}

# survivor FIELD - of the one that has something mapped
survivor()
{
	python3 -c 'import json, sys
print(json.load(open("/run/tg-test/stopped"))["survivors"][0].get(sys.argv[1]))' "$1"
}

# One command ends everything, and says what is left of it.
is_stopped()
{
	local main
	systemctl start tg-holder.service
	eventually 30 "somebody has the file open and mapped" sh -c \
		"journalctl -q -b -u tg-holder.service -o cat | grep -q a"
	expect 0 "and may" sh -c \
		"trustgate metrics | grep -qx 'trustgate_volume_expired_open_files{volume=\"test\"} 0'"
	main=$(systemctl show -P MainPID tg-holder.service)
	expect 0 "all is stopped" sh -c "setpriv --reuid tgtrustee --regid tgtrustee --clear-groups \
		trustgate stop test >/run/tg-test/said"
	sed 's/^/# /' /run/tg-test/said
	expect 0 "which tells who has what" grep -qE \
		"^test +$main +/usr/bin/python3[.0-9]* +tg-holder.service +1 mapped, 2 open +db/x\$" /run/tg-test/said
	eventually 10 "the other service is denied" read_lately main denied
	trustgate stop --all --json >/run/tg-test/stopped
	equal "$(survivor pid) $(survivor unit) $(survivor mappings) $(survivor files)" \
		"$main tg-holder.service 1 2" "as does JSON"
	trustgate metrics >/run/tg-test/metrics
	expect 0 "and metrics" grep -qx 'trustgate_volume_expired_open_files{volume="test"} 2' /run/tg-test/metrics
	expect 0 "of mappings, too" grep -qx 'trustgate_volume_expired_mappings{volume="test"} 1' /run/tg-test/metrics
	expect 0 "who is not root does without" sh -c \
		"setpriv --reuid tgtrustee --regid tgtrustee --clear-groups trustgate metrics | grep -c expired_open | grep -qx 0"
	systemctl stop tg-holder.service
	expect 0 "once it has ended" sh -c "trustgate stop --all >/run/tg-test/said"
	expect fails "it is told of no more" grep -q tg-holder /run/tg-test/said
	expect 0 "started again" as tgtrustee trustgate start --all
	eventually 30 "the service reads" read_lately main read
}

trap clean EXIT
prepared prepare
stands_by_services
is_stopped
finish
