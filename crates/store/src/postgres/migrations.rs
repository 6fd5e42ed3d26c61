//! Bringing a database up to date. Servers that start at once take turns.

use super::Pg;
use super::connection::chain;
use super::url::without_password;
use crate::sql::Cell;
use crate::{Error, OpenError};

/// Forward only; each runs in a transaction of its own, at start.
const MIGRATIONS: [&str; 6] = [
    include_str!("../../migrations/postgres/0001_network.sql"),
    include_str!("../../migrations/postgres/0002_credentials.sql"),
    include_str!("../../migrations/postgres/0003_months.sql"),
    include_str!("../../migrations/postgres/0004_rate_limits.sql"),
    include_str!("../../migrations/postgres/0005_stored_at.sql"),
    include_str!("../../migrations/postgres/0006_references.sql"),
];

/// The key of the advisory lock that is held while migrating.
const MIGRATING: i64 = 0x5472_756e_6b6d;

/// Runs the migrations that a database has not had.
pub(super) fn run(pg: &mut Pg, url: &str) -> Result<(), OpenError> {
    let refused =
        |error: Error| OpenError::Server { url: without_password(url), reason: chain(&error) };
    let known = MIGRATIONS.len() as i64;
    loop {
        let found = run_next(pg).map_err(refused)?;
        if found > known || found < 0 {
            return Err(OpenError::Newer { file: without_password(url), found, known });
        }
        if found == known {
            return Ok(());
        }
    }
}

/// Runs the next migration, if there is one, and returns the version there was before it.
fn run_next(pg: &mut Pg) -> Result<i64, Error> {
    pg.run(&format!(
        "BEGIN; SET LOCAL lock_timeout = 0; SET LOCAL statement_timeout = 0;
         SET LOCAL idle_in_transaction_session_timeout = 0;
         SELECT pg_advisory_xact_lock({MIGRATING});
         CREATE TABLE IF NOT EXISTS schema_version (version BIGINT NOT NULL);
         INSERT INTO schema_version SELECT 0 WHERE NOT EXISTS (SELECT 1 FROM schema_version)"
    ))?;
    let found = version(pg)?;
    if let Some(sql) = usize::try_from(found).ok().and_then(|at| MIGRATIONS.get(at)) {
        pg.run(sql)?;
        pg.run("UPDATE schema_version SET version = version + 1")?;
    }
    pg.run("COMMIT")?;
    Ok(found)
}

/// The version that a database has, 0 for one that was never used, and our own.
pub(super) fn versions(pg: &mut Pg) -> Result<(i64, i64), Error> {
    let sql = "SELECT CAST(tablename AS TEXT) FROM pg_tables
        WHERE schemaname = current_schema() AND tablename = 'schema_version'";
    let mut rows = pg.query(sql, Vec::new())?;
    let there = pg.next(&mut rows)?.is_some();
    let found = if there { version(pg)? } else { 0 };
    Ok((found, MIGRATIONS.len() as i64))
}

fn version(pg: &mut Pg) -> Result<i64, Error> {
    let mut rows = pg.query("SELECT version FROM schema_version", Vec::new())?;
    let row =
        pg.next(&mut rows)?.ok_or(Error::Unreadable { what: "schema version", source: None })?;
    match row.try_get(0)? {
        Cell::Integer(version) => Ok(version),
        _ => Err(Error::Unreadable { what: "schema version", source: None }),
    }
}
