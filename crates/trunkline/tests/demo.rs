//! The demo: its network, its printed commands, its simulated calls.

#![expect(clippy::unwrap_used, reason = "a test ends where it fails")]

mod support;

use serde_json::Value;
use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use support::TestDir;

struct Demo(Child);

impl Drop for Demo {
    fn drop(&mut self) {
        // Both fail if the demo has exited already.
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

/// Starts the demo and returns its output up to the last line.
fn start_demo(dir: &TestDir, args: &[&str]) -> (Demo, String) {
    let mut all = vec!["demo"];
    all.extend(args);
    let mut command = dir.command(&all);
    let mut child = command.env("TMPDIR", dir.dir.path()).stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap());
    let mut output = String::new();
    while !output.contains("Press Ctrl-C to stop.") {
        assert!(lines.read_line(&mut output).unwrap() > 0, "the demo ended: {output}");
    }
    (Demo(child), output)
}

/// Interrupts the demo and returns its exit code.
fn stop(mut demo: Demo) -> Option<i32> {
    let pid = demo.0.id().to_string();
    assert!(Command::new("kill").args(["-INT", &pid]).status().unwrap().success());
    demo.0.wait().unwrap().code()
}

/// Runs the printed `curl` commands and returns their responses.
fn run_curl_commands(output: &str) -> Vec<Value> {
    let lines = output.lines().filter(|line| line.starts_with("curl "));
    let response = |line: &str| {
        let result =
            Command::new("sh").args(["-c", &format!("{line} --silent --show-error")]).output();
        let result = result.expect("sh and curl are installed");
        let json = serde_json::from_slice(&result.stdout);
        assert!(json.is_ok(), "{line}: {result:?}");
        json.unwrap()
    };
    lines.map(response).collect()
}

#[test]
fn printed_curl_commands_succeed() {
    let dir = TestDir::new();
    let (demo, output) = start_demo(&dir, &["--listen", "127.0.0.1:0"]);
    let line = |name: &str| {
        let mut lines = output.lines().map(str::trim_start);
        lines.find_map(|line| line.strip_prefix(name)).unwrap_or_default().trim().to_owned()
    };
    let address = line("address");
    assert!(address.starts_with("http://127.0.0.1:"), "{output}");
    assert_eq!(line("console"), format!("{address}/login"));
    let link = line("sign-in");
    assert!(link.starts_with(&format!("{address}/sign_in_link?token=tl2_")), "{output}");
    assert_eq!(line("API docs"), format!("{address}/docs"));
    let answers = run_curl_commands(&output);
    assert_eq!(answers.len(), 3, "{output}");
    // Affiliates document and affiliate campaigns document, both of 2018-11-01.
    assert_eq!(answers[0]["name"], "Surf Oz Magazine");
    assert_eq!(answers[1]["status"], "Approved_NotActive");
    assert_eq!(answers[1]["id_from_network"], "11");
    assert_eq!(answers[1]["current_terms"]["affiliate_payout"]["pricing"], "$3.50 per call");
    assert_eq!(answers[2]["id_from_network"], "2234");
    assert_eq!(answers[2]["status"], "Approved_NotActive");
    assert_eq!(stop(demo), Some(0));
    let files: Vec<_> = std::fs::read_dir(&dir.dir).unwrap().collect();
    assert!(files.is_empty(), "not removed: {files:?}");
}

#[test]
fn default_port_in_use_is_replaced_and_requested_port_in_use_is_an_error() {
    let dir = TestDir::new();
    // Fails if another program has the port, which serves the test as well.
    let _listener = TcpListener::bind("127.0.0.1:8080");
    let (_demo, output) = start_demo(&dir, &[]);
    assert!(output.starts_with("127.0.0.1:8080 is in use by another program"), "{output}");
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    assert!(dir.expect_failure(&["demo", "--listen", &address]).0.contains("in use"));
}

/// Reads the calls of the kept database, and the sum of their payins and payouts.
fn stored_calls(dir: &TestDir) -> (Vec<String>, i64) {
    let file = rusqlite::Connection::open(dir.path("kept.db")).unwrap();
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
fn same_seed_and_time_produce_the_same_calls() {
    let args = ["--listen", "127.0.0.1:0", "--database", "sqlite://kept.db", "--calls", "120"];
    let run = |seed: &str| {
        let dir = TestDir::new();
        let more = ["--seed", seed, "--now", "2026-11-20T20:00:00Z"];
        let (demo, output) = start_demo(&dir, &[&args[..], &more].concat());
        assert!(output.contains("120 in the last 30 days"), "{output}");
        assert!(output.contains("fixed at 2026-11-20T20:00:00Z"), "{output}");
        let answers = run_curl_commands(&output);
        assert_eq!(answers.len(), 5, "{output}");
        assert_eq!(stop(demo), Some(0));
        (stored_calls(&dir), answers)
    };
    let (first, answers) = run("7");
    let call_count = answers[3]["stats"]["last_30days"]["call_count"].as_u64().unwrap();
    assert!((20..=120).contains(&call_count), "{}", answers[3]);
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
fn clock_is_not_fixed_without_a_time() {
    let dir = TestDir::new();
    let (_demo, output) = start_demo(&dir, &["--listen", "127.0.0.1:0", "--calls", "100"]);
    assert!(output.contains("100 in the last 30 days") && !output.contains("fixed at"), "{output}");
    for wrong in [&["--calls", "10001"][..], &["--calls", "0"], &["--seed", "7"], &["--now", "x"]] {
        let misused = dir.run(&[&["demo"], wrong].concat());
        assert_eq!(misused.status.code(), Some(2), "{wrong:?}");
    }
}

#[test]
fn named_database_is_kept_and_must_be_empty() {
    let dir = TestDir::new();
    let args = ["--listen", "127.0.0.1:0", "--database", "sqlite://kept.db"];
    let (demo, _) = start_demo(&dir, &args);
    assert_eq!(stop(demo), Some(0));
    let listed = dir.run_json(&["network", "list", "--database", "sqlite://kept.db"]);
    assert_eq!(listed[0]["name"], "Demo Network");
    let mut again = vec!["demo"];
    again.extend(args);
    assert!(dir.expect_failure(&again).0.starts_with("the database has a network already"));
}
