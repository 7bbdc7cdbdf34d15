#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# ynl_test - the kernel's own YNL command line as a client of the gate.
#
# Proves that the specification is complete: nothing but it and the kernel's
# generic tool is needed to talk to the gate. Must not test what the gate does.
ynl=${TRUSTGATE_YNL:-/usr/lib/trustgate/ynl}
spec=$ynl/netlink/specs/trustgate.yaml

if [ ! -e "$spec" ]; then
	echo "1..0 # SKIP no YNL tool in $ynl; set TRUSTGATE_YNL to tools/net/ynl with its specs"
	exit 4
fi

echo "1..7"
number=0 bad=0
result()
{
	number=$((number + 1))
	if [ "$1" = 0 ]; then
		echo "ok $number $2"
	else
		echo "not ok $number $2"
		echo "# ${output//$'\n'/$'\n'# }"
		bad=1
	fi
}

# The specification is checked against its schema once, by the first call.
schema=
call()
{
	output=$(python3 "$ynl/cli.py" --spec "$spec" $schema --output-json \
		"$@" 2>&1)
}

# holds EXPRESSION: is it true of the answer, called r?
holds()
{
	python3 -c 'import json, sys
r = json.loads(sys.stdin.read())
sys.exit(not eval(sys.argv[1]))' "$1" <<<"$output"
}

modprobe trustgate || {
	echo "Bail out! cannot load trustgate"
	exit 1
}

call --do gate-get &&
	holds 'r["abi-version"] == 1 and r["state"] == "idle" and r["volumes"] == 0'
result $? "gate-get tells the state by name"
schema=--no-schema

call --dump volume-get &&
	holds 'r == []'
result $? "an empty dump of volumes"

call --dump grant-get --json '{"pid": 1}' &&
	holds 'r == []'
result $? "a filtered dump of grants"

! call --do grant-get --json '{"id": 4711}' &&
	grep -q 'no live grant has this id' <<<"$output" &&
	grep -q 'bad-attr.*\.id' <<<"$output"
result $? "a refusal with the kernel's words and the attribute's name"

! call --do agent-bind &&
	grep -q "miss-type.*secret" <<<"$output"
result $? "a missing attribute is named"

! call --do volume-add --json '{"name": "ynl", "path": "/"}' &&
	grep -q 'no agent is bound' <<<"$output"
result $? "who is not the agent changes nothing"

call --do agent-bind --json "{\"secret\": \"$(printf '%064d' 0)\"}" &&
	holds '"event-seq" in r'
result $? "binding as the agent"

exit $bad
