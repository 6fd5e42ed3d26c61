//! Target database of a copy, written in one transaction.

use super::copy::Columns;
use super::snapshot::file_path;
use crate::operations::bulk_insert::ColumnType;
use crate::operations::{Connection, NO_PARAMS, UnitOfWork};
use crate::postgres::{CopyIn, PgConnection};
use crate::sql::{Cell, Param, Row, params};
use crate::{Error, OpenError, postgres, sqlite};
use tokio_postgres::types::{ToSql, Type};

/// Database in a transaction that is rolled back unless it is committed.
pub(super) enum Target {
    Sqlite(sqlite::OpenFile),
    Postgres(Box<PgConnection>),
}

/// Sink for the rows of a table.
pub(super) enum TableWriter<'a> {
    Sqlite(rusqlite::Statement<'a>),
    Postgres(&'a mut PgConnection, CopyIn),
}

impl Target {
    /// Opens a database as a server would, creating a file if it does not exist, and begins.
    pub(super) fn open(url: &str) -> Result<Self, OpenError> {
        let Some(file) = file_path(url)? else {
            return Ok(Self::Postgres(Box::new(postgres::open_target(url)?)));
        };
        let opened = sqlite::open(&file, None)?;
        let result = opened.connection.execute_batch("BEGIN IMMEDIATE");
        let file = file.display().to_string();
        result.map_err(|error| OpenError::File { file, reason: error.to_string() })?;
        Ok(Self::Sqlite(opened))
    }

    /// Unit of work in the transaction.
    pub(super) fn unit_of_work(&mut self) -> UnitOfWork<'_> {
        UnitOfWork::new(match self {
            Self::Sqlite(opened) => Connection::Sqlite(&opened.connection),
            Self::Postgres(pg) => Connection::Postgres(pg),
        })
    }

    /// Writes the rows of a table that `rows` puts into the sink.
    pub(super) fn write_table(
        &mut self,
        table: &str,
        columns: &Columns,
        rows: impl FnOnce(&mut TableWriter<'_>) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let names: Vec<&str> = columns.iter().map(|(name, _)| name.as_str()).collect();
        let names = names.join(", ");
        match self {
            Self::Sqlite(opened) => {
                let values: Vec<String> =
                    (1..=columns.len()).map(|index| format!("?{index}")).collect();
                let values = values.join(", ");
                let sql = format!("INSERT INTO {table} ({names}) VALUES ({values})");
                rows(&mut TableWriter::Sqlite(opened.connection.prepare(&sql)?))
            }
            Self::Postgres(pg) => {
                let types: Vec<Type> =
                    columns.iter().map(|(_, kind)| kind.postgres_type()).collect();
                let sql = format!("COPY {table} ({names}) FROM STDIN BINARY");
                let copy = pg.copy_in(&sql, &types)?;
                let mut writer = TableWriter::Postgres(pg, copy);
                rows(&mut writer)?;
                if let TableWriter::Postgres(pg, mut copy) = writer {
                    pg.request(async |_| copy.as_mut().finish().await)?;
                }
                Ok(())
            }
        }
    }

    /// Sets the last generated id of a table.
    pub(super) fn set_last_id(&mut self, table: &str, last: i64) -> Result<(), Error> {
        let mut unit = self.unit_of_work();
        if unit.is_postgres() {
            let sql = format!("SELECT setval('{table}_id_seq', {}, {})", last.max(1), last > 0);
            return unit.exists(&sql, NO_PARAMS).map(|_| ());
        }
        unit.execute("DELETE FROM sqlite_sequence WHERE name = ?1", [table])?;
        if last > 0 {
            let sql = "INSERT INTO sqlite_sequence (name, seq) VALUES (?1, ?2)";
            unit.execute(sql, params![table, last])?;
        }
        Ok(())
    }

    /// Commits the transaction.
    pub(super) fn commit(mut self) -> Result<(), Error> {
        match &mut self {
            Self::Sqlite(opened) => Ok(opened.connection.execute_batch("COMMIT")?),
            Self::Postgres(pg) => {
                pg.run("COMMIT")?;
                // Without statistics PostgreSQL may choose a wrong index. Autovacuum would collect
                // them within some minutes.
                if let Err(error) = pg.run("ANALYZE") {
                    tracing::warn!(%error, "ANALYZE failed after the copy; autovacuum will collect the statistics");
                }
                Ok(())
            }
        }
    }
}

impl ColumnType {
    fn postgres_type(self) -> Type {
        match self {
            Self::Integer => Type::INT8,
            Self::Text => Type::TEXT,
            Self::Bytes => Type::BYTEA,
        }
    }
}

impl TableWriter<'_> {
    /// Writes a row of the same columns. The value of the column `omitted` is replaced by null.
    pub(super) fn write_row(
        &mut self,
        columns: &Columns,
        row: &Row<'_>,
        omitted: Option<&str>,
    ) -> Result<(), Error> {
        let mut values = Vec::with_capacity(columns.len());
        for (index, (name, _)) in columns.iter().enumerate() {
            values.push(match row.get(index)? {
                _ if omitted == Some(name) => Param::Null,
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
            Self::Postgres(pg, copy) => {
                let values: Vec<&(dyn ToSql + Sync)> =
                    values.iter().map(|value| value as &(dyn ToSql + Sync)).collect();
                pg.request(async |_| copy.as_mut().write(&values).await)?;
            }
        }
        Ok(())
    }
}
