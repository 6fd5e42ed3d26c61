//! `trunkline serve`.

use super::outgoing::{OutgoingArgs, OutgoingSettings};
use crate::cli_error::CliError;
use crate::config::{
    self, ConfigFile, DatabaseArgs, MAX_BODY_LIMIT_BYTES, MAX_BODY_TIME_SECONDS,
    MAX_CALL_TIME_SECONDS, non_empty,
};
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

The server creates the database if it does not exist, and migrates it. On SIGTERM or Ctrl-C it finishes
the requests in progress, for up to 10 seconds. Besides the API it serves /healthz, /readyz and /metrics.";

/// Serve the networks of a database
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLE)]
pub(crate) struct Args {
    #[command(flatten)]
    server: ServerArgs,
    #[command(flatten)]
    outgoing: OutgoingArgs,
    #[command(flatten)]
    database: DatabaseArgs,
}

#[derive(Debug, clap::Args)]
struct ServerArgs {
    /// Address to listen on [default: 127.0.0.1:8080]
    #[arg(long, value_name = "HOST:PORT", env = "TRUNKLINE_LISTEN", hide_env_values = true)]
    listen: Option<String>,
    /// Beginning of object_urls and links [default: the address listened on]
    #[arg(long, value_name = "URL", env = "TRUNKLINE_BASE_URL", hide_env_values = true)]
    base_url: Option<String>,
    /// Certificate chain (PEM), to serve HTTPS
    #[arg(long, value_name = "FILE", env = "TRUNKLINE_TLS_CERT", hide_env_values = true)]
    tls_cert: Option<PathBuf>,
    /// Key of the certificate (PEM)
    #[arg(long, value_name = "FILE", env = "TRUNKLINE_TLS_KEY", hide_env_values = true)]
    tls_key: Option<PathBuf>,
    /// Requests per second for each credential, 0 for no limit [default: 2000]
    #[arg(long, value_name = "N", env = "TRUNKLINE_RATE_LIMIT", hide_env_values = true)]
    rate_limit: Option<u32>,
    /// Largest request body, in bytes [default: 1048576]
    #[arg(
        long,
        value_name = "BYTES",
        env = "TRUNKLINE_BODY_LIMIT",
        hide_env_values = true,
        value_parser = clap::value_parser!(u64).range(1..=MAX_BODY_LIMIT_BYTES)
    )]
    body_limit: Option<u64>,
    /// Longest time for a request's body to arrive, in seconds [default: 30]
    #[arg(
        long,
        value_name = "SECONDS",
        env = "TRUNKLINE_BODY_TIME_LIMIT",
        hide_env_values = true,
        value_parser = clap::value_parser!(u64).range(1..=MAX_BODY_TIME_SECONDS)
    )]
    body_time_limit: Option<u64>,
    /// Time after its start when a live call that has not ended is timed out, in seconds [default: 14400]
    #[arg(
        long,
        value_name = "SECONDS",
        env = "TRUNKLINE_CALL_TIME_LIMIT",
        hide_env_values = true,
        value_parser = clap::value_parser!(u64).range(1..=MAX_CALL_TIME_SECONDS)
    )]
    call_time_limit: Option<u64>,
}

/// Merged settings of a server.
#[derive(Debug)]
struct Settings {
    listen: String,
    base_url: Option<String>,
    tls: Option<tls::CertificateFiles>,
    limits: Limits,
}

