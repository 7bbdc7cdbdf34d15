#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# demo.sh - show the gate to a person, with real programs on a real volume.
#
# Runs in a guest of the test bed with systemd and our programs installed, on
# the empty disks $TRUSTGATE_DISK and $TRUSTGATE_DISK2. Prints each command with
# its outcome and exits non-zero if any outcome is not the expected one. Must not
# test details: that is what the *_test programs are for.
# shellcheck source=selftests/demo_approval.sh
set -u
. "$(dirname "$0")/demo_approval.sh"

: "${TRUSTGATE_DISK:?names an empty disk; run this by 'make demo'}"
: "${TRUSTGATE_DISK2:?names another; run this by 'make demo'}"
volume=/srv/acme
db=$volume/db/orders.sqlite
failures=0
steps=0

bold='' plain='' green='' red=''
if [ -n "${DEMO_COLOUR-}" ]; then
	bold=$'\e[1m' plain=$'\e[0m' green=$'\e[32m' red=$'\e[31m'
fi

say()
{
	printf '\n%s%s%s\n' "$bold" "$*" "$plain"
}

# outcome EXPECTED STATUS: print whether a step went as expected.
outcome()
{
	local got=allowed

	steps=$((steps + 1))
	[ "$2" = 0 ] || got=refused
	if [ "$got" = "$1" ]; then
		printf '    %s=> %s, as it should be%s\n' "$green" "$got" "$plain"
	else
		printf '    %s=> %s, but it should be %s%s\n' "$red" "$got" "$1" "$plain"
		failures=$((failures + 1))
	fi
}

# expect allowed|refused WHO COMMAND: run a command line as a user, show it.
expect()
{
	local expected=$1 who=$2 output status

	shift 2
	printf '  %s# %s\n' "$who" "$*"
	output=$(timeout 60 runuser -u "$who" -- bash -c "$*" 2>&1 </dev/null)
	status=$?
	[ -z "$output" ] || printf '%s\n' "$output" | sed 's/^/    /' | head -n 12
	outcome "$expected" "$status"
}

# A process that lives on and does as it is told, in itself and not in a child.
start_reader()
{
	coproc READER {
		exec bash --norc -c '
			while read -r verb file; do
				case $verb in
				open) exec 3<"$file" ;;
				line) IFS= read -r line <&3 && echo "$line" >&2 ;;
				read) { IFS= read -r line; } <"$file" && echo "$line" >&2 ;;
				write) echo changed >"$file" ;;
				esac
				echo "$?"
			done' 2>>/tmp/demo.reader
	}
	reader_in=${READER[1]} reader_out=${READER[0]} reader=$READER_PID
}

# reader EXPECTED VERB FILE: have the process do it, show what happened.
reader()
{
	local expected=$1 status

	shift
	printf '  process %s: %s\n' "$reader" "$*"
	: >/tmp/demo.reader
	echo "$*" >&"$reader_in"
	read -r -t 30 status <&"$reader_out" || status=1
	sed 's/^.*line [0-9]*: //; s/^/    /' /tmp/demo.reader
	outcome "$expected" "$status"
}

# A sqlite3 that was started under a grant and goes on living.
start_shop()
{
	coproc SHOP {
		exec runuser -u dba -- trustgate exec --volume acme --path db/ \
			--access rw --for 15m --reason customer-ticket \
			--ticket SR-4711 -- sqlite3 -batch $db 2>&1
	}
	talk_in=${SHOP[1]} talk_out=${SHOP[0]}
}

# talk EXPECTED PROGRAM STATEMENT: put it to the program that was started; an
# answer or an error comes back.
talk()
{
	local expected=$1 program=$2 line status=0

	shift 2
	printf '  %s> %s\n' "$program" "$*"
	printf '%s\n' "$*" "SELECT 'demo-end';" >&"$talk_in"
	while read -r -t 30 line <&"$talk_out"; do
		[ "$line" != demo-end ] || break
		printf '    %s\n' "$line"
		case $line in
		*rror* | *denied*) status=1 ;;
		esac
	done
	outcome "$expected" "$status"
}

prepare()
{
	say "A tenant's volume: ext4 on a disk of its own, a database, some files"
	(
		set -e
		useradd --create-home --shell /bin/bash alice
		useradd --create-home --shell /bin/bash dba
		mkfs.ext4 -q -L acme "$TRUSTGATE_DISK"
		mkdir -p $volume
		mount "$TRUSTGATE_DISK" $volume
		mkdir -p $volume/db $volume/mail/2026
		sqlite3 $db "CREATE TABLE orders (id INTEGER PRIMARY KEY, customer TEXT, amount REAL);
			WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5000)
			INSERT INTO orders SELECT i, 'customer ' || i, i * 1.5 FROM n;"
		printf 'Dear ACME,\nthe contract is attached.\n' >$volume/mail/2026/contract.txt
		printf 'Nobody is to read this.\n' >$volume/mail/2026/salaries.txt
		chown -R dba: $volume/db
		mkdir -p /etc/trustgate
		cat >/etc/trustgate/trusteed.yaml <<-END
		trustees: [alice]
		volumes:
		  - name: acme
		    path: $volume
		    max-duration: 8h
		    on-agent-loss: hold
		    self-grants:
		      - users: [dba]
		        path: db
		        access: [read, write, names]
		        for: 15m
		        reasons: [customer-ticket]
		END
		prepare_tenant
		tenant_volume >>/etc/trustgate/trusteed.yaml
		chmod 644 /etc/trustgate/trusteed.yaml
	) >/tmp/demo.prepare 2>&1
	prepared=$?
	[ "$prepared" = 0 ] || {
		cat /tmp/demo.prepare
		echo "demo: the volume could not be prepared" >&2
		exit 1
	}
	findmnt -n -o TARGET,SOURCE,FSTYPE,SIZE $volume | sed 's/^/    /'
	expect allowed root "sqlite3 $db 'SELECT count(*), sum(amount) FROM orders'"
	expect allowed root "cat $volume/mail/2026/contract.txt"
}

