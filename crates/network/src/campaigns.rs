//! Advertiser campaigns: reading, and writing of future terms (the draft).

use crate::parties::{auto_generates_ids, check_external_id, ensure_visible, find, not_found};
use crate::{
    Context, Error, Page, Precondition, Principal, Submission, UnitOfWork, VisiblePage, audit,
    budgets, check_precondition, look_alikes,
};
use std::borrow::Cow;
use std::collections::HashSet;
use trunkline_domain::affiliation::RelationshipStatus;
use trunkline_domain::campaign::{Campaign, CampaignStatus, Terms, TermsPatch, Visibility};
use trunkline_domain::id::{AdvertiserId, CampaignId};
use trunkline_domain::party::{CustomData, Party, PartyKind, check_custom_data};
use trunkline_domain::problem::{BLANK, Problems, TAKEN};
use trunkline_store::{PathIds, ResolvedPath};

/// Requested change of a campaign.
#[derive(Debug, Clone, Default)]
pub struct CampaignChange {
    /// External id, if the body contains one.
    pub id_from_network: Option<String>,
    /// Name.
    pub name: Option<String>,
    /// Complete custom data.
    pub custom_data: Option<CustomData>,
    /// Changes of the future terms.
    pub terms: TermsPatch,
}

/// Returns the object name of a campaign in the audit log.
pub(crate) fn audit_object(campaign: &Campaign) -> String {
    format!("advertiser_campaign:{}", campaign.external_id)
}

/// Returns the advertiser in a path to an object below it, by its external id.
///
/// # Errors
///
/// [`Error::NotFound`] if it does not exist or is out of reach. An affiliate reaches an advertiser with
/// which it has a relationship, or of which it sees a campaign.
pub(crate) fn find_advertiser(
    unit: &mut UnitOfWork<'_>,
    context: &Context,
    id: &str,
) -> Result<Party, Error> {
    let party = find(unit, context, PartyKind::Advertiser, id)?;
    let is_reached = context.principal.can_view(PartyKind::Advertiser, party.id)
        || is_reached_by_affiliates(unit, context, party.id.as_advertiser())?;
    if is_reached { Ok(party) } else { Err(not_found(PartyKind::Advertiser, id)) }
}

/// Tests if an affiliate of the principal has a relationship with an advertiser, or sees a campaign of
/// it by the rule of [`is_visible`]: whom `Approved_Affiliates` includes has a relationship.
pub(crate) fn is_reached_by_affiliates(
    unit: &mut UnitOfWork<'_>,
    context: &Context,
    advertiser: AdvertiserId,
) -> Result<bool, Error> {
    let own = context.principal.affiliate_ids();
    Ok(!own.is_empty() && unit.is_advertiser_reached(advertiser, &own)?)
}

/// Returns an advertiser's campaign, if it is visible to the principal.
pub(crate) fn find_campaign(
    unit: &mut UnitOfWork<'_>,
    context: &Context,
    advertiser: &Party,
    id: &str,
) -> Result<Campaign, Error> {
    let found = unit.campaign(context.principal.network_id, id)?;
    let visible = match &found {
        Some(campaign) if campaign.advertiser_id == advertiser.id.as_advertiser() => {
            is_visible(unit, context, campaign)?
        }
        _ => false,
    };
    let missing = || campaign_not_found(id, &advertiser.external_id);
    let mut campaign = found.filter(|_| visible).ok_or_else(missing)?;
    budgets::fill_totals(unit, &mut campaign, context.now)?;
    Ok(campaign)
}

/// Tests if a campaign is visible to the principal. An affiliate sees the campaigns whose
/// visibility setting includes it, and those in which it has an affiliate campaign.
pub(crate) fn is_visible(
    unit: &mut UnitOfWork<'_>,
    context: &Context,
    campaign: &Campaign,
) -> Result<bool, Error> {
    if context.principal.can_view(PartyKind::Advertiser, campaign.advertiser_id) {
        return Ok(true);
    }
    let own = context.principal.affiliate_ids();
    if own.is_empty() {
        return Ok(false);
    }
    let related = match visibility(campaign) {
        Visibility::ApprovedAffiliates => unit.has_relationship_with_any(
            campaign.advertiser_id,
            &own,
            RelationshipStatus::Approved,
        )?,
        Visibility::All | Visibility::None => false,
    };
    Ok(is_listed(campaign, related)
        || !unit.campaigns_with_affiliates(&[campaign.id], &own)?.is_empty())
}

