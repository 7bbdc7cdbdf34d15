#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# asked_test - opens that wait, with the agent as a unit: real programs, allowed
# and denied by rules, approved by a trustee; an agent that hangs, is restarted,
# or reads its policy again meanwhile; and what of it is measured.
# shellcheck source=selftests/agent.sh
. "$(dirname "$0")/agent.sh"

[ -n "${TRUSTGATE_DISK2-}" ] || skip "no second empty disk (TRUSTGATE_DISK2)"

policy=/etc/trustgate/policy.yaml
output=/run/tg-test/output
state=/var/lib/trusteed
number=0
journals=/var/log/journal
programs=/srv/trusteed-programs
textfiles=/var/lib/prometheus/node-exporter

clean_up()
{
	systemctl kill --signal=CONT trusteed.service 2>/dev/null
	rm -f $state/filler
	if mountpoint -q $state; then
		as tgtrustee trustgate volume del test >/dev/null 2>&1
		systemctl -q stop trusteed.service
		umount $state
	fi
	jobs -p | xargs -r kill 2>/dev/null
	! mountpoint -q $journals || umount $journals
	! mountpoint -q $programs || umount $programs
	rm -f $policy
	rm -rf /var/lib/prometheus
}

write_policy()
{
	cat >$policy <<-END
	volumes:
	  - name: test
	    rules:
	      - name: keys
	        paths: [keys]
	        deny: true
	      - name: counting
	        exe: /usr/bin/wc
	        paths: [db]
	        access: [read]
	        allow: {for: 2s, reason: automation}
	      - name: measured
	        digest: sha256:$(sha256sum $programs/measured | cut -d' ' -f1)
	        paths: [db]
	        access: [read]
	        allow: {for: 2s, reason: automation}
	      - name: sealed
	        digest: fsverity-sha256:$(seal $programs/sealed)
	        paths: [db]
	        access: [read]
	        allow: {for: 2s, reason: automation}
	      - {name: unit, units: ["tg-unit*.service"], paths: [mail], access: [read],
	         allow: {for: 2s, reason: automation}}
	      - {name: group, cgroups: [/tggroup.slice], paths: [mail], access: [read],
	         allow: {for: 2s, reason: automation}}
	      - {name: login, login-users: [tgdba], paths: [mail], access: [read],
	         allow: {for: 2s, reason: automation}}
	      - name: journals
	        paths: [journals]
	        ask: {for: 5m, deadline: 5m}
	      - name: people
	        access: [read]
	        ask: {for: 5m, deadline: 5m}
	END
	chmod 644 $policy
}

# seal FILE - by fs-verity, if that has not been done; prints its digest
seal()
{
	python3 - "$1" <<-'END'
	import fcntl, os, struct, sys
	file = os.open(sys.argv[1], os.O_RDONLY)
	# struct fsverity_enable_arg: version 1, SHA-256, blocks of a page
	enable = struct.pack("<IIIIQIIQ88x", 1, 1, 4096, 0, 0, 0, 0, 0)
	try:
	    fcntl.ioctl(file, 0x40806685, enable)	# FS_IOC_ENABLE_VERITY
	except FileExistsError:
	    pass
	digest = bytearray(struct.pack("<HH32x", 0, 32))
	fcntl.ioctl(file, 0xC0046686, digest)	# FS_IOC_MEASURE_VERITY
	print(digest[4:].hex())
	END
}

prepare()
{
	make_volume || return
	# What a program is, is read where that is soon done: of a disk.
	mkfs.ext4 -q -F -O verity "$TRUSTGATE_DISK2" && mkdir -p $programs &&
		mount "$TRUSTGATE_DISK2" $programs || return
	cp /usr/bin/head $programs/measured
	cp /usr/bin/tail $programs/sealed
	cp /usr/bin/tail $programs/unsealed
	seal $programs/sealed >/dev/null || return
	mkdir $volume/keys
	echo "a key" >$volume/keys/k
	echo "another row" >$volume/db/y
	# What journald would go on with.
	mkdir -p "$volume/journals/$(cat /etc/machine-id)"
	find /var/log/journal /run/log/journal -name system.journal \
		-exec cp {} "$volume/journals/$(cat /etc/machine-id)" \;
	id tgsecond || useradd tgsecond
	id tgtenant || useradd tgtenant
	configure <<-END
	    ask: 30s
	    tenants: [tgtenant]
	    break-glass: {users: [tgdba], for: 1m}
	policy: $policy
	END
	sed -i 's/trustees: .*/trustees: [tgtrustee, tgsecond]/' $config
	write_policy
	systemctl start trusteed.service
}

