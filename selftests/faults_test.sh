#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# faults_test - the agent while opens keep coming: stopped, hung for good, killed,
# restarted, gone, with a rival, with its disk full, its clock set, its policy read
# again and again. Nothing opens, nothing hangs, nothing is lost: programs note how
# each of their opens ended, and what the agent has said yes to is found in the
# end. By program:
#
#	turns1-3  volume test, a rule gives 2 s for a file at a time
#	held      volume test, a grant for an hour, which nothing may interrupt
#	locked    volume test, both policies deny
#	clerk     volume test, a trustee approves, over and over
#	stands1-2 volume vault, audit: strict, on-agent-loss: revoke; a rule renews
# shellcheck source=selftests/agent.sh
. "$(dirname "$0")/agent.sh"

disk2=${TRUSTGATE_DISK2-}
[ -n "$disk2" ] || skip "no second empty disk (TRUSTGATE_DISK2)"

policy=/etc/trustgate/policy.yaml
state=/var/lib/trusteed
vault=/srv/trusteed-vault
logs=/run/tg-test/logs
dropin=/run/systemd/system/trusteed.service.d
# How long an open may wait, and what an emulated machine may add to that.
ask_ms=5000
late_ms=4000

clean_up()
{
	systemctl kill --signal=CONT trusteed.service 2>/dev/null
	jobs -p | xargs -r kill 2>/dev/null
	rm -f $state/filler
	as tgtrustee trustgate volume del vault >/dev/null 2>&1
	as tgtrustee trustgate volume del test >/dev/null 2>&1
	systemctl -q stop trusteed.service
	umount $vault $state 2>/dev/null
	rm -rf $policy $dropin
	systemctl daemon-reload
}

# The two policies: what both allow or deny, they do by other rules.
write_policy()
{
	local first='name: turns, users: [tgdba], paths: [db]'
	local deny='{name: locks, paths: [keys], deny: true},'
	if [ "$1" = 2 ]; then
		first='name: rows, users: [tgdba], paths: [db, other]'
		deny=
	fi
	cat >$policy.new <<-END
	volumes:
	  - name: test
	    rules: [$deny
	      {$first, access: [read], allow: {for: 2s, reason: automation}},
	      {name: people, users: [tgclerk], paths: [mail, post], access: [read],
	       ask: {for: 5m, deadline: 5m}}]
	  - name: vault
	    rules:
	      - {name: stands, users: [tgdba], paths: [db], access: [read],
	         allow: {for: 24s, renew: true, reason: automation}}
	END
	chmod 644 $policy.new
	mv $policy.new $policy
}

