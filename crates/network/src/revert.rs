//! Reverts one change of the audit log. The revert runs through the ordinary use cases with all of
//! their checks, so it cannot create a state that a user could not write.
//!
//! Only the one change is reverted, not later ones: each property that it changed gets its old
//! value if it still has the value that the change gave it; all other properties keep their current
//! values.

use crate::affiliate_campaigns::{self, AffiliateCampaignChange, AffiliateCampaignPath, Intent};
use crate::audit::{AffiliateCampaignSnapshot, CampaignSnapshot, PartySnapshot};
use crate::audit_difference::{self, ItemChangedSince};
use crate::campaigns::CampaignChange;
use crate::custom_data_fields::{self, FieldChange};
use crate::networks::{self, NetworkChange};
use crate::promo_numbers::{
    self, DestinationChange, PromoNumberChange, PromoNumberOwner, PromoNumberSelector,
};
use crate::settings::{self, SettingsChange};
use crate::{
    AuditEntry, Context, Error, Submission, UnitOfWork, audit, campaign_status, campaigns,
    no_precondition, parties, redecide, relationships,
};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::collections::BTreeMap;
use trunkline_domain::affiliation::{AffiliateCampaignStatus, RelationshipStatus};
use trunkline_domain::campaign::{Campaign, CampaignAction, CampaignStatus, Terms, TermsPatch};
use trunkline_domain::id::AuditEntryId;
use trunkline_domain::party::{CustomDataField, PartyKind, PartyPatch, UserPatch};
use trunkline_domain::phone::PhoneNumber;
use trunkline_domain::problem::Problems;
use trunkline_domain::promo::PromoNumber;

/// Reverts one audit entry, and returns the audit entry of the revert (the last one if there are
/// several).
pub fn revert(
    unit: &mut UnitOfWork<'_>,
    context: &Context,
    id: AuditEntryId,
) -> Result<AuditEntry, Error> {
    context.principal.ensure_can_write_network()?;
    let entry = audit::get(unit, context, id)?;
    undo(unit, context, &entry)?;
    audit::latest_entry(unit, context, entry)
}

fn undo(unit: &mut UnitOfWork<'_>, context: &Context, entry: &AuditEntry) -> Result<(), Error> {
    let (kind, id) = entry.object.split_once(':').unwrap_or((entry.object.as_str(), ""));
    match kind {
        "network" => undo_network(unit, context, entry),
        "settings" => undo_settings(unit, context, entry),
        "advertiser" => undo_party(unit, context, PartyKind::Advertiser, id, entry),
        "affiliate" => undo_party(unit, context, PartyKind::Affiliate, id, entry),
        "custom_data_field" => undo_field(unit, context, id, entry),
        "relationship" => undo_relationship(unit, context, id, entry),
        "advertiser_campaign" => undo_campaign(unit, context, id, entry),
        "affiliate_campaign" => undo_affiliate_campaign(unit, context, id, entry),
        "promo_number" => undo_promo_number(unit, context, id, entry),
        "redecision" => redecide::undo(unit, context, entry),
        _ => Err(not_undoable("this kind of change")),
    }
}

/// Computes the state of an object after the revert, from its current state. `None` means that the
/// object does not exist, before or after.
fn target_state<T: Serialize + DeserializeOwned>(
    entry: &AuditEntry,
    now: Option<&T>,
) -> Result<Option<T>, Error> {
    let now = now.map(serde_json::to_value).transpose();
    let now =
        now.map_err(|error| Error::Internal(format!("cannot convert an audit entry: {error}")))?;
    match (&entry.before, &entry.after, now) {
        (None, after, Some(now)) if after.as_ref() == Some(&now) => Ok(None),
        (None, _, Some(_)) => Err(changed_since("the object has been changed since")),
        (Some(before), None, None) => Ok(Some(parse_snapshot(before.clone())?)),
        (Some(before), Some(after), Some(now)) => {
            Ok(Some(parse_snapshot(merge(before, after, now)?)?))
        }
        (Some(_), None, Some(_)) => Err(changed_since("the object exists again")),
        (_, _, None) => Err(changed_since("the object does not exist any more")),
    }
}

/// Returns `now`, with each property that changed from `before` to `after` set back to `before`.
fn merge(before: &Value, after: &Value, mut now: Value) -> Result<Value, Error> {
    if undo_properties(before, after, &mut now)? {
        Ok(now)
    } else {
        Err(changed_since("all of its changes were overwritten"))
    }
}

/// Timestamps, which no user changes.
const TIMESTAMP_PROPERTIES: [&str; 2] = ["created_at", "updated_at"];

