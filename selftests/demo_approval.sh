# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# demo_approval - the part of the demonstration in which people decide: a
# tenant's PostgreSQL works on by a standing grant, while what an administrator
# opens waits for two persons, is watched, and is revoked half-way.
#
# Sourced by demo.sh, which owns how steps are shown. On $TRUSTGATE_DISK2.

tenant=/srv/globex
postgres=/usr/lib/postgresql/17/bin
server=/run/globex-db

prepare_tenant()
{
	useradd --create-home --shell /bin/bash tina
	mkfs.ext4 -q -L globex "$TRUSTGATE_DISK2"
	mkdir -p $tenant
	mount "$TRUSTGATE_DISK2" $tenant
	install -d -o postgres -g postgres -m 700 $tenant/pg
	runuser -u postgres -- $postgres/initdb -D $tenant/pg/data -A trust -N \
		--locale=C -E UTF8 --wal-segsize=1 -c shared_buffers=16MB \
		-c max_connections=10
	cat >/etc/systemd/system/globex-db.service <<-END
	[Service]
	Type=notify
	User=postgres
	RuntimeDirectory=globex-db
	ExecStart=/usr/bin/trustgate exec --service -- $postgres/postgres -D $tenant/pg/data -k $server -c listen_addresses=
	END
	cat >/etc/trustgate/policy.yaml <<-END
	volumes:
	  - name: globex
	    rules:
	      - name: staff
	        access: [read]
	        ask: {for: 5m, deadline: 4m}
	END
	chmod 644 /etc/trustgate/policy.yaml
	systemctl daemon-reload
}

# What the agent's configuration says of the volume, and of the service.
tenant_volume()
{
	cat <<-END
	  - name: globex
	    path: $tenant
	    max-duration: 8h
	    ask: 4m
	    tenants: [tina]
	    approvals: {trustee: 1, tenant: 1}
	services:
	  - {unit: globex-db.service, volume: globex, path: pg, access: [read, write, names, meta], for: 2m}
	policy: /etc/trustgate/policy.yaml
	END
}

sql()
{
	$postgres/psql -h $server -U postgres -AtX -c "$1" postgres
}

# The administrator's psql, which imports a file of the server's, and his cat,
# which takes its time over a table, as its reader does.
start_administrator()
{
	coproc PSQL {
		exec stdbuf -oL $postgres/psql -h $server -U postgres -AtX postgres 2>&1
	}
	# What is said with them is demo.sh's.
	# shellcheck disable=SC2034
	talk_in=${PSQL[1]} talk_out=${PSQL[0]}
	control=$tenant/pg/data/global/pg_control
	table=$tenant/pg/data/$(sql "SELECT pg_relation_filepath('pgbench_accounts')")
	(
		# It is cat that is to be seen.
		# shellcheck disable=SC2002
		cat "$table" 2>/tmp/demo.cat | python3 -c '
import sys, time
while sys.stdin.buffer.read(65536):
    time.sleep(0.2)'
		echo "${PIPESTATUS[0]}" >/tmp/demo.cat.status
	) &
	copier=$!
}

# The requests that wait, by the program's name.
request_of()
{
	runuser -u alice -- trustgate requests --noheadings --output ID,COMM |
		awk -v comm="$1" '$2 == comm { print $1 }'
}

# wait_for SECONDS COMMAND... - until it succeeds
wait_for()
{
	local end=$((SECONDS + $1))
	shift
	until "$@" >/dev/null 2>&1; do
		[ "$SECONDS" -lt "$end" ] || return 1
		sleep 0.3
	done
}

both_wait()
{
	[ -n "$(request_of psql)" ] && [ -n "$(request_of cat)" ]
}

tenant_database()
{
	say "A tenant's PostgreSQL works on its volume, by a standing grant"
	expect allowed root "systemctl start globex-db.service && systemctl is-active globex-db.service"
	expect allowed root "$postgres/pgbench -h $server -U postgres -i -q -s 1 postgres 2>&1 | tail -n 1"
	$postgres/pgbench -h $server -U postgres -n -c 1 -T 600 postgres >/dev/null 2>&1 &
	bench=$!
	trustgate watch --volume globex >/tmp/demo.watch 2>&1 &
	watcher=$!
}

