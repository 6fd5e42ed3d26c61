//! Replays: evaluation of a campaign's future terms on its stored calls.

use super::operation::Operation;
use super::schema::{
    NamedSchemas, enumeration, enumeration_or_null, request_object, request_timestamp,
    required_external_id, response_object, schema_reference, with_example,
};
use serde_json::{Value, json};

fn total_schema(description: &str) -> Value {
    json!({
        "type": ["object", "null"],
        "description": description,
        "required": ["amount", "currency"],
        "properties": {"amount": {"type": "number"}, "currency": enumeration(&["USD", "GBP", "EUR"], "ISO 4217.")},
    })
}

pub(super) fn schemas() -> NamedSchemas {
    let time = |description: &str| request_timestamp(description);
    let replay_request = request_object(
        json!({
            "advertiser_campaign": required_external_id("External id of the campaign."),
            "from": time("First day in the campaign's time zone, or a time."),
            "to": time("Last day in the campaign's time zone, or a time."),
        }),
        &["advertiser_campaign", "from", "to"],
    );
    let totals = || {
        json!({
            "advertiser_payin": total_schema("Payin of the advertiser; `null` if none is agreed."),
            "affiliate_payout": total_schema("Payout of affiliates; `null` if none is agreed."),
            "margin": total_schema("Payin minus payout; `null` if their currencies differ."),
        })
    };
    let mut call_result = totals();
    call_result["outcome"] = enumeration_or_null(
        &["connected", "ended", "abandoned", "turned_away"],
        "Outcome of the call; `null` if there are no such terms.",
    );
    let changed_call = json!({
        "type": "object",
        "required": ["complete_call_id", "current", "future"],
        "properties": {
            "complete_call_id": {"type": "string"},
            "current": schema_reference("ReplayCallResult"),
            "future": schema_reference("ReplayCallResult"),
        },
    });
    let replay = response_object(
        json!({
            "calls": {"type": "integer", "description": "Number of replayed calls."},
            "current": schema_reference("ReplayTotals"),
            "future": schema_reference("ReplayTotals"),
            "changed": {"type": "array", "maxItems": 1000, "items": changed_call, "description": "The first 1,000 calls with a different result, ordered by time."},
            "changed_total": {"type": "integer", "description": "Number of calls with a different result."},
        }),
        &[],
    );
    vec![
        ("ReplayRequest", with_example(replay_request, request_example())),
        ("ReplayTotals", response_object(totals(), &[])),
        ("ReplayCallResult", response_object(call_result, &[])),
        ("Replay", replay),
    ]
}

fn request_example() -> Value {
    json!({"advertiser_campaign": "12", "from": "2026-11-01", "to": "2026-11-20"})
}

pub(super) fn operations() -> Vec<Operation> {
    vec![
        Operation::post("/trunkline/replay", "replay", "Replay stored calls with the future terms")
            .description("Stores nothing. Evaluates every ended call of the period by the current and by the future terms, with the corrected facts of the call. Without future terms, the current ones are used for both.")
            .request_body("ReplayRequest", request_example())
            .object_response("200", "The results by both sets of terms.", "Replay"),
    ]
}