# Numbers of the requests that wait for a trustee.
requests()
{
	as tgtrustee trustgate requests --noheadings --output ID
}

one_waits()
{
	[ -n "$(requests)" ]
}

nobody_waits()
{
	local waiting
	waiting=$(requests) && [ -z "$waiting" ]
}

approve()
{
	as tgtrustee trustgate approve "$(requests | tail -n 1 | tr -d ' ')" \
		--reason incident --for 20s
}

# A program that waits; its status ends in $output.status.
begin()
{
	rm -f $output $output.status
	{
		"$@" >$output 2>&1
		echo $? >$output.status
	} &
}

# ended STATUS - 0, or any other ("fails")
ended()
{
	[ -s $output.status ] &&
		if [ "$1" = 0 ]; then
			[ "$(cat $output.status)" = 0 ]
		else
			[ "$(cat $output.status)" != 0 ]
		fi
}

by_rules()
{
	local began
	began=$(now_ms)
	expect 0 "a rule allows" wc -c $volume/db/x
	# By the second the process has had access, which closes it to most looks.
	expect 0 "and once more in one process" wc -c $volume/db/x $volume/db/y
	expect 0 "the rule is on record" journal_has 'by rule "counting"'
	expect fails "a rule denies" cat $volume/keys/k
	expect 0 "which is on record, too" journal_has 'rule "keys"'
	expect fails "no rule allows to write" sh -c "echo >>$volume/db/x"
	equal "$(($(now_ms) - began < 20000 * ${TRUSTGATE_PATIENCE:-1}))" 1 "none of these waits for somebody"
	# The same program, under another name.
	cp /usr/bin/wc /run/tg-test/wc
	begin /run/tg-test/wc -c $volume/db/x
	eventually 20 "another program is not allowed, but waits" one_waits
	as tgtrustee trustgate deny "$(requests | tr -d ' ')" >/dev/null
	eventually 20 "until it is denied" ended fails
}

by_its_bytes()
{
	expect 0 "a rule allows a program by its digest" $programs/measured -c 1 $volume/db/x
	expect 0 "which is on record" journal_has 'by rule "measured"'
	expect 0 "one by that of fs-verity" $programs/sealed -c 1 $volume/db/x
	expect 0 "which is on record, too" journal_has 'by rule "sealed"'
	begin $programs/unsealed -c 1 $volume/db/x
	eventually 20 "the same bytes without fs-verity are not allowed, but wait" one_waits
	as tgtrustee trustgate deny "$(requests | tr -d ' ')" >/dev/null
	eventually 20 "until they are denied" ended fails
	# Its name and place are the same.
	printf '\0' >>$programs/measured
	begin $programs/measured -c 1 $volume/db/x
	eventually 20 "nor is a program that was changed" one_waits
	as tgtrustee trustgate deny "$(requests | tr -d ' ')" >/dev/null
	eventually 20 "but denied" ended fails
}

by_where_it_comes_from()
{
	expect 0 "a rule allows a unit" \
		systemd-run --quiet --wait --unit=tg-unit1 cat $volume/mail/letter
	expect 0 "which is on record" journal_has 'by rule "unit"'
	expect 0 "one what is in a control group" \
		systemd-run --quiet --wait --slice=tggroup.slice cat $volume/mail/letter
	expect 0 "which is on record" journal_has 'by rule "group"'
	expect 0 "one who has logged in, whoever he is by now" \
		sh -c "echo $(id -u tgdba) >/proc/self/loginuid && exec cat $volume/mail/letter"
	expect 0 "which is on record" journal_has 'by rule "login"'
}

# in_agent COMMAND... - among the mounts that the agent sees: its /proc is its own
in_agent()
{
	nsenter --mount --target "$(systemctl show --property MainPID --value trusteed)" "$@"
}

