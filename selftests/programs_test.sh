#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# programs_test - real programs on a volume, as services with standing grants:
# PostgreSQL with a crash, tar, rsync and git, a backup that may only read, a
# container. Each does its work, and root beside it is denied.
# shellcheck source=selftests/agent.sh
. "$(dirname "$0")/agent.sh"

here=/run/tg-test
postgres=/usr/lib/postgresql/17/bin
units=(tg-initdb tg-postgres tg-work tg-backup tg-box)

[ -x $postgres/initdb ] || skip "PostgreSQL 17 is not installed"
command -v git rsync systemd-nspawn >/dev/null ||
	skip "git, rsync or systemd-nspawn is not installed"

clean_up()
{
	local unit
	jobs -p | xargs -r kill 2>/dev/null
	systemctl -q kill --signal=KILL "${units[@]/%/.service}" 2>/dev/null
	systemctl -q stop "${units[@]/%/.service}" 2>/dev/null
	for unit in "${units[@]}"; do
		[ $failed = 0 ] || journalctl -q -b -u "$unit.service" -o cat |
			tail -n 15 | sed "s/^/# $unit: /"
		rm -f "/run/systemd/system/$unit.service"
	done
}

# service UNIT COMMAND [SETTING...] - run by way of its standing grants
service()
{
	local unit=$1 command=$2
	shift 2
	{
		echo "[Service]"
		[ $# = 0 ] || printf '%s\n' "$@"
		echo "TimeoutStartSec=300"
		echo "ExecStart=/usr/bin/trustgate exec --service -- $command"
	} >"/run/systemd/system/$unit.service"
}

# On the volume everything that tar, rsync and git make and read.
work_script()
{
	cat >$here/work <<-'END'
	#!/bin/bash
	set -eux
	cd "$1/project"
	export HOME=$1/project GIT_CONFIG_NOSYSTEM=1
	mkdir -p tree/deep/er
	for i in 1 2 3 4 5 6 7 8; do
		seq "$i" 5000 >"tree/deep/$i"
	done
	ln tree/deep/1 tree/hard
	ln -s deep/2 tree/soft
	mkfifo tree/fifo
	truncate -s 1M tree/sparse
	printf x | dd of=tree/sparse bs=1 seek=500000 conv=notrunc status=none
	setfattr -n user.colour -v blue tree/deep/3
	setfacl -m u:tgdba:r tree/deep/4
	chmod 4750 tree/deep/5
	touch -d 2001-01-01 tree/deep/6

	tar --xattrs --acls --sparse -czf tree.tar.gz tree
	mkdir out
	tar --xattrs --acls -C out -xzpf tree.tar.gz
	tar --xattrs --acls -dzf tree.tar.gz
	rsync -aHAX --sparse tree/ copy/
	[ -z "$(rsync -aHAX --checksum --itemize-changes --dry-run out/tree/ copy/)" ]
	rm tree/deep/7
	echo more >>tree/deep/8
	rsync -aHAX --inplace --delete tree/ copy/
	[ ! -e copy/deep/7 ]
	cmp tree/deep/8 copy/deep/8
	getfattr -n user.colour --only-values copy/deep/3 | grep -qx blue
	[ "$(stat -c %a copy/deep/5)" = 4750 ]
	rm tree/fifo

	git config --global user.name test
	git config --global user.email test@localhost
	git config --global init.defaultBranch main
	# In the background it is a child of init, which passes nothing on.
	git config --global gc.autoDetach false
	git config --global maintenance.autoDetach false
	git init -q repository
	cd repository
	printf '#!/bin/sh\necho ran >>hooked\n' >.git/hooks/post-commit
	chmod 755 .git/hooks/post-commit
	cp -r ../tree/deep .
	git add deep
	git commit -q -m one
	[ "$(cat hooked)" = ran ]
	for i in 1 2; do
		echo "$i" >>deep/1
		git commit -q -a -m "change $i"
	done
	git checkout -q -b side HEAD~1
	git rm -q deep/2
	git commit -q -m less
	git checkout -q main
	git merge -q -m both side
	git gc -q --prune=now
	git fsck --full --strict
	cd ..
	git clone -q repository clone
	git clone -q --bare "file://$PWD/repository" bare.git
	cd clone
	echo cloned >deep/new
	git add deep/new
	git commit -q -m cloned
	git push -q ../bare.git main
	git -C ../bare.git fsck --full
	[ "$(git -C ../bare.git log --oneline main | wc -l)" = 6 ]
	END
}

# Tells what it was able to do.
backup_script()
{
	cat >$here/backup <<-'END'
	#!/bin/bash
	volume=$1 to=$2
	exec >"$2/results"
	may() { local what=$1; shift; if "$@"; then echo "may $what"; else echo "may not $what"; fi; }
	write() { echo x >"$1"; }
	may tar tar -C "$volume/project" --xattrs --acls -cf "$to/backup.tar" .
	may compare tar -C "$volume/project" --xattrs --acls -df "$to/backup.tar"
	may rsync rsync -aHAX "$volume/project/" "$to/copy/"
	may create write "$volume/project/new"
	may overwrite write "$volume/project/tree/deep/1"
	may remove rm -f "$volume/project/tree/deep/1"
	may rename mv "$volume/project/tree" "$volume/project/moved"
	may chmod chmod 777 "$volume/project/tree"
	may restore tar -C "$volume/project" -xf "$to/backup.tar"
	may elsewhere cat "$volume/mail/letter"
	END
}

# The first process of a container: it reads itself, by the grant of the
# service; another one there takes a grant of its own.
box()
{
	local root=$here/root id
	id=$(id -u tgdba)
	mkdir -p $root/{usr,etc,proc,sys,dev,run,tmp,var,data}
	ln -s usr/bin usr/sbin usr/lib usr/lib64 $root/
	cp -L /etc/os-release $root/etc/
	cat >$root/box <<-END
	import os, subprocess, sys, time
	sys.stdout = open("/results", "w")
	print("first reads", open("/data/x").read().strip(), flush=True)
	own = ["setpriv", "--reuid", "$id", "--regid", "$id", "--clear-groups",
	       "trustgate", "exec", "--volume", "test", "--path", "box", "--access", "r",
	       "--for", "10m", "--reason", "customer-ticket", "--ticket", "SR-1", "--",
	       "cat", "/data/x"]
	for what, command in ("child", ["cat", "/data/x"]), ("holder", own):
	    done = subprocess.run(command, capture_output=True, text=True)
	    print(what, "reads" if done.returncode == 0 else "is denied", done.stdout.strip(), flush=True)
	try:
	    open("/data/new", "w")
	except OSError as error:
	    print("first writes:", error.strerror, flush=True)
	print("waiting", flush=True)
	while not os.path.exists("/leave"):
	    time.sleep(0.2)
	print("leaving", open("/data/x").read().strip(), flush=True)
	END
}

prepare()
{
	make_volume || return
	mkdir -p $volume/pg $volume/project $volume/box $here/copy
	chown postgres: $volume/pg
	chmod 700 $volume/pg
	echo "in a box" >$volume/box/x
	configure <<-END
	    self-grants:
	      - {users: [tgdba], path: box, access: [read], for: 15m, reasons: [customer-ticket]}
	services:
	  - {unit: tg-initdb.service, volume: test, path: pg, access: [read, write, exec, names, meta], for: 5m}
	  - {unit: tg-postgres.service, volume: test, path: pg, access: [read, write, names, meta], for: 2m}
	  - {unit: tg-work.service, volume: test, path: project, access: [read, write, exec, names, meta], for: 5m}
	  - {unit: tg-backup.service, volume: test, path: project, access: [read], for: 5m}
	  - {unit: tg-box.service, volume: test, path: box, access: [read], for: 5m}
	END
	work_script
	backup_script
	box
	chmod 755 $here/work $here/backup
	service tg-initdb "$postgres/initdb -D $volume/pg/data -A trust -N --locale=C -E UTF8 --wal-segsize=1 -c shared_buffers=16MB -c max_connections=10" \
		Type=oneshot User=postgres
	service tg-postgres "$postgres/postgres -D $volume/pg/data -k /run/tg-postgres -c listen_addresses=" \
		Type=notify User=postgres RuntimeDirectory=tg-postgres
	service tg-work "$here/work $volume" Type=oneshot
	service tg-backup "$here/backup $volume $here" Type=oneshot
	service tg-box "/usr/bin/systemd-nspawn --quiet --keep-unit --register=no --console=pipe --directory=$here/root --bind-ro=/usr --bind=$volume/box:/data --bind=/run/trusteed /usr/bin/python3 /box" \
		Type=exec Delegate=yes
	systemctl daemon-reload
	systemctl start trusteed.service
}

sql()
{
	as postgres $postgres/psql -h /run/tg-postgres -AtX -c "$1" postgres
}

bench()
{
	as postgres $postgres/pgbench -h /run/tg-postgres -n "$@" postgres
}

# denied_nothing PROGRAM... - and this far they did all without
denied_nothing()
{
	local names=$*
	expect fails "nothing was denied to $names" sh -c \
		"journalctl -q -b -u trusteed.service -o cat | grep -E '^denied .* to (${names// /|}) '"
}

# Accounts, tellers, branches and the history have to tell the same.
sums()
{
	sql "select (select sum(abalance) from pgbench_accounts) - sum(delta),
		(select sum(tbalance) from pgbench_tellers) - sum(delta),
		(select sum(bbalance) from pgbench_branches) - sum(delta),
		(select count(*) from pgbench_accounts) from pgbench_history"
}

runs_a_database()
{
	local history
	expect 0 "initdb" systemctl start tg-initdb.service
	expect 0 "the server starts" systemctl start tg-postgres.service
	expect 0 "pgbench fills tables" bench -i -q -s 1
	expect 0 "and makes transactions" bench -c 2 -t 100
	equal "$(sums)" "0|0|0|100000" "which add up"
	expect fails "root is denied meanwhile" cat $volume/pg/data/PG_VERSION
	expect fails "as is the server's user" as postgres cat $volume/pg/data/PG_VERSION
	expect fails "root finds no names" ls $volume/pg/data
	denied_nothing initdb postgres
	history=$(sql "select count(*) from pgbench_history")
	equal "$history" 200 "200 of them"
	bench -c 2 -T 1000 >/dev/null 2>&1 &
	eventually 30 "more are made" sh -c \
		"[ \$(setpriv --reuid postgres --regid postgres --clear-groups $postgres/psql -h /run/tg-postgres -AtX -c 'select count(*) from pgbench_history' postgres) -gt 220 ]"
	expect 0 "the server is killed" systemctl kill --kill-whom=main --signal=KILL tg-postgres.service
	eventually 30 "it is gone" sh -c "! systemctl -q is-active tg-postgres.service && ! pgrep -x postgres"
	wait
	expect fails "root is denied what it left" cat $volume/pg/data/postmaster.pid
	systemctl reset-failed tg-postgres.service
	expect 0 "it starts again" systemctl start tg-postgres.service
	eventually 30 "and recovers" sh -c \
		"journalctl -q -b -u tg-postgres.service -o cat | grep -q 'automatic recovery in progress'"
	equal "$(sums)" "0|0|0|100000" "what there is adds up"
	equal "$(sql "select count(*) >= 220 from pgbench_history")" t "nothing committed is lost"
	expect 0 "it is stopped" systemctl stop tg-postgres.service
	expect fails "and root is denied still" cat $volume/pg/data/PG_VERSION
}

works_and_is_backed_up()
{
	expect 0 "tar, rsync and git do their work" systemctl start tg-work.service
	denied_nothing git rsync tar gzip
	expect fails "root has no share in it" cat $volume/project/tree/deep/1
	expect 0 "a backup runs" systemctl start tg-backup.service
	equal "$(xargs <$here/results)" \
		"may tar may compare may rsync may not create may not overwrite may not remove may not rename may not chmod may not restore may not elsewhere" \
		"it reads all, and changes nothing"
	expect 0 "it has everything" cmp $here/copy/clone/deep/new - <<<cloned
}

# Whoever enters a container can be left there as a child of its first process,
# which therefore passes nothing on.
contains()
{
	local told=$here/root/results
	systemctl start tg-box.service
	eventually 60 "a container runs" grep -qx waiting $told
	expect 0 "its first process reads" grep -qx "first reads in a box" $told
	expect 0 "and does not write" grep -qx "first writes: Permission denied" $told
	expect 0 "its child has nothing" grep -qx "child is denied *" $told
	expect 0 "another has what it was given" grep -qx "holder reads in a box" $told
	expect fails "root outside has nothing" cat $volume/box/x
	expect fails "nor inside" nsenter --target "$(pgrep -f 'python3 /box$' | tail -n 1)" \
		--mount --pid cat /data/x
	touch $here/root/leave
	eventually 30 "it reads to its end" grep -qx "leaving in a box" $told
	eventually 30 "which comes" sh -c "! systemctl -q is-active tg-box.service"
}

trap clean EXIT
prepared prepare
runs_a_database
works_and_is_backed_up
contains
finish