/// Reverts properties in place. Returns `true` if any property was reverted. Terms are compared property
/// by property and lists of users and sites item by item: a change can be reverted even if others were
/// written since.
fn undo_properties(before: &Value, after: &Value, now: &mut Value) -> Result<bool, Error> {
    let names = |value: &Value| -> Vec<String> {
        value.as_object().map(|map| map.keys().cloned().collect()).unwrap_or_default()
    };
    let mut undone = false;
    for name in names(before).into_iter().chain(names(after)) {
        let old = &before[&name];
        let new = &after[&name];
        // Future terms are created as a copy of the terms in force.
        let is_copy = name == "future_terms"
            && old.is_null()
            && after["current_terms"] == before["current_terms"];
        let old = if is_copy { &before["current_terms"] } else { old };
        let current = &mut now[&name];
        if old == new || *current == *old || TIMESTAMP_PROPERTIES.contains(&name.as_str()) {
            continue;
        }
        if *current == *new {
            *current = old.clone();
            undone = true;
        } else if audit_difference::is_terms(&name)
            && old.is_object()
            && new.is_object()
            && current.is_object()
        {
            undone |= undo_properties(old, new, current)?;
        } else if let (Value::Array(old), Value::Array(new), Value::Array(current), true) =
            (old, new, current, audit_difference::is_list_of_items(&name))
        {
            let changed = |item: ItemChangedSince| {
                changed_since(&format!("{} of {name} has been changed again since", item.id))
            };
            undone |= audit_difference::revert_items(old, new, current).map_err(changed)?;
        } else {
            return Err(changed_since(&format!("{name} has been changed again since")));
        }
    }
    Ok(undone)
}

fn changed_since(reason: &str) -> Error {
    Error::NotAllowed(format!("this change cannot be reverted: {reason}"))
}

fn not_undoable(change: &str) -> Error {
    Error::NotAllowed(format!("{change} cannot be reverted"))
}

fn parse_snapshot<T: DeserializeOwned>(value: Value) -> Result<T, Error> {
    serde_json::from_value(value)
        .map_err(|error| Error::Internal(format!("cannot convert an audit entry: {error}")))
}

fn submission<T>(change: T) -> Submission<T> {
    Submission { change, problems: Problems::new() }
}

fn undo_network(
    unit: &mut UnitOfWork<'_>,
    context: &Context,
    entry: &AuditEntry,
) -> Result<(), Error> {
    let now = networks::snapshot(&networks::get(unit, context)?);
    let target =
        target_state(entry, Some(&now))?.ok_or_else(|| not_undoable("a network's creation"))?;
    let change = NetworkChange {
        name: Some(target.name),
        users: Some(target.users.iter().map(UserPatch::from_member).collect()),
    };
    networks::put(unit, context, submission(change), &no_precondition())?;
    Ok(())
}

fn undo_settings(
    unit: &mut UnitOfWork<'_>,
    context: &Context,
    entry: &AuditEntry,
) -> Result<(), Error> {
    let now = settings::get(unit, context)?;
    let target =
        target_state(entry, Some(&now))?.ok_or_else(|| not_undoable("this kind of change"))?;
    let change = submission(SettingsChange::to(target));
    settings::put(unit, context, change, &no_precondition())?;
    Ok(())
}

fn undo_party(
    unit: &mut UnitOfWork<'_>,
    context: &Context,
    kind: PartyKind,
    id: &str,
    entry: &AuditEntry,
) -> Result<(), Error> {
    let now = unit.party(context.principal.network_id, kind, id)?;
    let now = now.map(|party| unit.load_members(party)).transpose()?;
    let now = now.as_ref().map(audit::party_snapshot);
    let Some(target) = target_state::<PartySnapshot>(entry, now.as_ref())? else {
        return parties::delete(unit, context, kind, id, &no_precondition());
    };
    let change = PartyPatch {
        external_id: None,
        name: Some(target.name),
        status: Some(target.status),
        sites: Some(target.sites),
        users: Some(target.users.iter().map(UserPatch::from_member).collect()),
        custom_data: Some(target.custom_data),
        web_integration_phone_number: Some(target.profile.web_integration_phone_number),
        default_creative_external_id: Some(target.profile.default_creative_external_id),
        oauth_refresh_token: Some(target.profile.oauth_refresh_token),
    };
    parties::put(unit, context, kind, Some(id), submission(change), &no_precondition())?;
    Ok(())
}

fn undo_field(
    unit: &mut UnitOfWork<'_>,
    context: &Context,
    name: &str,
    entry: &AuditEntry,
) -> Result<(), Error> {
    let now = unit.custom_data_field(context.principal.network_id, name)?;
    let Some(target) = target_state::<CustomDataField>(entry, now.as_ref())? else {
        return custom_data_fields::delete(unit, context, name);
    };
    let change = FieldChange {
        partner_name: None,
        friendly_name: Some(target.friendly_name),
        data_type: Some(target.data_type),
        field_values: Some(target.field_values),
    };
    custom_data_fields::put(unit, context, Some(name), submission(change), &no_precondition())?;
    Ok(())
}

