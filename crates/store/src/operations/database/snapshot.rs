//! Read-only snapshot of a database.

use crate::operations::{Connection, NO_PARAMS, UnitOfWork};
use crate::postgres::PgConnection;
use crate::sqlite::file_lock::FileLock;
use crate::{Error, OpenError, postgres, sqlite};
use std::path::PathBuf;

/// One snapshot. Nothing is written or migrated.
pub(super) enum Snapshot {
    Sqlite {
        connection: rusqlite::Connection,
        /// Released after the connection is closed.
        _lock: Option<FileLock>,
    },
    Postgres(Box<PgConnection>),
}

/// Path of a file, or `None` for the URL of a server.
pub(super) fn file_path(url: &str) -> Result<Option<PathBuf>, OpenError> {
    if url.starts_with("postgres://") || url.starts_with("postgresql://") {
        return Ok(None);
    }
    let file = url.strip_prefix("sqlite://").filter(|file| !file.is_empty());
    let file = file.ok_or_else(|| OpenError::Url(url.to_owned()))?;
    Ok(Some(PathBuf::from(file)))
}

impl Snapshot {
    /// Opens `sqlite://<file>` or `postgres://…`. The database must exist and have the current
    /// schema.
    pub(super) fn open(url: &str) -> Result<Self, OpenError> {
        let Some(file) = file_path(url)? else {
            let pg = postgres::open_snapshot(url)?;
            return Ok(Self::Postgres(Box::new(pg)));
        };
        let file_error =
            |reason: String| OpenError::File { file: file.display().to_string(), reason };
        if !file.is_file() {
            return Err(file_error("there is no such file".to_owned()));
        }
        let lock = FileLock::shared_for_reading(&file)?;
        sqlite::start_id::check_files(&file)?;
        let open = || -> rusqlite::Result<(rusqlite::Connection, i64)> {
            let connection = sqlite::files::open_unchanged(&file)?;
            connection.execute_batch("BEGIN")?;
            let found = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
            Ok((connection, found))
        };
        let (connection, found) = open().map_err(|error| file_error(error.to_string()))?;
        let known = sqlite::connection::MIGRATIONS.len() as i64;
        OpenError::check_schema_version(&file.display().to_string(), found, known)?;
        Ok(Self::Sqlite { connection, _lock: lock })
    }

    /// Unit of work that reads the snapshot.
    pub(super) fn unit_of_work(&mut self) -> UnitOfWork<'_> {
        UnitOfWork::new(match self {
            Self::Sqlite { connection, .. } => Connection::Sqlite(connection),
            Self::Postgres(pg) => Connection::Postgres(pg),
        })
    }
}

impl UnitOfWork<'_> {
    /// Number of rows in a table.
    pub(super) fn count_rows(&mut self, table: &str) -> Result<u64, Error> {
        let sql = format!("SELECT COUNT(*) FROM {table}");
        let count = self.query_first(&sql, NO_PARAMS, |row| row.get::<i64>(0))?;
        Ok(count.unwrap_or(0).unsigned_abs())
    }
}
