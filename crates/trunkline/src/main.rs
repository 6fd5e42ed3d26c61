//! `trunkline`: an open, self-hosted pay-per-call affiliate network.
//!
//! [`commands`] is the command line, one file for each command; [`config`] merges flags, environment
//! and configuration file; [`server`] serves requests until a signal stops it.

mod cli_error;
mod commands;
mod config;
mod demo;
mod health;
mod logs;
mod metrics;
mod outbox;
mod progress;
mod server;
mod system;
mod tls;

use std::process::ExitCode;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    commands::run()
}
