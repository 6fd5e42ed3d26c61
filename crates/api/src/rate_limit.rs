//! Rate limit of each credential, and of the credentials of a tenant together (GCRA): a bucket
//! of one second's requests, shared by all servers on a database.
//!
//! A bucket is one number: the theoretical arrival time, at which it is full again if nothing more
//! is consumed. Each server decides by its own buckets and by its own monotonic clock, so neither a
//! step of a wall clock nor a difference between the clocks of two servers changes a decision. A
//! server adds its consumption in batches to a total in the database and learns from the total what
//! the other servers consumed since its report before. It adds that to its bucket. The total holds
//! amounts, no times.
//!
//! The limit of all servers together can therefore be exceeded by at most the usage that is not
//! yet synchronized: for each server the report in progress and the usage after it, each up to
//! [`MAX_UNREPORTED`], and the rate that is never reported ([`UNREPORTED_RATE_DIVISOR`]). This
//! holds while a report takes less than [`REPORT_TIMEOUT`]; while reports take longer, each server
//! decides by its own buckets alone. The first report of a bucket teaches nothing, because the age
//! of the total is unknown.

use std::collections::HashMap;
use std::fmt::Display;
use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::watch;
use trunkline_network::{Actor, Store, Tenant, UnitOfWork};

/// Buckets in memory. When there are more, full ones are dropped: their credentials have not been used
/// lately.
const MAX_BUCKETS: usize = 10_000;
/// Nanoseconds in a second, which is the depth of a bucket.
const SECOND: i64 = 1_000_000_000;
/// Usage that starts a report, in nanoseconds of the rate: a twentieth of a second's requests.
const REPORT_BATCH: i64 = SECOND / 20;
/// Usage below 1/50 of the limit is never reported, so light clients cause no database writes.
const UNREPORTED_RATE_DIVISOR: i64 = 50;
/// Usage allowed while a report is in progress, in nanoseconds of the rate. More requests wait for
/// the report.
const MAX_UNREPORTED: i64 = 2 * REPORT_BATCH;
/// Highest consumption that a bucket can hold, in nanoseconds of the rate. What other servers allowed
/// beyond the limit delays later requests by at most the second above [`SECOND`].
const MAX_DEBT: i64 = 2 * SECOND;
/// Maximum time that a request waits for a report, measured from the report's start. It equals
/// [`MAX_UNREPORTED`], so a client at the allowed rate never waits.
const REPORT_TIMEOUT: Duration = Duration::from_millis(100);

/// Remaining rate limit after a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Allowance {
    /// Requests a second.
    pub(crate) limit: u32,
    /// Requests that are left now.
    pub(crate) remaining: u32,
    /// Seconds until the bucket is full again, rounded up.
    pub(crate) reset: u32,
}

/// Bucket of a credential or a tenant. Times are in nanoseconds since the start of the server, by its monotonic
/// clock; amounts are in nanoseconds of the rate.
#[derive(Debug)]
struct Bucket {
    /// Time at which the bucket is full again.
    theoretical_arrival_time: i64,
    /// Usage to be reported, less the rate that is never reported.
    unreported: i64,
    /// Time of the last request.
    last_seen: i64,
    /// Report in progress.
    pending_report: Option<PendingReport>,
    /// Result of the last report.
    last_report: Option<ReportedTotal>,
    /// Notifies waiting requests when the report in progress ends.
    report_done: watch::Sender<()>,
}

/// Result of a report.
#[derive(Debug, Clone, Copy)]
struct ReportedTotal {
    /// Consumption of all servers.
    total: i64,
    /// Time at which the report ended.
    at: i64,
}

/// Amount and start time of a report in progress.
#[derive(Debug, Clone, Copy)]
struct PendingReport {
    amount: i64,
    started: i64,
}

/// Usage to be written to the database.
#[derive(Debug, Clone, PartialEq, Eq)]
struct UsageReport<K> {
    key: K,
    amount: i64,
}

/// Outcome of a request to consume.
#[derive(Debug)]
enum Consumption<K> {
    /// The request is allowed (`Ok`) or over the limit (`Err`). The report, if any, must be written.
    Decided(Result<Allowance, Allowance>, Option<UsageReport<K>>),
    /// Too much usage is unreported: wait for the report in progress and try again.
    Wait(watch::Receiver<()>),
}

