//! Many calls told as lines, and the same calls replayed: how fast they are priced and stored, and how
//! fast they are decided again, twice each.

use crate::server::Server;
use serde_json::{Value, json};
use std::error::Error;
use std::io::{BufWriter, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::time::Instant;

/// The first call's start (seconds since 1970): 2100-01-01, when the campaign is live.
const START: u64 = 4_102_444_800;

pub(crate) fn run(calls: u64) -> Result<(), Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    let database = folder.path().join("bench.db");
    let token = Server::make_network(&database)?;
    let server = Server::start(&database, token)?;
    make_campaign(&server)?;
    let started = Instant::now();
    let taken = tell(&server, calls)?;
    let told = started.elapsed().as_secs_f64();
    if taken != calls {
        return Err(format!("{taken} of {calls} calls were taken").into());
    }
    change_terms(&server)?;
    let baseline = read_rows(&database)?;
    let mut turns = Vec::new();
    for _ in 0..5 {
        let started = Instant::now();
        let replayed = replay(&server)?;
        turns.push(started.elapsed().as_secs_f64());
        if replayed["calls"] != calls || replayed["changed_total"] == 0 {
            return Err(format!("the replay answered {replayed}").into());
        }
    }
    turns.sort_by(f64::total_cmp);
    let (median, slowest) = (turns[2], turns[4]);
    let peak = server.memory("VmHWM")? as f64 / 1024.0;
    println!(
        "| calls | told (s) | told a second | rows read (s) | replayed (s) | slowest of 5 | replay / rows | peak memory |"
    );
    println!("|---|---|---|---|---|---|---|---|");
    let rate = calls as f64 / told;
    let ratio = median / baseline;
    println!(
        "| {calls} | {told:.1} | {rate:.0} | {baseline:.2} | {median:.2} | {slowest:.2} | {ratio:.2} | {peak:.0} MiB |"
    );
    if calls == 1_000_000 && slowest >= 10.0 {
        return Err("a million calls took 10 seconds or more".into());
    }
    Ok(())
}

fn policies(amounts: &[(&str, f64, &str)]) -> Value {
    let policy = |(kind, amount, condition): &(&str, f64, &str)| json!({"type": kind, "amount": amount, "currency": "USD", "condition": condition});
    json!({"policies": amounts.iter().map(policy).collect::<Vec<_>>()})
}

fn make_campaign(server: &Server) -> Result<(), Box<dyn Error>> {
    let connect =
        |number: &str| json!({"node_type": "Connect", "destination_phone_number": number});
    let campaign = json!({
        "name": "Bench", "timezone": "UTC", "auto_approve": "All",
        "named_regions": [{"name": "West Coast", "regions": [
            {"region_type": "State", "value": "CA"}, {"region_type": "State", "value": "OR"},
            {"region_type": "State", "value": "WA"}]}],
        "advertiser_payin": policies(&[("Base", 9.0, "duration >= 1 min 30 sec and (in_region[West Coast] or pressed[1 2]) and not repeat"), ("Bonus", 2.0, "mobile")]),
        "affiliate_payout": policies(&[("Base", 4.5, "duration > 60"), ("Bonus", 2.75, "in_region")]),
        "ivr_tree": {"root": {"node_type": "Menu", "prompt": "Press 1 or 2.", "children": [
            {"node_type": "Menu", "prompt": "Again.", "children": [connect("8005550101"), connect("8005550102")]},
            connect("8005550103")]}},
    });
    put(server, "/advertisers/1", &json!({"name": "A"}))?;
    put(server, "/affiliates/1", &json!({"name": "F"}))?;
    put(server, "/advertisers/1/advertiser_campaigns/1", &campaign)?;
    request(server, "POST", "/advertisers/1/advertiser_campaigns/1/go_live", &json!({}))?;
    put(
        server,
        "/advertisers/1/advertiser_campaigns/1/affiliates/1/affiliate_campaigns",
        &json!({}),
    )?;
    Ok(())
}

fn change_terms(server: &Server) -> Result<(), Box<dyn Error>> {
    let payin = policies(&[
        ("Base", 9.0, "duration >= 2 min and in_region[West Coast] and not repeat"),
        ("Bonus", 2.0, "mobile"),
    ]);
    put(server, "/advertisers/1/advertiser_campaigns/1", &json!({"advertiser_payin": payin}))?;
    Ok(())
}

