//! Dry runs: a campaign tried on an imagined call.

use super::operation::Operation;
use super::shapes::{Schemas, answer, example, optional_network_id, request, word};
use serde_json::{Value, json};

fn call() -> Value {
    let text = |about: &str| json!({"type": ["string", "null"], "description": about});
    let flag = |about: &str| json!({"type": ["boolean", "null"], "description": about});
    let seconds = |about: &str| json!({"type": ["integer", "null"], "minimum": 0, "maximum": 2_678_400, "description": about});
    json!({
        "type": ["object", "null"],
        "description": "What is known of the call; what is absent is not known.",
        "properties": {
            "calling_phone_number": {"type": ["string", "null"], "pattern": "^[2-9][0-9]{9}$", "description": "Gives country and region by its area code, unless they are said."},
            "start_time": {"type": ["string", "null"], "pattern": "^20[0-9]{2}-(0[1-9]|1[0-2])-(0[1-9]|1[0-9]|2[0-8])$", "description": "`2015-05-13 07:45:08 -0800`, ISO 8601, or a date."},
            "keypresses": {"type": "array", "maxItems": 1000, "items": {"type": "string", "pattern": "^[0-9*#]$"}, "description": "In order. When they run out in a menu, the caller hung up there."},
            "duration": seconds("In all."),
            "connect_duration": seconds("Connected; 0 for a call that never was. Not more than the duration."),
            "phone_type": {"type": ["string", "null"], "enum": ["mobile", "landline", null], "description": "From what the caller calls."},
            "shared_caller_id": {"type": ["boolean", "null"], "description": "Whether several callers share the number: then nobody counts as a repeat caller."},
            "country": text("ISO 3166-1 alpha-2."),
            "region": text("State or province, `CA`."),
            "city": text("City."),
            "zip": text("Given where the tree asks for it."),
            "repeat": flag("Whether the caller has called the campaign lately."),
            "sms_sent": flag("Whether the caller takes the text message that is offered."),
            "promo_number": {"type": ["string", "null"], "pattern": "^[2-9][0-9]{9}$", "description": "The promo number dialled, one of the campaign's."},
        },
    })
}

fn explanation() -> Value {
    json!({
        "type": ["object", "null"],
        "required": ["text", "value", "op", "terms", "fact"],
        "properties": {
            "text": {"type": "string", "description": "The condition's normal text."},
            "value": {"type": ["boolean", "null"], "description": "`null` is unknown."},
            "op": word(&["and", "or", "not", "term"], "What it is."),
            "terms": {"type": "array", "items": {"$ref": "#/components/schemas/Explanation"}},
            "fact": {"description": "The fact behind a term: `{\"duration\": 75}`; `null` in it is unknown."},
        },
    })
}

fn payment() -> Value {
    let policy = json!({
        "type": "object",
        "required": ["type", "amount", "met", "paid", "condition"],
        "properties": {
            "type": word(&["Base", "Bonus"], "What it is."),
            "amount": {"type": "number", "minimum": 0},
            "met": {"type": ["boolean", "null"], "description": "`null` is unknown, and pays nothing."},
            "paid": {"type": "boolean", "description": "A bonus only where the base is met."},
            "condition": {"$ref": "#/components/schemas/Explanation"},
        },
    });
    json!({
        "type": ["object", "null"],
        "required": ["amount", "currency", "matching_policies", "policies"],
        "properties": {
            "amount": {"type": "number", "minimum": 0, "description": "The sum of what is paid."},
            "currency": word(&["USD", "GBP", "EUR"], "Of all policies."),
            "matching_policies": {"type": "string", "description": "`base+bonus1`; empty when nothing is paid."},
            "policies": {"type": "array", "items": policy},
        },
    })
}

fn step() -> Value {
    json!({
        "type": "object",
        "required": ["at", "node_type", "prompt", "key", "condition"],
        "properties": {
            "at": {"type": "array", "items": {"type": "integer", "minimum": 0}, "description": "Child indices from the root."},
            "node_type": {"type": "string"},
            "prompt": {"type": "string", "description": "What was said."},
            "key": {"type": ["string", "null"], "description": "What was pressed in the end: 1–9, W (wrong) or N (none)."},
            "condition": {"$ref": "#/components/schemas/Explanation"},
        },
    })
}

/// What a dry run says.
pub(super) fn shown() -> Value {
    let budget = json!({
        "type": "object",
        "required": ["kind", "total", "amount", "would_alert"],
        "properties": {
            "kind": word(&["budget_cap_alert", "call_cap_alert", "concurrent_call_cap_alert"], "Which budget."),
            "total": {"type": "number", "description": "The running period's total before the call."},
            "amount": {"type": "number"},
            "would_alert": {"type": "array", "items": {"type": "integer", "enum": [75, 90, 100]}},
        },
    });
    answer(
        "What would happen",
        json!({
            "outcome": word(&["connected", "ended", "abandoned", "turned_away"], "How the call goes."),
            "reason": {"type": ["string", "null"], "enum": ["not_live", "affiliate_not_approved", "over_cap", null]},
            "path": {"type": "array", "items": step()},
            "destination_phone_number": {"type": ["string", "null"]},
            "advertiser_payin": payment(),
            "affiliate_payout": payment(),
            "margin": {"type": ["object", "null"], "description": "Payin less payout; `null` across currencies."},
            "budgets": {"type": "array", "items": budget},
            "warnings": {"type": "array", "items": {"type": "string"}},
        }),
        &[],
    )
}

pub(super) fn schemas() -> Schemas {
    let said = request(
        "An imagined call",
        json!({
            "advertiser_campaign": {"type": "string", "minLength": 1, "maxLength": 255, "description": "The network's id of the campaign."},
            "affiliate": optional_network_id("The network's id of the affiliate that brings the call; `null` for none."),
            "terms": {"type": ["string", "null"], "enum": ["current", "future", null], "description": "Which terms; `current` by default."},
            "call": call(),
        }),
        &["advertiser_campaign"],
    );
    vec![
        ("DryRunRequest", example(said, sample())),
        ("DryRun", shown()),
        ("Explanation", explanation()),
    ]
}

fn sample() -> Value {
    json!({
        "advertiser_campaign": "12",
        "affiliate": null,
        "terms": "future",
        "call": {"calling_phone_number": "8057089876", "keypresses": ["1"], "duration": 90},
    })
}

pub(super) fn operations() -> Vec<Operation> {
    vec![
        Operation::post("/trunkline/dry_run", "dryRun", "Try a campaign on an imagined call")
            .about("Nothing is stored. Runs the tree, decides payin and payout, and says why. A draft (`future`) is tried as if it were live. Whether the caller has called lately is looked up, and budgets stand where they do.")
            .takes("DryRunRequest", sample())
            .answers("200", "What would happen.", "DryRun"),
    ]
}
