//! Workloads of few large requests: lists, calls as NDJSON, and cascades.

use super::cluster::connect;
use super::figures::{Figures, Sample, Workload};
use super::options::{DatabaseKind, Options, Scenario};
use super::requests::next_call_number;
use super::rounds::key;
use super::setup::{ServedDatabase, Setup};
use crate::{calls, list};
use serde_json::json;
use std::error::Error;
use std::sync::Arc;
use std::thread;
use std::time::Instant;

/// Rounds that include these workloads; some take minutes.
pub(crate) const BULK_ROUNDS: usize = 3;
/// Numbers of concurrent NDJSON bodies.
pub(crate) const CONCURRENT_BODIES: [usize; 2] = [1, 4];

/// Runs one round.
pub(crate) fn round(
    setup: &Setup,
    options: &Options,
    figures: &mut Figures,
) -> Result<(), Box<dyn Error>> {
    let largest = options.largest_size();
    for database in &setup.databases {
        if options.runs(Scenario::List) && database.rows == options.listed {
            figures.add(key(Workload::List, database.kind, database.rows), list(database)?);
        }
        if options.runs(Scenario::Lines) && database.rows == largest {
            for bodies in CONCURRENT_BODIES {
                let sample = report_lines(database, bodies, options)?;
                figures.add(key(Workload::Lines(bodies), database.kind, database.rows), sample);
            }
        }
        for count in options.cascades.iter().filter(|_| options.cascades_at(database.rows)) {
            for sample in cascade(database, *count)? {
                figures.add(key(Workload::Cascade(*count), database.kind, database.rows), sample);
            }
        }
    }
    Ok(())
}

/// Runs `work`, which returns a count and bytes received, and measures time, CPU time and memory.
fn measure(
    database: &ServedDatabase,
    work: impl FnOnce() -> Result<(u64, u64), Box<dyn Error>>,
) -> Result<Sample, Box<dyn Error>> {
    let process = &database.server.process;
    process.reset_peak_memory();
    let cpu_before = process.cpu_seconds()?;
    let started = Instant::now();
    let (count, bytes) = work()?;
    let seconds = started.elapsed().as_secs_f64();
    let server_cpu = (process.cpu_seconds()? - cpu_before) / count as f64 * 1e6;
    let peak = process.memory("VmHWM")?;
    Ok(Sample { count, seconds, server_cpu, peak, bytes, ..Sample::default() })
}

fn list(database: &ServedDatabase) -> Result<Sample, Box<dyn Error>> {
    measure(database, || {
        let (bytes, objects) = list::read_list(&database.server)?;
        match objects == database.rows {
            true => Ok((objects, bytes)),
            false => Err(format!("{objects} of {} affiliates were listed", database.rows).into()),
        }
    })
}

/// Reports calls in concurrent bodies for the measured time, and waits for all responses.
fn report_lines(
    database: &ServedDatabase,
    bodies: usize,
    options: &Options,
) -> Result<Sample, Box<dyn Error>> {
    let until = Instant::now() + options.window;
    measure(database, || {
        let report = || {
            let counter = Arc::clone(&database.calls);
            let numbers = std::iter::repeat_with(move || next_call_number(&counter));
            let numbers = numbers.take_while(move |_| Instant::now() < until);
            calls::report(&database.server, numbers, options.max_unanswered_calls)
                .map_err(|error| error.to_string())
        };
        thread::scope(|scope| {
            let threads: Vec<_> = (0..bodies).map(|_| scope.spawn(report)).collect();
            let mut total = 0;
            for thread in threads {
                total += thread.join().map_err(|_| "a thread panicked")??;
            }
            Ok((total, 0))
        })
    })
}

/// Approves a relationship, which approves its applied affiliate campaigns, then suspends it, and
/// restores the affiliate campaigns to `Applied`.
fn cascade(database: &ServedDatabase, count: u64) -> Result<[Sample; 2], Box<dyn Error>> {
    let change = |status: &str| {
        measure(database, || {
            let path = format!("/advertisers/of_{count}/affiliates/1");
            database.server.send("PUT", &path, &json!({"status": status}))?;
            Ok((count, 0))
        })
    };
    let samples = [change("Approved")?, change("Suspended")?];
    let changed = restore_applied(database, count)?;
    match changed == count {
        true => Ok(samples),
        false => Err(format!("a relationship result over to {changed} of {count}").into()),
    }
}

/// Sets the suspended affiliate campaigns to `Applied`, which no request can do; returns their number.
fn restore_applied(database: &ServedDatabase, count: u64) -> Result<u64, Box<dyn Error>> {
    let sql = "UPDATE affiliate_campaigns SET status = 'Applied'
        WHERE status = 'Suspended' AND campaign_id IN (SELECT c.id FROM campaigns c
        JOIN parties p ON p.id = c.advertiser_id WHERE p.id_from_network = $1)";
    let advertiser = format!("of_{count}");
    match database.kind {
        DatabaseKind::Sqlite => {
            let file = database.url.strip_prefix("sqlite://").ok_or("not an SQLite URL")?;
            let connection = rusqlite::Connection::open(file)?;
            Ok(connection.execute(sql, [&advertiser])? as u64)
        }
        DatabaseKind::Postgres => Ok(connect(&database.url)?.execute(sql, &[&advertiser])?),
    }
}
