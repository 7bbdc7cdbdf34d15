#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# power_test - the agent's files after a power cut, at any moment of its work.
#
# They are on a disk of which dm-log-writes keeps a log: what is written has its
# place there when the disk was told to flush it, and nothing else is certain to be
# there when power fails. What the agent has acknowledged leaves a mark. The disk is
# then made anew from the log, up to each mark and to moments in between, and what is
# on it is compared with the marks.
# shellcheck source=selftests/agent.sh
. "$(dirname "$0")/agent.sh"

state=/var/lib/trusteed
image=/run/tg-power
cut=/run/tg-cut

modprobe -q dm-log-writes || skip "this kernel has no dm-log-writes"

clean_up()
{
	umount $cut 2>/dev/null
}

# When the agent has let go of its files.
clean_disks()
{
	umount $state 2>/dev/null
	[ ! -e /dev/mapper/tg-power ] || dmsetup remove --retry tg-power
	umount $image 2>/dev/null
	losetup -D
	rmdir $image $cut 2>/dev/null
}

programs()
{
	cat >/run/tg-test/work <<-'END'
	#!/usr/bin/python3
	# Has the agent do things, and marks each that it has acknowledged.
	import json, os, pwd, socket, subprocess, sys
	TRUSTEE = pwd.getpwnam("tgtrustee").pw_uid
	def mark(text):
	    subprocess.run(["dmsetup", "message", "tg-power", "0", "mark", text], check=True)
	os.seteuid(TRUSTEE)
	agent = socket.socket(socket.AF_UNIX)
	agent.connect("/run/trusteed/io.trustgate.Agent")
	os.seteuid(0)
	rest = b""
	def call(method, **parameters):
	    global rest
	    agent.sendall(json.dumps({"method": "io.trustgate.Agent." + method, "parameters": parameters}).encode() + b"\0")
	    while b"\0" not in rest:
	        rest += agent.recv(65536)
	    reply, rest = rest.split(b"\0", 1)
	    reply = json.loads(reply)
	    if "error" in reply:
	        sys.exit(f"{method}: {reply}")
	    return reply["parameters"]
	what = {"volume": "test", "path": "mail/letter", "access": ["read"], "reason": "customer-ticket"}
	for number in range(int(sys.argv[1])):
	    call("Grant", **what, pid=os.getpid(), durationNSec=60 * 10**9, ticket=f"T-{number}")
	    mark(f"granting:T-{number}")
	    request = call("Ask", **what, durationNSec=60 * 10**9, ticket=f"R-{number}")["request"]
	    mark(f"asked:{request['id']}")
	    call("Deny", id=request["id"], comment="no")
	    mark(f"denied:{request['id']}")
	call("Stop", volume="test")
	mark("stopped:test")
	END
	cat >/run/tg-test/replay <<-'END'
	#!/usr/bin/python3
	# replay LOG SIZE IMAGE CUT POINTS - makes the disk anew from the log, and says of
	# each cut, as TAP without numbers, whether all is there that was acknowledged
	# before it.
	import json, os, random, sqlite3, struct, subprocess, sys
	FLUSH, FUA, DISCARD, MARK, METADATA = 1, 2, 4, 8, 16
	log_path, size, image, where, points = sys.argv[1], int(sys.argv[2]), sys.argv[3], sys.argv[4], int(sys.argv[5])
	STATE = where + "/account.db"
	# enum docket_state
	REJECTED = 5

	def read_log():
	    with open(log_path, "rb") as log:
	        magic, version, count, sector = struct.unpack("<QQQI", log.read(28))
	        assert (magic, version) == (0x6a736677736872, 1), (magic, version)
	        at = sector
	        for _ in range(count):
	            log.seek(at)
	            begin, sectors, flags, length = struct.unpack("<QQQQ", log.read(32))
	            text = log.read(length).rstrip(b"\0").decode() if flags & MARK else ""
	            at += sector
	            log.seek(at)
	            data = b"" if flags & (DISCARD | MARK) else log.read(sectors * sector)
	            if not flags & DISCARD:
	                at += len(data)
	            yield begin * sector, sectors * sector, flags, text, data

	def run(*command):
	    done = subprocess.run(command, capture_output=True, text=True)
	    return done.returncode, done.stdout + done.stderr

	def look(marks):
	    """What is wrong with the state at a cut, and how many entries it has."""
	    wrong = []
	    if not os.path.exists(STATE) or not os.path.getsize(STATE):
	        return (["no account"] if marks else []), 0
	    # Half a transaction is rolled back by whoever writes the account next.
	    db = sqlite3.connect(STATE)
	    db.execute("SELECT count(*) FROM sqlite_schema").fetchall()
	    db.close()
	    code, out = run("trustgate", "journal", "verify", "--file", STATE)
	    if code and (marks or "no entries" not in out):
	        wrong.append(f"verify {code}: {out}")
	    _, out = run("trustgate", "journal", "export", "--file", STATE)
	    entries = [json.loads(line) for line in out.splitlines() if line.startswith("{")]
	    recorded = {e["body"].get("ticket") for e in entries if e["kind"] == "granting"}
	    docket = {}
	    if os.path.exists(where + "/requests.db"):
	        db = sqlite3.connect(where + "/requests.db")
	        if db.execute("PRAGMA integrity_check").fetchone() != ("ok",):
	            wrong.append("requests.db is damaged")
	        try:
	            docket = dict(db.execute("SELECT id, state FROM request"))
	        except sqlite3.OperationalError as error:
	            if any(m.startswith("asked") for m in marks):
	                wrong.append(f"requests.db: {error}")
	        db.close()
	    for kind, what in (m.split(":") for m in marks):
	        if kind == "granting" and what not in recorded:
	            wrong.append(f"the grant {what} is not on record")
	        elif kind == "asked" and int(what) not in docket:
	            wrong.append(f"request {what} is not there")
	        elif kind == "denied" and docket.get(int(what)) != REJECTED:
	            wrong.append(f"request {what} is not decided")
	        elif kind == "stopped" and not os.path.exists(f"{where}/stopped.{what}"):
	            wrong.append(f"{what} is not stopped")
	    return wrong, len(entries)

	entries = list(read_log())
	flags = [e[2] for e in entries]
	begin = next(i for i, e in enumerate(entries) if e[3] == "begin")
	moments = [i for i in range(begin + 1, len(entries)) if not flags[i] & MARK]
	marked = [i for i in range(begin + 1, len(entries)) if flags[i] & MARK]
	random.seed(4711)
	chosen = set(random.sample(moments, min(len(moments), points))) | set(random.sample(marked, min(len(marked), points)))
	chosen |= {len(entries) - 1, *marked[-1:], *[i for i in moments if i < marked[0]][:points]}
	print(f"# {len(entries)} entries in the log, {len(marked)} marks, cut at {len(chosen)} places")
	with open(image, "wb") as disk:
	    disk.truncate(size)
	marks, bad, most = [], 0, 0
	with open(image, "r+b") as disk:
	    for number, (at, length, flag, text, data) in enumerate(entries):
	        if flag & MARK:
	            # The end of the log has a mark of its own.
	            if number > begin and ":" in text:
	                marks.append(text)
	        elif flag & DISCARD:
	            disk.seek(at)
	            disk.write(b"\0" * length)
	        elif data:
	            disk.seek(at)
	            disk.write(data)
	        if number not in chosen:
	            continue
	        disk.flush()
	        run("cp", "--sparse=always", image, image + ".cut")
	        code, out = run("mount", "-o", "loop", image + ".cut", where)
	        if code:
	            wrong, count = [f"cannot be mounted: {out}"], 0
	        else:
	            wrong, count = look(marks)
	            run("umount", where)
	        most = max(most, count)
	        if wrong:
	            bad += 1
	            print(f"# cut after entry {number} of the log, with {len(marks)} marks: {'; '.join(wrong)}")
	print(f"# {bad} of {len(chosen)} cuts were bad; the most entries of an account were {most}")
	sys.exit(bad != 0 or not most)
	END
	chmod 755 /run/tg-test/work /run/tg-test/replay
}

