//! `replay`.

use super::operation::Operation;
use super::shapes::{Schemas, answer, example, reference, request, word};
use serde_json::{Value, json};

fn sum(description: &str) -> Value {
    json!({
        "type": ["object", "null"],
        "description": description,
        "required": ["amount", "currency"],
        "properties": {"amount": {"type": "number"}, "currency": word(&["USD", "GBP", "EUR"], "ISO 4217.")},
    })
}

pub(super) fn schemas() -> Schemas {
    let day = |description: &str| json!({"type": "string", "format": "moment", "maxLength": 128, "description": description});
    let said = request(
        "Which calls to run again",
        json!({
            "advertiser_campaign": {"type": "string", "minLength": 1, "maxLength": 255, "description": "The network's id of the campaign."},
            "from": day("The first day, in the campaign's zone, or a moment."),
            "to": day("The last day, in the campaign's zone, or a moment."),
        }),
        &["advertiser_campaign", "from", "to"],
    );
    let sums = || {
        json!({
            "advertiser_payin": sum("What the advertiser pays; `null` where no payin is agreed."),
            "affiliate_payout": sum("What affiliates get; `null` where no payout is agreed."),
            "margin": sum("Payin less payout; `null` across currencies."),
        })
    };
    let mut of_call = sums();
    of_call["outcome"] = json!({"type": ["string", "null"], "enum": ["connected", "ended", "abandoned", "turned_away", null], "description": "How the call goes; `null` where there are no such terms."});
    let changed = json!({
        "type": "object",
        "required": ["complete_call_id", "current", "future"],
        "properties": {
            "complete_call_id": {"type": "string"},
            "current": reference("ReplayedCall"),
            "future": reference("ReplayedCall"),
        },
    });
    let shown = answer(
        "What stored calls come to by either terms",
        json!({
            "calls": {"type": "integer", "description": "How many there are."},
            "current": reference("ReplayedSums"),
            "future": reference("ReplayedSums"),
            "changed": {"type": "array", "maxItems": 1000, "items": changed, "description": "The first 1,000 that would come to something else, in order of time."},
            "changed_total": {"type": "integer", "description": "How many there are of those."},
        }),
        &[],
    );
    vec![
        ("ReplayRequest", example(said, sample())),
        ("ReplayedSums", answer("What calls come to", sums(), &[])),
        ("ReplayedCall", answer("What a call comes to", of_call, &[])),
        ("Replay", shown),
    ]
}

fn sample() -> Value {
    json!({"advertiser_campaign": "12", "from": "2026-11-01", "to": "2026-11-20"})
}

pub(super) fn operations() -> Vec<Operation> {
    vec![
        Operation::post("/trunkline/replay", "replay", "Run stored calls through the future terms")
            .about("Nothing is stored. Every call of those days that is over runs through the current and the future terms, as what was known of it stands corrected. Where nothing waits for go_live the future terms are the current ones.")
            .takes("ReplayRequest", sample())
            .answers("200", "What they come to.", "Replay"),
    ]
}