/// Tests if a campaign's visibility setting lists it for affiliates. `related` is `true` if the
/// advertiser has approved the affiliate.
fn is_listed(campaign: &Campaign, related: bool) -> bool {
    match visibility(campaign) {
        Visibility::All => true,
        Visibility::ApprovedAffiliates => related,
        Visibility::None => false,
    }
}

/// Reads the objects of a path and returns its campaign, without budget totals.
///
/// # Errors
///
/// [`Error::NotFound`] if the campaign does not exist or is not visible by the rule of
/// [`is_visible`].
pub(crate) fn resolve_path(
    unit: &mut UnitOfWork<'_>,
    context: &Context,
    path_ids: PathIds<'_>,
) -> Result<(Campaign, ResolvedPath), Error> {
    let own = context.principal.affiliate_ids();
    let mut resolved_path = unit.resolve_path(&PathIds { affiliate_ids: &own, ..path_ids })?;
    let missing = || campaign_not_found(path_ids.campaign.unwrap_or_default(), path_ids.advertiser);
    let advertiser = match resolved_path.advertiser_id {
        Some(id) => id,
        None if own.is_empty() => {
            return Err(not_found(PartyKind::Advertiser, path_ids.advertiser));
        }
        None => return Err(missing()),
    };
    if own.is_empty() {
        ensure_visible(context, PartyKind::Advertiser, advertiser, path_ids.advertiser)?;
    }
    let visible = |campaign: &Campaign| {
        context.principal.can_view(PartyKind::Advertiser, advertiser)
            || resolved_path.has_affiliate_campaign
            || (!own.is_empty() && is_listed(campaign, resolved_path.is_related))
    };
    let found = resolved_path
        .campaign
        .take()
        .filter(|campaign| campaign.advertiser_id == advertiser && visible(campaign));
    Ok((found.ok_or_else(missing)?, resolved_path))
}

/// Returns a campaign as the principal may see it: an affiliate sees neither future terms nor
/// destinations.
pub fn redact<'a>(principal: &Principal, campaign: &'a Campaign) -> Cow<'a, Campaign> {
    if principal.can_view(PartyKind::Advertiser, campaign.advertiser_id) {
        return Cow::Borrowed(campaign);
    }
    let mut redacted = campaign.clone();
    redacted.redact_for_affiliates();
    Cow::Owned(redacted)
}

fn campaign_not_found(id: &str, advertiser: &str) -> Error {
    Error::NotFound(format!("AdvertiserCampaign {id} for advertiser {advertiser}"))
}

fn visibility(campaign: &Campaign) -> Visibility {
    campaign.terms_in_force().map(|terms| terms.visibility).unwrap_or_default()
}

/// Removes the campaigns of an advertiser that are not visible by the rule of [`is_visible`].
fn retain_visible(
    unit: &mut UnitOfWork<'_>,
    context: &Context,
    advertiser: AdvertiserId,
    campaigns: &mut Vec<Campaign>,
) -> Result<(), Error> {
    if context.principal.can_view(PartyKind::Advertiser, advertiser) {
        return Ok(());
    }
    let own = context.principal.affiliate_ids();
    if own.is_empty() {
        campaigns.clear();
        return Ok(());
    }
    let related = unit.has_relationship_with_any(advertiser, &own, RelationshipStatus::Approved)?;
    let ids: Vec<CampaignId> = campaigns.iter().map(|campaign| campaign.id).collect();
    let with: HashSet<CampaignId> =
        unit.campaigns_with_affiliates(&ids, &own)?.into_iter().collect();
    campaigns.retain(|campaign| is_listed(campaign, related) || with.contains(&campaign.id));
    Ok(())
}

/// Returns one page of an advertiser's campaigns, reduced to those that the principal may see.
pub fn list(
    unit: &mut UnitOfWork<'_>,
    context: &Context,
    advertiser_id: &str,
    page: Page,
) -> Result<VisiblePage<Campaign>, Error> {
    let advertiser = find_advertiser(unit, context, advertiser_id)?;
    let mut found = unit.campaigns(advertiser.id.as_advertiser(), page)?;
    let last = found.last().map(|campaign| campaign.id.get());
    retain_visible(unit, context, advertiser.id.as_advertiser(), &mut found)?;
    budgets::fill_totals_of_all(unit, &mut found, context.now)?;
    Ok(VisiblePage { items: found, last_examined_id: last })
}