programs()
{
	cat >/run/tg-test/load <<-'END'
	#!/usr/bin/python3
	# Opens files in turn, reads, and writes when it began and ended, and how.
	import errno, os, sys, time
	def ms():
	    return time.clock_gettime_ns(time.CLOCK_BOOTTIME) // 1000000
	while True:
	    for name in sys.argv[1:]:
	        began = ms()
	        try:
	            fd = os.open(name, os.O_RDONLY)
	        except OSError as error:
	            fd, end = -1, errno.errorcode[error.errno]
	        if fd >= 0:
	            try:
	                end = "ok" if os.read(fd, 1) else "empty"
	            except PermissionError:
	                end = "over"	# the grant, since it was opened
	            os.close(fd)
	        ended = ms()
	        print(began, ended, end, flush=True)
	        time.sleep(0.15)
	END
	cat >/run/tg-test/tell <<-'END'
	#!/usr/bin/python3
	# tell WHAT FROM TO LOG... - of the opens that began and ended between these
	import sys
	what, first, last, logs = sys.argv[1], int(sys.argv[2]), sys.argv[3], sys.argv[4:]
	last = float("inf") if last == "-" else int(last)
	opens = [line.split() for log in logs for line in open(log) if line.endswith("\n")]
	opens = [(int(o[0]), int(o[1]), o[2]) for o in opens]
	opens = [o for o in opens if o[0] >= first and o[1] <= last]
	print({
	    "ok": lambda: sum(o[2] in ("ok", "over") for o in opens),
	    "longest": lambda: max((o[1] - o[0] for o in opens), default=0),
	    "last": lambda: max((o[1] for o in opens if o[2] == "ok"), default=0),
	    "strange": lambda: sum(o[2] not in ("ok", "over", "EACCES") for o in opens),
	}.get(what, lambda: sum(o[2] == what for o in opens))())
	END
	cat >/run/tg-test/numbers <<-'END'
	#!/usr/bin/python3
	# numbers GIVEN < account: are the tickets given on record, are numbers in order?
	import json, sys
	given = set(open(sys.argv[1]).read().split())
	tickets, last, gaps, told, events = set(), None, 0, 0, 0
	for entry in map(json.loads, sys.stdin):
	    if entry["kind"] == "granting":
	        tickets.add(entry["body"].get("ticket"))
	    if entry["kind"] == "gate-loaded":
	        last = None
	    seq = entry.get("kernelSeq")
	    if seq is None:
	        continue
	    events += 1
	    told += entry["kernelMissed"]
	    gaps += last is not None and seq != last + 1 + entry["kernelMissed"]
	    last = seq
	print(f"# {events} events, {told} told as lost, {len(given)} grants acknowledged",
	      file=sys.stderr)
	print(len(given - tickets), gaps)
	END
	chmod 755 /run/tg-test/load /run/tg-test/tell /run/tg-test/numbers
}

