//! `trunkline user`.

use crate::config::DatabaseArgs;
use crate::failure::Failure;
use crate::system;
use clap::Subcommand;
use std::io::{BufRead, IsTerminal, Read};
use trunkline_network::credentials;

pub(super) const EXAMPLE: &str = "\
Example:
  trunkline user set-password --network 1 --email pat@example.com";

const SET_EXAMPLE: &str = "\
Examples:
  trunkline user set-password --network 1 --email pat@example.com
  trunkline user set-password --network 1 --email pat@example.com < password.txt

Signs the user out everywhere. Users are made by the API: on the network, or on one of its
advertisers or affiliates.";

/// Characters of a password at least.
const SHORTEST: usize = 8;
/// Bytes of a password at most: longer ones only make the hash slow.
const LONGEST: usize = 1_024;

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Set a user's password, read from a prompt or from standard input
    #[command(after_help = SET_EXAMPLE)]
    SetPassword {
        /// The network's id; needed where there are several
        #[arg(long, value_name = "N")]
        network: Option<i64>,
        /// One of the user's e-mail addresses
        #[arg(long, value_name = "ADDRESS")]
        email: String,
        /// Which user, by the network's id, where several have the address
        #[arg(long, value_name = "ID")]
        user: Option<String>,
        /// Read the password from standard input, even from a terminal
        #[arg(long)]
        password_stdin: bool,
        #[command(flatten)]
        database: DatabaseArgs,
    },
}

pub(super) fn run(command: Command, log: Option<String>) -> Result<(), Failure> {
    let Command::SetPassword { network, email, user, password_stdin, database } = command;
    let store = super::open(database, log)?;
    let password = read(password_stdin)?;
    check(&password)?;
    // Slow by design, so before the unit of work and not in it.
    let hash = credentials::hash_password(&password, &system::entropy())?;
    let address = email.clone();
    let found = super::in_network(store, network, move |session, network| {
        credentials::set_password(session, network.id, &address, user.as_deref(), &hash)
    })?;
    let place = network.map(|id| format!(" in network {id}")).unwrap_or_default();
    let missing = || Failure::Missing(format!("user {email}{place}"));
    found.map(|_| ()).ok_or_else(missing)
}

fn read(from_stdin: bool) -> Result<String, Failure> {
    let stdin = std::io::stdin();
    if stdin.is_terminal() && !from_stdin {
        let asked = rpassword::prompt_password("Password: ");
        return asked.map_err(Failure::io("read the password"));
    }
    let mut line = String::new();
    let limit = LONGEST as u64 + 2;
    let read = stdin.lock().take(limit).read_line(&mut line);
    read.map_err(Failure::io("read the password from standard input"))?;
    let line = line.strip_suffix('\n').unwrap_or(&line);
    Ok(line.strip_suffix('\r').unwrap_or(line).to_owned())
}

fn check(password: &str) -> Result<(), Failure> {
    if password.chars().count() < SHORTEST {
        let message = format!("the password is too short: it needs {SHORTEST} characters");
        return Err(Failure::Refused(trunkline_network::Error::NotAllowed(message)));
    }
    if password.len() > LONGEST {
        let message = format!("the password is too long: {LONGEST} bytes are the most");
        return Err(Failure::Refused(trunkline_network::Error::NotAllowed(message)));
    }
    Ok(())
}
