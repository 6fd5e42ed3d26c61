//! Who asks, and what they may do: the one place where scopes and roles are enforced.

use crate::Error;
use jiff::Timestamp;
use std::fmt;
use trunkline_domain::party::{Party, PartyKind};
pub use trunkline_store::{Grant, Scope};

/// Who did something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Actor {
    /// An API token, by our id.
    Token(i64),
    /// A person, by our id.
    User(i64),
    /// Someone at the server's own command line.
    CommandLine,
}

impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Token(id) => write!(f, "token:{id}"),
            Self::User(id) => write!(f, "user:{id}"),
            Self::CommandLine => f.write_str("command line"),
        }
    }
}

/// A good credential: who it is, and what they may do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// The network the credential is for.
    pub network_id: i64,
    /// Who.
    pub actor: Actor,
    /// A token has one; a person has one for each organization they have a role in.
    pub grants: Vec<Grant>,
}

/// A request: who asks, when, and what it is called in the log.
#[derive(Debug, Clone)]
pub struct Context {
    /// Who asks.
    pub caller: Caller,
    /// When, by the network's clock: a sandbox's own, else the system's.
    pub now: Timestamp,
    /// When by the system's clock: for what expires.
    pub system_now: Timestamp,
    /// The request's id.
    pub request_id: String,
}

impl Caller {
    /// Whether the whole network is the caller's.
    pub fn sees_network(&self) -> bool {
        self.grants.iter().any(|grant| grant.scope == Scope::Network)
    }

    /// Whether a party is the caller's own, or the whole network is.
    pub fn sees(&self, kind: PartyKind, id: i64) -> bool {
        let own = Scope::Party(kind, id);
        self.grants.iter().any(|grant| grant.scope == Scope::Network || grant.scope == own)
    }

    /// The parties of a kind that are the caller's own, by our id, in order.
    pub fn own(&self, kind: PartyKind) -> Vec<i64> {
        let own = self.grants.iter().filter_map(|grant| match grant.scope {
            Scope::Party(of, id) if of == kind => Some(id),
            _ => None,
        });
        let mut ids: Vec<i64> = own.collect();
        ids.sort_unstable();
        ids.dedup();
        ids
    }

    /// `Ok` if the caller may write to the network as a whole.
    pub fn require_network(&self) -> Result<(), Error> {
        self.ensure_can_write(Scope::Network)
    }

    /// `Ok` if the caller may write to a party and what is its own.
    pub fn ensure_can_write_party(&self, kind: PartyKind, id: i64) -> Result<(), Error> {
        self.ensure_can_write(Scope::Party(kind, id))
    }

    /// `Ok` if the caller may see the network as a whole: its users and audit log.
    pub fn ensure_can_view_network(&self) -> Result<(), Error> {
        if self.sees_network() {
            return Ok(());
        }
        Err(Error::NotAllowed("this credential is not for the whole network".to_owned()))
    }

    /// `Ok` if a party may be seen, else as if it weren't there.
    pub fn ensure_can_view(&self, party: &Party) -> Result<(), Error> {
        if self.sees(party.kind, party.id) {
            return Ok(());
        }
        Err(Error::NotFound(format!("{} {}", party.kind.class(), party.id_from_network)))
    }

    /// Whether the caller may do all that someone with these grants may: who can act as another
    /// person must not gain by it.
    pub fn covers_grants(&self, others: &[Grant]) -> bool {
        others.iter().all(|other| {
            self.grants.iter().any(|own| {
                let reaches = own.scope == Scope::Network || own.scope == other.scope;
                reaches && own.role.rank() >= other.role.rank()
            })
        })
    }

    fn ensure_can_write(&self, scope: Scope) -> Result<(), Error> {
        let covering: Vec<&Grant> = self
            .grants
            .iter()
            .filter(|grant| grant.scope == Scope::Network || grant.scope == scope)
            .collect();
        if covering.is_empty() {
            let message = "this credential does not reach that far";
            return Err(Error::NotAllowed(message.to_owned()));
        }
        if covering.iter().any(|grant| grant.role.may_write()) {
            return Ok(());
        }
        Err(Error::NotAllowed("an Observer may only read".to_owned()))
    }
}
