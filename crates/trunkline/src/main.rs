//! `trunkline`: an open, self-hosted pay-per-call affiliate network.

mod commands;
mod config;
mod serve;
mod system;

use std::process::ExitCode;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    commands::run()
}
