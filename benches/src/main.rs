//! Measures. `cargo run --release -p trunkline-bench -- list` fills a database with affiliates and
//! reads them all from the server in one list, watching its memory. `evaluator` times conditions
//! and whole decisions; with `--features comparisons` conditions run against other crates. `replay`
//! tells calls and replays them.

#![allow(clippy::print_stdout, reason = "a benchmark prints its figures")]

mod evaluator;
mod list;
mod replay;
mod server;

use std::process::ExitCode;

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let result = match arguments.next().as_deref() {
        Some("list") => {
            let affiliates = arguments.next().and_then(|said| said.parse().ok());
            list::run(affiliates.unwrap_or(1_000_000))
        }
        Some("evaluator") => evaluator::run(),
        Some("replay") => {
            let calls = arguments.next().and_then(|said| said.parse().ok());
            replay::run(calls.unwrap_or(1_000_000))
        }
        _ => Err("usage: trunkline-bench list [affiliates] | replay [calls] | evaluator".into()),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("trunkline-bench: {error}");
            ExitCode::FAILURE
        }
    }
}
