//! The calls there are, live ones and those that are over, for those whose they are.

use crate::{Context, Error, Page, Session};
use trunkline_domain::party::PartyKind;
use trunkline_store::{CallRecord, CallsOf, ListedCalls};

/// Which calls to list.
#[derive(Debug, Clone, Default)]
pub struct CallFilter {
    /// Only a campaign's, by the network's id.
    pub campaign: Option<String>,
    /// Only those that are under way, or only those that are over.
    pub live: Option<bool>,
}

/// A call, as far as the caller sees it.
#[derive(Debug, Clone, PartialEq)]
pub struct SeenCall {
    /// The call, and what is shown with it.
    pub record: CallRecord,
    /// Whether it is shown whole. Who only brought the call sees neither the caller's number nor
    /// the campaign's custom data.
    pub whole: bool,
}

/// One page of the calls that the caller sees: all of the network's, an advertiser's campaigns', or
/// those that an affiliate brought.
pub fn list(
    session: &mut Session<'_>,
    context: &Context,
    filter: &CallFilter,
    page: Page,
) -> Result<Vec<SeenCall>, Error> {
    let network = context.caller.network_id;
    let mut which = ListedCalls { campaign: None, live: filter.live };
    let mut named = None;
    if let Some(id) = &filter.campaign {
        let Some(campaign) = session.campaign(network, id)? else { return Ok(Vec::new()) };
        which.campaign = Some(campaign.id);
        named = Some(campaign);
    }
    let own = |kind| context.caller.own(kind);
    let mut whose = CallsOf { affiliates: own(PartyKind::Affiliate), ..CallsOf::default() };
    match named {
        Some(campaign) if context.caller.sees(PartyKind::Advertiser, campaign.advertiser_id) => {
            whose.campaign = Some(campaign.id);
        }
        None if context.caller.sees_network() => whose.network = Some(network),
        None => whose.advertisers = own(PartyKind::Advertiser),
        Some(_) => {}
    }
    let ids = session.call_ids(&whose, which, page)?;
    let found = session.call_records(network, &ids)?;
    Ok(found.into_iter().map(|record| seen(context, record)).collect())
}

/// One call, by our own id.
pub fn get(session: &mut Session<'_>, context: &Context, id: i64) -> Result<SeenCall, Error> {
    let missing = || Error::NotFound(format!("Call {id}"));
    let found = session.call_record(context.caller.network_id, id)?.ok_or_else(missing)?;
    is_seen(context, &found).then(|| seen(context, found)).ok_or_else(missing)
}

/// Whether a call is any of the caller's business.
fn is_seen(context: &Context, record: &CallRecord) -> bool {
    let brought = record.call.affiliate_id;
    context.caller.sees(PartyKind::Advertiser, record.advertiser_id)
        || brought.is_some_and(|id| context.caller.sees(PartyKind::Affiliate, id))
}

fn seen(context: &Context, record: CallRecord) -> SeenCall {
    let whole = context.caller.sees(PartyKind::Advertiser, record.advertiser_id);
    SeenCall { record, whole }
}
