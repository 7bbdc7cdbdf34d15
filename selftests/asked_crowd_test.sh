#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# asked_crowd_test - thousands of opens wait for a trustee at once, in the agent as
# a unit: all are on the docket, it is killed and finds them again, some are
# approved, some denied, and the rest waits until the agent is gone. Nothing opens
# that was not approved, nothing hangs, nothing is lost, and a service whose rule
# needs nobody is served meanwhile. crowd_test has ten thousand wait in the kernel.
# shellcheck source=selftests/agent.sh
. "$(dirname "$0")/agent.sh"

# Processes, and directories that each of them opens at once. Ten thousand did as well,
# but far longer: on two emulated CPUs one takes the agent a hundredth of a second to be
# put on the docket, and its approval, which is on disk twice, a tenth; and other guests
# run beside this one.
subjects=10
files=150
crowd=$((subjects * files))
# Of ten, one's opens are approved, one's denied.
decided=$((crowd / 10))
policy=/etc/trustgate/policy.yaml
logs=/run/tg-test/logs

clean_up()
{
	jobs -p | xargs -r kill 2>/dev/null
	systemctl -q stop crowd.service 2>/dev/null
	rm -f $policy
}

programs()
{
	cat >/run/tg-test/crowd <<-'END'
	#!/usr/bin/python3
	# crowd DIRECTORY FILES SUBJECTS LOGS - opens them all; how each ended is in LOGS
	#
	# By threads that know nothing of Python: thousands of its own, woken at once,
	# would spend minutes on each other's lock. What such a thread begins with has
	# one argument, as opendir() has.
	import ctypes, os, sys
	directory, files, subjects, logs = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
	libc = ctypes.CDLL(None)
	opendir = ctypes.cast(libc.opendir, ctypes.c_void_p)
	attributes = ctypes.create_string_buffer(64)
	libc.pthread_attr_init(attributes)
	libc.pthread_attr_setstacksize(attributes, ctypes.c_size_t(65536))
	names = [f"{directory}/{number}".encode() for number in range(files)]
	for subject in range(subjects):
	    if os.fork():
	        continue
	    threads = (ctypes.c_ulong * files)()
	    for number, name in enumerate(names):
	        if libc.pthread_create(ctypes.byref(threads, 8 * number), attributes, opendir, ctypes.c_char_p(name)):
	            os.abort()
	    ended = ctypes.c_void_p()
	    with open(f"{logs}/crowd.{subject}", "w") as log:
	        for number in range(files):
	            libc.pthread_join(ctypes.c_ulong(threads[number]), ctypes.byref(ended))
	            log.write(f"{number} {'ok' if ended.value else 'denied'}\n")
	    os._exit(0)
	for subject in range(subjects):
	    os.wait()
	END
	cat >/run/tg-test/service <<-'END'
	#!/usr/bin/python3
	# service FILE - a process after the other opens it; when each did, and how
	import errno, os, sys, time
	def ms():
	    return time.clock_gettime_ns(time.CLOCK_BOOTTIME) // 1000000
	while True:
	    if not os.fork():
	        began, end = ms(), "ok"
	        try:
	            os.open(sys.argv[1], os.O_RDONLY)
	        except OSError as error:
	            end = errno.errorcode[error.errno]
	        print(began, ms(), end, flush=True)
	        os._exit(0)
	    os.wait()
	    time.sleep(0.3)
	END
	cat >/run/tg-test/longest <<-'END'
	#!/usr/bin/python3
	# longest FROM LOG - how long the slowest took since then, and how many failed
	import sys
	opens = [line.split() for line in open(sys.argv[2]) if line.endswith("\n")]
	opens = [o for o in opens if int(o[0]) >= int(sys.argv[1])]
	print(max((int(o[1]) - int(o[0]) for o in opens), default=0),
	      sum(o[2] != "ok" for o in opens), len(opens))
	END
	chmod 755 /run/tg-test/crowd /run/tg-test/service /run/tg-test/longest
}

prepare()
{
	local i
	make_volume || return
	mkdir -p $logs
	for ((i = 0; i < files; i++)); do
		mkdir -p "$volume/crowd/$i"
	done
	configure <<-END
	    ask: 20m
	policy: $policy
	END
	cat >$policy <<-'END'
	volumes:
	  - name: test
	    rules:
	      - {name: service, users: [tgdba], paths: [db], access: [read],
	         allow: {for: 2s, reason: automation}}
	      - {name: people, paths: [crowd], access: [read], ask: {for: 5m, deadline: 20m}}
	END
	chmod 644 $policy
	programs
	systemctl start trusteed.service
}

