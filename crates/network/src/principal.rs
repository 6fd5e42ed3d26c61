//! Authenticated principal and its permissions, as decided by [`crate::policy`].

use crate::policy::{Action, Decision, decide};
use crate::{Error, InternalIdUse, Warnings};
use jiff::Timestamp;
use std::fmt;
use trunkline_domain::id::{AdvertiserId, AffiliateId, NetworkId, PartyId, TokenId, UserId};
use trunkline_domain::party::{Party, PartyKind};
pub use trunkline_store::{Grant, Scope};

/// Author of a change, as recorded in the audit log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Actor {
    /// API token, by id.
    Token(TokenId),
    /// User, by id.
    User(UserId),
    /// Command line of the server.
    CommandLine,
    /// Somebody without a credential.
    Anonymous,
}

impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Token(id) => write!(f, "token:{id}"),
            Self::User(id) => write!(f, "user:{id}"),
            Self::CommandLine => f.write_str("command line"),
            Self::Anonymous => f.write_str("anonymous"),
        }
    }
}

/// Authenticated principal with its grants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Principal {
    /// Network of the credential.
    pub network_id: NetworkId,
    /// Token or user.
    pub actor: Actor,
    /// Grants. A token has one; a user has one for each organization in which they have a role.
    pub grants: Vec<Grant>,
}

/// Network, advertiser or affiliate whose credentials share limits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Tenant {
    /// Network; of an advertiser or affiliate, the network that it belongs to.
    pub network_id: NetworkId,
    /// The whole network, or the party.
    pub scope: Scope,
}

impl fmt::Display for Tenant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.scope {
            Scope::Network => write!(f, "network:{}", self.network_id),
            Scope::Party(kind, id) => write!(f, "{}:{id}", kind.as_str()),
        }
    }
}

/// Context of a request.
#[derive(Debug, Clone)]
pub struct Context {
    /// Authenticated principal.
    pub principal: Principal,
    /// Time by the network's clock: the sandbox's clock, else the system clock.
    pub now: Timestamp,
    /// Time by the system clock, for expiry times and delivery schedules.
    pub system_now: Timestamp,
    /// Id of the request, for logs and the audit log.
    pub request_id: String,
    /// Warnings for the client about a write that is carried out.
    pub warnings: Warnings,
    /// Record of objects that the request names by the server's ids.
    pub internal_id_use: InternalIdUse,
}

impl Principal {
    /// Tests if the principal can view the whole network.
    pub fn can_view_network(&self) -> bool {
        decide(&self.grants, Action::View, Scope::Network) == Decision::Allowed
    }

    /// Tests if the principal can view a party: through a grant for it or for the whole network.
    pub fn can_view(&self, kind: PartyKind, id: impl Into<PartyId>) -> bool {
        decide(&self.grants, Action::View, Scope::Party(kind, id.into())) == Decision::Allowed
    }

    /// Returns the tenant whose limits the principal's requests count against: the network if it
    /// has a grant for it, else the party of its first grant.
    pub fn tenant(&self) -> Tenant {
        let mut scopes = self.grants.iter().map(|grant| grant.scope);
        let party = scopes.clone().find(|scope| *scope != Scope::Network);
        let is_network = scopes.any(|scope| scope == Scope::Network);
        let scope = party.filter(|_| !is_network).unwrap_or(Scope::Network);
        Tenant { network_id: self.network_id, scope }
    }

    /// Returns `Ok` if the principal can report calls of at least one advertiser.
    ///
    /// # Errors
    ///
    /// [`Error::NotAllowed`] otherwise.
    pub fn ensure_can_report_calls(&self) -> Result<(), Error> {
        let of_advertisers = self.grants.iter().map(|grant| grant.scope).filter(|scope| {
            matches!(scope, Scope::Network | Scope::Party(PartyKind::Advertiser, _))
        });
        let decisions = of_advertisers.map(|scope| decide(&self.grants, Action::Write, scope));
        let best = decisions.reduce(|best, next| match best {
            Decision::Allowed => best,
            _ => next,
        });
        best.unwrap_or(Decision::OutOfReach).into_result()
    }

