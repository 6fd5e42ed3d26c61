//! Reads of a single statement, without a transaction: a statement sees one snapshot. The
//! generation of credentials is selected as an additional first column, so it comes from the same
//! snapshot.

use super::{Values, bind};
use crate::Error;
use crate::sql::{OwnedParam, Param, Row, Value};

/// Prefix that a supported statement has.
const SELECT: &str = "SELECT ";
/// Replacement of the prefix on SQLite.
const SELECT_WITH_GENERATION: &str =
    "SELECT COALESCE((SELECT generation FROM credential_generations WHERE id = 1), 0), ";
/// Statement around it on PostgreSQL. A left join returns the generation even if the statement has
/// no row, since a second statement would be another round trip.
const POSTGRES_FRAME: [&str; 2] = [
    "SELECT COALESCE((SELECT generation FROM credential_generations WHERE id = 1), 0), found.*
    FROM (SELECT) AS one LEFT JOIN (SELECT TRUE, ",
    ") AS found ON TRUE",
];

/// Database access that is limited to one statement.
#[derive(Debug)]
pub(crate) struct SingleStatementRead<'a> {
    source: Source<'a>,
    used: bool,
    needs_more: bool,
    generation: Option<i64>,
}

#[derive(Debug)]
enum Source<'a> {
    Sqlite(&'a rusqlite::Connection),
    /// Records the statement; nothing has been answered yet.
    Recording(Option<SqlStatement>),
    /// Rows that the recorded statement returned.
    Rows(&'a [tokio_postgres::Row]),
}

/// SQL statement with its parameters.
#[derive(Debug)]
pub(crate) struct SqlStatement {
    /// SQL with parameters `?1`, `?2`, …
    pub(crate) sql: String,
    pub(crate) values: Vec<OwnedParam>,
}

impl SqlStatement {
    /// Returns true if it is the same statement with the same parameters.
    pub(crate) fn is_same(&self, sql: &str, values: &[Param<'_>]) -> bool {
        let is_equal = |(one, other): (&OwnedParam, &Param<'_>)| one.as_param() == *other;
        self.values.len() == values.len()
            && self.sql == sql
            && self.values.iter().zip(values).all(is_equal)
    }
}

impl<'a> SingleStatementRead<'a> {
    pub(crate) fn on_sqlite(connection: &'a rusqlite::Connection) -> Self {
        Self::new(Source::Sqlite(connection))
    }

    /// Access that records which statement the work issues.
    pub(crate) fn recording() -> Self {
        Self::new(Source::Recording(None))
    }

    /// Access that answers the recorded statement.
    pub(crate) fn replaying(rows: &'a [tokio_postgres::Row]) -> Self {
        Self::new(Source::Rows(rows))
    }

    fn new(source: Source<'a>) -> Self {
        Self { source, used: false, needs_more: false, generation: None }
    }

    pub(super) fn is_postgres(&self) -> bool {
        !matches!(self.source, Source::Sqlite(_))
    }

    /// The recorded statement, if it was the only one and is supported.
    pub(crate) fn into_recorded(self) -> Option<SqlStatement> {
        match self.source {
            Source::Recording(statement) if !self.needs_more => statement,
            _ => None,
        }
    }

    /// Generation of credentials that the statement saw. `None` if it returned no row, or if the
    /// work issued more than this statement: its result must be discarded then.
    pub(crate) fn generation(&self) -> Option<i64> {
        self.generation.filter(|_| !self.needs_more)
    }

    /// Records that the work needs more than one statement.
    pub(super) fn reject_statement(&mut self) -> Error {
        self.needs_more = true;
        Error::Abandoned
    }

    /// Calls `visit` with each row until it returns false.
    pub(super) fn for_each_row(
        &mut self,
        sql: &str,
        values: &impl Values,
        mut visit: impl FnMut(&Row<'_>) -> Result<bool, Error>,
    ) -> Result<(), Error> {
        let Some(rest) = sql.strip_prefix(SELECT).filter(|_| !self.used) else {
            return Err(self.reject_statement());
        };
        self.used = true;
        let generation = &mut self.generation;
        match &mut self.source {
            Source::Sqlite(connection) => {
                let sql = [SELECT_WITH_GENERATION, rest].concat();
                let mut statement = connection.prepare_cached(&sql)?;
                bind(&mut statement, values)?;
                let mut rows = statement.raw_query();
                while let Some(row) = rows.next()? {
                    let (generation_seen, row) = Row::from_sqlite(row).split_first()?;
                    *generation = Some(generation_seen);
                    if !visit(&row)? {
                        break;
                    }
                }
            }
            Source::Recording(recorded) => {
                let values =
                    values.values().map(|value| OwnedParam::new(value.as_param())).collect();
                *recorded = Some(SqlStatement {
                    sql: [POSTGRES_FRAME[0], rest, POSTGRES_FRAME[1]].concat(),
                    values,
                });
                return Err(Error::Abandoned);
            }
            Source::Rows(rows) => {
                for row in *rows {
                    let (generation_seen, row) = Row::from_postgres(row).split_first()?;
                    *generation = Some(generation_seen);
                    let found = row.get::<Option<bool>>(0)?.is_some();
                    if !found || !visit(&row.skip(1))? {
                        break;
                    }
                }
            }
        }
        Ok(())
    }
}
