//! Throttle of sign-ins with a password: by account and address, by address, and by account.
//!
//! It counts failures in the memory of one server, by monotonic time. An account is an e-mail
//! address, whether a user has it or not, so that the throttle does not reveal accounts.

use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Failures of an account from one address before its tries are delayed.
const MAX_FAILURES_OF_PAIR: u32 = 5;
/// Failures from one address before its tries are delayed.
const MAX_FAILURES_OF_ADDRESS: u32 = 50;
/// Failures of one account, from any address, before its tries are delayed.
const MAX_FAILURES_OF_ACCOUNT: u32 = 100;
/// Longest delay between two tries.
const MAX_DELAY: Duration = Duration::from_secs(5 * 60);
/// Time after the last failure at which a count is forgotten.
const FORGET_AFTER: Duration = Duration::from_secs(15 * 60);
/// Maximum number of counts. When it is reached, those without a delay are forgotten.
const MAX_COUNTS: usize = 30_000;

/// Failures of this process since its start.
static FAILURES: AtomicU64 = AtomicU64::new(0);
/// Tries that were refused by the throttle since the start of this process.
static REFUSALS: AtomicU64 = AtomicU64::new(0);

/// Numbers of sign-ins of this process since its start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SignInCounts {
    /// Sign-ins with a wrong password or an unknown address.
    pub failures: u64,
    /// Tries that the throttle refused.
    pub refusals: u64,
}

/// Returns the counts of this process.
pub fn counts() -> SignInCounts {
    SignInCounts {
        failures: FAILURES.load(Ordering::Relaxed),
        refusals: REFUSALS.load(Ordering::Relaxed),
    }
}

/// Subject of a count of failures. Accounts are SHA-256 hashes, which bounds the memory of each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Subject {
    Pair([u8; 32], Option<IpAddr>),
    Address(IpAddr),
    Account([u8; 32]),
}

/// Failures of a subject. Times are since the start of the throttle.
#[derive(Debug, Clone, Copy, Default)]
struct Failures {
    count: u32,
    last: Duration,
    next_try: Duration,
}

impl Subject {
    /// Returns the delay between two tries after a number of failures; zero if there is none yet.
    fn delay(self, failures: u32) -> Duration {
        let second = Duration::from_secs(1);
        match self {
            Self::Pair(..) => match failures.checked_sub(MAX_FAILURES_OF_PAIR) {
                Some(excess) => MAX_DELAY.min(second * (2 << excess.min(20))),
                None => Duration::ZERO,
            },
            Self::Address(_) if failures >= MAX_FAILURES_OF_ADDRESS => second,
            Self::Account(_) if failures >= MAX_FAILURES_OF_ACCOUNT => second,
            Self::Address(_) | Self::Account(_) => Duration::ZERO,
        }
    }
}

/// Account and address of a try.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SignInTry {
    account: [u8; 32],
    address: Option<IpAddr>,
}

impl SignInTry {
    /// Creates the try of an e-mail address from a network address.
    pub(crate) fn new(email: &str, address: Option<IpAddr>) -> Self {
        let account = Sha256::digest(email.to_lowercase()).into();
        Self { account, address: address.map(network_of) }
    }

    fn subjects(self) -> impl Iterator<Item = Subject> {
        let Self { account, address } = self;
        [Subject::Pair(account, address), Subject::Account(account)]
            .into_iter()
            .chain(address.map(Subject::Address))
    }
}

/// Returns the address, for IPv6 the /64 network that it is in: a host can choose among its addresses.
pub fn network_of(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => IpAddr::V6((address.to_bits() & (u128::MAX << 64)).into()),
        address @ IpAddr::V4(_) => address,
    }
}

/// Counts of failures, and the delays that follow from them.
#[derive(Debug)]
pub(crate) struct SignInThrottle {
    started: Instant,
    counts: Mutex<HashMap<Subject, Failures>>,
}

impl SignInThrottle {
    pub(crate) fn new() -> Self {
        Self { started: Instant::now(), counts: Mutex::default() }
    }