arm()
{
	say "Load the module into the stock kernel, start the trustee's agent"
	expect allowed root "uname -r; modprobe trustgate"
	expect allowed root "systemctl start trusteed.service && systemctl is-active trusteed.service"
	expect allowed alice "trustgate status"
	expect allowed alice "trustgate volume list"
}

root_is_denied()
{
	say "root is denied"
	expect refused root "cat $volume/mail/2026/contract.txt"
	expect refused root "cp $volume/mail/2026/contract.txt /tmp/stolen"
	expect refused root "sqlite3 $db 'SELECT * FROM orders LIMIT 1'"
	expect refused root "tar -cf /tmp/stolen.tar -C $volume ."
	expect refused root "touch $volume/mail/note"
	expect refused root "mv $volume/db $volume/moved"
	expect allowed root "cat /etc/hostname"
}

one_file_one_process()
{
	say "One file, one process, for a few seconds"
	start_reader
	reader refused read $volume/mail/2026/contract.txt
	expect refused root "trustgate grant --volume acme --path mail/2026/contract.txt --pid $reader --access r --for 25s --reason maintenance"
	expect allowed alice "trustgate grant --volume acme --path mail/2026/contract.txt --pid $reader --access r --for 25s --reason customer-ticket --ticket SR-4700"
	local granted=$SECONDS
	reader allowed open $volume/mail/2026/contract.txt
	reader allowed line
	reader refused read $volume/mail/2026/salaries.txt
	expect refused root "cat $volume/mail/2026/contract.txt"
	reader refused write $volume/mail/2026/contract.txt
	expect allowed alice "trustgate grants"
	printf '  ... until the grant has expired\n'
	sleep $((25 - (SECONDS - granted) > 0 ? 26 - (SECONDS - granted) : 1))
	reader refused line
	reader refused read $volume/mail/2026/contract.txt
	exec {reader_in}>&-
	wait "$reader" 2>/dev/null
}

a_subtree_for_sqlite()
{
	say "A subtree for a database program, until it is revoked"
	start_shop
	talk allowed sqlite3 "SELECT count(*) FROM orders;"
	talk allowed sqlite3 "UPDATE orders SET amount = 0 WHERE id = 17;"
	talk allowed sqlite3 "SELECT customer, amount FROM orders WHERE id = 17;"
	expect refused dba "cat $volume/mail/2026/contract.txt"
	expect allowed alice "trustgate grants --output +FLAGS"
	say "The grant is the program's: what it starts has none"
	talk refused sqlite3 ".shell cat $db >/dev/null"
	expect refused dba "trustgate exec --volume acme --path db/ --access r --for 1m --reason customer-ticket --ticket SR-4711 -- sh -c 'exec cat $db >/dev/null'"
	expect allowed dba "trustgate exec --volume acme --path db/ --access r --for 1m --reason customer-ticket --ticket SR-4711 -- cat $db >/dev/null"
	expect allowed dba "trustgate exec --volume acme --path db/ --access r --for 1m --reason customer-ticket --ticket SR-4711 --descendants --keep-exec -- sh -c 'cat $db >/dev/null && echo read'"
	say "Revoked, the database is out of its reach at once"
	expect allowed alice "trustgate revoke --volume acme"
	talk refused sqlite3 "SELECT count(*) FROM orders WHERE amount = 0;"
	exec {talk_in}>&-
}

the_agent_dies()
{
	say "Without the agent the gate stays closed"
	expect allowed root "systemctl kill --signal=KILL trusteed.service; sleep 1"
	expect refused root "cat $volume/mail/2026/contract.txt"
	expect allowed root "for i in \$(seq 60); do systemctl is-active -q trusteed.service && break; sleep 1; done; systemctl is-active trusteed.service"
	expect refused root "cat $volume/mail/2026/contract.txt"
	expect allowed root "systemctl stop trusteed.service"
	expect refused root "cat $volume/mail/2026/contract.txt"
	expect refused root "rmmod trustgate"
	expect refused root "umount $volume && mkfs.ext4 -q -F $TRUSTGATE_DISK"
	expect allowed root "mount -t ext4 $TRUSTGATE_DISK $volume; systemctl start trusteed.service"
	expect refused root "cat $volume/mail/2026/contract.txt"
}

the_end()
{
	say "What the record says, and the end of protection"
	expect allowed root "journalctl -q -o cat -u trusteed.service | tail -n 8"
	expect allowed root "journalctl -q -o cat -u trusteed.service | grep 'allowed.*sqlite3' | tail -n 2"
	expect refused root "trustgate volume del acme"
	expect allowed alice "trustgate volume del acme && trustgate volume del globex"
	expect allowed root "cat $volume/mail/2026/contract.txt"
	expect allowed root "systemctl stop trusteed.service && rmmod trustgate"
}

prepare
arm
root_is_denied
one_file_one_process
a_subtree_for_sqlite
tenant_database
two_persons_approve
tenant_works_on
the_agent_dies
the_end

printf '\n%d steps, %d not as they should be\n' "$steps" "$failures"
[ "$failures" = 0 ]
