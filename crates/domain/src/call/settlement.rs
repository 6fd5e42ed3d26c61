//! What a call came to: how it went and what was paid, as the ledger keeps it.

use super::{Decision, Heard, Outcome, Payment, TurnedAway};
use crate::campaign::Terms;
use crate::condition::{Explanation, Key};
use crate::money::{Currency, Money};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// A row of the ledger. It is never changed; a correction is another row.
#[derive(Debug, Clone, PartialEq)]
pub struct Transaction {
    /// Ours, in order of time; 0 until stored.
    pub id: i64,
    /// The network it is of.
    pub network_id: i64,
    /// The call, ours.
    pub call_id: i64,
    /// The advertiser campaign, ours.
    pub campaign_id: i64,
    /// Who pays in, ours.
    pub advertiser_id: i64,
    /// Who is paid out, ours.
    pub affiliate_id: Option<i64>,
    /// The row that this one replaces.
    pub corrects_id: Option<i64>,
    /// When the call came in.
    pub start_time: Timestamp,
    /// What the call came to.
    pub settlement: Settlement,
    /// When the row was written.
    pub created_at: Timestamp,
}

/// What a call came to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Settlement {
    /// How it went.
    pub outcome: Outcome,
    /// Why it was turned away.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<TurnedAway>,
    /// Where it was connected to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub destination_phone_number: Option<String>,
    /// Seconds connected, as they counted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connect_duration: Option<u32>,
    /// Whether a text message was sent, as it counted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sms_sent: Option<bool>,
    /// What was pressed in the end at each menu, from the first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pressed: Vec<Key>,
    /// The caller's state or province, as it counted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// The caller's postal code, as it counted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zip: Option<String>,
    /// The campaign's named regions that the caller was in.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub qualified_regions: Vec<String>,
    /// What the advertiser pays; `None` where no payin is agreed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payin: Option<Side>,
    /// What the affiliate gets; `None` without an affiliate, or where no payout is agreed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payout: Option<Side>,
    /// Why there is a row after the first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub correction: Option<Correction>,
}

/// A payin or a payout, as it was decided.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Side {
    /// How much.
    pub amount: Money,
    /// Of what.
    pub currency: Currency,
    /// `base+bonus1`; empty when nothing is paid.
    pub matching_policies: String,
    /// The base's condition, with what was in its way in braces: `duration > 60 and {in_region}`.
    pub conditions: String,
}

/// Why a transaction was corrected.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Correction {
    /// In the words of whoever did it.
    pub reason: String,
    /// Who: `token:1`.
    pub actor: String,
    /// What is known of the call from this row on, where that is not what came in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub heard: Option<Box<Heard>>,
    /// Whether the payin was set by hand.
    #[serde(default)]
    pub payin_is_set: bool,
    /// Whether the payout was set by hand.
    #[serde(default)]
    pub payout_is_set: bool,
}

impl Settlement {
    /// What a call comes to by the terms that price it; without terms it was turned away.
    pub fn of(heard: &Heard, terms: Option<&Terms>) -> Self {
        match terms {
            Some(terms) => heard.decide(terms).into(),
            None => Self::turned_away(heard.turned_away.unwrap_or(TurnedAway::NotLive)),
        }
    }

    fn turned_away(reason: TurnedAway) -> Self {
        Self {
            outcome: Outcome::TurnedAway,
            reason: Some(reason),
            destination_phone_number: None,
            connect_duration: Some(0),
            sms_sent: Some(false),
            pressed: Vec::new(),
            qualified_regions: Vec::new(),
            region: None,
            zip: None,
            payin: None,
            payout: None,
            correction: None,
        }
    }

    /// Payin less payout, in the payin's currency; `None` without a payin, and across currencies.
    pub fn margin(&self) -> Option<(rust_decimal::Decimal, Currency)> {
        let payin = self.payin.as_ref()?;
        let paid_out = match &self.payout {
            None => Money::ZERO,
            Some(payout) if payout.currency == payin.currency => payout.amount,
            Some(_) => return None,
        };
        Some((payin.amount.decimal() - paid_out.decimal(), payin.currency))
    }
}

impl From<Decision> for Settlement {
    fn from(decision: Decision) -> Self {
        Self {
            outcome: decision.outcome,
            reason: decision.reason,
            qualified_regions: decision.qualified_regions,
            region: decision.region,
            zip: decision.zip,
            destination_phone_number: decision.destination_phone_number,
            connect_duration: decision.connect_duration,
            sms_sent: decision.sms_sent,
            payin: decision.advertiser_payin.map(Side::from),
            payout: decision.affiliate_payout.map(Side::from),
            pressed: decision.pressed,
            correction: None,
        }
    }
}

impl From<Payment> for Side {
    fn from(payment: Payment) -> Self {
        let base = payment.policies.first();
        Self {
            amount: payment.amount,
            currency: payment.currency,
            matching_policies: payment.matching_policies,
            conditions: base.map(|base| marked(&base.condition)).unwrap_or_default(),
        }
    }
}

/// A condition's text, with what kept it from being met in braces.
fn marked(explained: &Explanation) -> String {
    if explained.value == Some(true) {
        return explained.text.clone();
    }
    let members = |word: &str| {
        let shown: Vec<String> = explained
            .terms
            .iter()
            .map(|member| match member.op {
                "or" if word == " and " => format!("({})", marked(member)),
                _ => marked(member),
            })
            .collect();
        shown.join(word)
    };
    match explained.op {
        "and" => members(" and "),
        "or" => members(" or "),
        _ => format!("{{{}}}", explained.text),
    }
}

#[cfg(test)]
mod tests {
    use super::marked;
    use crate::call::{CallFacts, Known, Way};
    use crate::campaign::Terms;
    use crate::condition::Condition;

    #[test]
    fn what_was_in_the_way_is_in_braces() {
        let terms = Terms::new(jiff::Timestamp::UNIX_EPOCH);
        let facts = CallFacts { duration: Some(75), repeat: Some(true), ..CallFacts::default() };
        let way = Way { over: Some(true), ..Way::default() };
        let known = Known { facts: &facts, terms: &terms, way };
        for (condition, shown) in [
            ("", ""),
            ("duration > 60", "duration > 60"),
            ("duration > 90", "{duration > 90}"),
            ("duration > 60 and mobile", "duration > 60 and {mobile}"),
            ("duration > 60 and not repeat", "duration > 60 and {not repeat}"),
            ("duration > 90 or mobile", "{duration > 90} or {mobile}"),
            (
                "duration > 60 and (mobile or duration > 90) and repeat",
                "duration > 60 and ({mobile} or {duration > 90}) and repeat",
            ),
        ] {
            let explained = Condition::parse(condition).unwrap().expr().explain(&known);
            assert_eq!(marked(&explained), shown, "{condition}");
        }
    }
}
