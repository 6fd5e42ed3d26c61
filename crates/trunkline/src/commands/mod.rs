//! Command line: one file for each command.

mod completions;
mod database;
mod demo;
mod network;
mod numbers;
mod openapi;
mod outgoing;
mod serve;
mod token;
mod usage_error;
mod user;

use crate::cli_error::CliError;
use crate::config::{ConfigFile, DatabaseArgs, non_empty};
use crate::logs;
use clap::{CommandFactory, Parser, Subcommand};
use std::io::Write;
use std::process::ExitCode;
use trunkline_domain::id::NetworkId;
use trunkline_domain::party::Network;
use trunkline_network::{Error, Store, UnitOfWork};

const EXAMPLES: &str = "\
Examples:
  trunkline demo
  trunkline network create --name 'My Network'
  trunkline serve --listen 0.0.0.0:8080 --base-url https://calls.example.com

Settings can also be given as environment variables (TRUNKLINE_LISTEN, TRUNKLINE_DATABASE, …) and in
trunkline.toml (listen = \"…\", database = \"…\", …). A flag takes precedence over the environment, and
that over the file.";

/// An open, self-hosted pay-per-call affiliate network
#[derive(Debug, Parser)]
#[command(name = "trunkline", version, about, after_help = EXAMPLES, max_term_width = 100)]
pub(crate) struct Cli {
    #[command(subcommand)]
    command: Command,
    /// Log level, for standard error: off, error, warn, info, debug or trace [default: info]
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
    /// Create and list networks
    #[command(subcommand, after_help = network::EXAMPLE)]
    Network(network::Command),
    /// Create, list and revoke API tokens
    #[command(subcommand, after_help = token::EXAMPLE)]
    Token(token::Command),
    /// Set the passwords of users
    #[command(subcommand, after_help = user::EXAMPLE)]
    User(user::Command),
    /// Import phone numbers into the inventory of promo numbers
    #[command(subcommand, after_help = numbers::EXAMPLE)]
    Numbers(numbers::Command),
    /// Back up, restore, check, migrate and copy databases
    #[command(subcommand, after_help = database::EXAMPLE)]
    Database(database::Command),
    Openapi(openapi::Args),
    Completions(completions::Args),
}

/// Parses the command line and runs the command. An error is printed as one line on standard error.
pub(crate) fn run() -> ExitCode {
    let Cli { command, log } = Cli::try_parse().unwrap_or_else(|error| {
        usage_error::name_variable(error, &Cli::command(), std::env::args()).exit()
    });
    let log = non_empty(log);
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
        Err(error) => {
            // The exit code reports the error even if standard error is closed.
            writeln!(std::io::stderr(), "trunkline: {}", error.to_line()).ok();
            error.exit_code()
        }
    }
}

/// Starts logging at the level of the flag or environment, of the file, or else `info`.
fn start_logs(log: Option<String>, file: &mut ConfigFile) -> Result<(), CliError> {
    logs::start(log.or(file.log.take()).as_deref().unwrap_or("info"))
}

/// Starts logging and returns the URL of the database.
fn database_url(args: DatabaseArgs, log: Option<String>) -> Result<String, CliError> {
    let (mut file, database) = args.resolve()?;
    start_logs(log, &mut file)?;
    Ok(database)
}

/// Starts logging and opens the database of a short command, which must exist and be migrated.
fn open(args: DatabaseArgs, log: Option<String>) -> Result<Store, CliError> {
    Ok(Store::open_existing(&database_url(args, log)?)?)
}

/// Runs a write transaction in a network, then closes the database. Without an id the database must
/// have exactly one network.
fn in_network<T: Send + 'static>(
    store: Store,
    id: impl Into<Option<NetworkId>>,
    work: impl FnOnce(&mut UnitOfWork<'_>, &Network) -> Result<T, Error> + Send + 'static,
) -> Result<T, CliError> {
    let id = id.into();
    let result = store.write_blocking(move |unit| match find_network(unit, id)? {
        Some(network) => work(unit, &network).map(Some),
        None => Ok::<_, Error>(None),
    });
    close_after(store, id, result)
}

