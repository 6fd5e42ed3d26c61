//! Budgets of a campaign.

use super::pricing::{amount, currency, number_of_calls, response_amount};
use super::schema::{
    NamedSchemas, enumeration, nullable, request_boolean, request_object, request_timestamp,
    response_object, schema_reference, with_example,
};
use serde_json::{Value, json};
use trunkline_domain::campaign::ResetPeriod;

fn reset_period() -> Value {
    let periods: Vec<&str> = ResetPeriod::ALL.into_iter().map(ResetPeriod::as_str).collect();
    enumeration(&periods, "Period after which the total restarts at 0.")
}

fn request_example() -> Value {
    json!({"periodic_call_cap_alert": {
        "reset_period": "Monthly",
        "starts_at": "2014-04-01",
        "budget_currency": "USD",
        "time_zone": "Pacific Time (US & Canada)",
        "budget_amount": 200,
    }})
}

fn response_example() -> Value {
    json!({"periodic_call_cap_alert": {
        "budget_amount": 200.0,
        "budget_currency": "USD",
        "reset_period": "Monthly",
        "start_at": "2014-04-01T00:00:00-07:00",
        "total_amount": 0.0,
        "time_zone": "Pacific Time (US & Canada)",
    }})
}

fn budget_request(budget_amount: &Value) -> Value {
    let enforce = "Reject calls at 100 % of the amount, which is never exceeded: a live call holds the most that it can pay until it ends. Without it, the stored flag stays.";
    request_object(
        json!({
            "reset_period": reset_period(),
            "starts_at": request_timestamp("Start of the first period: a date, or a date and a time, in `time_zone` unless it has an offset. Required without `start_at`."),
            "start_at": request_timestamp("Alias of `starts_at`, as responses name it."),
            "budget_currency": currency("Required, though without meaning for a number of calls. For `budget_cap_alert`, the currency of the payin."),
            "time_zone": schema_reference("TimeZone"),
            "budget_amount": budget_amount,
            "include_call_fees": request_boolean("Include call fees in the total."),
            "enforce": request_boolean(enforce),
        }),
        &["reset_period", "budget_currency", "time_zone", "budget_amount"],
    )
}

fn budget() -> Value {
    let true_or_absent =
        |description: &str| json!({"type": "boolean", "enum": [true], "description": description});
    response_object(
        json!({
            "budget_amount": response_amount("Amount of money, or number of calls."),
            "budget_currency": currency("The currency."),
            "reset_period": reset_period(),
            "start_at": {"type": "string", "description": "Start of the first period in ISO 8601, in `time_zone`."},
            "total_amount": response_amount("Total of the current period."),
            "time_zone": schema_reference("TimeZone"),
            "include_call_fees": true_or_absent("Present when call fees are included."),
            "enforce": true_or_absent("Present when calls are rejected at 100 %."),
        }),
        &["include_call_fees", "enforce"],
    )
}

/// Schemas of the cap of concurrent calls: request, response.
fn concurrent_cap() -> (Value, Value) {
    let enforce = "Reject calls at 100 % of the amount.";
    let request = request_object(
        json!({"budget_amount": number_of_calls("Number of concurrent calls."), "enforce": request_boolean(enforce)}),
        &["budget_amount"],
    );
    let response = response_object(
        json!({
            "budget_amount": response_amount("Number of concurrent calls."),
            "enforce": {"type": "boolean", "enum": [true], "description": "Present when calls are rejected at 100 %."},
        }),
        &["enforce"],
    );
    (request, response)
}

pub(super) fn schemas() -> NamedSchemas {
    let (concurrent_request, concurrent_response) = concurrent_cap();
    let [payin_cap, call_cap, concurrent_call_cap] =
        ["budget_cap_alert", "periodic_call_cap_alert", "concurrent_call_cap_alert"];
    let budgets_request = request_object(
        json!({
            payin_cap: nullable(schema_reference("BudgetRequest"), "Payin per period."),
            call_cap: nullable(schema_reference("CallCapRequest"), "Calls per period; `call_cap_alert` before 2015-12-09."),
            concurrent_call_cap: nullable(schema_reference("ConcurrentCapRequest"), "Concurrent calls."),
        }),
        &[],
    );
    let budgets = response_object(
        json!({
            payin_cap: schema_reference("Budget"),
            call_cap: schema_reference("Budget"),
            concurrent_call_cap: schema_reference("ConcurrentCap"),
        }),
        &[payin_cap, call_cap, concurrent_call_cap],
    );
    vec![
        ("BudgetRequest", budget_request(&amount("Payin of the period."))),
        ("CallCapRequest", budget_request(&number_of_calls("Calls of the period."))),
        ("Budget", budget()),
        ("ConcurrentCapRequest", concurrent_request),
        ("ConcurrentCap", concurrent_response),
        ("BudgetsRequest", with_example(budgets_request, request_example())),
        ("Budgets", with_example(budgets, response_example())),
    ]
}