    /// Tests if the principal can write anything: it has a role above Observer.
    pub fn can_write(&self) -> bool {
        self.grants
            .iter()
            .any(|grant| decide(&self.grants, Action::Write, grant.scope) == Decision::Allowed)
    }

    /// Returns the ids, ascending, of the parties of a kind for which the principal has a grant of
    /// its own.
    pub fn party_ids(&self, kind: PartyKind) -> Vec<PartyId> {
        let own = self.grants.iter().filter_map(|grant| match grant.scope {
            Scope::Party(of, id) if of == kind => Some(id),
            _ => None,
        });
        let mut ids: Vec<PartyId> = own.collect();
        ids.sort_unstable();
        ids.dedup();
        ids
    }

    /// Returns the ids, ascending, of the advertisers for which the principal has a grant.
    pub fn advertiser_ids(&self) -> Vec<AdvertiserId> {
        self.party_ids(PartyKind::Advertiser).into_iter().map(PartyId::as_advertiser).collect()
    }

    /// Returns the ids, ascending, of the affiliates for which the principal has a grant.
    pub fn affiliate_ids(&self) -> Vec<AffiliateId> {
        self.party_ids(PartyKind::Affiliate).into_iter().map(PartyId::as_affiliate).collect()
    }

    /// Returns `Ok` if the principal can write to the whole network.
    ///
    /// # Errors
    ///
    /// [`Error::NotAllowed`] otherwise.
    pub fn ensure_can_write_network(&self) -> Result<(), Error> {
        decide(&self.grants, Action::Write, Scope::Network).into_result()
    }

    /// Returns `Ok` if the principal can change what gives others access to the network or its data:
    /// webhooks.
    ///
    /// # Errors
    ///
    /// [`Error::NotAllowed`] otherwise.
    pub fn ensure_can_administer_network(&self) -> Result<(), Error> {
        decide(&self.grants, Action::Administer, Scope::Network).into_result()
    }

    /// Returns `Ok` if the principal can change the network's settings: with the role Super or
    /// Manager.
    ///
    /// # Errors
    ///
    /// [`Error::NotAllowed`] otherwise.
    pub fn ensure_can_manage_network(&self) -> Result<(), Error> {
        self.ensure_can_write_network()?;
        let is_manager = |grant: &Grant| grant.scope == Scope::Network && grant.role.can_manage();
        if self.grants.iter().any(is_manager) {
            return Ok(());
        }
        Err(Error::NotAllowed("only a Super or a Manager may change settings".to_owned()))
    }

    /// Returns `Ok` if the principal can write to a party and the objects below it.
    ///
    /// # Errors
    ///
    /// [`Error::NotAllowed`] otherwise.
    pub fn ensure_can_write_party(
        &self,
        kind: PartyKind,
        id: impl Into<PartyId>,
    ) -> Result<(), Error> {
        decide(&self.grants, Action::Write, Scope::Party(kind, id.into())).into_result()
    }

    /// Returns `Ok` if the principal can view the whole network, including its users and audit log.
    ///
    /// # Errors
    ///
    /// [`Error::NotAllowed`] otherwise.
    pub fn ensure_can_view_network(&self) -> Result<(), Error> {
        if self.can_view_network() {
            return Ok(());
        }
        Err(Error::NotAllowed("this credential is not for the whole network".to_owned()))
    }

    /// Returns `Ok` if the principal can view a party.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`] otherwise, so that the existence of the party is not revealed.
    pub fn ensure_can_view(&self, party: &Party) -> Result<(), Error> {
        if self.can_view(party.kind, party.id) {
            return Ok(());
        }
        Err(Error::NotFound(format!("{} {}", party.kind.class_name(), party.external_id)))
    }

    /// Tests if the principal has every permission in `others`. Required before a principal gets a
    /// credential of another user: it must not gain permissions by it.
    pub fn covers_grants(&self, others: &[Grant]) -> bool {
        others.iter().all(|other| {
            self.grants.iter().any(|own| {
                let reaches = own.scope == Scope::Network || own.scope == other.scope;
                reaches && own.role.rank() >= other.role.rank()
            })
        })
    }
}
