//! `trunkline serve`.

use super::sending::{Sending, SendingArgs};
use crate::config::{self, BODY_LIMIT_MAX, BODY_TIME_MAX, CALL_TIME_MAX, DatabaseArgs, File, said};
use crate::failure::Failure;
use crate::server::{self, Server, Signals, address_url};
use crate::{system, tls};
use std::path::PathBuf;
use std::time::Duration;
use tokio::net::{TcpListener, TcpSocket};
use trunkline_api::{App, Limits};
use trunkline_network::Store;

const EXAMPLE: &str = "\
Examples:
  trunkline serve
  trunkline serve --listen 0.0.0.0:443 --tls-cert cert.pem --tls-key key.pem \\
      --base-url https://calls.example.com --database sqlite:///var/lib/trunkline/trunkline.db

The database is made, and brought up to date, by itself. SIGTERM and Ctrl-C finish what is under
way, for up to 10 seconds. Beside the API it answers /healthz, /readyz and /metrics.";

/// Serve the networks of a database
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLE)]
pub(crate) struct Args {
    #[command(flatten)]
    server: ServerArgs,
    #[command(flatten)]
    sending: SendingArgs,
    #[command(flatten)]
    database: DatabaseArgs,
}

#[derive(Debug, clap::Args)]
struct ServerArgs {
    /// Where to listen [default: 127.0.0.1:8080]
    #[arg(long, value_name = "HOST:PORT", env = "TRUNKLINE_LISTEN", hide_env_values = true)]
    listen: Option<String>,
    /// What object_urls start with [default: the address listened on]
    #[arg(long, value_name = "URL", env = "TRUNKLINE_BASE_URL", hide_env_values = true)]
    base_url: Option<String>,
    /// A certificate chain (PEM), to serve HTTPS
    #[arg(long, value_name = "FILE", env = "TRUNKLINE_TLS_CERT", hide_env_values = true)]
    tls_cert: Option<PathBuf>,
    /// The certificate's key (PEM)
    #[arg(long, value_name = "FILE", env = "TRUNKLINE_TLS_KEY", hide_env_values = true)]
    tls_key: Option<PathBuf>,
    /// Requests a second for each credential, 0 for no limit [default: 2000]
    #[arg(long, value_name = "N", env = "TRUNKLINE_RATE_LIMIT", hide_env_values = true)]
    rate_limit: Option<u32>,
    /// The largest request body, in bytes [default: 1048576]
    #[arg(
        long,
        value_name = "BYTES",
        env = "TRUNKLINE_BODY_LIMIT",
        hide_env_values = true,
        value_parser = clap::value_parser!(u64).range(1..=BODY_LIMIT_MAX)
    )]
    body_limit: Option<u64>,
    /// How long a request's body may take to arrive, in seconds [default: 30]
    #[arg(
        long,
        value_name = "SECONDS",
        env = "TRUNKLINE_BODY_TIME_LIMIT",
        hide_env_values = true,
        value_parser = clap::value_parser!(u64).range(1..=BODY_TIME_MAX)
    )]
    body_time_limit: Option<u64>,
    /// How long a live call may be left hanging, in seconds [default: 14400]
    #[arg(
        long,
        value_name = "SECONDS",
        env = "TRUNKLINE_CALL_TIME_LIMIT",
        hide_env_values = true,
        value_parser = clap::value_parser!(u64).range(1..=CALL_TIME_MAX)
    )]
    call_time_limit: Option<u64>,
}

/// What a server is told, after all.
#[derive(Debug)]
struct Settings {
    listen: String,
    base_url: Option<String>,
    tls: Option<tls::Files>,
    limits: Limits,
}

impl Settings {
    fn merge(args: ServerArgs, file: File) -> Result<Self, Failure> {
        let listen = said(args.listen).or(file.listen);
        let base_url = said(args.base_url).or(file.base_url);
        let certificate = given(args.tls_cert).or(file.tls_cert);
        let key = given(args.tls_key).or(file.tls_key);
        let tls = match (certificate, key) {
            (Some(certificate), Some(key)) => Some(tls::Files { certificate, key }),
            (None, None) => None,
            (Some(_), None) => return Err(incomplete("--tls-key")),
            (None, Some(_)) => return Err(incomplete("--tls-cert")),
        };
        let defaults = Limits::default();
        let rate = args.rate_limit.or(file.rate_limit);
        let body = args.body_limit.or(file.body_limit);
        let body_time = args.body_time_limit.or(file.body_time_limit);
        let call_time = args.call_time_limit.or(file.call_time_limit);
        Ok(Self {
            listen: listen.unwrap_or_else(|| config::LISTEN.to_owned()),
            base_url: base_url.map(config::base_url).transpose()?,
            tls,
            limits: Limits {
                body: body.and_then(|body| usize::try_from(body).ok()).unwrap_or(defaults.body),
                requests_per_second: rate.or(defaults.requests_per_second).filter(|rate| *rate > 0),
                body_time: body_time.map_or(defaults.body_time, Duration::from_secs),
                call_time: call_time.map_or(defaults.call_time, Duration::from_secs),
                ..defaults
            },
        })
    }
}

fn given(path: Option<PathBuf>) -> Option<PathBuf> {
    path.filter(|path| !path.as_os_str().is_empty())
}

fn incomplete(missing: &str) -> Failure {
    Failure::Usage(format!("a TLS certificate and its key go together: {missing} is missing"))
}

/// Serves until SIGTERM or SIGINT, then finishes what is under way and closes the database.
pub(super) fn run(args: Args, log: Option<String>) -> Result<(), Failure> {
    let (mut file, database) = args.database.resolve()?;
    super::start_logs(log, &mut file)?;
    let sending = Sending::merge(args.sending, &mut file)?;
    let mut settings = Settings::merge(args.server, file)?;
    settings.limits.private_webhooks = sending.private_webhooks;
    let tls = settings.tls.as_ref().map(tls::acceptor).transpose()?;
    let runtime = server::runtime().map_err(Failure::io("start"))?;
    let store = Store::open(&database)?;
    let served = runtime.block_on(async {
        let mut signals = Signals::catch().map_err(Failure::io("listen for signals"))?;
        let (listener, address) = bind(&settings.listen).await?;
        let url = address_url(address, tls.is_some());
        let base = settings.base_url.unwrap_or_else(|| url.clone());
        let app =
            App::new(store.clone(), system::clock(), system::random(), &base, settings.limits);
        tracing::info!("listening on {url}");
        Server::new(app, listener, tls, sending.outbox).run(&mut signals).await;
        Ok(())
    });
    store.close();
    runtime.shutdown_timeout(Duration::from_millis(100));
    served
}

/// Listens on an address.
pub(super) async fn bind(address: &str) -> Result<(TcpListener, std::net::SocketAddr), Failure> {
    let bound = async {
        let mut refused = std::io::Error::from(std::io::ErrorKind::AddrNotAvailable);
        for address in tokio::net::lookup_host(address).await? {
            match listen(address) {
                Ok(listener) => {
                    let address = listener.local_addr()?;
                    return Ok((listener, address));
                }
                Err(error) => refused = error,
            }
        }
        Err(refused)
    };
    bound.await.map_err(|error| Failure::listen(address, &error))
}

/// Connections that may wait to be accepted. Those beyond it try again after a second.
const BACKLOG: u32 = 4_096;

fn listen(address: std::net::SocketAddr) -> std::io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}
