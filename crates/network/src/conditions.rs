//! Validation of conditions and campaigns before they are used.

use crate::{Context, Error, UnitOfWork};
use trunkline_domain::campaign::{Campaign, missing_resources};
use trunkline_domain::condition::{Condition, ParseError};
use trunkline_domain::party::PartyKind;

/// Result of checking a condition.
#[derive(Debug, Clone)]
pub enum CheckResult {
    /// The condition is valid.
    Valid {
        /// Normalized source text.
        normalized: String,
        /// Description in English.
        in_words: String,
        /// Objects that the condition refers to and the campaign does not have.
        warnings: Vec<String>,
    },
    /// The condition cannot be parsed.
    Invalid(ParseError),
}

/// Checks a condition; with a campaign, also against its future (else current) terms.
pub fn check(
    unit: &mut UnitOfWork<'_>,
    context: &Context,
    condition: &str,
    campaign_id: Option<&str>,
) -> Result<CheckResult, Error> {
    let campaign = campaign_id.map(|id| find_campaign(unit, context, id)).transpose()?;
    let condition = match Condition::parse(condition) {
        Ok(condition) => condition,
        Err(error) => return Ok(CheckResult::Invalid(error)),
    };
    let terms = campaign.as_ref().and_then(Campaign::latest_terms);
    Ok(CheckResult::Valid {
        normalized: condition.expr().to_string(),
        in_words: condition.expr().describe(),
        warnings: terms.map(|terms| missing_resources(condition.expr(), terms)).unwrap_or_default(),
    })
}

/// Returns a campaign by its external id alone, to its advertiser or the network.
pub fn find_campaign(
    unit: &mut UnitOfWork<'_>,
    context: &Context,
    id: &str,
) -> Result<Campaign, Error> {
    let found = unit.campaign(context.principal.network_id, id)?;
    let can_view = |campaign: &Campaign| {
        context.principal.can_view(PartyKind::Advertiser, campaign.advertiser_id)
    };
    let missing = || Error::NotFound(format!("AdvertiserCampaign {id}"));
    found.filter(can_view).ok_or_else(missing)
}
