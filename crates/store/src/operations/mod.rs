//! What a unit of work can ask for: one named operation for each thing that the use cases need, with
//! its SQL next to it.

mod affiliations;
mod audit;
mod budgets;
mod call_log;
mod calls;
mod campaigns;
mod chains;
mod credentials;
mod database;
mod deliveries;
mod events;
mod glance;
mod live_calls;
mod mails;
mod months;
mod networks;
mod parties;
mod promo_numbers;
mod rate_limits;
mod rows;
mod sandbox;
mod statements;
mod sweep;
mod transactions;
mod users;
mod webhooks;

pub use budgets::{Counted, CountedThing, KeptTotal, TotalsNow, edges};
pub use call_log::{CallRecord, CallsOf, ListedCalls};
pub use calls::{CallTotals, Reign, Repeat, quarter};
pub use chains::{Chain, LinkedAffiliate, Links, Numbered};
pub use database::{Copied, CopyError, Finding, Watch, check, copy};
pub use deliveries::{DeliveryRecord, DeliveryState};
pub use events::{EventRecord, NewEvent};
pub(crate) use glance::{Glance, Statement};
pub use mails::{MailRecord, MailState};
pub use rows::{Ids, IdsWanted};
pub use statements::{StatementLine, StatementTotals};
pub use transactions::{LedgerFilter, LedgerOf, LedgerRow, Named};

use crate::postgres::Pg;
use crate::sql::{Owned, Param, Row, Value};
use crate::{Error, Page};
use serde::{Serialize, de::DeserializeOwned};

/// What a unit of work sees of the database. Operations are in the files beside this one.
#[derive(Debug)]
pub struct Session<'a> {
    connection: Connection<'a>,
    /// Whether this unit of work wrote something that somebody waits for: see
    /// [`crate::Store::news`].
    pub(crate) news: bool,
    /// The generation of credentials, where it is known already.
    generation: Option<i64>,
    /// Statements that this unit of work has run so far.
    pub(crate) statements: u64,
}

