//! Advertiser–affiliate relationships, and their effect on affiliate campaigns.

use crate::campaigns::{find_advertiser, is_reached_by_affiliates};
use crate::parties::{ensure_visible, not_found};
use crate::{
    AuditEntry, AuditFilter, Context, Error, Page, Precondition, Submission, UnitOfWork,
    VisiblePage, affiliate_campaigns, audit, check_precondition, no_precondition,
};
use serde_json::{Value, json};
use trunkline_domain::affiliation::{
    AffiliateCampaignStatus, Relationship, RelationshipStatus, cascaded_status,
};
use trunkline_domain::id::{AdvertiserId, AffiliateCampaignId, AffiliateId, PartyId};
use trunkline_domain::party::PartyKind;
use trunkline_domain::problem::BLANK;
use trunkline_store::{AffiliateCampaignSize, PathIds, RelationshipOfParties, ResolvedPath};

fn audit_object(advertiser: &str, affiliate: &str) -> String {
    format!("relationship:{affiliate}/{advertiser}")
}

/// Ids of an advertiser and an affiliate, and their relationship, if one is set.
struct Pair {
    advertiser: AdvertiserId,
    affiliate: AffiliateId,
    relationship: Option<Relationship>,
}

/// Resolves an advertiser and an affiliate that are visible to the principal. An affiliate sees
/// only its own relationships.
///
/// # Errors
///
/// [`Error::NotFound`] of the advertiser if the principal does not reach it, whatever the affiliate.
fn resolve_pair(
    unit: &mut UnitOfWork<'_>,
    context: &Context,
    advertiser_id: &str,
    affiliate_id: &str,
) -> Result<Pair, Error> {
    use PartyKind::{Advertiser, Affiliate};
    let network = context.principal.network_id;
    let affiliate = Some(affiliate_id);
    let path_ids = PathIds { affiliate, ..PathIds::for_advertiser(network, advertiser_id) };
    let ResolvedPath { advertiser_id: advertiser, affiliate, relationship, .. } =
        unit.resolve_path(&path_ids)?;
    let advertiser = advertiser.ok_or_else(|| not_found(Advertiser, advertiser_id))?;
    let can_view = context.principal.can_view(Advertiser, advertiser);
    // Most affiliates read their own relationship, which needs no further statement.
    let is_own = |found: &Relationship| context.principal.can_view(Affiliate, found.affiliate_id);
    let is_reached = can_view || relationship.as_ref().is_some_and(is_own);
    if !is_reached && !is_reached_by_affiliates(unit, context, advertiser)? {
        return Err(not_found(Advertiser, advertiser_id));
    }
    let affiliate = affiliate.ok_or_else(|| not_found(Affiliate, affiliate_id))?.id;
    if !can_view {
        ensure_visible(context, Affiliate, affiliate, affiliate_id)?;
    }
    Ok(Pair { advertiser, affiliate, relationship })
}

/// Returns one page of an advertiser's relationships. An affiliate sees only its own.
pub fn list(
    unit: &mut UnitOfWork<'_>,
    context: &Context,
    advertiser_id: &str,
    page: Page,
) -> Result<VisiblePage<Relationship>, Error> {
    let advertiser = find_advertiser(unit, context, advertiser_id)?;
    let page = unit.relationships(advertiser.id.as_advertiser(), page)?;
    let last = page.last().map(|relationship| relationship.id.get());
    let sees_all = context.principal.can_view(PartyKind::Advertiser, advertiser.id);
    let own = context.principal.affiliate_ids();
    let is_visible = |found: &Relationship| sees_all || own.contains(&found.affiliate_id);
    let found = page.into_iter().filter(is_visible).collect();
    Ok(VisiblePage { items: found, last_examined_id: last })
}

/// Returns one relationship.
pub fn get(
    unit: &mut UnitOfWork<'_>,
    context: &Context,
    advertiser_id: &str,
    affiliate_id: &str,
) -> Result<Relationship, Error> {
    let found = resolve_pair(unit, context, advertiser_id, affiliate_id)?.relationship;
    let object =
        || format!("Relationship for affiliate {affiliate_id} and advertiser {advertiser_id}");
    found.ok_or_else(|| Error::NotFound(object()))
}