# mask PID - has /proc say to the agent of it what it says of wc(1)
mask()
{
	local name mask=/run/tg-test/mask
	mkdir $mask
	for name in stat status cgroup loginuid; do
		cat "/proc/$1/$name" >$mask/$name
	done
	ln -s /usr/bin/wc $mask/exe
	in_agent mount --bind $mask "/proc/$1"
}

by_a_masked_one()
{
	local pid
	# shellcheck disable=SC2016
	begin sh -c 'echo $$ >/run/tg-test/pid; until [ -e /run/tg-test/go ]; do sleep 0.1; done
		exec /run/tg-test/wc -c "$0"' $volume/db/x
	eventually 20 "another program" test -s /run/tg-test/pid
	pid=$(cat /run/tg-test/pid)
	mask "$pid"
	equal "$(in_agent readlink "/proc/$pid/exe")" /usr/bin/wc "looks like the one that is allowed"
	touch /run/tg-test/go
	eventually 20 "and is not, so it is denied" ended fails
	eventually 10 "which is said" journal_has "of the process is not the kernel's word"
	in_agent umount "/proc/$pid" 2>/dev/null
}

by_a_trustee()
{
	begin cat $volume/mail/letter
	eventually 20 "it waits for a trustee" one_waits
	equal "$(as tgtrustee trustgate requests --noheadings --output PATH,COMM,RULE | tr -s ' ')" \
		"mail/letter cat people" "who is told what for"
	expect fails "root is none" trustgate approve "$(requests | tr -d ' ')" --reason incident
	expect fails "without a reason it is not approved" \
		as tgtrustee trustgate approve "$(requests | tr -d ' ')"
	expect fails "nor beyond the rule" as tgtrustee trustgate approve \
		"$(requests | tr -d ' ')" --reason incident --for 6m
	expect 0 "it waits on" one_waits
	expect 0 "approved" approve
	eventually 20 "it goes on" ended 0
	equal "$(cat $output)" "a letter" "and reads"
	expect fails "nobody else does" timeout 2 cat $volume/mail/letter
	eventually 20 "who has gone waits no longer" nobody_waits
}

