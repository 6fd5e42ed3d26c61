//! Affiliate campaigns: applications of affiliates to advertiser campaigns, and the decisions on
//! them.

use crate::campaigns::{find_advertiser, find_campaign, resolve_path};
use crate::parties::{check_external_id, ensure_visible, not_found};
use crate::{
    Context, Error, Page, PathObject, Precondition, Submission, UnitOfWork, audit,
    check_precondition, events, with_internal_ids,
};
use serde_json::{Value, json};
use std::collections::HashMap;
use trunkline_domain::affiliation::{
    AffiliateCampaign, AffiliateCampaignStatus, AffiliateCampaignTransition, Application,
    decide_application, transition,
};
use trunkline_domain::campaign::Campaign;
use trunkline_domain::event::AFFILIATE_CAMPAIGN_STATUS_CHANGED;
use trunkline_domain::id::{AdvertiserId, AffiliateCampaignId, AffiliateId, CampaignId};
use trunkline_domain::party::{CustomData, Party, PartyKind, PartyStatus, check_custom_data};
use trunkline_domain::problem::{Problems, TAKEN};
use trunkline_store::{AffiliateCampaignInCampaign, PathIds, ResolvedAffiliate};

/// External ids in the path of an affiliate campaign.
#[derive(Debug, Clone)]
pub struct AffiliateCampaignPath {
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
    pub(crate) advertiser: AdvertiserId,
    /// External id of the campaign.
    pub(crate) campaign: &'a str,
}

/// Objects of a path; `existing` is the affiliate campaign, if there is one.
struct PathObjects {
    campaign: Campaign,
    affiliate: ResolvedAffiliate,
    existing: Option<AffiliateCampaign>,
}

fn audit_object(affiliate_campaign: &AffiliateCampaign, campaign_id: &str) -> String {
    let affiliate_id = &affiliate_campaign.external_affiliate_id;
    format!("affiliate_campaign:{affiliate_id}/{campaign_id}")
}

fn not_found_at(path: &AffiliateCampaignPath) -> Error {
    let AffiliateCampaignPath { advertiser, campaign, affiliate, id } = path;
    let id = id.as_ref().map(|id| format!(" {id}")).unwrap_or_default();
    Error::NotFound(format!(
        "AffiliateCampaign{id} for affiliate {affiliate}, advertiser campaign {campaign} and advertiser {advertiser}"
    ))
}

fn resolve(
    unit: &mut UnitOfWork<'_>,
    context: &Context,
    path: &AffiliateCampaignPath,
) -> Result<PathObjects, Error> {
    let network = context.principal.network_id;
    let affiliate = Some(path.affiliate.as_str());
    let ids =
        PathIds { affiliate, ..PathIds::for_campaign(network, &path.advertiser, &path.campaign) };
    let (campaign, resolved_path) = resolve_path(unit, context, ids)?;
    let missing = || not_found(PartyKind::Affiliate, &path.affiliate);
    let affiliate = resolved_path.affiliate.ok_or_else(missing)?;
    if !context.principal.can_view(PartyKind::Advertiser, campaign.advertiser_id) {
        ensure_visible(context, PartyKind::Affiliate, affiliate.id, &path.affiliate)?;
    }
    let existing = resolved_path.affiliate_campaign;
    if let (Some(id), Some(found)) = (&path.id, &existing)
        && *id != found.external_id
    {
        return Err(not_found_at(path));
    }
    Ok(PathObjects { campaign, affiliate, existing })
}

/// Returns one affiliate campaign with its campaign.
pub fn get(
    unit: &mut UnitOfWork<'_>,
    context: &Context,
    path: &AffiliateCampaignPath,
) -> Result<(AffiliateCampaign, Campaign), Error> {
    // The error names the affiliate campaign, whichever object of the path is missing.
    let found = resolve(unit, context, path).map_err(|error| match error {
        Error::NotFound(_) => not_found_at(path),
        other => other,
    })?;
    let affiliate_campaign = found.existing.ok_or_else(|| not_found_at(path))?;
    Ok((affiliate_campaign, found.campaign))
}

