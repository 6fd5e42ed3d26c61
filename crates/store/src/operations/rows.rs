//! Many rows of a table written together, under ids that were taken for them before.

use super::{NONE, Session, parsed};
use crate::Error;
use crate::operations::Connection;
use crate::sql::{Param, Value};
use bytes::{BufMut, Bytes, BytesMut};

/// On PostgreSQL so many rows go in one statement each; more are copied in.
const FEW: usize = 3;

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Integer,
    Text,
    Bytes,
}

/// Where rows go: some of a table's columns, in the order of the values.
pub(super) struct Table<const N: usize> {
    pub(super) name: &'static str,
    pub(super) columns: [(&'static str, Kind); N],
}

/// How many ids are needed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct IdsWanted {
    /// Of calls.
    pub calls: usize,
    /// Of transactions.
    pub transactions: usize,
    /// Of events.
    pub events: usize,
}

/// The first id of each; the others follow it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Ids {
    /// Of calls.
    pub call: i64,
    /// Of transactions.
    pub transaction: i64,
    /// Of events.
    pub event: i64,
}

/// What takes a row's values.
pub(super) type Put<'a, const N: usize> = dyn FnMut(&[&dyn Value; N]) -> Result<(), Error> + 'a;

impl<const N: usize> Table<N> {
    /// Statements of all columns but so many of the first.
    fn names(&self, but: usize) -> String {
        let names: Vec<&str> = self.columns.iter().skip(but).map(|(name, _)| *name).collect();
        names.join(", ")
    }

    /// `part` stands behind the table's name.
    fn insert(&self, part: &str, but: usize) -> String {
        let values: Vec<String> = (1..=N - but).map(|at| format!("?{at}")).collect();
        let (names, values) = (self.names(but), values.join(", "));
        format!("INSERT INTO {}{part} ({names}) VALUES ({values})", self.name)
    }
}

impl Session<'_> {
    /// Takes ids for rows that this unit of work will store: nobody else's, in the order of commits.
    pub fn next_ids(&mut self, wanted: IdsWanted) -> Result<Ids, Error> {
        if self.is_postgres() {
            let taken = |table, count| {
                let last = format!("nextval('{table}_id_seq') + {count} - 1");
                format!(
                    "CASE WHEN {count} > 0 THEN setval('{table}_id_seq', {last}) - {count} + 1 ELSE 0 END"
                )
            };
            let found = self.first(
                &format!(
                    "SELECT {}, {}, {}",
                    taken("calls", "CAST(?1 AS BIGINT)"),
                    taken("transactions", "CAST(?2 AS BIGINT)"),
                    taken("events", "CAST(?3 AS BIGINT)")
                ),
                [wanted.calls as i64, wanted.transactions as i64, wanted.events as i64],
                |row| Ok(Ids { call: row.get(0)?, transaction: row.get(1)?, event: row.get(2)? }),
            )?;
            return parsed(found, "id");
        }
        let mut ids = Ids::default();
        self.each(
            "SELECT name, seq FROM sqlite_sequence WHERE name IN ('calls', 'transactions', 'events')",
            NONE,
            |row| {
                let last: i64 = row.get(1)?;
                match row.get(0)? {
                    "calls" => ids.call = last,
                    "transactions" => ids.transaction = last,
                    _ => ids.event = last,
                }
                Ok(true)
            },
        )?;
        Ok(Ids { call: ids.call + 1, transaction: ids.transaction + 1, event: ids.event + 1 })
    }

    /// Writes a row and returns its id, the first column, whatever `values` gives for it.
    pub(super) fn insert_row<const N: usize>(
        &mut self,
        table: &Table<N>,
        values: impl FnOnce(&mut Put<'_, N>) -> Result<(), Error>,
    ) -> Result<i64, Error> {
        let sql = table.insert("", 1);
        let mut id = None;
        values(&mut |row| {
            id = Some(self.insert(&sql, row.get(1..).unwrap_or_default())?);
            Ok(())
        })?;
        parsed(id, "id")
    }

    /// Writes rows, to a part of a table if one is named: `values` gives each one's values to what writes them.
    pub(super) fn insert_rows<const N: usize, T>(
        &mut self,
        (table, part): (&Table<N>, &str),
        rows: impl ExactSizeIterator<Item = T>,
        mut values: impl FnMut(T, &mut Put<'_, N>) -> Result<(), Error>,
    ) -> Result<(), Error> {
        if rows.len() == 0 {
            return Ok(());
        }
        self.statements += 1;
        match &mut self.connection {
            Connection::Sqlite(connection) => {
                let mut statement = connection.prepare_cached(&table.insert(part, 0))?;
                for row in rows {
                    values(row, &mut |row| {
                        for (index, value) in row.iter().enumerate() {
                            statement.raw_bind_parameter(index + 1, value.param())?;
                        }
                        statement.raw_execute()?;
                        Ok(())
                    })?;
                }
            }
            Connection::Postgres(pg) if rows.len() <= FEW => {
                let sql = table.insert(part, 0);
                for row in rows {
                    values(row, &mut |row| {
                        pg.send(&sql, row.iter().map(|value| value.param()).collect())
                    })?;
                }
            }
            Connection::Postgres(pg) => {
                let mut copied = Copied::begin(rows.len());
                for row in rows {
                    values(row, &mut |row| copied.put(&table.columns, row))?;
                }
                let sql =
                    format!("COPY {}{part} ({}) FROM STDIN BINARY", table.name, table.names(0));
                pg.copy_whole(&sql, copied.end())?;
            }
            Connection::Glance(glance) => return Err(glance.give_up()),
            Connection::Foreseeing(_) => return Err(Error::Abandoned),
            Connection::Lost => return Err(Error::Unavailable(None)),
        }
        Ok(())
    }
}

/// Rows as PostgreSQL copies them in: its binary format, which its documents call stable.
struct Copied(BytesMut);

impl Copied {
    fn begin(rows: usize) -> Self {
        let mut bytes = BytesMut::with_capacity(rows * 512);
        bytes.put_slice(b"PGCOPY\n\xff\r\n\0");
        // Neither flags nor more of a header.
        bytes.put_slice(&[0; 8]);
        Self(bytes)
    }

    fn put<const N: usize>(
        &mut self,
        columns: &[(&str, Kind); N],
        row: &[&dyn Value; N],
    ) -> Result<(), Error> {
        self.0.put_i16(
            i16::try_from(N).map_err(|_| Error::Unreadable { what: "value", source: None })?,
        );
        for ((_, kind), value) in columns.iter().zip(row) {
            match (value.param(), kind) {
                (Param::Null, _) => self.0.put_i32(-1),
                (Param::Integer(number), Kind::Integer) => {
                    self.0.put_i32(8);
                    self.0.put_i64(number);
                }
                (Param::Text(text), Kind::Text) => self.put_bytes(text.as_bytes())?,
                (Param::Bytes(bytes), Kind::Bytes) => self.put_bytes(bytes)?,
                _ => return Err(Error::Unreadable { what: "column", source: None }),
            }
        }
        Ok(())
    }

    fn put_bytes(&mut self, bytes: &[u8]) -> Result<(), Error> {
        self.0.put_i32(
            i32::try_from(bytes.len())
                .map_err(|_| Error::Unreadable { what: "value", source: None })?,
        );
        self.0.put_slice(bytes);
        Ok(())
    }

    fn end(mut self) -> Bytes {
        self.0.put_i16(-1);
        self.0.freeze()
    }
}
