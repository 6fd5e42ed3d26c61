//! What a server is told: flags win over environment over `trunkline.toml`.

use axum::http::Uri;
use std::path::{Path, PathBuf};
use toml::{Table, Value};

/// The file that is read when none is named, if it is there.
const DEFAULT_FILE: &str = "trunkline.toml";
/// Where a server listens unless it is told otherwise.
pub(crate) const LISTEN: &str = "127.0.0.1:8080";
/// The database unless another is named.
const DATABASE: &str = "sqlite://trunkline.db";
/// The largest body that can be allowed: 1 GiB.
pub(crate) const BODY_LIMIT_MAX: u64 = 1 << 30;

/// The longest that a live call may be left hanging: 31 days, as long as a call can last (seconds).
pub(crate) const CALL_TIME_MAX: u64 = 31 * 86_400;

/// The longest that a body may take (seconds).
pub(crate) const BODY_TIME_MAX: u64 = 86_400;

/// Which database, for every command that has one.
#[derive(Debug, clap::Args)]
pub(crate) struct DatabaseArgs {
    /// The database [default: sqlite://trunkline.db]
    #[arg(long, value_name = "URL", env = "TRUNKLINE_DATABASE", hide_env_values = true)]
    pub(crate) database: Option<String>,
    /// The configuration file [default: trunkline.toml, if it is there]
    #[arg(long, value_name = "FILE", env = "TRUNKLINE_CONFIG", hide_env_values = true)]
    pub(crate) config: Option<PathBuf>,
}

impl DatabaseArgs {
    /// The configuration file's words, and the database after all.
    pub(crate) fn resolve(self) -> Result<(File, String), Error> {
        let mut file = File::load(self.config)?;
        let database = said(self.database).or(file.database.take());
        Ok((file, database.unwrap_or_else(|| DATABASE.to_owned())))
    }
}

/// What `trunkline.toml` says.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct File {
    /// `listen`: host and port.
    pub(crate) listen: Option<String>,
    /// `database`: a URL.
    pub(crate) database: Option<String>,
    /// `base_url`: what object_urls start with.
    pub(crate) base_url: Option<String>,
    /// `tls_cert`: a PEM file.
    pub(crate) tls_cert: Option<PathBuf>,
    /// `tls_key`: a PEM file.
    pub(crate) tls_key: Option<PathBuf>,
    /// `rate_limit`: requests a second for each credential; 0 is no limit.
    pub(crate) rate_limit: Option<u32>,
    /// `body_limit`: bytes.
    pub(crate) body_limit: Option<u64>,
    /// `body_time_limit`: seconds.
    pub(crate) body_time_limit: Option<u64>,
    /// `call_time_limit`: seconds.
    pub(crate) call_time_limit: Option<u64>,
    /// `log`: a level.
    pub(crate) log: Option<String>,
    /// `webhook_allow_private`: whether webhooks may lead into the host's own network.
    pub(crate) webhook_allow_private: Option<bool>,
    /// `outgoing_ca`: a PEM file.
    pub(crate) outgoing_ca: Option<PathBuf>,
    /// `smtp_url`: the mail server; it may have a password in it.
    pub(crate) smtp_url: Option<String>,
    /// `mail_from`: whom mail is from.
    pub(crate) mail_from: Option<String>,
}

/// Why a configuration cannot be used. One clear line each, with the file and the key.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// It cannot be read.
    #[error("cannot read {}", file.display())]
    Read {
        /// The file.
        file: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// It is no TOML.
    #[error("{}:{line}: {message}", file.display())]
    Syntax {
        /// The file.
        file: PathBuf,
        /// The line, from 1.
        line: usize,
        /// What is wrong there.
        message: String,
    },
    /// It has a key that nothing reads.
    #[error("{}: unknown key '{key}' (known: {})", file.display(), KEYS.join(", "))]
    Unknown {
        /// The file.
        file: PathBuf,
        /// The key.
        key: String,
    },
    /// A value is not what the key takes.
    #[error("{}: '{key}' must be {expected}", file.display())]
    Value {
        /// The file.
        file: PathBuf,
        /// The key.
        key: String,
        /// What it takes.
        expected: &'static str,
    },
    /// The base URL is none.
    #[error(
        "the base URL '{0}' cannot be used: expected http:// or https:// and a host, without a query"
    )]
    BaseUrl(String),
}

const KEYS: [&str; 14] = [
    "listen",
    "database",
    "base_url",
    "tls_cert",
    "tls_key",
    "rate_limit",
    "body_limit",
    "body_time_limit",
    "call_time_limit",
    "log",
    "webhook_allow_private",
    "outgoing_ca",
    "smtp_url",
    "mail_from",
];

impl File {
    /// Reads the file that is named, or the default one if it is there.
    pub(crate) fn load(named: Option<PathBuf>) -> Result<Self, Error> {
        let is_named = named.is_some();
        let file = named.unwrap_or_else(|| PathBuf::from(DEFAULT_FILE));
        match std::fs::read_to_string(&file) {
            Ok(text) => Self::read(&file, &text),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound && !is_named => {
                Ok(Self::default())
            }
            Err(source) => Err(Error::Read { file, source }),
        }
    }

