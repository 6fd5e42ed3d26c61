//! Reserve of disk space beside a database file. It is released for writes that must be possible on a full
//! disk, such as the revocation of a token, and taken again when there is space.

use super::files::{companion, create_private_for};
use std::fs::{OpenOptions, remove_file};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Size of the reserve, in bytes: room for about a hundred small writes.
const RESERVE_BYTES: u64 = 2 << 20;
/// Space that there must be beside the reserve, in bytes; otherwise the reserve is released.
const PROBE_BYTES: u64 = 64 << 10;
/// Shortest time between two attempts to complete the reserve.
const RESTORE_INTERVAL: Duration = Duration::from_secs(1);

/// Reserve of one database file.
#[derive(Debug)]
pub(crate) struct Reserve {
    database: PathBuf,
    file: PathBuf,
    /// True if the reserve is completed whenever it is not complete: in a server, or after its use.
    is_kept: bool,
    last_attempt: Option<Instant>,
}

impl Reserve {
    /// Returns the reserve of a database file. A server keeps it complete.
    pub(crate) fn of(database: &Path, is_kept: bool) -> Self {
        let file = companion(database, "-reserve");
        Self { database: database.to_owned(), file, is_kept, last_attempt: None }
    }

    /// Releases the reserve if there is hardly any space beside it.
    pub(crate) fn release_if_needed(&mut self) {
        if self.has_space_beside() {
            return;
        }
        match remove_file(&self.file) {
            Ok(()) => tracing::warn!("the disk is full: the reserve of the database is used"),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => tracing::error!(%error, "the reserve of the database cannot be used"),
        }
        self.is_kept = true;
        self.last_attempt = None;
    }

    /// Completes the reserve if it is not complete, at most once a second. On a full disk it takes the space
    /// that is left, so that ordinary writes do not.
    pub(crate) fn restore(&mut self) {
        let is_too_early = self.last_attempt.is_some_and(|at| at.elapsed() < RESTORE_INTERVAL);
        if !self.is_kept || is_too_early {
            return;
        }
        self.last_attempt = Some(Instant::now());
        if let Err(error) = self.extend_to(RESERVE_BYTES) {
            tracing::debug!(%error, "the reserve of the database is not complete");
        }
    }

    fn length(&self) -> u64 {
        self.file.metadata().map_or(0, |data| data.len())
    }

    /// Appends some bytes and removes them again.
    fn has_space_beside(&self) -> bool {
        let length = self.length();
        let extended = self.extend_to(length + PROBE_BYTES);
        let shortened = match length {
            0 => remove_file(&self.file),
            _ => OpenOptions::new()
                .write(true)
                .open(&self.file)
                .and_then(|file| file.set_len(length)),
        };
        extended.is_ok() && shortened.is_ok()
    }

    /// Appends bytes other than zero, for which file systems allocate blocks.
    fn extend_to(&self, length: u64) -> io::Result<()> {
        let mut missing = length.saturating_sub(self.length());
        if missing == 0 {
            return Ok(());
        }
        create_private_for(&self.file, &self.database)?;
        let mut file = OpenOptions::new().append(true).open(&self.file)?;
        let block = [0xff; 4096];
        while missing > 0 {
            let part = block.get(..missing as usize).unwrap_or(&block);
            file.write_all(part)?;
            missing -= part.len() as u64;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reserve_is_completed_and_kept_while_there_is_space() {
        let directory = tempfile::tempdir().unwrap();
        let database = directory.path().join("t.db");
        let length = || directory.path().join("t.db-reserve").metadata().map(|data| data.len());
        Reserve::of(&database, false).release_if_needed();
        Reserve::of(&database, false).restore();
        assert!(length().is_err(), "a command keeps none");
        let mut reserve = Reserve::of(&database, true);
        reserve.restore();
        assert_eq!(length().unwrap(), RESERVE_BYTES);
        reserve.release_if_needed();
        assert_eq!(length().unwrap(), RESERVE_BYTES, "the probe is taken back");
    }
}
