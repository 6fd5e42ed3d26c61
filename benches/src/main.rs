//! Benchmarks.
//!
//! `cargo run --release -p trunkline-bench` runs the suite: baselines and the server under the same loads,
//! with tables of the figures. Subcommands: `list` reads a list of a million affiliates and measures the
//! server's memory; `evaluator` times conditions and whole decisions, with `--features comparisons` also
//! other crates; `replay` reports calls and replays them; `transactions` reads a million transactions by
//! cursor (`--quick`: 10,000); `servers` loads one, two and three servers on one PostgreSQL.

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
mod transactions;

use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let mut words = arguments.iter().map(String::as_str);
    let result = match words.next() {
        Some("list") => {
            let affiliates = words.next().and_then(|word| word.parse().ok());
            list::run(affiliates.unwrap_or(1_000_000))
        }
        Some("evaluator") => evaluator::run(),
        Some("replay") => {
            let calls = words.next().and_then(|word| word.parse().ok());
            replay::run(calls.unwrap_or(1_000_000))
        }
        Some("transactions") => {
            let calls = match words.next() {
                Some("--quick") => Some(10_000),
                word => word.and_then(|word| word.parse().ok()),
            };
            transactions::run(calls.unwrap_or(1_000_000))
        }
        Some("servers") => servers::run(),
        _ => suite::run(&arguments),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("trunkline-bench: {error}");
            ExitCode::FAILURE
        }
    }
}
