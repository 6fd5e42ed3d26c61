//! Affiliate campaigns: applications of affiliates to advertiser campaigns, and the decisions on
//! them.

use crate::campaigns::{find_advertiser, find_campaign, resolve_path};
use crate::parties::{check_external_id, ensure_visible, not_found};
use crate::{Context, Error, Guard, Page, Session, Submitted, audit, check_precondition, events};
use serde_json::{Value, json};
use std::collections::HashMap;
use trunkline_domain::affiliation::{
    AffiliateCampaign, AffiliateCampaignStatus, Application, Move, decide_application, transition,
};
use trunkline_domain::campaign::Campaign;
use trunkline_domain::event::AFFILIATE_CAMPAIGN_STATUS_CHANGED;
use trunkline_domain::party::{CustomData, Party, PartyKind, PartyStatus, check_custom_data};
use trunkline_domain::problem::{Problems, TAKEN};
use trunkline_store::{Chain, LinkedAffiliate};

/// External ids in the path of an affiliate campaign.
#[derive(Debug, Clone)]
pub struct Place {
    /// External id of the advertiser.
    pub advertiser: String,
    /// External id of the campaign.
    pub campaign: String,
    /// External id of the affiliate.
    pub affiliate: String,
    /// External id of the affiliate campaign, if the path ends with it.
    pub id: Option<String>,
}

/// Requested change of an affiliate campaign.
#[derive(Debug, Clone, Default)]
pub struct AffiliateCampaignChange {
    /// New external id.
    pub id_from_network: Option<String>,
    /// Requested status.
    pub status: Option<AffiliateCampaignStatus>,
    /// Complete custom data.
    pub custom_data: Option<CustomData>,
}

/// Kind of a write: application (POST) or decision (PUT).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Intent {
    /// Application; no other status can be requested.
    Apply,
    /// Decision on an application.
    Decide,
}

/// Campaign of an affiliate campaign, by its ids.
#[derive(Clone, Copy)]
pub(crate) struct CampaignRef<'a> {
    /// Id of the advertiser.
    pub(crate) advertiser: i64,
    /// External id of the campaign.
    pub(crate) campaign: &'a str,
}

/// Objects of a path; `existing` is the affiliate campaign, if there is one.
struct PathObjects {
    campaign: Campaign,
    affiliate: LinkedAffiliate,
    existing: Option<AffiliateCampaign>,
}

fn audit_object(affiliate_campaign: &AffiliateCampaign, campaign_id: &str) -> String {
    let affiliate_id = &affiliate_campaign.affiliate_id_from_network;
    format!("affiliate_campaign:{affiliate_id}/{campaign_id}")
}

fn not_found_at(path: &Place) -> Error {
    let Place { advertiser, campaign, affiliate, id } = path;
    let id = id.as_ref().map(|id| format!(" {id}")).unwrap_or_default();
    Error::NotFound(format!(
        "AffiliateCampaign{id} for affiliate {affiliate}, advertiser campaign {campaign} and advertiser {advertiser}"
    ))
}

fn resolve(
    session: &mut Session<'_>,
    context: &Context,
    path: &Place,
) -> Result<PathObjects, Error> {
    let network = context.caller.network_id;
    let affiliate = Some(path.affiliate.as_str());
    let ids = Chain { affiliate, ..Chain::of_campaign(network, &path.advertiser, &path.campaign) };
    let (campaign, links) = resolve_path(session, context, ids)?;
    let missing = || not_found(PartyKind::Affiliate, &path.affiliate);
    let affiliate = links.affiliate.ok_or_else(missing)?;
    if !context.caller.sees(PartyKind::Advertiser, campaign.advertiser_id) {
        ensure_visible(context, PartyKind::Affiliate, affiliate.id, &path.affiliate)?;
    }
    let existing = links.affiliate_campaign;
    if let (Some(id), Some(found)) = (&path.id, &existing)
        && *id != found.id_from_network
    {
        return Err(not_found_at(path));
    }
    Ok(PathObjects { campaign, affiliate, existing })
}

/// Returns one affiliate campaign with its campaign.
pub fn get(
    session: &mut Session<'_>,
    context: &Context,
    path: &Place,
) -> Result<(AffiliateCampaign, Campaign), Error> {
    // The error names the affiliate campaign, whichever object of the path is missing.
    let found = resolve(session, context, path).map_err(|error| match error {
        Error::NotFound(_) => not_found_at(path),
        other => other,
    })?;
    let affiliate_campaign = found.existing.ok_or_else(|| not_found_at(path))?;
    Ok((affiliate_campaign, found.campaign))
}

