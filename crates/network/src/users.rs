//! Single users of an advertiser.

use crate::parties::{self, audit_object};
use crate::{
    Context, Error, Page, Precondition, Submission, UnitOfWork, audit, check_precondition,
    email_verifications, memberships, policy,
};
use trunkline_domain::party::{MAX_USERS_PER_ORGANIZATION, Member, Party, PartyKind, UserPatch};
use trunkline_domain::problem::BLANK;
use trunkline_store::{Organization, Scope};

fn find_advertiser(unit: &mut UnitOfWork<'_>, context: &Context, id: &str) -> Result<Party, Error> {
    parties::get(unit, context, PartyKind::Advertiser, id)
}

fn find_member<'a>(party: &'a Party, user: &str) -> Option<&'a Member> {
    party.members.iter().find(|member| member.user.external_id == user)
}

/// Returns one page of an advertiser's users, ordered by id.
pub fn list(
    unit: &mut UnitOfWork<'_>,
    context: &Context,
    advertiser: &str,
    page: Page,
) -> Result<Vec<Member>, Error> {
    let mut members = find_advertiser(unit, context, advertiser)?.members;
    members.retain(|member| member.user.id.get() > page.after);
    members.sort_by_key(|member| member.user.id);
    members.truncate(page.limit as usize);
    Ok(members)
}

/// Returns one of an advertiser's users.
pub fn get(
    unit: &mut UnitOfWork<'_>,
    context: &Context,
    advertiser: &str,
    user: &str,
) -> Result<Member, Error> {
    let party = find_advertiser(unit, context, advertiser)?;
    let missing = || Error::NotFound(format!("User {user} for advertiser {advertiser}"));
    find_member(&party, user).cloned().ok_or_else(missing)
}

/// Creates or updates one of an advertiser's users. Properties that are not given stay. Problems
/// are reported under `user`, as in the request body. The external id comes from the body, else
/// from the path.
pub fn put(
    unit: &mut UnitOfWork<'_>,
    context: &Context,
    advertiser: &str,
    path_id: Option<&str>,
    submitted: Submission<UserPatch>,
    precondition: &Precondition<Member>,
) -> Result<Member, Error> {
    let before = find_advertiser(unit, context, advertiser)?;
    context.principal.ensure_can_write_party(PartyKind::Advertiser, before.id)?;
    let Submission { mut change, mut problems } = submitted;
    change.external_id = change.external_id.or(path_id.map(str::to_owned));
    let id = change.external_id.clone().unwrap_or_default();
    let at_user = problems.property("user");
    if id.is_empty() && !at_user.has_problem("id_from_network") {
        at_user.property("id_from_network").add(BLANK);
    }
    let existing = find_member(&before, &id);
    check_precondition(precondition, existing)?;
    change.preserve_hidden(&before.members);
    let member = change.apply(existing, at_user);
    if existing.is_none() && before.members.len() >= MAX_USERS_PER_ORGANIZATION {
        problems
            .property("user")
            .add(format!("is one too many (maximum is {MAX_USERS_PER_ORGANIZATION} users)"));
    }
    let organization = Scope::Party(before.kind, before.id);
    let at_user = problems.property("user");
    policy::check_member(unit, context, organization, existing, &member, at_user)?;
    let member = problems.into_result(member)?;
    let place = |_| "user".to_owned();
    let organization = Organization::Party(before.kind, before.id);
    if let Some(stored) = existing.filter(|stored| **stored == member) {
        let written = std::slice::from_ref(stored);
        email_verifications::record_written(unit, context, organization, written, place)?;
        return Ok(stored.clone());
    }
    let mut members = before.members.clone();
    match members.iter_mut().find(|existing| existing.user.external_id == id) {
        Some(slot) => *slot = member,
        None => members.push(member),
    }
    let after = store(unit, context, before, &members)?;
    let missing = || Error::Internal("a user was not found after it was stored".to_owned());
    let stored = find_member(&after, &id).ok_or_else(missing)?;
    let written = std::slice::from_ref(stored);
    email_verifications::record_written(unit, context, organization, written, place)?;
    Ok(stored.clone())
}

/// Removes a user from an advertiser; does nothing if there is no such user.
pub fn delete(
    unit: &mut UnitOfWork<'_>,
    context: &Context,
    advertiser: &str,
    user: &str,
) -> Result<(), Error> {
    let before = find_advertiser(unit, context, advertiser)?;
    context.principal.ensure_can_write_party(PartyKind::Advertiser, before.id)?;
    let Some(deleted) = find_member(&before, user) else { return Ok(()) };
    let organization = Scope::Party(before.kind, before.id);
    policy::check_deleted_members(context, organization, std::slice::from_ref(deleted))?;
    let mut members = before.members.clone();
    members.retain(|member| member.user.external_id != user);
    store(unit, context, before, &members)?;
    Ok(())
}

fn store(
    unit: &mut UnitOfWork<'_>,
    context: &Context,
    before: Party,
    members: &[Member],
) -> Result<Party, Error> {
    let organization = Organization::Party(before.kind, before.id);
    let place = |_| "user".to_owned();
    let members =
        memberships::replace(unit, context, organization, &before.members, members, place)?;
    let mut after = Party { members, updated_at: context.now, ..before.clone() };
    after.updated_at = context.now;
    unit.update_party(&after)?;
    let old = audit::party_snapshot(&before);
    let new = audit::party_snapshot(&after);
    audit::record(unit, context, audit_object(&after), None, Some(&old), Some(&new))?;
    Ok(after)
}
