#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""
Who may have a volume observed, that it is on record first, and what ends it.

usage: agent_observe_test.py TRUSTEED-WITH-FAKE-GATE TRUSTGATE
"""

import json
import os
import signal
import subprocess
import sys
import time

from agent_host import MINUTE, TRUSTEE, Host, Locked, check, equal, run

TRUSTGATE = sys.argv[2]
DAY = 24 * 60 * MINUTE
ACT = {"volume": "acme", "durationNSec": 10 * MINUTE, "reason": "maintenance"}


def begin(config=TRUSTEE):
    host = Host(config)
    host.start()
    return host, host.client()


def end(host):
    equal(host.kill(signal.SIGTERM), 0, "exit status")
    check("ERROR: " not in host.text() and "runtime error" not in host.text(),
          "the sanitizers are silent")


def volume(client):
    return client.call("ListVolumes", name="acme")["volumes"][0]


def observed(client):
    return "observedUntilBoottimeNSec" in volume(client)


def observations(client):
    return client.call("Status")["observations"]


def entries(host, kind):
    result = subprocess.run([TRUSTGATE, "journal", "export", "--file", host.top + "/state/account.db"],
                            capture_output=True, text=True, timeout=60)
    return [entry["body"] for entry in map(json.loads, result.stdout.splitlines()) if entry["kind"] == kind]


def wait_entry(host, kind):
    for _ in range(200):
        if entries(host, kind):
            return True
        time.sleep(0.05)
    return False


def test_begin_and_end():
    host, client = begin()
    equal(observations(client), [], "nothing is remembered")
    shown = client.call("Observe", **ACT, ticket="CHG-17", comment="moving in")["volume"]
    check(shown["observedUntilBoottimeNSec"] - shown["observedSinceBoottimeNSec"] > 9 * MINUTE, "for so long")
    intents = entries(host, "observing")
    equal(len(intents), 1, "on record when the answer is there")
    body = intents[0]
    equal((body["volume"], body["reason"], body["ticket"], body["comment"], body["uid"], body["pid"],
           body["untilBoottimeNSec"]),
          ("acme", "maintenance", "CHG-17", "moving in", os.getuid(), os.getpid(),
           shown["observedUntilBoottimeNSec"]), "who, why and until when")
    check("NOT denied: maintenance CHG-17, moving in" in host.text(), "and loud")
    equal([(o["volume"], o["live"], o["times"]) for o in observations(client)], [("acme", True, 1)], "status tells")

    host.event("observed", os.getpid(), "mail/letter")
    check(host.wait_text("observed, not denied: read to cat"), "an access")
    check(wait_entry(host, "observed"), "in the account")
    equal(volume(client)["counters"], [{"cause": "no-grant", "count": 0, "observed": 1}], "counted apart")

    longer = client.call("Observe", **{**ACT, "durationNSec": DAY})["volume"]
    check(longer["observedUntilBoottimeNSec"] > shown["observedUntilBoottimeNSec"], "longer")
    equal(len(entries(host, "observing")), 2, "which is another act")

    check(not "observedUntilBoottimeNSec" in client.call("Unobserve", volume="acme")["volume"], "ended")
    check(f"observed no longer: ended by uid {os.getuid()}" in host.text(), "on record")
    equal([(o["live"], o["times"]) for o in observations(client)], [(False, 1)], "it is not forgotten")
    error, details = client.refused("Unobserve", volume="acme")
    equal((error, details["attribute"]), ("Refused", "volume"), "what is not observed cannot be ended")
    end(host)


def test_refusals():
    host, client = begin()
    for change, attribute in (({"durationNSec": 0}, "durationNSec"), ({"durationNSec": -1}, "durationNSec"),
                              ({"durationNSec": 7 * DAY + 1}, "durationNSec"), ({"reason": "boredom"}, "reason"),
                              ({"reason": "unspecified"}, "reason"), ({"reason": "customer-ticket"}, "ticket"),
                              ({"reason": "legal-order"}, "reason"),
                              ({"comment": "x" * 1025}, "comment")):
        error, details = client.refused("Observe", **{**ACT, **change})
        equal((error, details.get("attribute")), ("Refused", attribute), f"Observe {change}")
    check("to observe a volume needs a reason" in
          client.refused("Observe", **{**ACT, "reason": "unspecified"})[1]["message"], "and why")
    equal(client.refused("Observe", **{**ACT, "volume": "beta"})[0], "NoSuchVolume", "no such volume")
    error, details = client.refused("AddVolume", name="other", path=host.volume, reason="maintenance")
    equal((error, details["attribute"]), ("Refused", "observeNSec"), "a reason for nothing")
    error, details = client.refused("AddVolume", name="other", path=host.volume, observeNSec=MINUTE)
    equal((error, details["attribute"]), ("Refused", "reason"), "nothing without a reason")
    client.call("Stop", volume="acme")
    error, details = client.refused("Observe", **ACT)
    check(error == "Refused" and "is stopped" in details["message"], "not what is stopped")
    check(not observed(client), "nothing of this has done anything")
    equal((observations(client), entries(host, "observing")), ([], []), "nor left anything behind")
    end(host)


def test_who():
    """Only a trustee begins it; not even root, who may end it."""
    host, client = begin(TRUSTEE.replace("trustees: [UID]", "trustees: [4242]"))
    error, details = client.refused("Observe", **ACT)
    equal(error, "NotPermitted", "not everybody")
    check("observed" in details["what"], "said what of")
    error, _ = client.refused("AddVolume", name="other", path=host.volume, observeNSec=MINUTE, reason="incident")
    equal(error, "NotPermitted", "nor by another way")
    equal((observed(client) if os.getuid() == 0 else False, entries(host, "observing")), (False, []), "nothing is done")
    if os.getuid() == 0:
        equal(client.refused("Unobserve", volume="acme")[0], "Refused", "root may end it, if it were")
    else:
        equal(client.refused("Unobserve", volume="acme")[0], "NotPermitted", "nor end it")
    end(host)


def test_from_the_beginning():
    host, client = begin()
    client.call("RemoveVolume", name="acme")
    shown = client.call("AddVolume", name="acme", path=host.volume, observeNSec=MINUTE, **{"reason": "incident"})["volume"]
    check("observedUntilBoottimeNSec" in shown, "observed with the answer")
    equal([body["volume"] for body in entries(host, "observing")], ["acme"], "on record")
    client.call("SetVolume", name="acme", metadata="hidden")
    check(observed(client), "other settings leave it alone")
    host.kill()
    host.start()
    client = host.client()
    check(observed(client), "so does a restart")
    equal(len(entries(host, "observing")), 1, "which begins nothing")
    client.call("RemoveVolume", name="acme")
    end(host)


def test_stop():
    host, client = begin()
    client.call("Observe", **ACT)
    client.call("Stop", volume="acme")
    check(not observed(client), "stopped is stopped")
    client.call("Start", volume="acme")
    check(not observed(client), "started is not observed")
    client.call("Observe", **ACT)
    client.call("Stop", all=True)
    check(not observed(client), "so with the host")
    end(host)


def test_not_recordable():
    """Nowhere without a record; and where that is demanded, not any longer."""
    for strict in (False, True):
        host, client = begin(TRUSTEE + ("    audit: strict\n" if strict else ""))
        client.call("Observe", **ACT)
        with Locked(host):
            error, details = client.refused("Observe", **{**ACT, "durationNSec": DAY})
            equal((error, details["attribute"]), ("Refused", "volume"), f"refused, strict {strict}")
            check("has to be on record" in details["message"], "and why")
            check(host.wait_text("nothing is recorded in the account"), "it is noticed")
            if strict:
                check(host.wait_text("observed no longer: accesses cannot be recorded"), "which ends it")
            equal(observed(client), not strict, "observed")
        end(host)


def test_crowded_account():
    """What finds no place among what waits for the account is not done."""
    host, client = begin()
    with Locked(host):
        for _ in range(90):
            host.event("denied", os.getpid(), "mail/letter")
        client.call("Status")
    # Before the agent tries again what failed.
    error, details = client.refused("Observe", **ACT)
    if error == "no error":
        check(wait_entry(host, "observing"), "it is on record")
    else:
        check("no memory left to record it" in details["message"] and not observed(client),
              f"it is not done: {details['message']}")
    end(host)


run(test_begin_and_end, test_refusals, test_who, test_from_the_beginning, test_stop, test_not_recordable,
    test_crowded_account)
