//! Settings and users of the network itself.

use crate::{Context, Error, Guard, Session, Submitted, audit, check_precondition};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use trunkline_domain::party::{Member, Network, UserChange, apply_users};
use trunkline_domain::timezone::ZoneName;
use trunkline_store::Organization;

/// Requested change of the network.
#[derive(Debug, Clone, Default)]
pub struct NetworkChange {
    /// Name.
    pub name: Option<String>,
    /// Complete list of users.
    pub users: Option<Vec<UserChange>>,
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
pub fn of_caller(session: &mut Session<'_>, context: &Context) -> Result<Network, Error> {
    let id = context.caller.network_id;
    session.network(id)?.ok_or_else(|| Error::NotFound(format!("Network {id}")))
}

/// Returns the network with its users. Requires read access to the whole network.
pub fn get(session: &mut Session<'_>, context: &Context) -> Result<Network, Error> {
    context.caller.ensure_can_view_network()?;
    let id = context.caller.network_id;
    session.network_with_members(id)?.ok_or_else(|| Error::NotFound(format!("Network {id}")))
}

/// Updates the network.
pub fn put(
    session: &mut Session<'_>,
    context: &Context,
    submitted: Submitted<NetworkChange>,
    precondition: &Guard<Network>,
) -> Result<Network, Error> {
    context.caller.require_network()?;
    let before = get(session, context)?;
    check_precondition(precondition, Some(&before))?;
    let Submitted { change, mut problems } = submitted;
    let members = change.users.map(|mut users| {
        users.iter_mut().for_each(|user| user.keep_unseen(&before.members));
        apply_users(users, &mut problems)
    });
    let mut network = before.clone();
    network.name = problems.or(change.name.unwrap_or(network.name))?;
    network.members = members.unwrap_or(network.members);
    if network == before {
        return Ok(before);
    }
    session.rename_network(network.id, &network.name)?;
    let organization = Organization::Network(network.id);
    network.members = session.replace_members(network.id, organization, &network.members)?;
    let object = format!("network:{}", network.id);
    audit::record(
        session,
        context,
        object,
        None,
        Some(&snapshot(&before)),
        Some(&snapshot(&network)),
    )?;
    Ok(network)
}

/// Creates a network (command line only). Returns `None` if the id is in use.
pub fn create(
    session: &mut Session<'_>,
    name: &str,
    id: Option<i64>,
    zone: ZoneName,
    now: Timestamp,
) -> Result<Option<Network>, Error> {
    Ok(session.insert_network(id, name, zone, now)?)
}
