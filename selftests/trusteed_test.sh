#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# trusteed_test - the agent as a unit of a running system: hardened, restarted,
# killed, reloaded, stopped; a volume that is mounted late; who may do what.
# shellcheck source=selftests/agent.sh
. "$(dirname "$0")/agent.sh"

clean_up()
{
	jobs -p | xargs -r kill 2>/dev/null
}

prepare()
{
	make_volume || return
	umount $volume
	configure <<-'END'
	    self-grants:
	      - users: [tgdba]
	        path: db
	        access: [read, write, names]
	        for: 15m
	        reasons: [customer-ticket]
	END
}

starts_before_the_mount()
{
	expect 0 "the configuration is good" trusteed --check
	expect 0 "the unit starts" systemctl start trusteed.service
	equal "$(property StatusText)" \
		"degraded: 1 of 1 configured volumes not protected, first \"test\"" \
		"a volume that is not mounted is not passed over in silence"
	expect 0 "and is recorded" journal_has 'volume "test" is NOT protected: nothing is mounted at'
	# Into the agent's own view of the mounts, too.
	mount "$TRUSTGATE_DISK" $volume
	eventually 30 "it is protected as soon as it is mounted" \
		sh -c 'systemctl show -P StatusText trusteed.service | grep -qx "1 configured volume protected"'
	expect fails "root is denied" cat $volume/mail/letter
}

is_hardened()
{
	local status
	status=$(cat "/proc/$(property MainPID)/status")
	equal "$(awk '/^Uid:/ { print ($2 == 0) }' <<<"$status")" 0 "it does not run as root"
	# CAP_DAC_READ_SEARCH is bit 2, CAP_SYS_PTRACE 19, CAP_MAC_ADMIN 33.
	equal "$(awk '/^Cap(Prm|Eff|Bnd):/ { print $2 }' <<<"$status" | sort -u)" \
		0000000200080004 "it has three capabilities"
	equal "$(awk '/^Seccomp:|^NoNewPrivs:/ { print $2 }' <<<"$status" | tr '\n' ' ')" \
		"1 2 " "no new privileges, and a filter of system calls"
	equal "$(stat -c %a:%U /var/lib/trusteed/secret)" 600:trusteed "the secret is its own"
	expect 0 "varlinkctl shows the interface" sh -c \
		"varlinkctl introspect $socket io.trustgate.Agent | grep -q '^method RemoveVolume'"
	expect 0 "a whole filesystem can still be unmounted" umount $volume
	expect fails "its device tells nobody what is on it" blkid -p "$TRUSTGATE_DISK"
	expect 0 "it is mounted again if its type is named" \
		mount -t ext4 "$TRUSTGATE_DISK" $volume
	expect fails "and is protected as before" cat $volume/mail/letter
}

who_may_what()
{
	local holder
	sleep 1000 >/dev/null 2>&1 &
	holder=$!
	expect fails "root cannot give a grant" trustgate grant --volume test \
		--path mail/letter --pid $holder --access r --for 1m --reason maintenance
	expect 0 "a trustee can" as tgtrustee trustgate grant --volume test \
		--path mail/letter --pid $holder --access r --for 10m --reason maintenance
	expect 0 "a user can, for himself, by a rule" as tgdba trustgate exec --volume test \
		--path db/ --access rw --for 1m --reason customer-ticket --ticket SR-1 \
		-- cat $volume/db/x
	expect fails "a program in its place has nothing" as tgdba trustgate exec --volume test \
		--path db/ --access r --for 1m --reason customer-ticket --ticket SR-1 \
		-- sh -c "exec cat $volume/db/x"
	expect fails "nor has its child" as tgdba trustgate exec --volume test \
		--path db/ --access r --for 1m --reason customer-ticket --ticket SR-1 \
		--descendants -- sh -c "cat $volume/db/x || exit 1; exit 0"
	expect 0 "unless it was asked for" as tgdba trustgate exec --volume test \
		--path db/ --access r --for 1m --reason customer-ticket --ticket SR-1 \
		--descendants --keep-exec -- sh -c "cat $volume/db/x || exit 1; exit 0"
	expect fails "but not beyond the rule" as tgdba trustgate exec --volume test \
		--path mail/ --access r --for 1m --reason customer-ticket --ticket SR-1 \
		-- cat $volume/mail/letter
	expect fails "nor without a ticket" as tgdba trustgate exec --volume test \
		--path db/ --access r --for 1m --reason customer-ticket -- cat $volume/db/x
	expect 0 "who and why is recorded" journal_has "customer-ticket SR-1, asked by uid $(id -u tgdba) (tgdba)"
	equal "$(grants '"path": "mail/letter"')" 1 "the grant is listed with its path"
}

