//! `trunkline demo`.

use crate::cli_error::CliError;
use crate::config::DEFAULT_LISTEN_ADDRESS;
use crate::demo::{self, DemoClock, DemoNetwork, SimulatedCalls};
use crate::server::{self, ClientSettings, MetricsAccess, Server, Signals, address_url};
use crate::{logs, outbox, system};
use jiff::Timestamp;

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;
use tempfile::TempDir;
use tokio::net::TcpListener;
use trunkline_api::{App, Limits};
use trunkline_domain::party::Role;
use trunkline_domain::phone::PhoneNumber;
use trunkline_domain::timezone::{self, TimeZoneName};
use trunkline_network::sandbox::{self, MAX_CALLS, SimulationSummary};
use trunkline_network::sign_in_links::{self, IssuedLink};
use trunkline_network::{Error, Scope, Store, credentials, networks};

const EXAMPLE: &str = "\
Examples:
  trunkline demo
  trunkline demo --calls 10000 --seed 7

Creates a sandbox network from the API documents' examples, prints requests to try, and serves it
until Ctrl-C. --calls adds simulated calls in the 30 days before now; the same --seed and --now
produce the same calls. Without --database, a temporary file is used and removed at the end.";

/// Numbers of the inventory.
const NUMBERS: std::ops::RangeInclusive<u64> = 8_005_550_100..=8_005_550_199;

/// Serve a sandbox network with example data, to try the API
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLE)]
pub(crate) struct Args {
    /// Address to listen on [default: 127.0.0.1:8080, or a free port if that one is in use]
    #[arg(long, value_name = "HOST:PORT")]
    listen: Option<String>,
    /// Database to use and keep; it must not have a network [default: a temporary one]
    #[arg(long, value_name = "URL")]
    database: Option<String>,
    /// Number of calls to simulate, up to 10000
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=i64::from(MAX_CALLS)))]
    calls: Option<u32>,
    /// Seed of the simulated calls
    #[arg(long, value_name = "N", default_value_t = 1, requires = "calls")]
    seed: u32,
    /// Fixed time of the network's clock, such as 2026-11-20T08:00:00Z [default: the system's clock]
    #[arg(long, value_name = "TIME", requires = "calls", value_parser = parse_time)]
    now: Option<Timestamp>,
}

fn parse_time(text: &str) -> Result<Timestamp, String> {
    let time = timezone::parse_timestamp(text, TimeZoneName::PACIFIC, false);
    time.ok_or_else(|| "expected a time, such as 2026-11-20T08:00:00Z".to_owned())
}

/// Calls to simulate, and the clock they lie before.
struct CallPlan {
    calls: SimulatedCalls,
    clock: DemoClock,
}

impl Args {
    fn call_plan(&self) -> Option<CallPlan> {
        let second = Timestamp::from_second(system::now().as_second()).unwrap_or_default();
        let clock = DemoClock { now: self.now.unwrap_or(second), is_fixed: self.now.is_some() };
        let calls = self.calls.map(|count| SimulatedCalls { count, seed: self.seed });
        calls.map(|calls| CallPlan { calls, clock })
    }
}

/// Database of the demo; a temporary directory is removed when this is dropped.
struct DemoDatabase {
    url: String,
    temporary: Option<TempDir>,
}

impl DemoDatabase {
    fn new(database: Option<String>) -> Result<Self, CliError> {
        if let Some(url) = database {
            return Ok(Self { url, temporary: None });
        }
        let directory = tempfile::Builder::new().prefix("trunkline-demo-").tempdir();
        let directory = directory.map_err(CliError::io("create a temporary directory"))?;
        let file: PathBuf = directory.path().join("trunkline.db");
        Ok(Self { url: format!("sqlite://{}", file.display()), temporary: Some(directory) })
    }
}

/// Creates the demo network, serves it until a signal, and removes the temporary database.
pub(super) fn run(args: Args, log: Option<String>) -> Result<(), CliError> {
    logs::start(log.as_deref().unwrap_or("warn"))?;
    let call_plan = args.call_plan();
    let database = DemoDatabase::new(args.database)?;
    let runtime = server::runtime().map_err(CliError::io("start"))?;
    // Before the database is opened: an address in use must not leave a new database behind.
    let (listener, address) = runtime.block_on(bind(args.listen))?;
    let store = Store::open_or_create(&database.url)?;
    let result = create_network(&store).and_then(|network| {
        runtime.block_on(serve(listener, address, store.clone(), &network, call_plan))
    });
    store.close();
    runtime.shutdown_timeout(Duration::from_millis(100));
    match database.temporary.map(TempDir::close) {
        Some(Err(error)) => result.and(Err(CliError::io("remove the temporary database")(error))),
        _ => result,
    }
}

async fn serve(
    listener: TcpListener,
    address: SocketAddr,
    store: Store,
    network: &DemoNetwork,
    call_plan: Option<CallPlan>,
) -> Result<(), CliError> {
    let mut signals = Signals::install().map_err(CliError::io("listen for signals"))?;
    let url = address_url(address, false);
    let app = App::new(store.clone(), system::clock(), system::random(), &url, Limits::default());
    let server = Server::new(
        app,
        listener,
        None,
        outbox::Settings::default(),
        MetricsAccess::default(),
        ClientSettings::default(),
    );
    let populate = async {
        let address = server::connectable(address);
        let clock = call_plan.as_ref().map(|plan| plan.clock);
        demo::populate(address, network, clock.as_ref()).await?;
        let mut summary = None;
        if let Some(CallPlan { calls, clock }) = call_plan {
            let totals = demo::simulate_calls(&store, network, calls, &clock).await?;
            demo::release_clock(address, network, &clock).await?;
            summary = Some(CallSummary { totals, clock });
        }
        let password = random_password();
        set_password(&store, network, password.clone()).await?;
        let link = issue_link(&store, network).await?.url(&url);
        super::print(&welcome_text(&url, network, &[&password, &link], summary.as_ref()))
    };
    // The demo is populated through the running server; an error stops the server.
    server.run_with(&mut signals, populate).await
}

