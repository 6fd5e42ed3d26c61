//! Backup and restore of SQLite files. A backup is one file, written from one snapshot while servers
//! run. PostgreSQL has its own tools for both.

use super::check::{ProgressObserver, check_database};
use super::snapshot::file_path;
use crate::OpenError;
use crate::sqlite::connection::MIGRATIONS;
use crate::sqlite::file_lock::FileLock;
use crate::sqlite::start_id::{self, StartId};
use crate::sqlite::{connection, files};
use rusqlite::Connection;
use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// Failure of a backup or a restore.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// The URL is one of a PostgreSQL server.
    #[error(
        "backups of PostgreSQL are made and restored with its own tools, such as pg_dump and \
         pg_restore, or a base backup (see docs/database.md); this command is for SQLite files"
    )]
    Postgres,
    /// The database to back up or the backup to restore cannot be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The database to replace is open.
    #[error(
        "cannot restore the database '{0}': a server or another command has it open; stop it first"
    )]
    InUse(String),
    /// The check of the backup found violated invariants.
    #[error("nothing was restored: '{file}' is not clean, {findings} findings")]
    NotClean {
        /// The backup.
        file: String,
        /// Number of findings.
        findings: u64,
    },
    /// A file that cannot be used, written or replaced.
    #[error("cannot {operation} '{file}': {reason}")]
    File {
        /// Verb, such as "write".
        operation: &'static str,
        /// Path of the file.
        file: String,
        /// Cause.
        reason: String,
    },
}

/// Backup that was written, or database that was restored.
#[derive(Debug)]
pub struct BackupSummary {
    /// Size in bytes.
    pub bytes: u64,
    /// Rows of each table; `None` if the schema is older, so that only the file itself was checked.
    pub checked: Option<BTreeMap<&'static str, u64>>,
    /// Path that a replaced database was moved to.
    pub before_restore: Option<PathBuf>,
}

fn file_error(operation: &'static str, file: &Path, reason: &dyn ToString) -> BackupError {
    BackupError::File { operation, file: file.display().to_string(), reason: reason.to_string() }
}

/// Path of a file from `sqlite://<file>` or from a plain path.
fn sqlite_path(url: &str) -> Result<PathBuf, BackupError> {
    file_path(url)?.ok_or(BackupError::Postgres)
}

/// Writes a backup of `sqlite://<file>` to a new file with mode 0600, and checks it. `entropy` makes its
/// start id. Findings of the check go to `watch`; the backup stays.
///
/// # Errors
///
/// The target exists or cannot be written, the database cannot be opened, or the backup is damaged.
pub fn backup_database(
    url: &str,
    to: &Path,
    entropy: &[u8; 32],
    observer: &mut dyn ProgressObserver,
) -> Result<BackupSummary, BackupError> {
    let database = sqlite_path(url)?;
    let exists = || file_error("write", to, &"the file exists already");
    if to.symlink_metadata().is_ok() {
        return Err(exists());
    }
    let partial = files::companion(to, ".partial");
    connection::check_directory(to)?;
    let lock = FileLock::exclusive(to)?;
    let _lock = lock.ok_or_else(|| file_error("write", to, &"another backup is writing it"))?;
    let written = write_copy(&database, &partial, start_id::from_entropy(entropy));
    let written = written.and_then(|()| check_copy(&partial, observer));
    let published = written.and_then(|checked| {
        publish(&partial, to).map_err(|error| match error.kind() {
            io::ErrorKind::AlreadyExists => exists(),
            _ => file_error("write", to, &error),
        })?;
        let bytes = to.metadata().map_err(|error| file_error("read", to, &error))?.len();
        Ok(BackupSummary { bytes, checked, before_restore: None })
    });
    fs::remove_file(&partial).ok();
    published
}

