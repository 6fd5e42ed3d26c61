//! Opening and migrating SQLite files.

use super::statement_cache::set_up_statement_cache;
use crate::OpenError;
use rusqlite::{Connection, OpenFlags, TransactionBehavior};
use std::path::Path;
use std::time::Duration;

/// Migrations in order, forward only. Each runs in a transaction of its own when a server starts.
pub(crate) const MIGRATIONS: &[&str] = &[
    include_str!("../../migrations/sqlite/0001_network.sql"),
    include_str!("../../migrations/sqlite/0002_calls.sql"),
    include_str!("../../migrations/sqlite/0003_money.sql"),
    include_str!("../../migrations/sqlite/0004_outbox.sql"),
    include_str!("../../migrations/sqlite/0005_ledger.sql"),
    include_str!("../../migrations/sqlite/0006_live_calls.sql"),
    include_str!("../../migrations/sqlite/0007_sandbox.sql"),
    include_str!("../../migrations/sqlite/0008_credentials.sql"),
    include_str!("../../migrations/sqlite/0009_rate_limits.sql"),
    include_str!("../../migrations/sqlite/0010_stored_at.sql"),
    include_str!("../../migrations/sqlite/0011_trigger_names.sql"),
    include_str!("../../migrations/sqlite/0012_held_payin.sql"),
    include_str!("../../migrations/sqlite/0013_object_states.sql"),
    include_str!("../../migrations/sqlite/0014_promo_number_holdings.sql"),
    include_str!("../../migrations/sqlite/0015_network_settings.sql"),
    include_str!("../../migrations/sqlite/0016_sign_in_grants.sql"),
    include_str!("../../migrations/sqlite/0017_rate_limit_totals.sql"),
    include_str!("../../migrations/sqlite/0018_webhook_secrets.sql"),
    include_str!("../../migrations/sqlite/0019_sign_in_links.sql"),
    include_str!("../../migrations/sqlite/0020_external_ids_of_advertisers.sql"),
    include_str!("../../migrations/sqlite/0021_timed_calls.sql"),
    include_str!("../../migrations/sqlite/0022_token_uses.sql"),
    include_str!("../../migrations/sqlite/0023_email_verifications.sql"),
    include_str!("../../migrations/sqlite/0024_name_skeletons.sql"),
    include_str!("../../migrations/sqlite/0025_promo_types.sql"),
    include_str!("../../migrations/sqlite/0026_recordings.sql"),
    include_str!("../../migrations/sqlite/0027_audit_usage.sql"),
];

/// Page cache of the writing connection, in KiB.
const WRITER_CACHE_KIB: i64 = 16 << 10;

pub(crate) fn file_error(file: &Path, error: &dyn std::fmt::Display) -> OpenError {
    OpenError::File { file: file.display().to_string(), reason: error.to_string() }
}

/// Checks that the directory of a file exists.
pub(crate) fn check_directory(file: &Path) -> Result<(), OpenError> {
    let directory = file.parent().filter(|directory| !directory.as_os_str().is_empty());
    match directory.is_none_or(Path::is_dir) {
        true => Ok(()),
        false => Err(file_error(file, &"its directory does not exist")),
    }
}

/// Opens a writing connection, creating the file if it does not exist.
pub(super) fn open(file: &Path) -> Result<Connection, OpenError> {
    super::files::create_private(file).map_err(|error| file_error(file, &error))?;
    let connection = Connection::open(file).map_err(|error| file_error(file, &error))?;
    let set_up = || -> rusqlite::Result<()> {
        connection.busy_timeout(Duration::from_secs(10))?;
        connection.pragma_update(None, "journal_mode", "WAL")?;
        connection.pragma_update(None, "synchronous", "FULL")?;
        connection.pragma_update(None, "foreign_keys", true)?;
        set_up_statement_cache(&connection)?;
        connection.pragma_update(None, "cache_size", -WRITER_CACHE_KIB)?;
        // The journal of a savepoint would otherwise be a temporary file, written as often as the
        // WAL.
        connection.pragma_update(None, "temp_store", "MEMORY")?;
        Ok(())
    };
    set_up().map_err(|error| file_error(file, &error))?;
    // SQLite silently opens a file without write permission as read-only.
    if connection.is_readonly("main").map_err(|error| file_error(file, &error))? {
        return Err(file_error(file, &"it cannot be written"));
    }
    Ok(connection)
}