/// The database that a unit of work talks to.
#[derive(Debug)]
pub(crate) enum Connection<'a> {
    Sqlite(&'a rusqlite::Connection),
    Postgres(&'a mut Pg),
    /// One statement's worth of either.
    Glance(Glance<'a>),
    /// None at all: what PostgreSQL is going to be asked is written down.
    Foreseeing(Vec<Statement>),
    /// A server that went away.
    Lost,
}

impl<'a> Session<'a> {
    pub(crate) fn on(connection: Connection<'a>) -> Self {
        Self::with_generation(connection, None)
    }

    /// The same, where the generation of credentials has been read in the same snapshot.
    pub(crate) fn with_generation(connection: Connection<'a>, generation: Option<i64>) -> Self {
        Self { connection, news: false, generation, statements: 0 }
    }

    /// Runs a unit of work that is one statement.
    pub(crate) fn glance<T>(
        glance: Glance<'a>,
        work: impl FnOnce(&mut Self) -> T,
    ) -> (T, Option<Glance<'a>>) {
        let mut session = Self::on(Connection::Glance(glance));
        let result = work(&mut session);
        match session.connection {
            Connection::Glance(glance) => (result, Some(glance)),
            _ => (result, None),
        }
    }

    /// What some work would ask of PostgreSQL.
    pub(crate) fn foresee(work: impl FnOnce(&mut Session<'_>)) -> Vec<Statement> {
        let mut session = Session::on(Connection::Foreseeing(Vec::new()));
        work(&mut session);
        match session.connection {
            Connection::Foreseeing(statements) => statements,
            _ => Vec::new(),
        }
    }

    /// Whether the words are PostgreSQL's, where they are not the same.
    fn is_postgres(&self) -> bool {
        match &self.connection {
            Connection::Postgres(_) | Connection::Foreseeing(_) => true,
            Connection::Glance(glance) => glance.is_postgres(),
            Connection::Sqlite(_) | Connection::Lost => false,
        }
    }

    /// An expression for a text inside a column of JSON, by its path as SQLite writes it.
    fn json_text(&self, column: &str, path: &str) -> String {
        if self.is_postgres() {
            let path = path.replace('[', ".").replace(']', "").replace('.', ",");
            return format!("{column}::json #>> '{{{path}}}'");
        }
        format!("json_extract({column}, '$.{path}')")
    }

    /// What stands behind `FROM` for the rows in a parameter, a JSON array of arrays (see
    /// [`to_rows`]): each is `j.value`, whose cells are `j.value ->> 0` and so on.
    fn rows_in(&self, parameter: &str) -> String {
        if self.is_postgres() {
            return format!("json_array_elements(CAST({parameter} AS json)) AS j(value)");
        }
        format!("json_each({parameter}) AS j")
    }

    /// What stands behind `IN` for the ids in a parameter, a JSON array of arrays of one.
    fn ids_in(&self, parameter: &str) -> String {
        format!("(SELECT CAST(j.value ->> 0 AS BIGINT) FROM {})", self.rows_in(parameter))
    }

    /// Runs a statement. On PostgreSQL nobody may know yet whether it failed: then whatever is asked next
    /// fails in its place, or in the end the whole unit of work.
    fn execute(&mut self, sql: &str, values: impl Values) -> Result<(), Error> {
        match &mut self.connection {
            Connection::Postgres(pg) => {
                self.statements += 1;
                pg.send(sql, values.params())
            }
            _ => self.change(sql, values).map(drop),
        }
    }

    /// Runs a statement; how many rows it changed.
    fn change(&mut self, sql: &str, values: impl Values) -> Result<u64, Error> {
        self.statements += 1;
        match &mut self.connection {
            Connection::Sqlite(connection) => {
                let mut statement = connection.prepare_cached(sql)?;
                bind(&mut statement, &values)?;
                Ok(statement.raw_execute()? as u64)
            }
            Connection::Postgres(pg) => pg.execute(sql, values.params()),
            Connection::Glance(glance) => Err(glance.give_up()),
            Connection::Foreseeing(_) => Err(Error::Abandoned),
            Connection::Lost => Err(Error::Unavailable(None)),
        }
    }

    /// Inserts a row into a table that gives out ids, and returns its id.
    fn insert(&mut self, sql: &str, values: impl Values) -> Result<i64, Error> {
        match &mut self.connection {
            Connection::Sqlite(connection) => {
                self.statements += 1;
                let mut statement = connection.prepare_cached(sql)?;
                bind(&mut statement, &values)?;
                statement.raw_execute()?;
                Ok(connection.last_insert_rowid())
            }
            _ => {
                let id = self.first(&format!("{sql} RETURNING id"), values, |row| row.get(0))?;
                parsed(id, "id")
            }
        }
    }

    /// Goes through the rows until `take` has enough.
    fn each(
        &mut self,
        sql: &str,
        values: impl Values,
        mut take: impl FnMut(&Row<'_>) -> Result<bool, Error>,
    ) -> Result<(), Error> {
        self.statements += 1;
        match &mut self.connection {
            Connection::Sqlite(connection) => {
                let mut statement = connection.prepare_cached(sql)?;
                bind(&mut statement, &values)?;
                let mut rows = statement.raw_query();
                while let Some(row) = rows.next()? {
                    if !take(&Row::of_sqlite(row))? {
                        break;
                    }
                }
            }
            Connection::Postgres(pg) => {
                let mut rows = pg.query(sql, values.params())?;
                while let Some(row) = pg.next(&mut rows)? {
                    if !take(&Row::of_postgres(&row))? {
                        break;
                    }
                }
            }
            Connection::Glance(glance) => glance.each(sql, &values, take)?,
            Connection::Foreseeing(statements) => {
                let values = values.params().into_iter().map(Owned::of).collect();
                statements.push(Statement { sql: sql.to_owned(), values });
                return Err(Error::Abandoned);
            }
            Connection::Lost => return Err(Error::Unavailable(None)),
        }
        Ok(())
    }

    /// The first row, if there is one, as `read` makes it.
    fn first<T>(
        &mut self,
        sql: &str,
        values: impl Values,
        read: impl FnOnce(&Row<'_>) -> Result<T, Error>,
    ) -> Result<Option<T>, Error> {
        let (mut read, mut found) = (Some(read), None);
        self.each(sql, values, |row| {
            if let Some(read) = read.take() {
                found = Some(read(row)?);
            }
            Ok(false)
        })?;
        Ok(found)
    }

    /// Every row, as `read` makes it.
    fn all<T>(
        &mut self,
        sql: &str,
        values: impl Values,
        mut read: impl FnMut(&Row<'_>) -> Result<T, Error>,
    ) -> Result<Vec<T>, Error> {
        let mut found = Vec::new();
        self.each(sql, values, |row| {
            found.push(read(row)?);
            Ok(true)
        })?;
        Ok(found)
    }

    /// The rows of a page, as `read` makes them, until they have as many bytes as it may have.
    fn page<T>(
        &mut self,
        page: Page,
        sql: &str,
        values: impl Values,
        mut read: impl FnMut(&Row<'_>) -> Result<T, Error>,
    ) -> Result<Vec<T>, Error> {
        let (mut found, mut bytes) = (Vec::new(), 0);
        self.each(sql, values, |row| {
            found.push(read(row)?);
            bytes += row.bytes()?;
            Ok(bytes < page.bytes)
        })?;
        Ok(found)
    }

    /// Whether a query has a row.
    fn exists(&mut self, sql: &str, values: impl Values) -> Result<bool, Error> {
        Ok(self.first(sql, values, |_| Ok(()))?.is_some())
    }
}

/// A statement's parameters, in order: `params![…]`, or an array of values of one type.
trait Values {
    fn values(&self) -> impl Iterator<Item = &dyn Value>;

    fn params(&self) -> Vec<Param<'_>> {
        self.values().map(Value::param).collect()
    }
}

impl<T: Value, const N: usize> Values for [T; N] {
    fn values(&self) -> impl Iterator<Item = &dyn Value> {
        self.iter().map(|value| value as &dyn Value)
    }
}

impl Values for &[&dyn Value] {
    fn values(&self) -> impl Iterator<Item = &dyn Value> {
        self.iter().copied()
    }
}

/// No parameters.
const NONE: [i64; 0] = [];

fn bind(statement: &mut rusqlite::Statement<'_>, values: &impl Values) -> Result<(), Error> {
    for (index, value) in values.values().enumerate() {
        statement.raw_bind_parameter(index + 1, value.param())?;
    }
    Ok(())
}

fn to_json<T: Serialize>(value: &T, what: &'static str) -> Result<String, Error> {
    serde_json::to_string(value).map_err(|source| Error::Unreadable { what, source: Some(source) })
}

/// Rows for a statement to read: see [`Session::rows_in`].
fn to_rows<T: Serialize>(rows: &[T]) -> Result<String, Error> {
    to_json(&rows, "parameter")
}

/// Ids for a statement to read: see [`Session::ids_in`].
fn to_ids(ids: &[i64]) -> Result<String, Error> {
    let rows: Vec<[i64; 1]> = ids.iter().map(|id| [*id]).collect();
    to_rows(&rows)
}

fn from_json<T: DeserializeOwned>(text: &str, what: &'static str) -> Result<T, Error> {
    serde_json::from_str(text).map_err(|source| Error::Unreadable { what, source: Some(source) })
}

fn parsed<T>(value: Option<T>, what: &'static str) -> Result<T, Error> {
    value.ok_or(Error::Unreadable { what, source: None })
}

fn millis(timestamp: jiff::Timestamp) -> i64 {
    timestamp.as_millisecond()
}

fn moment(millis: i64) -> Result<jiff::Timestamp, Error> {
    parsed(jiff::Timestamp::from_millisecond(millis).ok(), "time")
}
