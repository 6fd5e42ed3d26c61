//! `trunkline serve`.

use super::outgoing::{OutgoingArgs, OutgoingSettings};
use crate::cli_error::CliError;
use crate::config::{
    self, ConfigFile, DatabaseArgs, MAX_BODY_LIMIT_BYTES, MAX_BODY_TIME_SECONDS,
    MAX_CALL_TIME_SECONDS, MAX_CLOCK_TOLERANCE_SECONDS, non_empty,
};
use crate::server::{
    self, ClientSettings, DEFAULT_CONNECTIONS_PER_ADDRESS, MetricsAccess, Server, Signals,
    address_url,
};
use crate::{system, tls};
use ipnet::IpNet;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::net::{TcpListener, TcpSocket};
use trunkline_api::{App, Limits, RecordingFiles};
use trunkline_domain::call::{AddedAreaCodes, AreaCodeError, set_added_area_codes};
use trunkline_network::{Error, Store};

const EXAMPLE: &str = "\
Examples:
  trunkline serve
  trunkline serve --listen 0.0.0.0:443 --tls-cert cert.pem --tls-key key.pem \\
      --base-url https://calls.example.com --database sqlite:///var/lib/trunkline/trunkline.db

The server creates the database if it does not exist, and migrates it. On SIGTERM or Ctrl-C it finishes
the requests in progress, for up to 10 seconds. Besides the API it serves the console at /, the API's
description at /docs, /healthz, /readyz and, with --metrics-listen or --metrics-token, /metrics.";

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
    /// Serve /metrics on this address [default: /metrics is not served, except with --metrics-token]
    #[arg(
        long,
        value_name = "HOST:PORT",
        env = "TRUNKLINE_METRICS_LISTEN",
        hide_env_values = true
    )]
    metrics_listen: Option<String>,
    /// Require this bearer token for /metrics; without --metrics-listen, serve it on the main address
    #[arg(long, value_name = "TOKEN", env = "TRUNKLINE_METRICS_TOKEN", hide_env_values = true)]
    metrics_token: Option<String>,
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
    /// Bytes a day that the credentials of one party may write into the audit log, 0 for no limit [default: 268435456]
    #[arg(long, value_name = "BYTES", env = "TRUNKLINE_PARTY_LOG_BYTES", hide_env_values = true)]
    party_log_bytes: Option<u64>,
    /// Time after its start when a live call that has not ended is timed out, in seconds [default: 14400]
    #[arg(
        long,
        value_name = "SECONDS",
        env = "TRUNKLINE_CALL_TIME_LIMIT",
        hide_env_values = true,
        value_parser = clap::value_parser!(u64).range(1..=MAX_CALL_TIME_SECONDS)
    )]
    call_time_limit: Option<u64>,
    /// Time by which reported starts and events of calls may be ahead of the clock, in seconds [default: 300]
    #[arg(
        long,
        value_name = "SECONDS",
        env = "TRUNKLINE_CLOCK_TOLERANCE",
        hide_env_values = true,
        value_parser = clap::value_parser!(u64).range(0..=MAX_CLOCK_TOLERANCE_SECONDS)
    )]
    clock_tolerance: Option<u64>,
    /// Trusted proxies, which set X-Forwarded-For: addresses or networks, comma-separated
    #[arg(
        long,
        value_name = "ADDRESSES",
        env = "TRUNKLINE_TRUSTED_PROXIES",
        hide_env_values = true,
        value_delimiter = ','
    )]
    trusted_proxies: Vec<String>,
    /// Concurrent connections of one address, 0 for no limit [default: 1000]
    #[arg(
        long,
        value_name = "N",
        env = "TRUNKLINE_CONNECTIONS_PER_ADDRESS",
        hide_env_values = true
    )]
    connections_per_address: Option<u32>,
    /// Directory of recordings [default: recordings, beside the file of a SQLite database]
    #[arg(long, value_name = "DIRECTORY", env = "TRUNKLINE_RECORDINGS", hide_env_values = true)]
    recordings: Option<PathBuf>,
    /// File of area codes to add, a line code,country,region each
    #[arg(long, value_name = "FILE", env = "TRUNKLINE_AREA_CODES", hide_env_values = true)]
    area_codes: Option<PathBuf>,
}

