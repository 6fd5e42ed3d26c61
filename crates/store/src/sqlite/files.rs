//! Database files: creation with private permissions, and reads that leave no files behind.

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};
use std::fs::{File, OpenOptions, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Permissions of a database: read and write for its owner only, because it contains phone numbers and
/// webhook secrets.
const PRIVATE_MODE: u32 = 0o600;

/// Creates an empty file with mode 0600, whatever the umask is, unless the file exists. SQLite gives
/// the `-wal` and `-shm` files the mode of the database.
pub(crate) fn create_private(file: &Path) -> std::io::Result<()> {
    match OpenOptions::new().write(true).create_new(true).open(file) {
        Ok(created) => created.set_permissions(Permissions::from_mode(PRIVATE_MODE)),
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(error),
    }
}

/// Path of a file beside a database file: `<file><suffix>`.
pub(crate) fn companion(file: &Path, suffix: &str) -> PathBuf {
    let mut path = file.as_os_str().to_owned();
    path.push(suffix);
    PathBuf::from(path)
}

/// Creates an empty file with mode 0600, unless it exists, and gives it to the owner of a database,
/// because a command may run as root.
pub(super) fn create_private_for(path: &Path, database: &Path) -> std::io::Result<()> {
    if path.exists() {
        return Ok(());
    }
    create_private(path)?;
    set_owner_of(path, database);
    Ok(())
}

/// Gives a file to the owner of another one, if both exist. Fails without effect unless the process is
/// root.
pub(crate) fn set_owner_of(path: &Path, other: &Path) {
    if let (Ok(own), Ok(owner)) = (path.metadata(), other.metadata())
        && (own.uid(), own.gid()) != (owner.uid(), owner.gid())
    {
        std::os::unix::fs::chown(path, Some(owner.uid()), Some(owner.gid())).ok();
    }
}

/// Syncs the directory of a file, so that a rename in it is durable.
pub(crate) fn sync_directory(file: &Path) -> std::io::Result<()> {
    let directory = file.parent().filter(|directory| !directory.as_os_str().is_empty());
    File::open(directory.unwrap_or(Path::new(".")))?.sync_all()
}

/// Logs a warning if other users of the machine can read a database. Older versions created such
/// files.
pub(super) fn warn_if_readable_by_others(file: &Path) {
    let mode = file.metadata().map_or(0, |metadata| metadata.permissions().mode());
    if mode & 0o007 != 0 {
        let (file, mode) = (file.display(), mode & 0o777);
        tracing::warn!(
            "the database file '{file}' can be read by every user of this machine (mode {mode:04o}); it \
             contains phone numbers and webhook secrets: run `chmod 600 {file}`"
        );
    }
}

/// Opens an existing file for reading so that its directory is the same afterwards.
///
/// A connection opened with `SQLITE_OPEN_READ_ONLY` creates `-wal` and `-shm` files and cannot delete
/// them when it closes. So the file is opened for writing, where it may be, with `query_only`: the last
/// connection deletes the files. A log that a killed server has left stays as it is.
pub(crate) fn open_unchanged(file: &Path) -> rusqlite::Result<Connection> {
    let has_log = companion(file, "-wal").metadata().is_ok_and(|log| log.len() > 0);
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(file, flags)?;
    connection.busy_timeout(Duration::from_secs(10))?;
    connection.pragma_update(None, "query_only", true)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, has_log)?;
    super::statement_cache::set_up_statement_cache(&connection)?;
    Ok(connection)
}
