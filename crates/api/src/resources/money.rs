//! Renders amounts of money.

use serde_json::{Value, json};
use trunkline_domain::money::{Currency, Money};

/// Amount and its currency.
pub(super) type Sum = (Money, Currency);

/// Renders `{"amount": 7.0, "currency": "EUR"}`, or null.
pub(super) fn render(sum: Option<Sum>) -> Value {
    let object = sum.map(|(amount, currency)| {
        json!({"amount": amount.to_json_number(), "currency": currency.as_str()})
    });
    object.into()
}

/// Renders the payin less the payout, which may be negative. The margin is null without a payin, and
/// if the currencies differ.
pub(super) fn margin(payin: Option<Sum>, payout: Option<Sum>) -> Value {
    let Some((payin, currency)) = payin else { return Value::Null };
    let paid_out = match payout {
        None => Money::ZERO,
        Some((payout, payout_currency)) if payout_currency == currency => payout,
        Some(_) => return Value::Null,
    };
    let margin = payin.decimal() - paid_out.decimal();
    let amount: Option<serde_json::Number> = margin.normalize().to_string().parse().ok();
    json!({"amount": amount, "currency": currency.as_str()})
}