prepare()
{
	local sectors
	make_volume || return
	programs
	cat >/run/tg-test/policy.yaml <<-'END'
	volumes:
	  - name: test
	    rules:
	      - {name: people, paths: [mail], ask: {for: 10m, deadline: 5m}}
	END
	configure <<-'END'
	    audit: strict
	policy: /run/tg-test/policy.yaml
	END
	# The first half is the disk, the other its log.
	sectors=$(blockdev --getsz "${TRUSTGATE_DISK2-}")
	disk_sectors=65536
	mkdir -p $state $image $cut && mount -t tmpfs -o size=200M tmpfs $image || return
	losetup -f --show --sizelimit $((disk_sectors * 512)) "${TRUSTGATE_DISK2-}" >/run/tg-test/disk || return
	losetup -f --show -o $((disk_sectors * 512)) "${TRUSTGATE_DISK2-}" >/run/tg-test/log || return
	dmsetup create tg-power --table \
		"0 $disk_sectors log-writes $(cat /run/tg-test/disk) $(cat /run/tg-test/log)" || return
	mkfs.ext4 -q /dev/mapper/tg-power &&
		mount /dev/mapper/tg-power $state && rm -r $state/lost+found || return
	echo "$sectors sectors"
}

is_cut()
{
	dmsetup message tg-power 0 mark begin
	expect 0 "the agent begins, on a disk of which a log is kept" systemctl start trusteed.service
	expect 0 "it acknowledges grants, requests, answers, and a stop" /run/tg-test/work 12
	systemctl stop trusteed.service
	expect 0 "the account is in order" trustgate journal verify
	umount $state
	dmsetup remove --retry tg-power
	expect 0 "wherever power fails, all that was acknowledged is there" sh -c \
		"/run/tg-test/replay $(cat /run/tg-test/log) $((disk_sectors * 512)) $image/disk $cut 20 >/run/tg-test/replayed 2>&1"
	sed 's/^/# /' /run/tg-test/replayed
}

# The last state that the replay has cut to is one to go on with.
goes_on()
{
	mount -o loop $image/disk.cut $state
	expect 0 "the agent goes on with it" systemctl start trusteed.service
	eventually 30 "and answers" agent_answers
	expect 0 "the volume is stopped still" sh -c "trustgate status | grep -q 'Stopped: *test'"
	expect 0 "started" as tgtrustee trustgate start test
	expect 0 "a grant is given" as tgtrustee trustgate grant --volume test --path mail/letter \
		--pid $$ --access r --for 1m --reason incident
	expect 0 "the account is in order" trustgate journal verify
}

trap 'clean; clean_disks' EXIT
prepared prepare
is_cut
goes_on
finish