/// Merged settings of a server.
#[derive(Debug)]
struct Settings {
    listen: String,
    base_url: Option<String>,
    tls: Option<tls::CertificateFiles>,
    metrics_listen: Option<String>,
    metrics_token: Option<String>,
    area_codes: AddedAreaCodes,
    recordings: Option<PathBuf>,
    limits: Limits,
    clients: ClientSettings,
}

/// Fewest characters of a metrics token.
const MIN_METRICS_TOKEN_CHARS: usize = 16;

impl Settings {
    /// Merges flags and environment with the configuration file. Errors: a certificate without a key
    /// or the reverse, an invalid base URL, an area code file that cannot be read.
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
        let metrics_token = non_empty(args.metrics_token).or(file.metrics_token);
        if metrics_token.as_ref().is_some_and(|token| token.len() < MIN_METRICS_TOKEN_CHARS) {
            return Err(CliError::Usage(format!(
                "the metrics token is too short: it needs {MIN_METRICS_TOKEN_CHARS} characters"
            )));
        }
        let defaults = Limits::default();
        let rate_limit = args.rate_limit.or(file.rate_limit).or(defaults.requests_per_second);
        let body = args.body_limit.or(file.body_limit);
        let body_time = args.body_time_limit.or(file.body_time_limit);
        let log_bytes = args.party_log_bytes.or(file.party_log_bytes);
        let call_time = args.call_time_limit.or(file.call_time_limit);
        let tolerance = args.clock_tolerance.or(file.clock_tolerance);
        let proxies: Vec<String> =
            args.trusted_proxies.into_iter().filter(|proxy| !proxy.is_empty()).collect();
        let proxies =
            if proxies.is_empty() { file.trusted_proxies.unwrap_or_default() } else { proxies };
        let per_address = args.connections_per_address.or(file.connections_per_address);
        let clients = ClientSettings {
            trusted_proxies: proxies
                .iter()
                .map(|proxy| parse_proxy(proxy))
                .collect::<Result<_, _>>()?,
            connections_per_address: per_address
                .map_or(DEFAULT_CONNECTIONS_PER_ADDRESS, |number| number as usize),
        };
        let area_codes = non_empty_path(args.area_codes).or(file.area_codes);
        let recordings = non_empty_path(args.recordings).or(file.recordings);
        Ok(Self {
            recordings,
            listen: listen.unwrap_or_else(|| config::DEFAULT_LISTEN_ADDRESS.to_owned()),
            base_url: base_url.map(config::validate_base_url).transpose()?,
            tls,
            metrics_listen: non_empty(args.metrics_listen).or(file.metrics_listen),
            metrics_token,
            area_codes: area_codes.as_deref().map(read_area_codes).transpose()?.unwrap_or_default(),
            limits: Limits {
                max_body_bytes: body
                    .and_then(|body| usize::try_from(body).ok())
                    .unwrap_or(defaults.max_body_bytes),
                requests_per_second: rate_limit.filter(|rate| *rate > 0),
                audit_bytes_per_day: log_bytes
                    .or(defaults.audit_bytes_per_day)
                    .filter(|bytes| *bytes > 0),
                body_timeout: body_time.map_or(defaults.body_timeout, Duration::from_secs),
                max_call_time: call_time.map_or(defaults.max_call_time, Duration::from_secs),
                clock_tolerance: tolerance.map_or(defaults.clock_tolerance, Duration::from_secs),
                ..defaults
            },
            clients,
        })
    }
}

/// Returns the default directory of recordings: below that of a SQLite database's file. There is none for
/// PostgreSQL, which several servers may share.
fn recordings_beside(database: &str) -> Option<PathBuf> {
    let file = Path::new(database.strip_prefix("sqlite://")?);
    Some(file.parent().unwrap_or(Path::new("")).join("recordings"))
}

/// Parses a trusted proxy: an address, or a network such as `10.0.0.0/8`.
fn parse_proxy(text: &str) -> Result<IpNet, CliError> {
    let address = text.parse::<IpAddr>().ok().map(IpNet::from);
    address.or_else(|| text.parse().ok()).ok_or_else(|| {
        CliError::Usage(format!(
            "the trusted proxy '{text}' is neither an address nor a network such as 10.0.0.0/8"
        ))
    })
}

