//! Database URLs: `postgres://user:password@host:port/name`, with libpq's TLS parameters in the
//! query (`?sslmode=verify-full&sslrootcert=ca.pem`).

use super::tls::{Tls, TlsFiles, TlsMode};
use percent_encoding::percent_decode_str;
use std::path::PathBuf;
use tokio_postgres::Config;
use tokio_postgres::config::{Host, SslMode};

/// Removes the password and the query from a URL, for messages.
pub(crate) fn without_password(url: &str) -> String {
    let Some((scheme, rest)) =
        url.split_once("://").filter(|(scheme, _)| scheme.starts_with("postgres"))
    else {
        return url.to_owned();
    };
    let (user, location) = match rest.split_once('@') {
        Some((user, location)) => (user.split(':').next(), location),
        None => (None, rest),
    };
    let location = location.split('?').next().unwrap_or_default();
    let user = user.map(|user| format!("{user}@")).unwrap_or_default();
    format!("{scheme}://{user}{location}")
}

/// Parses a URL into the driver's configuration and the TLS settings. The error describes the problem
/// with it.
pub(super) fn parse(url: &str) -> Result<(Config, Tls), String> {
    let (plain, params) = split_tls_params(url)?;
    let mut config: Config =
        plain.parse().map_err(|error| super::connection::error_chain(&error))?;
    // As in libpq, a Unix socket is used without TLS.
    let local = config.get_hosts().iter().all(|host| !matches!(host, Host::Tcp(_)));
    let mode = if local { TlsMode::Disable } else { params.mode };
    config.ssl_mode(match mode {
        TlsMode::Disable => SslMode::Disable,
        TlsMode::Prefer => SslMode::Prefer,
        TlsMode::Require | TlsMode::VerifyCa | TlsMode::VerifyFull => SslMode::Require,
    });
    Ok((config, Tls::new(mode, &params.files)?))
}

/// TLS parameters of a URL.
#[derive(Debug, PartialEq, Eq)]
struct TlsParams {
    mode: TlsMode,
    files: TlsFiles,
}

/// Splits the TLS parameters, which the driver does not know, off a URL.
fn split_tls_params(url: &str) -> Result<(String, TlsParams), String> {
    let mut params = TlsParams { mode: TlsMode::Prefer, files: TlsFiles::default() };
    // A password may contain a question mark, so the query is searched behind the user.
    let host = url.find('@').unwrap_or(0);
    let Some(query) = url[host..].find('?').map(|index| host + index) else {
        return Ok((url.to_owned(), params));
    };
    let mut left = Vec::new();
    for pair in url[query + 1..].split('&') {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let value = percent_decode_str(value).decode_utf8();
        let value = value.map_err(|_| format!("{name} is not UTF-8"))?;
        let file = || {
            let given = Some(PathBuf::from(value.as_ref()));
            given
                .filter(|_| !value.is_empty())
                .ok_or_else(|| format!("{name} is empty: expected the name of a file"))
        };
        match name {
            "sslmode" => params.mode = TlsMode::parse(&value)?,
            "sslrootcert" => params.files.authorities = Some(file()?),
            "sslcert" => params.files.certificate = Some(file()?),
            "sslkey" => params.files.key = Some(file()?),
            _ => left.push(pair),
        }
    }
    let mut plain = url[..query].to_owned();
    if !left.is_empty() {
        plain = format!("{plain}?{}", left.join("&"));
    }
    Ok((plain, params))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_are_not_shown() {
        for (url, shown) in [
            ("postgres://trunk:secret@db:5432/line", "postgres://trunk@db:5432/line"),
            ("postgres://trunk@db/line?password=secret", "postgres://trunk@db/line"),
            ("postgresql://db/line", "postgresql://db/line"),
            ("sqlite://what?.db", "sqlite://what?.db"),
        ] {
            assert_eq!(without_password(url), shown);
        }
    }

    #[test]
    fn tls_parameters_are_split_off() {
        let (plain, params) = split_tls_params(
            "postgres://u:p?q@db/line?sslmode=verify-full&user=x&sslrootcert=/a%20b.pem\
             &sslcert=c.pem&sslkey=k.pem&channel_binding=require",
        )
        .unwrap();
        assert_eq!(plain, "postgres://u:p?q@db/line?user=x&channel_binding=require");
        assert_eq!(params.mode, TlsMode::VerifyFull);
        let file = |name: &str| Some(PathBuf::from(name));
        let files = TlsFiles {
            authorities: file("/a b.pem"),
            certificate: file("c.pem"),
            key: file("k.pem"),
        };
        assert_eq!(params.files, files);
        for (url, plain) in [
            ("postgres://u@db/line", "postgres://u@db/line"),
            ("postgres://u@db/line?sslmode=require", "postgres://u@db/line"),
        ] {
            assert_eq!(split_tls_params(url).unwrap().0, plain);
        }
    }

    #[test]
    fn invalid_parameters_are_named_in_the_error() {
        for (params, wrong) in [
            (
                "sslmode=always",
                "sslmode=always is not one of disable, prefer, require, verify-ca and verify-full",
            ),
            (
                "sslmode=",
                "sslmode= is not one of disable, prefer, require, verify-ca and verify-full",
            ),
            ("sslrootcert=", "sslrootcert is empty: expected the name of a file"),
            ("sslcert=c.pem", "sslcert and sslkey must be given together"),
            (
                "sslrootcert=/none.pem&sslmode=verify-ca",
                "cannot read the certificates in '/none.pem': No such file or directory (os error 2)",
            ),
            ("colour=blue", "invalid connection string: unknown option `colour`"),
        ] {
            let found = parse(&format!("postgres://u@db/line?{params}")).err();
            assert_eq!(found.as_deref(), Some(wrong), "{params}");
        }
    }

    #[test]
    fn sslmode_has_the_meaning_of_libpq() {
        for (params, mode) in [
            ("db/line", SslMode::Prefer),
            ("db/line?sslmode=disable", SslMode::Disable),
            ("db/line?sslmode=require", SslMode::Require),
            ("db/line?sslmode=verify-ca", SslMode::Require),
            ("db/line?sslmode=verify-full", SslMode::Require),
            ("%2Fvar%2Frun/line?sslmode=verify-full", SslMode::Disable),
        ] {
            let (config, _) = parse(&format!("postgres://u@{params}")).unwrap();
            assert_eq!(config.get_ssl_mode(), mode, "{params}");
        }
    }
}