fn replay(server: &Server) -> Result<Value, Box<dyn Error>> {
    let body = json!({"advertiser_campaign": "1", "from": "2100-01-01", "to": "2150-01-01"});
    let head = "POST /trunkline/v1/networks/1/replay";
    exchange(server, head, &body)
}

fn put(server: &Server, path: &str, body: &Value) -> Result<Value, Box<dyn Error>> {
    request(server, "PUT", path, body)
}

fn request(
    server: &Server,
    method: &str,
    path: &str,
    body: &Value,
) -> Result<Value, Box<dyn Error>> {
    exchange(server, &format!("{method} /api/2018-11-01/1{path}.json"), body)
}

fn exchange(server: &Server, head: &str, body: &Value) -> Result<Value, Box<dyn Error>> {
    let body = body.to_string();
    let (host, token, length) = (&server.address, &server.token, body.len());
    let mut stream = TcpStream::connect(host)?;
    write!(
        stream,
        "{head} HTTP/1.1\r\nHost: {host}\r\nAuthorization: {token}\r\nContent-Type: application/json\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}"
    )?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    let (head, body) = answer.split_once("\r\n\r\n").ok_or("no answer")?;
    if !head.starts_with("HTTP/1.1 2") {
        return Err(answer.into());
    }
    Ok(serde_json::from_str(body)?)
}

/// Tells calls, a line each, in one request, reading the answers meanwhile; how many were taken.
fn tell(server: &Server, calls: u64) -> Result<u64, Box<dyn Error>> {
    let stream = TcpStream::connect(&server.address)?;
    let (host, token) = (server.address.clone(), server.token.clone());
    let writing = stream.try_clone()?;
    let writer = std::thread::spawn(move || -> std::io::Result<()> {
        let mut out = BufWriter::with_capacity(1 << 16, &writing);
        write!(
            out,
            "POST /api/2022-08-01/1/calls.json HTTP/1.1\r\nHost: {host}\r\nAuthorization: {token}\r\nContent-Type: application/x-ndjson\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
        )?;
        for number in 0..calls {
            let line = format!("{}\n", call(number));
            write!(out, "{:x}\r\n{line}\r\n", line.len())?;
        }
        out.write_all(b"0\r\n\r\n")?;
        out.flush()?;
        Ok(())
    });
    let taken = count(&stream, b"\"status\":201")?;
    writer.join().map_err(|_| "the writer panicked")??;
    Ok(taken)
}

fn call(number: u64) -> Value {
    let states = ["213", "415", "503", "206", "212", "305", "773", "214"];
    let area = states.get(number as usize % states.len()).copied().unwrap_or("212");
    // A third of the callers call again.
    let caller = number * 2 / 3 % 1_000_000;
    let keys = [json!(["1", "2"]), json!(["2"]), json!(["1", "1"]), json!([])];
    let duration = 20 + number * 37 % 400;
    json!({"call": {
        "external_call_unique_id": number.to_string(),
        "start_time": START + number * 30,
        "advertiser_campaign_id_from_network": "1",
        "affiliate_id_from_network": "1",
        "calling_phone_number": format!("{area}{:03}{:04}", 200 + caller / 10_000, caller % 10_000),
        "duration_in_seconds": duration,
        "connect_duration_in_seconds": duration - 15,
        "phone_type": if number.is_multiple_of(3) { "landline" } else { "mobile" },
        "keypresses": keys.get(number as usize % keys.len()),
    }})
}

/// Reads to the end, and counts a mark.
fn count(mut stream: &TcpStream, mark: &[u8]) -> Result<u64, Box<dyn Error>> {
    let (mut found, mut kept, mut buffer) = (0, Vec::new(), vec![0; 1 << 16]);
    loop {
        let read = stream.read(&mut buffer)?;
        if read == 0 {
            return Ok(found);
        }
        kept.extend_from_slice(buffer.get(..read).unwrap_or_default());
        found += kept.windows(mark.len()).filter(|window| *window == mark).count() as u64;
        let tail = kept.len().saturating_sub(mark.len() - 1);
        kept.drain(..tail);
    }
}

/// The baseline: the rows that a replay goes through, read by one thread that does nothing with them
/// (seconds).
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
