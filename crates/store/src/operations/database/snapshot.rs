//! A database opened for reading alone, as it is at one moment.

use crate::operations::{Connection, NONE, Session};
use crate::postgres::Pg;
use crate::{Error, OpenError, postgres, sqlite};
use std::path::PathBuf;

/// One snapshot. Nothing is written, nor brought up to date.
pub(super) enum Snapshot {
    Sqlite(rusqlite::Connection),
    Postgres(Box<Pg>),
}

/// A file's path, or `None` for a server's URL.
pub(super) fn file_of(url: &str) -> Result<Option<PathBuf>, OpenError> {
    if url.starts_with("postgres://") || url.starts_with("postgresql://") {
        return Ok(None);
    }
    let file = url.strip_prefix("sqlite://").filter(|file| !file.is_empty());
    let file = file.ok_or_else(|| OpenError::Url(url.to_owned()))?;
    Ok(Some(PathBuf::from(file)))
}

impl Snapshot {
    /// Opens `sqlite://<file>` or `postgres://…`; it has to be there, and of our own version.
    pub(super) fn open(url: &str) -> Result<Self, OpenError> {
        let Some(file) = file_of(url)? else {
            let pg = postgres::open_snapshot(url)?;
            return Ok(Self::Postgres(Box::new(pg)));
        };
        let refused = |reason: String| OpenError::File { file: file.display().to_string(), reason };
        if !file.is_file() {
            return Err(refused("there is no such file".to_owned()));
        }
        let open = || -> rusqlite::Result<(rusqlite::Connection, i64)> {
            let connection = sqlite::connection::open_reader(&file)?;
            connection.execute_batch("BEGIN")?;
            let found = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
            Ok((connection, found))
        };
        let (connection, found) = open().map_err(|error| refused(error.to_string()))?;
        let known = sqlite::connection::MIGRATIONS.len() as i64;
        OpenError::unless_current(&file.display().to_string(), found, known)?;
        Ok(Self::Sqlite(connection))
    }

    /// What a unit of work sees.
    pub(super) fn session(&mut self) -> Session<'_> {
        Session::on(match self {
            Self::Sqlite(connection) => Connection::Sqlite(connection),
            Self::Postgres(pg) => Connection::Postgres(pg),
        })
    }
}

impl Session<'_> {
    /// Rows of a table.
    pub(super) fn count_rows(&mut self, table: &str) -> Result<u64, Error> {
        let sql = format!("SELECT COUNT(*) FROM {table}");
        let count = self.first(&sql, NONE, |row| row.get::<i64>(0))?;
        Ok(count.unwrap_or(0).unsigned_abs())
    }
}
