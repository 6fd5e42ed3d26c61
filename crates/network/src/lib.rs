//! The use cases: one function for each thing a person can ask for.
//!
//! Each goes the same way, visibly: permission, domain decision, write, audit entry. All of it
//! happens in one unit of work, which the caller has opened on the store; an error undoes it.

pub mod affiliate_campaigns;
pub mod audit;
pub mod call_log;
pub mod calls;
pub mod campaign_status;
pub mod campaigns;
pub mod conditions;
pub mod corrections;
pub mod credentials;
pub mod custom_data_fields;
pub mod dry_run;
pub mod events;
pub mod explanations;
pub mod live_calls;
pub mod mails;
pub mod networks;
pub mod outbox;
pub mod parties;
pub mod promo_numbers;
pub mod relationships;
pub mod replay;
pub mod revert;
pub mod sandbox;
pub mod statements;
pub mod transactions;
pub mod users;
pub mod webhooks;

mod batch_lookups;
mod budgets;
mod call_parties;
mod credential_cache;
mod error;
mod idempotency;
mod passwords;
mod pending_writes;
mod principal;
mod running_totals;
mod settlement;

pub use credential_cache::{Credentials, Standing};
pub use error::Error;
pub use idempotency::IdempotencyKey;
pub use passwords::Passwords;
pub use principal::{Actor, Caller, Context, Grant, Scope};
pub use trunkline_store::{
    AuditEntry, AuditFilter, CallTotals, DeliveryRecord, DeliveryState, EventRecord, LedgerOf,
    LedgerRow, MailRecord, MailState, Named, NewAuditEntry, OpenError, Page, Session,
    StatementLine, StatementTotals, Store, TokenRecord,
};

use trunkline_domain::problem::Problems;

/// What a request says, with what was found wrong with it while it was read. The use case adds
/// what it finds, so that every problem is reported at once.
#[derive(Debug, Clone, Default)]
pub struct Submitted<T> {
    /// What it says.
    pub change: T,
    /// What is wrong already.
    pub problems: Problems,
}

/// One page of a list, of which the caller may see only some.
#[derive(Debug, Clone)]
pub struct Listed<T> {
    /// What the caller sees.
    pub found: Vec<T>,
    /// Our id of the last object looked at, seen or not: where the next page goes on.
    pub last: Option<i64>,
}

/// Whether an object, as it is just before a write, is what the writer thinks it is; `None` is an
/// object that does not exist. `If-Match` is one of these.
pub type Guard<T> = Box<dyn Fn(Option<&T>) -> bool + Send>;

/// A guard that lets everything through.
pub fn unguarded<T>() -> Guard<T> {
    Box::new(|_| true)
}

fn check_precondition<T>(guard: &Guard<T>, current: Option<&T>) -> Result<(), Error> {
    if guard(current) { Ok(()) } else { Err(Error::Overtaken) }
}