# metric NAME [COMMAND...] - a number, as the agent tells it, or as the command does
metric()
{
	local name=$1
	shift
	[ $# -gt 0 ] || set -- trustgate metrics
	"$@" 2>/dev/null | awk -v name="trustgate_$name" '$1 == name { print $2 }'
}

above()
{
	[ "$(metric "$2")" -gt "$1" ]
}

# rises NAME COMMAND...
rises()
{
	local name=$1 before
	before=$(metric "$name")
	shift
	"$@" >/dev/null 2>&1
	eventually 20 "$name rises by it: $1" above "${before:-none}" "$name"
}

numbers()
{
	rises 'ask_duration_seconds_count{end="granted"}' wc -c $volume/db/x
	rises 'allowed_total{volume="test"}' wc -c $volume/db/x
	rises 'asked_total{volume="test"}' wc -c $volume/db/x
	rises 'ask_duration_seconds_count{end="refused"}' cat $volume/keys/k
	rises 'denied_total{volume="test",cause="refused"}' cat $volume/keys/k
	rises 'account_entries_total' cat $volume/keys/k
	rises 'agent_refusals_total' as tgdba trustgate grants
	begin cat $volume/mail/letter
	eventually 20 "who waits is counted" above 0 requests_waiting_for_trustee
	equal "$(metric requests_open)" 1 "by the kernel, too"
	as tgtrustee trustgate deny "$(requests | tr -d ' ')" >/dev/null
	eventually 20 "until he is denied" nobody_waits
	equal "$(metric gate_up trustgate metrics --agent /run/tg-test/none)" 1 \
		"without the agent the kernel is asked"
	equal "$(metric agent_up trustgate metrics --agent /run/tg-test/none)" 0 "which is told"
	equal "$(metric 'denied_total{volume="test",cause="refused"}' \
		trustgate metrics --agent /run/tg-test/none)" \
		"$(metric 'denied_total{volume="test",cause="refused"}')" "and counts the same"
	mkdir -p $textfiles
	expect 0 "the unit for node_exporter runs" systemctl start trustgate-metrics.service
	equal "$(metric 'volume_protected{volume="test"}' cat $textfiles/trustgate.prom)" 1 \
		"and writes its file"
	equal "$(ls -A $textfiles)" trustgate.prom "and nothing else"
	equal "$(systemctl is-enabled trustgate-metrics.timer)" disabled "only if somebody wants it"
	expect 0 "a frame of top" sh -c 'trustgate top --once | grep -q "test *protected"'
}

# Both are waited for by others, and the agent is none of these.
journald_and_systemd()
{
	local began
	began=$(now_ms)
	expect fails "systemd is to read a file of the volume" \
		systemd-run --quiet --wait -p EnvironmentFile=$volume/mail/letter true
	equal "$(($(now_ms) - began < 15000 * ${TRUSTGATE_PATIENCE:-1}))" 1 "it is denied and does not wait"
	mkdir -p $journals
	mount --bind $volume/journals $journals
	touch /run/systemd/journal/flushed
	systemctl restart --no-block systemd-journald.service
	eventually 30 "journald is to write one there: it waits" one_waits
	equal "$(as tgtrustee trustgate requests --noheadings --output COMM,RULE | tr -s ' ')" \
		"systemd-journal journals" "nobody else does"
	began=$(now_ms)
	# More records than its socket takes while it does not read them.
	expect 0 "meanwhile a rule allows" sh -c "for i in \$(seq 40); do wc -c $volume/db/x || exit; done"
	expect 0 "and the agent answers" agent_answers
	equal "$(($(now_ms) - began < 25000 * ${TRUSTGATE_PATIENCE:-1}))" 1 "without waiting for journald"
	expect 0 "which waits still" one_waits
	as tgtrustee trustgate deny "$(requests | tail -n 1 | tr -d ' ')" >/dev/null
	eventually 20 "until it is denied" nobody_waits
	eventually 30 "and writes elsewhere" systemctl -q is-active systemd-journald.service
	umount $journals
	systemd-cat -t trusteed-test echo "journald is back"
	eventually 20 "what is said now" sh -c "journalctl -q -b -t trusteed-test -o cat | grep -q 'is back'"
	eventually 20 "and what the agent said meanwhile is recorded" \
		sh -c "journalctl -q -b -u trusteed.service -o cat | grep -q 'request.* by systemd-journal\|by systemd-journal .*waits for approval'"
}

agent_hangs()
{
	expect 0 "a shorter wait" as tgtrustee trustgate volume set test --ask 3s
	systemctl kill --signal=STOP trusteed.service
	begin cat $volume/mail/letter
	eventually 20 "the agent hangs: it is denied in time" ended fails
	systemctl kill --signal=CONT trusteed.service
	eventually 20 "the agent goes on" agent_answers
	expect 0 "as before" wc -c $volume/db/x
	expect 0 "a longer wait" as tgtrustee trustgate volume set test --ask 1m
}

agent_restarts()
{
	begin cat $volume/mail/letter
	eventually 20 "it waits" one_waits
	systemctl kill --signal=KILL trusteed.service
	eventually 60 "the agent is killed, and finds it again" one_waits
	expect 0 "approved" approve
	eventually 20 "it goes on" ended 0
}

policy_changes()
{
	local bad=0 _
	for _ in 1 2 3 4; do
		systemctl reload trusteed.service &
		wc -c $volume/db/x >/dev/null || bad=$((bad + 1))
		wait $!
	done
	equal $bad 0 "read again and again, it has no gap"
	sed -i 's/allow:/allows:/' $policy
	systemctl reload trusteed.service
	expect 0 "a bad one is refused" journal_has "the old policy stays in force"
	expect 0 "and changes nothing" wc -c $volume/db/x
	sed -i '/counting/,/allows/d; s/allows:/allow:/' $policy
	systemctl reload trusteed.service
	begin wc -c $volume/db/y
	eventually 20 "what a good one no longer allows waits for a trustee" one_waits
	kill %%
}

# need APPROVALS - from here on, as trusteed.yaml says it
need()
{
	sed -i "/^    approvals:/d; s/^    ask:.*/    ask: 5m\n    approvals: $1/" $config
	expect 0 "needed from here on: $1" systemctl reload trusteed.service
}

# as_person USER VERB [OPTION...] - about the request that waits
as_person()
{
	local user=$1 verb=$2
	shift 2
	as "$user" trustgate "$verb" "$number" "$@"
}

# field NAME - of that request
field()
{
	as tgtrustee trustgate show "$number" --json |
		python3 -c 'import json, sys; print(json.load(sys.stdin)["request"].get(sys.argv[1]))' "$1"
}

is_state()
{
	[ "$(field state)" = "$1" ]
}

# begin_request COMMAND... - one that waits, and its number
begin_request()
{
	begin "$@"
	eventually 20 "it waits for approval" one_waits
	number=$(requests | tail -n 1 | tr -d ' ')
}

two_persons()
{
	need 2
	begin_request cat $volume/mail/letter
	expect 0 "one approves" as_person tgtrustee approve --reason incident --for 1m
	expect fails "he is not two" as_person tgtrustee approve --reason incident
	expect fails "nor is he as whom he has become" as_logged_in
	eventually 10 "which is said" journal_has "he has approved it already as uid"
	expect fails "nor with another's login mounted over his" as_masked
	eventually 10 "which is said, too" journal_has "what /proc tells of who is asking"
	expect fails "a tenant is not asked" as_person tgtenant approve --reason incident
	expect fails "others may not" as_person tgdba approve --reason incident
	eventually 10 "which is on record" journal_has "read requests"
	expect fails "he sees nothing either" as_person tgdba show
	equal "$(field trustees)/$(field needTrustees)" 1/2 "one of two"
	equal "$(grants mail/letter)" 0 "so nothing is given"
	expect 0 "it waits on" one_waits
	systemctl kill --signal=KILL trusteed.service
	eventually 60 "the agent is killed, and finds it again" one_waits
	equal "$(field trustees)/$(field needTrustees)" 1/2 "and what was approved"
	expect fails "who has approved is not two now either" as_person tgtrustee approve --reason incident
	expect 0 "another approves, for less time" as_person tgsecond approve --for 3s
	eventually 20 "it goes on" ended 0
	equal "$(cat $output)" "a letter" "and reads"
	equal "$(field durationNSec)" 3000000000 "for the lesser time"
	eventually 30 "then it is over" is_state completed
	equal "$(as tgtrustee trustgate history --json --state completed --max 1 |
		python3 -c 'import json, sys; print(json.load(sys.stdin)[0]["id"])')" "$number" \
		"and in the history"
}