/// Returns one affiliate campaign with its campaign, by the ids of the affiliate and the campaign.
pub fn get_by_ids(
    session: &mut Session<'_>,
    context: &Context,
    affiliate_id: i64,
    campaign_id: i64,
) -> Result<(AffiliateCampaign, Campaign), Error> {
    let (campaign, advertiser) = crate::campaigns::get_by_id(session, context, campaign_id)?;
    let missing = || Error::NotFound(format!("Affiliate {affiliate_id}"));
    let affiliate = session.party_by_id(affiliate_id)?;
    let own = |party: &Party| {
        party.network_id == campaign.network_id && party.kind == PartyKind::Affiliate
    };
    let affiliate = affiliate.filter(own).ok_or_else(missing)?;
    let path = Place {
        advertiser: advertiser.id_from_network,
        campaign: campaign.id_from_network,
        affiliate: affiliate.id_from_network,
        id: None,
    };
    get(session, context, &path)
}

/// Returns one page of an affiliate's affiliate campaigns, each with its campaign.
pub fn of_affiliate(
    session: &mut Session<'_>,
    context: &Context,
    affiliate: &Party,
    page: Page,
) -> Result<Vec<(AffiliateCampaign, Campaign)>, Error> {
    context.caller.ensure_can_view(affiliate)?;
    let found = session.affiliate_campaigns_of_affiliate(affiliate.id, page)?;
    let ids: Vec<i64> =
        found.iter().map(|affiliate_campaign| affiliate_campaign.campaign_id).collect();
    let campaigns = session.campaigns_by_ids(&ids)?.into_iter();
    let campaigns: HashMap<i64, Campaign> =
        campaigns.map(|campaign| (campaign.id, campaign)).collect();
    let with = |affiliate_campaign: AffiliateCampaign| {
        let campaign = campaigns.get(&affiliate_campaign.campaign_id)?.clone();
        Some((affiliate_campaign, campaign))
    };
    Ok(found.into_iter().filter_map(with).collect())
}

/// Returns one page of a campaign's affiliate campaigns, and the campaign. An affiliate sees only
/// its own.
pub fn list(
    session: &mut Session<'_>,
    context: &Context,
    advertiser_id: &str,
    campaign_id: &str,
    page: Page,
) -> Result<(Vec<AffiliateCampaign>, Campaign), Error> {
    let advertiser = find_advertiser(session, context, advertiser_id)?;
    let campaign = find_campaign(session, context, &advertiser, campaign_id)?;
    if context.caller.sees(PartyKind::Advertiser, campaign.advertiser_id) {
        let found = session.affiliate_campaigns(campaign.id, page)?;
        return Ok((found, campaign));
    }
    let own = context.caller.own(PartyKind::Affiliate);
    let found = session.affiliate_campaigns_of(campaign.id, &own, page)?;
    Ok((found, campaign))
}

/// Applies to a campaign, or decides on an application. If there is no affiliate campaign, it is
/// created by the rules for applications.
pub fn put(
    session: &mut Session<'_>,
    context: &Context,
    path: &Place,
    intent: Intent,
    submitted: Submitted<AffiliateCampaignChange>,
    precondition: &Guard<AffiliateCampaign>,
) -> Result<(AffiliateCampaign, Campaign), Error> {
    let found = resolve(session, context, path)?;
    if let (Some(id), None) = (&path.id, &found.existing)
        && session.affiliate_campaign_id_is_taken(context.caller.network_id, id, 0)?
    {
        return Err(not_found_at(path));
    }
    authorize(context, &found, &submitted.change)?;
    check_precondition(precondition, found.existing.as_ref())?;
    let Submitted { mut change, mut problems } = submitted;
    change.id_from_network = change.id_from_network.or(path.id.clone());
    if !found.campaign.terms_in_force().is_some_and(|terms| terms.is_affiliate_enabled()) {
        let message = "affiliates can only promote AffiliateEnabled campaigns";
        return Err(Error::NotAllowed(message.to_owned()));
    }
    let fields = session.custom_data_fields(context.caller.network_id)?;
    if let Some(data) = &change.custom_data {
        let previous =
            found.existing.as_ref().map(|affiliate_campaign| &affiliate_campaign.custom_data);
        problems.at("custom_data").merge(check_custom_data(data, previous, &fields));
    }
    check_id(
        session,
        context,
        change.id_from_network.as_deref(),
        found.existing.as_ref(),
        &mut problems,
    )?;
    let (to, refused) = next_status(session, &found, intent, change.status, &mut problems)?;
    let PathObjects { campaign, affiliate, existing: before } = found;
    if !problems.is_empty() {
        return Err(Error::Invalid { problems, status: refused });
    }
    let mut after = before.clone().unwrap_or_else(|| AffiliateCampaign {
        id: 0,
        network_id: context.caller.network_id,
        campaign_id: campaign.id,
        affiliate_id: affiliate.id,
        affiliate_id_from_network: path.affiliate.clone(),
        id_from_network: String::new(),
        status: to,
        custom_data: CustomData::new(),
        created_at: context.now,
        updated_at: context.now,
    });
    after.status = to;
    after.custom_data = change.custom_data.unwrap_or(after.custom_data);
    after.id_from_network = match change.id_from_network {
        Some(id) => id,
        None if before.is_none() => session.free_affiliate_campaign_id(after.network_id)?,
        None => after.id_from_network,
    };
    let action = before.is_none().then_some("apply");
    let campaign_ref =
        CampaignRef { advertiser: campaign.advertiser_id, campaign: &campaign.id_from_network };
    let stored = store(session, context, before, after, campaign_ref, action)?;
    Ok((stored, campaign))
}