two_persons_approve()
{
	local psql cat

	say "An administrator's psql and cat want at its files, and wait"
	start_administrator
	printf '  root# psql: %s\n' "\\lo_import $control"
	printf '%s\n' "\\lo_import $control" >&"$talk_in"
	printf '  root# cat %s\n' "$table"
	wait_for 60 both_wait
	outcome allowed $?
	expect allowed alice "trustgate requests"
	psql=$(request_of psql) cat=$(request_of cat)
	expect refused root "trustgate approve $psql --reason incident --ticket INC-7"
	expect allowed alice "trustgate approve $psql --reason incident --ticket INC-7 --for 20s"
	expect allowed alice "trustgate approve $cat --reason incident --ticket INC-7 --for 20s"
	expect refused alice "trustgate approve $cat --reason incident --ticket INC-7"
	say "One person is not enough; the tenant has to agree"
	expect allowed tina "trustgate requests --output ID,VOLUME,COMM,REASON,TICKET,APPROVALS"
	expect allowed tina "trustgate approve $psql --comment 'while I am looking'"
	expect allowed tina "trustgate approve $cat"
	talk allowed psql "\\lo_import $control"
	expect allowed alice "trustgate grants --volume globex"
	expect allowed root "tail -n 4 /tmp/demo.watch"
	say "Half-way it is revoked, and ends at once"
	expect allowed tina "trustgate revoke --request $psql --comment 'that will do'"
	expect allowed alice "trustgate revoke --request $cat"
	wait "$copier"
	printf '  root# cat: %s\n' "$(cat /tmp/demo.cat)"
	outcome refused "$(cat /tmp/demo.cat.status)"
	# For five seconds the same question gets the same answer.
	sleep 6
	printf '  root# psql: %s\n' "\\lo_import $control"
	printf '%s\n' "\\lo_import $control" >&"$talk_in"
	wait_for 60 request_waits
	expect allowed alice "trustgate deny $(request_of psql) --comment 'once was enough'"
	talk refused psql "\\echo"
	exec {talk_in}>&-
	expect allowed alice "trustgate show $cat"
}

request_waits()
{
	[ -n "$(request_of psql)" ]
}

tenant_works_on()
{
	say "The database has noticed nothing of it"
	kill -0 "$bench"
	outcome allowed $?
	expect allowed root "$postgres/psql -h $server -U postgres -AtX -c 'SELECT count(*) > 0 FROM pgbench_history' postgres | grep t"
	kill "$bench" "$watcher"
	wait "$bench" "$watcher" 2>/dev/null
	expect allowed root "systemctl stop globex-db.service"
	say "All of it is found again, in an account that verifies"
	expect allowed alice "trustgate history --volume globex --output ID,STATE,COMM,REASON,TICKET,APPROVALS,CAUSE"
	expect allowed root "trustgate journal verify"
	expect allowed root "trustgate journal export | python3 -c '
import collections, json, sys
entries = [json.loads(line) for line in sys.stdin]
kinds = collections.Counter(entry[\"kind\"] for entry in entries)
for kind in (\"request-approval\", \"request-approved\", \"request-revoked\", \"request-denial\"):
    print(kinds[kind], kind)
# What each of them opened, and could read no more.
did = collections.Counter((entry[\"body\"].get(\"comm\"), entry[\"kind\"]) for entry in entries
                          if entry[\"body\"].get(\"volume\") == \"globex\")
for what in ((\"psql\", \"allowed\"), (\"cat\", \"allowed\"), (\"cat\", \"denied\"), (\"postgres\", \"allowed\")):
    print(did[what], *what)
    if not did[what]:
        sys.exit(1)
sys.exit((kinds[\"request-approval\"], kinds[\"request-revoked\"]) != (4, 2))'"
}
