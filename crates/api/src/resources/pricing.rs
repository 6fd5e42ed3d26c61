//! The shape of payin and payout: policies in, with their words out.

use crate::fields::{Fields, Reading, TEXT_LIMIT};
use serde_json::{Map, Value, json};
use trunkline_domain::campaign::{BONUS_LIMIT, Policy, PolicyType, Pricing};
use trunkline_domain::condition::Condition;
use trunkline_domain::money::Currency;
use trunkline_domain::problem::BLANK;

/// Policies read before it is said that there are too many.
const POLICIES: usize = BONUS_LIMIT + 10;

/// Reads `{"policies": […]}`; the words that an answer adds are ignored, and its `currency` stands
/// for policies that name none.
pub(super) fn read(map: &Map<String, Value>, reading: Reading<'_>) -> Option<Pricing> {
    let mut fields = Fields::new(map, reading);
    let currency = fields.word_or_default("currency", |word| Currency::parse(word).map(Some));
    let currency = currency.flatten();
    let policies =
        fields.array("policies", POLICIES, |value, reading| read_policy(value, currency, reading));
    let given = policies.as_ref().is_some_and(|policies| !policies.is_empty());
    if !given && !fields.problems.has("policies") {
        fields.wrong("policies", BLANK);
    }
    let problems_before = !fields.problems.is_empty();
    let pricing = match policies {
        // With policies that do not read there is no saying whether they go together.
        Some(policies) if !problems_before => Pricing::new(policies, fields.problems),
        _ => None,
    };
    fields.finish();
    pricing
}

fn read_policy(
    value: &Value,
    currency_of_all: Option<Currency>,
    reading: Reading<'_>,
) -> Option<Policy> {
    let mut fields = Fields::of(value, reading)?;
    for name in ["type", "amount"] {
        if !fields.has(name) {
            fields.wrong(name, BLANK);
        }
    }
    if !fields.has("currency") && currency_of_all.is_none() {
        fields.wrong("currency", BLANK);
    }
    let kind = fields.word("type", PolicyType::parse);
    let amount = fields.money("amount");
    let currency = fields.word("currency", Currency::parse).or(currency_of_all);
    let condition = read_condition(&mut fields);
    fields.finish();
    Some(Policy { kind: kind?, amount: amount?, currency: currency?, condition: condition? })
}

/// A condition at `condition`, where none is the empty one. An error says where.
pub(super) fn read_condition(fields: &mut Fields<'_>) -> Option<Condition> {
    let Some(said) = fields.text("condition", TEXT_LIMIT) else {
        return (!fields.problems.has("condition")).then(Condition::always);
    };
    match Condition::parse(&said.unwrap_or_default()) {
        Ok(condition) => Some(condition),
        Err(error) => {
            fields.wrong("condition", error.to_string());
            None
        }
    }
}

/// A pricing with its words.
pub(super) fn render(pricing: &Pricing) -> Value {
    let policy = |policy: &Policy| {
        json!({
            "type": policy.kind.as_str(),
            "currency": policy.currency.as_str(),
            "condition": policy.condition.text(),
            "amount": policy.amount.to_json_number(),
        })
    };
    let policies: Vec<Value> = pricing.policies().iter().map(policy).collect();
    json!({
        "min": pricing.min().to_json_number(),
        "max": pricing.max().to_json_number(),
        "currency": pricing.currency().as_str(),
        "pricing": pricing.words(),
        "range": pricing.range(),
        "policies": policies,
    })
}
