//! Payin and payout.

use super::schema::{
    NamedSchemas, enumeration, enumeration_or_null, request_object, response_object,
    schema_reference, with_example,
};
use serde_json::{Value, json};

const CURRENCIES: [&str; 3] = ["USD", "GBP", "EUR"];

/// Currency.
pub(super) fn currency(description: &str) -> Value {
    enumeration(&CURRENCIES, description)
}

/// Amount in a request.
pub(super) fn amount(description: &str) -> Value {
    let range = "Decimal, from 0 to 1,000,000, with at most 2 decimal places";
    number_or_text("number", &format!("{description} {range}"), &json!([4.5, "4.50"]))
}

/// Number of calls in a request.
pub(super) fn number_of_calls(description: &str) -> Value {
    let range = "Whole number from 0 to 1,000,000";
    number_or_text("integer", &format!("{description} {range}"), &json!([200, "200"]))
}

/// Number up to a million, of a JSON type, or its text.
fn number_or_text(json_type: &str, description: &str, examples: &Value) -> Value {
    json!({
        "description": format!("{description}, as a number or as text (also with an exponent: `1e3`)."),
        "anyOf": [
            {"type": "string", "pattern": r"^\s*[+-]?([0-9]+(\.[0-9]+)?|\.[0-9]+)([eE][+-]?[0-9]+)?\s*$"},
            {"type": json_type, "minimum": 0, "maximum": 1_000_000},
        ],
        "examples": examples,
    })
}

/// Amount in a response.
pub(super) fn response_amount(description: &str) -> Value {
    json!({"type": "number", "minimum": 0, "description": description})
}

/// Condition in a request.
pub(super) fn condition(description: &str) -> Value {
    json!({
        "type": ["string", "null"],
        "format": "condition",
        "maxLength": 10_000,
        "description": description,
        "examples": ["duration > 60", "in_region[West Coast] and not repeat"],
    })
}

fn policies_example() -> Value {
    json!([
        {"type": "Base", "currency": "USD", "condition": "", "amount": 4.5},
        {"type": "Bonus", "currency": "USD", "condition": "duration > 60", "amount": 2.75},
    ])
}

/// Example of a payout in a request.
pub(super) fn request_example() -> Value {
    json!({"currency": "USD", "policies": policies_example()})
}

/// Example of a payout in a response.
pub(super) fn response_example() -> Value {
    json!({
        "min": 4.5,
        "max": 7.25,
        "currency": "USD",
        "pricing": "Base: $4.50 per call Bonus: $2.75 per call if duration > 60",
        "range": "$4.50 - $7.25 per call",
        "policies": policies_example(),
    })
}

pub(super) fn schemas() -> NamedSchemas {
    let types = ["Base", "Bonus"];
    let policy_request = request_object(
        json!({
            "type": enumeration(&types, "Type of the policy. A bonus is paid only if the base is met."),
            "amount": amount("Amount per call that meets the condition."),
            "currency": currency("Currency, the same for all policies. Required if the pricing has no `currency`."),
            "condition": condition("Condition of the payment: an expression of `duration`, `connect_duration`, `repeat`, `mobile`, `landline`, `sms_sent`, `during_hours`, `in_region`, `pressed[…]`, `custom_data[…]` and the like, with `and`, `or`, `not`. An empty condition is always met."),
        }),
        &["type", "amount"],
    );
    let policy = response_object(
        json!({
            "type": enumeration(&types, "Type of the policy. A bonus is paid only if the base is met."),
            "currency": currency("The currency."),
            "condition": {"type": "string", "description": "The condition as it was written."},
            "amount": response_amount("Amount per call that meets the condition."),
        }),
        &[],
    );
    let has_type = |kind: &str| json!({"type": "object", "required": ["type"], "properties": {"type": {"const": kind}}});
    let pricing_request = request_object(
        json!({
            "currency": enumeration_or_null(&CURRENCIES, "Default currency of the policies."),
            "policies": {
                "type": "array",
                "description": "Exactly one Base and up to 9 Bonus policies, in one currency.",
                "minItems": 1,
                "maxItems": 10,
                "items": schema_reference("PolicyRequest"),
                "contains": has_type("Base"),
                "minContains": 1,
                "maxContains": 1,
            },
        }),
        &["policies"],
    );
    let pricing = response_object(
        json!({
            "min": response_amount("Amount of the base."),
            "max": response_amount("Sum of the base and all bonuses."),
            "currency": currency("The currency."),
            "pricing": {"type": "string", "description": "Description of the policies."},
            "range": {"type": "string", "description": "Description of the range from `min` to `max`."},
            "policies": {"type": "array", "minItems": 1, "maxItems": 10, "items": schema_reference("Policy"), "description": "The Base first."},
        }),
        &[],
    );
    vec![
        ("PolicyRequest", policy_request),
        ("Policy", policy),
        ("PricingRequest", with_example(pricing_request, request_example())),
        ("Pricing", with_example(pricing, response_example())),
    ]
}
