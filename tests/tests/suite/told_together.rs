//! Lines that come together are taken together, and come to what the same lines come to one by one.

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Value, json};
use std::cell::Cell;
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::time::Duration;
use trunkline_tests::{Client, Server, body};

/// The first second of the calls: 2200-03-01.
const FIRST: i64 = 7_263_212_000;

/// A line to be, by indexes.
#[derive(Debug, Clone)]
struct Line {
    /// One of a few ids, so that some are told twice.
    id: u8,
    campaign: usize,
    affiliate: usize,
    number: bool,
    /// Seconds after the first.
    start: i64,
    duration: u32,
    caller: usize,
    pressed: bool,
    odd: Odd,
}

/// What may be wrong with a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Odd {
    Nothing,
    NoJson,
    NoId,
    Wrong,
    CustomData,
    UnknownField,
    Blank,
    /// What an earlier line said is said again.
    Again,
}

fn line() -> impl Strategy<Value = Line> {
    let odd = prop_oneof![
        12 => Just(Odd::Nothing), 1 => Just(Odd::NoJson), 1 => Just(Odd::NoId),
        1 => Just(Odd::Wrong), 2 => Just(Odd::CustomData), 1 => Just(Odd::UnknownField),
        1 => Just(Odd::Blank), 2 => Just(Odd::Again)];
    let who = (0usize..8, 0usize..8, proptest::bool::weighted(0.04), 0usize..4);
    // Most of a few days; some long before anything was live.
    let start = prop_oneof![9 => 0i64..3 * 86_400, 1 => Just(-2_000_000_000i64)];
    (0u8..150, who, start, 0u32..200, any::<bool>(), odd).prop_map(
        |(id, (campaign, affiliate, number, caller), start, duration, pressed, odd)| Line {
            id,
            campaign,
            affiliate,
            number,
            start,
            duration,
            caller,
            pressed,
            odd,
        },
    )
}

