//! Payin or payout: description and policies.

use crate::layout;
use maud::{Markup, html};
use trunkline_domain::campaign::{Policy, PolicyType, Pricing};
use trunkline_domain::condition::Expr;
use trunkline_domain::money;

/// Renders a payin or payout with its policies.
pub(super) fn show(label: &str, pricing: Option<&Pricing>) -> Markup {
    let Some(pricing) = pricing else { return layout::empty_note("Not set.") };
    let rows = html! {
        @for policy in pricing.policies() {
            tr {
                th scope="row" { (policy.kind.as_str()) }
                td.amount { (money::format_with_symbol(policy.amount, policy.currency)) }
                td { (policy_condition(policy)) }
            }
        }
    };
    html! {
        p.lead { (pricing.describe_range()) }
        @if pricing.describe() != pricing.describe_range() { p.words { (pricing.describe()) } }
        div.scroll role="region" aria-label=(label) tabindex="0" {
            table.policies {
                thead {
                    tr { th scope="col" { "Policy" } th scope="col" { "Per call" } th scope="col" { "When" } }
                }
                tbody { (rows) }
            }
        }
        @if !pricing.bonuses().is_empty() {
            p.hint { "A bonus is paid only if the base is paid." }
        }
    }
}

/// Renders a condition as a sentence and as its source text.
pub(super) fn condition(expr: &Expr, text: &str) -> Markup {
    html! {
        span.condition { (capitalized(&expr.describe())) }
        @if !text.trim().is_empty() { code.source { (text) } }
    }
}

fn policy_condition(policy: &Policy) -> Markup {
    match (policy.condition.expr(), policy.kind) {
        (Expr::Always, PolicyType::Base) => html! { "Every call" },
        (Expr::Always, PolicyType::Bonus) => html! { "Every call for which the base is paid" },
        (expr, _) => condition(expr, policy.condition.text()),
    }
}

fn capitalized(text: &str) -> String {
    let mut chars = text.chars();
    match chars.next() {
        Some(first) => first.to_uppercase().chain(chars).collect(),
        None => String::new(),
    }
}