/// Owner of a bucket. Its text is the key of its total in the database.
pub trait BucketKey: Copy + Eq + Hash + Display + Send + 'static {}

impl BucketKey for Actor {}

impl BucketKey for Tenant {}

/// Rate limits of all credentials, or of all tenants.
#[derive(Debug)]
pub struct RateLimits<K> {
    per_second: Option<u32>,
    started: Instant,
    buckets: Mutex<HashMap<K, Bucket>>,
}

impl<K: BucketKey> RateLimits<K> {
    /// Creates rate limits of a number of requests a second for each key; `None` and 0 are
    /// unlimited.
    pub fn new(per_second: Option<u32>) -> Self {
        Self {
            per_second: per_second.filter(|n| *n > 0),
            started: Instant::now(),
            buckets: Mutex::default(),
        }
    }

    /// Returns the time since the start of the server, in nanoseconds.
    fn now(&self) -> i64 {
        i64::try_from(self.started.elapsed().as_nanos()).unwrap_or(i64::MAX / 2)
    }

    /// Consumes one request. Returns `Err` if the bucket is empty, and then consumes nothing. Returns
    /// `None` if there is no limit.
    pub(crate) async fn consume(
        self: &Arc<Self>,
        store: &Store,
        key: K,
    ) -> Option<Result<Allowance, Allowance>> {
        let limit = self.per_second?;
        loop {
            match self.try_consume(limit, key, self.now()) {
                Consumption::Wait(mut report_done) => {
                    // After a timeout `try_consume` no longer waits for this report.
                    tokio::time::timeout(REPORT_TIMEOUT, report_done.changed()).await.ok();
                }
                Consumption::Decided(result, report) => {
                    if let Some(report) = report {
                        tokio::spawn(Arc::clone(self).write_report(store.clone(), report));
                    }
                    return Some(result);
                }
            }
        }
    }

    fn try_consume(&self, limit: u32, key: K, now: i64) -> Consumption<K> {
        let cost = (SECOND / i64::from(limit)).max(1);
        let mut buckets = self.buckets();
        evict_full_buckets(&mut buckets, key, now);
        let bucket = buckets.entry(key).or_insert_with(|| Bucket::full(now));
        bucket.forgive_light_usage(now);
        if bucket.must_wait(cost, now) {
            return Consumption::Wait(bucket.report_done.subscribe());
        }
        let used = bucket.theoretical_arrival_time.max(now) - now;
        let is_allowed = used + cost <= SECOND;
        if is_allowed {
            bucket.theoretical_arrival_time = now + used + cost;
            bucket.unreported += cost;
        }
        let used = (bucket.theoretical_arrival_time - now).max(0);
        let allowance = Allowance {
            limit,
            remaining: u32::try_from((SECOND - used).max(0) / cost).unwrap_or(u32::MAX),
            reset: u32::try_from((used + SECOND - 1) / SECOND).unwrap_or(u32::MAX),
        };
        let result = if is_allowed { Ok(allowance) } else { Err(allowance) };
        Consumption::Decided(result, bucket.start_report(key, cost, now))
    }

    /// Applies the end of a report. `total` is the consumption of all servers together; `None` if
    /// the report could not be written.
    fn apply_report(&self, key: K, total: Option<i64>, now: i64) {
        let mut buckets = self.buckets();
        let Some(bucket) = buckets.get_mut(&key) else { return };
        let amount = bucket.pending_report.take().map_or(0, |report| report.amount);
        match total {
            Some(total) => bucket.add_consumption_of_others(total, amount, now),
            None => bucket.unreported += amount,
        }
        bucket.report_done.send_replace(());
    }

    /// Writes a report and raises the bucket to the usage of all servers.
    async fn write_report(self: Arc<Self>, store: Store, report: UsageReport<K>) {
        let UsageReport { key, amount } = report;
        let text = key.to_string();
        let write = move |unit: &mut UnitOfWork<'_>| unit.add_consumption(&text, amount);
        let result: Result<i64, trunkline_store::Error> = store.write(write).await;
        if let Err(error) = &result {
            tracing::debug!(%error, "rate limit usage could not be reported to the database");
        }
        self.apply_report(key, result.ok(), self.now());
    }

