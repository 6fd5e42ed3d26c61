//! Configuration: flags take precedence over environment variables, and those over `trunkline.toml`.

use axum::http::Uri;
use std::path::{Path, PathBuf};
use toml::{Table, Value};

/// Configuration file that is read, if it exists, when no other is given.
const DEFAULT_FILE: &str = "trunkline.toml";
/// Default of `--listen`.
pub(crate) const DEFAULT_LISTEN_ADDRESS: &str = "127.0.0.1:8080";
/// Default of `--database`.
const DEFAULT_DATABASE_URL: &str = "sqlite://trunkline.db";
/// Largest value of `--body-limit`: 1 GiB.
pub(crate) const MAX_BODY_LIMIT_BYTES: u64 = 1 << 30;

/// Largest value of `--call-time-limit`: 31 days, the longest duration of a call.
pub(crate) const MAX_CALL_TIME_SECONDS: u64 = 31 * 86_400;
/// Maximum of `clock_tolerance`, in seconds: three millennia, which accepts any time that is read.
pub(crate) const MAX_CLOCK_TOLERANCE_SECONDS: u64 = 100_000_000_000;

/// Largest value of `--body-time-limit`: one day.
pub(crate) const MAX_BODY_TIME_SECONDS: u64 = 86_400;

/// Arguments that select the database, shared by all commands that use one.
#[derive(Debug, clap::Args)]
pub(crate) struct DatabaseArgs {
    /// URL of the database [default: sqlite://trunkline.db]
    #[arg(long, value_name = "URL", env = "TRUNKLINE_DATABASE", hide_env_values = true)]
    pub(crate) database: Option<String>,
    /// Configuration file [default: trunkline.toml, if it exists]
    #[arg(long, value_name = "FILE", env = "TRUNKLINE_CONFIG", hide_env_values = true)]
    pub(crate) config: Option<PathBuf>,
}

impl DatabaseArgs {
    /// Reads the configuration file and returns it with the URL of the database.
    pub(crate) fn resolve(self) -> Result<(ConfigFile, String), Error> {
        let mut file = ConfigFile::load(self.config)?;
        let database = non_empty(self.database).or(file.database.take());
        Ok((file, database.unwrap_or_else(|| DEFAULT_DATABASE_URL.to_owned())))
    }
}

/// Settings of a configuration file; `None` for keys that are absent.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct ConfigFile {
    /// `listen`: host and port.
    pub(crate) listen: Option<String>,
    /// `database`: a URL.
    pub(crate) database: Option<String>,
    /// `base_url`: the beginning of object_urls.
    pub(crate) base_url: Option<String>,
    /// `tls_cert`: a PEM file.
    pub(crate) tls_cert: Option<PathBuf>,
    /// `tls_key`: a PEM file.
    pub(crate) tls_key: Option<PathBuf>,
    /// `metrics_listen`: host and port.
    pub(crate) metrics_listen: Option<String>,
    /// `metrics_token`: bearer token of `/metrics`.
    pub(crate) metrics_token: Option<String>,
    /// `rate_limit`: requests per second and credential; 0 disables the limit.
    pub(crate) rate_limit: Option<u32>,
    /// `body_limit`: bytes.
    pub(crate) body_limit: Option<u64>,
    /// `body_time_limit`: seconds.
    pub(crate) body_time_limit: Option<u64>,
    /// `party_log_bytes`: bytes a day; 0 disables the limit.
    pub(crate) party_log_bytes: Option<u64>,
    /// `call_time_limit`: seconds.
    pub(crate) call_time_limit: Option<u64>,
    /// `clock_tolerance`: seconds.
    pub(crate) clock_tolerance: Option<u64>,
    /// `trusted_proxies`: addresses and networks.
    pub(crate) trusted_proxies: Option<Vec<String>>,
    /// `connections_per_address`: concurrent connections; 0 for no limit.
    pub(crate) connections_per_address: Option<u32>,
    /// `recordings`: a directory.
    pub(crate) recordings: Option<PathBuf>,
    /// `area_codes`: a file of lines `code,country,region`.
    pub(crate) area_codes: Option<PathBuf>,
    /// `log`: a level.
    pub(crate) log: Option<String>,
    /// `webhook_allow_private`: true if webhooks may reach addresses of the host's own network.
    pub(crate) webhook_allow_private: Option<bool>,
    /// `outgoing_ca`: a PEM file.
    pub(crate) outgoing_ca: Option<PathBuf>,
    /// `smtp_url`: URL of the mail server; it may contain a password.
    pub(crate) smtp_url: Option<String>,
    /// `mail_from`: sender of mail.
    pub(crate) mail_from: Option<String>,
}