/// Returns `Ok` if the principal may make this change. An affiliate may only apply; the network and
/// the advertiser may decide.
fn authorize(
    context: &Context,
    found: &PathObjects,
    change: &AffiliateCampaignChange,
) -> Result<(), Error> {
    if context.caller.sees(PartyKind::Advertiser, found.campaign.advertiser_id) {
        return context
            .caller
            .ensure_can_write_party(PartyKind::Advertiser, found.campaign.advertiser_id);
    }
    context.caller.ensure_can_write_party(PartyKind::Affiliate, found.affiliate.id)?;
    let current = found.existing.as_ref().map(|affiliate_campaign| affiliate_campaign.status);
    match change.status {
        None | Some(AffiliateCampaignStatus::Applied) => Ok(()),
        requested if requested == current => Ok(()),
        Some(_) => Err(Error::NotAllowed("an affiliate may only apply".to_owned())),
    }
}

fn check_id(
    session: &mut Session<'_>,
    context: &Context,
    id: Option<&str>,
    existing: Option<&AffiliateCampaign>,
    problems: &mut Problems,
) -> Result<(), Error> {
    let Some(id) = id.filter(|_| !problems.has("id_from_network")) else { return Ok(()) };
    check_external_id(id, problems.at("id_from_network"));
    let own = existing.map_or(0, |existing| existing.id);
    if session.affiliate_campaign_id_is_taken(context.caller.network_id, id, own)? {
        problems.at("id_from_network").add(TAKEN);
    }
    Ok(())
}

/// Returns the status after a write. If the transition is refused, the second value is the status
/// that the response repeats beside the errors: the requested one for a PUT, `Applied` for a POST.
fn next_status(
    session: &mut Session<'_>,
    found: &PathObjects,
    intent: Intent,
    requested: Option<AffiliateCampaignStatus>,
    problems: &mut Problems,
) -> Result<(AffiliateCampaignStatus, Option<&'static str>), Error> {
    use AffiliateCampaignStatus::{Applied, Declined};
    let mut refuse = |quoted: AffiliateCampaignStatus, repeated: AffiliateCampaignStatus| {
        problems.at("status").add(format!("cannot transition from '{}'", quoted.as_str()));
        (quoted, Some(repeated.as_str()))
    };
    let current = found.existing.as_ref().map(|affiliate_campaign| affiliate_campaign.status);
    match (intent, current, requested) {
        (Intent::Apply, _, Some(requested)) | (Intent::Decide, None, Some(requested))
            if requested != Applied =>
        {
            Ok(refuse(requested, Applied))
        }
        (_, None, _) | (Intent::Apply, Some(Declined), _) => {
            Ok((decide_on_application(session, found, problems)?, None))
        }
        (Intent::Apply, Some(current), _) | (Intent::Decide, Some(current), None) => {
            Ok((current, None))
        }
        (Intent::Decide, Some(current), Some(requested)) => {
            Ok(match transition(current, requested) {
                Move::Stays => (current, None),
                Move::To(to) => (to, None),
                Move::Refused => refuse(current, requested),
            })
        }
    }
}

fn decide_on_application(
    session: &mut Session<'_>,
    found: &PathObjects,
    problems: &mut Problems,
) -> Result<AffiliateCampaignStatus, Error> {
    if found.affiliate.status != PartyStatus::Approved && !problems.has("status") {
        let status = found.affiliate.status.as_str();
        let message = format!("cannot be Applied: the affiliate is {status}, not Approved");
        problems.at("status").add(message);
    }
    let relationship = session.relationship(found.campaign.advertiser_id, found.affiliate.id)?;
    let terms = found.campaign.terms_in_force();
    Ok(decide_application(Application {
        relationship: relationship.map(|relationship| relationship.status),
        auto_approve: terms.map(|terms| terms.auto_approve).unwrap_or_default(),
        affiliate: found.affiliate.status,
    }))
}

