//! Repeat callers: who called a campaign before, within the number of days of its terms. Of two calls that
//! started at the same second, the one that was stored first is the earlier one.

use crate::{Error, UnitOfWork};
use jiff::{SignedDuration, Timestamp};
use trunkline_domain::call::CallFacts;
use trunkline_domain::campaign::{DEFAULT_REPEAT_DAYS, Terms};
use trunkline_domain::id::{CallId, CampaignId};
use trunkline_store::RepeatCallerQuery;

/// Source of a call's `repeat` fact.
pub(crate) enum RepeatLookup {
    /// The facts decide it.
    Known(bool),
    /// A query of the stored calls decides it.
    Query(RepeatCallerQuery),
}

/// Determines a call's `repeat` fact, or the query that decides it.
pub(crate) fn resolve_repeat(
    campaign: CampaignId,
    terms: Option<&Terms>,
    facts: &CallFacts,
    at: Timestamp,
) -> RepeatLookup {
    let caller = facts.calling_phone_number.as_ref().filter(|_| facts.identifies_caller());
    match (facts.repeat, caller) {
        (None, Some(caller)) => {
            let days = terms.map_or(DEFAULT_REPEAT_DAYS, Terms::repeat_days);
            let look_back = SignedDuration::from_hours(24 * i64::from(days));
            let since = at.saturating_sub(look_back).unwrap_or(Timestamp::MIN);
            let caller = caller.e164().to_owned();
            RepeatLookup::Query(RepeatCallerQuery {
                campaign_id: campaign,
                caller,
                from: since,
                until: at,
                before_call: CallId::new(i64::MAX),
            })
        }
        (reported, _) => RepeatLookup::Known(reported.unwrap_or(false)),
    }
}

/// Determines a call's `repeat` fact under other terms, from the start of the caller's previous call
/// of the campaign. A reported fact stays.
pub(crate) fn repeat_under_terms(
    campaign: CampaignId,
    terms: Option<&Terms>,
    facts: &CallFacts,
    at: Timestamp,
    previous_start: Option<Timestamp>,
) -> bool {
    if facts.repeat_is_reported {
        return facts.repeat.unwrap_or(false);
    }
    let looked_up = CallFacts { repeat: None, ..facts.clone() };
    match resolve_repeat(campaign, terms, &looked_up, at) {
        RepeatLookup::Known(repeat) => repeat,
        RepeatLookup::Query(query) => previous_start.is_some_and(|previous| previous >= query.from),
    }
}

/// Tests if the caller of a stored call had called its campaign before, as [`resolve_repeat`] has it.
pub(crate) fn is_repeat_of_stored_call(
    unit: &mut UnitOfWork<'_>,
    call: CallId,
    campaign: CampaignId,
    terms: Option<&Terms>,
    facts: &CallFacts,
    at: Timestamp,
) -> Result<bool, Error> {
    match resolve_repeat(campaign, terms, facts, at) {
        RepeatLookup::Known(repeat) => Ok(repeat),
        RepeatLookup::Query(query) => {
            Ok(unit.has_called_before(&RepeatCallerQuery { before_call: call, ..query })?)
        }
    }
}
