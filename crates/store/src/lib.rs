//! Keeps what the network stores.
//!
//! A [`Store`] runs units of work: a closure over a [`Session`], which has one named operation for
//! each thing the use cases need. A write is one transaction (all of it or nothing), a read one
//! snapshot. SQL is written out next to the function that runs it, in [`sqlite`].

pub mod sqlite;

mod error;
mod record;

pub use error::{Error, OpenError};
pub use record::{
    AuditEntry, AuditFilter, Grant, Organization, Page, Scope, SignIn, SignInKind, TokenRecord,
};
pub use sqlite::{
    CallTotals, Counted, CountedThing, DeliveryRecord, DeliveryState, EventRecord, MailRecord,
    MailState, Session, Store, WriteCounts, WriteWaits,
};
