//! Advertisers and affiliates (parties).

use crate::{
    Context, Error, Page, Precondition, Submission, UnitOfWork, audit, check_precondition,
    email_verifications, look_alikes, memberships, policy,
};
use trunkline_domain::id::{NetworkId, PartyId};
use trunkline_domain::party::{
    MAX_NAME_CHARS, Member, Party, PartyKind, PartyPatch, PartyStatus, name_key,
};
use trunkline_domain::problem::{BLANK, Problems, TAKEN};
use trunkline_store::{Organization, Scope};

/// Returns the object name of a party in the audit log.
pub(crate) fn audit_object(party: &Party) -> String {
    format!("{}:{}", party.kind.as_str(), party.external_id)
}

pub(crate) fn not_found(kind: PartyKind, id: &str) -> Error {
    Error::NotFound(format!("{} {id}", kind.class_name()))
}

/// Returns a party of the principal's network by its external id, without users. Does not check if
/// the principal may see it.
pub(crate) fn find(
    unit: &mut UnitOfWork<'_>,
    context: &Context,
    kind: PartyKind,
    id: &str,
) -> Result<Party, Error> {
    unit.party(context.principal.network_id, kind, id)?.ok_or_else(|| not_found(kind, id))
}

/// Returns `Ok` if the principal can view a party. The external id is for the error message.
///
/// # Errors
///
/// [`Error::NotFound`] otherwise, so that the existence of the party is not revealed.
pub(crate) fn ensure_visible(
    context: &Context,
    kind: PartyKind,
    id: impl Into<PartyId>,
    id_from_network: &str,
) -> Result<(), Error> {
    let can_view = context.principal.can_view(kind, id);
    if can_view { Ok(()) } else { Err(not_found(kind, id_from_network)) }
}

/// Returns one page of the parties that the principal may see, with their users.
pub fn list(
    unit: &mut UnitOfWork<'_>,
    context: &Context,
    kind: PartyKind,
    page: Page,
) -> Result<Vec<Party>, Error> {
    if context.principal.can_view_network() {
        return Ok(unit.parties(context.principal.network_id, kind, page)?);
    }
    let own = context.principal.party_ids(kind).into_iter().filter(|id| id.get() > page.after);
    let own: Vec<PartyId> = own.take(page.limit as usize).collect();
    Ok(unit.parties_by_ids(kind, &own)?)
}

/// Returns one party with its users.
pub fn get(
    unit: &mut UnitOfWork<'_>,
    context: &Context,
    kind: PartyKind,
    id: &str,
) -> Result<Party, Error> {
    let found = unit.party_with_members(context.principal.network_id, kind, id)?;
    let party = found.ok_or_else(|| not_found(kind, id))?;
    context.principal.ensure_can_view(&party)?;
    Ok(party)
}

/// Returns one party with its users, by its id.
pub fn get_by_id(
    unit: &mut UnitOfWork<'_>,
    context: &Context,
    kind: PartyKind,
    id: PartyId,
) -> Result<Party, Error> {
    let found = unit.party_by_id(id)?;
    let own =
        |party: &Party| party.network_id == context.principal.network_id && party.kind == kind;
    let party = found.filter(own).ok_or_else(|| not_found(kind, &id.to_string()))?;
    context.principal.ensure_can_view(&party)?;
    Ok(unit.load_members(party)?)
}