/// Replaces `sqlite://<file>` by a backup. The previous database is kept as `<file>.before-restore`,
/// with its log. `entropy` makes the start id.
///
/// # Errors
///
/// The database is open, or the backup cannot be opened, is damaged or has findings, which go to
/// `watch`. Nothing is changed then.
pub fn restore_database(
    url: &str,
    from: &Path,
    entropy: &[u8; 32],
    observer: &mut dyn ProgressObserver,
) -> Result<BackupSummary, BackupError> {
    let database = sqlite_path(url)?;
    connection::check_directory(&database)?;
    if is_same_file(from, &database) {
        return Err(file_error("restore", from, &"it is the database itself"));
    }
    let lock = FileLock::exclusive(&database)?;
    let _lock = lock.ok_or_else(|| BackupError::InUse(database.display().to_string()))?;
    let start = start_id::from_entropy(entropy);
    // An existing file of this name was left by an interrupted restore.
    let restoring = files::companion(&database, ".restoring");
    let restored = write_copy(from, &restoring, start).and_then(|()| {
        let mut counter = FindingCounter { observer, findings: 0 };
        let checked = check_copy(&restoring, &mut counter)?;
        if counter.findings > 0 {
            let (file, findings) = (from.display().to_string(), counter.findings);
            return Err(BackupError::NotClean { file, findings });
        }
        let before_restore = replace(&restoring, &database, start)
            .map_err(|error| file_error("replace", &database, &error))?;
        let bytes = database.metadata().map_or(0, |metadata| metadata.len());
        Ok(BackupSummary { bytes, checked, before_restore })
    });
    fs::remove_file(&restoring).ok();
    restored
}

/// Observer that counts findings and passes everything on.
struct FindingCounter<'a> {
    observer: &'a mut dyn ProgressObserver,
    findings: u64,
}

impl ProgressObserver for FindingCounter<'_> {
    fn on_total(&mut self, rows: u64) {
        self.observer.on_total(rows);
    }

    fn on_rows_done(&mut self, rows: u64) {
        self.observer.on_rows_done(rows);
    }

    fn on_finding(&mut self, finding: super::Finding) {
        self.findings += 1;
        self.observer.on_finding(finding);
    }
}

fn is_same_file(one: &Path, other: &Path) -> bool {
    let identity = |path: &Path| path.metadata().map(|file| (file.dev(), file.ino())).ok();
    let one = identity(one);
    one.is_some() && one == identity(other)
}

/// Writes one snapshot of a database to a private file, with a start id of its own: the log of the
/// database is not used with the copy.
fn write_copy(database: &Path, copy: &Path, start: StartId) -> Result<(), BackupError> {
    let source_error = |error: &dyn std::fmt::Display| connection::file_error(database, error);
    if !database.is_file() {
        return Err(source_error(&"there is no such file").into());
    }
    let _lock = FileLock::shared_for_reading(database)?;
    start_id::check_files(database)?;
    let source = files::open_unchanged(database).map_err(|error| source_error(&error))?;
    ensure_trunkline_database(&source, database)?;
    let write_error = |error: io::Error| file_error("write", copy, &error);
    match fs::remove_file(copy) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(write_error(error)),
        _ => {}
    }
    files::create_private(copy).map_err(write_error)?;
    let path = copy.to_str().ok_or_else(|| file_error("write", copy, &"its path is not UTF-8"))?;
    let copy_rows = || -> rusqlite::Result<()> {
        // VACUUM INTO writes to the copy only; SQLite rejects it with `query_only`.
        source.pragma_update(None, "query_only", false)?;
        source.execute("VACUUM INTO ?1", [path])?;
        let connection = Connection::open(copy)?;
        connection.pragma_update(None, "application_id", start)
    };
    copy_rows().map_err(|error| file_error("copy", database, &error))?;
    fs::File::open(copy).and_then(|file| file.sync_all()).map_err(write_error)
}

