//! Decides what a principal may do. Scopes and roles are compared here and nowhere else.

mod members;

pub(crate) use members::{ABOVE_OWN_ROLE, check_deleted_members, check_member, check_members};

use crate::Error;
use trunkline_domain::party::Role;
use trunkline_store::{Grant, Scope};

/// Kind of access to a resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Reads it.
    View,
    /// Changes it and the objects below it.
    Write,
    /// Changes what gives others access or data: tokens, edges, settings, webhooks.
    Administer,
}

/// Answer to one question of access.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// The principal may do it.
    Allowed,
    /// None of the principal's grants reaches the resource.
    OutOfReach,
    /// The highest role that reaches the resource is too low.
    RoleTooLow(Role),
}

impl Action {
    /// Lowest role that permits the action.
    fn lowest_role(self) -> Role {
        match self {
            Self::View => Role::Observer,
            Self::Write => Role::Member,
            Self::Administer => Role::Manager,
        }
    }
}

impl Decision {
    /// Returns `Ok` if the action is allowed.
    ///
    /// # Errors
    ///
    /// [`Error::NotAllowed`] otherwise.
    pub fn into_result(self) -> Result<(), Error> {
        let message = match self {
            Self::Allowed => return Ok(()),
            Self::OutOfReach => "the object is outside the scope of this credential".to_owned(),
            Self::RoleTooLow(Role::Observer) => "an Observer may only read".to_owned(),
            Self::RoleTooLow(role) => {
                format!("a {} may not do this: it needs the role Manager or Super", role.as_str())
            }
        };
        Err(Error::NotAllowed(message))
    }
}

/// Decides if a principal with these grants may act on a resource. A grant for the network reaches all of its parties.
pub fn decide(grants: &[Grant], action: Action, resource: Scope) -> Decision {
    match highest_role(grants, resource) {
        None => Decision::OutOfReach,
        Some(role) if role.rank() >= action.lowest_role().rank() => Decision::Allowed,
        Some(role) => Decision::RoleTooLow(role),
    }
}

/// Returns the highest role of the grants that reach a resource; `None` if none does.
fn highest_role(grants: &[Grant], resource: Scope) -> Option<Role> {
    let reaching =
        grants.iter().filter(|grant| grant.scope == Scope::Network || grant.scope == resource);
    reaching.map(|grant| grant.role).max_by_key(|role| role.rank())
}

#[cfg(test)]
mod tests {
    use super::*;
    use trunkline_domain::id::PartyId;
    use trunkline_domain::party::PartyKind;

    const ADVERTISER: Scope = Scope::Party(PartyKind::Advertiser, PartyId::new(1));
    const AFFILIATE: Scope = Scope::Party(PartyKind::Affiliate, PartyId::new(1));

    /// Grants, and the decisions for the network, the advertiser and the affiliate.
    type Case<'a> = (&'a [(Scope, Role)], [&'a str; 3]);

    /// Each letter is the decision for view, write and administer: `+` allowed, `-` the role is too
    /// low, `.` out of reach.
    #[test]
    fn scopes_reach_and_roles_rank() {
        use Role::{Manager, Member, Observer, Super};
        let cases: [Case<'_>; 11] = [
            (&[(Scope::Network, Super)], ["+++", "+++", "+++"]),
            (&[(Scope::Network, Manager)], ["+++", "+++", "+++"]),
            (&[(Scope::Network, Member)], ["++-", "++-", "++-"]),
            (&[(Scope::Network, Observer)], ["+--", "+--", "+--"]),
            (&[(ADVERTISER, Super)], ["...", "+++", "..."]),
            (&[(ADVERTISER, Observer)], ["...", "+--", "..."]),
            (&[(AFFILIATE, Member)], ["...", "...", "++-"]),
            (
                &[(Scope::Party(PartyKind::Affiliate, PartyId::new(2)), Super)],
                ["...", "...", "..."],
            ),
            // The highest of several roles counts, each within its reach.
            (&[(Scope::Network, Observer), (AFFILIATE, Super)], ["+--", "+--", "+++"]),
            (&[(ADVERTISER, Member), (AFFILIATE, Manager)], ["...", "++-", "+++"]),
            (&[], ["...", "...", "..."]),
        ];
        for (grants, expected) in cases {
            let grants: Vec<Grant> =
                grants.iter().map(|(scope, role)| Grant { scope: *scope, role: *role }).collect();
            let row = |resource| -> String {
                let decisions = [Action::View, Action::Write, Action::Administer]
                    .map(|action| decide(&grants, action, resource));
                let letter = |decision| match decision {
                    Decision::Allowed => '+',
                    Decision::OutOfReach => '.',
                    Decision::RoleTooLow(_) => '-',
                };
                decisions.into_iter().map(letter).collect()
            };
            let rows = [Scope::Network, ADVERTISER, AFFILIATE].map(row);
            assert_eq!(rows, expected, "{grants:?}");
        }
    }
}
