//! On PostgreSQL calls and the ledger are in a partition for each calendar month, and `call_keys` says
//! when each call started; on SQLite they are whole.

use super::{Connection, Session, Values, parsed};
use crate::Error;
use crate::postgres::Month;

/// The tables to look in. Where a call's month is known its own partitions are read, and not the whole:
/// that is planned once, and costs the same however many months there are.
pub(super) struct Tables {
    /// What was looked for, by our id, where that is known by now.
    pub(super) id: Option<i64>,
    pub(super) calls: String,
    pub(super) transactions: String,
}

impl Tables {
    /// Every month.
    pub(super) fn whole() -> Self {
        Self { id: None, calls: "calls".to_owned(), transactions: "transactions".to_owned() }
    }
}

impl Session<'_> {
    /// Sees to it that a call that started at a moment (milliseconds) has a partition to be in; what
    /// stands behind `calls` and `transactions` in that partition's names. What is known to be there is
    /// not asked for.
    pub(super) fn make_month(&mut self, start_time: i64) -> Result<String, Error> {
        let Connection::Postgres(pg) = &self.connection else { return Ok(String::new()) };
        let of = |month: &Month| format!("_{}", month.name);
        if let Some(known) = pg.months.at(start_time) {
            return Ok(of(known));
        }
        let found = self.first(
            "SELECT month_name(?1), since, before, made FROM make_month(?1)",
            [start_time],
            |row| {
                let (name, since, before) = (row.get(0)?, row.get(1)?, row.get(2)?);
                Ok((Month { name, since, before }, row.get(3)?))
            },
        )?;
        let (month, made) = parsed(found, "month")?;
        let name = of(&month);
        if let Connection::Postgres(pg) = &mut self.connection {
            pg.months.learn(month, made);
        }
        Ok(name)
    }

    /// Rows by the partitions they go to, each with what [`Session::make_month`] answers.
    pub(super) fn by_month<T>(
        &mut self,
        rows: impl Iterator<Item = T>,
        start_time: impl Fn(&T) -> i64,
    ) -> Result<Vec<(String, Vec<T>)>, Error> {
        let mut parts: Vec<(String, Vec<T>)> = Vec::new();
        for row in rows {
            let part = self.make_month(start_time(&row))?;
            match parts.iter_mut().rev().find(|(known, _)| *known == part) {
                Some((_, rows)) => rows.push(row),
                None => parts.push((part, vec![row])),
            }
        }
        Ok(parts)
    }

    /// Asks again for every month: one of them may have been taken away.
    pub(super) fn forget_months(&mut self) {
        if let Connection::Postgres(pg) = &mut self.connection {
            pg.months.forget();
        }
    }

    /// Where a call is, by a condition on its key; `None` where there is none. On SQLite nothing is asked.
    pub(super) fn tables_of_call(
        &mut self,
        which: &str,
        values: impl Values,
    ) -> Result<Option<Tables>, Error> {
        self.tables("call_keys", "call_id", which, values)
    }

    /// Where a row of the ledger is, by our id; as [`Session::tables_of_call`].
    pub(super) fn tables_of_transaction(&mut self, id: i64) -> Result<Option<Tables>, Error> {
        self.tables("transactions", "id", "id = ?1", [id])
    }

    fn tables(
        &mut self,
        among: &str,
        id: &str,
        which: &str,
        values: impl Values,
    ) -> Result<Option<Tables>, Error> {
        if !self.is_postgres() {
            return Ok(Some(Tables::whole()));
        }
        let sql = format!("SELECT {id}, month_name(start_time) FROM {among} WHERE {which}");
        self.first(&sql, values, |row| {
            let month: &str = row.get(1)?;
            let (calls, transactions) = (format!("calls_{month}"), format!("transactions_{month}"));
            Ok(Tables { id: row.get(0)?, calls, transactions })
        })
    }

    /// A condition that leaves out the partitions that end before one moment or begin after another,
    /// and nothing else; either may be null.
    pub(super) fn within_months(&self, column: &str, from: &str, to: &str) -> String {
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