fn ensure_trunkline_database(source: &Connection, file: &Path) -> Result<(), OpenError> {
    let read = || -> rusqlite::Result<(i64, bool)> {
        let version = source.pragma_query_value(None, "user_version", |row| row.get(0))?;
        let sql = "SELECT COUNT(*) FROM sqlite_schema WHERE name IN ('networks', 'credential_generations')";
        let tables: i64 = source.query_row(sql, [], |row| row.get(0))?;
        Ok((version, tables > 0))
    };
    let (found, has_tables) = read().map_err(|error| connection::file_error(file, &error))?;
    let known = MIGRATIONS.len() as i64;
    if found > known {
        return Err(OpenError::Newer { file: file.display().to_string(), found, known });
    }
    match has_tables && found > 0 {
        true => Ok(()),
        false => Err(connection::file_error(file, &"it is not a Trunkline database")),
    }
}

/// Checks a copy: the file and its references, and all invariants if it has the current schema.
fn check_copy(
    copy: &Path,
    observer: &mut dyn ProgressObserver,
) -> Result<Option<BTreeMap<&'static str, u64>>, BackupError> {
    let read = || -> rusqlite::Result<Option<String>> {
        let connection = Connection::open(copy)?;
        let result: String =
            connection.query_row("PRAGMA integrity_check(1)", [], |row| row.get(0))?;
        let mut references = connection.prepare("PRAGMA foreign_key_check")?;
        let is_dangling = references.exists([])?;
        let dangling = is_dangling.then(|| "a reference has no row".to_owned());
        Ok(Some(result).filter(|result| result != "ok").or(dangling))
    };
    if let Some(damage) = read().map_err(|error| file_error("check", copy, &error))? {
        return Err(file_error("use", copy, &format!("the copy is damaged: {damage}")));
    }
    let path = copy.to_str().ok_or_else(|| file_error("check", copy, &"its path is not UTF-8"))?;
    match check_database(&format!("sqlite://{path}"), observer) {
        Ok(Ok(counts)) => Ok(Some(counts)),
        Ok(Err(error)) => Err(file_error("check", copy, &error)),
        Err(OpenError::Older { .. }) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Gives a complete file its final name without replacing another file.
fn publish(partial: &Path, to: &Path) -> io::Result<()> {
    match fs::hard_link(partial, to) {
        // Some file systems have no hard links.
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
            if to.symlink_metadata().is_ok() {
                return Err(io::ErrorKind::AlreadyExists.into());
            }
            fs::rename(partial, to)?;
        }
        result => result?,
    }
    files::sync_directory(to)
}

/// Files that make up a database: itself, its log and its start id.
const PARTS: [&str; 3] = ["", "-wal", "-start"];

/// Puts a new file in the place of a database and returns the path that the old one has now.
///
/// The old files get their second names before the new file takes the first one. If the process ends in
/// between, the old database is still in place, or the new one is beside the old log, which its start
/// id rejects.
fn replace(new: &Path, database: &Path, start: StartId) -> io::Result<Option<PathBuf>> {
    let existing: Vec<&str> = PARTS
        .into_iter()
        .filter(|part| files::companion(database, part).metadata().is_ok_and(|f| f.len() > 0))
        .collect();
    let before = match existing.is_empty() {
        true => None,
        false => Some(free_name(database)),
    };
    if let Some(before) = &before {
        for part in existing {
            fs::hard_link(files::companion(database, part), files::companion(before, part))?;
        }
    }
    match database.exists() {
        true => files::set_owner_of(new, database),
        false => database.parent().into_iter().for_each(|parent| files::set_owner_of(new, parent)),
    }
    fs::rename(new, database)?;
    for suffix in ["-wal", "-shm"] {
        match fs::remove_file(files::companion(database, suffix)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    start_id::write_start_ids(database, &[start])?;
    Ok(before)
}

/// First of `<file>.before-restore`, `<file>.before-restore-2`, … that no file has.
fn free_name(database: &Path) -> PathBuf {
    let name = |number: u32| match number {
        1 => files::companion(database, ".before-restore"),
        _ => files::companion(database, &format!(".before-restore-{number}")),
    };
    let is_free = |path: &PathBuf| {
        PARTS.iter().all(|part| files::companion(path, part).symlink_metadata().is_err())
    };
    (1..u32::MAX).map(name).find(is_free).unwrap_or_else(|| name(u32::MAX))
}