/// Configuration error. Each message is one line that names the file and the key.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// File that cannot be read.
    #[error("cannot read {}", file.display())]
    Read {
        /// The file.
        file: PathBuf,
        /// The underlying error.
        source: std::io::Error,
    },
    /// File that is not TOML.
    #[error("{}:{line}: {message}", file.display())]
    Syntax {
        /// The file.
        file: PathBuf,
        /// Line number, from 1.
        line: usize,
        /// Description of the syntax error.
        message: String,
    },
    /// Key that does not exist.
    #[error("{}: unknown key '{key}' (known: {})", file.display(), KEYS.join(", "))]
    Unknown {
        /// The file.
        file: PathBuf,
        /// The key.
        key: String,
    },
    /// Value of the wrong type or out of range.
    #[error("{}: '{key}' must be {expected}", file.display())]
    Value {
        /// The file.
        file: PathBuf,
        /// The key.
        key: String,
        /// Type and range of the key's values.
        expected: &'static str,
    },
    /// Base URL that is not an absolute HTTP URL.
    #[error(
        "the base URL '{0}' cannot be used: expected http:// or https:// and a host, without a query"
    )]
    BaseUrl(String),
}

const KEYS: [&str; 22] = [
    "listen",
    "database",
    "base_url",
    "tls_cert",
    "tls_key",
    "metrics_listen",
    "metrics_token",
    "rate_limit",
    "body_limit",
    "body_time_limit",
    "party_log_bytes",
    "call_time_limit",
    "clock_tolerance",
    "trusted_proxies",
    "connections_per_address",
    "recordings",
    "area_codes",
    "log",
    "webhook_allow_private",
    "outgoing_ca",
    "smtp_url",
    "mail_from",
];

impl ConfigFile {
    /// Reads the given file, or the default file if it exists.
    pub(crate) fn load(path: Option<PathBuf>) -> Result<Self, Error> {
        let is_default = path.is_none();
        let file = path.unwrap_or_else(|| PathBuf::from(DEFAULT_FILE));
        match std::fs::read_to_string(&file) {
            Ok(text) => Self::parse(&file, &text),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound && is_default => {
                Ok(Self::default())
            }
            Err(source) => Err(Error::Read { file, source }),
        }
    }

    fn parse(file: &Path, text: &str) -> Result<Self, Error> {
        let table: Table = text.parse().map_err(|error: toml::de::Error| Error::Syntax {
            file: file.to_owned(),
            line: error.span().map_or(1, |span| line_number(text, span.start)),
            message: error.message().to_owned(),
        })?;
        let mut settings = Self::default();
        for (key, value) in table {
            let invalid =
                |expected| Error::Value { file: file.to_owned(), key: key.clone(), expected };
            match key.as_str() {
                "listen" => settings.listen = Some(string(value).map_err(invalid)?),
                "database" => settings.database = Some(string(value).map_err(invalid)?),
                "base_url" => settings.base_url = Some(string(value).map_err(invalid)?),
                "tls_cert" => settings.tls_cert = Some(string(value).map_err(invalid)?.into()),
                "tls_key" => settings.tls_key = Some(string(value).map_err(invalid)?.into()),
                "metrics_listen" => {
                    settings.metrics_listen = Some(string(value).map_err(invalid)?);
                }
                "metrics_token" => {
                    settings.metrics_token = Some(string(value).map_err(invalid)?);
                }
                "rate_limit" => {
                    settings.rate_limit = Some(requests_per_second(&value).map_err(invalid)?)
                }
                "body_limit" => settings.body_limit = Some(bytes(&value).map_err(invalid)?),
                "body_time_limit" => {
                    settings.body_time_limit = Some(body_time_seconds(&value).map_err(invalid)?)
                }
                "party_log_bytes" => {
                    settings.party_log_bytes = Some(log_bytes(&value).map_err(invalid)?)
                }
                "call_time_limit" => {
                    settings.call_time_limit = Some(call_time_seconds(&value).map_err(invalid)?)
                }
                "clock_tolerance" => {
                    settings.clock_tolerance = Some(tolerance_seconds(&value).map_err(invalid)?)
                }
                "trusted_proxies" => {
                    settings.trusted_proxies = Some(strings(value).map_err(invalid)?);
                }
                "connections_per_address" => {
                    settings.connections_per_address = Some(connections(&value).map_err(invalid)?);
                }
                "recordings" => settings.recordings = Some(string(value).map_err(invalid)?.into()),
                "area_codes" => settings.area_codes = Some(string(value).map_err(invalid)?.into()),
                "log" => settings.log = Some(string(value).map_err(invalid)?),
                "webhook_allow_private" => {
                    settings.webhook_allow_private = Some(boolean(&value).map_err(invalid)?);
                }
                "outgoing_ca" => {
                    settings.outgoing_ca = Some(string(value).map_err(invalid)?.into())
                }
                "smtp_url" => settings.smtp_url = Some(string(value).map_err(invalid)?),
                "mail_from" => settings.mail_from = Some(string(value).map_err(invalid)?),
                _ => return Err(Error::Unknown { file: file.to_owned(), key }),
            }
        }
        Ok(settings)
    }
}

