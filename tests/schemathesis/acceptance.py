"""Compares the requests that the document allows with those that the server accepted.

Reads schemathesis' NDJSON report of valid requests to existing objects, by operation. A request that
is rejected for its contents, and not for the state of the objects, is an error in the document or
in the hooks that narrow it.
"""

import base64
import json
import sys
from collections import Counter, defaultdict

# Highest share of an operation's requests that may be rejected for their contents. No schema can
# express some rules (names of regions in conditions, one currency, no payin on DirectOnly campaigns).
MAX_REJECTED_SHARE = 0.4
# Operations with fewer rejected requests are not judged.
MIN_REJECTED = 5
# Messages that concern the state of the objects, or two properties together.
STATE_MESSAGES = (
    "must not be before from",
    "already been taken",
    "UnauthorizedOperation",
    "cannot transition",
    "inventory",
    "the campaign has no future terms",
    "cannot happen",
    "out of order",
    "used for another event",
    "before the event before it",
    "within 31 days of",
    '{"custom_data":{"channel":',
    '"name":["is not a custom data field',
)


def body_text(response):
    content = response.get("content") or response.get("body") or {}
    if isinstance(content, dict):
        content = base64.b64decode(content.get("$base64", "")).decode(errors="replace")
    return content


def classify(status, text):
    if status < 400:
        return "accepted"
    by_state = status in (404, 405, 409, 412)
    by_state = by_state or any(message in text for message in STATE_MESSAGES)
    return "by state" if by_state else "rejected"


results = defaultdict(Counter)
reasons = defaultdict(Counter)
with open(sys.argv[1]) as report:
    for line in report:
        finished = json.loads(line).get("ScenarioFinished")
        if not finished:
            continue
        recorder = finished["recorder"]
        for interaction in recorder["interactions"].values():
            response = interaction["response"] or {"status_code": 0}
            text = body_text(response)
            result = classify(response["status_code"], text)
            results[recorder["label"]][result] += 1
            if result == "rejected":
                reasons[recorder["label"]][f"{response['status_code']} {text[:200]}"] += 1

failures = []
print("accepted  by state  rejected")
for label, counts in sorted(results.items()):
    print(f"{counts['accepted']:8}  {counts['by state']:8}  {counts['rejected']:8}  {label}")
    judged = counts["accepted"] + counts["rejected"]
    if counts["rejected"] >= MIN_REJECTED and counts["rejected"] > MAX_REJECTED_SHARE * judged:
        failures.append(label)
    for reason, count in reasons[label].most_common(3):
        print(f"{'':30}{count} × {reason}")
if failures:
    sys.exit(f"the server rejects most requests that the document allows: {', '.join(failures)}")