/// Reads a file of area codes. Errors name the file and the line.
fn read_area_codes(file: &Path) -> Result<AddedAreaCodes, CliError> {
    let text = std::fs::read_to_string(file)
        .map_err(CliError::io(format!("read the area codes in {}", file.display())))?;
    AddedAreaCodes::parse(&text).map_err(|AreaCodeError { line, problem }| {
        CliError::Usage(format!("{}:{line}: {problem}", file.display()))
    })
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
    if !settings.area_codes.is_empty() {
        tracing::info!("{} area codes were added", settings.area_codes.len());
        set_added_area_codes(std::mem::take(&mut settings.area_codes));
    }
    settings.limits.allow_private_webhooks = outgoing.private_webhooks;
    let recordings = settings.recordings.take().or_else(|| recordings_beside(&database));
    let tls = settings.tls.as_ref().map(tls::acceptor).transpose()?;
    let runtime = server::runtime().map_err(CliError::io("start"))?;
    // Before the database is opened: an address in use must not leave a new database behind.
    let (listener, address) = runtime.block_on(bind(&settings.listen))?;
    let metrics_access = runtime.block_on(settings.metrics_access())?;
    let store = Store::open_for_server(&database, &system::entropy())?;
    warn_without_network(&store)?;
    let result = runtime.block_on(async {
        let mut signals = Signals::install().map_err(CliError::io("listen for signals"))?;
        let url = address_url(address, tls.is_some());
        let base_url = settings.base_url.unwrap_or_else(|| url.clone());
        let app =
            App::new(store.clone(), system::clock(), system::random(), &base_url, settings.limits);
        if let Some(directory) = recordings {
            app.recordings.get_or_init(|| RecordingFiles::new(directory));
        }
        tracing::info!("listening on {url}");
        let server =
            Server::new(app, listener, tls, outgoing.outbox, metrics_access, settings.clients);
        server.run(&mut signals).await;
        Ok(())
    });
    store.close();
    runtime.shutdown_timeout(Duration::from_millis(100));
    result
}

impl Settings {
    /// Opens the metrics listener, unless its address is that of the main listener.
    async fn metrics_access(&self) -> Result<MetricsAccess, CliError> {
        let token = self.metrics_token.clone();
        let Some(address) = &self.metrics_listen else {
            return Ok(MetricsAccess { listener: None, on_main_listener: token.is_some(), token });
        };
        if *address == self.listen {
            return Ok(MetricsAccess { listener: None, on_main_listener: true, token });
        }
        let (listener, address) = bind(address).await?;
        tracing::info!("serving metrics on {}/metrics", address_url(address, false));
        Ok(MetricsAccess { listener: Some(listener), on_main_listener: false, token })
    }
}

/// Logs a warning with the next step if the database has no network.
fn warn_without_network(store: &Store) -> Result<(), CliError> {
    let networks = store.read(|session| Ok::<_, Error>(session.networks()?))?;
    if networks.is_empty() {
        tracing::warn!(
            "the database has no network, so every API request is rejected: create one with \
             `trunkline network create --name NAME`, with the same --database"
        );
    }
    Ok(())
}

/// Resolves an address, `host:port`, and listens on the first of its addresses that is available.
pub(super) async fn bind(address: &str) -> Result<(TcpListener, std::net::SocketAddr), CliError> {
    if let Some(example) = host_and_port_example(address) {
        let reason = format!("expected a host and a port, such as {example}");
        return Err(CliError::Listen { address: address.to_owned(), reason });
    }
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

/// Returns a corrected example for an address without a host or without a port.
fn host_and_port_example(address: &str) -> Option<String> {
    let is_port = |text: &str| text.parse::<u16>().is_ok();
    match address.rsplit_once(':') {
        None if is_port(address) => Some(format!("127.0.0.1:{address}")),
        None => Some(format!("{address}:8080")),
        Some(("", port)) if is_port(port) => Some(format!("0.0.0.0:{port}")),
        Some((host, port)) if is_port(port) && !host.contains(':') => None,
        Some((host, port)) if is_port(port) && host.starts_with('[') => None,
        Some((host, _)) if host.contains(':') => Some("[::1]:8080".to_owned()),
        Some((host, _)) => Some(format!("{host}:8080")),
    }
}

/// Connections that may wait to be accepted. Clients beyond it retransmit after a second.
const LISTEN_BACKLOG: u32 = 4_096;

fn listen(address: std::net::SocketAddr) -> std::io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(LISTEN_BACKLOG)
}
