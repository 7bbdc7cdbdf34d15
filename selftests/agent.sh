# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# agent - what the tests of the running agent share: a volume on an empty disk,
# a configuration, and results as TAP. Sourced, not run.
#
#	/srv/trusteed-test/db/x		belongs to user tgdba, mode 0700 above it
#	/srv/trusteed-test/mail/letter
set -u

volume=/srv/trusteed-test
config=/etc/trustgate/trusteed.yaml
socket=/run/trusteed/io.trustgate.Agent
count=0 failed=0

skip()
{
	echo "1..0 # SKIP $1"
	exit 4
}

[ -d /run/systemd/system ] || skip "systemd does not run here"
[ ! -e $config ] || skip "there is an agent with a configuration of its own"
[ ! -e /var/lib/trusteed/account.db ] || skip "there is an account of an agent"
[ -n "${TRUSTGATE_DISK-}" ] || skip "no empty disk (TRUSTGATE_DISK)"

result()
{
	count=$((count + 1))
	if [ "$1" = 0 ]; then
		echo "ok $count $2"
	else
		failed=$((failed + 1))
		echo "not ok $count $2"
	fi
}

# expect STATUS WHAT COMMAND... - 0, or any other ("fails")
expect()
{
	local wanted=$1 what=$2 status output
	shift 2
	output=$("$@" 2>&1)
	status=$?
	if { [ "$wanted" = 0 ] && [ $status = 0 ]; } ||
	   { [ "$wanted" = fails ] && [ $status != 0 ]; }; then
		result 0 "$what"
	else
		printf '# %s\n' "$*" "status $status" "${output//$'\n'/$'\n'# }"
		result 1 "$what"
	fi
}

# equal ACTUAL EXPECTED WHAT
equal()
{
	if [ "$1" = "$2" ]; then
		result 0 "$3"
	else
		printf '# is       %s\n# expected %s\n' "$1" "$2"
		result 1 "$3"
	fi
}

# refuses COMMAND... - does what would go on until it is ended end by itself, and
# not well?
refuses()
{
	timeout 20 "$@"
	case $? in
	0 | 124) return 1 ;;
	esac
}

# Milliseconds since the host was booted: a test may set the clock of SECONDS.
now_ms()
{
	local up
	read -r up _ </proc/uptime
	echo $((10#${up/./} * 10))
}

# eventually SECONDS WHAT COMMAND... - more seconds where all is slower; see run
eventually()
{
	local end=$(($(now_ms) + $1 * 1000 * ${TRUSTGATE_PATIENCE:-1})) what=$2
	shift 2
	while ! "$@" >/dev/null 2>&1; do
		if [ "$(now_ms)" -ge $end ]; then
			echo "# in vain: $*"
			result 1 "$what"
			return
		fi
		sleep 0.2
	done
	result 0 "$what"
}

as()
{
	local user=$1
	shift
	setpriv --reuid "$user" --regid "$user" --clear-groups "$@"
}

property()
{
	systemctl show -P "$1" trusteed.service
}

agent_answers()
{
	systemctl -q is-active trusteed.service &&
		varlinkctl call $socket io.trustgate.Agent.Status '{}'
}

journal_has()
{
	journalctl -q -b -u trusteed.service -o cat | grep -qF -- "$1"
}

# grants [PATTERN] - how many live grants have it in their JSON
grants()
{
	as tgtrustee trustgate grants --json |
		python3 -c 'import json, sys
print(sum(sys.argv[1] in json.dumps(g) for g in json.load(sys.stdin)))' "${1-}"
}

# The test's own clean_up comes first.
clean()
{
	clean_up
	systemctl -q is-active trusteed.service &&
		as tgtrustee trustgate volume del test >/dev/null 2>&1
	systemctl -q stop trusteed.service
	umount $volume 2>/dev/null
	rm -f $config /var/lib/trusteed/secret /var/lib/trusteed/account.* \
		/var/lib/trusteed/requests.*
	rm -rf /run/tg-test
	modprobe -r trustgate
	[ $failed = 0 ] || journalctl -q -b -u trusteed.service -o cat | tail -n 60 | sed 's/^/# /'
}

make_volume()
{
	id tgtrustee || useradd tgtrustee
	id tgdba || useradd tgdba
	mkdir -p $volume /etc/trustgate /run/tg-test
	mkfs.ext4 -q -F "$TRUSTGATE_DISK" &&
		mount "$TRUSTGATE_DISK" $volume || return
	mkdir -p $volume/db $volume/mail
	echo "a letter" >$volume/mail/letter
	echo "a row" >$volume/db/x
	chown -R tgdba $volume/db
	chmod 700 $volume/db
}

# configure <<END ... - what follows the settings of volume "test"
configure()
{
	cat >$config <<-END
	trustees: [tgtrustee]
	volumes:
	  - name: test
	    path: $volume
	    max-duration: 1h
	END
	cat >>$config
}

prepared()
{
	"$@" >/run/trusteed-test.prepare 2>&1 || {
		cat /run/trusteed-test.prepare
		echo "Bail out! cannot prepare"
		exit 1
	}
}

finish()
{
	echo "1..$count"
	[ $failed = 0 ]
}
