//! Target URL of a webhook: http or https, parsed strictly.
//!
//! Spellings that browsers tolerate are rejected: an IPv4 address as one number, in hexadecimal or
//! octal, or with missing parts. So this parser and the HTTP client cannot disagree about the host
//! of a URL.

use crate::problem::INVALID;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Maximum length of a URL, in bytes.
const MAX_URL_BYTES: usize = 2_000;

/// Valid target URL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebhookUrl {
    text: String,
    is_https: bool,
    host: Host,
    port: u16,
    target: String,
}

/// Host of a URL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Host {
    /// Host name in lower case, to be resolved.
    Name(String),
    /// IP address.
    Address(IpAddr),
}

impl WebhookUrl {
    /// Parses a URL. The error is a validation message.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        if text.len() > MAX_URL_BYTES {
            return Err("is too long (maximum is 2000 characters)");
        }
        let is_url_byte = |byte: u8| byte.is_ascii_graphic() && !b"\"<>\\^`{|}#".contains(&byte);
        if !text.bytes().all(is_url_byte) {
            return Err(INVALID);
        }
        let (scheme, rest) = text.split_once("://").ok_or(INVALID)?;
        let is_https = match scheme.to_ascii_lowercase().as_str() {
            "https" => true,
            "http" => false,
            _ => return Err("must be an http or https URL"),
        };
        let authority_end = rest.find(['/', '?']).unwrap_or(rest.len());
        let (authority, target) = rest.split_at(authority_end);
        if authority.contains('@') {
            return Err("must have no user name or password");
        }
        let (host, port) = split_port(authority).ok_or(INVALID)?;
        let port = match port {
            None if is_https => 443,
            None => 80,
            Some(port) => parse_port(port).ok_or(INVALID)?,
        };
        let target = if target.starts_with('/') { target.to_owned() } else { format!("/{target}") };
        Ok(Self { text: text.to_owned(), is_https, host: parse_host(host)?, port, target })
    }

    /// The URL as given.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Returns true if the scheme is https.
    pub fn is_https(&self) -> bool {
        self.is_https
    }

    /// The host.
    pub fn host(&self) -> &Host {
        &self.host
    }

    /// The port of the URL, or the default port of the scheme.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The path and the query, starting with a slash.
    pub fn target(&self) -> &str {
        &self.target
    }

    /// The value of the `Host` header: host and, unless it is the scheme's default, port.
    pub fn authority(&self) -> String {
        let host = match &self.host {
            Host::Name(name) => name.clone(),
            Host::Address(IpAddr::V4(address)) => address.to_string(),
            Host::Address(IpAddr::V6(address)) => format!("[{address}]"),
        };
        let default_port = if self.is_https { 443 } else { 80 };
        if self.port == default_port { host } else { format!("{host}:{}", self.port) }
    }
}

/// Splits an authority into the host and the port, if there is one.
fn split_port(authority: &str) -> Option<(&str, Option<&str>)> {
    if authority.starts_with('[') {
        let (host, rest) = authority.split_at(authority.find(']')? + 1);
        return match rest.strip_prefix(':') {
            None if rest.is_empty() => Some((host, None)),
            port => port.map(|port| (host, Some(port))),
        };
    }
    Some(match authority.split_once(':') {
        Some((host, port)) => (host, Some(port)),
        None => (authority, None),
    })
}

fn parse_port(text: &str) -> Option<u16> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|port| digits && *port != 0)
}

fn parse_host(text: &str) -> Result<Host, &'static str> {
    if let Some(inner) = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        let address: Ipv6Addr = inner.parse().map_err(|_| INVALID)?;
        return Ok(Host::Address(IpAddr::V6(address)));
    }
    let name = text.strip_suffix('.').unwrap_or(text).to_ascii_lowercase();
    let last = name.rsplit('.').next().unwrap_or_default();
    // Every URL parser takes a host whose last label is a number for an IPv4 address.
    if last.bytes().all(|byte| byte.is_ascii_digit()) || last.starts_with("0x") {
        let address: Option<Ipv4Addr> = name.parse().ok();
        return address
            .map(|address| Host::Address(IpAddr::V4(address)))
            .ok_or("must name an address by four decimal numbers");
    }
    let is_label = |label: &str| {
        let inner = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
        (1..=63).contains(&label.len()) && label.bytes().all(inner)
    };
    if name.len() > 253 || !name.split('.').all(is_label) {
        return Err(INVALID);
    }
    Ok(Host::Name(name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn url_is_split_into_its_parts() {
        let url = WebhookUrl::parse("HTTPS://Hooks.Example.com:8443/a/b?c=d").unwrap();
        assert_eq!(url.host(), &Host::Name("hooks.example.com".to_owned()));
        assert!(url.is_https());
        assert_eq!((url.port(), url.target()), (8_443, "/a/b?c=d"));
        assert_eq!(url.authority(), "hooks.example.com:8443");
        let url = WebhookUrl::parse("http://[2606:4700::1]?x").unwrap();
        assert_eq!((url.port(), url.target()), (80, "/?x"));
        assert_eq!(url.authority(), "[2606:4700::1]");
        assert_eq!(WebhookUrl::parse("http://1.2.3.4").unwrap().authority(), "1.2.3.4");
    }

    #[test]
    fn ambiguous_spellings_are_rejected() {
        for malformed in [
            "",
            "x",
            "http://",
            "http:///x",
            "ftp://example.com",
            "file:///etc/passwd",
            "//a.com",
            "http:a.com",
            "javascript:alert(1)",
            "http://u:p@example.com",
            "http://u@example.com",
            "http://127.0.0.1@example.com",
            "http://example.com@127.0.0.1",
            "http://2130706433/",
            "http://0x7f000001/",
            "http://0x7f.1/",
            "http://0177.0.0.1/",
            "http://127.1/",
            "http://127.0.1/",
            "http://0/",
            "http://0x/",
            "http://1.2.3.4.5/",
            "http://127.0.0.01/",
            "http://256.0.0.1/",
            "http://example.com:0/",
            "http://a:b/",
            "http://example.com:/",
            "http://example.com:99999/",
            "http://[::1",
            "http://[::1%25lo]/",
            "http://[1.2.3.4]/",
            "http://%31%32%37.0.0.1/",
            "http://１２７.0.0.1/",
            "http://a b/",
            "http://exa\\mple.com/",
            "http://example.com/\r\nX: y",
            "http://a..b/",
            "http://.a/",
            "http://example.com/#part",
            "http://localhost\\@example.com/",
            "http://::1/",
        ] {
            assert!(WebhookUrl::parse(malformed).is_err(), "{malformed}");
        }
        assert!(WebhookUrl::parse(&format!("http://a/{}", "x".repeat(2_000))).is_err());
    }

    proptest! {
        /// A text is rejected, or the URL rebuilt from its parts has the same parts.
        #[test]
        fn parsing_is_stable(text in "(https?://)?[a-z0-9.:\\[\\]@/?%-]{0,40}") {
            if let Ok(url) = WebhookUrl::parse(&text) {
                let scheme = if url.is_https() { "https" } else { "http" };
                let rebuilt = format!("{scheme}://{}{}", url.authority(), url.target());
                let reparsed = WebhookUrl::parse(&rebuilt).unwrap();
                prop_assert_eq!(reparsed.host(), url.host());
                prop_assert_eq!((reparsed.port(), reparsed.target()), (url.port(), url.target()));
            }
        }
    }
}
