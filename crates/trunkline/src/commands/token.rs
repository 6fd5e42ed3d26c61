//! `trunkline token`.

use crate::config::DatabaseArgs;
use crate::failure::Failure;
use crate::system;
use clap::Subcommand;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use trunkline_domain::party::{Network, PartyKind, Role};
use trunkline_network::credentials::{self, Entropy, Issued};
use trunkline_network::{Error, Scope, Session, TokenRecord};

pub(super) const EXAMPLE: &str = "\
Example:
  trunkline token create --network 1 --advertiser 354 --role Observer --expires-in 30";

const CREATE_EXAMPLE: &str = "\
Example:
  trunkline token create --network 1 --affiliate 222 --label 'Surf Oz Magazine'

Prints one JSON line, {\"id\": 2, \"token\": \"tl_…\"}. The token is shown this once.";

const LIST_EXAMPLE: &str = "\
Example:
  trunkline token list --network 1

Prints one JSON line for each token, without the token itself.";

const REVOKE_EXAMPLE: &str = "\
Example:
  trunkline token revoke --network 1 --id 2";

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Make a token
    Create(Create),
    /// List a network's tokens
    #[command(after_help = LIST_EXAMPLE)]
    List {
        /// The network's id
        #[arg(long, value_name = "N")]
        network: i64,
        #[command(flatten)]
        database: DatabaseArgs,
    },
    /// Revoke a token: it is good for nothing from now on
    #[command(after_help = REVOKE_EXAMPLE)]
    Revoke {
        /// The network's id
        #[arg(long, value_name = "N")]
        network: i64,
        /// The token's id, as `token list` has it
        #[arg(long)]
        id: i64,
        #[command(flatten)]
        database: DatabaseArgs,
    },
}

#[derive(Debug, clap::Args)]
#[command(after_help = CREATE_EXAMPLE)]
pub(crate) struct Create {
    /// The network's id
    #[arg(long, value_name = "N")]
    network: i64,
    /// Only for this advertiser (its id_from_network) [default: for the whole network]
    #[arg(long, value_name = "ID", conflicts_with = "affiliate")]
    advertiser: Option<String>,
    /// Only for this affiliate (its id_from_network)
    #[arg(long, value_name = "ID")]
    affiliate: Option<String>,
    /// What it may do: Observer reads; Super, Manager and Member write too
    #[arg(long, default_value = "Super", value_parser = role)]
    role: Role,
    /// What people call it
    #[arg(long)]
    label: Option<String>,
    /// For how many days it is good [default: until it is revoked]
    #[arg(long, value_name = "DAYS", value_parser = clap::value_parser!(u32).range(1..=36_500))]
    expires_in: Option<u32>,
    #[command(flatten)]
    database: DatabaseArgs,
}

fn role(text: &str) -> Result<Role, String> {
    let mut roles = Role::ALL.into_iter();
    let found = roles.find(|role| role.as_str().eq_ignore_ascii_case(text));
    found.ok_or_else(|| "expected Super, Manager, Member or Observer".to_owned())
}

pub(super) fn run(command: Command, log: Option<String>) -> Result<(), Failure> {
    match command {
        Command::Create(create) => create.run(log),
        Command::List { network, database } => list(network, database, log),
        Command::Revoke { network, id, database } => revoke(network, id, database, log),
    }
}

impl Create {
    fn run(self, log: Option<String>) -> Result<(), Failure> {
        let Self { network, advertiser, affiliate, role, label, expires_in, database } = self;
        let party = match (advertiser, affiliate) {
            (Some(id), _) => Some((PartyKind::Advertiser, id)),
            (None, Some(id)) => Some((PartyKind::Affiliate, id)),
            (None, None) => None,
        };
        let store = super::open(database, log)?;
        let now = system::now();
        let wanted =
            Wanted { party, role, label, expires_at: expires_in.map(|days| after(now, days)) };
        let entropy = system::entropy();
        let issued = super::in_network(store, network, move |session, network| {
            issue(session, network, wanted, now, &entropy)
        })?;
        super::print_json([json!({"id": issued.id, "token": issued.secret})])
    }
}

struct Wanted {
    party: Option<(PartyKind, String)>,
    role: Role,
    label: Option<String>,
    expires_at: Option<Timestamp>,
}

fn after(now: Timestamp, days: u32) -> Timestamp {
    let days = SignedDuration::from_hours(24 * i64::from(days));
    now.saturating_add(days).unwrap_or(Timestamp::MAX)
}

fn issue(
    session: &mut Session<'_>,
    network: &Network,
    wanted: Wanted,
    now: Timestamp,
    entropy: &Entropy,
) -> Result<Issued, Error> {
    let scope = match wanted.party {
        None => Scope::Network,
        Some((kind, id)) => {
            let found = session.party(network.id, kind, &id)?;
            let missing = || Error::NotFound(format!("{} {id}", kind.class()));
            Scope::Party(kind, found.ok_or_else(missing)?.id)
        }
    };
    let Wanted { role, label, expires_at, .. } = wanted;
    let record = credentials::new_token(network.id, scope, role, label, now, expires_at);
    credentials::issue_token(session, record, entropy)
}

fn list(network: i64, database: DatabaseArgs, log: Option<String>) -> Result<(), Failure> {
    let store = super::open(database, log)?;
    let found =
        super::in_network(store, network, |session, network| Ok(session.tokens(network.id)?))?;
    super::print_json(found.iter().map(render))
}

/// A token without its secret, which nobody has kept.
fn render(it: &TokenRecord) -> Value {
    let mut scope = json!({"scope": "network"});
    if let Scope::Party(kind, _) = it.grant.scope {
        scope = json!({"scope": kind.word()});
    }
    json!({
        "id": it.id,
        "scope": scope["scope"],
        "id_from_network": it.party_id_from_network,
        "role": it.grant.role.as_str(),
        "label": it.label,
        "created_at": it.created_at.to_string(),
        "expires_at": it.expires_at.map(|at| at.to_string()),
        "revoked_at": it.revoked_at.map(|at| at.to_string()),
    })
}

fn revoke(
    network: i64,
    id: i64,
    database: DatabaseArgs,
    log: Option<String>,
) -> Result<(), Failure> {
    let store = super::open(database, log)?;
    let now = system::now();
    let revoked = super::in_network(store, network, move |session, network| {
        Ok(session.revoke_token(network.id, id, now)?)
    })?;
    if revoked { Ok(()) } else { Err(Failure::Missing(format!("token {id} in network {network}"))) }
}
