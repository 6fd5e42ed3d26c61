//! Sums as answers show them.

use serde_json::{Value, json};
use trunkline_domain::money::{Currency, Money};

/// An amount and its currency.
pub(super) type Sum = (Money, Currency);

/// `{"amount": 7.0, "currency": "EUR"}`, or null.
pub(super) fn render(sum: Option<Sum>) -> Value {
    let shown = sum.map(|(amount, currency)| {
        json!({"amount": amount.to_json_number(), "currency": currency.as_str()})
    });
    shown.into()
}

/// Payin less payout, which may be below nothing; none across currencies, and none without a payin.
pub(super) fn margin(payin: Option<Sum>, payout: Option<Sum>) -> Value {
    let Some((payin, currency)) = payin else { return Value::Null };
    let paid_out = match payout {
        None => Money::ZERO,
        Some((payout, of)) if of == currency => payout,
        Some(_) => return Value::Null,
    };
    let margin = payin.decimal() - paid_out.decimal();
    let amount: Option<serde_json::Number> = margin.normalize().to_string().parse().ok();
    json!({"amount": amount, "currency": currency.as_str()})
}
