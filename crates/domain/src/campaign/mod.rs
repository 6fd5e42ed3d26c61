//! Advertiser campaigns. A campaign has a status, current terms, by which calls are decided, and
//! optionally future terms, a draft that the next `go_live` makes current.

mod budget;
mod go_live;
mod pricing;
mod required_resources;
mod status;
mod terms;

use crate::id::{AdvertiserId, CampaignId, NetworkId, TermsId};
pub use budget::{Budget, BudgetPeriod, BudgetTotals, Budgets, ConcurrentCallCap, ResetPeriod};
pub use go_live::check_go_live_requirements;
pub use pricing::{MAX_BONUSES, Policy, PolicyType, Pricing};
pub use required_resources::missing_resources;
pub use status::{CampaignAction, CampaignStatus, CampaignTransition, transition};
pub use terms::{
    AutoApprove, CAMPAIGN_COUNTRIES, CAMPAIGN_LANGUAGES, CampaignType, DEFAULT_MAX_PROMO_NUMBERS,
    DEFAULT_REPEAT_DAYS, MAX_REPEAT_DAYS, OmittedEnforceFlags, Terms, TermsHiddenByVersion,
    TermsPatch, Visibility,
};

use crate::party::CustomData;
use jiff::Timestamp;

/// Advertiser campaign.
#[derive(Debug, Clone, PartialEq)]
pub struct Campaign {
    /// Id.
    pub id: CampaignId,
    /// Network that the campaign belongs to.
    pub network_id: NetworkId,
    /// Advertiser that the campaign belongs to.
    pub advertiser_id: AdvertiserId,
    /// External id, unique in the network.
    pub external_id: String,
    /// Name. It is a property of the campaign and not of its terms.
    pub name: String,
    /// Stored status. It ignores the expiration: see [`Campaign::effective_status`].
    pub status: CampaignStatus,
    /// Terms by which calls are decided now.
    pub current_terms: Option<CurrentTerms>,
    /// Draft for the next `go_live`.
    pub future_terms: Option<Terms>,
    /// Custom data that calls of this campaign inherit.
    pub custom_data: CustomData,
    /// Budget totals of the current and of the future terms. Loaded only where they are displayed.
    pub budget_totals: [BudgetTotals; 2],
    /// Time of creation.
    pub created_at: Timestamp,
    /// Time of the last change.
    pub updated_at: Timestamp,
}

/// Terms that went live.
#[derive(Debug, Clone, PartialEq)]
pub struct CurrentTerms {
    /// Row id. A call stores the id of the terms that priced it.
    pub id: TermsId,
    /// Time at which the terms went live.
    pub went_live_at: Timestamp,
    /// The terms.
    pub terms: Terms,
}

impl Campaign {
    /// Returns the effective status at a timestamp: an Activated campaign is Paused from its
    /// `pause_date` on.
    pub fn effective_status(&self, now: Timestamp) -> CampaignStatus {
        let pause_date = self.current_terms.as_ref().and_then(|current| current.terms.pause_date);
        match self.status {
            CampaignStatus::Activated if pause_date.is_some_and(|at| at <= now) => {
                CampaignStatus::Paused
            }
            status => status,
        }
    }

    /// Removes what affiliates do not see: future terms, also of a campaign that was never live,
    /// and the destinations of the IVR tree.
    pub fn redact_for_affiliates(&mut self) {
        self.future_terms = None;
        let current = self.current_terms.as_mut().map(|current| &mut current.terms);
        if let Some(tree) = current.and_then(|terms| terms.ivr_tree.as_mut()) {
            tree.clear_destinations();
        }
    }

    /// Returns the terms that apply to affiliates: the current terms, or the future terms of a
    /// campaign that was never live.
    pub fn terms_in_force(&self) -> Option<&Terms> {
        self.current_terms.as_ref().map(|current| &current.terms).or(self.future_terms.as_ref())
    }

    /// Returns the terms that were written last: the future terms, or the current terms if there
    /// is no draft.
    pub fn latest_terms(&self) -> Option<&Terms> {
        self.future_terms.as_ref().or(self.current_terms.as_ref().map(|current| &current.terms))
    }
}

#[cfg(test)]
mod tests;
