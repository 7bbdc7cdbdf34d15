#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""The verbs about requests against an agent that answers as it is told.

usage: cli_requests_test.py TRUSTGATE FAKE_AGENT [TEST...]
"""

import json
import time

import scripted
from scripted import DONE, HOSTILE, HOSTILE_SHOWN, REFUSED, SEC, boottime, grant


class RequestsTest(scripted.ScriptedAgent):
    """Requests: listed, shown, decided."""

    def test_requests(self):
        request = {
            "id": 7, "kind": "open", "state": "pending", "volume": "acme", "path": HOSTILE, "access": ["read"],
            "pid": 812, "uid": 0, "loginuid": 1000, "comm": "cat", "rule": "people", "maxDurationNSec": 600 * SEC,
            "needTrustees": 1, "needTenants": 1, "trustees": 1, "tenants": 0,
            "raisedRealtimeNSec": time.time_ns() - 3 * SEC, "changedRealtimeNSec": time.time_ns(),
            "raisedBoottimeNSec": boottime(), "deadlineBoottimeNSec": boottime() + 60 * SEC}
        self.answer("ListRequests", replies=[{"requests": [request]}])
        out, _ = self.check(DONE, "requests", "--volume", "acme", "--noheadings", "-o", "ID,PATH,UID,LOGIN,RULE,MAX")
        self.assertEqual(["7", HOSTILE_SHOWN, "0", "1000", "people", "10m"], out.split())
        self.assertEqual([request], json.loads(self.check(DONE, "requests", "--json")[0]))
        out, _ = self.check(DONE, "requests", "--noheadings", "-o", "STATE,AGE,LEFT,APPROVALS")
        self.assertRegex(out, r"^pending +\S+ +\S+ +trustee 1/1, tenant 0/1\n$")
        self.answer("ShowRequest", replies=[{
            "request": request | {"cause": HOSTILE}, "approvals": [
                {"uid": 5, "loginuid": 6, "role": "trustee", "approves": True, "realtimeNSec": 10**18,
                 "comment": HOSTILE, "access": ["read"], "durationNSec": 20 * SEC}],
            "transitions": [{"state": "raised", "realtimeNSec": 10**18, "uid": 0}]}])
        out, _ = self.check(DONE, "show", "7")
        self.assertIn("Approvals  trustees 1 of 1, tenants 0 of 1\n", out)
        self.assertIn("approved as trustee by 5, logged in as 6: read for 20s; " + HOSTILE_SHOWN, out)
        self.assertIn("raised by 0\n", out)
        self.assertNotIn(HOSTILE, out)
        self.assertEqual(7, json.loads(self.check(DONE, "show", "7", "--json")[0])["request"]["id"])
        approved = {"request": request | {"state": "approved"}, "grant": grant()}
        self.answer("Approve", replies=[approved])
        out, _ = self.check(DONE, "approve", "7", "--reason", "customer-ticket", "-t", "SR-1", "--for", "20s",
                            "-a", "r", "--descendants", "--supervised", "-c", "fine", "--location", "DE",
                            "--retention", "30", "--legal-reference", "Az. 1", "--notify", "delayed")
        self.assertRegex(out, "^request 7 is approved: read,write,names on db for 1[45]m")
        self.answer("Approve", replies=[{"request": request}])
        self.assertEqual("your approval of request 7 is on record; 1 more of a tenant needed\n",
                         self.check(DONE, "approve", "7")[0])
        self.answer("Approve", replies=[{"request": request | {
            "state": "approved", "beginBoottimeNSec": boottime() + 90 * SEC}}])
        self.assertRegex(self.check(DONE, "approve", "7", "--at", "90s")[0],
                         "^request 7 is approved and begins in 1m(29|30)s\n")
        self.answer("Deny", replies=[{"request": request}])
        self.assertEqual("request 7 is denied\n", self.check(DONE, "deny", "7", "--comment", "no")[0])
        self.answer("ExtendRequest", replies=[{"request": request | {"id": 8}}])
        self.assertEqual("request 8 asks for that and waits for approval\n",
                         self.check(DONE, "extend", "7", "--for", "5m")[0])
        self.answer("RevokeRequest", replies=[{"request": request, "ended": 1}])
        self.assertEqual("request 7 is revoked\n", self.check(DONE, "revoke", "--request", "7", "-c", "enough")[0])
        calls = self.calls()
        delay = calls[7][1].pop("delayNSec")
        self.assertTrue(80 * SEC < delay <= 90 * SEC, delay)
        self.assertEqual([
            ("ListRequests", {"volume": "acme", "max": 500}), ("ListRequests", {"max": 500}),
            ("ListRequests", {"max": 500}),
            ("ShowRequest", {"id": 7}), ("ShowRequest", {"id": 7}),
            ("Approve", {"id": 7, "reason": "customer-ticket", "ticket": "SR-1", "durationNSec": 20 * SEC,
                         "access": ["read"], "descendants": True, "supervised": True, "comment": "fine",
                         "location": "DE", "retentionDays": 30, "legalReference": "Az. 1", "notify": "delayed"}),
            ("Approve", {"id": 7}), ("Approve", {"id": 7}), ("Deny", {"id": 7, "comment": "no"}),
            ("ExtendRequest", {"id": 7, "durationNSec": 300 * SEC}),
            ("RevokeRequest", {"id": 7, "comment": "enough"})],
            calls)

    def test_asked(self):
        """exec waits until it is approved, and becomes the program."""
        request = {"id": 9, "state": "pending", "needTrustees": 1, "trustees": 0,
                   "deadlineBoottimeNSec": boottime() + 60 * SEC}
        wish = ["-V", "acme", "-P", "db/", "-a", "r", "--for", "5m"]
        self.answer("Ask", replies=[{"request": request}])
        self.answer("ShowRequest", replies=[{"request": request | {"state": "approved", "grantId": 3}}])
        code, out, err = self.run_cli("exec", "--ask", *wish, "-r", "legal-order", "--legal-reference", "Az. 1",
                                      "--notify", "delayed", "--location", "DE", "--retention", "30", "-c", "why",
                                      "--", "echo", "it runs")
        self.assertEqual((DONE, "it runs\n"), (code, out), err)
        self.assertIn("request 9 waits for approval: trustees 0 of 1, tenants 0 of 0\n", err)
        self.answer("ShowRequest", replies=[{"request": request | {"state": "expired", "cause": HOSTILE}}])
        code, out, err = self.run_cli("exec", "--ask", *wish, "-r", "incident", "--", "echo", "it runs")
        self.assertEqual((REFUSED, ""), (code, out))
        self.assertIn("request 9 is expired: " + HOSTILE_SHOWN, err)
        self.answer("Ask", replies=[{"request": request, "grant": grant()}])
        code, out, err = self.run_cli("exec", "--break-glass", *wish, "-r", "emergency", "-c", "why", "echo", "now")
        self.assertEqual((DONE, "now\n"), (code, out), err)
        self.assertIn("the glass is broken, as request 9", err)
        self.answer("Acknowledge", replies=[{"request": request}])
        self.assertEqual("request 9 is acknowledged\n", self.check(DONE, "acknowledge", "9", "-c", "seen")[0])
        asked = [parameters for method, parameters in self.calls() if method in ("Ask", "Acknowledge")]
        common = {"volume": "acme", "path": "db/", "access": ["read"], "durationNSec": 300 * SEC, "subtree": True,
                  "nextExec": True}
        self.assertEqual([
            common | {"reason": "legal-order", "legalReference": "Az. 1", "notify": "delayed", "location": "DE",
                      "retentionDays": 30, "comment": "why"},
            common | {"reason": "incident"},
            common | {"reason": "emergency", "comment": "why", "breakGlass": True},
            {"id": 9, "comment": "seen"}], asked)

    def test_several(self):
        """One after the other; a refusal keeps nobody from the rest, one without sense everybody."""
        request = {"id": 7, "state": "rejected", "needTrustees": 1, "trustees": 0}
        self.answer("Deny", replies=[{"request": request}])
        self.assertEqual("request 7 is denied\nrequest 8 is denied\n", self.check(DONE, "deny", "7", "8")[0])
        self.answer("Approve", replies=[{"request": request | {"state": "pending"}}])
        out, _ = self.check(DONE, "approve", "7", "8", "9", "--json")
        self.assertEqual(3, len(out.splitlines()))
        self.answer("Acknowledge", error="io.trustgate.Agent.Refused", parameters={"message": "no", "errno": 1})
        code, out, err = self.run_cli("acknowledge", "7", "8")
        self.assertEqual((REFUSED, ""), (code, out))
        self.assertEqual(2, err.count("refused: no"))
        self.assertEqual(2, self.run_cli("deny", "7", "eight")[0])
        self.assertEqual([("Deny", 7), ("Deny", 8), ("Approve", 7), ("Approve", 8), ("Approve", 9),
                          ("Acknowledge", 7), ("Acknowledge", 8)],
                         [(method, parameters["id"]) for method, parameters in self.calls()])

    def test_parts(self):
        """However many wait, each part begins where the last has ended."""
        part = [{"id": number, "state": "pending"} for number in range(1, 501)]
        self.answer("ListRequests", replies=[{"requests": part}])
        # The same again is not what was asked for.
        self.assertIn("makes no sense", self.check(REFUSED, "requests")[1])
        self.answer("ListRequests", replies=[{"requests": part[::-1]}])
        self.assertIn("makes no sense", self.check(REFUSED, "history")[1])
        self.assertEqual([
            ("ListRequests", {"max": 500}), ("ListRequests", {"after": 500, "max": 500}),
            ("ListRequests", {"history": True, "max": 500}),
            ("ListRequests", {"history": True, "before": 1, "max": 500})], self.calls())

    def test_history(self):
        """Read in parts, each from where the last has ended."""
        request = {"id": 7, "state": "expired", "volume": "acme", "access": ["read"], "uid": 0,
                   "raisedRealtimeNSec": 10**18, "cause": "withdrawn", "needTrustees": 2, "trustees": 1}
        self.answer("ListRequests", replies=[{"requests": [request]}])
        out, _ = self.check(DONE, "history", "--max", "1", "-n", "-o", "ID,STATE,APPROVALS,CAUSE,RAISED",
                            "--time=absolute", "--state", "expired,rejected", "--since", "2001-09-09T01:46:40Z", "-V", "a")
        self.assertRegex(out, "^7 +expired +1/2 +withdrawn +2001-09-09 ")
        self.answer("ListRequests", replies=[{"requests": []}])
        self.assertEqual([], json.loads(self.check(DONE, "history", "--json")[0]))
        self.assertEqual([
            ("ListRequests", {"volume": "a", "history": True, "states": ["expired", "rejected"],
                              "sinceRealtimeNSec": 10**18, "max": 1}),
            ("ListRequests", {"history": True, "max": 500})], self.calls())


if __name__ == "__main__":
    scripted.main()