impl Settings {
    /// Merges flags and environment with the configuration file. Errors: a certificate without a key
    /// or the reverse, an invalid base URL.
    fn merge(args: ServerArgs, file: ConfigFile) -> Result<Self, CliError> {
        let listen = non_empty(args.listen).or(file.listen);
        let base_url = non_empty(args.base_url).or(file.base_url);
        let certificate = non_empty_path(args.tls_cert).or(file.tls_cert);
        let key = non_empty_path(args.tls_key).or(file.tls_key);
        let tls = match (certificate, key) {
            (Some(certificate), Some(key)) => Some(tls::CertificateFiles { certificate, key }),
            (None, None) => None,
            (Some(_), None) => return Err(missing_tls_file("--tls-key")),
            (None, Some(_)) => return Err(missing_tls_file("--tls-cert")),
        };
        let defaults = Limits::default();
        let rate_limit = args.rate_limit.or(file.rate_limit).or(defaults.requests_per_second);
        let body = args.body_limit.or(file.body_limit);
        let body_time = args.body_time_limit.or(file.body_time_limit);
        let call_time = args.call_time_limit.or(file.call_time_limit);
        Ok(Self {
            listen: listen.unwrap_or_else(|| config::DEFAULT_LISTEN_ADDRESS.to_owned()),
            base_url: base_url.map(config::validate_base_url).transpose()?,
            tls,
            limits: Limits {
                max_body_bytes: body
                    .and_then(|body| usize::try_from(body).ok())
                    .unwrap_or(defaults.max_body_bytes),
                requests_per_second: rate_limit.filter(|rate| *rate > 0),
                body_timeout: body_time.map_or(defaults.body_timeout, Duration::from_secs),
                max_call_time: call_time.map_or(defaults.max_call_time, Duration::from_secs),
                ..defaults
            },
        })
    }
}

fn non_empty_path(path: Option<PathBuf>) -> Option<PathBuf> {
    path.filter(|path| !path.as_os_str().is_empty())
}

fn missing_tls_file(flag: &str) -> CliError {
    CliError::Usage(format!("a TLS certificate and its key are both required: {flag} is missing"))
}

/// Serves until SIGTERM or SIGINT, then finishes the requests in progress and closes the database.
pub(super) fn run(args: Args, log: Option<String>) -> Result<(), CliError> {
    let (mut file, database) = args.database.resolve()?;
    super::start_logs(log, &mut file)?;
    let outgoing = OutgoingSettings::merge(args.outgoing, &mut file)?;
    let mut settings = Settings::merge(args.server, file)?;
    settings.limits.allow_private_webhooks = outgoing.private_webhooks;
    let tls = settings.tls.as_ref().map(tls::acceptor).transpose()?;
    let runtime = server::runtime().map_err(CliError::io("start"))?;
    let store = Store::open(&database)?;
    let result = runtime.block_on(async {
        let mut signals = Signals::install().map_err(CliError::io("listen for signals"))?;
        let (listener, address) = bind(&settings.listen).await?;
        let url = address_url(address, tls.is_some());
        let base_url = settings.base_url.unwrap_or_else(|| url.clone());
        let app =
            App::new(store.clone(), system::clock(), system::random(), &base_url, settings.limits);
        tracing::info!("listening on {url}");
        Server::new(app, listener, tls, outgoing.outbox).run(&mut signals).await;
        Ok(())
    });
    store.close();
    runtime.shutdown_timeout(Duration::from_millis(100));
    result
}

/// Resolves an address, `host:port`, and listens on the first of its addresses that is available.
pub(super) async fn bind(address: &str) -> Result<(TcpListener, std::net::SocketAddr), CliError> {
    let listener = async {
        let mut last_error = std::io::Error::from(std::io::ErrorKind::AddrNotAvailable);
        for address in tokio::net::lookup_host(address).await? {
            match listen(address) {
                Ok(listener) => {
                    let address = listener.local_addr()?;
                    return Ok((listener, address));
                }
                Err(error) => last_error = error,
            }
        }
        Err(last_error)
    };
    listener.await.map_err(|error| CliError::listen(address, &error))
}

/// Connections that may wait to be accepted. Clients beyond it retransmit after a second.
const LISTEN_BACKLOG: u32 = 4_096;

fn listen(address: std::net::SocketAddr) -> std::io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(LISTEN_BACKLOG)
}
