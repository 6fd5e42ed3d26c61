//! `trunkline network`.

use crate::config::DatabaseArgs;
use crate::failure::Failure;
use crate::system;
use clap::Subcommand;
use serde_json::json;
use trunkline_domain::party::Role;
use trunkline_domain::timezone::ZoneName;
use trunkline_network::{Error, Scope, credentials, networks, sandbox};

pub(super) const EXAMPLE: &str = "\
Example:
  trunkline network create --name 'My Network' --time-zone 'Eastern Time (US & Canada)'";

const CREATE_EXAMPLE: &str = "\
Example:
  trunkline network create --name 'My Network' --database sqlite://trunkline.db

Prints one JSON line, {\"id\": 1, \"name\": \"My Network\", \"token\": \"tl_…\"}. The token is for the
whole network, and is shown this once. It works while a server runs on the same database.";

const LIST_EXAMPLE: &str = "\
Example:
  trunkline network list

Prints one JSON line for each network.";

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Make a network, and a token for it
    #[command(after_help = CREATE_EXAMPLE)]
    Create {
        /// What it is called
        #[arg(long, value_parser = name)]
        name: String,
        /// Its id [default: the next free one]
        #[arg(long, value_parser = clap::value_parser!(i64).range(1..))]
        id: Option<i64>,
        /// Its time zone, by its Rails name
        #[arg(long, value_name = "ZONE", default_value = "Pacific Time (US & Canada)", value_parser = zone)]
        time_zone: ZoneName,
        /// Make it a sandbox: its clock can be set, calls can be imagined, all of it thrown away
        #[arg(long)]
        sandbox: bool,
        #[command(flatten)]
        database: DatabaseArgs,
    },
    /// List the networks
    #[command(after_help = LIST_EXAMPLE)]
    List {
        #[command(flatten)]
        database: DatabaseArgs,
    },
}

fn name(text: &str) -> Result<String, String> {
    let limit = trunkline_domain::party::NAME_LIMIT;
    match text.trim() {
        "" => Err("it can't be blank".to_owned()),
        name if name.chars().count() > limit => {
            Err(format!("it is too long (maximum is {limit} characters)"))
        }
        name => Ok(name.to_owned()),
    }
}

fn zone(text: &str) -> Result<ZoneName, String> {
    ZoneName::parse(text)
        .ok_or_else(|| "expected a Rails name, such as 'Eastern Time (US & Canada)'".to_owned())
}

pub(super) fn run(command: Command, log: Option<String>) -> Result<(), Failure> {
    match command {
        Command::Create { name, id, time_zone, sandbox, database } => {
            let wanted = Wanted { name, id, zone: time_zone, sandbox };
            create(wanted, database, log)
        }
        Command::List { database } => list(database, log),
    }
}

/// A network to make.
struct Wanted {
    name: String,
    id: Option<i64>,
    zone: ZoneName,
    sandbox: bool,
}

fn create(wanted: Wanted, database: DatabaseArgs, log: Option<String>) -> Result<(), Failure> {
    let Wanted { name, id, zone, sandbox: is_sandbox } = wanted;
    let store = super::open(database, log)?;
    let (now, entropy) = (system::now(), system::entropy());
    let made = store.write_blocking(move |session| {
        let Some(network) = networks::create(session, &name, id, zone, now)? else {
            return Ok(None);
        };
        if is_sandbox {
            sandbox::make(session, network.id)?;
        }
        let record =
            credentials::new_token(network.id, Scope::Network, Role::Super, None, now, None);
        let token = credentials::issue_token(session, record, &entropy)?;
        Ok::<_, Error>(Some((network, token)))
    });
    store.close();
    let Some((network, token)) = made? else {
        let id = id.unwrap_or_default();
        return Err(Error::NotAllowed(format!("there is a network {id} already")).into());
    };
    super::print_json([json!({"id": network.id, "name": network.name, "token": token.secret})])
}

fn list(database: DatabaseArgs, log: Option<String>) -> Result<(), Failure> {
    let store = super::open(database, log)?;
    let found = store.read(|session| Ok::<_, Error>(session.networks()?));
    store.close();
    super::print_json(found?.into_iter().map(|it| {
        let zone = it.time_zone.name();
        json!({"id": it.id, "name": it.name, "time_zone": zone, "sandbox": it.sandbox})
    }))
}
