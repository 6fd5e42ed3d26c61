//! Payin and payout: a base policy, bonus policies, and their description for people.

use crate::condition::{Condition, Expr};
use crate::money::{self, Currency, Money};
use crate::problem::Problems;
use serde::{Deserialize, Serialize};

/// Maximum number of bonuses of a payin or payout.
pub const MAX_BONUSES: usize = 9;

/// Kind of a policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum PolicyType {
    /// Paid if its condition is true. A payin or payout has exactly one.
    Base,
    /// Paid in addition to the base if the conditions of both are true.
    Bonus,
}

impl PolicyType {
    /// The wire value.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Base => "Base",
            Self::Bonus => "Bonus",
        }
    }

    /// Parses the wire value.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Base, Self::Bonus].into_iter().find(|kind| kind.as_str() == text)
    }
}

/// Amount per call and the condition under which it is paid.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Policy {
    /// Base or bonus.
    #[serde(rename = "type")]
    pub kind: PolicyType,
    /// Amount per call.
    pub amount: Money,
    /// Currency, the same for all policies of a payin or payout.
    pub currency: Currency,
    /// Condition under which the amount is paid. The empty condition is always true.
    pub condition: Condition,
}

impl Policy {
    /// Describes the policy: `$7.00 per call if duration > 60`.
    fn describe(&self) -> String {
        let price = money::format_with_symbol(self.amount, self.currency);
        match self.condition.expr() {
            // The text may be a single full stop, which is the empty condition too.
            Expr::Always => format!("{price} per call"),
            _ => format!("{price} per call if {}", self.condition.text().trim()),
        }
    }
}

/// Payin or payout. Invariant: the first policy is the base, the others are bonuses.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pricing {
    policies: Vec<Policy>,
}

impl Pricing {
    /// Creates a pricing. The base is moved to the front, the bonuses keep their order. Errors are
    /// added to `problems`, with the indices of the request; then the result is `None`.
    pub fn new(policies: Vec<Policy>, problems: &mut Problems) -> Option<Self> {
        let bases = policies.iter().filter(|p| p.kind == PolicyType::Base).count();
        let policy_problems = problems.property("policies");
        if bases != 1 {
            policy_problems.add("must have exactly one Base");
        }
        if policies.len() - bases > MAX_BONUSES {
            policy_problems.add(format!("is too long (maximum is {MAX_BONUSES} bonuses)"));
        }
        let currency = policies.first().map(|policy| policy.currency);
        for (index, policy) in policies.iter().enumerate() {
            if Some(policy.currency) != currency {
                let problem = policy_problems.item(index).property("currency");
                problem.add("must be the same for all policies");
            }
        }
        let is_valid = policy_problems.is_empty();
        let (mut base, bonuses): (Vec<_>, Vec<_>) =
            policies.into_iter().partition(|policy| policy.kind == PolicyType::Base);
        base.extend(bonuses);
        is_valid.then_some(Self { policies: base })
    }

    /// The base, then the bonuses.
    pub fn policies(&self) -> &[Policy] {
        &self.policies
    }

    /// The base.
    pub fn base(&self) -> &Policy {
        self.policies.first().expect("a pricing has a base")
    }

    /// The bonuses, in order.
    pub fn bonuses(&self) -> &[Policy] {
        self.policies.get(1..).unwrap_or_default()
    }

    /// The currency of all policies.
    pub fn currency(&self) -> Currency {
        self.base().currency
    }

    /// The amount of the base.
    pub fn min_amount(&self) -> Money {
        self.base().amount
    }

    /// The sum of the base and all bonuses.
    pub fn max_amount(&self) -> Money {
        let amounts = self.policies.iter().map(|policy| policy.amount);
        amounts.fold(Money::ZERO, |sum, amount| sum.checked_add(amount).unwrap_or(sum))
    }

    /// Describes the range of amounts: `$4.50 - $7.25 per call`, or `$3.50 per call` without
    /// bonuses.
    pub fn describe_range(&self) -> String {
        let min = money::format_with_symbol(self.min_amount(), self.currency());
        if self.bonuses().is_empty() {
            return format!("{min} per call");
        }
        format!(
            "{min} - {} per call",
            money::format_with_symbol(self.max_amount(), self.currency())
        )
    }

    /// Describes all policies: `Base: $4.50 per call Bonus: $2.75 per call if duration > 60`.
    pub fn describe(&self) -> String {
        let base = self.base().describe();
        if self.bonuses().is_empty() {
            return base;
        }
        let bonuses = self.bonuses().iter().map(|bonus| format!(" Bonus: {}", bonus.describe()));
        format!("Base: {base}{}", bonuses.collect::<String>())
    }
}