/// Splits `<affiliate>/<other>` into its two external ids. Either id may contain slashes, so each
/// split is tried until both objects exist.
fn resolve_id_pair<T>(
    ids: &str,
    mut look_up: impl FnMut(&str, &str) -> Result<Option<T>, Error>,
) -> Result<T, Error> {
    for (at, _) in ids.match_indices('/') {
        let (affiliate, other) = ids.split_at(at);
        if let Some(found) = look_up(affiliate, other.trim_start_matches('/'))? {
            return Ok(found);
        }
    }
    Err(Error::NotFound(ids.to_owned()))
}

fn undo_relationship(
    unit: &mut UnitOfWork<'_>,
    context: &Context,
    ids: &str,
    entry: &AuditEntry,
) -> Result<(), Error> {
    let network = context.principal.network_id;
    let (advertiser, affiliate) = resolve_id_pair(ids, |affiliate, advertiser| {
        let affiliate = unit.party(network, PartyKind::Affiliate, affiliate)?;
        let advertiser = unit.party(network, PartyKind::Advertiser, advertiser)?;
        Ok(advertiser.zip(affiliate))
    })?;
    let now = unit.relationship(advertiser.id.as_advertiser(), affiliate.id.as_affiliate())?;
    let now = now.map(|relationship| BTreeMap::from([("status".to_owned(), relationship.status)]));
    let advertiser = advertiser.external_id;
    let affiliate = affiliate.external_id;
    let target = target_state(entry, now.as_ref())?;
    let status = target
        .and_then(|target: BTreeMap<String, RelationshipStatus>| target.get("status").copied());
    relationships::set_back(unit, context, (&advertiser, &affiliate), status, entry)
}

fn advertiser_of(unit: &mut UnitOfWork<'_>, campaign: &Campaign) -> Result<String, Error> {
    let found = unit.party_by_id(campaign.advertiser_id.into())?;
    let missing = || Error::Internal("the advertiser of a campaign does not exist".to_owned());
    Ok(found.ok_or_else(missing)?.external_id)
}

fn undo_campaign(
    unit: &mut UnitOfWork<'_>,
    context: &Context,
    id: &str,
    entry: &AuditEntry,
) -> Result<(), Error> {
    let now = campaigns::find_by_external_id(unit, context, id)?;
    let target = target_state::<CampaignSnapshot>(entry, Some(&audit::campaign_snapshot(&now)))?;
    let before = target.ok_or_else(|| not_undoable("a campaign's creation"))?;
    let advertiser = advertiser_of(unit, &now)?;
    // Earlier terms come into force again through go_live, so they are written as future terms
    // first.
    let live_again = before.current_terms.as_ref().filter(|terms| {
        now.current_terms
            .as_ref()
            .is_none_or(|current| !current.terms.eq_ignoring_timestamps(terms))
    });
    if let Some(terms) = live_again {
        write_terms(unit, context, &advertiser, id, terms)?;
        apply_action(
            unit,
            context,
            &advertiser,
            id,
            CampaignAction::GoLive { from_archive: false },
        )?;
    } else if before.current_terms.is_none() && now.current_terms.is_some() {
        return Err(not_undoable("a campaign's first go_live"));
    }
    let change = CampaignChange {
        id_from_network: None,
        name: Some(before.name),
        custom_data: Some(before.custom_data),
        terms: TermsPatch::default(),
    };
    campaigns::put(unit, context, &advertiser, Some(id), submission(change), &no_precondition())?;
    let steps =
        transitions_to(before.status, campaigns::find_by_external_id(unit, context, id)?.status);
    if steps.iter().any(|step| matches!(step, CampaignAction::GoLive { .. })) {
        // go_live must not activate future terms: they are discarded here and written again below.
        campaigns::discard_draft(unit, context, id)?;
    }
    for step in steps {
        apply_action(unit, context, &advertiser, id, *step)?;
    }
    let in_force = campaigns::find_by_external_id(unit, context, id)?.current_terms;
    let differs_from_current = |terms: &&Terms| {
        in_force.as_ref().is_none_or(|current| !current.terms.eq_ignoring_timestamps(terms))
    };
    match before.future_terms.as_ref().filter(differs_from_current) {
        Some(terms) => write_terms(unit, context, &advertiser, id, terms),
        None => campaigns::discard_draft(unit, context, id),
    }
}

/// Returns the actions that bring a campaign from status `now` to status `target`.
fn transitions_to(target: CampaignStatus, now: CampaignStatus) -> &'static [CampaignAction] {
    use CampaignStatus::{Activated, Archived, Paused};
    const LIVE: CampaignAction = CampaignAction::GoLive { from_archive: false };
    match (now, target) {
        (Archived, Activated) => &[CampaignAction::Unarchive, LIVE],
        (Paused, Activated) => &[LIVE],
        (Activated | Paused, Archived) => &[CampaignAction::Archive],
        (Archived, Paused) => &[CampaignAction::Unarchive],
        (Activated, Paused) => &[CampaignAction::Archive, CampaignAction::Unarchive],
        _ => &[],
    }
}

