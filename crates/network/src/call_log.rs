//! Call log: live and ended calls that the principal may see.

use crate::{Context, Error, Page, Session};
use trunkline_domain::party::PartyKind;
use trunkline_store::{CallRecord, CallsOf, ListedCalls};

/// Filter of a call list.
#[derive(Debug, Clone, Default)]
pub struct CallFilter {
    /// External id of a campaign.
    pub campaign: Option<String>,
    /// `true` for live calls only, `false` for ended calls only.
    pub live: Option<bool>,
}

/// Call, and how much of it the principal may see.
#[derive(Debug, Clone, PartialEq)]
pub struct SeenCall {
    /// Call record.
    pub record: CallRecord,
    /// `true` if all of the call is visible. An affiliate sees neither the calling number nor the
    /// custom data of the calls that it is credited with.
    pub whole: bool,
}

/// Returns one page of the calls that the principal may see: all of the network, those of an
/// advertiser's campaigns, or those that an affiliate is credited with.
pub fn list(
    session: &mut Session<'_>,
    context: &Context,
    filter: &CallFilter,
    page: Page,
) -> Result<Vec<SeenCall>, Error> {
    let network = context.caller.network_id;
    let mut listed = ListedCalls { campaign: None, live: filter.live };
    let mut only_campaign = None;
    if let Some(id) = &filter.campaign {
        let Some(campaign) = session.campaign(network, id)? else { return Ok(Vec::new()) };
        listed.campaign = Some(campaign.id);
        only_campaign = Some(campaign);
    }
    let own = |kind| context.caller.own(kind);
    let mut scope = CallsOf { affiliates: own(PartyKind::Affiliate), ..CallsOf::default() };
    match only_campaign {
        Some(campaign) if context.caller.sees(PartyKind::Advertiser, campaign.advertiser_id) => {
            scope.campaign = Some(campaign.id);
        }
        None if context.caller.sees_network() => scope.network = Some(network),
        None => scope.advertisers = own(PartyKind::Advertiser),
        Some(_) => {}
    }
    let ids = session.call_ids(&scope, listed, page)?;
    let found = session.call_records(network, &ids)?;
    Ok(found.into_iter().map(|record| to_visible(context, record)).collect())
}

/// Returns one call by its id.
pub fn get(session: &mut Session<'_>, context: &Context, id: i64) -> Result<SeenCall, Error> {
    let missing = || Error::NotFound(format!("Call {id}"));
    let found = session.call_record(context.caller.network_id, id)?.ok_or_else(missing)?;
    is_visible(context, &found).then(|| to_visible(context, found)).ok_or_else(missing)
}

/// Tests if the principal may see a call.
fn is_visible(context: &Context, record: &CallRecord) -> bool {
    let affiliate = record.call.affiliate_id;
    context.caller.sees(PartyKind::Advertiser, record.advertiser_id)
        || affiliate.is_some_and(|id| context.caller.sees(PartyKind::Affiliate, id))
}

fn to_visible(context: &Context, record: CallRecord) -> SeenCall {
    let whole = context.caller.sees(PartyKind::Advertiser, record.advertiser_id);
    SeenCall { record, whole }
}
