//! Settings and users of the network itself.

use crate::{
    Context, Error, Precondition, Submission, UnitOfWork, audit, check_precondition,
    email_verifications, memberships, policy,
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use trunkline_domain::id::{NetworkId, UserId};
use trunkline_domain::party::{
    EmailSetting, Member, Network, Role, User, UserPatch, build_members,
};
use trunkline_domain::timezone::TimeZoneName;
use trunkline_store::{Organization, Scope};

/// Requested change of the network.
#[derive(Debug, Clone, Default)]
pub struct NetworkChange {
    /// Name.
    pub name: Option<String>,
    /// Complete list of users.
    pub users: Option<Vec<UserPatch>>,
}

/// Network as stored in the audit log.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct NetworkSnapshot {
    pub(crate) name: String,
    pub(crate) users: Vec<Member>,
}

pub(crate) fn snapshot(network: &Network) -> NetworkSnapshot {
    NetworkSnapshot { name: network.name.clone(), users: network.members.clone() }
}

/// Returns the principal's network, without users.
pub fn of_principal(unit: &mut UnitOfWork<'_>, context: &Context) -> Result<Network, Error> {
    let id = context.principal.network_id;
    unit.network(id)?.ok_or_else(|| Error::NotFound(format!("Network {id}")))
}

/// Returns the network with its users. Requires read access to the whole network.
pub fn get(unit: &mut UnitOfWork<'_>, context: &Context) -> Result<Network, Error> {
    context.principal.ensure_can_view_network()?;
    let id = context.principal.network_id;
    unit.network_with_members(id)?.ok_or_else(|| Error::NotFound(format!("Network {id}")))
}

/// Updates the network.
pub fn put(
    unit: &mut UnitOfWork<'_>,
    context: &Context,
    submitted: Submission<NetworkChange>,
    precondition: &Precondition<Network>,
) -> Result<Network, Error> {
    context.principal.ensure_can_write_network()?;
    let before = get(unit, context)?;
    check_precondition(precondition, Some(&before))?;
    let Submission { change, mut problems } = submitted;
    let members = change.users.map(|mut users| {
        users.iter_mut().for_each(|user| user.preserve_hidden(&before.members));
        build_members(users, &mut problems)
    });
    if let Some(members) = &members {
        let users = problems.property("users");
        policy::check_members(unit, context, Scope::Network, &before.members, members, users)?;
    }
    let members_given = members.is_some();
    let mut network = before.clone();
    network.name = problems.into_result(change.name.unwrap_or(network.name))?;
    network.members = members.unwrap_or(network.members);
    let organization = Organization::Network(network.id);
    let place = |index| format!("users[{index}]");
    if network == before {
        if members_given {
            email_verifications::record_written(
                unit,
                context,
                organization,
                &before.members,
                place,
            )?;
        }
        return Ok(before);
    }
    unit.rename_network(network.id, &network.name)?;
    network.members = memberships::replace(
        unit,
        context,
        organization,
        &before.members,
        &network.members,
        place,
    )?;
    if members_given {
        email_verifications::record_written(unit, context, organization, &network.members, place)?;
    }
    let object = format!("network:{}", network.id);
    audit::record(
        unit,
        context,
        object,
        None,
        Some(&snapshot(&before)),
        Some(&snapshot(&network)),
    )?;
    Ok(network)
}

/// Id of the user that a network starts with.
const FIRST_USER_ID: &str = "admin";

/// Adds the first user of a new network, with the role Super (command line only). Returns the user.
pub fn create_first_user(
    unit: &mut UnitOfWork<'_>,
    network: NetworkId,
    email: &str,
) -> Result<User, Error> {
    let user = User {
        id: UserId::UNASSIGNED,
        external_id: FIRST_USER_ID.to_owned(),
        email_settings: vec![EmailSetting {
            email_address: email.to_owned(),
            use_for_notifications: true,
        }],
        first_name: "Network".to_owned(),
        last_name: "Administrator".to_owned(),
        contact_phone_number: None,
        oauth_refresh_token: None,
        notifications: Default::default(),
        can_login_via_platform: false,
    };
    let members = [Member { user, role: Role::Super }];
    let stored = unit.replace_members(network, Organization::Network(network), &members, false)?;
    let ids: Vec<UserId> = stored.iter().map(|member| member.user.id).collect();
    unit.verify_emails_of_users(&ids)?;
    let missing = || Error::Internal("the first user was not stored".to_owned());
    stored.into_iter().next().map(|member| member.user).ok_or_else(missing)
}

/// Creates a network (command line only). Returns `None` if the id is in use.
pub fn create(
    unit: &mut UnitOfWork<'_>,
    name: &str,
    id: Option<NetworkId>,
    zone: TimeZoneName,
    now: Timestamp,
) -> Result<Option<Network>, Error> {
    Ok(unit.insert_network(id, name, zone, now)?)
}