/// Returns one campaign with its budget totals.
pub fn get(
    unit: &mut UnitOfWork<'_>,
    context: &Context,
    advertiser_id: &str,
    id: &str,
) -> Result<Campaign, Error> {
    let network = context.principal.network_id;
    let totals_at = Some(context.now);
    let path_ids = PathIds { totals_at, ..PathIds::for_campaign(network, advertiser_id, id) };
    let (mut campaign, resolved_path) = resolve_path(unit, context, path_ids)?;
    match &resolved_path.totals {
        Some(totals) => budgets::fill_totals_from(unit, &mut campaign, totals, context.now)?,
        None => budgets::fill_totals(unit, &mut campaign, context.now)?,
    }
    Ok(campaign)
}

/// Returns one campaign and its advertiser (without users), by the campaign's id.
pub fn get_by_id(
    unit: &mut UnitOfWork<'_>,
    context: &Context,
    id: CampaignId,
) -> Result<(Campaign, Party), Error> {
    let missing = || Error::NotFound(format!("AdvertiserCampaign {id}"));
    let found = unit.campaign_by_id(id)?;
    let own = |campaign: &Campaign| campaign.network_id == context.principal.network_id;
    let mut campaign = found.filter(own).ok_or_else(missing)?;
    if !is_visible(unit, context, &campaign)? {
        return Err(missing());
    }
    budgets::fill_totals(unit, &mut campaign, context.now)?;
    let advertiser = unit.party_by_id(campaign.advertiser_id.into())?.ok_or_else(missing)?;
    Ok((campaign, advertiser))
}

/// Returns one campaign to a principal that may see all of its calls: the advertiser or the
/// network.
pub fn get_as_advertiser(
    unit: &mut UnitOfWork<'_>,
    context: &Context,
    advertiser_id: &str,
    id: &str,
) -> Result<Campaign, Error> {
    let campaign = get(unit, context, advertiser_id, id)?;
    let can_view = context.principal.can_view(PartyKind::Advertiser, campaign.advertiser_id);
    let missing =
        || Error::NotFound(format!("AdvertiserCampaign {id} for advertiser {advertiser_id}"));
    Some(campaign).filter(|_| can_view).ok_or_else(missing)
}

/// Returns the advertiser of a campaign that the principal may write.
///
/// # Errors
///
/// [`Error::NotFound`] if the principal views neither the advertiser nor the campaign.
/// [`Error::NotAllowed`] if it may not write what it views.
pub(crate) fn find_writable(
    unit: &mut UnitOfWork<'_>,
    context: &Context,
    advertiser_id: &str,
    campaign_id: Option<&str>,
) -> Result<Party, Error> {
    // An affiliate gets the same answer whether the advertiser or the campaign does not exist.
    let is_affiliate = !context.principal.affiliate_ids().is_empty();
    let missing = || match campaign_id.filter(|_| is_affiliate) {
        Some(id) => campaign_not_found(id, advertiser_id),
        None => not_found(PartyKind::Advertiser, advertiser_id),
    };
    let network = context.principal.network_id;
    let found = unit.party(network, PartyKind::Advertiser, advertiser_id)?;
    let advertiser = found.ok_or_else(missing)?;
    if !context.principal.can_view(PartyKind::Advertiser, advertiser.id) {
        let campaign = campaign_id.filter(|_| is_affiliate).ok_or_else(missing)?;
        find_campaign(unit, context, &advertiser, campaign)?;
    }
    context.principal.ensure_can_write_party(PartyKind::Advertiser, advertiser.id)?;
    Ok(advertiser)
}

/// Creates or updates a campaign. The name and the custom data change at once, everything else in
/// the future terms. A write without an effective change stores nothing.
pub fn put(
    unit: &mut UnitOfWork<'_>,
    context: &Context,
    advertiser_id: &str,
    path_id: Option<&str>,
    submitted: Submission<CampaignChange>,
    precondition: &Precondition<Campaign>,
) -> Result<Campaign, Error> {
    let network = context.principal.network_id;
    let Submission { change, mut problems } = submitted;
    let requested_id = change.id_from_network.clone().or(path_id.map(str::to_owned));
    let advertiser = find_writable(unit, context, advertiser_id, requested_id.as_deref())?;
    let before = match &requested_id {
        Some(id) => unit.campaign(network, id)?,
        None => None,
    };
    let mut existing = before.filter(|campaign| {
        let own = campaign.advertiser_id == advertiser.id.as_advertiser();
        if !own {
            problems.property("id_from_network").add(TAKEN);
        }
        own
    });
    if let Some(campaign) = &mut existing {
        budgets::fill_totals(unit, campaign, context.now)?;
    }
    check_precondition(precondition, existing.as_ref())?;
    let id = match requested_id {
        Some(id) => {
            if !problems.has_problem("id_from_network") {
                check_external_id(&id, problems.property("id_from_network"));
            }
            id
        }
        None if !problems.has_problem("id_from_network") && auto_generates_ids(unit, network)? => {
            unit.generate_campaign_id(network)?
        }
        None => {
            problems.property("id_from_network").add(BLANK);
            String::new()
        }
    };
    let fields = unit.custom_data_fields(network)?;
    if let Some(data) = &change.custom_data {
        let previous = existing.as_ref().map(|campaign| &campaign.custom_data);
        problems.property("custom_data").merge(check_custom_data(data, previous, &fields));
    }
    let campaign = apply_change(change, existing.as_ref(), id, &advertiser, context, &mut problems);
    let campaign = problems.into_result(campaign)?;
    if existing.as_ref().is_none_or(|previous| previous.name != campaign.name) {
        look_alikes::warn_of_campaign(unit, context, &campaign)?;
    }
    let mut stored = store(unit, context, existing.take(), campaign)?;
    budgets::fill_totals(unit, &mut stored, context.now)?;
    Ok(stored)
}

