//! Stores the users of an organization, and reports users who were created by an advertiser or
//! affiliate and become members of another organization.

use crate::{Context, Error, UnitOfWork, audit};
use serde_json::{Value, json};
use std::collections::HashSet;
use trunkline_domain::party::Member;
use trunkline_store::{Organization, Scope};

/// Replaces the users of an organization. Each user who was created by a credential of an advertiser
/// or affiliate and is new in this organization gets a warning, at the place that `place` returns for
/// the index in `after`, and an audit entry. The sessions of users whose grants or addresses change
/// end in the same transaction.
pub(crate) fn replace(
    unit: &mut UnitOfWork<'_>,
    context: &Context,
    organization: Organization,
    before: &[Member],
    after: &[Member],
    place: impl Fn(usize) -> String,
) -> Result<Vec<Member>, Error> {
    let taken_in = find_taken_in(unit, context, before, after)?;
    let mut entries = Vec::new();
    for (index, id) in taken_in {
        let Some(user) = unit.user_by_external_id(context.principal.network_id, &id)? else {
            continue;
        };
        let grants = unit.grants_of_user(user.id)?;
        let organizations = name_organizations(unit, grants.iter().map(|grant| grant.scope))?;
        context.warnings.add(
            &place(index),
            &format!(
                "user {id} was created by a party and belongs to {}; earlier sessions have ended",
                organizations.join(", ")
            ),
        );
        entries.push((id, organizations));
    }
    let by_party = !context.principal.can_view_network();
    let stored =
        unit.replace_members(context.principal.network_id, organization, after, by_party)?;
    if !entries.is_empty() {
        let scope = match organization {
            Organization::Network(_) => Scope::Network,
            Organization::Party(kind, id) => Scope::Party(kind, id),
        };
        let added = name_organizations(unit, std::iter::once(scope))?;
        for (id, organizations) in entries {
            let after: Vec<&String> = organizations.iter().chain(&added).collect();
            let value = |names: Value| json!({ "organizations": names });
            let (before, after) = (value(json!(organizations)), value(json!(after)));
            let object = format!("user:{id}");
            audit::record(unit, context, object, Some("take_in"), Some(&before), Some(&after))?;
        }
    }
    Ok(stored)
}

/// Returns the users of `after` who are not in `before` and whom a party's credential created, with
/// their indexes.
fn find_taken_in(
    unit: &mut UnitOfWork<'_>,
    context: &Context,
    before: &[Member],
    after: &[Member],
) -> Result<Vec<(usize, String)>, Error> {
    let known: HashSet<&str> =
        before.iter().map(|member| member.user.external_id.as_str()).collect();
    let ids = after.iter().map(|member| member.user.external_id.as_str()).enumerate();
    let new: Vec<(usize, &str)> = ids.filter(|(_, id)| !known.contains(id)).collect();
    if new.is_empty() {
        return Ok(Vec::new());
    }
    let new_ids: Vec<&str> = new.iter().map(|(_, id)| *id).collect();
    let found = unit.users_created_by_parties(context.principal.network_id, &new_ids)?;
    let found: HashSet<&str> = found.iter().map(String::as_str).collect();
    let taken_in = new.into_iter().filter(|(_, id)| found.contains(id));
    Ok(taken_in.map(|(index, id)| (index, id.to_owned())).collect())
}

/// Names organizations as `network`, `advertiser <id>` or `affiliate <id>`, with external ids.
fn name_organizations(
    unit: &mut UnitOfWork<'_>,
    scopes: impl Iterator<Item = Scope>,
) -> Result<Vec<String>, Error> {
    let mut names = Vec::new();
    for scope in scopes {
        names.push(match scope {
            Scope::Network => "network".to_owned(),
            Scope::Party(kind, id) => {
                let external_id = unit.party_by_id(id)?.map(|party| party.external_id);
                format!("{} {}", kind.as_str(), external_id.unwrap_or_default())
            }
        });
    }
    Ok(names)
}