/// Sets a relationship, and cascades it to every affiliate campaign of the pair in the same
/// transaction. Setting the same status again affects only affiliate campaigns that have changed
/// since.
pub fn put(
    unit: &mut UnitOfWork<'_>,
    context: &Context,
    advertiser_id: &str,
    affiliate_id: &str,
    submitted: Submission<Option<RelationshipStatus>>,
    precondition: &Precondition<Relationship>,
) -> Result<(), Error> {
    let Pair { advertiser, affiliate, relationship: before } =
        resolve_pair(unit, context, advertiser_id, affiliate_id)?;
    context.principal.ensure_can_write_party(PartyKind::Advertiser, advertiser)?;
    let Submission { change, mut problems } = submitted;
    if change.is_none() && !problems.has_problem("status") {
        problems.property("status").add(BLANK);
    }
    check_precondition(precondition, before.as_ref())?;
    let Some(status) = problems.into_result(change)? else {
        return Err(Error::Internal("a relationship change has no status".to_owned()));
    };
    if before.as_ref().is_none_or(|previous| previous.status != status) {
        unit.upsert_relationship(advertiser, affiliate, status)?;
        let old = before.map(|previous| json!({"status": previous.status}));
        let new = json!({"status": status});
        let object = audit_object(advertiser_id, affiliate_id);
        audit::record(unit, context, object, None, old.as_ref(), Some(&new))?;
    }
    cascade_status(unit, context, advertiser, affiliate, status)
}

/// Action of the audit entries that a cascade writes.
const CASCADE: &str = "cascade";
/// Maximum number of rows that are read and written at a time.
const CASCADE_BATCH_ROWS: usize = 500;
/// Maximum length of the custom data in one batch, in characters, to bound memory.
const CASCADE_BATCH_CHARS: i64 = 1 << 20;

/// Cascades a relationship to the affiliate campaigns of the pair, in batches, so that memory does
/// not grow with their number.
fn cascade_status(
    unit: &mut UnitOfWork<'_>,
    context: &Context,
    advertiser: AdvertiserId,
    affiliate: AffiliateId,
    status: RelationshipStatus,
) -> Result<(), Error> {
    let to = |from| cascaded_status(status, from);
    let mut batch = Vec::new();
    let mut batch_chars = 0;
    let mut found = unit.affiliate_campaigns_of_pair(advertiser, affiliate)?;
    found.retain(|affiliate_campaign| to(affiliate_campaign.status).is_some());
    for AffiliateCampaignSize { id, custom_data_chars: chars, .. } in found {
        if batch.len() == CASCADE_BATCH_ROWS || batch_chars + chars > CASCADE_BATCH_CHARS {
            let ids = std::mem::take(&mut batch);
            affiliate_campaigns::set_statuses(unit, context, advertiser, &ids, to, CASCADE)?;
            batch_chars = 0;
        }
        batch.push(id);
        batch_chars += chars;
    }
    affiliate_campaigns::set_statuses(unit, context, advertiser, &batch, to, CASCADE)
}

/// Sets a relationship back to a status, or deletes it, to revert the change of an audit entry. Each
/// affiliate campaign that still has the status that the cascade of the change gave it gets the one before;
/// all others stay.
pub(crate) fn set_back(
    unit: &mut UnitOfWork<'_>,
    context: &Context,
    (advertiser_id, affiliate_id): (&str, &str),
    status: Option<RelationshipStatus>,
    entry: &AuditEntry,
) -> Result<(), Error> {
    let Pair { advertiser, affiliate, relationship: before } =
        resolve_pair(unit, context, advertiser_id, affiliate_id)?;
    context.principal.ensure_can_write_party(PartyKind::Advertiser, advertiser)?;
    match status {
        Some(status) => {
            unit.upsert_relationship(advertiser, affiliate, status)?;
            let old = before.map(|previous| json!({"status": previous.status}));
            let new = json!({"status": status});
            let object = audit_object(advertiser_id, affiliate_id);
            audit::record(unit, context, object, None, old.as_ref(), Some(&new))?;
        }
        None => delete(unit, context, advertiser_id, affiliate_id, &no_precondition())?,
    }
    let mut after = entry.id;
    loop {
        // The entries of a cascade follow that of the relationship.
        let filter = AuditFilter::default();
        let page = Page::new(after.get(), CASCADE_BATCH_ROWS as u32);
        let entries = unit.audit_entries(context.principal.network_id, &filter, page)?;
        let is_of_cascade =
            |found: &&AuditEntry| found.request_id == entry.request_id && found.action == CASCADE;
        let cascaded: Vec<&AuditEntry> = entries.iter().take_while(is_of_cascade).collect();
        undo_cascade(unit, context, (advertiser, affiliate, affiliate_id), &cascaded)?;
        match entries.last().filter(|_| cascaded.len() == CASCADE_BATCH_ROWS) {
            Some(last) => after = last.id,
            None => return Ok(()),
        }
    }
}

