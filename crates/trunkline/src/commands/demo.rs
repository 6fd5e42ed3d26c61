//! `trunkline demo`.

use crate::config::LISTEN;
use crate::demo::{self, Calls, Made, Time};
use crate::failure::Failure;
use crate::server::{self, Server, Signals, address_url};
use crate::{logs, outbox, system};
use jiff::Timestamp;
use std::fmt::Write;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;
use tempfile::TempDir;
use tokio::net::TcpListener;
use trunkline_api::{App, Limits};
use trunkline_domain::party::Role;
use trunkline_domain::phone::PhoneNumber;
use trunkline_domain::timezone::{self, ZoneName};
use trunkline_network::sandbox::{self, CALLS_LIMIT, Tally};
use trunkline_network::{Error, Scope, Store, credentials, networks};

const EXAMPLE: &str = "\
Examples:
  trunkline demo
  trunkline demo --calls 10000 --seed 7

Makes a sandbox network out of the API documents' examples, prints requests to try, and serves it
until Ctrl-C. With --calls, imagined callers have called in the 30 days before now; the same seed
and the same --now make the same calls. The database is a temporary file that is removed at the end, unless you name one.";

/// The inventory's numbers: 8005550100 to 8005550199.
const NUMBERS: std::ops::RangeInclusive<u64> = 8_005_550_100..=8_005_550_199;

/// Serve a network filled with examples, to try the API with
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLE)]
pub(crate) struct Args {
    /// Where to listen [default: 127.0.0.1:8080, or a free port if that one is taken]
    #[arg(long, value_name = "HOST:PORT")]
    listen: Option<String>,
    /// A database to keep; it must have no network yet [default: a temporary one]
    #[arg(long, value_name = "URL")]
    database: Option<String>,
    /// Calls to imagine, up to 10000
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=i64::from(CALLS_LIMIT)))]
    calls: Option<u32>,
    /// Which calls: the same seed imagines the same ones
    #[arg(long, value_name = "N", default_value_t = 1, requires = "calls")]
    seed: u32,
    /// Where the network's clock stands, as 2026-11-20T08:00:00Z [default: it is the system's]
    #[arg(long, value_name = "TIME", requires = "calls", value_parser = moment)]
    now: Option<Timestamp>,
}

fn moment(text: &str) -> Result<Timestamp, String> {
    let moment = timezone::parse_moment(text, ZoneName::PACIFIC, false);
    moment.ok_or_else(|| "expected a time, such as 2026-11-20T08:00:00Z".to_owned())
}

impl Args {
    /// The calls to make, and when.
    fn calls(&self) -> Option<(Calls, Time)> {
        let second = Timestamp::from_second(system::now().as_second()).unwrap_or_default();
        let time = Time { now: self.now.unwrap_or(second), stands: self.now.is_some() };
        self.calls.map(|count| (Calls { count, seed: self.seed }, time))
    }
}

/// Where the demo's database is. The temporary one goes with this.
struct Place {
    url: String,
    temporary: Option<TempDir>,
}

impl Place {
    fn find(database: Option<String>) -> Result<Self, Failure> {
        if let Some(url) = database {
            return Ok(Self { url, temporary: None });
        }
        let made = tempfile::Builder::new().prefix("trunkline-demo-").tempdir();
        let directory = made.map_err(Failure::io("make a temporary directory"))?;
        let file: PathBuf = directory.path().join("trunkline.db");
        Ok(Self { url: format!("sqlite://{}", file.display()), temporary: Some(directory) })
    }
}

/// Makes the demo's network, serves it until a signal, and removes what was temporary.
pub(super) fn run(args: Args, log: Option<String>) -> Result<(), Failure> {
    logs::start(log.as_deref().unwrap_or("warn"))?;
    let calls = args.calls();
    let place = Place::find(args.database)?;
    let runtime = server::runtime().map_err(Failure::io("start"))?;
    let store = Store::open(&place.url)?;
    let done = make_network(&store).and_then(|(made, password)| {
        runtime.block_on(serve(args.listen, store.clone(), &made, &password, calls))
    });
    store.close();
    runtime.shutdown_timeout(Duration::from_millis(100));
    match place.temporary.map(TempDir::close) {
        Some(Err(error)) => done.and(Err(Failure::io("remove the temporary database")(error))),
        _ => done,
    }
}

