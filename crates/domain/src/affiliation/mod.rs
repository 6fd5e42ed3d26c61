//! Affiliate campaigns, their applications, and relationships between advertisers and affiliates.

mod affiliate_campaign;
mod relationship;

pub use affiliate_campaign::{
    AffiliateCampaign, AffiliateCampaignTransition, Application, decide_application, transition,
};
pub use relationship::{Relationship, RelationshipStatus, cascaded_status};
pub use status::AffiliateCampaignStatus;

mod status;

#[cfg(test)]
mod tests;