/// Same as [`get`], for a path whose segments may be ids that the server assigned.
pub fn get_by_path(
    unit: &mut UnitOfWork<'_>,
    context: &Context,
    path: &AffiliateCampaignPath,
) -> Result<(AffiliateCampaign, Campaign), Error> {
    let segments = [
        (PathObject::Advertiser, path.advertiser.as_str()),
        (PathObject::Campaign, path.campaign.as_str()),
        (PathObject::Affiliate, path.affiliate.as_str()),
        (PathObject::AffiliateCampaign, path.id.as_deref().unwrap_or_default()),
    ];
    with_internal_ids(unit, context, segments, |unit, ids| {
        let [advertiser, campaign, affiliate, id] = ids.map(str::to_owned);
        let id = path.id.as_ref().map(|_| id);
        get(unit, context, &AffiliateCampaignPath { advertiser, campaign, affiliate, id })
    })
}

/// Returns one affiliate campaign with its campaign, by the ids of the affiliate and the campaign.
pub fn get_by_ids(
    unit: &mut UnitOfWork<'_>,
    context: &Context,
    affiliate_id: AffiliateId,
    campaign_id: CampaignId,
) -> Result<(AffiliateCampaign, Campaign), Error> {
    let (campaign, advertiser) = crate::campaigns::get_by_id(unit, context, campaign_id)?;
    let missing = || Error::NotFound(format!("Affiliate {affiliate_id}"));
    let affiliate = unit.party_by_id(affiliate_id.into())?;
    let own = |party: &Party| {
        party.network_id == campaign.network_id && party.kind == PartyKind::Affiliate
    };
    let affiliate = affiliate.filter(own).ok_or_else(missing)?;
    let path = AffiliateCampaignPath {
        advertiser: advertiser.external_id,
        campaign: campaign.external_id,
        affiliate: affiliate.external_id,
        id: None,
    };
    get(unit, context, &path)
}

/// Returns one page of an affiliate's affiliate campaigns, each with its campaign.
pub fn list_of_affiliate(
    unit: &mut UnitOfWork<'_>,
    context: &Context,
    affiliate: &Party,
    page: Page,
) -> Result<Vec<(AffiliateCampaign, Campaign)>, Error> {
    context.principal.ensure_can_view(affiliate)?;
    let found = unit.affiliate_campaigns_of_affiliate(affiliate.id.as_affiliate(), page)?;
    let ids: Vec<CampaignId> =
        found.iter().map(|affiliate_campaign| affiliate_campaign.campaign_id).collect();
    let campaigns = unit.campaigns_by_ids(&ids)?.into_iter();
    let campaigns: HashMap<CampaignId, Campaign> =
        campaigns.map(|campaign| (campaign.id, campaign)).collect();
    let with = |affiliate_campaign: AffiliateCampaign| {
        let campaign = campaigns.get(&affiliate_campaign.campaign_id)?.clone();
        Some((affiliate_campaign, campaign))
    };
    Ok(found.into_iter().filter_map(with).collect())
}

/// Affiliate campaigns of one campaign.
#[derive(Debug, Clone)]
pub struct AffiliateCampaignsOfCampaign {
    /// Affiliate campaigns.
    pub affiliate_campaigns: Vec<AffiliateCampaign>,
    /// Campaign.
    pub campaign: Campaign,
}

/// Returns one page of a campaign's affiliate campaigns. An affiliate sees only its own.
pub fn list(
    unit: &mut UnitOfWork<'_>,
    context: &Context,
    advertiser_id: &str,
    campaign_id: &str,
    page: Page,
) -> Result<AffiliateCampaignsOfCampaign, Error> {
    let advertiser = find_advertiser(unit, context, advertiser_id)?;
    let campaign = find_campaign(unit, context, &advertiser, campaign_id)?;
    let sees_all = context.principal.can_view(PartyKind::Advertiser, campaign.advertiser_id);
    let affiliate_campaigns = if sees_all {
        unit.affiliate_campaigns(campaign.id, page)?
    } else {
        let own = context.principal.affiliate_ids();
        unit.affiliate_campaigns_of_affiliates(campaign.id, &own, page)?
    };
    Ok(AffiliateCampaignsOfCampaign { affiliate_campaigns, campaign })
}