ends_mappings()
{
	local holder
	python3 -c '
import mmap, sys, time
while True:
    try:
        with open(sys.argv[1], "rb") as file:
            held = mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ)
        break
    except PermissionError:
        time.sleep(0.1)
open("/run/tg-test/mapped", "w").close()
time.sleep(1000)' $volume/db/x &
	holder=$!
	expect 0 "a grant that is to leave no mapping" as tgtrustee trustgate grant \
		--volume test --path db/x --pid $holder --access r --for 1m \
		--reason maintenance --on-end kill
	eventually 30 "by which one is made" test -e /run/tg-test/mapped
	expect 0 "revoked, and waited for" as tgtrustee trustgate revoke --wait --pid $holder
	equal "$(grants '"onEnd": "kill"')" 0 "nothing is left of it"
	wait $holder 2>/dev/null
	equal $? 137 "nor of the process"
}

dies_and_comes_back()
{
	local i before
	for i in 0 0.3; do
		systemctl kill --signal=KILL trusteed.service
		sleep "$i"
		expect fails "killed: root is denied" cat $volume/mail/letter
		eventually 60 "it is back" agent_answers
	done
	equal "$(grants '"path": "mail/letter"')" 1 "the grant has lived on, path and all"
	expect 0 "with the socket of the former run" journal_has \
		"still the agent, with the socket of the former run"

	# At any moment: while it is giving grants.
	before=$(grants)
	(
		while :; do
			as tgtrustee trustgate grant --volume test --path mail/ --pid $$ \
				--access r --for 1h --reason maintenance --json 2>/dev/null
		done
	) >/run/tg-test/given &
	for i in 1.3 0.7; do
		sleep "$i"
		systemctl kill --signal=KILL trusteed.service
		eventually 60 "killed while granting: it is back" agent_answers
	done
	kill $!
	wait $! 2>/dev/null
	eventually 60 "every grant it had told of is there" sh -c \
		"[ \$(setpriv --reuid tgtrustee --regid tgtrustee --clear-groups trustgate grants --json | tr '{' '\n' | grep -c '\"id\"') -ge \$(($before + \$(grep -o '\"id\"' /run/tg-test/given | wc -l))) ]"

	expect 0 "restarted" systemctl restart trusteed.service
	equal "$(grants '"path": "mail/letter"')" 1 "the grant lives"
	sed -i 's/max-duration: 1h/max-duration: 2h/' $config
	expect 0 "reloaded" systemctl reload trusteed.service
	equal "$(as tgtrustee trustgate volume list --json | grep -o 7200000000000)" \
		7200000000000 "the new setting is in force"
	sed -i 's/max-duration: 2h/max-duration: 2x/' $config
	expect 0 "reloaded with a bad file" systemctl reload trusteed.service
	expect 0 "which is named" journal_has "$config:5: volumes[0].max-duration: \"2x\" is not a duration"
	expect 0 "and changes nothing" agent_answers
	sed -i 's/max-duration: 2x/max-duration: 1h/' $config
}

hides_names()
{
	local dba=(as tgdba trustgate exec --volume test --path db/ --access r --for 1m
		--reason customer-ticket --ticket SR-1)
	expect 0 "root finds a file that he cannot open" stat $volume/db/x
	sed -i '/max-duration/a\    metadata: hidden' $config
	expect 0 "reloaded" systemctl reload trusteed.service
	expect fails "hidden: he does not" stat $volume/db/x
	expect fails "nor how full the volume is" df $volume
	expect 0 "but where it is mounted" stat $volume
	expect 0 "who has a grant does" "${dba[@]}" -- stat $volume/db/x
	systemctl kill --signal=KILL trusteed.service
	eventually 60 "killed: it is back" agent_answers
	expect 0 "and finds what it gives grants for" "${dba[@]}" -- cat $volume/db/x
	expect 0 "restarted" systemctl restart trusteed.service
	expect 0 "likewise" "${dba[@]}" -- cat $volume/db/x
	sed -i '/metadata: hidden/d' $config
	expect 0 "reloaded" systemctl reload trusteed.service
	expect 0 "in sight again" stat $volume/db/x
}

