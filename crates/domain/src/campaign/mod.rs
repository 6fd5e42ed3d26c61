//! Advertiser campaigns: a draft and a current set of terms, and a status.

mod budget;
mod live;
mod pricing;
mod status;
mod terms;
mod uses;

pub use budget::{Budget, BudgetTotals, Budgets, ConcurrentCap, Period, ResetPeriod};
pub use live::check_for_live;
pub use pricing::{BONUS_LIMIT, Policy, PolicyType, Pricing};
pub use status::{Action, CampaignStatus, Outcome, transition};
pub use terms::{
    AutoApprove, CAMPAIGN_COUNTRIES, CAMPAIGN_LANGUAGES, CampaignType, DEFAULT_MAX_PROMO_NUMBERS,
    DEFAULT_REPEAT_DAYS, MAX_REPEAT_DAYS, Terms, TermsChange, UnseenTerms, Visibility,
};
pub use uses::missing;

use crate::party::CustomData;
use jiff::Timestamp;

/// An advertiser's campaign.
#[derive(Debug, Clone, PartialEq)]
pub struct Campaign {
    /// Ours, stable; 0 until stored.
    pub id: i64,
    /// The network it belongs to.
    pub network_id: i64,
    /// The advertiser, ours.
    pub advertiser_id: i64,
    /// The network's own id, unique in the network.
    pub id_from_network: String,
    /// Lives on the campaign; everything else is terms.
    pub name: String,
    /// Where it stands, its expiration left aside: see [`Campaign::status_at`].
    pub status: CampaignStatus,
    /// What calls are priced by now.
    pub current: Option<CurrentTerms>,
    /// What waits for the next go_live.
    pub future: Option<Terms>,
    /// Values that calls of this campaign carry.
    pub custom_data: CustomData,
    /// What the budgets of the current terms stand at, and those of the future ones: filled in for
    /// those who look at it.
    pub totals: [BudgetTotals; 2],
    /// When it was first stored.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
}

/// Terms that went live, and when.
#[derive(Debug, Clone, PartialEq)]
pub struct CurrentTerms {
    /// Ours; calls remember which terms priced them.
    pub id: i64,
    /// When they went live.
    pub went_live_at: Timestamp,
    /// The terms.
    pub terms: Terms,
}

impl Campaign {
    /// The status as it reads at a moment: past its expiration an Activated one is Paused.
    pub fn status_at(&self, now: Timestamp) -> CampaignStatus {
        let expires = self.current.as_ref().and_then(|current| current.terms.pause_date);
        match self.status {
            CampaignStatus::Activated if expires.is_some_and(|at| at <= now) => {
                CampaignStatus::Paused
            }
            status => status,
        }
    }

    /// What holds for affiliates: the current terms, or the future ones while it was never live.
    pub fn terms_in_force(&self) -> Option<&Terms> {
        self.current.as_ref().map(|current| &current.terms).or(self.future.as_ref())
    }

    /// What was last written: the future terms, or the current ones when nothing waits.
    pub fn terms_written(&self) -> Option<&Terms> {
        self.future.as_ref().or(self.current.as_ref().map(|current| &current.terms))
    }
}

#[cfg(test)]
mod tests;
