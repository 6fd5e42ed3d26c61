//! Everything in a database, whichever it is, as text.

use postgres::{NoTls, SimpleQueryMessage};
use rusqlite::types::ValueRef;
use std::collections::BTreeMap;

/// Rows of every table, in the order of their first column: the columns, joined by `|`, with `Null`
/// for what is not there.
pub fn rows(url: &str) -> BTreeMap<String, Vec<String>> {
    match url.strip_prefix("sqlite://") {
        Some(file) => of_file(file),
        None => of_server(url),
    }
}

fn of_file(file: &str) -> BTreeMap<String, Vec<String>> {
    let flags = rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY;
    let file = rusqlite::Connection::open_with_flags(file, flags).expect("the database");
    let read = |sql: &str| -> Vec<String> {
        let mut statement = file.prepare(sql).expect("a statement");
        let columns = statement.column_count();
        let row = |row: &rusqlite::Row<'_>| {
            let cells = (0..columns).map(|at| row.get_ref(at).map(cell));
            cells.collect::<Result<Vec<_>, _>>().map(|cells| cells.join("|"))
        };
        statement.query_map([], row).expect("rows").map(|row| row.expect("a row")).collect()
    };
    let tables =
        read("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'");
    tables.into_iter().map(|it| (it.clone(), read(&all(&it)))).collect()
}

fn cell(cell: ValueRef<'_>) -> String {
    match cell {
        ValueRef::Null => "Null".to_owned(),
        ValueRef::Integer(number) => number.to_string(),
        ValueRef::Real(number) => number.to_string(),
        ValueRef::Text(text) => String::from_utf8_lossy(text).into_owned(),
        ValueRef::Blob(bytes) => bytes.iter().map(|byte| format!("{byte:02x}")).collect(),
    }
}

fn of_server(url: &str) -> BTreeMap<String, Vec<String>> {
    let mut client = postgres::Client::connect(url, NoTls).expect("the database");
    let mut read = |sql: &str| -> Vec<String> {
        let messages = client.simple_query(sql).expect("rows");
        let rows = messages.iter().filter_map(|message| match message {
            SimpleQueryMessage::Row(row) => Some(row),
            _ => None,
        });
        rows.map(|row| {
            let cells: Vec<&str> = (0..row.len()).map(|at| row.get(at).unwrap_or("Null")).collect();
            cells.join("|")
        })
        .collect()
    };
    let tables = read(
        // Partitions are read with what they are parts of; keys of calls are only there.
        "SELECT relname FROM pg_class
         WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p')
         AND NOT relispartition AND relname NOT IN ('schema_version', 'call_keys')",
    );
    tables.into_iter().map(|it| (it.clone(), read(&all(&it)))).collect()
}

fn all(table: &str) -> String {
    format!("SELECT * FROM {table} ORDER BY 1, 2")
}
