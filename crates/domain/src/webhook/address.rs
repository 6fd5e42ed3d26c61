//! Classification of IP addresses as public or not.
//!
//! A webhook may only target public addresses. Otherwise a client could make the server send
//! requests to hosts that the client cannot reach itself (server-side request forgery).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// IPv4 networks without public addresses, from the IANA special-purpose registry, as (first
/// address, prefix length).
const NON_PUBLIC_V4: [(Ipv4Addr, u32); 16] = [
    (Ipv4Addr::new(0, 0, 0, 0), 8),
    (Ipv4Addr::new(10, 0, 0, 0), 8),
    (Ipv4Addr::new(100, 64, 0, 0), 10),
    (Ipv4Addr::new(127, 0, 0, 0), 8),
    (Ipv4Addr::new(169, 254, 0, 0), 16),
    (Ipv4Addr::new(172, 16, 0, 0), 12),
    (Ipv4Addr::new(192, 0, 0, 0), 24),
    (Ipv4Addr::new(192, 0, 2, 0), 24),
    (Ipv4Addr::new(192, 88, 99, 0), 24),
    (Ipv4Addr::new(192, 168, 0, 0), 16),
    (Ipv4Addr::new(198, 18, 0, 0), 15),
    (Ipv4Addr::new(198, 51, 100, 0), 24),
    (Ipv4Addr::new(203, 0, 113, 0), 24),
    // Multicast, then the reserved block, which contains the broadcast address.
    (Ipv4Addr::new(224, 0, 0, 0), 4),
    (Ipv4Addr::new(240, 0, 0, 0), 4),
    // Metadata service of a cloud provider, in otherwise public address space.
    (Ipv4Addr::new(168, 63, 129, 16), 32),
];

/// IPv6 global unicast addresses (RFC 4291: 2000::/3), as (first address, prefix length).
const GLOBAL_UNICAST_V6: (Ipv6Addr, u32) = (Ipv6Addr::new(0x2000, 0, 0, 0, 0, 0, 0, 0), 3);
/// Networks of [`GLOBAL_UNICAST_V6`] without public addresses.
const NON_PUBLIC_V6: [(Ipv6Addr, u32); 4] = [
    // Protocol assignments, among them Teredo and ORCHID.
    (Ipv6Addr::new(0x2001, 0, 0, 0, 0, 0, 0, 0), 23),
    (Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0), 32),
    // 6to4: an address embeds any IPv4 address.
    (Ipv6Addr::new(0x2002, 0, 0, 0, 0, 0, 0, 0), 16),
    (Ipv6Addr::new(0x3fff, 0, 0, 0, 0, 0, 0, 0), 20),
];

/// Well-known NAT64 prefix (RFC 6052), by which IPv6-only networks reach IPv4. The IPv4 address is
/// in the last 32 bits.
const NAT64: (Ipv6Addr, u32) = (Ipv6Addr::new(0x64, 0xff9b, 0, 0, 0, 0, 0, 0), 96);

/// Returns true if an address is public: not loopback, private, shared, link-local, multicast,
/// unspecified, reserved, for documentation, or an IPv4 address mapped to an IPv6 one.
pub fn is_public_address(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => !NON_PUBLIC_V4.iter().any(|network| is_in_v4(address, *network)),
        IpAddr::V6(address) if is_in_v6(address, NAT64) => {
            let embedded = u32::try_from(address.to_bits() & u128::from(u32::MAX)).unwrap_or(0);
            is_public_address(IpAddr::V4(Ipv4Addr::from_bits(embedded)))
        }
        IpAddr::V6(address) => {
            let is_non_public = NON_PUBLIC_V6.iter().any(|network| is_in_v6(address, *network));
            is_in_v6(address, GLOBAL_UNICAST_V6) && !is_non_public
        }
    }
}

/// Returns true if an address is in the network of a (first address, prefix length) pair.
fn is_in_v4(address: Ipv4Addr, network: (Ipv4Addr, u32)) -> bool {
    let (first_address, prefix_length) = network;
    (address.to_bits() ^ first_address.to_bits()).leading_zeros() >= prefix_length
}

/// Returns true if an address is in the network of a (first address, prefix length) pair.
fn is_in_v6(address: Ipv6Addr, network: (Ipv6Addr, u32)) -> bool {
    let (first_address, prefix_length) = network;
    (address.to_bits() ^ first_address.to_bits()).leading_zeros() >= prefix_length
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn public_and_non_public_addresses_are_distinguished() {
        for non_public in [
            "0.0.0.0",
            "0.1.2.3",
            "10.0.0.1",
            "100.64.0.1",
            "100.127.255.255",
            "100.100.100.200",
            "127.0.0.1",
            "127.255.255.254",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.192",
            "192.0.2.1",
            "192.168.1.1",
            "198.18.0.1",
            "198.51.100.7",
            "203.0.113.7",
            "224.0.0.1",
            "239.255.255.255",
            "240.0.0.1",
            "255.255.255.255",
            "168.63.129.16",
            "::",
            "::1",
            "::ffff:127.0.0.1",
            "::ffff:8.8.8.8",
            "::127.0.0.1",
            "fe80::1",
            "fec0::1",
            "fc00::1",
            "fd00:ec2::254",
            "ff02::1",
            "2001::1",
            "2001:db8::1",
            "2002:7f00:1::",
            "3fff::1",
            "64:ff9b::7f00:1",
            "64:ff9b:1::1",
            "100::1",
            "5f00::1",
        ] {
            assert!(!is_public_address(non_public.parse().unwrap()), "{non_public}");
        }
        for public in [
            "1.1.1.1",
            "8.8.8.8",
            "9.255.255.255",
            "11.0.0.0",
            "100.63.255.255",
            "100.128.0.0",
            "126.255.255.255",
            "128.0.0.0",
            "172.15.255.255",
            "172.32.0.0",
            "192.0.1.0",
            "198.17.255.255",
            "223.255.255.255",
            "2606:4700:4700::1111",
            "2a00:1450::1",
            "64:ff9b::808:808",
        ] {
            assert!(is_public_address(public.parse().unwrap()), "{public}");
        }
    }
}
