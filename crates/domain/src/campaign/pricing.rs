//! Payin and payout: a base, bonuses on top of it, and the words for them.

use crate::condition::{Condition, Expr};
use crate::money::{self, Currency, Money};
use crate::problem::Problems;
use serde::{Deserialize, Serialize};

/// Bonuses that a payin or payout can have.
pub const BONUS_LIMIT: usize = 9;

/// What a policy is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum PolicyType {
    /// Paid when its condition is met; exactly one.
    Base,
    /// Paid on top, only where the base is met.
    Bonus,
}

impl PolicyType {
    /// The wire's word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Base => "Base",
            Self::Bonus => "Bonus",
        }
    }

    /// Reads the wire's word.
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Base, Self::Bonus].into_iter().find(|kind| kind.as_str() == word)
    }
}

/// An amount and when it is paid.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Policy {
    /// Base or bonus.
    #[serde(rename = "type")]
    pub kind: PolicyType,
    /// For each call.
    pub amount: Money,
    /// The same for all policies of a payin or payout.
    pub currency: Currency,
    /// When it is paid; empty is always.
    pub condition: Condition,
}

impl Policy {
    /// `$7.00 per call if duration > 60`
    fn words(&self) -> String {
        let price = money::format(self.amount, self.currency);
        match self.condition.expr() {
            // A lone full stop is empty too.
            Expr::Always => format!("{price} per call"),
            _ => format!("{price} per call if {}", self.condition.text().trim()),
        }
    }
}

/// A payin or a payout. The base comes first; never empty.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pricing {
    policies: Vec<Policy>,
}

impl Pricing {
    /// Puts the base first and takes the bonuses in the order given. Everything that is wrong
    /// goes to `problems`, in the order of the request.
    pub fn new(policies: Vec<Policy>, problems: &mut Problems) -> Option<Self> {
        let bases = policies.iter().filter(|p| p.kind == PolicyType::Base).count();
        let at = problems.at("policies");
        if bases != 1 {
            at.add("must have exactly one Base");
        }
        if policies.len() - bases > BONUS_LIMIT {
            at.add(format!("is too long (maximum is {BONUS_LIMIT} bonuses)"));
        }
        let currency = policies.first().map(|policy| policy.currency);
        for (index, policy) in policies.iter().enumerate() {
            if Some(policy.currency) != currency {
                at.item(index).at("currency").add("must be the same for all policies");
            }
        }
        let fine = at.is_empty();
        let (mut base, bonuses): (Vec<_>, Vec<_>) =
            policies.into_iter().partition(|policy| policy.kind == PolicyType::Base);
        base.extend(bonuses);
        fine.then_some(Self { policies: base })
    }

    /// Base first, then the bonuses.
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

    /// The base's amount.
    pub fn min(&self) -> Money {
        self.base().amount
    }

    /// The base with all bonuses.
    pub fn max(&self) -> Money {
        let amounts = self.policies.iter().map(|policy| policy.amount);
        amounts.fold(Money::ZERO, |sum, amount| sum.checked_add(amount).unwrap_or(sum))
    }

    /// `$4.50 - $7.25 per call`, or `$3.50 per call` without bonuses.
    pub fn range(&self) -> String {
        let least = money::format(self.min(), self.currency());
        if self.bonuses().is_empty() {
            return format!("{least} per call");
        }
        format!("{least} - {} per call", money::format(self.max(), self.currency()))
    }

    /// `Base: $4.50 per call Bonus: $2.75 per call if duration > 60`
    pub fn words(&self) -> String {
        let base = self.base().words();
        if self.bonuses().is_empty() {
            return base;
        }
        let bonuses = self.bonuses().iter().map(|bonus| format!(" Bonus: {}", bonus.words()));
        format!("Base: {base}{}", bonuses.collect::<String>())
    }
}
