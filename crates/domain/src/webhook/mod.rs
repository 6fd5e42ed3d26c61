//! Webhooks: target URL, signing secret and retry schedule of event deliveries.

mod address;
mod url;

use crate::id::{NetworkId, WebhookId};
pub use address::is_public_address;
pub use url::{Host, WebhookUrl};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::{SignedDuration, Timestamp};
use std::fmt;

/// Maximum number of webhooks of a network.
pub const MAX_WEBHOOKS: usize = 20;

/// Age at which a delivery that did not succeed is given up.
pub const MAX_DELIVERY_AGE: SignedDuration = SignedDuration::from_hours(24);

/// Time for which deliveries are also signed with the secret that was rotated out.
pub const SECRET_OVERLAP: SignedDuration = SignedDuration::from_hours(24);

/// Subscription of a URL to a network's events.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Webhook {
    /// Id.
    pub id: WebhookId,
    /// Network whose events are sent.
    pub network_id: NetworkId,
    /// Target URL.
    pub url: WebhookUrl,
    /// Subscribed event types ([`crate::event::EVENT_TYPES`]). Empty means all types.
    pub event_types: Vec<String>,
    /// Purpose of the webhook, free text.
    pub description: Option<String>,
    /// Secret that signs the deliveries.
    pub secret: SigningSecret,
    /// Secret that was rotated out, which also signs the deliveries until it expires.
    pub previous_secret: Option<PreviousSecret>,
    /// Time of creation.
    pub created_at: Timestamp,
}

/// Secret that was replaced by another one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PreviousSecret {
    /// The secret.
    pub secret: SigningSecret,
    /// Time from which it no longer signs deliveries.
    pub expires_at: Timestamp,
}

impl Webhook {
    /// Secrets that sign a delivery at a time: the current one, then the one that was rotated out.
    pub fn signing_secrets(&self, now: Timestamp) -> impl Iterator<Item = &SigningSecret> {
        let previous = self.previous_secret.as_ref().filter(|previous| now < previous.expires_at);
        std::iter::once(&self.secret).chain(previous.map(|previous| &previous.secret))
    }

    /// Replaces the secret. The one it had goes on signing for [`SECRET_OVERLAP`].
    pub fn rotate_secret(&mut self, secret: SigningSecret, now: Timestamp) {
        let replaced = std::mem::replace(&mut self.secret, secret);
        let expires_at = now.saturating_add(SECRET_OVERLAP).unwrap_or(now);
        self.previous_secret = Some(PreviousSecret { secret: replaced, expires_at });
    }

    /// Returns true if the webhook is subscribed to an event type.
    pub fn is_subscribed_to(&self, kind: &str) -> bool {
        self.event_types.is_empty() || self.event_types.iter().any(|subscribed| subscribed == kind)
    }
}

/// Signing secret of the Standard Webhooks scheme: `whsec_` and 24–64 bytes in base64. The `Debug`
/// output does not contain the secret.
#[derive(Clone, PartialEq, Eq)]
pub struct SigningSecret(String);

const SECRET_PREFIX: &str = "whsec_";

impl SigningSecret {
    /// Creates a secret from random bytes.
    pub fn new(bytes: &[u8; 32]) -> Self {
        Self(format!("{SECRET_PREFIX}{}", STANDARD.encode(bytes)))
    }

    /// Parses the text form of a secret.
    pub fn parse(text: &str) -> Option<Self> {
        let bytes = STANDARD.decode(text.strip_prefix(SECRET_PREFIX)?).ok()?;
        (24..=64).contains(&bytes.len()).then(|| Self(text.to_owned()))
    }

    /// The text form, which the receiver needs to verify signatures.
    pub fn text(&self) -> &str {
        &self.0
    }

    /// The HMAC key.
    pub fn key(&self) -> Vec<u8> {
        STANDARD.decode(self.0.trim_start_matches(SECRET_PREFIX)).unwrap_or_default()
    }
}

impl fmt::Debug for SigningSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// Delays between attempts as multiples of the first delay. The last factor is repeated. With a
/// first delay of 5 s, the delays are 5 s, 30 s, 2 min, 10 min, 30 min, 1 h, and then 3 h.
const DELAY_FACTORS: [i32; 7] = [1, 6, 24, 120, 360, 720, 2_160];

/// Number of attempts from which on the delay no longer grows.
pub const MAX_DISTINCT_DELAYS: u32 = DELAY_FACTORS.len() as u32;

/// Returns the delay before the next attempt, after `attempts` (from 1) failed ones.
///
/// `jitter` (0–255) adds up to a tenth of the delay, so that deliveries that failed at the same
/// time are not retried at the same time.
pub fn retry_delay(attempts: u32, first: SignedDuration, jitter: u8) -> SignedDuration {
    let index = usize::try_from(attempts.saturating_sub(1)).unwrap_or(usize::MAX);
    let factor = DELAY_FACTORS.get(index).or(DELAY_FACTORS.last()).copied().unwrap_or(1);
    let delay = first.checked_mul(factor).unwrap_or(MAX_DELIVERY_AGE);
    let jitter_ms = delay.as_millis().saturating_mul(i128::from(jitter)) / 2_550;
    delay.saturating_add(SignedDuration::from_millis(i64::try_from(jitter_ms).unwrap_or(0)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secret_round_trips_and_is_not_printed() {
        let secret = SigningSecret::new(&[7; 32]);
        assert_eq!(SigningSecret::parse(secret.text()), Some(secret.clone()));
        assert_eq!(secret.key(), [7; 32]);
        assert!(!format!("{secret:?}").contains("Bwc"), "Debug prints the secret");
        for malformed in ["", "whsec_", "whsec_AAAA", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_é"]
        {
            assert_eq!(SigningSecret::parse(malformed), None, "{malformed}");
        }
    }

    #[test]
    fn delays_grow_to_three_hours_with_at_most_a_tenth_of_jitter() {
        let first = SignedDuration::from_secs(5);
        let seconds = |attempts| retry_delay(attempts, first, 0).as_secs();
        assert_eq!(
            [1, 2, 3, 4, 5, 6, 7, 8, 1_000].map(seconds),
            [5, 30, 120, 600, 1_800, 3_600, 10_800, 10_800, 10_800]
        );
        assert_eq!(retry_delay(1, first, 255).as_millis(), 5_500);
    }
}
