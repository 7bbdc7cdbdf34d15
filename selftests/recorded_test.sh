#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# recorded_test - the account of accesses that the agent writes: what is in it,
# that it has the time without an agent and explains another life of the module,
# and what becomes of a strict volume when its disk is full.
# shellcheck source=selftests/agent.sh
. "$(dirname "$0")/agent.sh"

state=/var/lib/trusteed

clean_up()
{
	jobs -p | xargs -r kill 2>/dev/null
}

prepare()
{
	make_volume || return
	# A disk that is soon full; systemd gives it to the agent.
	mkdir -p $state && mount -t tmpfs -o size=2M,mode=700 tmpfs $state || return
	configure <<-'END'
	    audit: strict
	END
}

# entries KIND [PATTERN] - how many the account has of it
entries()
{
	trustgate journal export --kind "$1" | grep -cF -- "${2-}"
}

has_entry()
{
	[ "$(entries "$@")" -gt 0 ]
}

give()
{
	as tgtrustee trustgate grant --volume test --path "$1" --pid "$2" \
		--access r --for 5m --reason customer-ticket --ticket "$3"
}

is_recorded()
{
	expect 0 "the unit starts" systemctl start trusteed.service
	eventually 30 "and says so in the account" has_entry agent-started
	expect fails "root is denied" cat $volume/mail/letter
	eventually 10 "which is recorded" has_entry denied '"path":"/mail/letter"'
	sleep 1000 &
	holder=$!
	expect 0 "a grant" give mail/letter $holder SR-4711
	equal "$(entries granting '"ticket":"SR-4711"')" 1 "is on record at once"
	eventually 10 "and what the kernel says of it soon" has_entry grant-added
	expect fails "a grant beyond the volume's longest" as tgtrustee trustgate grant \
		--volume test --path mail --pid $holder --access r --for 2h --reason incident
	eventually 10 "and that it was refused" has_entry refused '"method":"Grant"'
	expect fails "root may give nothing" trustgate grant --volume test --path mail \
		--pid $holder --access r --for 1m --reason incident
	eventually 10 "and that, too" has_entry refused '"uid":0'
	expect 0 "the account is in order" trustgate journal verify
}

goes_on()
{
	local key head before
	key=$(trustgate journal key) head=$(trustgate journal head)
	before=$(entries denied)
	expect 0 "stopped" systemctl stop trusteed.service
	expect 0 "the account ends signed" has_entry agent-stopping
	for _ in 1 2 3; do
		cat $volume/mail/letter
	done 2>/dev/null
	expect 0 "started again" systemctl start trusteed.service
	# The kernel has kept what no agent was there for.
	eventually 10 "what was denied meanwhile is recorded" sh -c \
		"[ \$(trustgate journal export --kind denied | wc -l) = $((before + 3)) ]"
	equal "$(trustgate journal export | grep -c '"kernelMissed":[1-9]')" 0 \
		"and nothing is missing"
	echo "$key" >/run/tg-test/key.pem
	expect 0 "in order, by the key and the head kept before" trustgate journal verify \
		--key /run/tg-test/key.pem --expect "$head"
}

account_is_well()
{
	trustgate status --json >/run/tg-test/status &&
		! grep -q accountProblem /run/tg-test/status
}

disk_is_full()
{
	equal "$(grants SR-4711)" 1 "a live grant"
	head -c 4M /dev/zero >$state/fill 2>/dev/null
	expect fails "root is denied" cat $volume/mail/letter
	eventually 30 "on a full disk the grant is ended" \
		journal_has '1 grants on strict volume "test" are ended'
	equal "$(grants)" 0 "none is left"
	equal "$(give mail/letter $holder SR-2 2>&1 | grep -c 'demands that each access is recorded.*make room')" \
		1 "no other is given, and why"
	equal "$(trustgate status --json | grep -c accountProblem)" 1 "state tells it"
	for _ in $(seq 20); do
		cat $volume/db/x
	done 2>/dev/null
	expect fails "and the gate stays closed" cat $volume/mail/letter
	rm $state/fill
	# Not by the journal: what was left of the disk may have been enough for
	# a moment, and that was told there, too.
	eventually 30 "with room it is written again" account_is_well
	expect 0 "which is told" journal_has "the account is written again"
	expect 0 "and a grant is given" give mail/letter $holder SR-3
	eventually 10 "what happened meanwhile is there" has_entry denied '"path":"/db/x"'
	expect 0 "the account is in order" trustgate journal verify
}

without_strict()
{
	sed -i '/audit: strict/d' $config
	expect 0 "reloaded" systemctl reload trusteed.service
	head -c 4M /dev/zero >$state/fill 2>/dev/null
	cat $volume/mail/letter 2>/dev/null
	eventually 30 "on a full disk" sh -c "trustgate status --json | grep -q accountProblem"
	equal "$(grants SR-3)" 1 "grants live on"
	expect 0 "and are given" give mail/letter $holder SR-4
	sed -i '/max-duration/a\    audit: strict' $config
	expect 0 "reloaded as strict" systemctl reload trusteed.service
	eventually 30 "they end" sh -c \
		"! setpriv --reuid tgtrustee --regid tgtrustee --clear-groups trustgate grants --json | grep -q SR-"
	rm $state/fill
	eventually 30 "with room the last is on record, too" has_entry granting '"ticket":"SR-4"'
}

another_life()
{
	expect 0 "released" as tgtrustee trustgate volume del test
	systemctl stop trusteed.service
	expect 0 "unloaded" modprobe -r trustgate
	expect 0 "and all begins anew" systemctl start trusteed.service
	expect fails "root is denied" cat $volume/mail/letter
	eventually 10 "the account says why numbers go back" has_entry gate-loaded
	expect 0 "and is in order" trustgate journal verify
}

trap 'clean; umount $state' EXIT
prepared prepare
is_recorded
goes_on
disk_is_full
without_strict
another_life
finish
