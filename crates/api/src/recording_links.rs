//! Links to recordings: signed, so that they need no credential, and valid for a limited time.

use jiff::Timestamp;
use sha2::{Digest, Sha256};
use trunkline_domain::id::NetworkId;

/// Lifetime of a link in seconds, from and to, both included: one minute to one week.
pub(crate) const LINK_SECONDS: [u32; 2] = [60, 604_800];
/// Block size of SHA-256, in bytes.
const BLOCK_BYTES: usize = 64;

/// Recording that a link leads to, and the end of the link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RecordingLink<'a> {
    pub(crate) network: NetworkId,
    pub(crate) complete_call_id: &'a str,
    /// Time from which the link is rejected, in seconds since 1970.
    pub(crate) expires_at: i64,
}

impl<'a> RecordingLink<'a> {
    /// Returns the token of the link: `<complete_call_id>.<expires_at>.<signature>`.
    pub(crate) fn to_token(&self, key: &str) -> String {
        format!("{}.{}.{}", self.complete_call_id, self.expires_at, self.sign(key))
    }

    /// Splits a token into the link, which is not verified, and its signature.
    pub(crate) fn parse(network: NetworkId, token: &'a str) -> Option<(Self, &'a str)> {
        let (link, signature) = token.rsplit_once('.')?;
        let (complete_call_id, expires_at) = link.split_once('.')?;
        let expires_at = expires_at.parse().ok()?;
        Some((Self { network, complete_call_id, expires_at }, signature))
    }

    /// Returns true if a signature belongs to the link and the link has not ended.
    pub(crate) fn is_valid(&self, key: &str, signature: &str, now: Timestamp) -> bool {
        let expected = Sha256::digest(self.sign(key));
        // The digests of both are compared, so that the time of the comparison tells nothing about them.
        expected == Sha256::digest(signature) && now.as_second() < self.expires_at
    }

    /// HMAC-SHA256 of network, call and end, in hexadecimal digits.
    fn sign(&self, key: &str) -> String {
        let Self { network, complete_call_id, expires_at } = self;
        let message = format!("{network}.{complete_call_id}.{expires_at}");
        to_hex(&hmac_sha256(key.as_bytes(), message.as_bytes()))
    }
}

fn to_hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// HMAC-SHA256 (RFC 2104).
fn hmac_sha256(key: &[u8], message: &[u8]) -> [u8; 32] {
    let mut block = [0_u8; BLOCK_BYTES];
    if key.len() > BLOCK_BYTES {
        block[..32].copy_from_slice(&Sha256::digest(key));
    } else {
        block[..key.len()].copy_from_slice(key);
    }
    let inner = Sha256::new().chain_update(block.map(|byte| byte ^ 0x36)).chain_update(message);
    let outer = Sha256::new().chain_update(block.map(|byte| byte ^ 0x5c));
    outer.chain_update(inner.finalize()).finalize().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Test cases 1, 2 and 6 of RFC 4231.
    #[test]
    fn hmac_matches_rfc_4231() {
        let cases: [(&[u8], &[u8], &str); 3] = [
            (
                &[0x0b; 20],
                b"Hi There",
                "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7",
            ),
            (
                b"Jefe",
                b"what do ya want for nothing?",
                "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
            ),
            (
                &[0xaa; 131],
                b"Test Using Larger Than Block-Size Key - Hash Key First",
                "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54",
            ),
        ];
        for (key, message, expected) in cases {
            assert_eq!(to_hex(&hmac_sha256(key, message)), expected);
        }
    }

    #[test]
    fn changed_or_ended_link_is_invalid() {
        let network = NetworkId::new(1);
        let link = RecordingLink { network, complete_call_id: "C0FFEE", expires_at: 1_000 };
        let token = link.to_token("key");
        let is_valid = |network, token: &str, key, second| {
            let now = Timestamp::from_second(second).unwrap();
            let parsed = RecordingLink::parse(network, token);
            parsed.is_some_and(|(link, signature)| link.is_valid(key, signature, now))
        };
        assert!(is_valid(network, &token, "key", 999));
        assert!(!is_valid(network, &token, "key", 1_000));
        assert!(!is_valid(network, &token, "other key", 999));
        assert!(!is_valid(NetworkId::new(2), &token, "key", 999));
        let later = token.replace(".1000.", ".2000.");
        let other_call = token.replace("C0FFEE", "C0FFEF");
        for changed in
            [later.as_str(), &other_call, "", "a", "a.b", "a.b.c", &token[..token.len() - 1]]
        {
            assert!(!is_valid(network, changed, "key", 999), "{changed}");
        }
    }
}
