//! Lines of one request are ingested in batches, with the same results as one by one.

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Value, json};
use std::cell::Cell;
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use trunkline_tests::{Client, Server, body};

/// First start time of the calls in seconds: 2200-03-01.
const FIRST_START_SECONDS: i64 = 7_263_212_000;

/// A generated line. Objects are indexes.
#[derive(Debug, Clone)]
struct GeneratedLine {
    /// One of a few ids, so that some calls are duplicates.
    id: u8,
    campaign: usize,
    affiliate: usize,
    number: bool,
    /// Start time in seconds after the first.
    start: i64,
    duration: u32,
    caller: usize,
    pressed: bool,
    odd: Defect,
}

/// Defect of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Defect {
    Nothing,
    NoJson,
    NoId,
    Wrong,
    CustomData,
    UnknownField,
    Blank,
    /// Repeats the id of an earlier line with other facts.
    Again,
}

fn generated_line() -> impl Strategy<Value = GeneratedLine> {
    let odd = prop_oneof![
        12 => Just(Defect::Nothing), 1 => Just(Defect::NoJson), 1 => Just(Defect::NoId),
        1 => Just(Defect::Wrong), 2 => Just(Defect::CustomData), 1 => Just(Defect::UnknownField),
        1 => Just(Defect::Blank), 2 => Just(Defect::Again)];
    let parties = (0usize..8, 0usize..8, proptest::bool::weighted(0.04), 0usize..4);
    // Most calls start within a few days, some long before any terms were live.
    let start = prop_oneof![9 => 0i64..3 * 86_400, 1 => Just(-2_000_000_000i64)];
    (0u8..150, parties, start, 0u32..200, any::<bool>(), odd).prop_map(
        |(id, (campaign, affiliate, number, caller), start, duration, pressed, odd)| {
            GeneratedLine { id, campaign, affiliate, number, start, duration, caller, pressed, odd }
        },
    )
}

impl GeneratedLine {
    fn text(&self) -> String {
        let campaign = ["x", "x", "x", "y", "y", "z", "z", "gone"][self.campaign];
        let mut call = json!({
            "external_call_unique_id": self.id.to_string(),
            "start_time": FIRST_START_SECONDS + self.start,
            "advertiser_campaign_id_from_network": campaign,
            "duration_in_seconds": self.duration,
            "keypresses": vec!["1"; usize::from(self.pressed)],
        });
        if let Some(affiliate) = ["1", "1", "1", "1", "", "", "2", "9"]
            .get(self.affiliate)
            .filter(|item| !item.is_empty())
        {
            call["affiliate_id_from_network"] = (*affiliate).into();
        }
        let callers = [Some("8057089876"), Some("2125550188"), None, Some("4155550123")];
        if let Some(caller) = callers[self.caller] {
            call["calling_phone_number"] = caller.into();
        }
        if self.number {
            call["promo_number"] = "8005550199".into();
        }
        let mut line = json!({ "call": call });
        match self.odd {
            Defect::Nothing | Defect::Again => {}
            Defect::NoJson => return "{not json".to_owned(),
            Defect::Blank => return String::new(),
            Defect::NoId => line["call"]["external_call_unique_id"] = Value::Null,
            Defect::Wrong => line["call"]["duration_in_seconds"] = "long".into(),
            Defect::CustomData => {
                line["custom_data"] = json!([{"name": "channel", "value": "Radio"}]);
            }
            Defect::UnknownField => {
                line["custom_data"] = json!([{"name": "colour", "value": "red"}]);
            }
        }
        line.to_string()
    }
}

fn budget(amount: u32, reset_period: &str, enforce: bool) -> Value {
    json!({"budget_amount": amount, "enforce": enforce, "reset_period": reset_period,
        "starts_at": "2200-01-01T00:00:00Z", "budget_currency": "USD", "time_zone": "London"})
}