# waiting [LAST] - the numbers of those that wait, for those whose names end so
waiting()
{
	as tgtrustee trustgate requests --noheadings --output ID,PATH |
		awk -v last="${1-}" '$2 ~ last "$" { print $1 }'
}

on_docket()
{
	[ "$(trustgate metrics | awk '$1 == "trustgate_requests_waiting_for_trustee" { print $2 }')" = "$1" ]
}

# states - how many of the crowd are in each, by name
states()
{
	as tgtrustee trustgate history --noheadings --output STATE,PATH |
		awk '$2 ~ /^crowd/ { count[$1]++ } END { for (state in count) print state "=" count[state] }' |
		sort | paste -sd' '
}

# entries KIND PATTERN - how many there are in the account
entries()
{
	trustgate journal export --kind "$1" | grep -c "$2"
}

# served SECONDS WHAT - the service since $mark, which it was to wait that long at most
served()
{
	local longest failed opens
	read -r longest failed opens < <(/run/tg-test/longest "$mark" $logs/service)
	echo "# $2: longest of $opens opens: $longest ms; agent:" \
		"$(awk '/^VmRSS/ { print $2 }' "/proc/$(property MainPID)/status") kB"
	equal "$((opens > 0 && longest < $1 * 1000 * ${TRUSTGATE_PATIENCE:-1})) $failed" "1 0" \
		"$2: the service opens what it may"
	mark=$(now_ms)
}

bounded()
{
	# Twenty megabytes without a crowd, and a kilobyte for each of it.
	equal "$(($(awk '/^VmRSS/ { print $2 }' "/proc/$(property MainPID)/status") < 20480 + crowd))" 1 \
		"the agent's memory is bounded"
}

crowd_waits()
{
	setpriv --reuid tgdba --regid tgdba --clear-groups /run/tg-test/service $volume/db/x \
		>$logs/service 2>/dev/null &
	mark=$(now_ms)
	sleep 2
	served 5 "nobody waits"
	systemd-run --quiet --unit=crowd -p TasksMax=infinity \
		/run/tg-test/crowd $volume/crowd $files $subjects $logs
	eventually 200 "all are on the docket" on_docket $crowd
	# Who comes behind thousands at once waits for those before him.
	served 100 "while they come"
	equal "$(waiting | wc -l)" $crowd "all are listed"
	sleep 2
	served 5 "while they wait"
	bounded
}

agent_is_killed()
{
	waiting >$logs/before
	systemctl kill --signal=KILL trusteed.service
	eventually 60 "the agent is killed, and back" agent_answers
	eventually 150 "it finds them all" on_docket $crowd
	waiting | cmp - $logs/before
	result $? "each with its number"
	bounded
	sleep 2
	served 100 "while it found them"
}

are_decided()
{
	waiting 0 | as tgtrustee xargs trustgate approve --reason incident --for 5m >$logs/approved
	equal "${PIPESTATUS[*]} $(grep -c ' is approved: ' $logs/approved)" "0 0 $decided" "some are approved"
	waiting 1 | as tgtrustee xargs trustgate deny >$logs/denied
	equal "${PIPESTATUS[*]} $(grep -c ' is denied' $logs/denied)" "0 0 $decided" "some denied"
	served 5 "while they are"
	expect 0 "the others wait" on_docket $((crowd - 2 * decided))
}

agent_ends()
{
	local began
	began=$(now_ms)
	systemctl stop trusteed.service
	eventually 60 "the agent ends, and so do all opens" sh -c '! systemctl -q is-active crowd.service'
	echo "# after $(($(now_ms) - began)) ms"
	equal "$(sort $logs/crowd.* | awk '{ print $2, ($1 % 10 == 0 ? "approved" : "not") }' |
		sort | uniq -c | awk '{ print $2, $3, $1 }' | paste -sd,)" \
		"denied not $((crowd - decided)),ok approved $decided" "what was approved has opened, and nothing else"
}

nothing_is_lost()
{
	systemctl start trusteed.service
	eventually 60 "it is back" agent_answers
	equal "$(states)" "completed=$decided expired=$((crowd - 2 * decided)) rejected=$decided" \
		"the history has them all"
	equal "$(entries request-raised '"requestKind":"open"') $(entries request-approval .)" "$crowd $decided" \
		"the account has who asked and what was approved"
	equal "$(entries granting '"path":"crowd/') $(entries request-denial .)" "$decided $decided" \
		"what was given and denied"
	equal "$(entries request-expired .) $(entries entries-lost .)" "$((crowd - 2 * decided)) 0" \
		"what became of the others, and no entry was lost"
	expect 0 "it is in order" trustgate journal verify
}

trap clean EXIT
prepared prepare
crowd_waits
agent_is_killed
are_decided
agent_ends
nothing_is_lost
finish
