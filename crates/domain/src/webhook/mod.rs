//! Webhooks: where a network's events are sent, what signs them, and when it is tried again.

mod address;
mod url;

pub use address::is_public;
pub use url::{Host, WebhookUrl};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::{SignedDuration, Timestamp};
use std::fmt;

/// Webhooks that one network can have.
pub const WEBHOOK_LIMIT: usize = 20;

/// How long a delivery is tried.
pub const GIVE_UP_AFTER: SignedDuration = SignedDuration::from_hours(24);

/// Who is told of a network's events.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Webhook {
    /// Ours; 0 until stored.
    pub id: i64,
    /// The network.
    pub network_id: i64,
    /// Where events are sent.
    pub url: WebhookUrl,
    /// Which ([`crate::event::KINDS`]); all of them when there are none.
    pub kinds: Vec<String>,
    /// What it is for.
    pub description: Option<String>,
    /// What signs them.
    pub secret: Secret,
    /// When it was made.
    pub created_at: Timestamp,
}

impl Webhook {
    /// Whether it is told of a type of event.
    pub fn wants(&self, kind: &str) -> bool {
        self.kinds.is_empty() || self.kinds.iter().any(|wanted| wanted == kind)
    }
}

/// A secret of the Standard Webhooks scheme: `whsec_` and 24 to 64 bytes in base64.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

/// What the text of a secret starts with.
const PREFIX: &str = "whsec_";

impl Secret {
    /// A secret of random bytes.
    pub fn new(bytes: &[u8; 32]) -> Self {
        Self(format!("{PREFIX}{}", STANDARD.encode(bytes)))
    }

    /// Reads a secret's text.
    pub fn parse(text: &str) -> Option<Self> {
        let bytes = STANDARD.decode(text.strip_prefix(PREFIX)?).ok()?;
        (24..=64).contains(&bytes.len()).then(|| Self(text.to_owned()))
    }

    /// The text, for whoever is to verify signatures.
    pub fn text(&self) -> &str {
        &self.0
    }

    /// The key.
    pub fn key(&self) -> Vec<u8> {
        STANDARD.decode(self.0.trim_start_matches(PREFIX)).unwrap_or_default()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// The waits between attempts, as multiples of the first; the last is repeated. With a first wait
/// of 5 seconds: 5 s, 30 s, 2 min, 10 min, 30 min, 1 h, and then 3 h.
const WAITS: [i32; 7] = [1, 6, 24, 120, 360, 720, 2_160];

/// How long to wait after so many attempts (from 1): up to a tenth longer, by `jitter` (0–255), so
/// that what failed together does not come back together.
pub fn wait_after(attempts: u32, first: SignedDuration, jitter: u8) -> SignedDuration {
    let at = usize::try_from(attempts.saturating_sub(1)).unwrap_or(usize::MAX);
    let times = WAITS.get(at).or(WAITS.last()).copied().unwrap_or(1);
    let wait = first.checked_mul(times).unwrap_or(GIVE_UP_AFTER);
    let more = wait.as_millis().saturating_mul(i128::from(jitter)) / 2_550;
    wait.saturating_add(SignedDuration::from_millis(i64::try_from(more).unwrap_or(0)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_read_as_it_is_written() {
        let made = Secret::new(&[7; 32]);
        assert_eq!(Secret::parse(made.text()), Some(made.clone()));
        assert_eq!(made.key(), [7; 32]);
        assert!(!format!("{made:?}").contains("Bwc"), "a secret is not printed");
        for bad in ["", "whsec_", "whsec_AAAA", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_é"] {
            assert_eq!(Secret::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn waits_grow_to_three_hours_and_are_a_tenth_longer_at_most() {
        let first = SignedDuration::from_secs(5);
        let seconds = |attempts| wait_after(attempts, first, 0).as_secs();
        assert_eq!(
            [1, 2, 3, 4, 5, 6, 7, 8, 1_000].map(seconds),
            [5, 30, 120, 600, 1_800, 3_600, 10_800, 10_800, 10_800]
        );
        assert_eq!(wait_after(1, first, 255).as_millis(), 5_500);
    }
}
