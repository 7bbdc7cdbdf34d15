#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""
What the agent does when the kernel has done something and the answer is lost:
it must not leave a grant alive that nobody knows of.

usage: agent_lost_test.py TRUSTEED-WITH-FAKE-GATE
"""

import errno
import os
import signal

from agent_host import MINUTE, TRUSTEE, Host, check, equal, run

REVOKED = "1 grants of a request without an answer were revoked"
BASE = dict(volume="acme", path="mail/letter", access=["read"], durationNSec=MINUTE,
            reason="incident")


def ids(client):
    return [grant["id"] for grant in client.call("ListGrants")["grants"]]


def begin():
    host = Host(TRUSTEE)
    host.start()
    client = host.client()
    return host, client, client.call("Grant", **BASE)["grant"]["id"]


def pending(host):
    with open(host.top + "/run/pending", "rb") as file:
        return any(file.read())


def end(host):
    equal(host.kill(signal.SIGTERM), 0, "exit status")
    check("ERROR: " not in host.text() and "runtime error" not in host.text(),
          "the sanitizers are silent")


def test_grant():
    host, client, first = begin()
    equal(pending(host), False, "nothing is under way")
    host.answer("lose-grant-add")
    error, parameters = client.refused("Grant", **BASE)
    equal((error, parameters["errno"]), ("Refused", errno.ETIMEDOUT), "the answer is lost")
    check("no answer" in parameters["message"], f"said so: {parameters['message']}")
    equal(ids(client), [first], "what it gave is revoked, the former grant lives")
    equal(client.call("Status")["grants"], 1, "and the kernel has no other")
    check(REVOKED in host.text(), "recorded")
    equal(pending(host), False, "cleared up")
    client.call("Grant", **BASE)
    equal(len(ids(client)), 2, "and the next is given")
    end(host)


def test_not_cleared_up():
    host, client, first = begin()
    host.answer("lose-grant-add")
    host.answer("lose-grant-get")
    equal(client.refused("Grant", **BASE)[0], "Refused", "answer and list are lost")
    check("nothing is given until then" in host.text(), "recorded")
    equal(len(ids(client)), 2, "the grant lives")
    error, parameters = client.refused("Grant", **BASE)
    equal((error, parameters["errno"]), ("Refused", errno.EAGAIN), "nothing more is given")
    equal(client.call("Revoke", ids=[first]), {"ended": 1}, "but revoked")
    check(host.wait_text(REVOKED, 30), "tried again later")
    equal(ids(client), [], "and revoked then")
    client.call("Grant", **BASE)
    end(host)


def test_revocation_lost():
    host, client, first = begin()
    host.answer("lose-grant-add")
    host.answer("lose-grant-del")
    client.refused("Grant", **BASE)
    equal(ids(client), [first], "lost, and the answer to its revocation, too")
    equal(pending(host), False, "cleared up")
    end(host)


def test_killed():
    host, client, first = begin()
    host.answer("kill-grant-add")
    client.send("Grant", **BASE)
    equal(host.process.wait(20), -signal.SIGKILL, "killed while it gives a grant")
    host.start()
    client = host.client()
    equal(ids(client), [first], "the next run revokes it")
    check(REVOKED in host.text(), "and records it")

    # What can be read from the file is not worth more than the kernel's word.
    host.kill()
    with open(host.top + "/run/pending", "wb") as file:
        file.write(b"123")
    host.start()
    equal(ids(host.client()), [first], "half a note is none")
    host.kill()
    os.unlink(host.top + "/run/pending")
    os.mkdir(host.top + "/run/pending")
    host.start()
    check("the next one will not know" in host.text(), "a note that cannot be kept is told")
    host.client().call("Grant", **BASE)
    end(host)


def test_bind():
    host = Host(TRUSTEE)
    host.answer("lose-agent-bind")
    host.start()
    equal(host.client().call("Status")["state"], "armed", "bound, although not told so")
    end(host)


def test_volumes():
    host, client, _ = begin()
    host.answer("lose-volume-set")
    equal(client.call("SetVolume", name="acme", onAgentLoss="revoke")["volume"]["onAgentLoss"],
          "revoke", "set")
    host.answer("lose-volume-del")
    equal(client.call("RemoveVolume", name="acme"), {"ended": 1}, "removed")
    equal(client.call("ListVolumes")["volumes"], [], "gone")
    host.answer("lose-volume-add")
    volume = client.call("AddVolume", name="acme", path=host.volume)["volume"]
    equal(volume["name"], "acme", "added")
    equal([v["id"] for v in client.call("ListVolumes")["volumes"]], [volume["id"]], "once")
    end(host)


def test_revoke():
    host, client, first = begin()
    second = client.call("Grant", **BASE)["grant"]["id"]
    host.answer("lose-grant-del")
    equal(client.call("Revoke", ids=[first, second]), {"ended": 2}, "by their ids")
    equal(ids(client), [], "gone")
    client.call("Grant", **BASE)
    host.answer("lose-grant-del")
    client.call("Revoke", all=True)
    check("more grants than the following 0 were revoked" in host.text(),
          "the number is not known, and that is said")
    equal(ids(client), [], "gone, too")
    end(host)


run(test_grant, test_not_cleared_up, test_revocation_lost, test_killed, test_bind, test_volumes,
    test_revoke)