/// Applies to a campaign, or decides on an application. If there is no affiliate campaign, it is
/// created by the rules for applications.
pub fn put(
    unit: &mut UnitOfWork<'_>,
    context: &Context,
    path: &AffiliateCampaignPath,
    intent: Intent,
    submitted: Submission<AffiliateCampaignChange>,
    precondition: &Precondition<AffiliateCampaign>,
) -> Result<(AffiliateCampaign, Campaign), Error> {
    let found = resolve(unit, context, path)?;
    if let (Some(id), None) = (&path.id, &found.existing)
        && unit.affiliate_campaign_id_exists(
            context.principal.network_id,
            id,
            AffiliateCampaignId::UNASSIGNED,
        )?
    {
        return Err(not_found_at(path));
    }
    authorize(context, &found, &submitted.change)?;
    check_precondition(precondition, found.existing.as_ref())?;
    let Submission { mut change, mut problems } = submitted;
    change.id_from_network = change.id_from_network.or(path.id.clone());
    if !found.campaign.terms_in_force().is_some_and(|terms| terms.is_affiliate_enabled()) {
        let message = "affiliates can only promote AffiliateEnabled campaigns";
        return Err(Error::NotAllowed(message.to_owned()));
    }
    let fields = unit.custom_data_fields(context.principal.network_id)?;
    if let Some(data) = &change.custom_data {
        let previous =
            found.existing.as_ref().map(|affiliate_campaign| &affiliate_campaign.custom_data);
        problems.property("custom_data").merge(check_custom_data(data, previous, &fields));
    }
    check_id(
        unit,
        context,
        change.id_from_network.as_deref(),
        found.existing.as_ref(),
        &mut problems,
    )?;
    let (to, refused) = next_status(unit, &found, intent, change.status, &mut problems)?;
    let PathObjects { campaign, affiliate, existing: before } = found;
    if !problems.is_empty() {
        return Err(Error::Invalid { problems, status: refused });
    }
    let mut after = before.clone().unwrap_or_else(|| AffiliateCampaign {
        id: AffiliateCampaignId::UNASSIGNED,
        network_id: context.principal.network_id,
        campaign_id: campaign.id,
        affiliate_id: affiliate.id,
        external_affiliate_id: path.affiliate.clone(),
        external_id: String::new(),
        status: to,
        custom_data: CustomData::new(),
        created_at: context.now,
        updated_at: context.now,
    });
    after.status = to;
    after.custom_data = change.custom_data.unwrap_or(after.custom_data);
    after.external_id = match change.id_from_network {
        Some(id) => id,
        None if before.is_none() => unit.generate_affiliate_campaign_id(after.network_id)?,
        None => after.external_id,
    };
    let action = before.is_none().then_some("apply");
    let campaign_ref =
        CampaignRef { advertiser: campaign.advertiser_id, campaign: &campaign.external_id };
    let stored = store(unit, context, before, after, campaign_ref, action)?;
    Ok((stored, campaign))
}

/// Returns `Ok` if the principal may make this change. An affiliate may only apply; the network and
/// the advertiser may decide.
fn authorize(
    context: &Context,
    found: &PathObjects,
    change: &AffiliateCampaignChange,
) -> Result<(), Error> {
    if context.principal.can_view(PartyKind::Advertiser, found.campaign.advertiser_id) {
        return context
            .principal
            .ensure_can_write_party(PartyKind::Advertiser, found.campaign.advertiser_id);
    }
    context.principal.ensure_can_write_party(PartyKind::Affiliate, found.affiliate.id)?;
    let current = found.existing.as_ref().map(|affiliate_campaign| affiliate_campaign.status);
    match change.status {
        None | Some(AffiliateCampaignStatus::Applied) => Ok(()),
        requested if requested == current => Ok(()),
        Some(_) => Err(Error::NotAllowed("an affiliate may only apply".to_owned())),
    }
}

fn check_id(
    unit: &mut UnitOfWork<'_>,
    context: &Context,
    id: Option<&str>,
    existing: Option<&AffiliateCampaign>,
    problems: &mut Problems,
) -> Result<(), Error> {
    let Some(id) = id.filter(|_| !problems.has_problem("id_from_network")) else { return Ok(()) };
    check_external_id(id, problems.property("id_from_network"));
    let own = existing.map_or(AffiliateCampaignId::UNASSIGNED, |existing| existing.id);
    if unit.affiliate_campaign_id_exists(context.principal.network_id, id, own)? {
        problems.property("id_from_network").add(TAKEN);
    }
    Ok(())
}

/// Returns the status after a write. If the transition is refused, the second value is the status
/// that the response repeats beside the errors: the requested one for a PUT, `Applied` for a POST.
fn next_status(
    unit: &mut UnitOfWork<'_>,
    found: &PathObjects,
    intent: Intent,
    requested: Option<AffiliateCampaignStatus>,
    problems: &mut Problems,
) -> Result<(AffiliateCampaignStatus, Option<&'static str>), Error> {
    use AffiliateCampaignStatus::{Applied, Declined};
    let mut refuse = |quoted: AffiliateCampaignStatus, repeated: AffiliateCampaignStatus| {
        problems.property("status").add(format!("cannot transition from '{}'", quoted.as_str()));
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
            Ok((decide_on_application(unit, found, problems)?, None))
        }
        (Intent::Apply, Some(current), _) | (Intent::Decide, Some(current), None) => {
            Ok((current, None))
        }
        (Intent::Decide, Some(current), Some(requested)) => {
            Ok(match transition(current, requested) {
                AffiliateCampaignTransition::Unchanged => (current, None),
                AffiliateCampaignTransition::To(to) => (to, None),
                AffiliateCampaignTransition::NotAllowed => refuse(current, requested),
            })
        }
    }
}