impl ConfigFile {
    /// Returns the URL for links that a command prints: the given one, else that of the file, else
    /// the address on which `serve` listens with this file.
    ///
    /// # Errors
    ///
    /// [`Error::BaseUrl`] if it is not an absolute HTTP URL.
    pub(crate) fn base_url_for_links(self, given: Option<String>) -> Result<String, Error> {
        let scheme = if self.tls_cert.is_some() { "https" } else { "http" };
        let listen = self.listen.unwrap_or_else(|| DEFAULT_LISTEN_ADDRESS.to_owned());
        let base_url = non_empty(given).or(self.base_url);
        validate_base_url(base_url.unwrap_or_else(|| format!("{scheme}://{listen}")))
    }
}

/// Line number, from 1, of a byte offset.
fn line_number(text: &str, offset: usize) -> usize {
    1 + text.bytes().take(offset).filter(|byte| *byte == b'\n').count()
}

fn string(value: Value) -> Result<String, &'static str> {
    match value {
        Value::String(text) if !text.is_empty() => Ok(text),
        _ => Err("a string in quotes, not empty"),
    }
}

fn log_bytes(value: &Value) -> Result<u64, &'static str> {
    let bytes = value.as_integer().and_then(|bytes| u64::try_from(bytes).ok());
    bytes.ok_or("a whole number of bytes, 0 for no limit")
}

fn boolean(value: &Value) -> Result<bool, &'static str> {
    value.as_bool().ok_or("true or false")
}

fn strings(value: Value) -> Result<Vec<String>, &'static str> {
    let expected = "an array of strings in quotes";
    let Value::Array(items) = value else { return Err(expected) };
    items.into_iter().map(|item| string(item).map_err(|_| expected)).collect()
}

fn connections(value: &Value) -> Result<u32, &'static str> {
    let number = value.as_integer().and_then(|number| u32::try_from(number).ok());
    number.ok_or("a whole number of connections, 0 for no limit")
}

fn requests_per_second(value: &Value) -> Result<u32, &'static str> {
    let number = value.as_integer().and_then(|number| u32::try_from(number).ok());
    number.ok_or("a whole number of requests per second, 0 for no limit")
}

fn bytes(value: &Value) -> Result<u64, &'static str> {
    let number = value.as_integer().and_then(|number| u64::try_from(number).ok());
    let in_range = number.filter(|number| (1..=MAX_BODY_LIMIT_BYTES).contains(number));
    in_range.ok_or("a whole number of bytes, 1 to 1073741824")
}

fn body_time_seconds(value: &Value) -> Result<u64, &'static str> {
    let in_range = call_time_seconds(value).ok().filter(|number| *number <= MAX_BODY_TIME_SECONDS);
    in_range.ok_or("a whole number of seconds, 1 to 86400")
}