/// Stores a changed affiliate campaign, with its audit entry and event. Does nothing if nothing
/// changed.
fn store(
    session: &mut Session<'_>,
    context: &Context,
    before: Option<AffiliateCampaign>,
    mut after: AffiliateCampaign,
    campaign_ref: CampaignRef<'_>,
    action: Option<&str>,
) -> Result<AffiliateCampaign, Error> {
    if before.as_ref() == Some(&after) {
        return Ok(after);
    }
    after.updated_at = context.now;
    if before.is_some() {
        session.update_affiliate_campaign(&after)?;
    } else {
        after.id = session.insert_affiliate_campaign(&after)?;
    }
    let old = before.as_ref().map(audit::affiliate_campaign_snapshot);
    let new = audit::affiliate_campaign_snapshot(&after);
    let object = audit_object(&after, campaign_ref.campaign);
    audit::record(session, context, object, action, old.as_ref(), Some(&new))?;
    let from = before.map(|affiliate_campaign| affiliate_campaign.status);
    if from != Some(after.status) {
        notify(session, context, from, &after, campaign_ref)?;
    }
    Ok(after)
}

/// Emits the event of a status change. The event of an application has no previous status.
fn notify(
    session: &mut Session<'_>,
    context: &Context,
    from: Option<AffiliateCampaignStatus>,
    after: &AffiliateCampaign,
    campaign_ref: CampaignRef<'_>,
) -> Result<(), Error> {
    let (audience, data) = status_event(from, after, campaign_ref);
    events::emit(session, context, AFFILIATE_CAMPAIGN_STATUS_CHANGED, audience, data)
}

/// Returns the audience and the data of a status change's event.
fn status_event(
    from: Option<AffiliateCampaignStatus>,
    after: &AffiliateCampaign,
    campaign_ref: CampaignRef<'_>,
) -> (events::EventAudience, Value) {
    let data = json!({
        "affiliate_campaign": after.id_from_network,
        "affiliate": after.affiliate_id_from_network,
        "advertiser_campaign": campaign_ref.campaign,
        "from": from.map(AffiliateCampaignStatus::as_str),
        "to": after.status.as_str(),
    });
    let advertiser = Some(campaign_ref.advertiser);
    (events::EventAudience { advertiser, affiliate: Some(after.affiliate_id) }, data)
}

/// Sets the statuses of affiliate campaigns of one advertiser, as the result of another change.
/// Each one gets its own audit entry and event. The number of SQL statements does not depend on the
/// number of affiliate campaigns.
pub(crate) fn set_statuses(
    session: &mut Session<'_>,
    context: &Context,
    advertiser: i64,
    ids: &[i64],
    to: impl Fn(AffiliateCampaignStatus) -> Option<AffiliateCampaignStatus>,
    action: &str,
) -> Result<(), Error> {
    let mut entries = Vec::new();
    let mut events = Vec::new();
    let mut ids_by_status: Vec<(AffiliateCampaignStatus, Vec<i64>)> = Vec::new();
    for (before, campaign) in session.affiliate_campaigns_by_ids(ids)? {
        let Some(status) = to(before.status).filter(|to| *to != before.status) else { continue };
        let old = audit::affiliate_campaign_snapshot(&before);
        let after = AffiliateCampaign { status, ..before };
        let new = audit::affiliate_campaign_snapshot(&after);
        let object = audit_object(&after, &campaign);
        entries.push(audit::new_entry(context, object, Some(action), Some(&old), Some(&new))?);
        let campaign_ref = CampaignRef { advertiser, campaign: &campaign };
        events.push(status_event(Some(old.status), &after, campaign_ref));
        match ids_by_status.iter_mut().find(|(to, _)| *to == status) {
            Some((_, ids)) => ids.push(after.id),
            None => ids_by_status.push((status, vec![after.id])),
        }
    }
    if entries.is_empty() {
        return Ok(());
    }
    for (status, ids) in ids_by_status {
        session.set_affiliate_campaign_status(&ids, status, context.now)?;
    }
    session.insert_audit_entries(&entries)?;
    events::emit_all(session, context, AFFILIATE_CAMPAIGN_STATUS_CHANGED, events)
}

/// Rejects the deletion of an affiliate campaign. Source: affiliate campaigns document of
/// 2018-11-01, "You are not allowed to delete affiliate campaigns".
pub fn delete() -> Result<(), Error> {
    let message = "You are not allowed to delete affiliate campaigns";
    Err(Error::NotAllowed(message.to_owned()))
}