fn decide_on_application(
    unit: &mut UnitOfWork<'_>,
    found: &PathObjects,
    problems: &mut Problems,
) -> Result<AffiliateCampaignStatus, Error> {
    if found.affiliate.status != PartyStatus::Approved && !problems.has_problem("status") {
        let status = found.affiliate.status.as_str();
        let message = format!("cannot be Applied: the affiliate is {status}, not Approved");
        problems.property("status").add(message);
    }
    let relationship = unit.relationship(found.campaign.advertiser_id, found.affiliate.id)?;
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
    unit: &mut UnitOfWork<'_>,
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
        unit.update_affiliate_campaign(&after)?;
    } else {
        after.id = unit.insert_affiliate_campaign(&after)?;
    }
    let old = before.as_ref().map(audit::affiliate_campaign_snapshot);
    let new = audit::affiliate_campaign_snapshot(&after);
    let object = audit_object(&after, campaign_ref.campaign);
    audit::record(unit, context, object, action, old.as_ref(), Some(&new))?;
    let from = before.map(|affiliate_campaign| affiliate_campaign.status);
    if from != Some(after.status) {
        notify(unit, context, from, &after, campaign_ref)?;
    }
    Ok(after)
}

/// Emits the event of a status change. The event of an application has no previous status.
fn notify(
    unit: &mut UnitOfWork<'_>,
    context: &Context,
    from: Option<AffiliateCampaignStatus>,
    after: &AffiliateCampaign,
    campaign_ref: CampaignRef<'_>,
) -> Result<(), Error> {
    let (audience, data) = status_event(from, after, campaign_ref);
    events::emit(unit, context, AFFILIATE_CAMPAIGN_STATUS_CHANGED, audience, data)
}

/// Returns the audience and the data of a status change's event.
fn status_event(
    from: Option<AffiliateCampaignStatus>,
    after: &AffiliateCampaign,
    campaign_ref: CampaignRef<'_>,
) -> (events::EventAudience, Value) {
    let data = json!({
        "affiliate_campaign": after.external_id,
        "affiliate": after.external_affiliate_id,
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
    unit: &mut UnitOfWork<'_>,
    context: &Context,
    advertiser: AdvertiserId,
    ids: &[AffiliateCampaignId],
    to: impl Fn(AffiliateCampaignStatus) -> Option<AffiliateCampaignStatus>,
    action: &str,
) -> Result<(), Error> {
    let mut entries = Vec::new();
    let mut events = Vec::new();
    let mut ids_by_status: Vec<(AffiliateCampaignStatus, Vec<AffiliateCampaignId>)> = Vec::new();
    for found in unit.affiliate_campaigns_by_ids(ids)? {
        let AffiliateCampaignInCampaign { affiliate_campaign: before, campaign_external_id } =
            found;
        let Some(status) = to(before.status).filter(|to| *to != before.status) else { continue };
        let old = audit::affiliate_campaign_snapshot(&before);
        let after = AffiliateCampaign { status, ..before };
        let new = audit::affiliate_campaign_snapshot(&after);
        let object = audit_object(&after, &campaign_external_id);
        entries.push(audit::new_entry(context, object, Some(action), Some(&old), Some(&new))?);
        let campaign_ref = CampaignRef { advertiser, campaign: &campaign_external_id };
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
        unit.set_affiliate_campaign_status(&ids, status, context.now)?;
    }
    unit.insert_audit_entries(&entries)?;
    events::emit_all(unit, context, AFFILIATE_CAMPAIGN_STATUS_CHANGED, events)
}

/// Rejects the deletion of an affiliate campaign. Source: affiliate campaigns document of
/// 2018-11-01, "You are not allowed to delete affiliate campaigns".
pub fn reject_deletion() -> Result<(), Error> {
    let message = "You are not allowed to delete affiliate campaigns";
    Err(Error::NotAllowed(message.to_owned()))
}