async fn serve(
    listen: Option<String>,
    store: Store,
    made: &Made,
    password: &str,
    calls: Option<(Calls, Time)>,
) -> Result<(), Failure> {
    let mut signals = Signals::catch().map_err(Failure::io("listen for signals"))?;
    let (listener, address) = bind(listen).await?;
    let url = address_url(address, false);
    let app = App::new(store.clone(), system::clock(), system::random(), &url, Limits::default());
    let server = Server::new(app, listener, None, outbox::Settings::default());
    let filled = async {
        let here = server::reachable(address);
        demo::tell(here, made, calls.as_ref().map(|(_, time)| time)).await?;
        let mut said = None;
        if let Some((calls, time)) = calls {
            let tally = demo::make_calls(&store, made, calls, &time).await?;
            demo::let_go(here, made, &time).await?;
            said = Some((tally, time));
        }
        set_password(&store, made, password.to_owned()).await?;
        super::print(&welcome(&url, made, password, said.as_ref()))
    };
    // The server runs while it is being filled: what fills it is a client like any other. One
    // that fails ends the server.
    server.run_with(&mut signals, filled).await
}

/// Listens where asked; where nothing was asked and the default port is taken, on a free one.
async fn bind(listen: Option<String>) -> Result<(TcpListener, SocketAddr), Failure> {
    if let Some(address) = listen {
        return super::serve::bind(&address).await;
    }
    match TcpListener::bind(LISTEN).await {
        Err(error) if error.kind() == io::ErrorKind::AddrInUse => {
            let bound = super::serve::bind("127.0.0.1:0").await?;
            super::print(&format!(
                "{LISTEN} is in use by another program: here is a free port.\n\n"
            ))?;
            Ok(bound)
        }
        Err(error) => Err(Failure::listen(LISTEN, &error)),
        Ok(listener) => {
            let address = listener.local_addr().map_err(|error| Failure::listen(LISTEN, &error))?;
            Ok((listener, address))
        }
    }
}

/// What the API can't make: the network itself, a token for it, and its inventory.
fn make_network(store: &Store) -> Result<(Made, String), Failure> {
    let (now, entropy) = (system::now(), system::entropy());
    let made = store.write_blocking(move |session| {
        if !session.networks()?.is_empty() {
            let message = "the database has a network already: the demo needs a fresh one \
                           (`trunkline serve` serves it as it is)";
            return Err(Error::NotAllowed(message.to_owned()));
        }
        let made = networks::create(session, "Demo Network", None, ZoneName::PACIFIC, now)?;
        let network = made.ok_or_else(|| Error::Internal("no id is free".to_owned()))?.id;
        sandbox::make(session, network)?;
        let label = Some("demo".to_owned());
        let record = credentials::new_token(network, Scope::Network, Role::Super, label, now, None);
        let token = credentials::issue_token(session, record, &entropy)?.secret;
        for number in NUMBERS {
            if let Some(number) = PhoneNumber::parse(&number.to_string()) {
                session.add_number(network, &number)?;
            }
        }
        Ok::<_, Error>(Made { network, token })
    })?;
    let password = system::entropy().iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    Ok((made, password))
}

async fn set_password(store: &Store, made: &Made, password: String) -> Result<(), Failure> {
    let entropy = system::entropy();
    let hashed = move || credentials::hash_password(&password, &entropy);
    let hash = tokio::task::spawn_blocking(hashed).await;
    let hash = hash.map_err(|error| Failure::Demo(error.to_string()))??;
    let network = made.network;
    let set = store.write(move |session| {
        credentials::set_password(session, network, demo::EMAIL, None, &hash)
    });
    set.await?.map(|_| ()).ok_or_else(|| Failure::Missing(format!("user {}", demo::EMAIL)))
}

fn welcome(url: &str, made: &Made, password: &str, calls: Option<&(Tally, Time)>) -> String {
    let mut text = "Trunkline's demo network is up.\n\n".to_owned();
    let mut row = |name: &str, value: &str| {
        // Writing to a string does not fail.
        let _written = writeln!(text, "  {name:<9} {value}");
    };
    row("address", url);
    row("token", &made.token);
    row("user", &format!("{} with the password {password}", demo::EMAIL));
    if let Some((tally, time)) = calls {
        let (stored, connected) = (tally.stored, tally.connected());
        row("calls", &format!("{stored} in the last 30 days, {connected} of them connected"));
        if time.stands {
            row("clock", &format!("stands at {}", time.now));
        }
    }
    text.push_str("\nThree requests to try:\n\n");
    for command in demo::commands(url, made) {
        text.push_str(&format!("{command}\n"));
    }
    if calls.is_some() {
        text.push_str("\nWhat the calls came to, and what one more would:\n\n");
        for command in demo::call_commands(url, made) {
            text.push_str(&format!("{command}\n"));
        }
    }
    text.push_str("\nCtrl-C ends it.\n");
    text
}
