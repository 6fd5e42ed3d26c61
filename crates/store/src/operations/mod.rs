//! Operations of a unit of work: one method of [`UnitOfWork`] for each thing that the use cases need,
//! with its SQL next to it.

mod affiliations;
mod audit;
mod audit_usage;
mod budgets;
mod bulk_insert;
mod call_log;
mod call_totals;
mod calls;
mod campaigns;
mod credentials;
mod database;
mod deliveries;
mod email_verifications;
mod events;
mod internal_ids;
mod live_calls;
mod mails;
mod name_skeletons;
mod networks;
mod object_states;
mod parties;
mod partitions;
mod path_lookup;
mod promo_number_holdings;
mod promo_numbers;
mod rate_limits;
mod recordings;
mod sandbox;
mod single_statement;
mod statements;
mod sweep;
mod transactions;
mod users;
mod webhooks;

pub use affiliations::{AffiliateCampaignInCampaign, AffiliateCampaignSize, RelationshipOfParties};
pub use audit_usage::AuditLimit;
pub use budgets::{CounterKey, CounterScope, CurrentTotals, PeriodBounds, StoredTotal};
pub use bulk_insert::{FirstIds, IdCounts};
pub use call_log::{CallRecord, CallRowFilter, CallScope};
pub use call_totals::{CallTotals, QuarterHourCalls, QuarterHourTotals, quarter_hour};
pub use calls::{EndedCall, RepeatCallerQuery, StoredReport, ValidityPeriod};
pub use database::{
    BackupError, BackupSummary, CopiedTable, CopyError, Finding, ProgressObserver, backup_database,
    check_database, copy_database, read_existing, restore_database,
};
pub use deliveries::{DeliveryRecord, DeliveryState, DueWebhook, NewDelivery};
pub use email_verifications::{NewEmailVerification, OpenEmailVerification};
pub use events::{EventRecord, NewEvent};
pub use internal_ids::PathObject;
pub use live_calls::{AnsweredEvent, OverdueCall};
pub use mails::{MailRecord, MailState};
pub use object_states::{ObjectState, StatefulObject};
pub use path_lookup::{PathIds, PromoNumberKey, ResolvedAffiliate, ResolvedPath};
pub use recordings::{Recording, RecordingState, StoredSound};
pub use sandbox::ApprovedAffiliate;
pub(crate) use single_statement::{SingleStatementRead, SqlStatement};
pub use statements::{StatementLine, StatementTotals};
pub use transactions::{IdAndName, LedgerFilter, LedgerRow, LedgerScope};
pub use users::{UserInNetwork, UserWithPassword};

use crate::postgres::PgConnection;
use crate::sql::{Cell, Column, OwnedParam, Param, Row, Value};
use crate::{Error, Page};
use serde::{Serialize, de::DeserializeOwned};

/// Unit of work: a write transaction or a read snapshot, with one method for each operation.
///
/// The operations are in the files of this module. Network-scoped ids that clients see are called
/// external ids (`id_from_network`); an id without this addition is a row id, unique in its table.
#[derive(Debug)]
pub struct UnitOfWork<'a> {
    connection: Connection<'a>,
    /// True if this unit of work wrote an event, a delivery or a mail, so that its commit is
    /// notified to subscribers (see [`crate::Store::subscribe_commits`]).
    pub(crate) emits_events: bool,
    /// Generation of credentials, if it has been read already.
    generation: Option<i64>,
    /// SQL statements that this unit of work has run so far.
    pub(crate) statement_count: u64,
    /// Bytes that it wrote into the audit log and that are not charged yet.
    audit_bytes: i64,
}

