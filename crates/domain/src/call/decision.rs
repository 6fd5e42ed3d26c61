//! The way of a call through its campaign, and what is paid for it: one function for calls that
//! are imagined and calls that were.

use super::{CallFacts, Known};
use crate::campaign::{Pricing, Terms};
use crate::condition::{Explanation, Key};
use crate::ivr::run::{self, Action, Doing, Event, Flow, Moved, Position};
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
    /// What the advertiser pays; `None` where no payin is agreed.
    pub advertiser_payin: Option<Payment>,
    /// What the affiliate gets; `None` without an affiliate, or where no payout is agreed.
    pub affiliate_payout: Option<Payment>,
}

/// Runs a call's facts through terms.
pub fn decide(terms: &Terms, facts: &CallFacts, keys: &[char], gate: Gate) -> Decision {
    if let Some(reason) = gate.turned_away {
        return Decision {
            outcome: Outcome::TurnedAway,
            reason: Some(reason),
            path: Vec::new(),
            destination_phone_number: None,
            pressed: Vec::new(),
            connect_duration: Some(0),
            sms_sent: Some(false),
            advertiser_payin: None,
            affiliate_payout: None,
        };
    }
    let walk = walk(terms, facts, keys);
    let mut facts = facts.clone();
    if !walk.connected {
        // A call that never connected has no time connected, whatever was said of it.
        facts.connect_duration = Some(0);
    }
    if walk.sms_sent {
        facts.sms_sent = Some(true);
    }
    let known = Known { facts: &facts, terms, pressed: &walk.position.pressed, over: true };
    let pay = |pricing: &Pricing| price(pricing, &known);
    let payout = terms.affiliate_payout.as_ref().filter(|_| gate.by_affiliate);
    Decision {
        outcome: walk.outcome,
        reason: None,
        destination_phone_number: walk.destination.filter(|_| walk.connected),
        advertiser_payin: terms.advertiser_payin.as_ref().map(pay),
        affiliate_payout: payout.map(pay),
        path: walk.path,
        connect_duration: facts.connect_duration,
        sms_sent: facts.sms_sent,
        pressed: walk.position.pressed,
    }
}

/// What a pricing pays for a call: bonuses only where the base is met.
pub(super) fn price(pricing: &Pricing, known: &Known<'_>) -> Payment {
    let mut base_is_met = false;
    let mut amount = Money::ZERO;
    let mut matching = Vec::new();
    let mut policies = Vec::with_capacity(pricing.policies().len());
    for (index, policy) in pricing.policies().iter().enumerate() {
        let condition = policy.condition.expr().explain(known);
        let met = condition.value;
        if index == 0 {
            base_is_met = met == Some(true);
        }
        let paid = base_is_met && met == Some(true);
        if paid {
            amount = amount.checked_add(policy.amount).unwrap_or(amount);
            matching.push(if index == 0 { "base".to_owned() } else { format!("bonus{index}") });
        }
        policies.push(PaidPolicy {
            kind: policy.kind.as_str(),
            amount: policy.amount,
            met,
            paid,
            condition,
        });
    }
    Payment {
        amount,
        currency: pricing.currency(),
        matching_policies: matching.join("+"),
        policies,
    }
}

struct Walk {
    position: Position,
    path: Vec<Step>,
    destination: Option<String>,
    outcome: Outcome,
    connected: bool,
    sms_sent: bool,
}

/// Sends a call down its tree, answering what the tree asks by the facts. Keys that run out in a
/// menu: the caller hung up there.
fn walk(terms: &Terms, facts: &CallFacts, keys: &[char]) -> Walk {
    let flow = Flow { terms, facts };
    let mut keys = keys.iter();
    let mut path: Vec<Step> = Vec::new();
    let mut destination = None;
    let Moved { mut position, mut passed, mut actions } = run::start(flow);
    let outcome = loop {
        path.extend(passed.drain(..).map(|it| Step {
            at: it.at,
            node_type: it.node_type,
            prompt: it.prompt,
            key: None,
            condition: it.condition,
        }));
        for action in actions.drain(..) {
            if let Action::Dial { number, .. } = action {
                destination = Some(number);
            }
        }
        let event = match &position.doing {
            Doing::Over { .. } => break Outcome::Ended,
            Doing::Talking => break Outcome::Connected,
            Doing::Menu { .. } => match keys.next() {
                Some(key) => Event::Key(*key),
                None => break Outcome::Abandoned,
            },
            Doing::OfferSms if facts.sms_sent == Some(true) => Event::Key('9'),
            Doing::OfferSms => Event::Silence,
            Doing::AskZip => facts.zip.clone().map_or(Event::Silence, Event::Zip),
            Doing::Dialling if facts.connect_duration == Some(0) => Event::NoAnswer,
            Doing::Dialling => Event::Connected,
        };
        let levels = position.pressed.len();
        // Every event above is one that its place takes.
        let Ok(moved) = run::advance(flow, position.clone(), &event) else { break Outcome::Ended };
        if let Some(key) = moved.position.pressed.get(levels)
            && let Some(step) = path.last_mut()
        {
            step.key = Some(*key);
        }
        (position, passed, actions) = (moved.position, moved.passed, moved.actions);
    };
    let sms_sent = position.sms_sent;
    Walk {
        connected: outcome == Outcome::Connected,
        position,
        path,
        destination,
        outcome,
        sms_sent,
    }
}
