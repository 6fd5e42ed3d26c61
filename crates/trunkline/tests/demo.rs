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

#[test]
fn the_three_curl_lines_work_when_pasted() {
    let place = Place::new();
    let (demo, said) = demo(&place, &["--listen", "127.0.0.1:0"]);
    let lines: Vec<&str> = said.lines().filter(|line| line.starts_with("curl ")).collect();
    assert_eq!(lines.len(), 3, "{said}");
    let answers: Vec<Value> = lines
        .iter()
        .map(|line| {
            let run =
                Command::new("sh").args(["-c", &format!("{line} --silent --show-error")]).output();
            let run = run.expect("sh and curl are there");
            serde_json::from_slice(&run.stdout).unwrap_or_else(|_| panic!("{line}: {run:?}"))
        })
        .collect();
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