# Opens the letter as soon as it can, then tries to read it, and says what came of it.
reader()
{
	exec python3 - /run/tg-test/read $volume/mail/letter <<-'END'
	import os, sys, time
	fd = None
	while True:
	    try:
	        fd = fd or os.open(sys.argv[2], os.O_RDONLY)
	        said = os.pread(fd, 1, 0).decode()
	    except OSError as error:
	        said = error.strerror
	    with open(sys.argv[1] + ".new", "w") as file:
	        file.write(said)
	    os.rename(sys.argv[1] + ".new", sys.argv[1])
	    time.sleep(0.1)
	END
}

reads()
{
	[ "$(cat /run/tg-test/read)" = a ]
}

is_denied()
{
	[ "$(cat /run/tg-test/read)" = "Permission denied" ]
}

supervise()
{
	setpriv --reuid tgtrustee --regid tgtrustee --clear-groups \
		trustgate watch --supervise test --json >/run/tg-test/watched 2>&1 &
	supervisor=$!
}

is_supervised()
{
	local supervisor pid
	reader &
	pid=$!
	expect 0 "a grant that demands a supervisor" as tgtrustee trustgate grant --volume test \
		--path mail/letter --pid $pid --access r --for 10m --reason incident --supervised
	equal "$(grants '"state": "suspended"')" 1 "it is suspended"
	eventually 20 "and allows nothing" is_denied
	expect 0 "for that cause" sh -c \
		"journalctl -q -b -u trusteed.service -o verbose | grep -q TRUSTGATE_CAUSE=unsupervised"
	expect 0 "root is no supervisor" refuses trustgate watch --supervise test
	supervise
	eventually 20 "supervised: it allows" reads
	eventually 20 "and the supervisor sees it" grep -q '"path":"/*mail/letter"' /run/tg-test/watched
	kill -KILL "$supervisor"
	eventually 10 "he is gone: what is open is read no further" is_denied
	expect 0 "which is on record" journal_has "is suspended: nobody supervises it"
	supervise
	eventually 20 "he is back: it goes on" reads
	kill -STOP "$supervisor"
	as tgtrustee trustgate grant --volume test --path mail/letter --pid $$ --access r \
		--for 1m --reason incident >/dev/null
	eventually 25 "he is stopped and sees nothing: suspended" is_denied
	kill -CONT "$supervisor"
	eventually 20 "he reads on: it goes on" reads
	systemctl kill --signal=STOP trusteed.service
	eventually 20 "the agent is stopped: suspended without it" is_denied
	systemctl kill --signal=CONT trusteed.service
	eventually 30 "the agent goes on, and so does it" reads
	systemctl kill --signal=KILL trusteed.service
	eventually 20 "the agent is killed: suspended" is_denied
	eventually 60 "the agent is back" agent_answers
	expect 0 "but not the supervisor" is_denied
	supervise
	eventually 20 "until he connects again" reads
	as tgtrustee trustgate revoke --pid $pid >/dev/null
	as tgtrustee trustgate revoke --pid $$ >/dev/null
	kill "$supervisor" $pid
}

is_stopped()
{
	expect 0 "stopped" systemctl stop trusteed.service
	expect fails "the gate stays closed" cat $volume/mail/letter
	expect fails "the module stays" rmmod trustgate
	expect 0 "started again" systemctl start trusteed.service
	equal "$(grants '"path": "mail/letter"')" 1 "on-agent-loss: hold keeps the grant"
	sed -i '/max-duration/a\    on-agent-loss: revoke' $config
	systemctl reload trusteed.service
	expect 0 "killed with on-agent-loss: revoke" systemctl kill --signal=KILL trusteed.service
	eventually 60 "it is back" agent_answers
	equal "$(grants '"path": "mail/letter"')" 1 "that is no loss"
	systemctl restart trusteed.service
	equal "$(grants '"path": "mail/letter"')" 1 "nor is a restart"
	systemctl stop trusteed.service
	systemctl start trusteed.service
	equal "$(grants)" 0 "a stop is"
	expect 0 "the account of all that is in order" trustgate journal verify
}

trap clean EXIT
prepared prepare
starts_before_the_mount
is_hardened
who_may_what
ends_mappings
dies_and_comes_back
hides_names
is_supervised
is_stopped
finish