/// Creates or updates a party. The external id comes from the body, else from the path; else it is
/// generated.
pub fn put(
    unit: &mut UnitOfWork<'_>,
    context: &Context,
    kind: PartyKind,
    path_id: Option<&str>,
    submitted: Submission<PartyPatch>,
    precondition: &Precondition<Party>,
) -> Result<Party, Error> {
    let network = context.principal.network_id;
    let Submission { change, mut problems } = submitted;
    let requested_id = change.external_id.clone().or(path_id.map(str::to_owned));
    let before = match &requested_id {
        Some(id) => unit.party_with_members(network, kind, id)?,
        None => None,
    };
    if let (None, Some(id)) = (&before, &requested_id) {
        ensure_network_reach(context, kind, id)?;
    }
    authorize(context, kind, before.as_ref(), change.status)?;
    check_precondition(precondition, before.as_ref())?;
    let id = match requested_id {
        Some(id) => check_id(id, &mut problems),
        None => generate_id(unit, network, kind, &mut problems)?,
    };
    let fields = match &change.custom_data {
        Some(_) => unit.custom_data_fields(network)?,
        None => Vec::new(),
    };
    let draft = change.apply(before.as_ref(), &id, &fields, &mut problems);
    let mut party = match &before {
        Some(previous) => previous.clone(),
        None => Party::new(network, kind, id, draft.clone()),
    };
    let members_given = draft.members.is_some();
    let unchanged = before.as_ref().is_some_and(|previous| draft.matches(previous));
    party.apply_draft(draft);
    let same_name = before.as_ref().is_some_and(|previous| previous.name_key() == party.name_key());
    if !problems.has_problem("name")
        && !same_name
        && unit.party_name_exists(network, kind, &party.name_key(), party.id)?
    {
        problems.property("name").add(TAKEN);
    }
    if members_given {
        check_members(unit, context, before.as_ref(), &party, &mut problems)?;
    }
    let party = problems.into_result(party)?;
    if unchanged {
        let stored = before.unwrap_or(party);
        if members_given {
            record_written_members(unit, context, &stored)?;
        }
        return Ok(stored);
    }
    store(unit, context, before.as_ref(), party, members_given)
}

/// Stores a changed party with its audit entry.
fn store(
    unit: &mut UnitOfWork<'_>,
    context: &Context,
    before: Option<&Party>,
    mut party: Party,
    members_given: bool,
) -> Result<Party, Error> {
    if before.is_none_or(|previous| previous.name != party.name) {
        look_alikes::warn_of_party(unit, context, &party)?;
    }
    party.updated_at = context.now;
    if before.is_some() {
        unit.update_party(&party)?;
    } else {
        party.created_at = context.now;
        party.id = unit.insert_party(&party)?;
    }
    if members_given {
        let organization = Organization::Party(party.kind, party.id);
        let previous = members_of(before);
        party.members = memberships::replace(
            unit,
            context,
            organization,
            previous,
            &party.members,
            place_of_user,
        )?;
        record_written_members(unit, context, &party)?;
    }
    let old = before.map(audit::party_snapshot);
    let new = audit::party_snapshot(&party);
    audit::record(unit, context, audit_object(&party), None, old.as_ref(), Some(&new))?;
    Ok(party)
}

fn place_of_user(index: usize) -> String {
    format!("users[{index}]")
}

/// Verifies the addresses of a party's users, all of which were written, or asks for their confirmation.
fn record_written_members(
    unit: &mut UnitOfWork<'_>,
    context: &Context,
    party: &Party,
) -> Result<(), Error> {
    let organization = Organization::Party(party.kind, party.id);
    let members = &party.members;
    email_verifications::record_written(unit, context, organization, members, place_of_user)
}

/// Checks the roles of the users of a party that is to be stored.
fn check_members(
    unit: &mut UnitOfWork<'_>,
    context: &Context,
    before: Option<&Party>,
    party: &Party,
    problems: &mut Problems,
) -> Result<(), Error> {
    // Only the network creates parties.
    let organization =
        before.map_or(Scope::Network, |previous| Scope::Party(previous.kind, previous.id));
    let users = problems.property("users");
    let stored = members_of(before);
    policy::check_members(unit, context, organization, stored, &party.members, users)
}

fn members_of(party: Option<&Party>) -> &[Member] {
    party.map(|party| party.members.as_slice()).unwrap_or_default()
}

/// Prefetches the rows that [`put`] will query, as far as the request determines them.
pub fn prefetch_put(
    unit: &mut UnitOfWork<'_>,
    context: &Context,
    kind: PartyKind,
    path_id: Option<&str>,
    change: &PartyPatch,
) {
    let network = context.principal.network_id;
    // Errors are ignored: `put` runs the same queries again and reports them.
    if let Some(id) = change.external_id.as_deref().or(path_id) {
        unit.party_with_members(network, kind, id).ok();
    }
    if let Some(name) = &change.name {
        unit.party_name_exists(network, kind, &name_key(name), PartyId::UNASSIGNED).ok();
        look_alikes::prefetch_party(unit, context, kind, name);
    }
}

