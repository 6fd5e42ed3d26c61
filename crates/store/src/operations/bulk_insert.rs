//! Bulk inserts of rows, under ids that were reserved for them.

use super::{NO_PARAMS, UnitOfWork, or_unreadable};
use crate::Error;
use crate::operations::Connection;
use crate::sql::{Column, Param, Value};
use bytes::{BufMut, Bytes, BytesMut};
use trunkline_domain::id::{CallId, EventId, TransactionId};

/// Maximum number of rows that PostgreSQL gets by INSERT; more are sent by COPY.
const COPY_THRESHOLD: usize = 3;

/// Type of a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ColumnType {
    Integer,
    Text,
    Bytes,
}

/// Target of an insert: columns of a table, in the order of the values.
pub(super) struct InsertTarget<const N: usize> {
    pub(super) name: &'static str,
    pub(super) columns: [(&'static str, ColumnType); N],
}

/// Number of ids to reserve in each table.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct IdCounts {
    /// Number of call ids.
    pub calls: usize,
    /// Number of transaction ids.
    pub transactions: usize,
    /// Number of event ids.
    pub events: usize,
}

/// First reserved id in each table; the others follow consecutively.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct FirstIds {
    /// First call id.
    pub call: CallId,
    /// First transaction id.
    pub transaction: TransactionId,
    /// First event id.
    pub event: EventId,
}

/// Receives the values of one row.
pub(super) type RowSink<'a, const N: usize> = dyn FnMut(&[&dyn Value; N]) -> Result<(), Error> + 'a;

impl<const N: usize> InsertTarget<N> {
    /// Comma-separated column names, without the first `skip`.
    fn column_names(&self, skip: usize) -> String {
        let names: Vec<&str> = self.columns.iter().skip(skip).map(|(name, _)| *name).collect();
        names.join(", ")
    }

    /// INSERT statement for a table or one of its partitions, without the first `skip` columns.
    fn insert_sql(&self, suffix: &str, skip: usize) -> String {
        let values: Vec<String> = (1..=N - skip).map(|index| format!("?{index}")).collect();
        let names = self.column_names(skip);
        let values = values.join(", ");
        format!("INSERT INTO {}{suffix} ({names}) VALUES ({values})", self.name)
    }
}