impl Line {
    fn text(&self) -> String {
        let campaign = ["x", "x", "x", "y", "y", "z", "z", "gone"][self.campaign];
        let mut call = json!({
            "external_call_unique_id": self.id.to_string(),
            "start_time": FIRST + self.start,
            "advertiser_campaign_id_from_network": campaign,
            "duration_in_seconds": self.duration,
            "keypresses": vec!["1"; usize::from(self.pressed)],
        });
        if let Some(affiliate) =
            ["1", "1", "1", "1", "", "", "2", "9"].get(self.affiliate).filter(|it| !it.is_empty())
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
            Odd::Nothing | Odd::Again => {}
            Odd::NoJson => return "{not json".to_owned(),
            Odd::Blank => return String::new(),
            Odd::NoId => line["call"]["external_call_unique_id"] = Value::Null,
            Odd::Wrong => line["call"]["duration_in_seconds"] = "long".into(),
            Odd::CustomData => {
                line["custom_data"] = json!([{"name": "channel", "value": "Radio"}]);
            }
            Odd::UnknownField => {
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

/// Three campaigns, with a cap of calls, a budget of money, and neither; one affiliate approved, one
/// not; somebody who is told of budgets, and a webhook.
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
        let more = body::with(json!({"auto_approve": "All", "timezone": "UTC"}), more);
        network.has_live_campaign("354", id, more);
        let path = body::affiliate_campaign_path("354", id, "1");
        network.post(&path, json!({})).expect(201);
    }
    let emails = json!([{"email_address": "a@example.com", "use_for_notifications": true}]);
    let told = json!({"email_settings": emails, "notify_on_budgets": true});
    let people = json!({"users": [body::with(body::user("1"), told)]});
    network.put("/advertisers/354", people).expect(200);
    network.extensions().post("/webhooks", json!({"url": "https://receiver.invalid/"})).expect(201);
    network
}

fn tell(network: &Client, lines: &[String]) -> Vec<Value> {
    let request = network.request("POST", "/calls").bytes(lines.join("\n").as_bytes());
    let request = request.without_header("Content-Type");
    let answer = request.header("Content-Type", "application/x-ndjson").send().expect(200);
    answer.text().lines().map(|line| serde_json::from_str(line).expect("a line")).collect()
}

/// What calls left behind: rows as text, without what depends on the time of the test, calls by the
/// order in which they were named.
fn left_behind(server: &Server, answers: &[Value]) -> BTreeMap<String, Vec<String>> {
    let mut names: Vec<&str> =
        answers.iter().filter_map(|answer| answer["cuid"].as_str()).collect();
    names.dedup();
    let mut rows = server.rows();
    let kept = [
        "calls",
        "transactions",
        "call_quarters",
        "budget_totals",
        "events",
        "deliveries",
        "mails",
    ];
    rows.retain(|table, _| kept.contains(&table.as_str()));
    for (table, rows) in &mut rows {
        for row in rows.iter_mut() {
            // Where a delivery is by now depends on who was quicker.
            let cells = row.split('|').take(if table == "deliveries" { 3 } else { usize::MAX });
            let cells = cells.map(|cell| if is_now(cell) { "now" } else { cell });
            let mut text = cells.collect::<Vec<_>>().join("|");
            for (place, name) in names.iter().enumerate() {
                text = text.replace(name, &format!("call {place}"));
            }
            *row = text;
        }
        rows.sort();
    }
    rows
}

/// A moment of this century's first half (milliseconds): the calls are all of another time.
fn is_now(cell: &str) -> bool {
    cell.len() == 13 && cell.parse().is_ok_and(|at: i64| at < 2_000_000_000_000)
}

fn without_names(answers: &[Value]) -> Vec<Value> {
    let mut names: Vec<String> = Vec::new();
    let named = answers.iter().map(|answer| {
        let mut answer = answer.clone();
        if let Some(name) = answer["cuid"].as_str().map(str::to_owned) {
            let place = names.iter().position(|known| *known == name).unwrap_or(names.len());
            if place == names.len() {
                names.push(name);
            }
            answer["cuid"] = place.into();
        }
        answer
    });
    named.collect()
}

#[test]
fn lines_told_together_come_to_what_they_come_to_one_by_one() {
    let seen: Cell<[usize; 8]> = Cell::default();
    let mut runner = TestRunner::new(Config {
        cases: 6,
        failure_persistence: None,
        max_shrink_iters: 0,
        ..Config::default()
    });
    let lines = proptest::collection::vec(line(), 60..120);
    let law = |lines: Vec<Line>| {
        let mut texts: Vec<String> = Vec::new();
        for line in &lines {
            let earlier = texts.get(usize::from(line.id) % texts.len().max(1)).cloned();
            texts.push(earlier.filter(|_| line.odd == Odd::Again).unwrap_or_else(|| line.text()));
        }
        let lines = texts;
        let (together, alone) = (Server::start(), Server::start());
        let network = world(&together);
        let answers = tell(&network, &lines);
        let other = world(&alone);
        let one_by_one: Vec<Value> =
            lines.iter().flat_map(|line| tell(&other, std::slice::from_ref(line))).collect();
        prop_assert_eq!(without_names(&answers), without_names(&one_by_one));
        let (left, right) = (left_behind(&together, &answers), left_behind(&alone, &one_by_one));
        for (table, rows) in &left {
            prop_assert_eq!(rows, &right[table], "{}", table);
        }
        let mut so_far = seen.get();
        for (place, status) in [201, 202, 400, 403, 404, 409].into_iter().enumerate() {
            so_far[place] += answers.iter().filter(|answer| answer["status"] == status).count();
        }
        so_far[6] += left["mails"].len();
        so_far[7] += left["calls"].iter().filter(|row| row.contains("over_cap")).count();
        seen.set(so_far);
        Ok(())
    };
    runner.run(&lines, law).unwrap_or_else(|error| panic!("{error}"));
    assert!(seen.get().iter().all(|count| *count > 0), "each is met: {:?}", seen.get());
}

/// Reads an import's answers as they come.
fn import(network: &Client, lines: &str) -> BufReader<TcpStream> {
    let request = network.request("POST", "/calls").bytes(lines.as_bytes());
    let request = request.without_header("Content-Type");
    let request = request.header("Content-Type", "application/x-ndjson").to_bytes();
    let stream = TcpStream::connect(network.address()).expect("a connection");
    let mut writing = stream.try_clone().expect("a connection");
    // It is cut off where the server is.
    std::thread::spawn(move || writing.write_all(&request));
    BufReader::new(stream)
}

fn plain(ids: std::ops::Range<usize>) -> String {
    let line = |id: usize| {
        json!({"call": {"external_call_unique_id": id.to_string(), "start_time": FIRST + id as i64,
            "advertiser_campaign_id_from_network": "12", "duration_in_seconds": 90}})
    };
    ids.map(|id| format!("{}\n", line(id))).collect()
}

/// The complete_call_id of a line's answer, if there is one whole.
fn cuid(line: &str) -> Option<String> {
    let answer: Value = serde_json::from_str(line.trim()).ok()?;
    answer["cuid"].as_str().map(str::to_owned)
}

/// Who waits for an answer before it tells of the next call is not waited for.
#[test]
fn a_line_is_answered_before_the_next_one_is_told() {
    let server = Server::start();
    let network = server.network();
    network.has_live_campaign("354", "12", json!({}));
    let request = network.request("POST", "/calls").without_header("Content-Type");
    let request = request.header("Content-Type", "application/x-ndjson");
    let head = request.header("Transfer-Encoding", "chunked").to_bytes();
    let mut writing = TcpStream::connect(network.address()).expect("a connection");
    writing.set_read_timeout(Some(Duration::from_secs(20))).expect("a time limit");
    writing.write_all(&head).expect("a head");
    let mut answers = BufReader::new(writing.try_clone().expect("a connection")).lines();
    for id in 0..3 {
        let line = plain(id..id + 1);
        write!(writing, "{:x}\r\n{line}\r\n", line.len()).expect("a line");
        let answer = answers.find_map(|line| cuid(&line.expect("an answer before the next line")));
        assert!(answer.is_some(), "{id}");
    }
}

#[test]
fn what_an_import_was_answered_survives_a_kill() {
    let mut server = Server::start();
    server.network().has_live_campaign("354", "12", json!({}));
    let mut answered: Vec<String> = Vec::new();
    for round in 0..2 {
        let from = round * 2_000;
        let answers = import(&server.network(), &plain(from..from + 2_000));
        for line in answers.lines().map_while(Result::ok) {
            answered.extend(cuid(&line));
            if answered.len() % 1_000 == 700 {
                server.kill();
            }
        }
        server.start_again();
    }
    assert!(answered.len() >= 700, "{} were answered", answered.len());
    let rows = server.rows();
    let (calls, transactions) = (&rows["calls"], &rows["transactions"]);
    assert!(calls.len() < 4_000, "the server was killed before all was stored");
    assert_eq!(calls.len(), transactions.len(), "none is half there");
    let mut cells: BTreeMap<&str, usize> = BTreeMap::new();
    for cell in calls.iter().flat_map(|row| row.split('|')) {
        *cells.entry(cell).or_default() += 1;
    }
    assert!(
        answered.iter().all(|cuid| cells.get(cuid.as_str()) == Some(&1)),
        "each is there, once"
    );
    // Told again, all of them are known or new, and each is there once.
    let network = server.network();
    let lines: Vec<String> = plain(0..4_000).lines().map(str::to_owned).collect();
    let again = tell(&network, &lines);
    let known = again.iter().filter(|answer| answer["status"] == 202).count();
    assert_eq!((known, again.len()), (calls.len(), 4_000));
    assert_eq!(server.rows()["calls"].len(), 4_000);
    let checked = trunkline_tests::run(&["database", "check", "--database", server.database()]);
    assert!(checked.status.success(), "{}", String::from_utf8_lossy(&checked.stdout));
}

#[test]
fn others_write_while_an_import_runs() {
    let server = Server::start();
    let network = server.network();
    network.has_live_campaign("354", "12", json!({}));
    let mut answers = import(&network, &plain(0..6_000)).lines();
    let mut answered = 0;
    let mut next = || answers.next().and_then(Result::ok).is_some_and(|line| cuid(&line).is_some());
    while answered < 500 {
        answered += usize::from(next());
    }
    network.put("/affiliates/meanwhile", body::affiliate("Meanwhile")).expect(200);
    let stored = server.rows()["calls"].len();
    assert!(stored < 6_000, "the import was over already");
    while answered < 6_000 {
        answered += usize::from(next());
    }
}
