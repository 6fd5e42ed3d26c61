//! What is stored beside the domain's own objects: credentials, and who did what.

use jiff::Timestamp;
use serde_json::Value;
use trunkline_domain::party::{PartyKind, Role};

/// Which rows of a list: those after an id, up to a number.
#[derive(Debug, Clone, Copy)]
pub struct Page {
    /// Only ids above this one; 0 is from the start.
    pub after: i64,
    /// At most so many rows.
    pub limit: u32,
    /// No more rows once those there are have so many bytes of text.
    pub bytes: usize,
}

impl Page {
    /// Rows after an id, up to a number, however large they are.
    pub const fn of(after: i64, limit: u32) -> Self {
        Self { after, limit, bytes: usize::MAX }
    }
}

/// Whose people a membership is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Organization {
    /// A network, by id.
    Network(i64),
    /// An advertiser or affiliate, by id.
    Party(PartyKind, i64),
}

/// How far a credential reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Scope {
    /// All of the network.
    Network,
    /// One advertiser or affiliate, by our id.
    Party(PartyKind, i64),
}

/// A scope, and what may be done in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Grant {
    /// Where.
    pub scope: Scope,
    /// As what.
    pub role: Role,
}

/// A stored API token; the token itself is not kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenRecord {
    /// Ours.
    pub id: i64,
    /// The network it is for.
    pub network_id: i64,
    /// What it may do.
    pub grant: Grant,
    /// The network's id of the party it is for.
    pub party_id_from_network: Option<String>,
    /// What people call it.
    pub label: Option<String>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it stops working.
    pub expires_at: Option<Timestamp>,
    /// When it was revoked.
    pub revoked_at: Option<Timestamp>,
}

/// What signs a person in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SignInKind {
    /// Appended to an object_url, once.
    AccessToken,
    /// The console's cookie.
    Session,
}

/// A stored sign-in; its secret is not kept.
#[derive(Debug, Clone, Copy)]
pub struct SignIn<'a> {
    /// SHA-256 of the secret.
    pub hash: &'a [u8],
    /// Which kind.
    pub kind: SignInKind,
    /// Whom it signs in, ours.
    pub user_id: i64,
    /// Until when.
    pub expires_at: Timestamp,
}

/// One change, for the audit log to keep: objects are JSON already.
pub type NewAuditEntry = AuditEntry<String>;

/// One change, as the audit log keeps it.
#[derive(Debug, Clone, PartialEq)]
pub struct AuditEntry<Object = Value> {
    /// Ours, in order of time; 0 until stored.
    pub id: i64,
    /// The network it happened in.
    pub network_id: i64,
    /// When.
    pub at: Timestamp,
    /// The request that caused it.
    pub request_id: String,
    /// Who: `token:1`, `user:7`, `command line`.
    pub actor: String,
    /// What: `affiliate_campaign:975/12`.
    pub object: String,
    /// `create`, `update`, `delete`, or a named action.
    pub action: String,
    /// The object before; `None` when it was made.
    pub before: Option<Object>,
    /// The object after; `None` when it was deleted.
    pub after: Option<Object>,
}

/// Which entries of the audit log.
#[derive(Debug, Clone, Default)]
pub struct AuditFilter {
    /// Only this object's.
    pub object: Option<String>,
    /// Only this actor's.
    pub actor: Option<String>,
    /// Not before.
    pub from: Option<Timestamp>,
    /// Not after.
    pub to: Option<Timestamp>,
}
