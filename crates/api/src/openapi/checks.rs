//! Checks: conditions and campaigns, before anything depends on them.

use super::operation::Operation;
use super::shapes::{Schemas, answer, example, optional_network_id, request, word};
use serde_json::{Value, json};

fn valid() -> Value {
    json!({
        "valid": true,
        "normalized": "mobile and duration > 60",
        "in_words": "the caller is on a mobile phone and the call lasts longer than 1 minute",
        "errors": [],
        "warnings": [],
    })
}

pub(super) fn schemas() -> Schemas {
    let said = request(
        "A condition to check",
        json!({
            "condition": {"type": "string", "format": "condition", "maxLength": 10000, "description": "In the language of policies and Condition nodes; the empty one is true."},
            "advertiser_campaign": optional_network_id("The network's id of a campaign to check it against: its future terms, else its current ones."),
        }),
        &["condition"],
    );
    let texts = json!({"type": "array", "items": {"type": "string"}});
    let shown = answer(
        "What there is to say of a condition",
        json!({
            "valid": {"type": "boolean", "description": "Whether it reads."},
            "normalized": {"type": ["string", "null"], "description": "As the language would write it."},
            "in_words": {"type": ["string", "null"], "description": "As people would say it."},
            "errors": {"type": "array", "items": {
                "type": "object",
                "required": ["column", "message"],
                "additionalProperties": false,
                "properties": {
                    "column": {"type": "integer", "minimum": 1, "description": "In characters, from 1."},
                    "message": {"type": "string", "description": "What was expected there."},
                },
            }},
            "warnings": texts,
        }),
        &[],
    );
    let finding = answer(
        "Finding",
        json!({
            "severity": word(&["error", "warning", "info"], "How much it matters: errors keep the terms from going live, or never pay."),
            "at": {"type": "string", "description": "The place: `advertiser_payin.policies[1].condition`."},
            "message": {"type": "string", "description": "What is found there."},
        }),
        &[],
    );
    let unused = json!({"severity": "info", "at": "named_regions[0]", "message": "'West Coast' is used by no condition"});
    vec![
        (
            "ConditionRequest",
            example(
                said,
                json!({"condition": "mobile AND duration > 60", "advertiser_campaign": null}),
            ),
        ),
        ("ConditionChecked", example(shown, valid())),
        ("Finding", example(finding, unused)),
    ]
}

pub(super) fn operations() -> Vec<Operation> {
    vec![
        Operation::post("/trunkline/conditions/check", "checkCondition", "Check a condition")
            .about("Nothing is stored. A condition that does not read is a good request: the answer says where it goes wrong.")
            .takes("ConditionRequest", json!({"condition": "mobile AND duration > 60"}))
            .answers("200", "What there is to say of it.", "ConditionChecked"),
        Operation::get("/trunkline/checks/{campaign}", "checkCampaign", "Check a campaign")
            .about("The static findings on its future (else current) terms: unknown regions, keys that no menu has, nodes that cannot be reached, conditions that are always true or never, a bonus that its base excludes, payout above payin, payin and payout conditions that differ. Errors come first.")
            .lists_all("Finding"),
    ]
}