/// Database connection of a unit of work.
#[derive(Debug)]
pub(crate) enum Connection<'a> {
    Sqlite(&'a rusqlite::Connection),
    Postgres(&'a mut PgConnection),
    /// A single statement on either backend, without a transaction.
    SingleStatement(SingleStatementRead<'a>),
    /// No connection: queries are recorded for a prefetch on PostgreSQL.
    Recording(Vec<SqlStatement>),
    /// The connection to the server was lost.
    Lost,
}

impl<'a> UnitOfWork<'a> {
    pub(crate) fn new(connection: Connection<'a>) -> Self {
        Self::with_generation(connection, None)
    }

    /// Unit of work whose snapshot also gave the generation of credentials.
    pub(crate) fn with_generation(connection: Connection<'a>, generation: Option<i64>) -> Self {
        Self { connection, emits_events: false, generation, statement_count: 0, audit_bytes: 0 }
    }

    /// Runs a unit of work that may issue one statement. Returns its result and the statement's
    /// state.
    pub(crate) fn with_single_statement<T>(
        read: SingleStatementRead<'a>,
        work: impl FnOnce(&mut Self) -> T,
    ) -> (T, Option<SingleStatementRead<'a>>) {
        let mut unit = Self::new(Connection::SingleStatement(read));
        let result = work(&mut unit);
        match unit.connection {
            Connection::SingleStatement(read) => (result, Some(read)),
            _ => (result, None),
        }
    }

    /// Records the queries that some work issues on PostgreSQL.
    pub(crate) fn record_queries(work: impl FnOnce(&mut UnitOfWork<'_>)) -> Vec<SqlStatement> {
        let mut unit = UnitOfWork::new(Connection::Recording(Vec::new()));
        work(&mut unit);
        match unit.connection {
            Connection::Recording(statements) => statements,
            _ => Vec::new(),
        }
    }

    /// Returns true if PostgreSQL's SQL dialect is needed.
    fn is_postgres(&self) -> bool {
        match &self.connection {
            Connection::Postgres(_) | Connection::Recording(_) => true,
            Connection::SingleStatement(read) => read.is_postgres(),
            Connection::Sqlite(_) | Connection::Lost => false,
        }
    }

    /// SQL expression for a text in a JSON column, by its path in SQLite's notation.
    fn json_text_sql(&self, column: &str, path: &str) -> String {
        if self.is_postgres() {
            let path = path.replace('[', ".").replace(']', "").replace('.', ",");
            return format!("{column}::json #>> '{{{path}}}'");
        }
        format!("json_extract({column}, '$.{path}')")
    }

    /// SQL table expression (for `FROM`) of the rows in a parameter, a JSON array of arrays (see
    /// [`to_json_rows`]). Each row is `j.value`, its cells are `j.value ->> 0` and so on.
    fn json_rows_sql(&self, parameter: &str) -> String {
        if self.is_postgres() {
            return format!("json_array_elements(CAST({parameter} AS json)) AS j(value)");
        }
        format!("json_each({parameter}) AS j")
    }

    /// SQL expression (for `IN`) of the ids in a parameter, a JSON array of arrays of one.
    fn json_ids_sql(&self, parameter: &str) -> String {
        format!("(SELECT CAST(j.value ->> 0 AS BIGINT) FROM {})", self.json_rows_sql(parameter))
    }

    /// Runs a statement. On PostgreSQL it may be deferred: its error is then reported by the next
    /// query, or fails the unit of work at its end.
    fn execute(&mut self, sql: &str, values: impl Values) -> Result<(), Error> {
        match &mut self.connection {
            Connection::Postgres(pg) => {
                self.statement_count += 1;
                pg.send(sql, values.params())
            }
            _ => self.execute_counted(sql, values).map(drop),
        }
    }

    /// Runs a statement and returns the number of changed rows.
    fn execute_counted(&mut self, sql: &str, values: impl Values) -> Result<u64, Error> {
        self.statement_count += 1;
        match &mut self.connection {
            Connection::Sqlite(connection) => {
                let mut statement = connection.prepare_cached(sql)?;
                bind(&mut statement, &values)?;
                Ok(statement.raw_execute()? as u64)
            }
            Connection::Postgres(pg) => pg.execute(sql, values.params()),
            Connection::SingleStatement(read) => Err(read.reject_statement()),
            Connection::Recording(_) => Err(Error::Abandoned),
            Connection::Lost => Err(Error::Unavailable(None)),
        }
    }

    /// Inserts a row into a table that generates ids and returns its id.
    fn insert<Id>(&mut self, sql: &str, values: impl Values) -> Result<Id, Error>
    where
        Id: for<'c> Column<'c>,
    {
        match &mut self.connection {
            Connection::Sqlite(connection) => {
                self.statement_count += 1;
                let mut statement = connection.prepare_cached(sql)?;
                bind(&mut statement, &values)?;
                statement.raw_execute()?;
                or_unreadable(Id::read(Cell::Integer(connection.last_insert_rowid())), "id")
            }
            _ => {
                let id =
                    self.query_first(&format!("{sql} RETURNING id"), values, |row| row.get(0))?;
                or_unreadable(id, "id")
            }
        }
    }

    /// Calls `visit` with each row until it returns false.
    fn for_each_row(
        &mut self,
        sql: &str,
        values: impl Values,
        mut visit: impl FnMut(&Row<'_>) -> Result<bool, Error>,
    ) -> Result<(), Error> {
        self.statement_count += 1;
        match &mut self.connection {
            Connection::Sqlite(connection) => {
                let mut statement = connection.prepare_cached(sql)?;
                bind(&mut statement, &values)?;
                let mut rows = statement.raw_query();
                while let Some(row) = rows.next()? {
                    if !visit(&Row::from_sqlite(row))? {
                        break;
                    }
                }
            }
            Connection::Postgres(pg) => {
                let mut rows = pg.query(sql, values.params())?;
                while let Some(row) = pg.next(&mut rows)? {
                    if !visit(&Row::from_postgres(&row))? {
                        break;
                    }
                }
            }
            Connection::SingleStatement(read) => read.for_each_row(sql, &values, visit)?,
            Connection::Recording(statements) => {
                let values = values.params().into_iter().map(OwnedParam::new).collect();
                statements.push(SqlStatement { sql: sql.to_owned(), values });
                return Err(Error::Abandoned);
            }
            Connection::Lost => return Err(Error::Unavailable(None)),
        }
        Ok(())
    }

    /// Reads the first row, if there is one.
    fn query_first<T>(
        &mut self,
        sql: &str,
        values: impl Values,
        read: impl FnOnce(&Row<'_>) -> Result<T, Error>,
    ) -> Result<Option<T>, Error> {
        let mut read = Some(read);
        let mut found = None;
        self.for_each_row(sql, values, |row| {
            if let Some(read) = read.take() {
                found = Some(read(row)?);
            }
            Ok(false)
        })?;
        Ok(found)
    }

    /// Reads every row.
    fn query_all<T>(
        &mut self,
        sql: &str,
        values: impl Values,
        mut read: impl FnMut(&Row<'_>) -> Result<T, Error>,
    ) -> Result<Vec<T>, Error> {
        let mut found = Vec::new();
        self.for_each_row(sql, values, |row| {
            found.push(read(row)?);
            Ok(true)
        })?;
        Ok(found)
    }

    /// Reads the rows of a page, up to its limit in bytes.
    fn query_page<T>(
        &mut self,
        page: Page,
        sql: &str,
        values: impl Values,
        mut read: impl FnMut(&Row<'_>) -> Result<T, Error>,
    ) -> Result<Vec<T>, Error> {
        let mut found = Vec::new();
        let mut bytes = 0;
        self.for_each_row(sql, values, |row| {
            found.push(read(row)?);
            bytes += row.byte_len()?;
            Ok(bytes < page.max_bytes)
        })?;
        Ok(found)
    }

    /// Returns true if a query has a row.
    fn exists(&mut self, sql: &str, values: impl Values) -> Result<bool, Error> {
        Ok(self.query_first(sql, values, |_| Ok(()))?.is_some())
    }
}

/// Parameters of a statement, in order: `params![…]`, or an array of values of one type.
trait Values {
    fn values(&self) -> impl Iterator<Item = &dyn Value>;

    fn params(&self) -> Vec<Param<'_>> {
        self.values().map(Value::as_param).collect()
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
const NO_PARAMS: [i64; 0] = [];

fn bind(statement: &mut rusqlite::Statement<'_>, values: &impl Values) -> Result<(), Error> {
    for (index, value) in values.values().enumerate() {
        statement.raw_bind_parameter(index + 1, value.as_param())?;
    }
    Ok(())
}

fn to_json<T: Serialize>(value: &T, what: &'static str) -> Result<String, Error> {
    serde_json::to_string(value)
        .map_err(|source| Error::Unreadable { value: what, source: Some(source) })
}

/// Serializes rows for [`UnitOfWork::json_rows_sql`].
fn to_json_rows<T: Serialize>(rows: &[T]) -> Result<String, Error> {
    to_json(&rows, "parameter")
}

/// Serializes ids for [`UnitOfWork::json_ids_sql`].
fn to_json_ids<Id: Serialize>(ids: &[Id]) -> Result<String, Error> {
    let rows: Vec<[&Id; 1]> = ids.iter().map(|id| [id]).collect();
    to_json_rows(&rows)
}

fn from_json<T: DeserializeOwned>(text: &str, what: &'static str) -> Result<T, Error> {
    serde_json::from_str(text)
        .map_err(|source| Error::Unreadable { value: what, source: Some(source) })
}

fn or_unreadable<T>(value: Option<T>, what: &'static str) -> Result<T, Error> {
    value.ok_or(Error::Unreadable { value: what, source: None })
}

fn to_millis(timestamp: jiff::Timestamp) -> i64 {
    timestamp.as_millisecond()
}

fn timestamp_from_millis(millis: i64) -> Result<jiff::Timestamp, Error> {
    or_unreadable(jiff::Timestamp::from_millisecond(millis).ok(), "time")
}