# The second trustee, whom the first has become after he logged in.
as_logged_in()
{
	sh -c "echo $(id -u tgtrustee) >/proc/self/loginuid &&
		exec setpriv --reuid tgsecond --regid tgsecond --clear-groups \
			trustgate approve $number --reason incident"
}

# The same with a login that is mounted there; exits with 0 if that cannot be tried.
as_masked()
{
	local agent
	agent=$(systemctl show --property MainPID --value trusteed)
	id -u tgsecond >/run/tg-test/loginuid
	chmod 444 /run/tg-test/loginuid
	sh -c "echo $(id -u tgtrustee) >/proc/self/loginuid &&
		nsenter --mount --target $agent \
			mount --bind /run/tg-test/loginuid /proc/\$\$/loginuid &&
		[ \$(nsenter --mount --target $agent cat /proc/\$\$/loginuid) = $(id -u tgsecond) ] ||
			exit 0
		exec setpriv --reuid tgsecond --regid tgsecond --clear-groups \
			trustgate approve $number --reason incident"
}

tenant_too()
{
	need '{trustee: 1, tenant: 1}'
	begin_request python3 -c 'import sys, time
print(open(sys.argv[1]).read(), flush=True)
time.sleep(60)' $volume/mail/letter
	expect 0 "the tenant approves" as_person tgtenant approve --reason incident
	expect 0 "and sees it" as_person tgtenant show
	expect fails "but nothing else" as tgtenant trustgate status
	expect 0 "it waits on" one_waits
	expect 0 "a trustee approves" as_person tgtrustee approve --for 4m
	eventually 20 "it goes on" grep -q "a letter" $output
	expect 0 "the tenant ends it" as tgtenant trustgate revoke --request "$number" --comment enough
	equal "$(field state)" revoked "which is on record"
	equal "$(grants mail/letter)" 0 "nothing is left"
	kill %%
	begin_request cat $volume/db/x
	expect 0 "a trustee approves" as_person tgtrustee approve --reason incident
	expect 0 "the tenant denies" as_person tgtenant deny --comment "not this one"
	eventually 20 "one denial is enough" ended fails
	equal "$(field state)" rejected "which is on record"
	expect fails "for good" as_person tgsecond approve --reason incident
	sed -i 's/deadline: 5m/deadline: 8s/' $policy
	systemctl reload trusteed.service
	begin_request head -n 1 $volume/mail/letter
	expect 0 "a trustee approves" as_person tgtrustee approve --reason incident
	eventually 30 "nobody else does in time" ended fails
	equal "$(field state)" expired "which is on record"
	sed -i 's/deadline: 8s/deadline: 5m/' $policy
	systemctl reload trusteed.service
}

