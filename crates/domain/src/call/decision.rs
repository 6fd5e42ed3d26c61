//! The way of a call through its campaign, and what is paid for it: one function for calls that
//! are imagined and calls that were.

use super::inputs::Inputs;
use super::price::{agreed, price};
use super::walk::walk;
use super::{CallFacts, Known};
use crate::campaign::{Pricing, Terms};
use crate::condition::{Explanation, Expr, Facts, Key};
use crate::ivr::{IvrNode, Witness};
use crate::money::{Currency, Money};
use serde::{Deserialize, Serialize};

/// What stands between a call and its campaign.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TurnedAway {
    /// The campaign is not Activated, or past its expiration.
    NotLive,
    /// The affiliate campaign is not Approved.
    AffiliateNotApproved,
    /// An enforced cap is reached.
    OverCap,
}

impl TurnedAway {
    /// The wire's word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NotLive => "not_live",
            Self::AffiliateNotApproved => "affiliate_not_approved",
            Self::OverCap => "over_cap",
        }
    }
}

/// How a call went, in a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Caller and destination talked.
    Connected,
    /// The campaign ended it before they did.
    Ended,
    /// The caller hung up before they did.
    Abandoned,
    /// It was not let in.
    TurnedAway,
}

impl Outcome {
    /// Every outcome.
    pub const ALL: [Self; 4] = [Self::Connected, Self::Ended, Self::Abandoned, Self::TurnedAway];

    /// The wire's word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Connected => "connected",
            Self::Ended => "ended",
            Self::Abandoned => "abandoned",
            Self::TurnedAway => "turned_away",
        }
    }
}

/// Whether a call is let in, and for whom.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Gate {
    /// Why it is not let in.
    pub turned_away: Option<TurnedAway>,
    /// Whether an affiliate brought it: only then there is a payout.
    pub by_affiliate: bool,
}

/// A node on a call's way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// By child indices from the root.
    pub at: Vec<usize>,
    /// Its type's name.
    pub node_type: &'static str,
    /// What was said there.
    pub prompt: String,
    /// What was pressed there in the end.
    pub key: Option<Key>,
    /// Why a Condition went the way it did.
    pub condition: Option<Explanation>,
}

/// One policy, and what became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PaidPolicy {
    /// `Base` or `Bonus`.
    pub kind: &'static str,
    /// What it pays.
    pub amount: Money,
    /// Whether its condition is met; `None` is unknown, and pays nothing.
    pub met: Option<bool>,
    /// Whether it is paid: a bonus only where the base is.
    pub paid: bool,
    /// Why.
    pub condition: Explanation,
}

/// A payin or a payout.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Payment {
    /// The sum of what is paid.
    pub amount: Money,
    /// Of all policies.
    pub currency: Currency,
    /// `base+bonus1`; empty when nothing is paid.
    pub matching_policies: String,
    /// Every policy, the base first.
    pub policies: Vec<PaidPolicy>,
}

/// How a call went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// In a word.
    pub outcome: Outcome,
    /// Why it was turned away.
    pub reason: Option<TurnedAway>,
    /// Its way.
    pub path: Vec<Step>,
    /// Where it was connected to.
    pub destination_phone_number: Option<String>,
    /// What was pressed in the end at each menu, from the first.
    pub pressed: Vec<Key>,
    /// Seconds connected, as they counted: 0 for a call that never connected.
    pub connect_duration: Option<u32>,
    /// Whether a text message was sent, as it counted.
    pub sms_sent: Option<bool>,
    /// The caller's postal code, as it counted: given on the way, or known before.
    pub zip: Option<String>,
    /// The caller's state or province, as it counted.
    pub region: Option<String>,
    /// The caller's country, as it counted.
    pub country: Option<String>,
    /// The campaign's named regions that the caller is in.
    pub qualified_regions: Vec<String>,
    /// What the advertiser pays; `None` where no payin is agreed.
    pub advertiser_payin: Option<Payment>,
    /// What the affiliate gets; `None` without an affiliate, or where no payout is agreed.
    pub affiliate_payout: Option<Payment>,
}

/// Runs a call's facts through terms.
///
/// [`super::price_call`] is the same without the reasons.
pub fn decide(terms: &Terms, facts: &CallFacts, keys: &[char], gate: Gate) -> Decision {
    decide_by(terms, facts, Inputs::told(facts, keys), gate)
}

/// The same, by what the call answers where its tree waits.
pub(super) fn decide_by(
    terms: &Terms,
    facts: &CallFacts,
    inputs: Inputs<'_>,
    gate: Gate,
) -> Decision {
    if let Some(reason) = gate.turned_away {
        return turned_away(facts, reason);
    }
    let walk = walk(terms, facts, inputs, Notes::default());
    let known = walk.run.known(Some(walk.connected()));
    let [payin, payout] = agreed(terms, gate);
    let pay = |pricing| pay(pricing, &known);
    Decision {
        outcome: walk.outcome,
        reason: None,
        destination_phone_number: walk
            .run
            .destination()
            .filter(|_| walk.connected())
            .map(str::to_owned),
        advertiser_payin: payin.map(pay),
        affiliate_payout: payout.map(pay),
        pressed: walk.run.position.pressed.clone(),
        connect_duration: known.connect_duration(),
        sms_sent: known.sms_sent(),
        zip: known.zip().map(str::to_owned),
        region: known.region().map(str::to_owned),
        country: known.country().map(str::to_owned),
        qualified_regions: terms
            .named_regions
            .iter()
            .filter(|region| known.in_region(Some(&region.name)) == Some(true))
            .map(|region| region.name.clone())
            .collect(),
        path: walk.run.witness.path,
    }
}

fn turned_away(facts: &CallFacts, reason: TurnedAway) -> Decision {
    Decision {
        outcome: Outcome::TurnedAway,
        reason: Some(reason),
        path: Vec::new(),
        destination_phone_number: None,
        pressed: Vec::new(),
        connect_duration: Some(0),
        sms_sent: Some(false),
        zip: facts.zip.clone(),
        region: facts.region.clone(),
        country: facts.country.clone(),
        qualified_regions: Vec::new(),
        advertiser_payin: None,
        affiliate_payout: None,
    }
}

/// What a pricing pays, and why.
pub(super) fn pay(pricing: &Pricing, known: &Known<'_>) -> Payment {
    let mut policies = Vec::with_capacity(pricing.policies().len());
    let paid = price::<Notes>(pricing, known, |it| {
        policies.push(PaidPolicy {
            kind: it.policy.kind.as_str(),
            amount: it.policy.amount,
            met: it.met,
            paid: it.paid,
            condition: it.why,
        });
    });
    Payment {
        amount: paid.amount,
        currency: paid.currency,
        matching_policies: paid.matching.to_string(),
        policies,
    }
}

/// The way, as it is explained.
#[derive(Default)]
struct Notes {
    path: Vec<Step>,
}

impl Witness for Notes {
    type Why = Explanation;

    fn judge(expr: &Expr, known: &Known<'_>) -> (Option<bool>, Explanation) {
        let why = expr.explain(known);
        (why.value, why)
    }

    fn came_to(&mut self, at: &[usize], node: &IvrNode, said: &str, why: Option<Explanation>) {
        self.path.push(Step {
            at: at.to_vec(),
            node_type: node.kind.name(),
            prompt: said.to_owned(),
            key: None,
            condition: why,
        });
    }

    fn pressed(&mut self, key: Key) {
        if let Some(menu) = self.path.last_mut() {
            menu.key = Some(key);
        }
    }
}
