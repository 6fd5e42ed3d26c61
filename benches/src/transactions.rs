//! Reads all transactions by cursor, as JSON and as CSV, and compares the rate with that of reading the
//! bare rows in one thread.

use crate::server::{Server, sqlite_url};
use crate::{calls, fill};
use std::error::Error;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::time::Instant;

/// Rows of a page, the most that a response has.
const PAGE_ROWS: i64 = 4_000;
/// Rounds of each measurement.
const ROUNDS: usize = 3;

/// Rows that were read, the id of the last of them, and the bytes.
#[derive(Debug, Clone, Copy, Default)]
struct ReadRows {
    count: u64,
    last_id: i64,
    bytes: u64,
}

pub(crate) fn run(count: u64) -> Result<(), Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    let database = folder.path().join("bench.db");
    let url = sqlite_url(&database);
    let token = Server::create_network(&url)?;
    let server = Server::start(&url, &token, &folder.path().join("log"))?;
    fill::create_campaign(&server)?;
    calls::report(&server, 0..count, 10_000)?;
    println!(
        "| transactions | read as | seconds | rows per second | of the bare rows | bytes | peak memory |"
    );
    println!("|---|---|---|---|---|---|---|");
    let (bare_seconds, _) = measure(count, || read_bare_rows(&database))?;
    let bare_rate = count as f64 / bare_seconds;
    println!("| {count} | bare rows | {bare_seconds:.2} | {bare_rate:.0} | 1.00 | – | – |");
    for format in ["json", "csv"] {
        server.process.reset_peak_memory();
        let (seconds, read) = measure(count, || read_pages(&server, format))?;
        let rate = count as f64 / seconds;
        let peak = server.process.memory("VmHWM")? as f64 / 1024.0;
        println!(
            "| {count} | {format} | {seconds:.2} | {rate:.0} | {:.3} | {} | {peak:.0} MiB |",
            rate / bare_rate,
            read.bytes
        );
    }
    Ok(())
}

/// Runs a reader [`ROUNDS`] times; returns the median time (seconds) and the rows of the last round.
fn measure(
    count: u64,
    read: impl Fn() -> Result<ReadRows, Box<dyn Error>>,
) -> Result<(f64, ReadRows), Box<dyn Error>> {
    let mut seconds = Vec::new();
    let mut last = ReadRows::default();
    for _ in 0..ROUNDS {
        let started = Instant::now();
        last = read()?;
        seconds.push(started.elapsed().as_secs_f64());
        if last.count != count {
            return Err(format!("{} of {count} transactions were read", last.count).into());
        }
    }
    seconds.sort_by(f64::total_cmp);
    Ok((seconds[ROUNDS / 2], last))
}

/// Baseline: reads the same rows by cursor, without joining names and without rendering.
fn read_bare_rows(database: &Path) -> Result<ReadRows, Box<dyn Error>> {
    let flags = rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY;
    let file = rusqlite::Connection::open_with_flags(database, flags)?;
    let mut statement = file.prepare(
        "SELECT t.id, t.body, c.complete_call_id, c.body FROM transactions t
         JOIN calls c ON c.id = t.call_id
         WHERE t.network_id = 1 AND t.id > ?1 ORDER BY t.id LIMIT ?2",
    )?;
    let mut read = ReadRows::default();
    loop {
        let mut rows = statement.query([read.last_id, PAGE_ROWS])?;
        let before = read.count;
        while let Some(row) = rows.next()? {
            read.last_id = row.get(0)?;
            read.count += 1;
            for column in 1..=3 {
                read.bytes += row.get_ref(column)?.as_str()?.len() as u64;
            }
        }
        if read.count == before {
            return Ok(read);
        }
    }
}

/// Reads all pages with the default columns, until an empty one.
fn read_pages(server: &Server, format: &str) -> Result<ReadRows, Box<dyn Error>> {
    let mut read = ReadRows::default();
    loop {
        let page = read_page(server, format, read.last_id)?;
        let ids = match format {
            "csv" => page.lines().map(|line| line.split(',').next().unwrap_or_default()).collect(),
            _ => json_ids(&page),
        };
        let Some(last) = ids.last() else { return Ok(read) };
        read.last_id = last.parse()?;
        read.count += ids.len() as u64;
        read.bytes += page.len() as u64;
    }
}

/// Returns the `transaction_id` of each row of a JSON page, which is its first property.
fn json_ids(page: &str) -> Vec<&str> {
    let rows = page.split("{\"transaction_id\":\"").skip(1);
    rows.map(|row| row.split('"').next().unwrap_or_default()).collect()
}

/// Reads one page. An HTTP/1.0 response has no chunks, so that the body is the rest of the connection.
fn read_page(server: &Server, format: &str, after: i64) -> Result<String, Box<dyn Error>> {
    let mut stream = TcpStream::connect(server.address())?;
    let (host, token) = (server.address(), &server.token);
    write!(
        stream,
        "GET /api/2020-10-01/networks/transactions/1.{format}?limit={PAGE_ROWS}&include_header=0&start_after_transaction_id={after} HTTP/1.0\r\nHost: {host}\r\nAuthorization: {token}\r\n\r\n"
    )?;
    let mut response = String::new();
    stream.read_to_string(&mut response)?;
    let (head, body) = response.split_once("\r\n\r\n").ok_or("the response is not HTTP")?;
    if !head.starts_with("HTTP/1.0 200") {
        return Err(format!("unexpected response: {head} {body}").into());
    }
    Ok(body.to_owned())
}
