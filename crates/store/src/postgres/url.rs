//! How a PostgreSQL server is named: `postgres://user:password@host:port/name`, with what libpq's words
//! say of TLS behind it (`?sslmode=verify-full&sslrootcert=ca.pem`).

use super::tls::{Files, Mode, Tls};
use percent_encoding::percent_decode_str;
use std::path::PathBuf;
use tokio_postgres::Config;
use tokio_postgres::config::{Host, SslMode};

/// A URL as it may be shown: without a password, and without what stands behind it.
pub(crate) fn without_password(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://").filter(|(it, _)| it.starts_with("postgres"))
    else {
        return url.to_owned();
    };
    let (user, place) = match rest.split_once('@') {
        Some((user, place)) => (user.split(':').next(), place),
        None => (None, rest),
    };
    let place = place.split('?').next().unwrap_or_default();
    let user = user.map(|user| format!("{user}@")).unwrap_or_default();
    format!("{scheme}://{user}{place}")
}

/// What a URL says of the server, and of TLS to it; else what is wrong with it.
pub(super) fn read(url: &str) -> Result<(Config, Tls), String> {
    let (plain, said) = without_tls(url)?;
    let mut config: Config = plain.parse().map_err(|error| super::connection::chain(&error))?;
    // As libpq has it: there is nobody in between on a socket of this machine.
    let local = config.get_hosts().iter().all(|host| !matches!(host, Host::Tcp(_)));
    let mode = if local { Mode::Disable } else { said.mode };
    config.ssl_mode(match mode {
        Mode::Disable => SslMode::Disable,
        Mode::Prefer => SslMode::Prefer,
        Mode::Require | Mode::VerifyCa | Mode::VerifyFull => SslMode::Require,
    });
    Ok((config, Tls::new(mode, &said.files)?))
}

/// What a URL says of TLS.
#[derive(Debug, PartialEq, Eq)]
struct Said {
    mode: Mode,
    files: Files,
}

/// A URL without what it says of TLS, which the driver does not know.
fn without_tls(url: &str) -> Result<(String, Said), String> {
    let mut said = Said { mode: Mode::Prefer, files: Files::default() };
    // A password may hold a question mark, so what is asked for is looked for behind it.
    let host = url.find('@').unwrap_or(0);
    let Some(at) = url[host..].find('?').map(|at| host + at) else {
        return Ok((url.to_owned(), said));
    };
    let mut left = Vec::new();
    for pair in url[at + 1..].split('&') {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let value = percent_decode_str(value).decode_utf8();
        let value = value.map_err(|_| format!("{name} is not UTF-8"))?;
        let file = || {
            let given = Some(PathBuf::from(value.as_ref()));
            given.filter(|_| !value.is_empty()).ok_or_else(|| format!("{name} names no file"))
        };
        match name {
            "sslmode" => said.mode = Mode::parse(&value)?,
            "sslrootcert" => said.files.authorities = Some(file()?),
            "sslcert" => said.files.certificate = Some(file()?),
            "sslkey" => said.files.key = Some(file()?),
            _ => left.push(pair),
        }
    }
    let mut plain = url[..at].to_owned();
    if !left.is_empty() {
        plain = format!("{plain}?{}", left.join("&"));
    }
    Ok((plain, said))
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
    fn what_is_said_of_tls_is_taken_off() {
        let (plain, said) = without_tls(
            "postgres://u:p?q@db/line?sslmode=verify-full&user=x&sslrootcert=/a%20b.pem\
             &sslcert=c.pem&sslkey=k.pem&channel_binding=require",
        )
        .unwrap();
        assert_eq!(plain, "postgres://u:p?q@db/line?user=x&channel_binding=require");
        assert_eq!(said.mode, Mode::VerifyFull);
        let file = |name: &str| Some(PathBuf::from(name));
        let files =
            Files { authorities: file("/a b.pem"), certificate: file("c.pem"), key: file("k.pem") };
        assert_eq!(said.files, files);
        for (url, plain) in [
            ("postgres://u@db/line", "postgres://u@db/line"),
            ("postgres://u@db/line?sslmode=require", "postgres://u@db/line"),
        ] {
            assert_eq!(without_tls(url).unwrap().0, plain);
        }
    }

    #[test]
    fn what_cannot_be_is_named() {
        for (said, wrong) in [
            (
                "sslmode=always",
                "sslmode=always is none of disable, prefer, require, verify-ca and verify-full",
            ),
            ("sslmode=", "sslmode= is none of disable, prefer, require, verify-ca and verify-full"),
            ("sslrootcert=", "sslrootcert names no file"),
            ("sslcert=c.pem", "sslcert and sslkey go together"),
            (
                "sslrootcert=/none.pem&sslmode=verify-ca",
                "cannot read the certificates in '/none.pem': No such file or directory (os error 2)",
            ),
            ("colour=blue", "invalid connection string: unknown option `colour`"),
        ] {
            let found = read(&format!("postgres://u@db/line?{said}")).err();
            assert_eq!(found.as_deref(), Some(wrong), "{said}");
        }
    }

    #[test]
    fn modes_are_libpqs() {
        for (said, mode) in [
            ("db/line", SslMode::Prefer),
            ("db/line?sslmode=disable", SslMode::Disable),
            ("db/line?sslmode=require", SslMode::Require),
            ("db/line?sslmode=verify-ca", SslMode::Require),
            ("db/line?sslmode=verify-full", SslMode::Require),
            ("%2Fvar%2Frun/line?sslmode=verify-full", SslMode::Disable),
        ] {
            let (config, _) = read(&format!("postgres://u@{said}")).unwrap();
            assert_eq!(config.get_ssl_mode(), mode, "{said}");
        }
    }
}
