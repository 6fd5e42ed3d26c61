//! The database that a copy is written to, in one transaction.

use super::copy::Columns;
use super::snapshot::file_of;
use crate::operations::rows::Kind;
use crate::operations::{Connection, NONE, Session};
use crate::postgres::{Copying, Pg};
use crate::sql::{Cell, Param, Row, params};
use crate::{Error, OpenError, postgres, sqlite};
use tokio_postgres::types::{ToSql, Type};

/// A database in a transaction; what is not committed is rolled back.
pub(super) enum Target {
    Sqlite(rusqlite::Connection),
    Postgres(Box<Pg>),
}

/// Where a table's rows go.
pub(super) enum Into<'a> {
    Sqlite(rusqlite::Statement<'a>),
    Postgres(&'a mut Pg, Copying),
}

impl Target {
    /// Opens a database as a server would, making a file that is not there, and begins.
    pub(super) fn open(url: &str) -> Result<Self, OpenError> {
        let Some(file) = file_of(url)? else {
            return Ok(Self::Postgres(Box::new(postgres::open_target(url)?)));
        };
        let mut connection = sqlite::connection::open(&file)?;
        sqlite::connection::migrate(&mut connection, &file)?;
        let begun = connection.execute_batch("BEGIN IMMEDIATE");
        let file = file.display().to_string();
        begun.map_err(|error| OpenError::File { file, reason: error.to_string() })?;
        Ok(Self::Sqlite(connection))
    }

    /// What a unit of work sees.
    pub(super) fn session(&mut self) -> Session<'_> {
        Session::on(match self {
            Self::Sqlite(connection) => Connection::Sqlite(connection),
            Self::Postgres(pg) => Connection::Postgres(pg),
        })
    }

    /// Writes a table's rows, as `rows` puts them.
    pub(super) fn fill(
        &mut self,
        table: &str,
        columns: &Columns,
        rows: impl FnOnce(&mut Into<'_>) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let names: Vec<&str> = columns.iter().map(|(name, _)| name.as_str()).collect();
        let names = names.join(", ");
        match self {
            Self::Sqlite(connection) => {
                let values: Vec<String> = (1..=columns.len()).map(|at| format!("?{at}")).collect();
                let values = values.join(", ");
                let sql = format!("INSERT INTO {table} ({names}) VALUES ({values})");
                rows(&mut Into::Sqlite(connection.prepare(&sql)?))
            }
            Self::Postgres(pg) => {
                let types: Vec<Type> = columns.iter().map(|(_, kind)| kind.type_of()).collect();
                let sql = format!("COPY {table} ({names}) FROM STDIN BINARY");
                let copying = pg.copy_in(&sql, &types)?;
                let mut into = Into::Postgres(pg, copying);
                rows(&mut into)?;
                if let Into::Postgres(pg, mut copying) = into {
                    pg.ask(async |_| copying.as_mut().finish().await)?;
                }
                Ok(())
            }
        }
    }

    /// Makes a table go on after the last id that was given out elsewhere.
    pub(super) fn set_last_id(&mut self, table: &str, last: i64) -> Result<(), Error> {
        let mut session = self.session();
        if session.is_postgres() {
            let sql = format!("SELECT setval('{table}_id_seq', {}, {})", last.max(1), last > 0);
            return session.exists(&sql, NONE).map(|_| ());
        }
        session.execute("DELETE FROM sqlite_sequence WHERE name = ?1", [table])?;
        if last > 0 {
            let sql = "INSERT INTO sqlite_sequence (name, seq) VALUES (?1, ?2)";
            session.execute(sql, params![table, last])?;
        }
        Ok(())
    }

    /// Keeps all of it.
    pub(super) fn commit(mut self) -> Result<(), Error> {
        match &mut self {
            Self::Sqlite(connection) => Ok(connection.execute_batch("COMMIT")?),
            Self::Postgres(pg) => {
                pg.run("COMMIT")?;
                // Until PostgreSQL has counted what is there, it may take any index for as good as another;
                // by itself it does within some minutes.
                if let Err(error) = pg.run("ANALYZE") {
                    tracing::warn!(%error, "PostgreSQL could not count what was copied (ANALYZE)");
                }
                Ok(())
            }
        }
    }
}

impl Kind {
    fn type_of(self) -> Type {
        match self {
            Self::Integer => Type::INT8,
            Self::Text => Type::TEXT,
            Self::Bytes => Type::BYTEA,
        }
    }
}

impl Into<'_> {
    /// Puts a row of the same columns; what is in the column `later` is left out for now.
    pub(super) fn put(
        &mut self,
        columns: &Columns,
        row: &Row<'_>,
        later: Option<&str>,
    ) -> Result<(), Error> {
        let mut values = Vec::with_capacity(columns.len());
        for (index, (name, _)) in columns.iter().enumerate() {
            values.push(match row.get(index)? {
                _ if later == Some(name) => Param::Null,
                Cell::Null => Param::Null,
                Cell::Integer(number) => Param::Integer(number),
                Cell::Text(text) => Param::Text(text),
                Cell::Bytes(bytes) => Param::Bytes(bytes),
            });
        }
        match self {
            Self::Sqlite(statement) => {
                statement.execute(rusqlite::params_from_iter(&values))?;
            }
            Self::Postgres(pg, copying) => {
                let values: Vec<&(dyn ToSql + Sync)> =
                    values.iter().map(|value| value as &(dyn ToSql + Sync)).collect();
                pg.ask(async |_| copying.as_mut().write(&values).await)?;
            }
        }
        Ok(())
    }
}
