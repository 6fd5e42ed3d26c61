//! Undoing one change of the audit log, through the ordinary use cases and all of their checks:
//! what could not be written by hand cannot be reverted to.

use crate::affiliate_campaigns::{self, AffiliateCampaignChange, Intent, Place};
use crate::audit::{AffiliateCampaignSnapshot, CampaignSnapshot, PartySnapshot};
use crate::campaigns::CampaignChange;
use crate::custom_data_fields::{self, FieldChange};
use crate::networks::{self, NetworkChange, NetworkSnapshot};
use crate::promo_numbers::{self, Owner, PromoNumberChange, Which};
use crate::{
    AuditEntry, AuditFilter, Context, Error, Page, Session, Submitted, audit, campaign_status,
    campaigns, parties, relationships, unguarded,
};
use serde::de::DeserializeOwned;
use serde_json::Value;
use trunkline_domain::affiliation::{AffiliateCampaignStatus, RelationshipStatus};
use trunkline_domain::campaign::{Action, Campaign, CampaignStatus, Terms, TermsChange};
use trunkline_domain::party::{CustomDataField, PartyChange, PartyKind, UserChange};
use trunkline_domain::problem::Problems;
use trunkline_domain::promo::PromoNumber;

/// Undoes one entry and returns the entry of its undoing. When nothing is left to undo, that is
/// the entry itself.
pub fn revert(session: &mut Session<'_>, context: &Context, id: i64) -> Result<AuditEntry, Error> {
    context.caller.require_network()?;
    let entry = audit::get(session, context, id)?;
    undo(session, context, &entry)?;
    let filter = AuditFilter { object: Some(entry.object.clone()), ..AuditFilter::default() };
    let mut last = entry;
    loop {
        let page = Page { after: last.id, limit: 1_000 };
        let later = session.audit_entries(context.caller.network_id, &filter, page)?;
        match later.into_iter().next_back() {
            Some(newer) => last = newer,
            None => return Ok(last),
        }
    }
}

fn undo(session: &mut Session<'_>, context: &Context, entry: &AuditEntry) -> Result<(), Error> {
    let (kind, id) = entry.object.split_once(':').unwrap_or((entry.object.as_str(), ""));
    let before = entry.before.clone();
    match kind {
        "network" => undo_network(session, context, before),
        "advertiser" => undo_party(session, context, PartyKind::Advertiser, id, before),
        "affiliate" => undo_party(session, context, PartyKind::Affiliate, id, before),
        "custom_data_field" => undo_field(session, context, id, before),
        "relationship" => undo_relationship(session, context, id, before),
        "advertiser_campaign" => undo_campaign(session, context, id, before),
        "affiliate_campaign" => undo_affiliate_campaign(session, context, id, before),
        "promo_number" => undo_promo_number(session, context, entry),
        _ => Err(cannot("this kind of change")),
    }
}

fn cannot(what: &str) -> Error {
    Error::NotAllowed(format!("{what} cannot be reverted"))
}

fn snapshot<T: DeserializeOwned>(value: Value) -> Result<T, Error> {
    serde_json::from_value(value).map_err(|error| Error::Internal(format!("audit entry: {error}")))
}

fn submitted<T>(change: T) -> Submitted<T> {
    Submitted { change, problems: Problems::new() }
}

fn undo_network(
    session: &mut Session<'_>,
    context: &Context,
    before: Option<Value>,
) -> Result<(), Error> {
    let before: NetworkSnapshot = snapshot(before.ok_or_else(|| cannot("a network's creation"))?)?;
    let change = NetworkChange {
        name: Some(before.name),
        users: Some(before.users.iter().map(UserChange::of).collect()),
    };
    networks::put(session, context, submitted(change), &unguarded())?;
    Ok(())
}