prepare()
{
	make_volume || return
	id tgclerk || useradd tgclerk
	mkdir -p $volume/{keys,post,other} $vault $logs
	for name in keys/k post/parcel mail/held mail/slip mail/row other/x db/{y,z}; do
		echo "a thing" >"$volume/$name"
	done
	chown tgdba $volume/db/*
	mkfs.ext4 -q -F "$disk2" && mount "$disk2" $vault || return
	mkdir -m 700 $vault/db
	echo "a coin" >$vault/db/x
	chown -R tgdba $vault/db
	# A disk that is soon full; systemd gives it to the agent.
	truncate -s 48M /run/tg-test/disk
	mkfs.ext4 -q -F -m 0 /run/tg-test/disk
	mkdir -p $state && mount -o loop /run/tg-test/disk $state || return
	configure <<-END
	    ask: $((ask_ms / 1000))s
	  - name: vault
	    path: $vault
	    max-duration: 1h
	    ask: $((ask_ms / 1000))s
	    audit: strict
	    on-agent-loss: revoke
	policy: $policy
	END
	write_policy 1
	programs
	systemctl start trusteed.service
}

tell()
{
	local what=$1 from=$2 to=$3 log
	local -a of=()
	shift 3
	for log; do
		of+=("$logs/$log")
	done
	/run/tg-test/tell "$what" "$from" "$to" "${of[@]}"
}

# load NAME USER FILE... - a program, $!
load()
{
	local name=$1 user=$2
	shift 2
	setpriv --reuid "$user" --regid "$user" --clear-groups /run/tg-test/load "$@" \
		>$logs/"$name" 2>/dev/null &
}

# give_load NAME PATH FOR - to the program that was begun last; prints the grant
give_load()
{
	local pid=$!
	# Not before it is that program.
	until [ -s "$logs/$1" ]; do
		sleep 0.1
	done
	as tgtrustee trustgate grant --volume test --path "$2" --pid $pid --access r --for "$3" \
		--reason incident --json
}

turns=(turns1 turns2 turns3)
stands=(stands1 stands2)
all=("${turns[@]}" "${stands[@]}" held locked clerk)

# does each of these open again, since then?
open_since()
{
	local from=$1 log
	shift
	for log; do
		[ "$(tell ok "$from" - "$log")" -gt 0 ] || return
	done
}

go_on()
{
	local before=$failed
	eventually 40 "$1" open_since "$(now_ms)" "${turns[@]}" "${stands[@]}" held clerk
	[ $failed = $before ] || (cd $logs && tail -n 2 "${all[@]}" | sed 's/^/# /')
}

# none WHAT FROM TO TEXT LOG...
none()
{
	local what=$1 from=$2 to=$3 text=$4 before=$failed
	shift 4
	equal "$(tell "$what" "$from" "$to" "$@")" 0 "$text"
	[ $failed = $before ] ||
		(cd $logs && echo "# since $from:" && grep -w "$what" "$@" | tail -n 5 | sed 's/^/# /')
}

bounded()
{
	equal "$(($(tell longest "$1" - "${all[@]}") < ask_ms + late_ms))" 1 "$2"
}

# give VOLUME PATH TICKET FOR - to $holder
give()
{
	as tgtrustee trustgate grant --volume "$1" --path "$2" --pid "$holder" --access r \
		--for "$4" --reason customer-ticket --ticket "$3" --json
}

# What a trustee is told he has done is noted.
trustee()
{
	local number=0 id path
	while :; do
		number=$((number + 1))
		give test mail/slip "T-$number" 1h >/dev/null && echo "T-$number" >>/run/tg-test/given
		give vault db/x "V-$number" 2m >/dev/null && echo "V-$number" >>/run/tg-test/given
		as tgtrustee trustgate requests --noheadings --output ID,PATH |
			while read -r id path; do
				[ "$path" = mail/row ] &&
					as tgtrustee trustgate approve "$id" --reason incident --for 2s &&
					echo "$id" >>/run/tg-test/approved
			done
		sleep 0.2
	done
}

begin()
{
	local i
	eventually 60 "the agent is there" agent_answers
	sleep 1000 &
	holder=$!
	for i in 1 2 3; do
		load turns$i tgdba $volume/db/{x,y,z}
	done
	for i in 1 2; do
		load stands$i tgdba $vault/db/x
	done
	load locked tgdba $volume/keys/k
	load clerk tgclerk $volume/mail/row
	load held root $volume/mail/held
	give_load held mail/held 1h >/dev/null
	: >/run/tg-test/given
	: >/run/tg-test/approved
	trustee >/dev/null 2>&1 &
	go_on "all that may open do"
	began_ms=$(now_ms)
}

is_stopped()
{
	local from to
	systemctl kill --signal=STOP trusteed.service
	from=$(now_ms)
	sleep 7.5
	to=$(now_ms)
	none ok $((from + 2200)) "$to" "a stopped agent gives nothing" "${turns[@]}"
	equal "$(($(tell EACCES "$from" "$to" "${turns[@]}") > 0))" 1 "who waits for it is denied"
	none EACCES "$from" "$to" "what was given before lasts" "${stands[@]}"
	systemctl kill --signal=CONT trusteed.service
	go_on "it goes on, and so do all"
	bounded "$from" "nobody has waited for longer than the limit"
}

watchdog()
{
	local pid
	mkdir -p $dropin
	printf '[Service]\nWatchdogSec=5s\nTimeoutAbortSec=2s\n' >$dropin/faults.conf
	systemctl daemon-reload
	expect 0 "restarted while opens come" systemctl restart trusteed.service
	pid=$(property MainPID)
	systemctl kill --signal=STOP trusteed.service
	eventually 40 "one that hangs for good is replaced" another_than "$pid"
	go_on "after that all go on"
	rm $dropin/faults.conf
	systemctl daemon-reload
	expect 0 "restarted again" systemctl restart trusteed.service
}

another_than()
{
	local pid
	pid=$(property MainPID)
	[ "$pid" != 0 ] && [ "$pid" != "$1" ] && agent_answers
}

is_killed()
{
	local from i
	from=$(now_ms)
	for i in 0.4 1.1 0.7; do
		sleep "$i"
		systemctl kill --signal=KILL trusteed.service
		eventually 60 "killed, it is back" agent_answers
	done
	go_on "and all go on"
	none EACCES "$from" - "standing grants did not notice" "${stands[@]}"
	bounded "$from" "nobody has waited for longer than the limit"
}

is_gone()
{
	local from waited
	as tgclerk cat $volume/post/parcel >/dev/null 2>/run/tg-test/parcel &
	waited=$!
	eventually 20 "somebody waits for a trustee" sh -c \
		"setpriv --reuid tgtrustee --regid tgtrustee --clear-groups trustgate requests --noheadings --output PATH | grep -q post/parcel"
	systemctl stop trusteed.service
	from=$(now_ms)
	wait $waited
	equal "$? $(($(now_ms) - from < 2000))" "1 1" "the agent ends: he is denied at once"
	sleep 3
	none ok $((from + 100)) "$(now_ms)" "on-agent-loss: revoke ends what was given" "${stands[@]}"
	none ok $((from + 2200)) "$(now_ms)" "nothing is given" "${turns[@]}"
	expect 0 "started" systemctl start trusteed.service
	go_on "it is back, and all go on"
}

# second STATE - an agent with the rights of the unit, but not its descriptors
second()
{
	env -u JOURNAL_STREAM setpriv --reuid trusteed --regid trusteed --clear-groups \
		--inh-caps +mac_admin,+dac_read_search,+sys_ptrace \
		--ambient-caps +mac_admin,+dac_read_search,+sys_ptrace \
		timeout 30 trusteed --socket /run/tg-test/second/socket --state-directory "$1" \
		--runtime-directory /run/tg-test/second >/run/tg-test/rival 2>&1
}

is_refused()
{
	second "$1"
	[ $? = 1 ] &&
		grep -q 'another process is the agent already.*stop it first' /run/tg-test/rival ||
		! cat /run/tg-test/rival
}

has_rivals()
{
	local from other=/run/tg-test/second/state
	mkdir -p $other
	chown -R trusteed:trusteed /run/tg-test/second
	from=$(now_ms)
	expect 0 "a second agent with the first one's secret is refused, and told why" \
		is_refused $state
	expect 0 "as is one with another secret" is_refused $other
	# While the first is not there, its socket is.
	systemctl kill --signal=KILL trusteed.service
	expect 0 "as is one that comes when the first was killed" is_refused $state
	eventually 60 "who is back" agent_answers
	go_on "and all go on"
	none EACCES "$from" - "standing grants did not notice" "${stands[@]}"
	expect 0 "the account is in order" trustgate journal verify
}

account_is_well()
{
	trustgate status --json >/run/tg-test/status &&
		! grep -q 'accountProblem' /run/tg-test/status
}

disk_is_full()
{
	local from given
	given=$(grep -c V- /run/tg-test/given)
	cat /dev/zero >$state/filler 2>/dev/null
	eventually 30 "the disk is full, which the state tells" sh -c \
		"trustgate status --json | grep -q accountProblem"
	sleep 1
	from=$(now_ms)
	sleep 5
	none ok "$from" "$(now_ms)" "on a strict volume nothing opens" "${stands[@]}"
	equal "$(($(tell EACCES "$from" - "${stands[@]}") > 0))" 1 "all is denied there"
	equal "$(give vault db/x V-full 1m 2>&1 | grep -c 'demands that each access is recorded')" \
		1 "and nothing given, for that cause"
	open_since "$from" "${turns[@]}"
	result $? "on the other all goes on"
	rm $state/filler
	eventually 30 "with room it is written again" account_is_well
	go_on "and all go on, standing grants, too"
	eventually 30 "trustees' grants, too" sh -c \
		"[ \$(grep -c V- /run/tg-test/given) -gt $given ]"
	equal "$(trustgate journal export --kind entries-lost | wc -l)" 0 "no entry was lost"
	expect 0 "the account is in order" trustgate journal verify
}

# brief SECONDS - to the program "brief", which is to have it that long
brief()
{
	load brief root $volume/mail/letter
	give_load brief mail/letter "$1"s >/run/tg-test/brief
	expires_ms=$(python3 -c 'import json, sys
print(json.load(sys.stdin)["expiresBoottimeNSec"] // 1000000)' </run/tg-test/brief)
}

# is_exact TEXT - did "brief" have it until then, and no longer?
is_exact()
{
	local last
	last=$(tell last 0 - brief)
	equal "$((last <= expires_ms + 50 && last > expires_ms - 1500))" 1 "$1"
}

# Does a table show what is left, and until when by the clock that is set now?
displayed()
{
	local left until
	left=$(as tgtrustee trustgate grants --noheadings --time relative --output PATH,EXPIRES |
		awk '$1 == "mail/held" { print $2, $3 }')
	until=$(as tgtrustee trustgate grants --noheadings --time absolute --output PATH,EXPIRES |
		awk '$1 == "mail/held" { print $2, $3 }')
	until=$(($(date -d "$until" +%s) - $(date +%s)))
	case $left in
	"in 5"?m*) [ "$until" -gt 2900 ] && [ "$until" -le 3600 ] ;;
	*) false ;;
	esac
}

clock_is_set()
{
	local from by
	from=$(now_ms)
	for by in "+3 days" "-10 days"; do
		brief 8
		date -s "$by" >/dev/null
		expect 0 "the clock is set by $by: what is left is shown as it is" displayed
		while [ "$(now_ms)" -lt $((expires_ms + 1500)) ]; do
			sleep 0.3
		done
		is_exact "a grant lasts neither longer nor shorter"
		kill %%
	done
	date -s "+7 days" >/dev/null
	go_on "all go on"
	none EACCES "$from" - "standing grants did not notice" "${stands[@]}"
	expect 0 "the account is in order" trustgate journal verify
}

policy_is_reloaded()
{
	local from i bad=0
	from=$(now_ms)
	for i in 2 1 2 1 2 1; do
		write_policy $i
		systemctl reload trusteed.service || bad=$((bad + 1))
	done
	equal $bad 0 "the policy is read again and again"
	go_on "all go on"
	none EACCES "$from" - "what both policies allow is never denied" "${turns[@]}" "${stands[@]}"
	none ok "$from" - "what both deny is never allowed" locked
	bounded "$from" "nobody waits for longer than the limit"
}

# Of what was approved, how much is still as if it were not?
unapproved()
{
	local id number=0
	# shellcheck disable=SC2013
	for id in $(tail -n 5 /run/tg-test/approved); do
		as tgtrustee trustgate show "$id" --json | grep -q '"state":"\(approved\|completed\|revoked\)"' ||
			number=$((number + 1))
	done
	echo $number
}

in_the_end()
{
	go_on "at the end all open that may"
	# The trustee is the youngest that is not a load.
	jobs -p | xargs kill 2>/dev/null
	none EACCES "$began_ms" - "the grant for an hour was never interrupted" held
	none ok 0 - "what may not be opened never was" locked
	none strange 0 - "no open ended in another way" "${all[@]}"
	equal "$(($(wc -l </run/tg-test/approved) > 2))" 1 "trustees have approved"
	equal "$(unapproved)" 0 "which is on record"
	expect 0 "the agent ends" systemctl stop trusteed.service
	expect 0 "the account is in order" trustgate journal verify
	equal "$(trustgate journal export | /run/tg-test/numbers /run/tg-test/given)" "0 0" \
		"every grant that was acknowledged is on record, and no number is missing"
	systemctl start trusteed.service
}

trap clean EXIT
prepared prepare
begin
is_stopped
watchdog
is_killed
is_gone
has_rivals
disk_is_full
clock_is_set
policy_is_reloaded
in_the_end
finish
