//! A unit of work that is one statement. It needs no transaction: a statement sees one snapshot. The
//! generation of credentials is a column in front of what it selects, of the same snapshot.

use super::{Values, bind};
use crate::Error;
use crate::sql::{Owned, Param, Row, Value};

/// What a statement begins with.
const SELECT: &str = "SELECT ";
/// What it begins with here.
const SELECT_WITH_GENERATION: &str =
    "SELECT COALESCE((SELECT generation FROM credential_generations WHERE id = 1), 0), ";
/// What stands around it on PostgreSQL, where a second statement would be another round trip: it has a row,
/// with nothing in it but the generation, when there is none.
const AROUND: [&str; 2] = [
    "SELECT COALESCE((SELECT generation FROM credential_generations WHERE id = 1), 0), found.*
    FROM (SELECT) AS one LEFT JOIN (SELECT TRUE, ",
    ") AS found ON TRUE",
];

/// One statement's worth of a database.
#[derive(Debug)]
pub(crate) struct Glance<'a> {
    from: From<'a>,
    used: bool,
    more: bool,
    generation: Option<i64>,
}

#[derive(Debug)]
enum From<'a> {
    Sqlite(&'a rusqlite::Connection),
    /// Nothing is answered yet: the statement is remembered.
    Plan(Option<Statement>),
    /// What the remembered statement came to.
    Rows(&'a [tokio_postgres::Row]),
}

/// A statement to be sent.
#[derive(Debug)]
pub(crate) struct Statement {
    /// With parameters `?1`, `?2`, …
    pub(crate) sql: String,
    pub(crate) values: Vec<Owned>,
}

impl Statement {
    /// Whether it asks the same of the same.
    pub(crate) fn is(&self, sql: &str, values: &[Param<'_>]) -> bool {
        let same = |(one, other): (&Owned, &Param<'_>)| one.param() == *other;
        self.values.len() == values.len()
            && self.sql == sql
            && self.values.iter().zip(values).all(same)
    }
}

impl<'a> Glance<'a> {
    pub(crate) fn at_sqlite(connection: &'a rusqlite::Connection) -> Self {
        Self::from(From::Sqlite(connection))
    }

    /// One that finds out which statement is asked for.
    pub(crate) fn plan() -> Self {
        Self::from(From::Plan(None))
    }

    /// One that answers the planned statement.
    pub(crate) fn answered(rows: &'a [tokio_postgres::Row]) -> Self {
        Self::from(From::Rows(rows))
    }

    fn from(from: From<'a>) -> Self {
        Self { from, used: false, more: false, generation: None }
    }

    pub(super) fn is_postgres(&self) -> bool {
        !matches!(self.from, From::Sqlite(_))
    }

    /// The statement that was asked for, if it was one that can be looked at like this.
    pub(crate) fn planned(self) -> Option<Statement> {
        match self.from {
            From::Plan(statement) if !self.more => statement,
            _ => None,
        }
    }

    /// The generation of credentials that the statement saw; `None` when it saw none, or when it was
    /// not the only one: then what was read counts for nothing.
    pub(crate) fn generation(&self) -> Option<i64> {
        self.generation.filter(|_| !self.more)
    }

    /// Somebody asks for what one statement cannot tell.
    pub(super) fn give_up(&mut self) -> Error {
        self.more = true;
        Error::Abandoned
    }

    /// Goes through the rows until `take` has enough.
    pub(super) fn each(
        &mut self,
        sql: &str,
        values: &impl Values,
        mut take: impl FnMut(&Row<'_>) -> Result<bool, Error>,
    ) -> Result<(), Error> {
        let Some(rest) = sql.strip_prefix(SELECT).filter(|_| !self.used) else {
            return Err(self.give_up());
        };
        self.used = true;
        let generation = &mut self.generation;
        match &mut self.from {
            From::Sqlite(connection) => {
                let sql = [SELECT_WITH_GENERATION, rest].concat();
                let mut statement = connection.prepare_cached(&sql)?;
                bind(&mut statement, values)?;
                let mut rows = statement.raw_query();
                while let Some(row) = rows.next()? {
                    let (seen, row) = Row::of_sqlite(row).split()?;
                    *generation = Some(seen);
                    if !take(&row)? {
                        break;
                    }
                }
            }
            From::Plan(planned) => {
                let values = values.values().map(|value| Owned::of(value.param())).collect();
                *planned = Some(Statement { sql: [AROUND[0], rest, AROUND[1]].concat(), values });
                return Err(Error::Abandoned);
            }
            From::Rows(rows) => {
                for row in *rows {
                    let (seen, row) = Row::of_postgres(row).split()?;
                    *generation = Some(seen);
                    let found = row.get::<Option<bool>>(0)?.is_some();
                    if !found || !take(&row.beyond(1))? {
                        break;
                    }
                }
            }
        }
        Ok(())
    }
}
