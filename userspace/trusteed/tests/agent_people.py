# SPDX-License-Identifier: GPL-2.0-only
"""
People who decide about requests, and what is on record of these. For the tests that
import this.
"""

import json
import os
import signal
import subprocess
import sys
import time

from agent_host import Host, check, equal

TRUSTGATE = sys.argv[2]
NOBODY = 4294967295
ALICE, BOB, CAROL, DAVE, EVE = 3001, 3002, 3003, 3004, 3005

CONFIG = """
trustees: [3001, 3002]
policy: TOP/policy.yaml
volumes:
  - name: acme
    path: VOLUME
    max-duration: 30m
    ask: 5m
    tenants: [3003, 3004]
    approvals: APPROVALS
    break-glass: {users: [3002, 3005], for: 10m}
"""

POLICY = """
volumes:
  - name: acme
    rules:
      - name: people
        paths: [db]
        ask: {for: 10m, deadline: 1m}
      - name: hasty
        paths: [fast]
        ask: {for: 10m, deadline: 4s}
"""


def begin(approvals="2"):
    host = Host(CONFIG.replace("APPROVALS", approvals))
    with open(host.top + "/policy.yaml", "w") as file:
        os.fchmod(file.fileno(), 0o600)
        file.write(POLICY)
    host.start()
    play(host, ALICE)
    return host, host.client()


def end(host):
    equal(host.kill(signal.SIGTERM), 0, "exit status")
    check("ERROR: " not in host.text() and "runtime error" not in host.text(),
          "the sanitizers are silent")


def play(host, uid, login=NOBODY):
    """From here on, whoever calls is this person."""
    with open(host.top + "/gate.peer.new", "w") as file:
        file.write(f"{uid} {login}\n")
    os.rename(host.top + "/gate.peer.new", host.top + "/gate.peer")


def raised(host, client, path="db/main.db"):
    host.event("request-raised", os.getpid(), "/" + path)
    for _ in range(200):
        requests = [r for r in client.call("ListRequests")["requests"] if r["path"] == path]
        if requests:
            return requests[-1]["id"]
        time.sleep(0.05)
    raise TimeoutError(path)


def approve(host, client, uid, number, login=NOBODY, **more):
    play(host, uid, login)
    return client.call("Approve", id=number, reason="incident", **more)


def refused(host, client, uid, method, number, login=NOBODY, **more):
    """Error and what it says."""
    play(host, uid, login)
    error, details = client.refused(method, id=number, **more)
    return error, details.get("what", details.get("message", ""))


def shown(host, client, number, uid=ALICE):
    play(host, uid)
    return client.call("ShowRequest", id=number)


def state(host, client, number):
    return shown(host, client, number)["request"]["state"]


def states(host, client, number):
    return [t["state"] for t in shown(host, client, number)["transitions"]]


def wait_state(host, client, number, wanted):
    for _ in range(200):
        if state(host, client, number) == wanted:
            return True
        time.sleep(0.05)
    return False


def grants(host, client):
    play(host, ALICE)
    return client.call("ListGrants")["grants"]


def recorded(host, kind):
    result = subprocess.run([TRUSTGATE, "journal", "export", "--file",
                             host.top + "/state/account.db", "--kind", kind],
                            capture_output=True, text=True, timeout=60)
    return [json.loads(line)["body"] for line in result.stdout.splitlines()]


def wait_recorded(host, kind, holds):
    for _ in range(100):
        if any(holds(body) for body in recorded(host, kind)):
            return True
        time.sleep(0.05)
    return False
