//! Statements that no operation of the store offers, for states that requests would take too long to
//! reach.

use postgres::NoTls;

/// Runs one or more SQL statements on a SQLite or PostgreSQL database. A server may run on it.
///
/// # Panics
/// If the database cannot be opened or a statement fails.
pub fn execute_sql(url: &str, sql: &str) {
    match url.strip_prefix("sqlite://") {
        Some(file) => {
            let connection = rusqlite::Connection::open(file).expect("the database");
            connection.busy_timeout(std::time::Duration::from_secs(10)).expect("a timeout");
            connection.execute_batch(sql).expect("valid SQL");
        }
        None => {
            let mut client = postgres::Client::connect(url, NoTls).expect("the database");
            client.batch_execute(sql).expect("valid SQL");
        }
    }
}
