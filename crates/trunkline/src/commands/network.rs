//! `trunkline network`.

use crate::cli_error::CliError;
use crate::config::DatabaseArgs;
use crate::system;
use clap::Subcommand;
use clap::builder::TypedValueParser;
use serde_json::json;
use trunkline_domain::email::is_addr_spec;
use trunkline_domain::id::NetworkId;
use trunkline_domain::party::Role;
use trunkline_domain::timezone::TimeZoneName;
use trunkline_network::{Error, Scope, Store, credentials, networks, sandbox, sign_in_links};
use trunkline_store::read_existing;

pub(super) const EXAMPLE: &str = "\
Example:
  trunkline network create --name 'My Network' --time-zone 'Eastern Time (US & Canada)'";

const CREATE_EXAMPLE: &str = "\
Example:
  trunkline network create --name 'My Network' --database sqlite://trunkline.db

Prints one JSON line, {\"id\": 1, \"name\": \"My Network\", \"token\": \"tl_…\", \"sign_in_url\": \"https://…\"}. The
token has access to the whole network. The URL asks for the password of the network's first user and
signs them in to the console, once, within 24 hours. Neither can be displayed again. A server may run
on the same database meanwhile.";

const LIST_EXAMPLE: &str = "\
Example:
  trunkline network list

Prints one JSON line for each network.";

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Create a network and a token for it
    #[command(after_help = CREATE_EXAMPLE)]
    Create {
        /// Name of the network
        #[arg(long, value_parser = parse_name)]
        name: String,
        /// Id of the network [default: the next free id]
        #[arg(long, value_parser = clap::value_parser!(i64).range(1..).map(NetworkId::new))]
        id: Option<NetworkId>,
        /// Time zone of the network, as a Rails name
        #[arg(long, value_name = "ZONE", default_value = "Pacific Time (US & Canada)", value_parser = parse_zone)]
        time_zone: TimeZoneName,
        /// Make it a sandbox: its clock can be set, calls can be simulated, all its data can be reset
        #[arg(long)]
        sandbox: bool,
        /// E-mail address of the first user
        #[arg(long, value_name = "ADDRESS", default_value = "admin@localhost", value_parser = parse_email)]
        email: String,
        /// Beginning of the sign-in URL [default: the address that a server listens on]
        #[arg(long, value_name = "URL", env = "TRUNKLINE_BASE_URL", hide_env_values = true)]
        base_url: Option<String>,
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

fn parse_name(text: &str) -> Result<String, String> {
    let limit = trunkline_domain::party::MAX_NAME_CHARS;
    match text.trim() {
        "" => Err("it can't be blank".to_owned()),
        name if name.chars().count() > limit => {
            Err(format!("it is too long (maximum is {limit} characters)"))
        }
        name => Ok(name.to_owned()),
    }
}

fn parse_email(text: &str) -> Result<String, String> {
    if is_addr_spec(text) {
        return Ok(text.to_owned());
    }
    Err("expected an e-mail address, such as pat@example.com".to_owned())
}

fn parse_zone(text: &str) -> Result<TimeZoneName, String> {
    TimeZoneName::parse(text)
        .ok_or_else(|| "expected a Rails name, such as 'Eastern Time (US & Canada)'".to_owned())
}

pub(super) fn run(command: Command, log: Option<String>) -> Result<(), CliError> {
    match command {
        Command::Create { name, id, time_zone, sandbox, email, base_url, database } => {
            let network = NewNetwork { name, id, zone: time_zone, is_sandbox: sandbox, email };
            create(network, base_url, database, log)
        }
        Command::List { database } => list(database, log),
    }
}

/// Arguments of `network create`.
struct NewNetwork {
    name: String,
    id: Option<NetworkId>,
    zone: TimeZoneName,
    is_sandbox: bool,
    /// Address of the first user.
    email: String,
}

fn create(
    network: NewNetwork,
    base_url: Option<String>,
    database: DatabaseArgs,
    log: Option<String>,
) -> Result<(), CliError> {
    let NewNetwork { name, id, zone, is_sandbox, email } = network;
    let (mut file, database) = database.resolve()?;
    super::start_logs(log, &mut file)?;
    let base_url = file.base_url_for_links(base_url)?;
    let store = Store::open_or_create(&database)?;
    let now = system::now();
    let (entropy, link_entropy) = (system::entropy(), system::entropy());
    let created = store.write_blocking(move |unit| {
        let Some(network) = networks::create(unit, &name, id, zone, now)? else {
            return Ok(None);
        };
        if is_sandbox {
            sandbox::make_sandbox(unit, network.id)?;
        }
        let record =
            credentials::new_token(network.id, Scope::Network, Role::Super, None, now, None);
        let token = credentials::issue_token(unit, record, &entropy)?;
        let user = networks::create_first_user(unit, network.id, &email)?;
        let link = sign_in_links::issue(unit, user.id, &link_entropy, now)?;
        Ok::<_, Error>(Some((network, token, link)))
    });
    store.close();
    let Some((network, token, link)) = created? else {
        let id = id.unwrap_or_default();
        return Err(Error::NotAllowed(format!("there is a network {id} already")).into());
    };
    super::print_json([json!({
        "id": network.id, "name": network.name, "token": token.secret,
        "sign_in_url": link.url(&base_url),
    })])
}

fn list(database: DatabaseArgs, log: Option<String>) -> Result<(), CliError> {
    let url = super::database_url(database, log)?;
    let networks = read_existing(&url, |unit| Ok::<_, Error>(unit.networks()?))?;
    super::print_json(networks?.into_iter().map(|network| {
        let zone = network.time_zone.name();
        json!({
            "id": network.id, "name": network.name, "time_zone": zone, "sandbox": network.sandbox
        })
    }))
}
