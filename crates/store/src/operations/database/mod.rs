//! Operations on a whole database: the consistency check, the copy, backup and restore.

mod backup;
mod check;
mod check_holds;
mod check_invariants;
mod check_json;
mod check_ledger;
mod check_references;
mod copy;
mod existing;
mod snapshot;
mod tables;
mod target;

pub use backup::{BackupError, BackupSummary, backup_database, restore_database};
pub use check::{Finding, ProgressObserver, check_database};
pub use copy::{CopiedTable, CopyError, copy_database};
pub use existing::read_existing;
