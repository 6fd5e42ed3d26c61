//! Database files: creation with private permissions, and reads that leave no files behind.

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};
use std::fs::{OpenOptions, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Permissions of a database: read and write for its owner only, because it contains phone numbers and
/// webhook secrets.
const PRIVATE_MODE: u32 = 0o600;

/// Creates an empty file with mode 0600, whatever the umask is, unless the file exists. SQLite gives
/// the `-wal` and `-shm` files the mode of the database.
pub(super) fn create_private(file: &Path) -> std::io::Result<()> {
    match OpenOptions::new().write(true).create_new(true).open(file) {
        Ok(created) => created.set_permissions(Permissions::from_mode(PRIVATE_MODE)),
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(error),
    }
}

/// Opens an existing file for reading so that its directory is the same afterwards.
///
/// A connection opened with `SQLITE_OPEN_READ_ONLY` creates `-wal` and `-shm` files and cannot delete
/// them when it closes. So the file is opened for writing, where it may be, with `query_only`: the last
/// connection deletes the files. A log that a killed server has left stays as it is.
pub(crate) fn open_unchanged(file: &Path) -> rusqlite::Result<Connection> {
    let mut log = file.as_os_str().to_owned();
    log.push("-wal");
    let has_log = PathBuf::from(log).metadata().is_ok_and(|log| log.len() > 0);
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(file, flags)?;
    connection.busy_timeout(Duration::from_secs(10))?;
    connection.pragma_update(None, "query_only", true)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, has_log)?;
    super::statement_cache::set_up_statement_cache(&connection)?;
    Ok(connection)
}
