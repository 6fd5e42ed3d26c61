//! Stored records that are not domain objects: credentials and the audit log.

use jiff::Timestamp;
use jiff::civil::Date;
use serde_json::Value;
use trunkline_domain::id::{AuditEntryId, CustomDataFieldId, NetworkId, PartyId, TokenId, UserId};
use trunkline_domain::party::{CustomDataField, PartyKind, Role};

/// Cursor and limits of a page of a list.
#[derive(Debug, Clone, Copy)]
pub struct Page {
    /// Only rows with an id above this one; 0 starts at the first row.
    pub after: i64,
    /// Maximum number of rows.
    pub limit: u32,
    /// The page ends after the row with which its text columns reach this size in bytes.
    pub max_bytes: usize,
}

impl Page {
    /// Page of at most `limit` rows with ids above `after`, of any size in bytes.
    pub const fn new(after: i64, limit: u32) -> Self {
        Self { after, limit, max_bytes: usize::MAX }
    }
}

/// Organization that a membership belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Organization {
    /// Network, by id.
    Network(NetworkId),
    /// Advertiser or affiliate, by id.
    Party(PartyKind, PartyId),
}

/// Extent of a credential's access.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Scope {
    /// The whole network.
    Network,
    /// One advertiser or affiliate, by id.
    Party(PartyKind, PartyId),
}

/// Scope with the role in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Grant {
    /// Extent of the access.
    pub scope: Scope,
    /// Role within the scope.
    pub role: Role,
}

/// Stored API token, without the token itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenRecord {
    /// Id.
    pub id: TokenId,
    /// Network that the token belongs to.
    pub network_id: NetworkId,
    /// Scope and role of the token.
    pub grant: Grant,
    /// External id of the party that the token is restricted to.
    pub party_external_id: Option<String>,
    /// Label given by its creator.
    pub label: Option<String>,
    /// Time of creation.
    pub created_at: Timestamp,
    /// Time of expiry, if it expires.
    pub expires_at: Option<Timestamp>,
    /// Time of revocation, if it was revoked.
    pub revoked_at: Option<Timestamp>,
    /// Day of the last use, in the time zone of the network, as far as it is stored.
    pub last_used_on: Option<Date>,
}

/// Kind of a sign-in secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SignInKind {
    /// One-time token appended to an `object_url`.
    AccessToken,
    /// Cookie of a console session.
    Session,
    /// Sign-in link, which asks for a new password.
    Link,
}

/// Stored sign-in, without its secret.
#[derive(Debug, Clone, Copy)]
pub struct SignIn<'a> {
    /// SHA-256 hash of the secret.
    pub hash: &'a [u8],
    /// Kind of the secret.
    pub kind: SignInKind,
    /// Id of the user who is signed in by it.
    pub user_id: UserId,
    /// Grants of the user that the sign-in carries. It never has others.
    pub grants: &'a [Grant],
    /// Time of expiry.
    pub expires_at: Timestamp,
}

/// Sign-in that has not expired.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnexpiredSignIn {
    /// User who is signed in by it.
    pub user_id: UserId,
    /// Grants that it carries.
    pub grants: Vec<Grant>,
}

/// Custom data field with its id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredCustomDataField {
    /// Id.
    pub id: CustomDataFieldId,
    /// Field.
    pub field: CustomDataField,
}

/// Answer stored for an Idempotency-Key.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredAnswer {
    /// SHA-256 of the request that was answered.
    pub request_hash: Vec<u8>,
    /// Answer.
    pub answer: Value,
}

/// Audit log entry to store; its objects are serialized JSON.
pub type NewAuditEntry = AuditEntry<String>;

/// Audit log entry: one change of one object.
#[derive(Debug, Clone, PartialEq)]
pub struct AuditEntry<Object = Value> {
    /// Id, ascending in time.
    pub id: AuditEntryId,
    /// Network of the changed object.
    pub network_id: NetworkId,
    /// Time of the change.
    pub at: Timestamp,
    /// Id of the request that caused the change.
    pub request_id: String,
    /// Actor: `token:1`, `user:7`, `command line`.
    pub actor: String,
    /// Changed object: `affiliate_campaign:975/12`.
    pub object: String,
    /// `create`, `update`, `delete`, or a named action.
    pub action: String,
    /// State before the change; `None` if the object was created.
    pub before: Option<Object>,
    /// State after the change; `None` if the object was deleted.
    pub after: Option<Object>,
}

/// Filter of audit log entries.
#[derive(Debug, Clone, Default)]
pub struct AuditFilter {
    /// Only changes of this object.
    pub object: Option<String>,
    /// Only changes by this actor.
    pub actor: Option<String>,
    /// Only changes at this time or later.
    pub from: Option<Timestamp>,
    /// Only changes at this time or earlier.
    pub to: Option<Timestamp>,
}
