//! How much each credential may ask for: a bucket that fills at the rate allowed, a second deep, of all
//! servers on a database together.
//!
//! A bucket is one number: when it will be full again, were nothing more drawn from it. Each server has
//! a bucket of its own for each credential, and goes by that. What a credential draws beyond a trifle
//! it also tells the database, some of it at a time, where it is added to what other servers told; what
//! comes of that is true of all of them, and each server's bucket is brought up to it. With one server
//! the two are the same, and the database never has more to say.
//!
//! So all servers together let through what one would, and beyond it at most what each has not been
//! heard of: what is being told and what waits to be, each up to [`MOST`], and [`TRIFLE`] of what is
//! allowed. That is so while the database takes less than [`PATIENCE`] to write it; while it takes
//! longer, each server goes by its own bucket.

use crate::App;
use jiff::Timestamp;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::watch;
use trunkline_network::Actor;

/// Credentials remembered at once. When there are more, full buckets are forgotten: they are the
/// ones that nobody has drawn from lately.
const REMEMBERED: usize = 10_000;
/// Nanoseconds in a second, which is how deep a bucket is.
const SECOND: i64 = 1_000_000_000;
/// What is drawn before it is told, in nanoseconds' worth: a twentieth of what a second allows.
const SLICE: i64 = SECOND / 20;
/// What need not be told: one part in so many of what is allowed. So who asks for little never costs
/// a write.
const TRIFLE: i64 = 50;
/// What may be drawn while something is being told; who wants more waits until it was.
const MOST: i64 = 2 * SLICE;
/// How long they wait, from when telling began. A tenth of a second, for a tenth of what a second
/// allows: who asks at the rate allowed never waits.
const PATIENCE: Duration = Duration::from_millis(100);

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

/// Times are in nanoseconds from 1970.
#[derive(Debug)]
struct Bucket {
    /// When it is full again.
    until: i64,
    /// Drawn and not told yet, in nanoseconds' worth, less the trifle.
    untold: i64,
    /// When the first of that was drawn.
    since: i64,
    /// When somebody last drew.
    at: i64,
    /// Being told: how much, since when.
    telling: Option<(i64, i64)>,
    /// Changes when it was told.
    told: watch::Sender<()>,
}

/// What is to be told the database.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Telling {
    who: Actor,
    worth: i64,
    since: i64,
}

/// What comes of drawing.
#[derive(Debug)]
enum Drawn {
    /// There was something left, or not; and what is to be told now.
    Now(Result<Allowance, Allowance>, Option<Telling>),
    /// Much is being told: wait until it was.
    Wait(watch::Receiver<()>),
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

    /// Draws one request from a credential's bucket. `Err` when it is empty: nothing is drawn.
    /// `None` when there is no limit.
    pub(crate) async fn draw(&self, app: &App, who: Actor) -> Option<Result<Allowance, Allowance>> {
        let limit = self.per_second?;
        loop {
            match self.take(limit, who, (app.clock)()) {
                Drawn::Wait(mut told) => {
                    let _late = tokio::time::timeout(PATIENCE, told.changed()).await;
                }
                Drawn::Now(taken, telling) => {
                    if let Some(telling) = telling {
                        tokio::spawn(tell(app.clone(), telling));
                    }
                    return Some(taken);
                }
            }
        }
    }

    fn take(&self, limit: u32, who: Actor, now: Timestamp) -> Drawn {
        let now = i64::try_from(now.as_nanosecond()).unwrap_or(i64::MAX / 2);
        let worth = (SECOND / i64::from(limit)).max(1);
        let mut buckets = self.buckets();
        if buckets.len() >= REMEMBERED && !buckets.contains_key(&who) {
            buckets.retain(|_, bucket| bucket.until > now || bucket.telling.is_some());
            if buckets.len() >= REMEMBERED {
                buckets.clear();
            }
        }
        let bucket = buckets.entry(who).or_insert_with(|| Bucket::full(now));
        bucket.forgive(now);
        let slice = SLICE.max(worth);
        let patience = i64::try_from(PATIENCE.as_nanos()).unwrap_or(i64::MAX);
        let waits = bucket.telling.is_some_and(|(_, begun)| now - begun < patience);
        if waits && bucket.untold >= MOST.max(worth) {
            return Drawn::Wait(bucket.told.subscribe());
        }
        let drawn = bucket.until.max(now) - now;
        let allowed = drawn + worth <= SECOND;
        if allowed {
            bucket.until = now + drawn + worth;
            bucket.untold += worth;
        }
        let drawn = (bucket.until - now).max(0);
        let allowance = Allowance {
            limit,
            remaining: u32::try_from((SECOND - drawn).max(0) / worth).unwrap_or(u32::MAX),
            reset: u32::try_from((drawn + SECOND - 1) / SECOND).unwrap_or(u32::MAX),
        };
        let telling = (bucket.telling.is_none() && bucket.untold >= slice).then(|| {
            let worth = std::mem::take(&mut bucket.untold);
            bucket.telling = Some((worth, now));
            Telling { who, worth, since: bucket.since }
        });
        Drawn::Now(if allowed { Ok(allowance) } else { Err(allowance) }, telling)
    }

    /// The database was told: `until` is when the bucket of all servers together is full again, if it
    /// could be written.
    fn told(&self, who: Actor, until: Option<i64>) {
        let mut buckets = self.buckets();
        let Some(bucket) = buckets.get_mut(&who) else { return };
        let worth = bucket.telling.take().map_or(0, |(worth, _)| worth);
        match until {
            Some(until) => bucket.until = bucket.until.max(until + bucket.untold),
            None => bucket.untold += worth,
        }
        bucket.told.send_replace(());
    }

