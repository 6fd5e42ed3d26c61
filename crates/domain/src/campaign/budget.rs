//! Budgets: what a campaign may earn or take in a period before people are told.

use crate::money::{Currency, Money};
use crate::timezone::ZoneName;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// When a budget starts again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum ResetPeriod {
    /// Each day.
    Daily,
    /// Each week.
    Weekly,
    /// Each month.
    Monthly,
    /// Each quarter.
    Quarterly,
    /// Never.
    Ongoing,
}

impl ResetPeriod {
    /// Every period, in the documents' order.
    pub const ALL: [Self; 5] =
        [Self::Daily, Self::Weekly, Self::Monthly, Self::Quarterly, Self::Ongoing];

    /// The wire's word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Daily => "Daily",
            Self::Weekly => "Weekly",
            Self::Monthly => "Monthly",
            Self::Quarterly => "Quarterly",
            Self::Ongoing => "Ongoing",
        }
    }
}

/// A budget of payin earned, or of calls.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Budget {
    /// When it starts again.
    pub reset_period: ResetPeriod,
    /// When it first starts.
    pub starts_at: Timestamp,
    /// The currency; of no meaning for a number of calls, but asked for and kept.
    pub budget_currency: Currency,
    /// The zone of its periods.
    pub time_zone: ZoneName,
    /// Money, or a number of calls.
    pub budget_amount: Money,
    /// Whether call fees count; of no meaning for a number of calls.
    pub include_call_fees: bool,
    /// Whether calls are turned away at 100 %.
    pub enforce: bool,
}

/// How many calls there may be at once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConcurrentCap {
    /// Calls at once.
    pub budget_amount: Money,
    /// Whether calls are turned away at 100 %.
    pub enforce: bool,
}

/// A campaign's budgets.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Budgets {
    /// Payin earned in a period.
    pub budget_cap_alert: Option<Budget>,
    /// Calls in a period (`call_cap_alert` before 2015-12-09).
    pub periodic_call_cap_alert: Option<Budget>,
    /// Calls at once.
    pub concurrent_call_cap_alert: Option<ConcurrentCap>,
}

impl Budgets {
    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}