/// Sets the affiliate campaigns of some cascade entries back to their status before, unless they have
/// changed since.
fn undo_cascade(
    unit: &mut UnitOfWork<'_>,
    context: &Context,
    (advertiser, affiliate, affiliate_id): (AdvertiserId, AffiliateId, &str),
    entries: &[&AuditEntry],
) -> Result<(), Error> {
    let mut ids: Vec<([AffiliateCampaignStatus; 2], Vec<AffiliateCampaignId>)> = Vec::new();
    for entry in entries {
        let status = |snapshot: &Option<Value>| -> Option<AffiliateCampaignStatus> {
            serde_json::from_value(snapshot.as_ref()?.get("status")?.clone()).ok()
        };
        let prefix = format!("affiliate_campaign:{affiliate_id}/");
        let campaign = entry.object.strip_prefix(&prefix).unwrap_or_default();
        let campaign = unit.campaign(context.principal.network_id, campaign)?;
        let found = match &campaign {
            Some(campaign) => unit.affiliate_campaign(campaign.id, affiliate)?,
            None => None,
        };
        if let (Some(found), Some(before), Some(after)) =
            (found, status(&entry.before), status(&entry.after))
        {
            match ids.iter_mut().find(|(statuses, _)| *statuses == [before, after]) {
                Some((_, ids)) => ids.push(found.id),
                None => ids.push(([before, after], vec![found.id])),
            }
        }
    }
    for ([before, after], ids) in ids {
        let to = |now| (now == after).then_some(before);
        affiliate_campaigns::set_statuses(unit, context, advertiser, &ids, to, "revert")?;
    }
    Ok(())
}

/// Writes an audit entry for each relationship of a party that is deleted with it.
pub(crate) fn audit_deleted_relationships(
    unit: &mut UnitOfWork<'_>,
    context: &Context,
    party: PartyId,
) -> Result<(), Error> {
    for batch in unit.relationships_of_party(party)?.chunks(CASCADE_BATCH_ROWS) {
        let entry = |deleted: &RelationshipOfParties| {
            let RelationshipOfParties { advertiser_external_id, affiliate_external_id, status } =
                deleted;
            let object = audit_object(advertiser_external_id, affiliate_external_id);
            audit::new_entry(context, object, None, Some(&json!({"status": status})), None)
        };
        let entries = batch.iter().map(entry).collect::<Result<Vec<_>, _>>()?;
        unit.insert_audit_entries(&entries)?;
    }
    Ok(())
}

/// Deletes a relationship; does nothing if there is none. Affiliate campaigns stay unchanged.
pub fn delete(
    unit: &mut UnitOfWork<'_>,
    context: &Context,
    advertiser_id: &str,
    affiliate_id: &str,
    precondition: &Precondition<Relationship>,
) -> Result<(), Error> {
    let Pair { advertiser, affiliate, relationship: found } =
        resolve_pair(unit, context, advertiser_id, affiliate_id)?;
    context.principal.ensure_can_write_party(PartyKind::Advertiser, advertiser)?;
    check_precondition(precondition, found.as_ref())?;
    let Some(previous) = found else { return Ok(()) };
    unit.delete_relationship(advertiser, affiliate)?;
    let old = json!({"status": previous.status});
    audit::record(unit, context, audit_object(advertiser_id, affiliate_id), None, Some(&old), None)
}