/// Runs a write transaction that takes access away, as [`in_network`] does. It is possible on a full disk.
fn in_network_urgently<T: Send + 'static>(
    store: Store,
    id: NetworkId,
    work: impl FnOnce(&mut UnitOfWork<'_>, &Network) -> Result<T, Error> + Send + 'static,
) -> Result<T, CliError> {
    let result = store.write_urgent_blocking(move |unit| match unit.network(id)? {
        Some(network) => work(unit, &network).map(Some),
        None => Ok::<_, Error>(None),
    });
    close_after(store, Some(id), result)
}

/// Closes the database and returns the result of a transaction in a network.
fn close_after<T>(
    store: Store,
    id: Option<NetworkId>,
    result: Result<Option<T>, Error>,
) -> Result<T, CliError> {
    store.close();
    let name = match id {
        Some(id) => format!("network {id}"),
        None => "network".to_owned(),
    };
    result?.ok_or_else(|| CliError::NotFound(name))
}

/// Returns the network with the id, or the only network of the database.
fn find_network(
    unit: &mut UnitOfWork<'_>,
    id: Option<NetworkId>,
) -> Result<Option<Network>, Error> {
    if let Some(id) = id {
        return Ok(unit.network(id)?);
    }
    let mut networks = unit.networks()?;
    if networks.len() > 1 {
        let message = "there are several networks: choose one with --network";
        return Err(Error::NotAllowed(message.to_owned()));
    }
    Ok(networks.pop())
}

/// Prints a command's results. A closed pipe is not an error: the reader may have seen enough.
fn print(text: &str) -> Result<(), CliError> {
    let mut out = std::io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
        result => result.map_err(CliError::io("write to standard output")),
    }
}

/// Prints one JSON line for each value.
fn print_json(values: impl IntoIterator<Item = serde_json::Value>) -> Result<(), CliError> {
    print(&values.into_iter().map(|value| format!("{value}\n")).collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::Cli;
    use clap::{Command, CommandFactory};
    use std::collections::BTreeSet;

    #[test]
    fn command_line_definition_is_consistent() {
        Cli::command().debug_assert();
    }

    /// Rows of the table in `docs/configuration.md`: flag and variable.
    #[test]
    fn documented_settings_are_those_of_serve() {
        let document = include_str!("../../../../docs/configuration.md");
        let quoted = |cell: &str| cell.split('`').nth(1).unwrap_or_default().to_owned();
        let documented: BTreeSet<(String, String)> = document
            .lines()
            .filter(|line| line.starts_with("| `--"))
            .map(|line| {
                let cells: Vec<&str> = line.split('|').collect();
                let flag = quoted(cells[1]);
                (flag.split(' ').next().unwrap().to_owned(), quoted(cells[2]))
            })
            .collect();
        let mut cli = Cli::command();
        cli.build();
        let serve = cli.find_subcommand("serve").unwrap();
        let settings: BTreeSet<(String, String)> = serve
            .get_arguments()
            .filter(|argument| !argument.is_hide_set())
            .filter_map(|argument| {
                let variable = argument.get_env()?.to_str()?.to_owned();
                Some((format!("--{}", argument.get_long()?), variable))
            })
            // Not a setting of the file.
            .filter(|(flag, _)| flag != "--config")
            .collect();
        assert_eq!(documented, settings);
    }

    #[test]
    fn every_help_page_has_a_description_and_an_example() {
        fn walk(command: &Command) {
            let name = command.get_name();
            assert!(command.get_about().is_some(), "{name} has no description");
            let after = command.get_after_help().map(ToString::to_string).unwrap_or_default();
            assert!(after.contains("trunkline "), "{name} has no example");
            command.get_subcommands().for_each(walk);
        }
        walk(&Cli::command());
    }
}
