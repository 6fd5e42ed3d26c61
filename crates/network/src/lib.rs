//! Use cases of the network: one function for each operation of the API.
//!
//! Each function has the same steps: authorize, decide (domain), write, add the audit entry. They
//! run in one transaction that the calling code has opened on the store; an error rolls it back.

pub mod affiliate_campaigns;
pub mod audit;
mod audit_difference;
pub mod call_ids;
pub mod call_log;
pub mod call_moves;
pub mod calls;
pub mod calls_in_progress;
pub mod campaign_status;
pub mod campaigns;
pub mod conditions;
pub mod corrections;
pub mod credentials;
pub mod custom_data_fields;
pub mod dry_run;
pub mod email_verifications;
pub mod events;
pub mod explanations;
pub mod live_calls;
pub mod look_alikes;
pub mod mails;
pub mod networks;
pub mod outbox;
pub mod parties;
pub mod promo_numbers;
pub mod quick_stats;
pub mod recordings;
pub mod redecide;
pub mod relationships;
mod repeat_callers;
pub mod replay;
pub mod revert;
pub mod sandbox;
pub mod settings;
pub mod sign_in_links;
pub mod sign_in_throttle;
pub mod statements;
pub mod tokens;
pub mod transactions;
pub mod unknown_area_codes;
pub mod users;
pub mod webhooks;

mod batch_lookups;
mod budgets;
mod call_events;
mod call_parties;
mod credential_cache;
mod error;
mod idempotency;
mod internal_id_use;
mod internal_ids;
mod keyed_semaphores;
mod late_call_events;
mod live_call_ends;
mod memberships;
mod passwords;
mod pending_writes;
mod policy;
mod principal;
mod row_replacements;
mod running_totals;
mod secrets;
mod settlement;
mod token_uses;
mod warnings;
mod work_limits;

pub use credential_cache::{CachedToken, CredentialCache};
pub use error::Error;
pub use idempotency::IdempotencyKey;
pub use internal_id_use::InternalIdUse;
pub use internal_ids::{PathObject, with_internal_ids};
pub use keyed_semaphores::KeyedSemaphores;
pub use passwords::{ClientAddress, PasswordVerifier, PresentedPassword};
pub use policy::{Action, Decision, decide};
pub use principal::{Actor, Context, Grant, Principal, Scope, Tenant};
pub use sign_in_throttle::network_of;
pub use token_uses::TokenUses;
pub use trunkline_store::{
    AuditEntry, AuditFilter, AuditLimit, CallTotals, DeliveryRecord, DeliveryState, DueWebhook,
    EventRecord, IdAndName, LedgerRow, LedgerScope, MailRecord, MailState, NewAuditEntry,
    OpenError, Page, Recording, StatementLine, StatementTotals, Store, StoredSound, TokenRecord,
    UnitOfWork,
};
pub use warnings::Warnings;
pub use work_limits::{
    ExpensivePermit, ExpensiveRequests, FairQueue, StopOnDrop, Turn, WorkLimits,
};

use trunkline_domain::problem::Problems;

/// Content of a request, with the problems that were found while it was parsed. The use case adds
/// its own problems, so that all problems are reported together.
#[derive(Debug, Clone, Default)]
pub struct Submission<T> {
    /// Requested change.
    pub change: T,
    /// Problems found so far.
    pub problems: Problems,
}

/// One page of a list, reduced to the objects that the principal may see.
#[derive(Debug, Clone)]
pub struct VisiblePage<T> {
    /// Visible objects.
    pub items: Vec<T>,
    /// Id of the last object that was examined, visible or not: the cursor of the next page.
    pub last_examined_id: Option<i64>,
}

/// Precondition of a write, such as `If-Match`: tests the current object, which is `None` if it
/// does not exist.
pub type Precondition<T> = Box<dyn Fn(Option<&T>) -> bool + Send>;

/// Returns a precondition that always holds.
pub fn no_precondition<T>() -> Precondition<T> {
    Box::new(|_| true)
}

fn check_precondition<T>(precondition: &Precondition<T>, current: Option<&T>) -> Result<(), Error> {
    if precondition(current) { Ok(()) } else { Err(Error::PreconditionFailed) }
}