    fn buckets(&self) -> MutexGuard<'_, HashMap<K, Bucket>> {
        self.buckets.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Makes room for a new bucket.
fn evict_full_buckets<K: BucketKey>(buckets: &mut HashMap<K, Bucket>, key: K, now: i64) {
    if buckets.len() < MAX_BUCKETS || buckets.contains_key(&key) {
        return;
    }
    buckets.retain(|_, bucket| {
        bucket.theoretical_arrival_time > now || bucket.pending_report.is_some()
    });
    if buckets.len() >= MAX_BUCKETS {
        buckets.clear();
    }
}

impl Bucket {
    fn full(now: i64) -> Self {
        Self {
            theoretical_arrival_time: now,
            unreported: 0,
            last_seen: now,
            pending_report: None,
            last_report: None,
            report_done: watch::Sender::new(()),
        }
    }

    /// Subtracts the rate that is never reported, for the time since the last request.
    fn forgive_light_usage(&mut self, now: i64) {
        let forgiven = (now - self.last_seen).max(0) / UNREPORTED_RATE_DIVISOR;
        self.unreported = (self.unreported - forgiven).max(0);
        self.last_seen = self.last_seen.max(now);
    }

    /// Adds what the other servers consumed since the last report: the growth of the total, less
    /// the amount that this server reported. When in that time they consumed it is unknown. Of a
    /// longer time the average of one second counts, because a bucket refills in a second.
    fn add_consumption_of_others(&mut self, total: i64, reported: i64, now: i64) {
        let report = ReportedTotal { total, at: now };
        let Some(last) = self.last_report.replace(report) else { return };
        let consumed = i128::from((total - last.total - reported).max(0));
        let elapsed = i128::from((now - last.at).max(SECOND));
        let recent = i64::try_from(consumed * i128::from(SECOND) / elapsed).unwrap_or(SECOND);
        let arrival_time = self.theoretical_arrival_time.max(now) + recent.min(SECOND);
        self.theoretical_arrival_time = arrival_time.min(now + MAX_DEBT);
    }

    /// Returns true if too much usage is unreported and the report in progress has not timed out.
    fn must_wait(&self, cost: i64, now: i64) -> bool {
        let timeout = i64::try_from(REPORT_TIMEOUT.as_nanos()).unwrap_or(i64::MAX);
        let is_reporting = self.pending_report.is_some_and(|report| now - report.started < timeout);
        is_reporting && self.unreported >= MAX_UNREPORTED.max(cost)
    }

