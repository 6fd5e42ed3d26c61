//! Advisory lock (`flock`) on a file beside a database file, `<file>-lock`. Servers and commands share
//! it; a restore takes it exclusively. SQLite's own locks do not tell a restore that a process has
//! the file open.

use super::files::{companion, create_private_for};
use crate::OpenError;
use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Longest wait for a lock that another process holds for a moment.
const MAX_WAIT: Duration = Duration::from_secs(10);
/// Longest wait of a starting server for commands that have the database open.
const MAX_START_WAIT: Duration = Duration::from_secs(1);
/// Time between two attempts.
const RETRY_INTERVAL: Duration = Duration::from_millis(10);

/// Lock on a database. When it is dropped and no other process has the lock, its file is deleted.
#[derive(Debug)]
pub(crate) struct FileLock {
    lock: File,
    path: PathBuf,
}

/// Lock of a starting server.
#[derive(Debug)]
pub(crate) enum ServerLock {
    /// No other process has the database open.
    Exclusive(FileLock),
    /// Other processes have the database open.
    Shared(FileLock),
}

impl FileLock {
    /// Locks a database that is opened, together with other processes.
    ///
    /// # Errors
    ///
    /// A restore holds the lock, or the lock file cannot be created.
    pub(crate) fn shared(database: &Path) -> Result<Self, OpenError> {
        let locked = Self::lock_until(database, Instant::now() + MAX_WAIT, File::try_lock_shared);
        let locked = locked.map_err(|error| super::connection::file_error(database, &error))?;
        locked.ok_or_else(|| {
            let reason = "`trunkline database restore` or a starting server has it open";
            super::connection::file_error(database, &reason)
        })
    }

    /// Locks a database that is only read. Returns `None` where no lock file can be created: a
    /// directory that cannot be written.
    pub(crate) fn shared_for_reading(database: &Path) -> Result<Option<Self>, OpenError> {
        let path = companion(database, "-lock");
        match open_lock_file(&path, database) {
            Err(error)
                if matches!(
                    error.kind(),
                    io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem
                ) =>
            {
                Ok(None)
            }
            _ => Self::shared(database).map(Some),
        }
    }

    /// Locks a database that a server opens: exclusively, or together with other processes if those
    /// keep it open.
    pub(crate) fn for_server(database: &Path) -> Result<ServerLock, OpenError> {
        Ok(match Self::exclusive_within(database, MAX_START_WAIT)? {
            Some(lock) => ServerLock::Exclusive(lock),
            None => ServerLock::Shared(Self::shared(database)?),
        })
    }

    /// Locks a database exclusively. Returns `None` if another process has it open.
    pub(crate) fn exclusive(database: &Path) -> Result<Option<Self>, OpenError> {
        Self::exclusive_within(database, Duration::ZERO)
    }

    fn exclusive_within(database: &Path, wait: Duration) -> Result<Option<Self>, OpenError> {
        Self::lock_until(database, Instant::now() + wait, File::try_lock)
            .map_err(|error| super::connection::file_error(database, &error))
    }

    /// Shares an exclusive lock with other processes.
    pub(crate) fn share(&self) -> io::Result<()> {
        self.lock.lock_shared()
    }

    /// Makes a shared lock exclusive if no other process has it; otherwise it stays shared.
    pub(crate) fn try_upgrade(&self) -> bool {
        let is_exclusive = self.lock.try_lock().is_ok();
        if !is_exclusive {
            // A failed conversion has released the lock.
            self.lock.lock_shared().ok();
        }
        is_exclusive
    }

    fn lock_until(
        database: &Path,
        deadline: Instant,
        try_lock: impl Fn(&File) -> Result<(), TryLockError>,
    ) -> io::Result<Option<Self>> {
        let path = companion(database, "-lock");
        loop {
            let lock = open_lock_file(&path, database)?;
            match try_lock(&lock) {
                // The file may have been deleted by its last owner between opening and locking.
                Ok(()) if is_at(&lock, &path) => return Ok(Some(Self { lock, path })),
                Ok(()) => continue,
                Err(TryLockError::WouldBlock) if Instant::now() < deadline => {
                    std::thread::sleep(RETRY_INTERVAL);
                }
                Err(TryLockError::WouldBlock) => return Ok(None),
                Err(TryLockError::Error(error)) => return Err(error),
            }
        }
    }
}

impl Drop for FileLock {
    fn drop(&mut self) {
        if self.lock.try_lock().is_ok() && is_at(&self.lock, &self.path) {
            // A lock file that stays is harmless.
            std::fs::remove_file(&self.path).ok();
        }
    }
}

/// Opens the lock file, or creates it for the owner of the database.
fn open_lock_file(path: &Path, database: &Path) -> io::Result<File> {
    create_private_for(path, database)?;
    OpenOptions::new().read(true).write(true).open(path).or_else(|error| match error.kind() {
        // Another process deleted it at this moment: the next attempt creates it.
        io::ErrorKind::NotFound => {
            create_private_for(path, database)?;
            File::open(path)
        }
        _ => Err(error),
    })
}

/// Returns true if an open file is the one at a path.
fn is_at(file: &File, path: &Path) -> bool {
    let identity = |metadata: std::fs::Metadata| (metadata.dev(), metadata.ino());
    let open = file.metadata().map(identity).ok();
    open.is_some() && open == path.metadata().map(identity).ok()
}
