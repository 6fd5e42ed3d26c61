//! Measures. `cargo run --release -p trunkline-bench` runs the whole suite: baselines and the server under
//! the same loads, and tables of what came out. `list` fills a database with affiliates and reads them all
//! from the server in one list, watching its memory. `evaluator` times conditions and whole decisions; with
//! `--features comparisons` conditions run against other crates. `replay` tells calls and replays them.
//! `servers` asks one, two and three servers on one PostgreSQL.

#![allow(clippy::print_stdout, reason = "a benchmark prints its figures")]

mod calls;
mod evaluator;
mod fill;
mod http;
mod list;
mod load;
mod process;
mod replay;
mod server;
mod servers;
mod suite;

use std::process::ExitCode;

fn main() -> ExitCode {
    let all: Vec<String> = std::env::args().skip(1).collect();
    let mut arguments = all.iter().map(String::as_str);
    let result = match arguments.next() {
        Some("list") => {
            let affiliates = arguments.next().and_then(|said| said.parse().ok());
            list::run(affiliates.unwrap_or(1_000_000))
        }
        Some("evaluator") => evaluator::run(),
        Some("replay") => {
            let calls = arguments.next().and_then(|said| said.parse().ok());
            replay::run(calls.unwrap_or(1_000_000))
        }
        Some("servers") => servers::run(),
        _ => suite::run(&all),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("trunkline-bench: {error}");
            ExitCode::FAILURE
        }
    }
}
