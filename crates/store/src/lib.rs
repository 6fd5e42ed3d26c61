//! Storage of a network's data on SQLite or PostgreSQL.
//!
//! A [`Store`] runs units of work: closures over a [`UnitOfWork`], which has one named operation for
//! each thing the use cases need. A write is one transaction (all of it is stored, or nothing); a
//! read sees one snapshot. SQL is written out next to the function that runs it, in [`operations`].

pub mod operations;

mod error;
mod postgres;
mod record;
mod sql;
mod sqlite;
mod store;
mod write_latency;
mod writer;

pub use error::{Error, OpenError};
pub use operations::{
    AffiliateCampaignInCampaign, AffiliateCampaignSize, AnsweredEvent, ApprovedAffiliate,
    AuditLimit, BackupError, BackupSummary, CallRecord, CallRowFilter, CallScope, CallTotals,
    CopiedTable, CopyError, CounterKey, CounterScope, CurrentTotals, DeliveryRecord, DeliveryState,
    DueWebhook, EndedCall, EventRecord, Finding, FirstIds, IdAndName, IdCounts, LedgerFilter,
    LedgerRow, LedgerScope, MailRecord, MailState, NewDelivery, NewEmailVerification, NewEvent,
    ObjectState, OpenEmailVerification, OverdueCall, PathIds, PathObject, PeriodBounds,
    ProgressObserver, PromoNumberKey, QuarterHourCalls, QuarterHourTotals, Recording,
    RecordingState, RelationshipOfParties, RepeatCallerQuery, ResolvedAffiliate, ResolvedPath,
    StatefulObject, StatementLine, StatementTotals, StoredReport, StoredSound, StoredTotal,
    UnitOfWork, UserInNetwork, UserWithPassword, ValidityPeriod, backup_database, check_database,
    copy_database, quarter_hour, read_existing, restore_database,
};
pub use record::{
    AuditEntry, AuditFilter, Grant, NewAuditEntry, Organization, Page, Scope, SignIn, SignInKind,
    StoredAnswer, StoredCustomDataField, TokenRecord, UnexpiredSignIn,
};
pub use store::{GuardedRead, Store};
pub use write_latency::WriteLatencySnapshot;
pub use writer::WriteCounts;
