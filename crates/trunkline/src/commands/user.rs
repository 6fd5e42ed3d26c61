//! `trunkline user`.

use crate::cli_error::CliError;
use crate::config::DatabaseArgs;
use crate::system;
use clap::Subcommand;
use std::io::{BufRead, IsTerminal, Read};
use trunkline_domain::id::NetworkId;
use trunkline_network::credentials::{self, MAX_PASSWORD_BYTES};

pub(super) const EXAMPLE: &str = "\
Example:
  trunkline user set-password --network 1 --email pat@example.com";

const SET_EXAMPLE: &str = "\
Examples:
  trunkline user set-password --network 1 --email pat@example.com
  trunkline user set-password --network 1 --email pat@example.com < password.txt

All sessions of the user end. Users are created by the API: on the network, or on one of its
advertisers or affiliates.";

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Set a user's password, read from a prompt or from standard input
    #[command(after_help = SET_EXAMPLE)]
    SetPassword {
        /// Id of the network; required if there are several
        #[arg(long, value_name = "N")]
        network: Option<NetworkId>,
        /// One of the user's e-mail addresses
        #[arg(long, value_name = "ADDRESS")]
        email: String,
        /// Id of the user (id_from_network), if several users have the address
        #[arg(long, value_name = "ID")]
        user: Option<String>,
        /// Read the password from standard input, even from a terminal
        #[arg(long)]
        password_stdin: bool,
        #[command(flatten)]
        database: DatabaseArgs,
    },
}

pub(super) fn run(command: Command, log: Option<String>) -> Result<(), CliError> {
    let Command::SetPassword { network, email, user, password_stdin, database } = command;
    let store = super::open(database, log)?;
    let password = read_password(password_stdin)?;
    credentials::check_password_length(&password)?;
    // Hashing is slow by design, so it happens before the transaction.
    let (addresses, random) = ([email.as_str()].into_iter(), system::entropy());
    let salt = store.read(|unit| credentials::entropy_of_salt(unit, addresses, random))?;
    let hash = credentials::hash_password(&password, &salt)?;
    let address = email.clone();
    let user = super::in_network(store, network, move |unit, network| {
        credentials::set_password(unit, network.id, &address, user.as_deref(), &hash)
    })?;
    let scope = network.map(|id| format!(" in network {id}")).unwrap_or_default();
    user.map(|_| ()).ok_or_else(|| CliError::NotFound(format!("user {email}{scope}")))
}

fn read_password(from_stdin: bool) -> Result<String, CliError> {
    let stdin = std::io::stdin();
    if stdin.is_terminal() && !from_stdin {
        let password = rpassword::prompt_password("Password: ");
        return password.map_err(CliError::io("read the password"));
    }
    let mut line = String::new();
    let limit = MAX_PASSWORD_BYTES as u64 + 2;
    let result = stdin.lock().take(limit).read_line(&mut line);
    result.map_err(CliError::io("read the password from standard input"))?;
    let line = line.strip_suffix('\n').unwrap_or(&line);
    Ok(line.strip_suffix('\r').unwrap_or(line).to_owned())
}