fn undo_party(
    session: &mut Session<'_>,
    context: &Context,
    kind: PartyKind,
    id: &str,
    before: Option<Value>,
) -> Result<(), Error> {
    let Some(before) = before else {
        return parties::delete(session, context, kind, id, &unguarded());
    };
    let before: PartySnapshot = snapshot(before)?;
    let change = PartyChange {
        id_from_network: None,
        name: Some(before.name),
        status: Some(before.status),
        sites: Some(before.sites),
        users: Some(before.users.iter().map(UserChange::of).collect()),
        custom_data: Some(before.custom_data),
        web_integration_phone_number: Some(before.profile.web_integration_phone_number),
        default_creative_id_from_network: Some(before.profile.default_creative_id_from_network),
        oauth_refresh_token: Some(before.profile.oauth_refresh_token),
    };
    parties::put(session, context, kind, Some(id), submitted(change), &unguarded())?;
    Ok(())
}

fn undo_field(
    session: &mut Session<'_>,
    context: &Context,
    name: &str,
    before: Option<Value>,
) -> Result<(), Error> {
    let Some(before) = before else { return custom_data_fields::delete(session, context, name) };
    let before: CustomDataField = snapshot(before)?;
    let change = FieldChange {
        partner_name: None,
        friendly_name: Some(before.friendly_name),
        data_type: Some(before.data_type),
        field_values: Some(before.field_values),
    };
    custom_data_fields::put(session, context, Some(name), submitted(change), &unguarded())?;
    Ok(())
}

/// The two ids of `<affiliate>/<other>`. Either may have a slash in it, so every way to cut the
/// name is tried until both sides are there.
fn pair<T>(
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
    session: &mut Session<'_>,
    context: &Context,
    ids: &str,
    before: Option<Value>,
) -> Result<(), Error> {
    let network = context.caller.network_id;
    let (advertiser, affiliate) = pair(ids, |affiliate, advertiser| {
        let there = session.party(network, PartyKind::Affiliate, affiliate)?.is_some()
            && session.party(network, PartyKind::Advertiser, advertiser)?.is_some();
        Ok(there.then(|| (advertiser.to_owned(), affiliate.to_owned())))
    })?;
    let Some(before) = before else {
        return relationships::delete(session, context, &advertiser, &affiliate, &unguarded());
    };
    let status: RelationshipStatus = snapshot(before["status"].clone())?;
    let change = submitted(Some(status));
    relationships::put(session, context, &advertiser, &affiliate, change, &unguarded())
}

fn advertiser_of(session: &mut Session<'_>, campaign: &Campaign) -> Result<String, Error> {
    let found = session.party_by_id(campaign.advertiser_id)?;
    let missing = || Error::Internal("a campaign's advertiser is missing".to_owned());
    Ok(found.ok_or_else(missing)?.id_from_network)
}

fn undo_campaign(
    session: &mut Session<'_>,
    context: &Context,
    id: &str,
    before: Option<Value>,
) -> Result<(), Error> {
    let Some(before) = before else { return Err(cannot("a campaign's creation")) };
    let before: CampaignSnapshot = snapshot(before)?;
    let now = campaigns::find_by_id(session, context, id)?;
    let advertiser = advertiser_of(session, &now)?;
    // Terms that were live go live again by a go_live, so they are first written as a draft.
    let live_again = before.current_terms.as_ref().filter(|terms| {
        now.current.as_ref().is_none_or(|current| !current.terms.says_the_same_as(terms))
    });
    let goes_live = live_again.is_some() && before.status == CampaignStatus::Activated;
    if let Some(terms) = live_again.filter(|_| goes_live) {
        write_terms(session, context, &advertiser, id, terms)?;
        act(session, context, &advertiser, id, Action::GoLive { from_archive: false })?;
    } else if live_again.is_some() {
        return Err(cannot("a go_live of a campaign that was not live"));
    } else if before.current_terms.is_none() && now.current.is_some() {
        return Err(cannot("a campaign's first go_live"));
    }
    let change = CampaignChange {
        id_from_network: None,
        name: Some(before.name),
        custom_data: Some(before.custom_data),
        terms: TermsChange::default(),
    };
    campaigns::put(session, context, &advertiser, Some(id), submitted(change), &unguarded())?;
    if let Some(action) = action_to(before.status, now.status) {
        act(session, context, &advertiser, id, action)?;
    }
    match &before.future_terms {
        Some(terms) => write_terms(session, context, &advertiser, id, terms),
        None => campaigns::drop_future(session, context, id),
    }
}