fn tolerance_seconds(value: &Value) -> Result<u64, &'static str> {
    let number = value.as_integer().and_then(|number| u64::try_from(number).ok());
    let in_range = number.filter(|number| *number <= MAX_CLOCK_TOLERANCE_SECONDS);
    in_range.ok_or("a whole number of seconds, 0 to 100000000000")
}

fn call_time_seconds(value: &Value) -> Result<u64, &'static str> {
    let number = value.as_integer().and_then(|number| u64::try_from(number).ok());
    let in_range = number.filter(|number| (1..=MAX_CALL_TIME_SECONDS).contains(number));
    in_range.ok_or("a whole number of seconds, 1 to 2678400")
}

/// Treats an empty setting as absent, as `TRUNKLINE_BASE_URL=` in a compose file is meant.
pub(crate) fn non_empty(value: Option<String>) -> Option<String> {
    value.filter(|text| !text.is_empty())
}

/// Validates a base URL: http or https, a host, no query and no fragment.
pub(crate) fn validate_base_url(text: String) -> Result<String, Error> {
    let uri: Option<Uri> = text.parse().ok();
    let is_valid = uri.is_some_and(|uri| {
        matches!(uri.scheme_str(), Some("http" | "https"))
            && uri.host().is_some_and(|host| !host.is_empty())
            && uri.query().is_none()
    });
    if is_valid && !text.contains('#') { Ok(text) } else { Err(Error::BaseUrl(text)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<ConfigFile, String> {
        ConfigFile::parse(Path::new("trunkline.toml"), text).map_err(|error| error.to_string())
    }

    #[test]
    fn every_key_is_parsed() {
        let text = r#"
            listen = "0.0.0.0:80"
            database = "sqlite:///var/lib/trunkline.db"
            base_url = "https://calls.example.com"
            tls_cert = "cert.pem"
            tls_key = "key.pem"
            metrics_listen = "127.0.0.1:9090"
            metrics_token = "0123456789abcdef"
            rate_limit = 0
            body_limit = 1024
            body_time_limit = 20
            party_log_bytes = 1048576
            call_time_limit = 3600
            clock_tolerance = 60
            trusted_proxies = ["127.0.0.1", "10.0.0.0/8"]
            connections_per_address = 500
            recordings = "/var/lib/recordings"
            area_codes = "area_codes.csv"
            log = "debug"
            webhook_allow_private = true
            outgoing_ca = "ca.pem"
            smtp_url = "smtps://me:secret@mail.example.com"
            mail_from = "Trunkline <calls@example.com>"
        "#;
        let file = parse(text).unwrap();
        assert_eq!(file.listen.as_deref(), Some("0.0.0.0:80"));
        assert_eq!(file.rate_limit, Some(0));
        assert_eq!(file.body_limit, Some(1024));
        assert_eq!(file.body_time_limit, Some(20));
        assert_eq!(file.party_log_bytes, Some(1_048_576));
        assert_eq!(file.call_time_limit, Some(3600));
        assert_eq!(file.clock_tolerance, Some(60));
        let proxies = ["127.0.0.1".to_owned(), "10.0.0.0/8".to_owned()];
        assert_eq!(file.trusted_proxies.as_deref(), Some(&proxies[..]));
        assert_eq!(file.connections_per_address, Some(500));
        assert_eq!(file.webhook_allow_private, Some(true));
        for key in KEYS {
            assert!(text.contains(key), "{key} is not in the test's file");
        }
    }

    #[test]
    fn errors_name_the_file_and_the_key() {
        assert!(parse("lisen = 1").unwrap_err().starts_with("trunkline.toml: unknown key 'lisen'"));
        assert_eq!(
            parse("rate_limit = -1").unwrap_err(),
            "trunkline.toml: 'rate_limit' must be a whole number of requests per second, 0 for no limit"
        );
        assert!(parse("\nlisten =").unwrap_err().starts_with("trunkline.toml:2: "));
    }

    #[test]
    fn base_url_needs_a_scheme_and_a_host() {
        for valid in ["http://localhost:8080", "https://calls.example.com/network/"] {
            assert!(validate_base_url(valid.to_owned()).is_ok(), "{valid}");
        }
        for invalid in
            ["calls.example.com", "ftp://x", "http://", "/x", "https://x/?a", "https://x#a"]
        {
            assert!(validate_base_url(invalid.to_owned()).is_err(), "{invalid}");
        }
    }
}
