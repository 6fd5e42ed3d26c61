//! Opening databases without creating or migrating them.

use super::snapshot::{Snapshot, file_path};
use crate::operations::UnitOfWork;
use crate::sqlite::reserve::Reserve;
use crate::{Error, OpenError, Store};

/// Runs a read in one snapshot of a database that exists and has the current schema version. Nothing
/// is created, migrated or written.
pub fn read_existing<T, E: From<Error>>(
    url: &str,
    work: impl FnOnce(&mut UnitOfWork<'_>) -> Result<T, E>,
) -> Result<Result<T, E>, OpenError> {
    let mut snapshot = Snapshot::open(url)?;
    Ok(work(&mut snapshot.unit_of_work()))
}

impl Store {
    /// Opens a database that exists and has the current schema version; creates and migrates nothing.
    pub fn open_existing(url: &str) -> Result<Self, OpenError> {
        drop(Snapshot::open(url)?);
        Self::open(url)
    }

    /// Opens a database like [`Store::open_existing`], for a write that takes access away. If the disk is
    /// full, the reserve of a SQLite database is released where opening it needs space.
    pub fn open_existing_with_reserve(url: &str) -> Result<Self, OpenError> {
        let opened = Self::open_existing(url);
        match file_path(url)? {
            Some(file) if opened.is_err() && file.exists() => {
                Reserve::of(&file, false).release_if_needed();
                Self::open_existing(url)
            }
            _ => opened,
        }
    }

    /// Opens a database like [`Store::open_existing`], or creates it if the file does not exist or the
    /// database is empty. Does not migrate a database of an older version.
    pub fn open_or_create(url: &str) -> Result<Self, OpenError> {
        let is_missing = file_path(url)?.is_some_and(|file| !file.exists());
        if !is_missing {
            match Snapshot::open(url) {
                Ok(_) | Err(OpenError::Older { found: 0, .. }) => {}
                Err(error) => return Err(error),
            }
        }
        Self::open(url)
    }
}
