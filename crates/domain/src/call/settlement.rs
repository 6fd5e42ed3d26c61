//! Settlement of a call and the ledger rows that store it.

use super::{CallEnd, Decision, Outcome, Payment, RecordedFacts, RejectionReason};
use crate::campaign::Terms;
use crate::condition::{Explanation, Key};
use crate::id::{
    AdvertiserId, AffiliateId, CallId, CampaignId, NetworkId, PromoNumberId, TermsId, TransactionId,
};
use crate::money::{Currency, Money};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Ledger row. Rows are immutable; a correction adds a row.
#[derive(Debug, Clone, PartialEq)]
pub struct Transaction {
    /// Id, ascending in time; 0 until stored.
    pub id: TransactionId,
    /// Id of the network.
    pub network_id: NetworkId,
    /// Id of the call.
    pub call_id: CallId,
    /// Id of the advertiser campaign.
    pub campaign_id: CampaignId,
    /// Id of the advertiser, who pays the payin.
    pub advertiser_id: AdvertiserId,
    /// Id of the affiliate, who receives the payout.
    pub affiliate_id: Option<AffiliateId>,
    /// Id of the row that this one corrects.
    pub corrects_id: Option<TransactionId>,
    /// Start of the call.
    pub start_time: Timestamp,
    /// Settlement of the call.
    pub settlement: Settlement,
    /// Time of the insertion.
    pub created_at: Timestamp,
}

/// Settlement of a call: outcome, evaluated facts and amounts. Stored as JSON.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Settlement {
    /// Outcome.
    pub outcome: Outcome,
    /// Reason of a rejection.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<RejectionReason>,
    /// End of an admitted call; `None` for calls that were stored before ends were recorded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end: Option<CallEnd>,
    /// Destination that was dialled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub destination_phone_number: Option<String>,
    /// Connect duration in seconds, as evaluated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connect_duration: Option<u32>,
    /// True if a text message was sent, as evaluated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sms_sent: Option<bool>,
    /// Final input at each menu, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[serde(rename = "pressed")]
    pub pressed_keys: Vec<Key>,
    /// State or province of the caller, as evaluated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// Postal code of the caller, as evaluated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zip: Option<String>,
    /// Names of the campaign's regions that contained the caller.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub qualified_regions: Vec<String>,
    /// Payin of the advertiser; `None` if no payin is agreed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payin: Option<LedgerAmount>,
    /// Payout to the affiliate; `None` without an affiliate or if no payout is agreed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payout: Option<LedgerAmount>,
    /// Correction; `None` for the first row of a call.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub correction: Option<Correction>,
}

/// Payin or payout of a ledger row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LedgerAmount {
    /// Amount.
    pub amount: Money,
    /// Currency of the amount.
    pub currency: Currency,
    /// Paid policies as text: `base+bonus1`; empty if nothing is paid.
    pub matching_policies: String,
    /// Condition of the base policy with the unmet parts in braces: `duration > 60 and
    /// {in_region}`.
    #[serde(rename = "conditions")]
    pub marked_condition: String,
}

/// Correction of a ledger row.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Correction {
    /// Reason given by the user.
    pub reason: String,
    /// Principal that made the correction: `token:1`.
    pub actor: String,
    /// Recorded facts from this row on, if they differ from those received.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[serde(rename = "heard")]
    pub recorded: Option<Box<RecordedFacts>>,
    /// True if the payin was set manually.
    #[serde(default)]
    #[serde(rename = "payin_is_set")]
    pub payin_set_manually: bool,
    /// True if the payout was set manually.
    #[serde(default)]
    #[serde(rename = "payout_is_set")]
    pub payout_set_manually: bool,
    /// Campaign, terms and promo number from this row on, if a correction replaced those of the
    /// call.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attribution: Option<Attribution>,
    /// True if the row takes the call from its former parties. The next row is of the new ones.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_moved_away: bool,
}

/// Objects that a correction attributes a call to, besides the parties of the ledger row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attribution {
    /// Id of the advertiser campaign.
    pub campaign_id: CampaignId,
    /// Id of the campaign's terms at the start of the call.
    pub terms_id: Option<TermsId>,
    /// Id of the promo number.
    pub promo_number_id: Option<PromoNumberId>,
}

impl Settlement {
    /// Settles a call under the terms that price it. Without terms the call is rejected.
    pub fn from_recorded(recorded: &RecordedFacts, terms: Option<&Terms>) -> Self {
        match terms {
            Some(terms) => recorded.decide(terms).into(),
            None => Self::rejected(recorded),
        }
    }

    /// Settles a call that started before its campaign had terms.
    fn rejected(recorded: &RecordedFacts) -> Self {
        let is_reported = recorded.is_reported;
        let destination = recorded.destination_phone_number.clone();
        Self {
            outcome: Outcome::Rejected,
            reason: Some(recorded.rejection.unwrap_or(RejectionReason::NotLive)),
            end: None,
            destination_phone_number: destination.filter(|_| is_reported),
            connect_duration: match is_reported {
                true => recorded.facts.connect_duration,
                false => Some(0),
            },
            sms_sent: if is_reported { recorded.facts.sms_sent } else { Some(false) },
            pressed_keys: Vec::new(),
            qualified_regions: Vec::new(),
            region: recorded.facts.caller_location(None).region.map(str::to_owned),
            zip: recorded.facts.zip.clone(),
            payin: None,
            payout: None,
            correction: None,
        }
    }