    fn buckets(&self) -> MutexGuard<'_, HashMap<Actor, Bucket>> {
        self.buckets.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Writes what was drawn, and brings the bucket up to what came of it.
async fn tell(app: App, telling: Telling) {
    let rates = Arc::clone(&app.rates);
    let Telling { who, worth, since } = telling;
    let of = who.to_string();
    let write = move |session: &mut trunkline_network::Session<'_>| {
        session.spend_allowance(&of, worth, since)
    };
    let until: Result<i64, trunkline_store::Error> = app.store.write(write).await;
    if let Err(error) = &until {
        tracing::debug!(%error, "other servers were not told what was asked of this one");
    }
    rates.told(who, until.ok());
}

impl Bucket {
    fn full(now: i64) -> Self {
        let told = watch::Sender::new(());
        Self { until: now, untold: 0, since: now, at: now, telling: None, told }
    }

    /// A trifle is forgotten as time goes by; what is drawn now is not.
    fn forgive(&mut self, now: i64) {
        self.untold = (self.untold - (now - self.at).max(0) / TRIFLE).max(0);
        self.at = self.at.max(now);
        if self.untold == 0 {
            self.since = now;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::ToSpan;
    use std::collections::VecDeque;

    fn taken(drawn: Drawn) -> Result<Allowance, Allowance> {
        match drawn {
            Drawn::Now(taken, _) => taken,
            Drawn::Wait(_) => panic!("nothing is being told"),
        }
    }

    #[test]
    fn a_bucket_empties_and_fills() {
        let limits = RateLimits::new(Some(2));
        let now = Timestamp::UNIX_EPOCH;
        let take = |who, at| {
            let drawn = taken(limits.take(2, who, at));
            limits.told(who, None);
            drawn.map(|left| left.remaining)
        };
        assert_eq!(take(Actor::Token(1), now), Ok(1));
        assert_eq!(take(Actor::Token(1), now), Ok(0));
        assert!(take(Actor::Token(1), now).is_err());
        assert_eq!(take(Actor::Token(2), now), Ok(1));
        assert_eq!(take(Actor::Token(1), now + 500.milliseconds()), Ok(0));
        assert_eq!(take(Actor::Token(1), now + 5.seconds()), Ok(1));
    }

    /// What a database does with what it is told, some time later.
    struct Shared {
        until: i64,
        late: i64,
        told: VecDeque<(i64, usize, Telling)>,
    }

    /// Servers that are asked as fast as they may be, each in turn, for so many milliseconds, `every`
    /// so many microseconds; how many requests are let through.
    fn asked(servers: usize, limit: u32, late: i64, every: i64, milliseconds: i64) -> i64 {
        let all: Vec<_> = (0..servers).map(|_| RateLimits::new(Some(limit))).collect();
        let mut shared = Shared { until: 0, late, told: VecDeque::new() };
        let (mut through, start) = (0, 1_700_000_000 * SECOND);
        for step in 0..milliseconds * 1_000 / every {
            let now = start + step * every * 1_000;
            while shared.told.front().is_some_and(|(due, ..)| *due <= now) {
                let (_, server, telling) = shared.told.pop_front().unwrap();
                shared.until = shared.until.max(telling.since) + telling.worth;
                all[server].told(telling.who, Some(shared.until));
            }
            let at = Timestamp::from_nanosecond(i128::from(now)).unwrap();
            for (server, limits) in all.iter().enumerate() {
                // Who has to wait asks again at the next step.
                if let Drawn::Now(taken, telling) = limits.take(limit, Actor::Token(1), at) {
                    through += i64::from(taken.is_ok());
                    let due = now + shared.late;
                    shared.told.extend(telling.map(|it| (due, server, it)));
                }
            }
        }
        through
    }

    #[test]
    fn one_server_lets_through_what_it_always_did() {
        for (limit, late) in [(1, 0), (7, 20_000_000), (200, 5_000_000), (2_000, 40_000_000)] {
            // A bucketful at once, and then what the rate allows, to the request.
            let (limit, through) = (i64::from(limit), asked(1, limit, late, 100, 2_995));
            assert!((through - (limit + limit * 2_995 / 1_000)).abs() <= 1, "{limit}: {through}");
        }
    }

    #[test]
    fn three_servers_let_through_what_one_does_and_little_more() {
        for late in [0, 1_000_000, 20_000_000, 90_000_000] {
            for limit in [20, 200, 2_000_u32] {
                let through = asked(3, limit, late, 100, 3_000);
                let one = f64::from(limit) * 4.0;
                // What is told and what is not, or a request each where that is more, and the trifle of three seconds.
                let untold = (f64::from(limit) * 0.2).max(2.0) + f64::from(limit) * 0.06;
                let most = one + 3.0 * untold;
                assert!(through as f64 <= most + 3.0, "{limit}, {late}: {through} of {most}");
                assert!(through as f64 >= one * 0.9, "{limit}, {late}: {through} of {one}");
            }
        }
    }

    #[test]
    fn who_asks_for_little_costs_no_write() {
        let limits = RateLimits::new(Some(2_000));
        for step in 0..1_000 {
            let at = Timestamp::UNIX_EPOCH + (step * 30).milliseconds();
            let Drawn::Now(Ok(_), None) = limits.take(2_000, Actor::Token(1), at) else {
                panic!("33 requests a second are a trifle of 2,000")
            };
        }
    }
}
