//! The command line.

use crate::{serve, system};
use clap::{Parser, Subcommand};
use std::process::ExitCode;
use trunkline_domain::timezone::ZoneName;
use trunkline_network::{Error, Scope, Store, credentials, networks};

#[derive(Parser)]
#[command(name = "trunkline", version, about)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Serve the network.
    Serve {
        #[arg(long, default_value = "127.0.0.1:8080", env = "TRUNKLINE_LISTEN")]
        listen: String,
        #[arg(long, default_value = "sqlite://trunkline.db", env = "TRUNKLINE_DATABASE")]
        database: String,
        #[arg(long, env = "TRUNKLINE_BASE_URL")]
        base_url: Option<String>,
    },
    /// Networks.
    Network {
        #[command(subcommand)]
        command: NetworkCommand,
    },
}

#[derive(Subcommand)]
enum NetworkCommand {
    /// Make a network.
    Create {
        #[arg(long)]
        name: String,
        #[arg(long)]
        id: Option<i64>,
        #[arg(long, default_value = "sqlite://trunkline.db", env = "TRUNKLINE_DATABASE")]
        database: String,
    },
}

/// Runs a command; an error is one line on standard error.
pub(crate) fn run() -> ExitCode {
    let result = match Cli::parse().command {
        Command::Serve { listen, database, base_url } => {
            serve::run(&listen, &database, base_url.as_deref())
        }
        Command::Network { command: NetworkCommand::Create { name, id, database } } => {
            create(name, id, &database)
        }
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("trunkline: {message}");
            ExitCode::FAILURE
        }
    }
}

#[expect(clippy::print_stdout, reason = "the command's answer")]
fn create(name: String, id: Option<i64>, database: &str) -> Result<(), String> {
    let store = Store::open(database).map_err(|error| error.to_string())?;
    let (now, entropy) = (system::now(), system::entropy());
    let made = store.write_blocking(move |session| {
        let made = networks::create(session, &name, id, ZoneName::PACIFIC, now)?;
        let network = made.ok_or_else(|| Error::NotAllowed("the id is in use".to_owned()))?;
        let record =
            credentials::new_token(network.id, Scope::Network, Default::default(), None, now, None);
        let token = credentials::issue_token(session, record, &entropy)?;
        Ok::<_, Error>((network, token))
    });
    let (network, token) = made.map_err(|error| error.to_string())?;
    println!(
        "{}",
        serde_json::json!({"id": network.id, "name": network.name, "token": token.secret})
    );
    store.close();
    Ok(())
}