fn write_terms(
    unit: &mut UnitOfWork<'_>,
    context: &Context,
    advertiser: &str,
    id: &str,
    terms: &Terms,
) -> Result<(), Error> {
    let change =
        CampaignChange { terms: TermsPatch::from_terms(terms), ..CampaignChange::default() };
    campaigns::put(unit, context, advertiser, Some(id), submission(change), &no_precondition())?;
    Ok(())
}

fn apply_action(
    unit: &mut UnitOfWork<'_>,
    context: &Context,
    advertiser: &str,
    id: &str,
    action: CampaignAction,
) -> Result<(), Error> {
    campaign_status::apply_action(
        unit,
        context,
        advertiser,
        id,
        submission(action),
        &no_precondition(),
    )
}

fn undo_affiliate_campaign(
    unit: &mut UnitOfWork<'_>,
    context: &Context,
    ids: &str,
    entry: &AuditEntry,
) -> Result<(), Error> {
    let network = context.principal.network_id;
    let (campaign, affiliate) = resolve_id_pair(ids, |affiliate, campaign| {
        let affiliate = unit.party(network, PartyKind::Affiliate, affiliate)?;
        let campaign = unit.campaign(network, campaign)?;
        Ok(campaign.zip(affiliate))
    })?;
    let place = AffiliateCampaignPath {
        advertiser: advertiser_of(unit, &campaign)?,
        campaign: campaign.external_id,
        affiliate: affiliate.external_id,
        id: None,
    };
    let (now, _) = affiliate_campaigns::get(unit, context, &place)?;
    let target = target_state(entry, Some(&audit::affiliate_campaign_snapshot(&now)))?;
    let target: AffiliateCampaignSnapshot = target.ok_or_else(|| not_undoable("an application"))?;
    // Only a Declined affiliate campaign can become Applied again: by a new application.
    let applies_again = target.status == AffiliateCampaignStatus::Applied
        && now.status == AffiliateCampaignStatus::Declined;
    let intent = if applies_again { Intent::Apply } else { Intent::Decide };
    let change = AffiliateCampaignChange {
        id_from_network: Some(target.id_from_network),
        status: Some(target.status),
        custom_data: Some(target.custom_data),
    };
    affiliate_campaigns::put(
        unit,
        context,
        &place,
        intent,
        submission(change),
        &no_precondition(),
    )?;
    Ok(())
}

fn undo_promo_number(
    unit: &mut UnitOfWork<'_>,
    context: &Context,
    number: &str,
    entry: &AuditEntry,
) -> Result<(), Error> {
    if entry.after.is_none() {
        return Err(not_undoable("the release of a promo number"));
    }
    let missing = || Error::NotFound(format!("PromoNumber {number}"));
    let parsed = PhoneNumber::parse(number).ok_or_else(missing)?;
    let now = unit.promo_number(context.principal.network_id, &parsed)?;
    // A number that was assigned again since is another promo number.
    let now = now.filter(|now| now.created_at <= entry.at).ok_or_else(missing)?;
    let owner = owner_of(unit, &now)?;
    let selector = PromoNumberSelector::Number(number.to_owned());
    let Some(target) = target_state(entry, Some(&now))? else {
        return promo_numbers::delete(unit, context, &owner, &selector);
    };
    let destination = owner_of(unit, &target)?;
    let change = PromoNumberChange {
        destination: DestinationChange::to(destination),
        id_from_network: Some(target.external_id),
        description: Some(target.description),
        media_type: Some(target.media_type),
        promo_type: Some(target.promo_type),
        adwords_account_id: Some(target.adwords_account_id),
        custom_data: Some(target.custom_data),
        tn_prefix: None,
    };
    promo_numbers::put(unit, context, &owner, &selector, submission(change), &no_precondition())?;
    Ok(())
}

fn owner_of(
    unit: &mut UnitOfWork<'_>,
    promo_number: &PromoNumber,
) -> Result<PromoNumberOwner, Error> {
    let missing = || Error::NotFound(format!("PromoNumber {}", promo_number.number.compact()));
    let campaign = unit.campaign_by_id(promo_number.campaign_id)?.ok_or_else(missing)?;
    let affiliate = match promo_number.affiliate_id {
        Some(id) => Some(unit.party_by_id(id.into())?.ok_or_else(missing)?.external_id),
        None => None,
    };
    Ok(PromoNumberOwner {
        advertiser: advertiser_of(unit, &campaign)?,
        campaign: campaign.external_id,
        affiliate,
    })
}