fn apply_change(
    change: CampaignChange,
    before: Option<&Campaign>,
    id: String,
    advertiser: &Party,
    context: &Context,
    problems: &mut Problems,
) -> Campaign {
    let mut campaign = before.cloned().unwrap_or_else(|| Campaign {
        id: CampaignId::UNASSIGNED,
        network_id: context.principal.network_id,
        advertiser_id: advertiser.id.as_advertiser(),
        external_id: id,
        name: String::new(),
        status: CampaignStatus::Entry,
        current_terms: None,
        future_terms: Some(Terms::new(context.now)),
        custom_data: CustomData::new(),
        budget_totals: Default::default(),
        created_at: context.now,
        updated_at: context.now,
    });
    campaign.name = change.name.unwrap_or(campaign.name);
    if campaign.name.is_empty() && !problems.has_problem("name") {
        problems.property("name").add(BLANK);
    }
    campaign.custom_data = change.custom_data.unwrap_or(campaign.custom_data);
    let previous = match campaign.latest_terms() {
        Some(terms) => terms.clone(),
        None => Terms::new(context.now),
    };
    let mut written = change.terms.clone().apply(previous.clone());
    written.validate(problems);
    change.terms.check_budgets(&written, problems);
    if !written.eq_ignoring_timestamps(&previous) {
        if campaign.future_terms.is_none() {
            written.created_at = context.now;
        }
        written.updated_at = context.now;
        campaign.future_terms = Some(written);
    }
    campaign
}

/// Stores a changed campaign with its audit entry. Does nothing if nothing changed.
pub(crate) fn store(
    unit: &mut UnitOfWork<'_>,
    context: &Context,
    before: Option<Campaign>,
    mut campaign: Campaign,
) -> Result<Campaign, Error> {
    if before.as_ref() == Some(&campaign) {
        return Ok(campaign);
    }
    campaign.updated_at = context.now;
    if before.is_some() {
        unit.update_campaign(&campaign)?;
    } else {
        campaign.id = unit.insert_campaign(&campaign)?;
    }
    let (old, new) =
        (before.as_ref().map(audit::campaign_snapshot), audit::campaign_snapshot(&campaign));
    audit::record(unit, context, audit_object(&campaign), None, old.as_ref(), Some(&new))?;
    Ok(campaign)
}

/// Returns a campaign by its external id alone. Requires read access to the whole network.
pub(crate) fn find_by_external_id(
    unit: &mut UnitOfWork<'_>,
    context: &Context,
    id: &str,
) -> Result<Campaign, Error> {
    context.principal.ensure_can_view_network()?;
    let found = unit.campaign(context.principal.network_id, id)?;
    found.ok_or_else(|| Error::NotFound(format!("AdvertiserCampaign {id}")))
}

/// Discards the future terms. A campaign that was never live keeps its draft.
pub(crate) fn discard_draft(
    unit: &mut UnitOfWork<'_>,
    context: &Context,
    id: &str,
) -> Result<(), Error> {
    context.principal.ensure_can_write_network()?;
    let before = find_by_external_id(unit, context, id)?;
    let mut after = before.clone();
    if after.current_terms.is_some() {
        after.future_terms = None;
    }
    store(unit, context, Some(before), after)?;
    Ok(())
}

/// Rejects the deletion of a campaign. Source: advertiser campaigns document of 2015-05-01, "You
/// are not allowed to delete campaigns".
pub fn reject_deletion() -> Result<(), Error> {
    Err(Error::NotAllowed("You are not allowed to delete campaigns".to_owned()))
}
