//! Reads and renders payins and payouts. Responses contain descriptions besides the policies.

use crate::object_reader::{ObjectReader, ReadContext, TEXT_LIMIT};
use serde_json::{Map, Value, json};
use trunkline_domain::campaign::{MAX_BONUSES, Policy, PolicyType, Pricing};
use trunkline_domain::condition::Condition;
use trunkline_domain::money::Currency;
use trunkline_domain::problem::BLANK;

/// Maximum number of policies that are parsed. It is above the domain's limit, whose problem is more
/// specific.
const MAX_POLICIES: usize = MAX_BONUSES + 10;

/// Reads `{"policies": […]}`. The descriptions of a response are ignored; its `currency` applies to
/// policies without one.
pub(super) fn read(map: &Map<String, Value>, read_context: ReadContext<'_>) -> Option<Pricing> {
    let mut reader = ObjectReader::new(map, read_context);
    let currency = reader.enum_value_or_default("currency", |word| Currency::parse(word).map(Some));
    let currency = currency.flatten();
    let policies = reader.array("policies", MAX_POLICIES, |value, read_context| {
        read_policy(value, currency, read_context)
    });
    let has_policies = policies.as_ref().is_some_and(|policies| !policies.is_empty());
    if !has_policies && !reader.problems.has_problem("policies") {
        reader.error("policies", BLANK);
    }
    let has_problems = !reader.problems.is_empty();
    let pricing = match policies {
        // The combination of policies can only be checked if each of them is valid.
        Some(policies) if !has_problems => Pricing::new(policies, reader.problems),
        _ => None,
    };
    reader.finish();
    pricing
}

fn read_policy(
    value: &Value,
    default_currency: Option<Currency>,
    read_context: ReadContext<'_>,
) -> Option<Policy> {
    let mut reader = ObjectReader::from_value(value, read_context)?;
    for name in ["type", "amount"] {
        if !reader.is_present(name) {
            reader.error(name, BLANK);
        }
    }
    if !reader.is_present("currency") && default_currency.is_none() {
        reader.error("currency", BLANK);
    }
    let kind = reader.enum_value("type", PolicyType::parse);
    let amount = reader.money("amount");
    let currency = reader.enum_value("currency", Currency::parse).or(default_currency);
    let condition = read_condition(&mut reader);
    reader.finish();
    Some(Policy { kind: kind?, amount: amount?, currency: currency?, condition: condition? })
}

/// Reads `condition`; an absent one is always true. The message of a problem contains the position.
pub(super) fn read_condition(reader: &mut ObjectReader<'_>) -> Option<Condition> {
    let Some(text) = reader.text("condition", TEXT_LIMIT) else {
        return (!reader.problems.has_problem("condition")).then(Condition::always);
    };
    match Condition::parse(&text.unwrap_or_default()) {
        Ok(condition) => Some(condition),
        Err(error) => {
            reader.error("condition", error.to_string());
            None
        }
    }
}

/// Renders a pricing with its descriptions.
pub(super) fn render(pricing: &Pricing) -> Value {
    let render_policy = |policy: &Policy| {
        json!({
            "type": policy.kind.as_str(),
            "currency": policy.currency.as_str(),
            "condition": policy.condition.text(),
            "amount": policy.amount.to_json_number(),
        })
    };
    let policies: Vec<Value> = pricing.policies().iter().map(render_policy).collect();
    json!({
        "min": pricing.min_amount().to_json_number(),
        "max": pricing.max_amount().to_json_number(),
        "currency": pricing.currency().as_str(),
        "pricing": pricing.describe(),
        "range": pricing.describe_range(),
        "policies": policies,
    })
}