    /// Returns the settlement of the row that takes a call from its former parties: the same facts,
    /// amounts of 0.
    pub fn moved_away(&self, reason: String, actor: String) -> Self {
        let clear = |side: &LedgerAmount| LedgerAmount {
            amount: Money::ZERO,
            matching_policies: String::new(),
            ..side.clone()
        };
        let earlier = self.correction.as_ref();
        Self {
            payin: self.payin.as_ref().map(clear),
            payout: self.payout.as_ref().map(clear),
            correction: Some(Correction {
                reason,
                actor,
                recorded: earlier.and_then(|earlier| earlier.recorded.clone()),
                payin_set_manually: false,
                payout_set_manually: false,
                attribution: earlier.and_then(|earlier| earlier.attribution),
                is_moved_away: true,
            }),
            ..self.clone()
        }
    }

    /// Returns the result of the call as shown to users.
    pub fn describe_result(&self) -> &'static str {
        match (self.outcome, self.end) {
            (Outcome::Connected, _) => "Connected",
            (Outcome::Rejected, _) => match self.reason {
                Some(RejectionReason::OverCap) => "Turned away: over the cap",
                Some(RejectionReason::NotInbound) => "Turned away: the call was not inbound",
                Some(RejectionReason::AdvertiserNotApproved) => {
                    "Turned away: the advertiser was not approved"
                }
                Some(RejectionReason::AffiliateNotApproved) => {
                    "Turned away: the affiliate was not approved"
                }
                Some(RejectionReason::NotLive) | None => "Turned away: the campaign was not live",
            },
            (_, Some(CallEnd::Busy)) => "Destination busy",
            (_, Some(CallEnd::NoAnswer)) => "No answer",
            (_, Some(CallEnd::Failed)) => "Call failed",
            (_, Some(CallEnd::RingingHungUp)) => "Caller hung up while ringing",
            (Outcome::Abandoned, _) => "Caller hung up in IVR",
            (Outcome::Ended, _) => "Ended in IVR",
        }
    }

    /// Returns payin minus payout in the currency of the payin; `None` without a payin or if the
    /// currencies differ.
    pub fn margin(&self) -> Option<(rust_decimal::Decimal, Currency)> {
        let payin = self.payin.as_ref()?;
        let payout_amount = match &self.payout {
            None => Money::ZERO,
            Some(payout) if payout.currency == payin.currency => payout.amount,
            Some(_) => return None,
        };
        Some((payin.amount.decimal() - payout_amount.decimal(), payin.currency))
    }
}

impl From<Decision> for Settlement {
    fn from(decision: Decision) -> Self {
        Self {
            outcome: decision.outcome,
            reason: decision.reason,
            end: match decision.outcome {
                Outcome::Rejected => None,
                _ => decision.end.or(Some(CallEnd::Unknown)),
            },
            qualified_regions: decision.qualified_regions,
            region: decision.region,
            zip: decision.zip,
            destination_phone_number: decision.dialled_phone_number,
            connect_duration: decision.connect_duration,
            sms_sent: decision.sms_sent,
            payin: decision.advertiser_payin.map(LedgerAmount::from),
            payout: decision.affiliate_payout.map(LedgerAmount::from),
            pressed_keys: decision.pressed_keys,
            correction: None,
        }
    }
}

impl From<Payment> for LedgerAmount {
    fn from(payment: Payment) -> Self {
        let base = payment.policies.first();
        Self {
            amount: payment.amount,
            currency: payment.currency,
            matching_policies: payment.matching_policies,
            marked_condition: base
                .map(|base| mark_unmet_parts(&base.condition))
                .unwrap_or_default(),
        }
    }
}

/// Returns the text of a condition with the unmet parts in braces.
fn mark_unmet_parts(explanation: &Explanation) -> String {
    if explanation.value == Some(true) {
        return explanation.text.clone();
    }
    let join_operands = |operator: &str| {
        let operands: Vec<String> = explanation
            .terms
            .iter()
            .map(|operand| match operand.op {
                "or" if operator == " and " => format!("({})", mark_unmet_parts(operand)),
                _ => mark_unmet_parts(operand),
            })
            .collect();
        operands.join(operator)
    };
    match explanation.op {
        "and" => join_operands(" and "),
        "or" => join_operands(" or "),
        _ => format!("{{{}}}", explanation.text),
    }
}

#[cfg(test)]
mod tests {
    use super::mark_unmet_parts;
    use crate::call::{CallFacts, EvaluationContext, IvrFacts};
    use crate::campaign::Terms;
    use crate::condition::Condition;

    #[test]
    fn unmet_parts_are_in_braces() {
        let terms = Terms::new(jiff::Timestamp::UNIX_EPOCH);
        let facts = CallFacts { duration: Some(75), repeat: Some(true), ..CallFacts::default() };
        let ivr_facts = IvrFacts { connected: Some(true), ..IvrFacts::default() };
        let context = EvaluationContext { facts: &facts, terms: &terms, ivr_facts };
        for (condition, expected) in [
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
            let explanation = Condition::parse(condition).unwrap().expr().explain(&context);
            assert_eq!(mark_unmet_parts(&explanation), expected, "{condition}");
        }
    }
}