    /// Refuses a try that comes too early.
    ///
    /// # Errors
    ///
    /// The time until the next try.
    pub(crate) fn check(&self, attempt: SignInTry) -> Result<(), Duration> {
        let now = self.started.elapsed();
        let counts = self.lock();
        let waits = attempt.subjects().filter_map(|subject| {
            let failures = counts.get(&subject).filter(|failures| is_remembered(failures, now))?;
            failures.next_try.checked_sub(now).filter(|wait| !wait.is_zero())
        });
        match waits.max() {
            None => Ok(()),
            Some(wait) => {
                REFUSALS.fetch_add(1, Ordering::Relaxed);
                Err(wait)
            }
        }
    }

    /// Refuses a try that comes too early, as [`SignInThrottle::check`]; else reserves the time until the
    /// next try, so that of concurrent tries one is admitted.
    pub(crate) fn admit(&self, attempt: SignInTry) -> Result<(), Duration> {
        self.check(attempt)?;
        let now = self.started.elapsed();
        let mut counts = self.lock();
        for subject in attempt.subjects() {
            if let Some(failures) = counts.get_mut(&subject) {
                failures.next_try = now + subject.delay(failures.count);
            }
        }
        Ok(())
    }

    /// Counts a failure. Returns the number of failures of the account if its tries are delayed
    /// from now on.
    pub(crate) fn record_failure(&self, attempt: SignInTry) -> Option<u32> {
        FAILURES.fetch_add(1, Ordering::Relaxed);
        let now = self.started.elapsed();
        let mut counts = self.lock();
        if counts.len() >= MAX_COUNTS {
            counts.retain(|_, failures| failures.next_try > now);
        }
        if counts.len() >= MAX_COUNTS {
            counts.clear();
        }
        let mut begins = None;
        for subject in attempt.subjects() {
            let failures = counts.entry(subject).or_default();
            if !is_remembered(failures, now) {
                *failures = Failures::default();
            }
            failures.count = failures.count.saturating_add(1);
            failures.last = now;
            failures.next_try = now + subject.delay(failures.count);
            let limit = match subject {
                Subject::Pair(..) => MAX_FAILURES_OF_PAIR,
                Subject::Account(_) => MAX_FAILURES_OF_ACCOUNT,
                Subject::Address(_) => continue,
            };
            if failures.count == limit {
                begins = Some(failures.count);
            }
        }
        begins
    }

    /// Forgets the failures of an account from an address after a right password.
    pub(crate) fn record_success(&self, attempt: SignInTry) {
        self.lock().remove(&Subject::Pair(attempt.account, attempt.address));
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Subject, Failures>> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn is_remembered(failures: &Failures, now: Duration) -> bool {
    now < failures.last + FORGET_AFTER
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_double_and_are_bounded() {
        let pair = Subject::Pair([0; 32], None);
        let seconds = |failures| pair.delay(failures).as_secs();
        assert_eq!([4, 5, 6, 7, 12, 13, 100].map(seconds), [0, 2, 4, 8, 256, 300, 300]);
        let address = Subject::Address(IpAddr::from([127, 0, 0, 1]));
        assert_eq!([49, 50, 500].map(|count| address.delay(count).as_secs()), [0, 1, 1]);
        let account = Subject::Account([0; 32]);
        assert_eq!([99, 100].map(|count| account.delay(count).as_secs()), [0, 1]);
    }

    #[test]
    fn failures_delay_their_pair_and_a_success_forgets_them() {
        let throttle = SignInThrottle::new();
        let from = |host: u8| SignInTry::new("A@x.example", Some(IpAddr::from([10, 0, 0, host])));
        for count in 1..=5 {
            assert_eq!(throttle.check(from(1)), Ok(()), "{count}");
            assert_eq!(throttle.record_failure(from(1)), (count == 5).then_some(5));
        }
        assert!(throttle.check(SignInTry::new("a@X.example", from(1).address)).is_err());
        assert_eq!(throttle.check(from(2)), Ok(()), "another address");
        let other = SignInTry::new("b@x.example", from(1).address);
        assert_eq!(throttle.check(other), Ok(()), "another account");
        throttle.record_success(from(1));
        assert_eq!(throttle.check(from(1)), Ok(()));
    }

    #[test]
    fn addresses_of_one_ipv6_network_are_one() {
        let parse = |text: &str| network_of(text.parse().unwrap());
        assert_eq!(parse("2001:db8::1"), parse("2001:db8::ffff:1"));
        assert_ne!(parse("2001:db8::1"), parse("2001:db8:0:1::1"));
        assert_eq!(parse("::ffff:10.0.0.1"), parse("10.0.0.1"));
    }
}
