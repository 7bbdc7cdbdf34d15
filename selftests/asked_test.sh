#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# asked_test - opens that wait, with the agent as a unit: real programs, allowed
# and denied by rules, approved by a trustee; an agent that hangs, is restarted,
# or reads its policy again meanwhile; and what of it is measured.
# shellcheck source=selftests/agent.sh
. "$(dirname "$0")/agent.sh"

policy=/etc/trustgate/policy.yaml
output=/run/tg-test/output
textfiles=/var/lib/prometheus/node-exporter

clean_up()
{
	systemctl kill --signal=CONT trusteed.service 2>/dev/null
	jobs -p | xargs -r kill 2>/dev/null
	rm -f $policy
	rm -rf /var/lib/prometheus
}

write_policy()
{
	cat >$policy <<-'END'
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
	      - name: people
	        access: [read]
	        ask: {for: 5m, deadline: 2m}
	END
	chmod 644 $policy
}

prepare()
{
	make_volume || return
	mkdir $volume/keys
	echo "a key" >$volume/keys/k
	echo "another row" >$volume/db/y
	configure <<-END
	    ask: 30s
	policy: $policy
	END
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
	local began=$SECONDS
	expect 0 "a rule allows" wc -c $volume/db/x
	# By the second the process has had access, which closes it to most looks.
	expect 0 "and once more in one process" wc -c $volume/db/x $volume/db/y
	expect 0 "the rule is on record" journal_has 'by rule "counting"'
	expect fails "a rule denies" cat $volume/keys/k
	expect 0 "which is on record, too" journal_has 'rule "keys"'
	expect fails "no rule allows to write" sh -c "echo >>$volume/db/x"
	equal "$((SECONDS - began < 20 * ${TRUSTGATE_PATIENCE:-1}))" 1 "none of these waits for somebody"
	# The same program, under another name.
	cp /usr/bin/wc /run/tg-test/wc
	begin /run/tg-test/wc -c $volume/db/x
	eventually 20 "another program is not allowed, but waits" one_waits
	as tgtrustee trustgate deny "$(requests | tr -d ' ')" >/dev/null
	eventually 20 "until it is denied" ended fails
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
	sed -i '/counting/,/allows/d' $policy
	systemctl reload trusteed.service
	begin wc -c $volume/db/y
	eventually 20 "what a good one no longer allows waits for a trustee" one_waits
	kill %%
}

trap clean EXIT
prepared prepare
by_rules
by_a_trustee
numbers
agent_hangs
agent_restarts
policy_changes
finish
