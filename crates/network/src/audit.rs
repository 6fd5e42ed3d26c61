//! Audit log: one entry for each change, written in the transaction of the change.

use crate::{
    AuditEntry, AuditFilter, Context, Error, NewAuditEntry, Page, UnitOfWork, audit_difference,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use trunkline_domain::affiliation::{AffiliateCampaign, AffiliateCampaignStatus};
use trunkline_domain::campaign::{Campaign, CampaignStatus, Terms};
use trunkline_domain::id::AuditEntryId;
use trunkline_domain::party::{AdvertiserProfile, CustomData, Member, Party, PartyStatus, Site};

/// Advertiser or affiliate as stored in the audit log: complete enough to restore it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct PartySnapshot {
    pub(crate) id_from_network: String,
    pub(crate) name: String,
    pub(crate) status: PartyStatus,
    pub(crate) sites: Vec<Site>,
    #[serde(flatten)]
    pub(crate) profile: AdvertiserProfile,
    pub(crate) custom_data: CustomData,
    pub(crate) users: Vec<Member>,
}

/// Campaign as stored in the audit log.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct CampaignSnapshot {
    pub(crate) id_from_network: String,
    pub(crate) name: String,
    pub(crate) status: CampaignStatus,
    pub(crate) current_terms: Option<Terms>,
    pub(crate) future_terms: Option<Terms>,
    pub(crate) custom_data: CustomData,
}

/// Affiliate campaign as stored in the audit log.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct AffiliateCampaignSnapshot {
    pub(crate) id_from_network: String,
    pub(crate) affiliate_id_from_network: String,
    pub(crate) status: AffiliateCampaignStatus,
    pub(crate) custom_data: CustomData,
}

pub(crate) fn party_snapshot(party: &Party) -> PartySnapshot {
    PartySnapshot {
        id_from_network: party.external_id.clone(),
        name: party.name.clone(),
        status: party.status,
        sites: party.sites.clone(),
        profile: party.profile.clone(),
        custom_data: party.custom_data.clone(),
        users: party.members.clone(),
    }
}

pub(crate) fn campaign_snapshot(campaign: &Campaign) -> CampaignSnapshot {
    CampaignSnapshot {
        id_from_network: campaign.external_id.clone(),
        name: campaign.name.clone(),
        status: campaign.status,
        current_terms: campaign.current_terms.as_ref().map(|current| current.terms.clone()),
        future_terms: campaign.future_terms.clone(),
        custom_data: campaign.custom_data.clone(),
    }
}

pub(crate) fn affiliate_campaign_snapshot(
    affiliate_campaign: &AffiliateCampaign,
) -> AffiliateCampaignSnapshot {
    AffiliateCampaignSnapshot {
        id_from_network: affiliate_campaign.external_id.clone(),
        affiliate_id_from_network: affiliate_campaign.external_affiliate_id.clone(),
        status: affiliate_campaign.status,
        custom_data: affiliate_campaign.custom_data.clone(),
    }
}

/// Writes an audit entry. Without an `action` it is `create`, `update` or `delete`, depending on
/// which of `before` and `after` are given.
pub(crate) fn record<T: Serialize>(
    unit: &mut UnitOfWork<'_>,
    context: &Context,
    object: String,
    action: Option<&str>,
    before: Option<&T>,
    after: Option<&T>,
) -> Result<(), Error> {
    Ok(unit.insert_audit_entry(&new_entry(context, object, action, before, after)?)?)
}

/// Returns the last entry of an entry's object.
pub(crate) fn latest_entry(
    unit: &mut UnitOfWork<'_>,
    context: &Context,
    entry: AuditEntry,
) -> Result<AuditEntry, Error> {
    let filter = AuditFilter { object: Some(entry.object.clone()), ..AuditFilter::default() };
    let mut last = entry;
    loop {
        let page = Page::new(last.id.get(), 1_000);
        let later = unit.audit_entries(context.principal.network_id, &filter, page)?;
        match later.into_iter().next_back() {
            Some(newer) => last = newer,
            None => return Ok(last),
        }
    }
}

/// Returns the id of the last entry of an object.
pub(crate) fn latest_id(
    unit: &mut UnitOfWork<'_>,
    context: &Context,
    object: &str,
) -> Result<AuditEntryId, Error> {
    let found = unit.latest_audit_id(context.principal.network_id, object)?;
    found.ok_or_else(|| Error::Internal(format!("no audit entry of {object} exists")))
}

/// Builds an audit entry with the difference of the two states, or with the whole of one, for callers that insert several entries with one statement.
pub(crate) fn new_entry<T: Serialize>(
    context: &Context,
    object: String,
    action: Option<&str>,
    before: Option<&T>,
    after: Option<&T>,
) -> Result<NewAuditEntry, Error> {
    let default_action = match (before.is_some(), after.is_some()) {
        (false, _) => "create",
        (true, true) => "update",
        (true, false) => "delete",
    };
    let before = before.map(to_value).transpose()?;
    let after = after.map(to_value).transpose()?;
    let (before, after) = match (before, after) {
        (Some(before), Some(after)) => {
            let (before, after) = audit_difference::reduce(before, after);
            (Some(before), Some(after))
        }
        whole => whole,
    };
    Ok(NewAuditEntry {
        id: AuditEntryId::UNASSIGNED,
        network_id: context.principal.network_id,
        at: context.now,
        request_id: context.request_id.clone(),
        actor: context.principal.actor.to_string(),
        object,
        action: action.unwrap_or(default_action).to_owned(),
        before: before.map(|value| value.to_string()),
        after: after.map(|value| value.to_string()),
    })
}

fn to_value<T: Serialize>(value: &T) -> Result<Value, Error> {
    serde_json::to_value(value)
        .map_err(|error| Error::Internal(format!("cannot serialize an audit entry: {error}")))
}

/// Returns one page of the network's audit log, oldest first. Requires read access to the whole
/// network.
pub fn list(
    unit: &mut UnitOfWork<'_>,
    context: &Context,
    filter: &AuditFilter,
    page: Page,
) -> Result<Vec<AuditEntry>, Error> {
    context.principal.ensure_can_view_network()?;
    Ok(unit.audit_entries(context.principal.network_id, filter, page)?)
}

/// Returns one audit entry. Requires read access to the whole network.
pub fn get(
    unit: &mut UnitOfWork<'_>,
    context: &Context,
    id: AuditEntryId,
) -> Result<AuditEntry, Error> {
    context.principal.ensure_can_view_network()?;
    let found = unit.audit_entry(context.principal.network_id, id)?;
    found.ok_or_else(|| Error::NotFound(format!("AuditEntry {id}")))
}

/// Returns the change of an entry as a JSON Patch (RFC 6902) from its `before` to its `after`.
pub fn patch(entry: &AuditEntry) -> Value {
    let before = entry.before.clone().unwrap_or(Value::Null);
    let after = entry.after.clone().unwrap_or(Value::Null);
    serde_json::to_value(json_patch::diff(&before, &after)).unwrap_or_default()
}