/// Returns `Ok` if the principal reaches parties that do not exist, as the whole network does.
///
/// # Errors
///
/// [`Error::NotFound`] otherwise, as for a party that exists and is out of reach.
fn ensure_network_reach(context: &Context, kind: PartyKind, id: &str) -> Result<(), Error> {
    if context.principal.can_view_network() { Ok(()) } else { Err(not_found(kind, id)) }
}

/// Returns `Ok` if the principal may write a party: the network, or the party itself. A party may
/// neither change its own status nor create another party.
fn authorize(
    context: &Context,
    kind: PartyKind,
    before: Option<&Party>,
    status: Option<PartyStatus>,
) -> Result<(), Error> {
    let Some(before) = before else { return context.principal.ensure_can_write_network() };
    context.principal.ensure_can_view(before)?;
    context.principal.ensure_can_write_party(kind, before.id)?;
    if status.is_some_and(|requested| requested != before.status) {
        context.principal.ensure_can_write_network()?;
    }
    Ok(())
}

fn check_id(id: String, problems: &mut Problems) -> String {
    if !problems.has_problem("id_from_network") {
        check_external_id(&id, problems.property("id_from_network"));
    }
    id
}

/// Checks an external id and adds its problems.
pub(crate) fn check_external_id(id: &str, problems: &mut Problems) {
    if id.is_empty() {
        problems.add(BLANK);
    }
    if id.chars().count() > MAX_NAME_CHARS {
        problems.add(format!("is too long (maximum is {MAX_NAME_CHARS} characters)"));
    }
    if id.contains('\0') {
        problems.add(trunkline_domain::problem::INVALID);
    }
}

fn generate_id(
    unit: &mut UnitOfWork<'_>,
    network: NetworkId,
    kind: PartyKind,
    problems: &mut Problems,
) -> Result<String, Error> {
    if problems.has_problem("id_from_network") || !auto_generates_ids(unit, network)? {
        if !problems.has_problem("id_from_network") {
            problems.property("id_from_network").add(BLANK);
        }
        return Ok(String::new());
    }
    Ok(unit.generate_party_id(network, kind)?)
}

/// Tests if the network generates external ids for objects that are created without one.
pub(crate) fn auto_generates_ids(
    unit: &mut UnitOfWork<'_>,
    network: NetworkId,
) -> Result<bool, Error> {
    Ok(unit.network(network)?.is_some_and(|network| network.auto_generate_ids))
}

/// Deletes a party; does nothing if it does not exist.
///
/// # Errors
///
/// [`Error::NotAllowed`] if the party has campaigns or calls.
pub fn delete(
    unit: &mut UnitOfWork<'_>,
    context: &Context,
    kind: PartyKind,
    id: &str,
    precondition: &Precondition<Party>,
) -> Result<(), Error> {
    let found = unit.party_with_members(context.principal.network_id, kind, id)?;
    match &found {
        Some(party) => context.principal.ensure_can_view(party)?,
        None => ensure_network_reach(context, kind, id)?,
    }
    context.principal.ensure_can_write_network()?;
    check_precondition(precondition, found.as_ref())?;
    let Some(party) = found else { return Ok(()) };
    policy::check_deleted_members(context, Scope::Party(kind, party.id), &party.members)?;
    if unit.party_has_campaigns(&party)? {
        let message = "cannot be deleted because one or more campaigns exist";
        return Err(Error::NotAllowed(format!("{} {id} {message}", kind.class_name())));
    }
    if kind == PartyKind::Affiliate && unit.affiliate_has_calls(party.id.as_affiliate())? {
        let message = "cannot be deleted because one or more calls exist";
        return Err(Error::NotAllowed(format!("{} {id} {message}", kind.class_name())));
    }
    crate::relationships::audit_deleted_relationships(unit, context, party.id)?;
    unit.delete_party(&party)?;
    let snapshot = audit::party_snapshot(&party);
    audit::record(unit, context, audit_object(&party), None, Some(&snapshot), None)
}
