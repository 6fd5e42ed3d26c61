//! `trunkline`: an open, self-hosted pay-per-call affiliate network.
//!
//! [`commands`] is the command line, a file for each command; [`config`] finds out what a server
//! is told; [`server`] answers requests until it is asked to stop.

mod commands;
mod config;
mod demo;
mod failure;
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