/// Creates three campaigns: with a cap of calls, with a budget of money, and with neither. One affiliate is
/// approved and one is not; a user gets budget alerts, and there is a webhook.
fn world(server: &Server) -> Client {
    let network = server.network();
    let prices = |amount: f64, condition: &str| json!({"policies": [{"type": "Base", "amount": amount, "currency": "USD", "condition": condition}]});
    let connect = json!({"node_type": "Connect", "destination_phone_number": "8005550101"});
    let menu = json!({"root": {"node_type": "Menu", "prompt": "Press 1.", "children": [connect]}});
    let more = [
        json!({"advertiser_payin": prices(7.0, "duration > 60"), "affiliate_payout": prices(4.5, "not repeat"),
            "budget_activities": {"periodic_call_cap_alert": budget(3, "Daily", true)}}),
        json!({"advertiser_payin": prices(5.0, "pressed[1]"), "affiliate_payout": prices(1.25, ""),
            "ivr_tree": menu, "budget_activities": {"budget_cap_alert": budget(12, "Weekly", true)}}),
        json!({"advertiser_payin": prices(1.0, "not repeat"), "affiliate_payout": prices(0.5, ""),
            "budget_activities": {"budget_cap_alert": budget(3, "Ongoing", false),
                "concurrent_call_cap_alert": {"budget_amount": 3, "enforce": true}}}),
    ];
    network.put("/affiliates/1", body::affiliate("F1")).expect(200);
    network.put("/affiliates/2", body::affiliate("F2")).expect(200);
    for (id, more) in ["x", "y", "z"].into_iter().zip(more) {
        let more = body::merged(json!({"auto_approve": "All", "timezone": "UTC"}), more);
        network.has_live_campaign("354", id, more);
        let path = body::affiliate_campaign_path("354", id, "1");
        network.post(&path, json!({})).expect(201);
    }
    let emails = json!([{"email_address": "a@example.com", "use_for_notifications": true}]);
    let settings = json!({"email_settings": emails, "notify_on_budgets": true});
    let people = json!({"users": [body::merged(body::user("1"), settings)]});
    network.put("/advertisers/354", people).expect(200);
    network.extensions().post("/webhooks", json!({"url": "https://receiver.invalid/"})).expect(201);
    network
}

fn send_lines(network: &Client, lines: &[String]) -> Vec<Value> {
    let request = network.request("POST", "/calls").bytes(lines.join("\n").as_bytes());
    let request = request.without_header("Content-Type");
    let response = request.header("Content-Type", "application/x-ndjson").send().expect(200);
    response.text().lines().map(|line| serde_json::from_str(line).expect("a line")).collect()
}

/// Sends each line alone, in the order of the calls' starts, in which a batch decides them. Returns the results in
/// the order of the lines.
fn send_alone_by_start(network: &Client, lines: &[String]) -> Vec<Value> {
    let start = |line: &String| -> Option<i64> {
        let body: Value = serde_json::from_str(line).ok()?;
        body["call"]["start_time"].as_i64()
    };
    let mut by_start: Vec<(usize, &String)> = lines.iter().enumerate().collect();
    by_start.sort_by_key(|(_, line)| start(line));
    let mut results: Vec<(usize, Value)> = by_start
        .into_iter()
        .flat_map(|(index, line)| {
            let results = send_lines(network, std::slice::from_ref(line));
            results.into_iter().map(move |result| (index, result))
        })
        .collect();
    results.sort_by_key(|(index, _)| *index);
    results.into_iter().map(|(_, result)| result).collect()
}

/// Stored rows as text, without values that depend on the time of the test. Calls are in the order of their
/// first mention.
fn stored_rows(server: &Server, responses: &[Value]) -> BTreeMap<String, Vec<String>> {
    let mut names: Vec<&str> =
        responses.iter().filter_map(|response| response["cuid"].as_str()).collect();
    names.dedup();
    let mut rows = server.table_rows();
    let columns = [
        "calls",
        "transactions",
        "call_quarters",
        "budget_totals",
        "events",
        "deliveries",
        "mails",
    ];
    rows.retain(|table, _| columns.contains(&table.as_str()));
    for (table, rows) in &mut rows {
        for row in rows.iter_mut() {
            // The state of a delivery depends on timing.
            let cells = row.split('|').take(if table == "deliveries" { 3 } else { usize::MAX });
            let cells = cells.map(|cell| if is_now(cell) { "now" } else { cell });
            let mut text = cells.collect::<Vec<_>>().join("|");
            for (index, name) in names.iter().enumerate() {
                text = text.replace(name, &format!("call {index}"));
            }
            *row = text;
        }
        rows.sort();
    }
    rows
}

/// `true` for a timestamp (milliseconds) of the years 2001 to 2050. The generated calls are later.
fn is_now(cell: &str) -> bool {
    cell.len() == 13 && cell.parse().is_ok_and(|at: i64| at < 2_000_000_000_000)
}

fn without_call_ids(responses: &[Value]) -> Vec<Value> {
    let mut names: Vec<String> = Vec::new();
    let named = responses.iter().map(|response| {
        let mut response = response.clone();
        if let Some(name) = response["cuid"].as_str().map(str::to_owned) {
            let index =
                names.iter().position(|duplicates| *duplicates == name).unwrap_or(names.len());
            if index == names.len() {
                names.push(name);
            }
            response["cuid"] = index.into();
        }
        response
    });
    named.collect()
}

