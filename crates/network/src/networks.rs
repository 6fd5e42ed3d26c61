//! The network itself, and its users.

use crate::{Context, Error, Guard, Session, Submitted, audit, check_precondition};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use trunkline_domain::party::{Member, Network, UserChange, apply_users};
use trunkline_domain::timezone::ZoneName;
use trunkline_store::Organization;

/// What a request says of the network.
#[derive(Debug, Clone, Default)]
pub struct NetworkChange {
    /// The name.
    pub name: Option<String>,
    /// The users, the full set.
    pub users: Option<Vec<UserChange>>,
}

/// The network as the audit log keeps it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct NetworkSnapshot {
    pub(crate) name: String,
    pub(crate) users: Vec<Member>,
}

pub(crate) fn snapshot(network: &Network) -> NetworkSnapshot {
    NetworkSnapshot { name: network.name.clone(), users: network.members.clone() }
}

/// The caller's network, without its people, for whoever has a credential of it.
pub fn of_caller(session: &mut Session<'_>, context: &Context) -> Result<Network, Error> {
    let id = context.caller.network_id;
    session.network(id)?.ok_or_else(|| Error::NotFound(format!("Network {id}")))
}

/// The network with its people. The whole network's credentials only.
pub fn get(session: &mut Session<'_>, context: &Context) -> Result<Network, Error> {
    context.caller.ensure_can_view_network()?;
    let id = context.caller.network_id;
    session.network_with_members(id)?.ok_or_else(|| Error::NotFound(format!("Network {id}")))
}

/// Changes the network.
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

/// Makes a network, at the command line. `None` when the id is in use.
pub fn create(
    session: &mut Session<'_>,
    name: &str,
    id: Option<i64>,
    zone: ZoneName,
    now: Timestamp,
) -> Result<Option<Network>, Error> {
    Ok(session.insert_network(id, name, zone, now)?)
}
