//! How much each credential may ask for: a bucket that fills at the rate allowed, a second deep.

use jiff::Timestamp;
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use trunkline_network::Actor;

/// Credentials remembered at once. When there are more, full buckets are forgotten: they are the
/// ones that nobody has drawn from lately.
const REMEMBERED: usize = 10_000;

/// What is left for a credential after a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Allowance {
    /// Requests a second.
    pub(crate) limit: u32,
    /// Requests left now.
    pub(crate) remaining: u32,
    /// Seconds until all are there again, rounded up.
    pub(crate) reset: u32,
}

#[derive(Debug, Clone, Copy)]
struct Bucket {
    level: f64,
    at: Timestamp,
}

/// Buckets by credential.
#[derive(Debug)]
pub struct RateLimits {
    per_second: Option<u32>,
    buckets: Mutex<HashMap<Actor, Bucket>>,
}

impl RateLimits {
    /// So many requests a second for each credential; `None` is no limit.
    pub fn new(per_second: Option<u32>) -> Self {
        Self { per_second: per_second.filter(|n| *n > 0), buckets: Mutex::default() }
    }

    /// Takes one request from a credential's bucket. `Err` when it is empty: nothing is taken.
    /// `None` when there is no limit.
    pub(crate) fn take(&self, who: Actor, now: Timestamp) -> Option<Result<Allowance, Allowance>> {
        let limit = self.per_second?;
        let full = f64::from(limit);
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        if buckets.len() >= REMEMBERED && !buckets.contains_key(&who) {
            buckets.retain(|_, bucket| bucket.filled(full, now) < full);
            if buckets.len() >= REMEMBERED {
                buckets.clear();
            }
        }
        let bucket = buckets.entry(who).or_insert(Bucket { level: full, at: now });
        let level = bucket.filled(full, now);
        let allowed = level >= 1.0;
        let left = if allowed { level - 1.0 } else { level };
        *bucket = Bucket { level: left, at: now };
        let allowance = Allowance {
            limit,
            remaining: left as u32,
            reset: ((full - left) / full).ceil() as u32,
        };
        Some(if allowed { Ok(allowance) } else { Err(allowance) })
    }
}

impl Bucket {
    fn filled(self, full: f64, now: Timestamp) -> f64 {
        let seconds = now.duration_since(self.at).as_secs_f64().max(0.0);
        (self.level + seconds * full).min(full)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::ToSpan;

    #[test]
    fn a_bucket_empties_and_fills() {
        let limits = RateLimits::new(Some(2));
        let now = Timestamp::UNIX_EPOCH;
        let remaining = |at| limits.take(Actor::Token(1), at).unwrap().map(|left| left.remaining);
        assert_eq!(remaining(now), Ok(1));
        assert_eq!(remaining(now), Ok(0));
        assert!(remaining(now).is_err());
        assert_eq!(limits.take(Actor::Token(2), now).unwrap().unwrap().remaining, 1);
        assert_eq!(remaining(now + 500.milliseconds()), Ok(0));
        assert_eq!(remaining(now + 5.seconds()), Ok(1));
        assert_eq!(RateLimits::new(None).take(Actor::Token(1), now), None);
    }
}