#[test]
fn batched_lines_have_the_results_of_single_lines() {
    let seen: Cell<[usize; 8]> = Cell::default();
    let mut runner = TestRunner::new(Config {
        cases: 6,
        failure_persistence: None,
        max_shrink_iters: 0,
        ..Config::default()
    });
    let lines = proptest::collection::vec(generated_line(), 60..120);
    let law = |lines: Vec<GeneratedLine>| {
        let mut texts: Vec<String> = Vec::new();
        for line in &lines {
            let earlier = texts.get(usize::from(line.id) % texts.len().max(1)).cloned();
            texts
                .push(earlier.filter(|_| line.odd == Defect::Again).unwrap_or_else(|| line.text()));
        }
        let lines = texts;
        let together = Server::start();
        let alone = Server::start();
        let network = world(&together);
        let responses = send_lines(&network, &lines);
        let other = world(&alone);
        let single_results = send_alone_by_start(&other, &lines);
        prop_assert_eq!(without_call_ids(&responses), without_call_ids(&single_results));
        let left = stored_rows(&together, &responses);
        let right = stored_rows(&alone, &single_results);
        for (table, rows) in &left {
            prop_assert_eq!(rows, &right[table], "{}", table);
        }
        let mut counts = seen.get();
        for (index, status) in [201, 202, 400, 403, 404, 409].into_iter().enumerate() {
            counts[index] +=
                responses.iter().filter(|response| response["status"] == status).count();
        }
        counts[6] += left["mails"].len();
        counts[7] += left["calls"].iter().filter(|row| row.contains("over_cap")).count();
        seen.set(counts);
        Ok(())
    };
    runner.run(&lines, law).unwrap_or_else(|error| panic!("{error}"));
    assert!(seen.get().iter().all(|count| *count > 0), "each is met: {:?}", seen.get());
}

/// Starts an import. Returns a reader of its results.
fn import(network: &Client, lines: &str) -> BufReader<TcpStream> {
    let request = network.request("POST", "/calls").bytes(lines.as_bytes());
    let request = request.without_header("Content-Type");
    let request = request.header("Content-Type", "application/x-ndjson").to_bytes();
    let stream = TcpStream::connect(network.address()).expect("a connection");
    let mut writing = stream.try_clone().expect("a connection");
    // The response ends when the server is killed.
    std::thread::spawn(move || writing.write_all(&request));
    BufReader::new(stream)
}

fn valid_lines(ids: std::ops::Range<usize>) -> String {
    let line = |id: usize| {
        json!({"call": {"external_call_unique_id": id.to_string(), "start_time": FIRST_START_SECONDS + id as i64,
            "advertiser_campaign_id_from_network": "12", "duration_in_seconds": 90}})
    };
    ids.map(|id| format!("{}\n", line(id))).collect()
}

/// `complete_call_id` of a result line, if the line is complete.
fn complete_call_id(line: &str) -> Option<String> {
    let response: Value = serde_json::from_str(line.trim()).ok()?;
    response["cuid"].as_str().map(str::to_owned)
}

/// The order of the lines does not decide who is a repeat caller: the starts do, and the lines only where two
/// calls started at the same second.
#[test]
fn repeat_callers_of_a_batch_go_by_start() {
    let server = Server::start();
    let network = server.network();
    network.has_live_campaign("354", "12", json!({}));
    let line = |id: &str, minute: i64| {
        json!({"call": {"external_call_unique_id": id, "start_time": FIRST_START_SECONDS + 60 * minute,
            "advertiser_campaign_id_from_network": "12", "calling_phone_number": "8057089876"}})
        .to_string()
    };
    let lines = [line("late", 9), line("same-1", 5), line("same-2", 5), line("first", 0)];
    let results = send_lines(&network, &lines);
    assert!(results.iter().all(|result| result["status"] == 201), "{results:?}");
    let path = network.ledger_path("?include_columns=complete_call_id,repeat_calling_phone_number");
    let repeat_of = |result: &Value| {
        let rows = network.get(&path).body(200);
        let row = rows.as_array().and_then(|rows| {
            rows.iter().find(|row| row["complete_call_id"] == result["cuid"]).cloned()
        });
        row.expect("a row")["repeat_calling_phone_number"].clone()
    };
    let repeats: Vec<Value> = results.iter().map(repeat_of).collect();
    assert_eq!(repeats, ["Yes", "Yes", "Yes", "No"]);
    let same = [line("same-3", 20), line("same-4", 20)];
    let alone: Vec<Value> =
        same.iter().flat_map(|line| send_lines(&network, std::slice::from_ref(line))).collect();
    assert_eq!(alone.iter().map(repeat_of).collect::<Vec<_>>(), ["Yes", "Yes"]);
}

