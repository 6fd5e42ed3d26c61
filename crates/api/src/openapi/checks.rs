//! Checks: validation of conditions and campaigns without a write.

use super::operation::Operation;
use super::schema::{
    NamedSchemas, enumeration, nullable_external_id, request_object, response_object, with_example,
};
use serde_json::{Value, json};

fn valid_example() -> Value {
    json!({
        "valid": true,
        "normalized": "mobile and duration > 60",
        "in_words": "the caller is on a mobile phone and the call lasts longer than 1 minute",
        "errors": [],
        "warnings": [],
    })
}

pub(super) fn schemas() -> NamedSchemas {
    let condition_request = request_object(
        json!({
            "condition": {"type": "string", "format": "condition", "maxLength": 10000, "description": "Expression of the condition language, as in policies and Condition nodes. An empty condition is always met."},
            "advertiser_campaign": nullable_external_id("External id of a campaign. Its future terms, or else its current ones, supply regions and keys for the check."),
        }),
        &["condition"],
    );
    let texts = json!({"type": "array", "items": {"type": "string"}});
    let condition_check = response_object(
        json!({
            "valid": {"type": "boolean", "description": "The condition can be parsed."},
            "normalized": {"type": ["string", "null"], "description": "Normalized text; `null` if it is not valid."},
            "in_words": {"type": ["string", "null"], "description": "The condition in English; `null` if it is not valid."},
            "errors": {"type": "array", "items": {
                "type": "object",
                "required": ["column", "message"],
                "additionalProperties": false,
                "properties": {
                    "column": {"type": "integer", "minimum": 1, "description": "Position in characters, from 1."},
                    "message": {"type": "string", "description": "The error, with what was expected at the position."},
                },
            }},
            "warnings": texts,
        }),
        &[],
    );
    let finding = response_object(
        json!({
            "severity": enumeration(&["error", "warning", "info"], "Severity. Errors prevent `go_live`, or mean that a policy never pays."),
            "at": {"type": "string", "description": "Path of the finding: `advertiser_payin.policies[1].condition`."},
            "message": {"type": "string", "description": "Description of the finding."},
        }),
        &[],
    );
    let finding_example = json!({"severity": "info", "at": "named_regions[0]", "message": "'West Coast' is used by no condition"});
    vec![
        (
            "ConditionRequest",
            with_example(
                condition_request,
                json!({"condition": "mobile AND duration > 60", "advertiser_campaign": null}),
            ),
        ),
        ("ConditionCheck", with_example(condition_check, valid_example())),
        ("Finding", with_example(finding, finding_example)),
    ]
}

pub(super) fn operations() -> Vec<Operation> {
    vec![
        Operation::post("/trunkline/conditions/check", "checkCondition", "Check a condition")
            .description("Stores nothing. An invalid condition is a valid request: the response gives the position of its errors.")
            .request_body("ConditionRequest", json!({"condition": "mobile AND duration > 60"}))
            .object_response("200", "The result of the check.", "ConditionCheck"),
        Operation::get("/trunkline/checks/{campaign}", "checkCampaign", "Check a campaign")
            .description("Static analysis of the future terms, or else the current ones: unknown regions, keys that no menu has, unreachable nodes, conditions that are always or never met, a bonus that excludes its base, payout above payin, different conditions of payin and payout. Errors come first.")
            .list_response("Finding"),
    ]
}