/// Listens on the given address; without one, on the default address or, if its port is in use, on a
/// free port.
async fn bind(listen: Option<String>) -> Result<(TcpListener, SocketAddr), CliError> {
    if let Some(address) = listen {
        return super::serve::bind(&address).await;
    }
    match TcpListener::bind(DEFAULT_LISTEN_ADDRESS).await {
        Err(error) if error.kind() == io::ErrorKind::AddrInUse => {
            let bound = super::serve::bind("127.0.0.1:0").await?;
            super::print(&format!(
                "{DEFAULT_LISTEN_ADDRESS} is in use by another program, so a free port is used.\n\n"
            ))?;
            Ok(bound)
        }
        Err(error) => Err(CliError::listen(DEFAULT_LISTEN_ADDRESS, &error)),
        Ok(listener) => {
            let address = listener.local_addr();
            let address =
                address.map_err(|error| CliError::listen(DEFAULT_LISTEN_ADDRESS, &error))?;
            Ok((listener, address))
        }
    }
}

/// Creates the objects that the API cannot create: the network, a token for it and its inventory.
fn create_network(store: &Store) -> Result<DemoNetwork, CliError> {
    let now = system::now();
    let entropy = system::entropy();
    let network = store.write_blocking(move |unit| {
        if !unit.networks()?.is_empty() {
            let message = "the database has a network already: the demo needs a fresh one \
                           (`trunkline serve` serves it as it is)";
            return Err(Error::NotAllowed(message.to_owned()));
        }
        let network = networks::create(unit, "Demo Network", None, TimeZoneName::PACIFIC, now)?;
        let network = network.ok_or_else(|| Error::Internal("no id is free".to_owned()))?.id;
        sandbox::make_sandbox(unit, network)?;
        let label = Some("demo".to_owned());
        let record = credentials::new_token(network, Scope::Network, Role::Super, label, now, None);
        let token = credentials::issue_token(unit, record, &entropy)?.secret;
        for number in NUMBERS {
            if let Some(number) = PhoneNumber::parse(&number.to_string()) {
                unit.insert_number(network, &number)?;
            }
        }
        Ok::<_, Error>(DemoNetwork { id: network, token })
    })?;
    Ok(network)
}

/// Generates a password of 64 random bits, in hexadecimal.
fn random_password() -> String {
    system::entropy().iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

async fn set_password(
    store: &Store,
    network: &DemoNetwork,
    password: String,
) -> Result<(), CliError> {
    let (addresses, random) = ([demo::EMAIL].into_iter(), system::entropy());
    let salt = store.read(|unit| credentials::entropy_of_salt(unit, addresses, random))?;
    let hash = move || credentials::hash_password(&password, &salt);
    let hash = tokio::task::spawn_blocking(hash).await;
    let hash = hash.map_err(|error| CliError::Demo(error.to_string()))??;
    let network_id = network.id;
    let user = store
        .write(move |unit| credentials::set_password(unit, network_id, demo::EMAIL, None, &hash));
    user.await?.map(|_| ()).ok_or_else(|| CliError::NotFound(format!("user {}", demo::EMAIL)))
}

/// Issues a sign-in link for the demo's user.
async fn issue_link(store: &Store, network: &DemoNetwork) -> Result<IssuedLink, CliError> {
    let (entropy, now) = (system::entropy(), system::now());
    let network_id = network.id;
    let link = store.write(move |unit| {
        let users = unit.users_by_email(demo::EMAIL)?;
        let found = users.into_iter().find(|found| found.network_id == network_id);
        let missing = || Error::NotFound(format!("User {}", demo::EMAIL));
        let user_id = found.ok_or_else(missing)?.user.id;
        sign_in_links::issue(unit, user_id, &entropy, now)
    });
    Ok(link.await?)
}

/// Totals of the simulated calls, and the network's clock.
struct CallSummary {
    totals: SimulationSummary,
    clock: DemoClock,
}

fn welcome_text(
    url: &str,
    network: &DemoNetwork,
    [password, link]: &[&str; 2],
    calls: Option<&CallSummary>,
) -> String {
    let mut text = "Trunkline's demo network is running.\n\n".to_owned();
    let mut add_row = |name: &str, value: &str| text.push_str(&format!("  {name:<9} {value}\n"));
    add_row("address", url);
    add_row("token", &network.token);
    add_row("console", &format!("{url}/login"));
    add_row("user", &format!("{} with the password {password}", demo::EMAIL));
    add_row("sign-in", &format!("{link} (once; it asks for a password)"));
    add_row("API docs", &format!("{url}/docs"));
    if let Some(CallSummary { totals, clock }) = calls {
        let stored = totals.stored;
        let connected = totals.connected();
        add_row("calls", &format!("{stored} in the last 30 days, {connected} of them connected"));
        if clock.is_fixed {
            add_row("clock", &format!("fixed at {}", clock.now));
        }
    }
    text.push_str("\nThree requests to try:\n\n");
    for command in demo::commands(url, network) {
        text.push_str(&format!("{command}\n"));
    }
    if calls.is_some() {
        text.push_str("\nStatistics of the calls, and a dry run of one more:\n\n");
        for command in demo::call_commands(url, network) {
            text.push_str(&format!("{command}\n"));
        }
    }
    text.push_str("\nPress Ctrl-C to stop.\n");
    text
}
