//! `trunkline token`.

use crate::cli_error::CliError;
use crate::config::DatabaseArgs;
use crate::system;
use clap::Subcommand;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use trunkline_domain::id::{NetworkId, TokenId};
use trunkline_domain::party::{Network, PartyKind, Role};
use trunkline_network::credentials::{self, Entropy, IssuedSecret};
use trunkline_network::{Error, Scope, TokenRecord, UnitOfWork};
use trunkline_store::read_existing;

pub(super) const EXAMPLE: &str = "\
Example:
  trunkline token create --network 1 --advertiser 354 --role Observer --expires-in 30";

const CREATE_EXAMPLE: &str = "\
Example:
  trunkline token create --network 1 --affiliate 222 --label 'Surf Oz Magazine'

Prints one JSON line, {\"id\": 2, \"token\": \"tl_…\"}. The token cannot be displayed again.";

const LIST_EXAMPLE: &str = "\
Example:
  trunkline token list --network 1

Prints one JSON line for each token, without its secret.";

const REVOKE_EXAMPLE: &str = "\
Example:
  trunkline token revoke --network 1 --id 2";

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Create a token
    Create(CreateArgs),
    /// List a network's tokens
    #[command(after_help = LIST_EXAMPLE)]
    List {
        /// Id of the network
        #[arg(long, value_name = "N")]
        network: NetworkId,
        #[command(flatten)]
        database: DatabaseArgs,
    },
    /// Revoke a token; it is rejected from now on
    #[command(after_help = REVOKE_EXAMPLE)]
    Revoke {
        /// Id of the network
        #[arg(long, value_name = "N")]
        network: NetworkId,
        /// Id of the token, as printed by `token list`
        #[arg(long)]
        id: TokenId,
        #[command(flatten)]
        database: DatabaseArgs,
    },
}

#[derive(Debug, clap::Args)]
#[command(after_help = CREATE_EXAMPLE)]
pub(crate) struct CreateArgs {
    /// Id of the network
    #[arg(long, value_name = "N")]
    network: NetworkId,
    /// Restrict the token to this advertiser, an id_from_network [default: the whole network]
    #[arg(long, value_name = "ID", conflicts_with = "affiliate")]
    advertiser: Option<String>,
    /// Restrict the token to this affiliate, an id_from_network
    #[arg(long, value_name = "ID")]
    affiliate: Option<String>,
    /// Role of the token: Observer may read; Super, Manager and Member may also write
    #[arg(long, default_value = "Super", value_parser = parse_role)]
    role: Role,
    /// Label of the token, for people
    #[arg(long)]
    label: Option<String>,
    /// Days until the token expires [default: it does not expire]
    #[arg(long, value_name = "DAYS", value_parser = clap::value_parser!(u32).range(1..=36_500))]
    expires_in: Option<u32>,
    #[command(flatten)]
    database: DatabaseArgs,
}

fn parse_role(text: &str) -> Result<Role, String> {
    let mut roles = Role::ALL.into_iter();
    roles
        .find(|role| role.as_str().eq_ignore_ascii_case(text))
        .ok_or_else(|| "expected Super, Manager, Member or Observer".to_owned())
}

pub(super) fn run(command: Command, log: Option<String>) -> Result<(), CliError> {
    match command {
        Command::Create(args) => create(args, log),
        Command::List { network, database } => list(network, database, log),
        Command::Revoke { network, id, database } => revoke(network, id, database, log),
    }
}

fn create(args: CreateArgs, log: Option<String>) -> Result<(), CliError> {
    let CreateArgs { network, advertiser, affiliate, role, label, expires_in, database } = args;
    let party = match (advertiser, affiliate) {
        (Some(id), _) => Some((PartyKind::Advertiser, id)),
        (None, Some(id)) => Some((PartyKind::Affiliate, id)),
        (None, None) => None,
    };
    let store = super::open(database, log)?;
    let now = system::now();
    let expires_at = expires_in.map(|days| add_days(now, days));
    let token = NewToken { party, role, label, expires_at };
    let entropy = system::entropy();
    let issued = super::in_network(store, network, move |unit, network| {
        issue(unit, network, token, now, &entropy)
    })?;
    super::print_json([json!({"id": issued.id, "token": issued.secret})])
}

/// Token to create; `party` is an id_from_network, and `None` is the whole network.
struct NewToken {
    party: Option<(PartyKind, String)>,
    role: Role,
    label: Option<String>,
    expires_at: Option<Timestamp>,
}

fn add_days(now: Timestamp, days: u32) -> Timestamp {
    let days = SignedDuration::from_hours(24 * i64::from(days));
    now.saturating_add(days).unwrap_or(Timestamp::MAX)
}

/// Resolves the token's party and issues the token. Errors: `NotFound` if the party does not exist.
fn issue(
    unit: &mut UnitOfWork<'_>,
    network: &Network,
    token: NewToken,
    now: Timestamp,
    entropy: &Entropy,
) -> Result<IssuedSecret<TokenId>, Error> {
    let NewToken { party, role, label, expires_at } = token;
    let scope = match party {
        None => Scope::Network,
        Some((kind, id)) => {
            let party = unit.party(network.id, kind, &id)?;
            let not_found = || Error::NotFound(format!("{} {id}", kind.class_name()));
            Scope::Party(kind, party.ok_or_else(not_found)?.id)
        }
    };
    let record = credentials::new_token(network.id, scope, role, label, now, expires_at);
    credentials::issue_token(unit, record, entropy)
}

fn list(network: NetworkId, database: DatabaseArgs, log: Option<String>) -> Result<(), CliError> {
    let url = super::database_url(database, log)?;
    let tokens = read_existing(&url, |unit| match unit.network(network)? {
        Some(network) => Ok::<_, Error>(Some(unit.tokens(network.id)?)),
        None => Ok(None),
    })?;
    let tokens = tokens?.ok_or_else(|| CliError::NotFound(format!("network {network}")))?;
    super::print_json(tokens.iter().map(token_json))
}

/// Renders a token without its secret, of which only a hash is stored.
fn token_json(token: &TokenRecord) -> Value {
    let scope = match token.grant.scope {
        Scope::Party(kind, _) => kind.as_str(),
        Scope::Network => "network",
    };
    json!({
        "id": token.id,
        "scope": scope,
        "id_from_network": token.party_external_id,
        "role": token.grant.role.as_str(),
        "label": token.label,
        "created_at": token.created_at.to_string(),
        "expires_at": token.expires_at.map(|time| time.to_string()),
        "revoked_at": token.revoked_at.map(|time| time.to_string()),
    })
}

fn revoke(
    network: NetworkId,
    id: TokenId,
    database: DatabaseArgs,
    log: Option<String>,
) -> Result<(), CliError> {
    let store =
        trunkline_network::Store::open_existing_with_reserve(&super::database_url(database, log)?)?;
    let now = system::now();
    let revoked = super::in_network_urgently(store, network, move |unit, network| {
        Ok(unit.revoke_token(network.id, id, now)?)
    })?;
    if revoked {
        Ok(())
    } else {
        Err(CliError::NotFound(format!("token {id} in network {network}")))
    }
}