    /// Starts a report if enough usage is unreported and none is in progress.
    fn start_report<K: BucketKey>(
        &mut self,
        key: K,
        cost: i64,
        now: i64,
    ) -> Option<UsageReport<K>> {
        if self.pending_report.is_some() || self.unreported < REPORT_BATCH.max(cost) {
            return None;
        }
        let amount = std::mem::take(&mut self.unreported);
        self.pending_report = Some(PendingReport { amount, started: now });
        Some(UsageReport { key, amount })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::VecDeque;
    use trunkline_domain::id::TokenId;

    fn decided<K>(consumption: Consumption<K>) -> Result<Allowance, Allowance> {
        match consumption {
            Consumption::Decided(result, _) => result,
            Consumption::Wait(_) => panic!("no report is in progress"),
        }
    }

    #[test]
    fn bucket_empties_and_refills() {
        let limits = RateLimits::new(Some(2));
        let consume = |actor, at| {
            let result = decided(limits.try_consume(2, actor, at));
            limits.apply_report(actor, None, at);
            result.map(|allowance| allowance.remaining)
        };
        assert_eq!(consume(Actor::Token(TokenId::new(1)), 0), Ok(1));
        assert_eq!(consume(Actor::Token(TokenId::new(1)), 0), Ok(0));
        assert!(consume(Actor::Token(TokenId::new(1)), 0).is_err());
        assert_eq!(consume(Actor::Token(TokenId::new(2)), 0), Ok(1));
        assert_eq!(consume(Actor::Token(TokenId::new(1)), SECOND / 2), Ok(0));
        assert_eq!(consume(Actor::Token(TokenId::new(1)), 5 * SECOND), Ok(1));
    }

    /// Database that applies each report after a delay.
    struct DelayedDatabase {
        total: i64,
        /// Nanoseconds.
        delay: i64,
        /// Due time, index of the server, and report.
        reports: VecDeque<(i64, usize, UsageReport<Actor>)>,
    }

    /// Simulates servers that each get a request every `interval_us` microseconds for
    /// `duration_ms` milliseconds. Returns the number of allowed requests.
    fn count_allowed(
        servers: usize,
        limit: u32,
        delay_ns: i64,
        interval_us: i64,
        duration_ms: i64,
    ) -> i64 {
        let servers: Vec<_> = (0..servers).map(|_| RateLimits::new(Some(limit))).collect();
        let mut database = DelayedDatabase { total: 0, delay: delay_ns, reports: VecDeque::new() };
        let mut allowed = 0;
        // Each server has a monotonic clock of its own.
        let started_earlier = |server: usize| server as i64 * 3_600 * SECOND;
        for step in 0..duration_ms * 1_000 / interval_us {
            let now = step * interval_us * 1_000;
            while database.reports.front().is_some_and(|(due, ..)| *due <= now) {
                let (_, server, report) = database.reports.pop_front().unwrap();
                database.total += report.amount;
                let at = now + started_earlier(server);
                servers[server].apply_report(report.key, Some(database.total), at);
            }
            for (index, limits) in servers.iter().enumerate() {
                // A request that must wait is repeated at the next step.
                let at = now + started_earlier(index);
                if let Consumption::Decided(result, report) =
                    limits.try_consume(limit, Actor::Token(TokenId::new(1)), at)
                {
                    allowed += i64::from(result.is_ok());
                    let due = now + database.delay;
                    database.reports.extend(report.map(|report| (due, index, report)));
                }
            }
        }
        allowed
    }

    #[test]
    fn one_server_allows_exactly_the_limit_at_any_report_delay() {
        for (limit, delay) in [(1, 0), (7, 20_000_000), (200, 5_000_000), (2_000, 40_000_000)] {
            // A full bucket at once, and then the rate.
            let allowed = count_allowed(1, limit, delay, 100, 2_995);
            let limit = i64::from(limit);
            assert!((allowed - (limit + limit * 2_995 / 1_000)).abs() <= 1, "{limit}: {allowed}");
        }
    }

    #[test]
    fn three_servers_exceed_the_limit_by_at_most_their_unreported_usage() {
        for delay in [0, 1_000_000, 20_000_000, 90_000_000] {
            for limit in [20, 200, 2_000_u32] {
                let allowed = count_allowed(3, limit, delay, 100, 3_000);
                let one_server = f64::from(limit) * 4.0;
                // A pending report and the usage after it, or one request each where that is
                // more, and three seconds of the rate that is never reported.
                let unreported = (f64::from(limit) * 0.2).max(2.0) + f64::from(limit) * 0.06;
                let max = one_server + 3.0 * unreported;
                assert!(allowed as f64 <= max + 3.0, "{limit}, {delay}: {allowed} of {max}");
                let min = one_server * 0.9;
                assert!(allowed as f64 >= min, "{limit}, {delay}: {allowed} of {one_server}");
            }
        }
    }

    #[test]
    fn servers_below_the_limit_together_refuse_nobody_whatever_their_clocks() {
        // 2 servers with 150 requests a second each of 2,000, and of 400.
        for limit in [400, 2_000] {
            assert_eq!(count_allowed(2, limit, 20_000_000, 6_600, 6_600), 2 * 1_000, "{limit}");
        }
    }

    #[test]
    fn consumption_of_others_since_long_ago_counts_as_its_average() {
        let mut bucket = Bucket::full(0);
        bucket.add_consumption_of_others(900 * SECOND, 0, 0);
        assert_eq!(bucket.theoretical_arrival_time, 0, "the age of the first total is unknown");
        bucket.add_consumption_of_others(901 * SECOND, 0, 4 * SECOND);
        assert_eq!(bucket.theoretical_arrival_time, 4 * SECOND + SECOND / 4);
        bucket.add_consumption_of_others(9_000 * SECOND, 0, 5 * SECOND);
        assert_eq!(bucket.theoretical_arrival_time, 6 * SECOND, "of a second at most");
    }

    #[test]
    fn light_usage_is_never_reported() {
        let limits = RateLimits::new(Some(2_000));
        for step in 0..1_000 {
            let at = step * 30_000_000;
            let Consumption::Decided(Ok(_), None) =
                limits.try_consume(2_000, Actor::Token(TokenId::new(1)), at)
            else {
                panic!("33 requests a second are below 1/50 of 2,000")
            };
        }
    }
}
