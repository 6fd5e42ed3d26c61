//! Clients by network address: the address behind trusted proxies, and the number of connections.

use axum::http::HeaderMap;
use ipnet::IpNet;
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use trunkline_network::network_of;

/// Concurrent connections of one address, by default.
pub(crate) const DEFAULT_CONNECTIONS_PER_ADDRESS: usize = 1_000;

/// Settings for clients by address.
#[derive(Debug, Clone)]
pub(crate) struct ClientSettings {
    /// Trusted proxies, whose `X-Forwarded-For` determines the client. Their connections are not limited.
    pub(crate) trusted_proxies: Vec<IpNet>,
    /// Concurrent connections of one address; 0 for no limit.
    pub(crate) connections_per_address: usize,
}

impl Default for ClientSettings {
    fn default() -> Self {
        Self {
            trusted_proxies: Vec::new(),
            connections_per_address: DEFAULT_CONNECTIONS_PER_ADDRESS,
        }
    }
}

impl ClientSettings {
    fn is_trusted(&self, address: IpAddr) -> bool {
        self.trusted_proxies.iter().any(|network| network.contains(&address))
    }

    /// Returns the address of the client of a request: that of the peer, or, if the peer is a trusted
    /// proxy, the last address in `X-Forwarded-For` that is not one. The client can
    /// write anything into the entries before it.
    pub(super) fn client_address(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        let mut client = peer;
        if !self.is_trusted(peer) {
            return client;
        }
        let values: Vec<&str> = headers
            .get_all("x-forwarded-for")
            .iter()
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(','))
            .collect();
        for value in values.into_iter().rev() {
            let Some(address) = parse_address(value.trim()) else { return client };
            client = address;
            if !self.is_trusted(address) {
                return client;
            }
        }
        client
    }
}

/// Parses an entry of `X-Forwarded-For`: an address, or an address with a port.
fn parse_address(text: &str) -> Option<IpAddr> {
    let address = text.parse::<IpAddr>().ok();
    let address =
        address.or_else(|| text.parse::<std::net::SocketAddr>().ok().map(|socket| socket.ip()));
    address
        .or_else(|| text.strip_prefix('[')?.strip_suffix(']')?.parse().ok())
        .map(|it| it.to_canonical())
}

/// Numbers of connections by address; of IPv6 addresses the first 64 bits count.
#[derive(Debug, Clone, Default)]
pub(super) struct ConnectionCounts(Arc<Mutex<HashMap<IpAddr, usize>>>);

/// Counted connection. Dropping it ends the count.
#[derive(Debug)]
pub(super) struct CountedConnection {
    counts: ConnectionCounts,
    network: IpAddr,
}

impl ConnectionCounts {
    /// Counts a connection. Returns `None` if its address has as many as the settings allow.
    pub(super) fn count(
        &self,
        peer: IpAddr,
        settings: &ClientSettings,
    ) -> Option<CountedConnection> {
        let network = network_of(peer);
        let is_limited = settings.connections_per_address > 0 && !settings.is_trusted(peer);
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = counts.entry(network).or_default();
        if is_limited && *count >= settings.connections_per_address {
            return None;
        }
        *count += 1;
        Some(CountedConnection { counts: self.clone(), network })
    }
}

impl Drop for CountedConnection {
    fn drop(&mut self) {
        let mut counts = self.counts.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = counts.get_mut(&self.network) {
            *count -= 1;
            if *count == 0 {
                counts.remove(&self.network);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;
    use proptest::prelude::*;

    fn address(text: &str) -> IpAddr {
        text.parse().expect("an address")
    }

    fn behind_proxy() -> ClientSettings {
        let trusted_proxies = ["127.0.0.1/32", "10.0.0.0/8", "fd00::/8"];
        ClientSettings {
            trusted_proxies: trusted_proxies.iter().map(|net| net.parse().expect("net")).collect(),
            connections_per_address: 2,
        }
    }

    #[test]
    fn client_is_the_last_untrusted_address() {
        let client = |peer: &str, forwarded: &[&'static str]| {
            let mut headers = HeaderMap::new();
            for value in forwarded {
                headers.append("x-forwarded-for", HeaderValue::from_static(value));
            }
            behind_proxy().client_address(address(peer), &headers).to_string()
        };
        assert_eq!(client("203.0.113.9", &["198.51.100.1"]), "203.0.113.9");
        assert_eq!(client("10.1.1.1", &["198.51.100.1"]), "198.51.100.1");
        assert_eq!(client("10.1.1.1", &["6.6.6.6, 198.51.100.1, 10.2.2.2"]), "198.51.100.1");
        assert_eq!(
            client("10.1.1.1", &["6.6.6.6", "198.51.100.1:4711, 127.0.0.1"]),
            "198.51.100.1"
        );
        assert_eq!(client("10.1.1.1", &["[2001:db8::7]"]), "2001:db8::7");
        assert_eq!(client("10.1.1.1", &[]), "10.1.1.1");
        assert_eq!(client("10.1.1.1", &["6.6.6.6, unknown"]), "10.1.1.1");
        assert_eq!(client("10.1.1.1", &["10.3.3.3"]), "10.3.3.3");
    }

    /// Pieces of `X-Forwarded-For`.
    const FORWARDED_FRAGMENTS: &[&str] = &[
        "10.2.2.2",
        "6.6.6.6",
        "198.51.100.1:4711",
        "[2001:db8::7]",
        "[2001:db8::7]:80",
        "fd00::1",
        "::ffff:10.0.0.1",
        ",",
        ", ",
        " ",
        "[",
        "]",
        ":",
        "unknown",
        "999.1.1.1",
        "\u{fc}",
    ];

    proptest! {
        #[test]
        fn any_forwarded_header_is_read(
            lines in prop::collection::vec(
                prop_oneof![
                    prop::collection::vec(prop::sample::select(FORWARDED_FRAGMENTS), 0..8)
                        .prop_map(|parts| parts.concat().into_bytes()),
                    prop::collection::vec(any::<u8>(), 0..40),
                ],
                0..4,
            ),
        ) {
            let mut headers = HeaderMap::new();
            for line in &lines {
                if let Ok(value) = HeaderValue::from_bytes(line) {
                    headers.append("x-forwarded-for", value);
                }
            }
            let settings = behind_proxy();
            let stranger = address("203.0.113.9");
            prop_assert_eq!(settings.client_address(stranger, &headers), stranger);
            let proxy = address("10.1.1.1");
            let client = settings.client_address(proxy, &headers);
            let values = headers.get_all("x-forwarded-for").iter();
            let mut entries = values
                .filter_map(|value| value.to_str().ok())
                .flat_map(|value| value.split(','))
                .filter_map(|entry| parse_address(entry.trim()));
            prop_assert!(client == proxy || entries.any(|entry| entry == client));
        }
    }

    #[test]
    fn connections_of_an_address_are_limited() {
        let counts = ConnectionCounts::default();
        let settings = behind_proxy();
        let count = |peer: &str| counts.count(address(peer), &settings);
        let first = count("203.0.113.9");
        let second = count("203.0.113.9");
        assert!(first.is_some() && second.is_some());
        assert!(count("203.0.113.9").is_none());
        assert!(count("203.0.113.8").is_some());
        drop(first);
        assert!(count("203.0.113.9").is_some());
        let of_network = [count("2001:db8::1"), count("2001:db8::2"), count("2001:db8::3")];
        assert_eq!(of_network.iter().flatten().count(), 2);
        let of_proxy = [count("10.1.1.1"), count("10.1.1.1"), count("10.1.1.1")];
        assert_eq!(of_proxy.iter().flatten().count(), 3);
    }
}
