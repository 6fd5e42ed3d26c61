//! Conditions and campaigns checked before anything depends on them.

use crate::{Context, Error, Session};
use trunkline_domain::campaign::{Campaign, missing};
use trunkline_domain::condition::{Condition, ParseError};
use trunkline_domain::party::PartyKind;

/// What there is to say of a condition.
#[derive(Debug, Clone)]
pub enum Checked {
    /// It reads.
    Valid {
        /// As the language would write it.
        normalized: String,
        /// As people would say it.
        in_words: String,
        /// What it uses that the campaign does not have.
        warnings: Vec<String>,
    },
    /// It does not.
    Invalid(ParseError),
}

/// Checks a condition, against a campaign's future (else current) terms when one is named.
pub fn check(
    session: &mut Session<'_>,
    context: &Context,
    condition: &str,
    campaign_id: Option<&str>,
) -> Result<Checked, Error> {
    let campaign = campaign_id.map(|id| of_network(session, context, id)).transpose()?;
    let condition = match Condition::parse(condition) {
        Ok(condition) => condition,
        Err(error) => return Ok(Checked::Invalid(error)),
    };
    let terms = campaign.as_ref().and_then(Campaign::terms_written);
    Ok(Checked::Valid {
        normalized: condition.expr().to_string(),
        in_words: condition.expr().in_words(),
        warnings: terms.map(|terms| missing(condition.expr(), terms)).unwrap_or_default(),
    })
}

/// A campaign by the network's id alone, for its advertiser and for the whole network.
pub fn of_network(
    session: &mut Session<'_>,
    context: &Context,
    id: &str,
) -> Result<Campaign, Error> {
    let found = session.campaign(context.caller.network_id, id)?;
    let sees = |it: &Campaign| context.caller.sees(PartyKind::Advertiser, it.advertiser_id);
    let missing = || Error::NotFound(format!("AdvertiserCampaign {id}"));
    found.filter(sees).ok_or_else(missing)
}
