//! What a call pays, and nothing about why: for those who decide many calls.

use super::inputs::Inputs;
use super::walk::walk;
use super::{CallFacts, Gate, Known, Outcome, TurnedAway};
use crate::campaign::{Policy, Pricing, Terms};
use crate::ivr::{Nobody, Witness};
use crate::money::{Currency, Money};
use std::fmt::{self, Display, Formatter};

/// How a call went and what it pays: what [`super::decide`] says, without the reasons.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Verdict {
    /// In a word.
    pub outcome: Outcome,
    /// Why it was turned away.
    pub reason: Option<TurnedAway>,
    /// What the advertiser pays; `None` where no payin is agreed.
    pub advertiser_payin: Option<Paid>,
    /// What the affiliate gets; `None` without an affiliate, or where no payout is agreed.
    pub affiliate_payout: Option<Paid>,
}

/// What a payin or a payout comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Paid {
    /// The sum of what is paid.
    pub amount: Money,
    /// Of all policies.
    pub currency: Currency,
    /// The policies that are paid.
    pub matching: Matching,
}

/// The policies of a payin or payout that are paid; the base is number 0. It prints as
/// `base+bonus1`, and as nothing where none is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Matching {
    /// A bit for each.
    numbers: u16,
}

impl Matching {
    fn add(&mut self, number: usize) {
        self.numbers |= bit(number);
    }

    /// Whether a policy is among them.
    pub fn has(self, number: usize) -> bool {
        self.numbers & bit(number) != 0
    }
}

/// A pricing has at most 10 policies.
fn bit(number: usize) -> u16 {
    u32::try_from(number).ok().and_then(|number| 1_u16.checked_shl(number)).unwrap_or(0)
}

impl Display for Matching {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let mut joiner = "";
        for number in (0..16).filter(|number| self.has(*number)) {
            match number {
                0 => f.write_str("base")?,
                bonus => write!(f, "{joiner}bonus{bonus}")?,
            }
            joiner = "+";
        }
        Ok(())
    }
}

/// Runs a call's facts through terms, as [`super::decide`] does, and keeps only what it comes to.
pub fn price_call(terms: &Terms, facts: &CallFacts, keys: &[char], gate: Gate) -> Verdict {
    price_by(terms, facts, Inputs::told(facts, keys), gate)
}

/// The same, by what the call answers where its tree waits.
pub(super) fn price_by(
    terms: &Terms,
    facts: &CallFacts,
    inputs: Inputs<'_>,
    gate: Gate,
) -> Verdict {
    if let Some(reason) = gate.turned_away {
        return Verdict {
            outcome: Outcome::TurnedAway,
            reason: Some(reason),
            advertiser_payin: None,
            affiliate_payout: None,
        };
    }
    let walk = walk(terms, facts, inputs, Nobody);
    let known = walk.run.known(Some(walk.connected()));
    let [payin, payout] = agreed(terms, gate);
    let pay = |pricing| price::<Nobody>(pricing, &known, |_| {});
    Verdict {
        outcome: walk.outcome,
        reason: None,
        advertiser_payin: payin.map(pay),
        affiliate_payout: payout.map(pay),
    }
}

/// The payin and the payout that a call let in is priced by.
pub(super) fn agreed(terms: &Terms, gate: Gate) -> [Option<&Pricing>; 2] {
    let payout = terms.affiliate_payout.as_ref().filter(|_| gate.by_affiliate);
    [terms.advertiser_payin.as_ref(), payout]
}

/// What became of a policy.
pub(super) struct Priced<'a, Why> {
    pub(super) policy: &'a Policy,
    pub(super) met: Option<bool>,
    pub(super) paid: bool,
    pub(super) why: Why,
}

/// What a pricing pays for a call: bonuses only where the base is met. Each policy is noted.
pub(super) fn price<'a, W: Witness>(
    pricing: &'a Pricing,
    known: &Known<'_>,
    mut note: impl FnMut(Priced<'a, W::Why>),
) -> Paid {
    let mut base_is_met = false;
    let mut amount = Money::ZERO;
    let mut matching = Matching::default();
    for (number, policy) in pricing.policies().iter().enumerate() {
        let (met, why) = W::judge(policy.condition.expr(), known);
        if number == 0 {
            base_is_met = met == Some(true);
        }
        let paid = base_is_met && met == Some(true);
        if paid {
            amount = amount.checked_add(policy.amount).unwrap_or(amount);
            matching.add(number);
        }
        note(Priced { policy, met, paid, why });
    }
    Paid { amount, currency: pricing.currency(), matching }
}