    fn read(file: &Path, text: &str) -> Result<Self, Error> {
        let table: Table = text.parse().map_err(|error: toml::de::Error| Error::Syntax {
            file: file.to_owned(),
            line: error.span().map_or(1, |span| line_of(text, span.start)),
            message: error.message().to_owned(),
        })?;
        let mut read = Self::default();
        for (key, value) in table {
            let bad = |expected| Error::Value { file: file.to_owned(), key: key.clone(), expected };
            match key.as_str() {
                "listen" => read.listen = Some(string(value).map_err(bad)?),
                "database" => read.database = Some(string(value).map_err(bad)?),
                "base_url" => read.base_url = Some(string(value).map_err(bad)?),
                "tls_cert" => read.tls_cert = Some(string(value).map_err(bad)?.into()),
                "tls_key" => read.tls_key = Some(string(value).map_err(bad)?.into()),
                "rate_limit" => read.rate_limit = Some(rate(&value).map_err(bad)?),
                "body_limit" => read.body_limit = Some(bytes(&value).map_err(bad)?),
                "body_time_limit" => read.body_time_limit = Some(body_time(&value).map_err(bad)?),
                "call_time_limit" => read.call_time_limit = Some(seconds(&value).map_err(bad)?),
                "log" => read.log = Some(string(value).map_err(bad)?),
                "webhook_allow_private" => {
                    read.webhook_allow_private = Some(boolean(&value).map_err(bad)?);
                }
                "outgoing_ca" => read.outgoing_ca = Some(string(value).map_err(bad)?.into()),
                "smtp_url" => read.smtp_url = Some(string(value).map_err(bad)?),
                "mail_from" => read.mail_from = Some(string(value).map_err(bad)?),
                _ => return Err(Error::Unknown { file: file.to_owned(), key }),
            }
        }
        Ok(read)
    }
}

fn line_of(text: &str, at: usize) -> usize {
    1 + text.bytes().take(at).filter(|byte| *byte == b'\n').count()
}

fn string(value: Value) -> Result<String, &'static str> {
    match value {
        Value::String(text) if !text.is_empty() => Ok(text),
        _ => Err("a string in quotes, not empty"),
    }
}

fn boolean(value: &Value) -> Result<bool, &'static str> {
    value.as_bool().ok_or("true or false")
}

fn rate(value: &Value) -> Result<u32, &'static str> {
    let number = value.as_integer().and_then(|number| u32::try_from(number).ok());
    number.ok_or("a whole number of requests a second, 0 for no limit")
}

fn bytes(value: &Value) -> Result<u64, &'static str> {
    let number = value.as_integer().and_then(|number| u64::try_from(number).ok());
    let fits = number.filter(|number| (1..=BODY_LIMIT_MAX).contains(number));
    fits.ok_or("a whole number of bytes, 1 to 1073741824")
}

fn body_time(value: &Value) -> Result<u64, &'static str> {
    let fits = seconds(value).ok().filter(|number| *number <= BODY_TIME_MAX);
    fits.ok_or("a whole number of seconds, 1 to 86400")
}

fn seconds(value: &Value) -> Result<u64, &'static str> {
    let number = value.as_integer().and_then(|number| u64::try_from(number).ok());
    let fits = number.filter(|number| (1..=CALL_TIME_MAX).contains(number));
    fits.ok_or("a whole number of seconds, 1 to 2678400")
}

/// A setting that was given; an empty one was not, as with `TRUNKLINE_BASE_URL=` in a compose
/// file.
pub(crate) fn said(value: Option<String>) -> Option<String> {
    value.filter(|text| !text.is_empty())
}

/// Checks a base URL.
pub(crate) fn base_url(text: String) -> Result<String, Error> {
    let uri: Option<Uri> = text.parse().ok();
    let good = uri.is_some_and(|uri| {
        matches!(uri.scheme_str(), Some("http" | "https"))
            && uri.host().is_some_and(|host| !host.is_empty())
            && uri.query().is_none()
    });
    if good && !text.contains('#') { Ok(text) } else { Err(Error::BaseUrl(text)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<File, String> {
        File::read(Path::new("trunkline.toml"), text).map_err(|error| error.to_string())
    }

    #[test]
    fn every_key_is_read() {
        let text = r#"
            listen = "0.0.0.0:80"
            database = "sqlite:///var/lib/trunkline.db"
            base_url = "https://calls.example.com"
            tls_cert = "cert.pem"
            tls_key = "key.pem"
            rate_limit = 0
            body_limit = 1024
            body_time_limit = 20
            call_time_limit = 3600
            log = "debug"
            webhook_allow_private = true
            outgoing_ca = "ca.pem"
            smtp_url = "smtps://me:secret@mail.example.com"
            mail_from = "Trunkline <calls@example.com>"
        "#;
        let file = read(text).unwrap();
        assert_eq!(file.listen.as_deref(), Some("0.0.0.0:80"));
        assert_eq!(file.rate_limit, Some(0));
        assert_eq!(file.body_limit, Some(1024));
        assert_eq!(file.body_time_limit, Some(20));
        assert_eq!(file.call_time_limit, Some(3600));
        assert_eq!(file.webhook_allow_private, Some(true));
        for key in KEYS {
            assert!(read(text).is_ok() && text.contains(key), "{key} is read by no test");
        }
    }

    #[test]
    fn an_error_names_the_file_and_the_key() {
        assert!(read("lisen = 1").unwrap_err().starts_with("trunkline.toml: unknown key 'lisen'"));
        assert_eq!(
            read("rate_limit = -1").unwrap_err(),
            "trunkline.toml: 'rate_limit' must be a whole number of requests a second, 0 for no limit"
        );
        assert!(read("\nlisten =").unwrap_err().starts_with("trunkline.toml:2: "));
    }

    #[test]
    fn a_base_url_has_a_scheme_and_a_host() {
        for good in ["http://localhost:8080", "https://calls.example.com/network/"] {
            assert!(base_url(good.to_owned()).is_ok(), "{good}");
        }
        for bad in ["calls.example.com", "ftp://x", "http://", "/x", "https://x/?a", "https://x#a"]
        {
            assert!(base_url(bad.to_owned()).is_err(), "{bad}");
        }
    }
}
