//! Contents of a database as text.

use postgres::{NoTls, SimpleQueryMessage};
use rusqlite::types::ValueRef;
use std::collections::BTreeMap;

/// Reads every table of a SQLite or PostgreSQL database. Each row is its columns joined by `|`, with
/// `Null` for NULL; rows are ordered by their first two columns.
pub fn table_rows(url: &str) -> BTreeMap<String, Vec<String>> {
    match url.strip_prefix("sqlite://") {
        Some(file) => sqlite_rows(file),
        None => postgres_rows(url),
    }
}

/// Runs SQL statements on a SQLite or PostgreSQL database.
#[track_caller]
pub fn execute_sql(url: &str, sql: &str) {
    match url.strip_prefix("sqlite://") {
        Some(file) => {
            let connection = rusqlite::Connection::open(file).expect("the database");
            connection.execute_batch(sql).unwrap_or_else(|error| panic!("{sql}: {error}"));
        }
        None => {
            let mut client = postgres::Client::connect(url, NoTls).expect("the database");
            client.batch_execute(sql).unwrap_or_else(|error| panic!("{sql}: {error}"));
        }
    }
}

fn sqlite_rows(file: &str) -> BTreeMap<String, Vec<String>> {
    let flags = rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY;
    let file = rusqlite::Connection::open_with_flags(file, flags).expect("the database");
    let read = |sql: &str| -> Vec<String> {
        let mut statement = file.prepare(sql).expect("a statement");
        let columns = statement.column_count();
        let row = |row: &rusqlite::Row<'_>| {
            let cells = (0..columns).map(|index| row.get_ref(index).map(cell_text));
            cells.collect::<Result<Vec<_>, _>>().map(|cells| cells.join("|"))
        };
        statement.query_map([], row).expect("rows").map(|row| row.expect("a row")).collect()
    };
    let tables =
        read("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'");
    tables.into_iter().map(|table| (table.clone(), read(&select_all(&table)))).collect()
}

fn cell_text(cell: ValueRef<'_>) -> String {
    match cell {
        ValueRef::Null => "Null".to_owned(),
        ValueRef::Integer(number) => number.to_string(),
        ValueRef::Real(number) => number.to_string(),
        ValueRef::Text(text) => String::from_utf8_lossy(text).into_owned(),
        ValueRef::Blob(bytes) => bytes.iter().map(|byte| format!("{byte:02x}")).collect(),
    }
}

fn postgres_rows(url: &str) -> BTreeMap<String, Vec<String>> {
    let mut client = postgres::Client::connect(url, NoTls).expect("the database");
    let mut read = |sql: &str| -> Vec<String> {
        let messages = client.simple_query(sql).expect("rows");
        let rows = messages.iter().filter_map(|message| match message {
            SimpleQueryMessage::Row(row) => Some(row),
            _ => None,
        });
        rows.map(|row| {
            let cells: Vec<&str> =
                (0..row.len()).map(|index| row.get(index).unwrap_or("Null")).collect();
            cells.join("|")
        })
        .collect()
    };
    let tables = read(
        // Partitions are read through their parent table. Only PostgreSQL has call_keys.
        "SELECT relname FROM pg_class
         WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p')
         AND NOT relispartition AND relname NOT IN ('schema_version', 'call_keys')",
    );
    tables.into_iter().map(|table| (table.clone(), read(&select_all(&table)))).collect()
}

fn select_all(table: &str) -> String {
    format!("SELECT * FROM {table} ORDER BY 1, 2")
}
