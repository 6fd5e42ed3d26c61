//! Outcome and price of a call without explanations, for computations over many calls.

use super::execution::execute;
use super::script::CallScript;
use super::{Admission, CallFacts, EvaluationContext, Outcome, RejectionReason};
use crate::campaign::{Policy, Pricing, Terms};
use crate::ivr::{NoTrace, Tracer};
use crate::money::{Currency, Money};
use std::fmt::{self, Display, Formatter};

/// Outcome and price of a call: [`super::Decision`] without explanations.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PricedCall {
    /// Outcome.
    pub outcome: Outcome,
    /// Reason of a rejection.
    pub reason: Option<RejectionReason>,
    /// Amount the advertiser pays; `None` if no payin is agreed.
    pub advertiser_payin: Option<PaidAmount>,
    /// Amount the affiliate receives; `None` without an affiliate or if no payout is agreed.
    pub affiliate_payout: Option<PaidAmount>,
}

/// Total of a payin or payout.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PaidAmount {
    /// Sum of the paid policies.
    pub amount: Money,
    /// Currency of all policies.
    pub currency: Currency,
    /// Paid policies.
    pub matching: MatchingPolicies,
}

/// Set of the paid policies of a payin or payout; index 0 is the base. It formats as
/// `base+bonus1`; the empty set formats as an empty text.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct MatchingPolicies {
    /// Bit set of policy indices.
    bits: u16,
}

impl MatchingPolicies {
    fn insert(&mut self, index: usize) {
        self.bits |= policy_bit(index);
    }

    /// Returns true if the set contains a policy.
    pub fn contains(self, index: usize) -> bool {
        self.bits & policy_bit(index) != 0
    }
}

/// Returns the bit of a policy index. A pricing has at most 10 policies.
fn policy_bit(index: usize) -> u16 {
    u32::try_from(index).ok().and_then(|index| 1_u16.checked_shl(index)).unwrap_or(0)
}

impl Display for MatchingPolicies {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let mut joiner = "";
        for index in (0..16).filter(|index| self.contains(*index)) {
            match index {
                0 => f.write_str("base")?,
                bonus => write!(f, "{joiner}bonus{bonus}")?,
            }
            joiner = "+";
        }
        Ok(())
    }
}

/// Decides and prices a call like [`super::decide`], without explanations.
pub fn price_call(
    terms: &Terms,
    facts: &CallFacts,
    keys: &[char],
    admission: Admission,
) -> PricedCall {
    price_script(terms, facts, CallScript::from_keys(facts, keys), admission)
}

/// Decides and prices a call with the given input.
pub(super) fn price_script(
    terms: &Terms,
    facts: &CallFacts,
    script: CallScript<'_>,
    admission: Admission,
) -> PricedCall {
    if let Some(reason) = admission.rejection {
        return PricedCall {
            outcome: Outcome::Rejected,
            reason: Some(reason),
            advertiser_payin: None,
            affiliate_payout: None,
        };
    }
    let execution = execute(terms, facts, script, NoTrace);
    let context = execution.evaluation_context();
    let [payin, payout] = applicable_pricings(terms, admission);
    let total = |pricing| price_policies::<NoTrace>(pricing, &context, |_| {});
    PricedCall {
        outcome: execution.outcome,
        reason: None,
        advertiser_payin: payin.map(total),
        affiliate_payout: payout.map(total),
    }
}

/// Returns the payin and the payout that apply to an admitted call.
pub(super) fn applicable_pricings(terms: &Terms, admission: Admission) -> [Option<&Pricing>; 2] {
    let payout = terms.affiliate_payout.as_ref().filter(|_| admission.by_affiliate);
    [terms.advertiser_payin.as_ref(), payout]
}

/// Evaluated policy.
pub(super) struct PricedPolicy<'a, Reason> {
    pub(super) policy: &'a Policy,
    /// Value of the condition; `None` is unknown.
    pub(super) met: Option<bool>,
    pub(super) paid: bool,
    pub(super) reason: Reason,
}

/// Sums the policies that a call pays. Bonuses are paid only if the base is met. `on_policy`
/// receives every policy in order.
pub(super) fn price_policies<'a, T: Tracer>(
    pricing: &'a Pricing,
    context: &EvaluationContext<'_>,
    mut on_policy: impl FnMut(PricedPolicy<'a, T::Reason>),
) -> PaidAmount {
    let mut base_is_met = false;
    let mut amount = Money::ZERO;
    let mut matching = MatchingPolicies::default();
    for (index, policy) in pricing.policies().iter().enumerate() {
        let (met, reason) = T::evaluate(policy.condition.expr(), context);
        if index == 0 {
            base_is_met = met == Some(true);
        }
        let paid = base_is_met && met == Some(true);
        if paid {
            amount = amount.checked_add(policy.amount).unwrap_or(amount);
            matching.insert(index);
        }
        on_policy(PricedPolicy { policy, met, paid, reason });
    }
    PaidAmount { amount, currency: pricing.currency(), matching }
}
