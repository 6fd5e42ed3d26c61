//! The command line: a file for each command.

mod completions;
mod database;
mod demo;
mod network;
mod numbers;
mod openapi;
mod sending;
mod serve;
mod token;
mod user;

use crate::config::{DatabaseArgs, File, said};
use crate::failure::Failure;
use crate::logs;
use clap::{Parser, Subcommand};
use std::io::Write;
use std::process::ExitCode;
use trunkline_domain::party::Network;
use trunkline_network::{Error, Session, Store};

const EXAMPLES: &str = "\
Examples:
  trunkline demo
  trunkline network create --name 'My Network'
  trunkline serve --listen 0.0.0.0:8080 --base-url https://calls.example.com

Settings can also stand in the environment (TRUNKLINE_LISTEN, TRUNKLINE_DATABASE, …) and in
trunkline.toml (listen = \"…\", database = \"…\", …). Flags win over environment over file.";

/// An open, self-hosted pay-per-call affiliate network
#[derive(Debug, Parser)]
#[command(name = "trunkline", version, about, after_help = EXAMPLES, max_term_width = 100)]
pub(crate) struct Cli {
    #[command(subcommand)]
    command: Command,
    /// What to log, to standard error: off, error, warn, info, debug, trace [default: info]
    #[arg(
        long,
        global = true,
        value_name = "LEVEL",
        env = "TRUNKLINE_LOG",
        hide_env_values = true
    )]
    log: Option<String>,
}

#[derive(Debug, Subcommand)]
enum Command {
    Serve(serve::Args),
    Demo(demo::Args),
    /// Make and list networks
    #[command(subcommand, after_help = network::EXAMPLE)]
    Network(network::Command),
    /// Make, list and revoke API tokens
    #[command(subcommand, after_help = token::EXAMPLE)]
    Token(token::Command),
    /// Set passwords
    #[command(subcommand, after_help = user::EXAMPLE)]
    User(user::Command),
    /// Fill the inventory that promo numbers are taken from
    #[command(subcommand, after_help = numbers::EXAMPLE)]
    Numbers(numbers::Command),
    /// Check a database, and copy it to another
    #[command(subcommand, after_help = database::EXAMPLE)]
    Database(database::Command),
    Openapi(openapi::Args),
    Completions(completions::Args),
}

/// Runs a command; an error is one line on standard error.
pub(crate) fn run() -> ExitCode {
    let Cli { command, log } = Cli::parse();
    let log = said(log);
    let result = match command {
        Command::Serve(args) => serve::run(args, log),
        Command::Demo(args) => demo::run(args, log),
        Command::Network(command) => network::run(command, log),
        Command::Token(command) => token::run(command, log),
        Command::User(command) => user::run(command, log),
        Command::Numbers(command) => numbers::run(command, log),
        Command::Database(command) => database::run(command, log),
        Command::Openapi(_) => openapi::run(),
        Command::Completions(args) => completions::run(&args),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            let _told = writeln!(std::io::stderr(), "trunkline: {}", failure.line());
            failure.code()
        }
    }
}

/// Starts the logs, by the flag, the environment, the file or else `info`.
fn start_logs(log: Option<String>, file: &mut File) -> Result<(), Failure> {
    logs::start(log.or(file.log.take()).as_deref().unwrap_or("info"))
}

/// Opens the database of a command that is done at once.
fn open(args: DatabaseArgs, log: Option<String>) -> Result<Store, Failure> {
    let (mut file, database) = args.resolve()?;
    start_logs(log, &mut file)?;
    Ok(Store::open(&database)?)
}

/// Runs a unit of work in the network with an id, and closes the database.
fn in_network<T: Send + 'static>(
    store: Store,
    id: impl Into<Option<i64>>,
    work: impl FnOnce(&mut Session<'_>, &Network) -> Result<T, Error> + Send + 'static,
) -> Result<T, Failure> {
    let id = id.into();
    let done = store.write_blocking(move |session| match find_network(session, id)? {
        Some(network) => work(session, &network).map(Some),
        None => Ok::<_, Error>(None),
    });
    store.close();
    let missing = match id {
        Some(id) => format!("network {id}"),
        None => "network".to_owned(),
    };
    done?.ok_or_else(|| Failure::Missing(missing))
}

/// The network named, or the only one there is.
fn find_network(session: &mut Session<'_>, id: Option<i64>) -> Result<Option<Network>, Error> {
    if let Some(id) = id {
        return Ok(session.network(id)?);
    }
    let mut networks = session.networks()?;
    if networks.len() > 1 {
        let message = "there are several networks: say which one with --network";
        return Err(Error::NotAllowed(message.to_owned()));
    }
    Ok(networks.pop())
}

/// Prints lines, the command's answer. Whoever reads may have read enough: a closed pipe is no
/// failure.
fn print(text: &str) -> Result<(), Failure> {
    let mut out = std::io::stdout().lock();
    let written = out.write_all(text.as_bytes()).and_then(|()| out.flush());
    match written {
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
        other => other.map_err(Failure::io("write to standard output")),
    }
}

/// Prints one JSON line for each value.
fn print_json(values: impl IntoIterator<Item = serde_json::Value>) -> Result<(), Failure> {
    print(&values.into_iter().map(|value| format!("{value}\n")).collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::Cli;
    use clap::{Command, CommandFactory};

    #[test]
    fn the_command_line_is_well_formed() {
        Cli::command().debug_assert();
    }

    /// `--help` has an example at every level.
    #[test]
    fn every_command_has_an_example() {
        fn walk(command: &Command) {
            let name = command.get_name();
            assert!(command.get_about().is_some(), "{name} does not say what it does");
            let after = command.get_after_help().map(ToString::to_string).unwrap_or_default();
            assert!(after.contains("trunkline "), "{name} has no example");
            command.get_subcommands().for_each(walk);
        }
        walk(&Cli::command());
    }
}
