"""Says how much of what the document calls right the server took, by operation.

Reads schemathesis' NDJSON report of requests that are valid and about objects that exist. What is
refused for what it says, and not for the state things are in, is the document's fault.
"""

import base64
import json
import sys
from collections import Counter, defaultdict

# The most of an operation's requests that may be refused for what they say: some rules (names of
# regions that conditions use, one currency, no payin on DirectOnly campaigns) no schema can say.
MOST = 0.4
# Fewer than these say nothing of an operation.
FEW = 5
# Reasons to refuse that are about the state things are in, or about two properties together.
STATE = (
    "must not be before from",
    "already been taken",
    "UnauthorizedOperation",
    "cannot transition",
    "inventory",
    "nothing waits for go_live",
    "cannot happen",
    "out of order",
    "used for another event",
    "before the event before it",
    "within 31 days of",
    '{"custom_data":{"channel":',
    '"name":["is not a custom data field',
)

answered = defaultdict(Counter)
reasons = defaultdict(Counter)


def text_of(response):
    content = response.get("content") or response.get("body") or {}
    if isinstance(content, dict):
        content = base64.b64decode(content.get("$base64", "")).decode(errors="replace")
    return content


def kind_of(status, text):
    if status < 400:
        return "taken"
    by_state = status in (404, 405, 409, 412) or any(reason in text for reason in STATE)
    return "by state" if by_state else "refused"


with open(sys.argv[1]) as report:
    for line in report:
        finished = json.loads(line).get("ScenarioFinished")
        if not finished:
            continue
        recorder = finished["recorder"]
        for interaction in recorder["interactions"].values():
            response = interaction["response"] or {"status_code": 0}
            text = text_of(response)
            kind = kind_of(response["status_code"], text)
            answered[recorder["label"]][kind] += 1
            if kind == "refused":
                reasons[recorder["label"]][f"{response['status_code']} {text[:200]}"] += 1

poor = []
print("taken  by state  refused")
for label, kinds in sorted(answered.items()):
    print(f"{kinds['taken']:5}  {kinds['by state']:8}  {kinds['refused']:7}  {label}")
    many = kinds["refused"] >= FEW
    if many and kinds["refused"] > MOST * (kinds["taken"] + kinds["refused"]):
        poor.append(label)
    for reason, count in reasons[label].most_common(3):
        print(f"{'':26}{count} × {reason}")
if poor:
    sys.exit(f"the document calls right what the server refuses: {', '.join(poor)}")
