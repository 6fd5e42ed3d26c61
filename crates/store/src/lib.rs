//! Keeps what the network stores.
//!
//! A [`Store`] runs units of work: a closure over a [`Session`], which has one named operation for
//! each thing the use cases need. A write is one transaction (all of it or nothing), a read one
//! snapshot. SQL is written out next to the function that runs it, in [`operations`].

pub mod operations;

mod error;
mod postgres;
mod record;
mod sql;
mod sqlite;
mod store;
mod waits;
mod writer;

pub use error::{Error, OpenError};
pub use operations::{
    CallRecord, CallTotals, CallsOf, Copied, CopyError, Counted, CountedThing, DeliveryRecord,
    DeliveryState, EventRecord, Finding, Ids, IdsWanted, KeptTotal, LedgerFilter, LedgerOf,
    LedgerRow, ListedCalls, MailRecord, MailState, Named, NewEvent, Reign, Repeat, Session,
    StatementLine, StatementTotals, Watch, check, copy, edges, quarter,
};
pub use record::{
    AuditEntry, AuditFilter, Grant, NewAuditEntry, Organization, Page, Scope, SignIn, SignInKind,
    TokenRecord,
};
pub use store::Store;
pub use waits::WriteWaits;
pub use writer::WriteCounts;