/// A client may wait for the result of a line before it sends the next one.
#[test]
fn line_gets_its_result_before_the_next_line_arrives() {
    let server = Server::start();
    let network = server.network();
    network.has_live_campaign("354", "12", json!({}));
    let request = network.request("POST", "/calls").without_header("Content-Type");
    let request = request.header("Content-Type", "application/x-ndjson");
    let head = request.header("Transfer-Encoding", "chunked").to_bytes();
    let mut writing = TcpStream::connect(network.address()).expect("a connection");
    writing.set_read_timeout(Some(Duration::from_secs(20))).expect("a time limit");
    writing.write_all(&head).expect("a head");
    let mut responses = BufReader::new(writing.try_clone().expect("a connection")).lines();
    for id in 0..3 {
        let line = valid_lines(id..id + 1);
        write!(writing, "{:x}\r\n{line}\r\n", line.len()).expect("a line");
        let response = responses
            .find_map(|line| complete_call_id(&line.expect("an answer before the next line")));
        assert!(response.is_some(), "{id}");
    }
}

/// Parts of a line that arrive without end do not hold back the lines before it.
#[test]
fn trickling_line_does_not_delay_the_line_before_it() {
    let server = Server::start();
    let network = server.network();
    network.has_live_campaign("354", "12", json!({}));
    let request = network.request("POST", "/calls").without_header("Content-Type");
    let request = request.header("Content-Type", "application/x-ndjson");
    let head = request.header("Transfer-Encoding", "chunked").to_bytes();
    let mut writing = TcpStream::connect(network.address()).expect("a connection");
    writing.set_read_timeout(Some(Duration::from_secs(20))).expect("a time limit");
    writing.write_all(&head).expect("a head");
    let line = valid_lines(0..1);
    write!(writing, "{:x}\r\n{line}\r\n", line.len()).expect("a line");
    let mut responses = BufReader::new(writing.try_clone().expect("a connection")).lines();
    let is_answered = AtomicBool::new(false);
    std::thread::scope(|scope| {
        // A byte of the next line every 50 ms, for at most 10 seconds.
        scope.spawn(|| {
            for _ in 0..200 {
                if is_answered.load(Ordering::Relaxed) {
                    return;
                }
                write!(&writing, "1\r\n{{\r\n").expect("a byte");
                std::thread::sleep(Duration::from_millis(50));
            }
            panic!("the line was not answered while the next one arrived");
        });
        let response = responses
            .find_map(|line| complete_call_id(&line.expect("an answer before the next line")));
        is_answered.store(true, Ordering::Relaxed);
        assert!(response.is_some());
    });
}

#[test]
fn acknowledged_lines_survive_a_kill() {
    let mut server = Server::start();
    server.network().has_live_campaign("354", "12", json!({}));
    let mut answered: Vec<String> = Vec::new();
    for round in 0..2 {
        let from = round * 2_000;
        let responses = import(&server.network(), &valid_lines(from..from + 2_000));
        for line in responses.lines().map_while(Result::ok) {
            answered.extend(complete_call_id(&line));
            if answered.len() % 1_000 == 700 {
                server.kill();
            }
        }
        server.restart();
    }
    assert!(answered.len() >= 700, "{} were answered", answered.len());
    let rows = server.table_rows();
    let calls = &rows["calls"];
    let transactions = &rows["transactions"];
    assert!(calls.len() < 4_000, "the server was killed before all was stored");
    assert_eq!(calls.len(), transactions.len(), "none is half there");
    let mut cells: BTreeMap<&str, usize> = BTreeMap::new();
    for cell in calls.iter().flat_map(|row| row.split('|')) {
        *cells.entry(cell).or_default() += 1;
    }
    assert!(
        answered.iter().all(|cuid| cells.get(cuid.as_str()) == Some(&1)),
        "each call is stored once"
    );
    // Repeated, each line is a duplicate or new, and each call is stored once.
    let network = server.network();
    let lines: Vec<String> = valid_lines(0..4_000).lines().map(str::to_owned).collect();
    let repeated = send_lines(&network, &lines);
    let duplicates = repeated.iter().filter(|response| response["status"] == 202).count();
    assert_eq!((duplicates, repeated.len()), (calls.len(), 4_000));
    assert_eq!(server.table_rows()["calls"].len(), 4_000);
    let checked = trunkline_tests::run(&["database", "check", "--database", server.database()]);
    assert!(checked.status.success(), "{}", String::from_utf8_lossy(&checked.stdout));
}

#[test]
fn other_clients_write_during_an_import() {
    let server = Server::start();
    let network = server.network();
    network.has_live_campaign("354", "12", json!({}));
    let mut responses = import(&network, &valid_lines(0..6_000)).lines();
    let mut answered = 0;
    let mut next = || {
        responses.next().and_then(Result::ok).is_some_and(|line| complete_call_id(&line).is_some())
    };
    while answered < 500 {
        answered += usize::from(next());
    }
    network.put("/affiliates/meanwhile", body::affiliate("Meanwhile")).expect(200);
    let stored = server.table_rows()["calls"].len();
    assert!(stored < 6_000, "the import was over already");
    while answered < 6_000 {
        answered += usize::from(next());
    }
}
