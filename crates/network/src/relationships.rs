//! Advertiser–affiliate relationships, and their effect on affiliate campaigns.

use crate::campaigns::find_advertiser;
use crate::parties::{ensure_visible, not_found};
use crate::{
    Context, Error, Guard, Listed, Page, Session, Submitted, affiliate_campaigns, audit,
    check_precondition,
};
use serde_json::json;
use trunkline_domain::affiliation::{Relationship, RelationshipStatus, cascade};
use trunkline_domain::party::PartyKind;
use trunkline_domain::problem::BLANK;
use trunkline_store::{Chain, Links};

fn audit_object(advertiser: &str, affiliate: &str) -> String {
    format!("relationship:{affiliate}/{advertiser}")
}

/// Ids of an advertiser and an affiliate, and their relationship, if one is set.
struct Pair {
    advertiser: i64,
    affiliate: i64,
    relationship: Option<Relationship>,
}

/// Resolves an advertiser and an affiliate that are visible to the principal. An affiliate sees
/// only its own relationships.
fn resolve_pair(
    session: &mut Session<'_>,
    context: &Context,
    advertiser_id: &str,
    affiliate_id: &str,
) -> Result<Pair, Error> {
    use PartyKind::{Advertiser, Affiliate};
    let network = context.caller.network_id;
    let affiliate = Some(affiliate_id);
    let chain = Chain { affiliate, ..Chain::of_advertiser(network, advertiser_id) };
    let Links { advertiser, affiliate, relationship, .. } = session.links(&chain)?;
    let advertiser = advertiser.ok_or_else(|| not_found(Advertiser, advertiser_id))?;
    if context.caller.own(Affiliate).is_empty() {
        ensure_visible(context, Advertiser, advertiser, advertiser_id)?;
    }
    let affiliate = affiliate.ok_or_else(|| not_found(Affiliate, affiliate_id))?.id;
    if !context.caller.sees(Advertiser, advertiser) {
        ensure_visible(context, Affiliate, affiliate, affiliate_id)?;
    }
    Ok(Pair { advertiser, affiliate, relationship })
}

/// Returns one page of an advertiser's relationships. An affiliate sees only its own.
pub fn list(
    session: &mut Session<'_>,
    context: &Context,
    advertiser_id: &str,
    page: Page,
) -> Result<Listed<Relationship>, Error> {
    let advertiser = find_advertiser(session, context, advertiser_id)?;
    let page = session.relationships(advertiser.id, page)?;
    let last = page.last().map(|(id, _)| *id);
    let sees_all = context.caller.sees(PartyKind::Advertiser, advertiser.id);
    let own = context.caller.own(PartyKind::Affiliate);
    let found = page.into_iter().map(|(_, relationship)| relationship);
    let found =
        found.filter(|relationship| sees_all || own.contains(&relationship.affiliate_id)).collect();
    Ok(Listed { found, last })
}

/// Returns one relationship.
pub fn get(
    session: &mut Session<'_>,
    context: &Context,
    advertiser_id: &str,
    affiliate_id: &str,
) -> Result<Relationship, Error> {
    let found = resolve_pair(session, context, advertiser_id, affiliate_id)?.relationship;
    let chain =
        || format!("Relationship for affiliate {affiliate_id} and advertiser {advertiser_id}");
    found.ok_or_else(|| Error::NotFound(chain()))
}

/// Sets a relationship, and cascades it to every affiliate campaign of the pair in the same
/// transaction. Setting the same status again affects only affiliate campaigns that have changed
/// since.
pub fn put(
    session: &mut Session<'_>,
    context: &Context,
    advertiser_id: &str,
    affiliate_id: &str,
    submitted: Submitted<Option<RelationshipStatus>>,
    precondition: &Guard<Relationship>,
) -> Result<(), Error> {
    let Pair { advertiser, affiliate, relationship: before } =
        resolve_pair(session, context, advertiser_id, affiliate_id)?;
    context.caller.ensure_can_write_party(PartyKind::Advertiser, advertiser)?;
    let Submitted { change, mut problems } = submitted;
    if change.is_none() && !problems.has("status") {
        problems.at("status").add(BLANK);
    }
    check_precondition(precondition, before.as_ref())?;
    let Some(status) = problems.or(change)? else {
        return Err(Error::Internal("a relationship change has no status".to_owned()));
    };
    if before.as_ref().is_none_or(|previous| previous.status != status) {
        session.put_relationship(advertiser, affiliate, status)?;
        let old = before.map(|previous| json!({"status": previous.status}));
        let new = json!({"status": status});
        let object = audit_object(advertiser_id, affiliate_id);
        audit::record(session, context, object, None, old.as_ref(), Some(&new))?;
    }
    cascade_status(session, context, advertiser, affiliate, status)
}

/// Maximum number of rows that are read and written at a time.
const CASCADE_BATCH_ROWS: usize = 500;
/// Maximum length of the custom data in one batch, in characters, to bound memory.
const CASCADE_BATCH_CHARS: i64 = 1 << 20;

/// Cascades a relationship to the affiliate campaigns of the pair, in batches, so that memory does
/// not grow with their number.
fn cascade_status(
    session: &mut Session<'_>,
    context: &Context,
    advertiser: i64,
    affiliate: i64,
    status: RelationshipStatus,
) -> Result<(), Error> {
    let to = |from| cascade(status, from);
    let mut batch = Vec::new();
    let mut batch_chars = 0;
    let mut found = session.affiliate_campaigns_of_pair(advertiser, affiliate)?;
    found.retain(|(_, status, _)| to(*status).is_some());
    for (id, _, chars) in found {
        if batch.len() == CASCADE_BATCH_ROWS || batch_chars + chars > CASCADE_BATCH_CHARS {
            let ids = std::mem::take(&mut batch);
            affiliate_campaigns::set_statuses(session, context, advertiser, &ids, to, "cascade")?;
            batch_chars = 0;
        }
        batch.push(id);
        batch_chars += chars;
    }
    affiliate_campaigns::set_statuses(session, context, advertiser, &batch, to, "cascade")
}

/// Writes an audit entry for each relationship of a party that is deleted with it.
pub(crate) fn audit_deleted_relationships(
    session: &mut Session<'_>,
    context: &Context,
    party: i64,
) -> Result<(), Error> {
    for batch in session.relationships_of_party(party)?.chunks(CASCADE_BATCH_ROWS) {
        let entry = |(advertiser, affiliate, status): &(String, String, RelationshipStatus)| {
            let old = json!({"status": status});
            audit::new_entry(context, audit_object(advertiser, affiliate), None, Some(&old), None)
        };
        let entries = batch.iter().map(entry).collect::<Result<Vec<_>, _>>()?;
        session.insert_audit_entries(&entries)?;
    }
    Ok(())
}

/// Deletes a relationship; does nothing if there is none. Affiliate campaigns stay unchanged.
pub fn delete(
    session: &mut Session<'_>,
    context: &Context,
    advertiser_id: &str,
    affiliate_id: &str,
    precondition: &Guard<Relationship>,
) -> Result<(), Error> {
    let Pair { advertiser, affiliate, relationship: found } =
        resolve_pair(session, context, advertiser_id, affiliate_id)?;
    context.caller.ensure_can_write_party(PartyKind::Advertiser, advertiser)?;
    check_precondition(precondition, found.as_ref())?;
    let Some(previous) = found else { return Ok(()) };
    session.delete_relationship(advertiser, affiliate)?;
    let old = json!({"status": previous.status});
    audit::record(
        session,
        context,
        audit_object(advertiser_id, affiliate_id),
        None,
        Some(&old),
        None,
    )
}