/// What brings a campaign from one status back to another.
fn action_to(wanted: CampaignStatus, now: CampaignStatus) -> Option<Action> {
    match wanted {
        _ if wanted == now => None,
        CampaignStatus::Activated => Some(Action::GoLive { from_archive: false }),
        CampaignStatus::Archived => Some(Action::Archive),
        CampaignStatus::Paused | CampaignStatus::Entry => Some(Action::Unarchive),
    }
}

fn write_terms(
    session: &mut Session<'_>,
    context: &Context,
    advertiser: &str,
    id: &str,
    terms: &Terms,
) -> Result<(), Error> {
    let change = CampaignChange { terms: TermsChange::of(terms), ..CampaignChange::default() };
    campaigns::put(session, context, advertiser, Some(id), submitted(change), &unguarded())?;
    Ok(())
}

fn act(
    session: &mut Session<'_>,
    context: &Context,
    advertiser: &str,
    id: &str,
    action: Action,
) -> Result<(), Error> {
    campaign_status::act(session, context, advertiser, id, action, Problems::new())
}

fn undo_affiliate_campaign(
    session: &mut Session<'_>,
    context: &Context,
    ids: &str,
    before: Option<Value>,
) -> Result<(), Error> {
    let Some(before) = before else { return Err(cannot("an application")) };
    let before: AffiliateCampaignSnapshot = snapshot(before)?;
    let network = context.caller.network_id;
    let affiliate = before.affiliate_id_from_network;
    let campaign = ids.strip_prefix(&format!("{affiliate}/")).unwrap_or_default();
    let found = session.campaign(network, campaign)?;
    let found = found.ok_or_else(|| Error::NotFound(format!("AdvertiserCampaign {campaign}")))?;
    let place = Place {
        advertiser: advertiser_of(session, &found)?,
        campaign: campaign.to_owned(),
        affiliate,
        id: None,
    };
    let applies_again = before.status == AffiliateCampaignStatus::Applied;
    let change = AffiliateCampaignChange {
        id_from_network: Some(before.id_from_network),
        status: Some(before.status),
        custom_data: Some(before.custom_data),
    };
    let (now, _) = affiliate_campaigns::get(session, context, &place)?;
    // Only a Declined one may go back to Applied: by applying again.
    let declined = now.status == AffiliateCampaignStatus::Declined;
    let intent = if applies_again && declined { Intent::Apply } else { Intent::Decide };
    affiliate_campaigns::put(session, context, &place, intent, submitted(change), &unguarded())?;
    Ok(())
}

fn undo_promo_number(
    session: &mut Session<'_>,
    context: &Context,
    entry: &AuditEntry,
) -> Result<(), Error> {
    let (Some(known), before) = (entry.after.as_ref().or(entry.before.as_ref()), &entry.before)
    else {
        return Err(cannot("an empty change"));
    };
    let it: PromoNumber = snapshot(known.clone())?;
    let owner = owner_of(session, &it)?;
    let which = Which::Number(it.number.e164().to_owned());
    if entry.after.is_none() {
        return Err(cannot("giving a promo number back"));
    }
    let Some(before) = before else {
        return promo_numbers::delete(session, context, &owner, &which);
    };
    let before: PromoNumber = snapshot(before.clone())?;
    let change = PromoNumberChange {
        id_from_network: Some(before.id_from_network),
        description: Some(before.description),
        media_type: Some(before.media_type),
        custom_data: Some(before.custom_data),
        tn_prefix: None,
    };
    promo_numbers::put(session, context, &owner, &which, submitted(change), &unguarded())?;
    Ok(())
}

fn owner_of(session: &mut Session<'_>, it: &PromoNumber) -> Result<Owner, Error> {
    let missing = || Error::NotFound(format!("PromoNumber {}", it.number.digits()));
    let campaign = session.campaign_by_id(it.campaign_id)?.ok_or_else(missing)?;
    let affiliate = match it.affiliate_id {
        Some(id) => Some(session.party_by_id(id)?.ok_or_else(missing)?.id_from_network),
        None => None,
    };
    Ok(Owner {
        advertiser: advertiser_of(session, &campaign)?,
        campaign: campaign.id_from_network,
        affiliate,
    })
}