# as_dba KIND [OPTION...] - executes a program under a grant to himself
as_dba()
{
	local kind=$1
	shift
	as tgdba trustgate exec "$kind" --volume test --path db/ --access r --for 1m "$@" \
		-- cat $volume/db/x
}

ahead_of_an_open()
{
	need 2
	expect fails "by a rule he gets nothing" as tgdba trustgate exec --volume test --path db/ \
		--access r --for 1m --reason incident -- cat $volume/db/x
	begin_request as_dba --ask --reason customer-ticket --ticket SR-4711 --location DE
	equal "$(field kind) $(field ticket) $(field location)" "person SR-4711 DE" "what for"
	expect fails "he cannot approve it" as_person tgdba approve
	expect 0 "one approves" as_person tgtrustee approve
	expect 0 "two approve" as_person tgsecond approve --for 30s
	eventually 30 "the program runs" ended 0
	expect 0 "and reads" grep -q "a row" $output
	eventually 30 "then it is over" is_state completed
}

emergency()
{
	expect fails "not for another reason" as_dba --break-glass --reason incident --comment "no"
	expect fails "not by anybody" trustgate exec --break-glass --volume test --path db/ \
		--access r --for 1m --reason emergency --comment "no" -- cat $volume/db/x
	expect 0 "in an emergency there is no wait" as_dba --break-glass --reason emergency --comment "it burns"
	expect 0 "with an alert" sh -c "journalctl -q -b -u trusteed.service -p alert -o cat | grep -q BREAK-GLASS"
	expect 0 "which the state tells" sh -c "trustgate status | grep -q '^Break-glass: 1 '"
	number=$(as tgtrustee trustgate history --max 1 --noheadings --output ID | tr -d ' ')
	expect fails "until it is acknowledged, not by himself" as_person tgdba acknowledge
	expect fails "nor by root" trustgate acknowledge "$number"
	expect 0 "by a trustee" as_person tgsecond acknowledge --comment "seen"
	expect fails "then no more" sh -c "trustgate status | grep -q '^Break-glass'"
}

disk_full()
{
	systemctl stop trusteed.service
	mkdir /run/tg-test/state
	cp -a $state/. /run/tg-test/state
	mount -t tmpfs -o size=4m,mode=0700,uid="$(id -u trusteed)",gid="$(id -g trusteed)" state $state
	cp -a /run/tg-test/state/. $state
	systemctl start trusteed.service
	eventually 30 "on a small disk" agent_answers
	need 1
	dd if=/dev/zero of=$state/filler bs=4k status=none 2>/dev/null
	begin tail -n 1 $volume/mail/letter
	eventually 20 "on a full one, what has to be approved is denied" ended fails
	expect 0 "with its cause" journal_has "requests cannot be kept"
	as tgtrustee trustgate status >$output.full 2>&1
	expect 0 "which the state tells" grep -q "Approvals: denied" $output.full
	rm $state/filler
	eventually 30 "with room again it is over" status_is_good
	begin_request tac $volume/mail/letter
	expect 0 "and can be approved" as_person tgtrustee approve --reason incident --for 20s
	eventually 20 "it goes on" ended 0
}

status_is_good()
{
	as tgtrustee trustgate status >$output.full && ! grep -q "Approvals: " $output.full
}

trap clean EXIT
prepared prepare
by_rules
by_its_bytes
by_where_it_comes_from
by_a_masked_one
by_a_trustee
numbers
journald_and_systemd
agent_hangs
agent_restarts
two_persons
tenant_too
ahead_of_an_open
emergency
disk_full
policy_changes
finish
