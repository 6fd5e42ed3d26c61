//! Budgets of a campaign.

use super::pricing::{amount, currency, shown_amount};
use super::shapes::{Schemas, answer, example, flag, or_null, reference, request, word};
use serde_json::{Value, json};
use trunkline_domain::campaign::ResetPeriod;

fn periods() -> Value {
    let words: Vec<&str> = ResetPeriod::ALL.into_iter().map(ResetPeriod::as_str).collect();
    word(&words, "When the total starts again.")
}

fn said() -> Value {
    json!({"periodic_call_cap_alert": {
        "reset_period": "Monthly",
        "starts_at": "2014-04-01",
        "budget_currency": "USD",
        "time_zone": "Pacific Time (US & Canada)",
        "budget_amount": 200,
    }})
}

fn shown() -> Value {
    json!({"periodic_call_cap_alert": {
        "budget_amount": 200.0,
        "budget_currency": "USD",
        "reset_period": "Monthly",
        "start_at": "2014-04-01T00:00:00-07:00",
        "total_amount": 0.0,
        "time_zone": "Pacific Time (US & Canada)",
    }})
}

fn budget_request() -> Value {
    let enforce = "Whether calls are turned away at 100 %, never one over for call caps.";
    request(
        "A budget to write",
        json!({
            "reset_period": periods(),
            "starts_at": {"type": "string", "format": "moment", "maxLength": 128, "description": "When it first starts: a date, or a date and a time, in `time_zone` unless it has an offset. `start_at` is read too."},
            "budget_currency": currency("Of no meaning for a number of calls, but asked for."),
            "time_zone": reference("TimeZone"),
            "budget_amount": amount("Money, or a number of calls."),
            "include_call_fees": flag("Whether call fees count."),
            "enforce": flag(enforce),
        }),
        &["reset_period", "starts_at", "budget_currency", "time_zone", "budget_amount"],
    )
}

fn budget() -> Value {
    let on = |description: &str| json!({"const": true, "description": description});
    answer(
        "Budget",
        json!({
            "budget_amount": shown_amount("Money, or a number of calls."),
            "budget_currency": currency("The currency."),
            "reset_period": periods(),
            "start_at": {"type": "string", "description": "ISO 8601, in `time_zone`."},
            "total_amount": shown_amount("What the running period has come to."),
            "time_zone": reference("TimeZone"),
            "include_call_fees": on("There when call fees count."),
            "enforce": on("There when calls are turned away at 100 %."),
        }),
        &["include_call_fees", "enforce"],
    )
}

fn concurrent() -> (Value, Value) {
    let enforce = "Whether calls are turned away at 100 %.";
    let said = request(
        "A cap of calls at once, to write",
        json!({"budget_amount": amount("Calls at once."), "enforce": flag(enforce)}),
        &["budget_amount"],
    );
    let shown = answer(
        "Cap of calls at once",
        json!({
            "budget_amount": shown_amount("Calls at once."),
            "enforce": {"const": true, "description": "There when calls are turned away at 100 %."},
        }),
        &["enforce"],
    );
    (said, shown)
}

pub(super) fn schemas() -> Schemas {
    let (concurrent_said, concurrent_shown) = concurrent();
    let names = ["budget_cap_alert", "periodic_call_cap_alert", "concurrent_call_cap_alert"];
    let [earned, calls, at_once] = [
        "Payin earned in a period.",
        "Calls in a period; `call_cap_alert` before 2015-12-09.",
        "Calls at once.",
    ];
    let written = request(
        "Budgets to write",
        json!({
            names[0]: or_null(reference("BudgetRequest"), earned),
            names[1]: or_null(reference("BudgetRequest"), calls),
            names[2]: or_null(reference("ConcurrentCapRequest"), at_once),
        }),
        &[],
    );
    let read = answer(
        "Budgets",
        json!({
            names[0]: reference("Budget"),
            names[1]: reference("Budget"),
            names[2]: reference("ConcurrentCap"),
        }),
        &names,
    );
    vec![
        ("BudgetRequest", budget_request()),
        ("Budget", budget()),
        ("ConcurrentCapRequest", concurrent_said),
        ("ConcurrentCap", concurrent_shown),
        ("BudgetsRequest", example(written, said())),
        ("Budgets", example(read, shown())),
    ]
}
