//! Reports many calls as NDJSON and replays them: rate of pricing and storing, and rate of deciding again.

use crate::fill::policies;
use crate::http::send;
use crate::server::{Server, sqlite_url};
use crate::{calls, fill};
use serde_json::{Value, json};
use std::error::Error;
use std::path::Path;
use std::time::Instant;

pub(crate) fn run(count: u64) -> Result<(), Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    let database = folder.path().join("bench.db");
    let url = sqlite_url(&database);
    let token = Server::create_network(&url)?;
    let server = Server::start(&url, &token, &folder.path().join("log"))?;
    fill::create_campaign(&server)?;
    let started = Instant::now();
    calls::report(&server, 0..count, 10_000)?;
    let report_seconds = started.elapsed().as_secs_f64();
    change_terms(&server)?;
    let baseline = read_rows(&database)?;
    let mut rounds = Vec::new();
    for _ in 0..5 {
        let started = Instant::now();
        let replayed = replay(&server)?;
        rounds.push(started.elapsed().as_secs_f64());
        if replayed["calls"] != count || replayed["changed_total"] == 0 {
            return Err(format!("unexpected response of the replay: {replayed}").into());
        }
    }
    rounds.sort_by(f64::total_cmp);
    let median = rounds[2];
    let slowest = rounds[4];
    let peak = server.process.memory("VmHWM")? as f64 / 1024.0;
    println!(
        "| calls | reported (s) | reported per second | rows read (s) | replayed (s) | slowest of 5 | replay / rows | peak memory |"
    );
    println!("|---|---|---|---|---|---|---|---|");
    let rate = count as f64 / report_seconds;
    let ratio = median / baseline;
    println!(
        "| {count} | {report_seconds:.1} | {rate:.0} | {baseline:.2} | {median:.2} | {slowest:.2} | {ratio:.2} | {peak:.0} MiB |"
    );
    if count == 1_000_000 && slowest >= 10.0 {
        return Err("the replay of a million calls took 10 seconds or more".into());
    }
    Ok(())
}

fn change_terms(server: &Server) -> Result<(), Box<dyn Error>> {
    let payin = policies(&[
        ("Base", 9.0, "duration >= 2 min and in_region[West Coast] and not repeat"),
        ("Bonus", 2.0, "mobile"),
    ]);
    let changed = json!({"advertiser_payin": payin});
    server.send("PUT", "/advertisers/1/advertiser_campaigns/1", &changed)?;
    Ok(())
}

fn replay(server: &Server) -> Result<Value, Box<dyn Error>> {
    let body = json!({"advertiser_campaign": "1", "from": "2100-01-01", "to": "2150-01-01"});
    let head = "POST /trunkline/v1/networks/1/replay";
    let response = send(server.address(), &server.token, head, Some(&body))?;
    Ok(serde_json::from_str(&response)?)
}

/// Baseline of the replay: reads the same rows in one thread, without processing them (seconds).
fn read_rows(database: &Path) -> Result<f64, Box<dyn Error>> {
    let flags = rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY;
    let file = rusqlite::Connection::open_with_flags(database, flags)?;
    let started = Instant::now();
    let mut statement =
        file.prepare("SELECT complete_call_id, body FROM calls ORDER BY start_time, id")?;
    let mut rows = statement.query([])?;
    let mut bytes = 0;
    while let Some(row) = rows.next()? {
        bytes += row.get_ref(0)?.as_str()?.len() + row.get_ref(1)?.as_str()?.len();
    }
    if bytes == 0 {
        return Err("there are no rows".into());
    }
    Ok(started.elapsed().as_secs_f64())
}
