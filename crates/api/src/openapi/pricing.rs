//! Payin and payout.

use super::shapes::{Schemas, answer, example, reference, request, word};
use serde_json::{Value, json};

const CURRENCIES: [&str; 3] = ["USD", "GBP", "EUR"];

/// Currencies, as a request says them.
pub(super) fn currency(description: &str) -> Value {
    word(&CURRENCIES, description)
}

/// An amount, as a request may say it.
pub(super) fn amount(description: &str) -> Value {
    json!({
        "description": format!("{description} Decimal, from 0 to 1,000,000, with at most 2 digits after the point; as a number or as a string."),
        "anyOf": [
            {"type": "string", "pattern": r"^(0|[1-9][0-9]{0,5})(\.[0-9]{1,2})?$"},
            {"type": "number", "minimum": 0, "maximum": 1_000_000, "multipleOf": 0.01},
        ],
        "examples": [4.5, "4.50"],
    })
}

/// An amount, as answers say it.
pub(super) fn shown_amount(description: &str) -> Value {
    json!({"type": "number", "minimum": 0, "description": description})
}

/// A condition, as a request may say it.
pub(super) fn condition(description: &str) -> Value {
    json!({
        "type": ["string", "null"],
        "format": "condition",
        "maxLength": 10_000,
        "description": description,
        "examples": ["duration > 60", "in_region[West Coast] and not repeat"],
    })
}

fn policies() -> Value {
    json!([
        {"type": "Base", "currency": "USD", "condition": "", "amount": 4.5},
        {"type": "Bonus", "currency": "USD", "condition": "duration > 60", "amount": 2.75},
    ])
}

/// A payout as requests say it.
pub(super) fn said() -> Value {
    json!({"currency": "USD", "policies": policies()})
}

/// A payout as answers say it.
pub(super) fn shown() -> Value {
    json!({
        "min": 4.5,
        "max": 7.25,
        "currency": "USD",
        "pricing": "Base: $4.50 per call Bonus: $2.75 per call if duration > 60",
        "range": "$4.50 - $7.25 per call",
        "policies": policies(),
    })
}

pub(super) fn schemas() -> Schemas {
    let types = ["Base", "Bonus"];
    let policy_request = request(
        "A policy to write",
        json!({
            "type": word(&types, "What it adds to."),
            "amount": amount("What it pays for a call that meets it."),
            "currency": currency("One currency for all policies; the pricing's own where it is left out."),
            "condition": condition("When it pays: an expression of `duration`, `connect_duration`, `repeat`, `mobile`, `landline`, `sms_sent`, `during_hours`, `in_region`, `pressed[…]`, `custom_data[…]` and the like, with and, or, not. Empty: always."),
        }),
        &["type", "amount", "currency"],
    );
    let policy = answer(
        "Policy",
        json!({
            "type": word(&types, "A bonus pays only where the base is met."),
            "currency": currency("The currency."),
            "condition": {"type": "string", "description": "As it was written."},
            "amount": shown_amount("What it pays."),
        }),
        &[],
    );
    let of_type = |kind: &str| json!({"type": "object", "required": ["type"], "properties": {"type": {"const": kind}}});
    let request = request(
        "A pricing to write",
        json!({
            "currency": currency("For policies that name none."),
            "policies": {
                "type": "array",
                "description": "Exactly one Base, and up to 9 Bonus, in one currency.",
                "minItems": 1,
                "maxItems": 10,
                "items": reference("PolicyRequest"),
                "contains": of_type("Base"),
                "minContains": 1,
                "maxContains": 1,
            },
        }),
        &["policies"],
    );
    let answered = answer(
        "Pricing",
        json!({
            "min": shown_amount("The base."),
            "max": shown_amount("The base and all bonuses."),
            "currency": currency("The currency."),
            "pricing": {"type": "string", "description": "The policies in words."},
            "range": {"type": "string", "description": "Least to most, in words."},
            "policies": {"type": "array", "minItems": 1, "maxItems": 10, "items": reference("Policy"), "description": "The Base first."},
        }),
        &[],
    );
    vec![
        ("PolicyRequest", policy_request),
        ("Policy", policy),
        ("PricingRequest", example(request, said())),
        ("Pricing", example(answered, shown())),
    ]
}
