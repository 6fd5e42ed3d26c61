//! A payin or payout: its words, and its policies.

use crate::layout;
use maud::{Markup, html};
use trunkline_domain::campaign::{Policy, PolicyType, Pricing};
use trunkline_domain::condition::Expr;
use trunkline_domain::money;

/// A payin or payout in full.
pub(super) fn show(label: &str, pricing: Option<&Pricing>) -> Markup {
    let Some(pricing) = pricing else { return layout::none("Not set.") };
    let rows = html! {
        @for policy in pricing.policies() {
            tr {
                th scope="row" { (policy.kind.as_str()) }
                td.amount { (money::format(policy.amount, policy.currency)) }
                td { (when(policy)) }
            }
        }
    };
    html! {
        p.lead { (pricing.range()) }
        @if pricing.words() != pricing.range() { p.words { (pricing.words()) } }
        div.scroll role="region" aria-label=(label) tabindex="0" {
            table.policies {
                thead {
                    tr { th scope="col" { "Policy" } th scope="col" { "Per call" } th scope="col" { "When" } }
                }
                tbody { (rows) }
            }
        }
        @if !pricing.bonuses().is_empty() {
            p.hint { "A bonus pays only where the base does." }
        }
    }
}

/// A condition in words, and as it was written.
pub(super) fn condition(expr: &Expr, text: &str) -> Markup {
    html! {
        span.condition { (capitalized(&expr.in_words())) }
        @if !text.trim().is_empty() { code.source { (text) } }
    }
}

fn when(policy: &Policy) -> Markup {
    match (policy.condition.expr(), policy.kind) {
        (Expr::Always, PolicyType::Base) => html! { "Every call" },
        (Expr::Always, PolicyType::Bonus) => html! { "Every call that the base is paid for" },
        (expr, _) => condition(expr, policy.condition.text()),
    }
}

fn capitalized(words: &str) -> String {
    let mut letters = words.chars();
    match letters.next() {
        Some(first) => first.to_uppercase().chain(letters).collect(),
        None => String::new(),
    }
}
