//! Measures the server from outside. `cargo run --release -p trunkline-bench -- list` fills a
//! database with affiliates and reads them all in one list, watching the server's memory.

#![allow(clippy::print_stdout, reason = "a benchmark prints its figures")]

mod list;
mod server;

use std::process::ExitCode;

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let result = match arguments.next().as_deref() {
        Some("list") => {
            let affiliates = arguments.next().and_then(|said| said.parse().ok());
            list::run(affiliates.unwrap_or(1_000_000))
        }
        _ => Err("usage: trunkline-bench list [affiliates]".into()),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("trunkline-bench: {error}");
            ExitCode::FAILURE
        }
    }
}
