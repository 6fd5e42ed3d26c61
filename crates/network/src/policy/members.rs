//! Ranks the roles of users in writes: a principal can neither grant nor remove a role above its
//! own, nor change a user who has one.

use super::highest_role;
use crate::{Context, Error, Grant, Scope, UnitOfWork};
use trunkline_domain::party::{Member, Role};
use trunkline_domain::problem::Problems;

/// Message for a role that ranks above that of the principal.
pub(crate) const ABOVE_OWN_ROLE: &str = "is above your own";

/// Checks a complete list of users that is to be stored for an organization. Problems are added to
/// `users`, the node of the list.
///
/// # Errors
///
/// [`Error::NotAllowed`] if a written user also belongs to organizations that the principal does not
/// reach.
pub(crate) fn check_members(
    unit: &mut UnitOfWork<'_>,
    context: &Context,
    organization: Scope,
    before: &[Member],
    after: &[Member],
    users: &mut Problems,
) -> Result<(), Error> {
    if has_every_permission(context) {
        return Ok(());
    }
    for (index, member) in after.iter().enumerate() {
        let stored = find_member(before, &member.user.external_id);
        check_member(unit, context, organization, stored, member, users.item(index))?;
    }
    let is_left_out = |member: &&Member| find_member(after, &member.user.external_id).is_none();
    let left_out = before.iter().filter(is_left_out);
    check_left_out(context, organization, left_out, users);
    Ok(())
}

/// Checks one user of an organization. Problems are added to `problems`, the user's node.
///
/// # Errors
///
/// As [`check_members`].
pub(crate) fn check_member(
    unit: &mut UnitOfWork<'_>,
    context: &Context,
    organization: Scope,
    stored: Option<&Member>,
    member: &Member,
    problems: &mut Problems,
) -> Result<(), Error> {
    if has_every_permission(context) || stored == Some(member) {
        return Ok(());
    }
    let principal = &context.principal;
    let id = &member.user.external_id;
    let user = unit.user_by_external_id(principal.network_id, id)?;
    let mut grants = user.map_or(Ok(Vec::new()), |user| unit.grants_of_user(user.id))?;
    // The same roles on several organizations are compared by reach first: a role out of reach is
    // not revealed.
    let is_reached = |resource| highest_role(&principal.grants, resource).is_some();
    if grants.iter().any(|grant| !is_reached(grant.scope)) {
        let message = format!(
            "user {id} is also a member of other organizations: only the network may change it"
        );
        return Err(Error::NotAllowed(message));
    }
    grants.push(Grant { scope: organization, role: member.role });
    if !principal.covers_grants(&grants) {
        problems.property("role").add(ABOVE_OWN_ROLE);
    }
    Ok(())
}

/// Checks that no user with a role above the principal's own is removed from an organization.
///
/// # Errors
///
/// [`Error::Invalid`] with problems at `users`.
pub(crate) fn check_deleted_members(
    context: &Context,
    organization: Scope,
    deleted: &[Member],
) -> Result<(), Error> {
    let mut problems = Problems::new();
    check_left_out(context, organization, deleted.iter(), problems.property("users"));
    Ok(problems.into_result(())?)
}

fn check_left_out<'a>(
    context: &Context,
    organization: Scope,
    left_out: impl Iterator<Item = &'a Member>,
    users: &mut Problems,
) {
    let own = highest_role(&context.principal.grants, organization).map(Role::rank);
    for member in left_out.filter(|member| Some(member.role.rank()) > own) {
        let id = &member.user.external_id;
        users.add(format!("leaves out user {id}, whose role {ABOVE_OWN_ROLE}"));
    }
}

fn has_every_permission(context: &Context) -> bool {
    highest_role(&context.principal.grants, Scope::Network) == Some(Role::Super)
}

fn find_member<'a>(members: &'a [Member], id: &str) -> Option<&'a Member> {
    members.iter().find(|member| member.user.external_id == id)
}
