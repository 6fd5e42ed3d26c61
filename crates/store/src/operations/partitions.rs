//! Partitions of calls and the ledger. On PostgreSQL both tables are partitioned by calendar month,
//! and `call_keys` has the start time of each call; on SQLite they are plain tables.

use super::{Connection, UnitOfWork, Values, or_unreadable};
use crate::Error;
use crate::postgres::PartitionMonth;
use trunkline_domain::id::TransactionId;

/// Names of the tables to query. If the month of a call is known, its partitions are queried
/// instead of the parent tables: such a query is planned once, and costs the same however many
/// months there are.
pub(super) struct Tables {
    pub(super) calls: String,
    pub(super) transactions: String,
}

impl Tables {
    /// The parent tables, with the rows of every month.
    pub(super) fn parent_tables() -> Self {
        Self { calls: "calls".to_owned(), transactions: "transactions".to_owned() }
    }
}

impl UnitOfWork<'_> {
    /// Creates the partition for a start time (milliseconds since 1970) if it does not exist.
    /// Returns the suffix of the partition's table names, which is empty on SQLite. Partitions in
    /// the cache are not looked up.
    pub(super) fn ensure_partition(&mut self, start_time: i64) -> Result<String, Error> {
        let Connection::Postgres(pg) = &self.connection else { return Ok(String::new()) };
        let suffix = |partition: &PartitionMonth| format!("_{}", partition.name);
        if let Some(known) = pg.partitions.find(start_time) {
            return Ok(suffix(known));
        }
        let found = self.query_first(
            "SELECT month_name(?1), starts_at, ends_before, created FROM ensure_partition(?1)",
            [start_time],
            |row| {
                let partition =
                    PartitionMonth { name: row.get(0)?, start: row.get(1)?, end: row.get(2)? };
                Ok((partition, row.get(3)?))
            },
        )?;
        let (partition, created) = or_unreadable(found, "month")?;
        let name = suffix(&partition);
        if let Connection::Postgres(pg) = &mut self.connection {
            pg.partitions.insert(partition, created);
        }
        Ok(name)
    }

    /// Groups rows by partition, each group with the suffix that [`UnitOfWork::ensure_partition`]
    /// returns.
    pub(super) fn group_by_partition<T>(
        &mut self,
        rows: impl Iterator<Item = T>,
        start_time: impl Fn(&T) -> i64,
    ) -> Result<Vec<(String, Vec<T>)>, Error> {
        let mut groups: Vec<(String, Vec<T>)> = Vec::new();
        for row in rows {
            let suffix = self.ensure_partition(start_time(&row))?;
            match groups.iter_mut().rev().find(|(known, _)| *known == suffix) {
                Some((_, rows)) => rows.push(row),
                None => groups.push((suffix, vec![row])),
            }
        }
        Ok(groups)
    }

    /// Invalidates the partition cache after an error, which a missing partition may have caused.
    pub(super) fn invalidate_partitions(&mut self) {
        if let Connection::Postgres(pg) = &mut self.connection {
            pg.partitions.invalidate();
        }
    }

    /// Finds the tables of a call by a condition on its key; `None` if there is no such call. On
    /// SQLite this runs no query.
    pub(super) fn tables_of_call(
        &mut self,
        condition: &str,
        values: impl Values,
    ) -> Result<Option<Tables>, Error> {
        self.find_tables("call_keys", condition, values)
    }

    /// Finds the tables of a ledger row by id, as [`UnitOfWork::tables_of_call`] does.
    pub(super) fn tables_of_transaction(
        &mut self,
        id: TransactionId,
    ) -> Result<Option<Tables>, Error> {
        self.find_tables("transactions", "id = ?1", [id])
    }

    fn find_tables(
        &mut self,
        table: &str,
        condition: &str,
        values: impl Values,
    ) -> Result<Option<Tables>, Error> {
        if !self.is_postgres() {
            return Ok(Some(Tables::parent_tables()));
        }
        let sql = format!("SELECT month_name(start_time) FROM {table} WHERE {condition}");
        self.query_first(&sql, values, |row| {
            let month: &str = row.get(0)?;
            let calls = format!("calls_{month}");
            let transactions = format!("transactions_{month}");
            Ok(Tables { calls, transactions })
        })
    }

    /// SQL condition that excludes the partitions before the start or after the end of an interval,
    /// and nothing else. Either bound may be null.
    pub(super) fn partition_condition_sql(&self, column: &str, from: &str, to: &str) -> String {
        match self.is_postgres() {
            true => format!(
                " AND {column} >= month_start(COALESCE({from}, {}))
                 AND {column} < month_end(COALESCE({to}, {}))",
                i64::MIN,
                i64::MAX
            ),
            false => String::new(),
        }
    }
}
