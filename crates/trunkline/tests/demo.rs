//! The demo: what it prints works when it is pasted.

#![expect(clippy::unwrap_used, reason = "a test ends where it fails")]

mod support;

use serde_json::Value;
use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use support::Place;

struct Demo(Child);

impl Drop for Demo {
    fn drop(&mut self) {
        let _ended = self.0.kill();
        let _reaped = self.0.wait();
    }
}

/// Runs the demo until it has said all; what it said.
fn demo(place: &Place, args: &[&str]) -> (Demo, String) {
    let mut all = vec!["demo"];
    all.extend(args);
    let mut command = place.command(&all);
    let mut child = command.env("TMPDIR", place.dir.path()).stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap());
    let mut said = String::new();
    while !said.contains("Ctrl-C ends it.") {
        assert!(lines.read_line(&mut said).unwrap() > 0, "it ended: {said}");
    }
    (Demo(child), said)
}

fn end(mut demo: Demo) -> Option<i32> {
    let pid = demo.0.id().to_string();
    assert!(Command::new("kill").args(["-INT", &pid]).status().unwrap().success());
    demo.0.wait().unwrap().code()
}

/// What the `curl` lines that were printed are answered.
fn paste(said: &str) -> Vec<Value> {
    let lines = said.lines().filter(|line| line.starts_with("curl "));
    let answer = |line: &str| {
        let run =
            Command::new("sh").args(["-c", &format!("{line} --silent --show-error")]).output();
        let run = run.expect("sh and curl are there");
        let read = serde_json::from_slice(&run.stdout);
        assert!(read.is_ok(), "{line}: {run:?}");
        read.unwrap()
    };
    lines.map(answer).collect()
}

#[test]
fn the_three_curl_lines_work_when_pasted() {
    let place = Place::new();
    let (demo, said) = demo(&place, &["--listen", "127.0.0.1:0"]);
    let answers = paste(&said);
    assert_eq!(answers.len(), 3, "{said}");
    // seeds/002 and seeds/000.
    assert_eq!(answers[0]["name"], "Surf Oz Magazine");
    assert_eq!(answers[1]["status"], "Approved_NotActive");
    assert_eq!(answers[1]["id_from_network"], "11");
    assert_eq!(answers[1]["current_terms"]["affiliate_payout"]["pricing"], "$3.50 per call");
    assert_eq!(answers[2]["id_from_network"], "2234");
    assert_eq!(answers[2]["status"], "Approved_NotActive");
    assert_eq!(end(demo), Some(0));
    let left: Vec<_> = std::fs::read_dir(&place.dir).unwrap().collect();
    assert!(left.is_empty(), "it leaves {left:?}");
}

#[test]
fn a_port_that_is_taken_is_no_trouble_unless_it_was_asked_for() {
    let place = Place::new();
    // Someone else may have it already, which is as good.
    let _taken = TcpListener::bind("127.0.0.1:8080");
    let (_demo, said) = demo(&place, &[]);
    assert!(said.starts_with("127.0.0.1:8080 is in use by another program"), "{said}");
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    assert!(place.failure(&["demo", "--listen", &address]).0.contains("in use"));
}

/// The calls of a kept database, whole, and the sums of what they came to.
fn calls(place: &Place) -> (Vec<String>, i64) {
    let file = rusqlite::Connection::open(place.path("kept.db")).unwrap();
    let mut statement = file
        .prepare(
            "SELECT id || '|' || external_id || '|' || hex(fingerprint) || '|' || complete_call_id
             || '|' || COALESCE(caller, '') || '|' || start_time || '|' || body || '|' || created_at
             || '|' || terms_id FROM calls ORDER BY id",
        )
        .unwrap();
    let rows = statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
    let sum = "SELECT SUM(payin_delta) + SUM(payout_delta) FROM transactions";
    (rows, file.query_row(sum, [], |row| row.get(0)).unwrap())
}

#[test]
fn the_same_seed_and_time_make_the_same_calls() {
    let args = ["--listen", "127.0.0.1:0", "--database", "sqlite://kept.db", "--calls", "120"];
    let run = |seed: &str| {
        let place = Place::new();
        let more = ["--seed", seed, "--now", "2026-11-20T20:00:00Z"];
        let (demo, said) = demo(&place, &[&args[..], &more].concat());
        assert!(said.contains("120 in the last 30 days"), "{said}");
        assert!(said.contains("stands at 2026-11-20T20:00:00Z"), "{said}");
        let answers = paste(&said);
        assert_eq!(answers.len(), 5, "{said}");
        assert_eq!(end(demo), Some(0));
        (calls(&place), answers)
    };
    let (first, answers) = run("7");
    let counted = answers[3]["stats"]["last_30days"]["call_count"].as_u64().unwrap();
    assert!((20..=120).contains(&counted), "{}", answers[3]);
    assert_eq!(answers[4]["outcome"], "connected");
    assert_eq!(answers[4]["advertiser_payin"]["matching_policies"], "base+bonus1");
    assert_eq!(first.0.len(), 120);
    assert!(first.1 > 0, "{}", first.1);
    let (again, same) = run("7");
    assert_eq!(first, again);
    assert_eq!(answers[3], same[3]);
    let (other, _) = run("8");
    assert_eq!(other.0.len(), 120);
    assert_ne!(first, other);
}

#[test]
fn calls_that_end_now_let_the_clock_go() {
    let place = Place::new();
    let (_demo, said) = demo(&place, &["--listen", "127.0.0.1:0", "--calls", "100"]);
    assert!(said.contains("100 in the last 30 days") && !said.contains("stands at"), "{said}");
    for wrong in [&["--calls", "10001"][..], &["--calls", "0"], &["--seed", "7"], &["--now", "x"]] {
        let misused = place.run(&[&["demo"], wrong].concat());
        assert_eq!(misused.status.code(), Some(2), "{wrong:?}");
    }
}

#[test]
fn a_database_that_is_named_is_kept_and_used_once() {
    let place = Place::new();
    let args = ["--listen", "127.0.0.1:0", "--database", "sqlite://kept.db"];
    let (demo, _) = demo(&place, &args);
    assert_eq!(end(demo), Some(0));
    let listed = place.lines(&["network", "list", "--database", "sqlite://kept.db"]);
    assert_eq!(listed[0]["name"], "Demo Network");
    let mut again = vec!["demo"];
    again.extend(args);
    assert!(place.failure(&again).0.starts_with("the database has a network already"));
}