/// Opens the connection that checkpoints the WAL and does nothing else.
pub(super) fn open_checkpointer(file: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(file, flags)?;
    // The WAL must be synced before its pages are written to the file, and the file before the WAL
    // restarts.
    connection.pragma_update(None, "synchronous", "FULL")?;
    Ok(connection)
}

/// Opens a read-only connection with the default, small page cache, because there are several of
/// them.
pub(crate) fn open_reader(file: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(file, flags)?;
    connection.busy_timeout(Duration::from_secs(10))?;
    set_up_statement_cache(&connection)?;
    Ok(connection)
}

/// Applies missing migrations. If two processes start at once, each migration still runs once,
/// because the version is read inside the transaction that changes it.
pub(super) fn migrate(connection: &mut Connection, file: &Path) -> Result<(), OpenError> {
    let known = MIGRATIONS.len() as i64;
    loop {
        let found = migrate_once(connection).map_err(|error| file_error(file, &error))?;
        if found > known || found < 0 {
            return Err(OpenError::Newer { file: file.display().to_string(), found, known });
        }
        if found == known {
            return Ok(());
        }
    }
}

/// Applies the next migration, if there is one, and returns the version before it.
fn migrate_once(connection: &mut Connection) -> rusqlite::Result<i64> {
    let found: i64 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    if found >= MIGRATIONS.len() as i64 {
        return Ok(found);
    }
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let found: i64 = transaction.pragma_query_value(None, "user_version", |row| row.get(0))?;
    if let Some(sql) = usize::try_from(found).ok().and_then(|index| MIGRATIONS.get(index)) {
        transaction.execute_batch(sql)?;
        transaction.pragma_update(None, "user_version", found + 1)?;
    }
    transaction.commit()?;
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::{MIGRATIONS, migrate};
    use rusqlite::Connection;
    use std::path::Path;

    /// Migration 0010 gives existing events their `at` as `stored_at`.
    #[test]
    fn migration_sets_stored_at_of_existing_events() {
        let mut connection = Connection::open_in_memory().unwrap();
        for sql in MIGRATIONS.get(..7).unwrap() {
            connection.execute_batch(sql).unwrap();
        }
        connection.pragma_update(None, "user_version", 7).unwrap();
        connection
            .execute_batch(
                "INSERT INTO networks (id, name, time_zone, created_at) VALUES (1, 'A', 'UTC', 0);
                 INSERT INTO events (network_id, at, kind, body) VALUES (1, 1700000000000, 'k', '{}')",
            )
            .unwrap();
        migrate(&mut connection, Path::new("a file")).unwrap();
        let stored_at: i64 =
            connection.query_row("SELECT stored_at FROM events", [], |row| row.get(0)).unwrap();
        assert_eq!(stored_at, 1_700_000_000_000);
    }

    /// Migration 0020 creates the table of calls again, and 0021 counts the calls with a known duration by
    /// their newest facts.
    #[test]
    fn migrations_keep_calls_and_count_those_of_known_duration() {
        let mut connection = Connection::open_in_memory().unwrap();
        connection.pragma_update(None, "foreign_keys", true).unwrap();
        for sql in MIGRATIONS.get(..19).unwrap() {
            connection.execute_batch(sql).unwrap();
        }
        connection.pragma_update(None, "user_version", 19).unwrap();
        connection.execute_batch(include_str!("calls_before_0020.sql")).unwrap();
        let calls =
            "SELECT id || ' ' || external_id || ' ' || start_time || ' ' || body FROM calls";
        let rows = |connection: &Connection, sql: &str| -> Vec<String> {
            let mut statement = connection.prepare(sql).unwrap();
            let rows = statement.query_map([], |row| row.get(0)).unwrap();
            rows.map(Result::unwrap).collect()
        };
        let before = rows(&connection, calls);
        assert_eq!(before.len(), 4);
        migrate(&mut connection, Path::new("a file")).unwrap();
        assert_eq!(rows(&connection, calls), before);
        let counts = "SELECT calls || ' ' || seconds || ' ' || timed_calls FROM call_quarters";
        assert_eq!(rows(&connection, counts), ["4 150 2"]);
        let broken = "SELECT \"table\" FROM pragma_foreign_key_check";
        assert_eq!(rows(&connection, broken), [""; 0]);
        // An id that was given to a deleted call is not given again.
        let next = "INSERT INTO calls (network_id, campaign_id, external_id, fingerprint,
            complete_call_id, start_time, body, created_at)
            SELECT network_id, campaign_id, external_id, fingerprint, 'next', start_time, body, created_at
            FROM calls WHERE id = 1 RETURNING CAST(id AS TEXT)";
        assert_eq!(rows(&connection, next), ["10"]);
    }

    /// Migrations 0013 and 0014 take the histories of objects and promo numbers from the audit log, from
    /// the recorded statuses, and else from the creation.
    #[test]
    fn migrations_restore_histories_from_the_audit_log() {
        let mut connection = Connection::open_in_memory().unwrap();
        for sql in MIGRATIONS.get(..12).unwrap() {
            connection.execute_batch(sql).unwrap();
        }
        connection.pragma_update(None, "user_version", 12).unwrap();
        connection.execute_batch(include_str!("histories_before_0013.sql")).unwrap();
        migrate(&mut connection, Path::new("a file")).unwrap();
        let rows = |sql: &str| -> Vec<String> {
            let mut statement = connection.prepare(sql).unwrap();
            let rows = statement.query_map([], |row| row.get(0)).unwrap();
            rows.map(Result::unwrap).collect()
        };
        let states = rows(
            "SELECT object || ' ' || object_id || ' ' || since || ' ' || name || ' ' || status
             || ' ' || custom_data FROM object_states ORDER BY id",
        );
        assert_eq!(
            states,
            [
                r#"advertiser 1 1000 A Approved {}"#,
                r#"affiliate 2 1000 Old Approved {"channel":"tv"}"#,
                r#"affiliate 2 2000 New Approved {"channel":"tv"}"#,
                r#"affiliate 2 3000 New Suspended {"channel":"web"}"#,
                r#"affiliate 3 1500 G Approved {}"#,
                r#"affiliate_campaign 1 1100  Approved {}"#,
                r#"campaign 1 1000 C Entry {}"#,
                r#"campaign 1 1200 C Activated {}"#,
                r#"campaign 1 1300 C Activated {"channel":"x"}"#,
            ]
        );
        let holdings = rows(
            "SELECT promo_number_id || ' ' || number || ' ' || campaign_id || ' '
             || COALESCE(affiliate_id, '-') || ' ' || description || ' ' || starts_at || ' '
             || COALESCE(ends_at, '-') FROM promo_number_holdings ORDER BY promo_number_id, id",
        );
        assert_eq!(
            holdings,
            [
                "7 +18005550100 1 2 D 1600 1700",
                "8 +18005550100 1 - E 1800 1900",
                "8 +18005550100 1 - E2 1900 -",
                "9 +18005550101 1 3 F 1850 -",
                "10 +18005550102 1 - K 1950 1960",
            ]
        );
        let free = rows(
            "SELECT number || ' ' || free_since FROM numbers WHERE promo_number_id IS NULL
             ORDER BY free_since",
        );
        assert_eq!(free, ["+18005550103 0", "+18005550102 1960"]);
    }
}