impl UnitOfWork<'_> {
    /// Reserves ids for rows that this unit of work will insert. Ids ascend in the order of
    /// commits.
    pub fn reserve_ids(&mut self, counts: IdCounts) -> Result<FirstIds, Error> {
        if self.is_postgres() {
            let reserve = |table, count| {
                let last = format!("nextval('{table}_id_seq') + {count} - 1");
                format!(
                    "CASE WHEN {count} > 0 THEN setval('{table}_id_seq', {last}) - {count} + 1 ELSE 0 END"
                )
            };
            let found = self.query_first(
                &format!(
                    "SELECT {}, {}, {}",
                    reserve("calls", "CAST(?1 AS BIGINT)"),
                    reserve("transactions", "CAST(?2 AS BIGINT)"),
                    reserve("events", "CAST(?3 AS BIGINT)")
                ),
                [counts.calls as i64, counts.transactions as i64, counts.events as i64],
                |row| {
                    Ok(FirstIds { call: row.get(0)?, transaction: row.get(1)?, event: row.get(2)? })
                },
            )?;
            return or_unreadable(found, "id");
        }
        let mut ids = FirstIds::default();
        self.for_each_row(
            "SELECT name, seq FROM sqlite_sequence WHERE name IN ('calls', 'transactions', 'events')",
            NO_PARAMS,
            |row| {
                match row.get(0)? {
                    "calls" => ids.call = row.get(1)?,
                    "transactions" => ids.transaction = row.get(1)?,
                    _ => ids.event = row.get(1)?,
                }
                Ok(true)
            },
        )?;
        Ok(FirstIds {
            call: ids.call.offset(1),
            transaction: ids.transaction.offset(1),
            event: ids.event.offset(1),
        })
    }

    /// Inserts a row and returns its generated id. The value of the id, the first column, is
    /// ignored.
    pub(super) fn insert_row<Id, const N: usize>(
        &mut self,
        table: &InsertTarget<N>,
        push_values: impl FnOnce(&mut RowSink<'_, N>) -> Result<(), Error>,
    ) -> Result<Id, Error>
    where
        Id: for<'c> Column<'c>,
    {
        let sql = table.insert_sql("", 1);
        let mut id = None;
        push_values(&mut |row| {
            id = Some(self.insert(&sql, row.get(1..).unwrap_or_default())?);
            Ok(())
        })?;
        or_unreadable(id, "id")
    }

    /// Inserts rows into a table, or into the partition with a suffix. `push_values` passes the values
    /// of each row to the sink.
    pub(super) fn insert_rows<const N: usize, T>(
        &mut self,
        table: &InsertTarget<N>,
        suffix: &str,
        rows: impl ExactSizeIterator<Item = T>,
        mut push_values: impl FnMut(T, &mut RowSink<'_, N>) -> Result<(), Error>,
    ) -> Result<(), Error> {
        if rows.len() == 0 {
            return Ok(());
        }
        self.statement_count += 1;
        match &mut self.connection {
            Connection::Sqlite(connection) => {
                let mut statement = connection.prepare_cached(&table.insert_sql(suffix, 0))?;
                for row in rows {
                    push_values(row, &mut |row| {
                        for (index, value) in row.iter().enumerate() {
                            statement.raw_bind_parameter(index + 1, value.as_param())?;
                        }
                        statement.raw_execute()?;
                        Ok(())
                    })?;
                }
            }
            Connection::Postgres(pg) if rows.len() <= COPY_THRESHOLD => {
                let sql = table.insert_sql(suffix, 0);
                for row in rows {
                    push_values(row, &mut |row| {
                        pg.send(&sql, row.iter().map(|value| value.as_param()).collect())
                    })?;
                }
            }
            Connection::Postgres(pg) => {
                let mut buffer = CopyBuffer::with_capacity(rows.len());
                for row in rows {
                    push_values(row, &mut |row| buffer.push_row(&table.columns, row))?;
                }
                let sql = format!(
                    "COPY {}{suffix} ({}) FROM STDIN BINARY",
                    table.name,
                    table.column_names(0)
                );
                pg.copy_rows(&sql, buffer.finish())?;
            }
            Connection::SingleStatement(read) => return Err(read.reject_statement()),
            Connection::Recording(_) => return Err(Error::Abandoned),
            Connection::Lost => return Err(Error::Unavailable(None)),
        }
        Ok(())
    }
}

/// Rows in PostgreSQL's binary COPY format, which its documentation declares stable.
struct CopyBuffer(BytesMut);

impl CopyBuffer {
    fn with_capacity(rows: usize) -> Self {
        let mut bytes = BytesMut::with_capacity(rows * 512);
        bytes.put_slice(b"PGCOPY\n\xff\r\n\0");
        // Flags and length of the header extension, both zero.
        bytes.put_slice(&[0; 8]);
        Self(bytes)
    }

    fn push_row<const N: usize>(
        &mut self,
        columns: &[(&str, ColumnType); N],
        row: &[&dyn Value; N],
    ) -> Result<(), Error> {
        self.0.put_i16(
            i16::try_from(N).map_err(|_| Error::Unreadable { value: "value", source: None })?,
        );
        for ((_, kind), value) in columns.iter().zip(row) {
            match (value.as_param(), kind) {
                (Param::Null, _) => self.0.put_i32(-1),
                (Param::Integer(number), ColumnType::Integer) => {
                    self.0.put_i32(8);
                    self.0.put_i64(number);
                }
                (Param::Text(text), ColumnType::Text) => self.push_bytes(text.as_bytes())?,
                (Param::Bytes(bytes), ColumnType::Bytes) => self.push_bytes(bytes)?,
                _ => return Err(Error::Unreadable { value: "column", source: None }),
            }
        }
        Ok(())
    }

    fn push_bytes(&mut self, bytes: &[u8]) -> Result<(), Error> {
        self.0.put_i32(
            i32::try_from(bytes.len())
                .map_err(|_| Error::Unreadable { value: "value", source: None })?,
        );
        self.0.put_slice(bytes);
        Ok(())
    }

    fn finish(mut self) -> Bytes {
        self.0.put_i16(-1);
        self.0.freeze()
    }
}
