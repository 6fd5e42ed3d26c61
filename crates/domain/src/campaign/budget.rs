//! Budgets: what a campaign may earn or take in a period before people are told.

use crate::money::{Currency, Money};
use crate::timezone::ZoneName;
use jiff::{Span, Timestamp};
use serde::{Deserialize, Serialize};

/// When a budget starts again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum ResetPeriod {
    /// Each day.
    Daily,
    /// Each week.
    Weekly,
    /// Each month.
    Monthly,
    /// Each quarter.
    Quarterly,
    /// Never.
    Ongoing,
}

impl ResetPeriod {
    /// Every period, in the documents' order.
    pub const ALL: [Self; 5] =
        [Self::Daily, Self::Weekly, Self::Monthly, Self::Quarterly, Self::Ongoing];

    /// The wire's word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Daily => "Daily",
            Self::Weekly => "Weekly",
            Self::Monthly => "Monthly",
            Self::Quarterly => "Quarterly",
            Self::Ongoing => "Ongoing",
        }
    }
}

/// A budget of payin earned, or of calls.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Budget {
    /// When it starts again.
    pub reset_period: ResetPeriod,
    /// When it first starts.
    pub starts_at: Timestamp,
    /// The currency; of no meaning for a number of calls, but asked for and kept.
    pub budget_currency: Currency,
    /// The zone of its periods.
    pub time_zone: ZoneName,
    /// Money, or a number of calls.
    pub budget_amount: Money,
    /// Whether call fees count; of no meaning for a number of calls.
    pub include_call_fees: bool,
    /// Whether calls are turned away at 100 %.
    pub enforce: bool,
}

/// How many calls there may be at once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConcurrentCap {
    /// Calls at once.
    pub budget_amount: Money,
    /// Whether calls are turned away at 100 %.
    pub enforce: bool,
}

/// A campaign's budgets.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Budgets {
    /// Payin earned in a period.
    pub budget_cap_alert: Option<Budget>,
    /// Calls in a period (`call_cap_alert` before 2015-12-09).
    pub periodic_call_cap_alert: Option<Budget>,
    /// Calls at once.
    pub concurrent_call_cap_alert: Option<ConcurrentCap>,
}

/// What a set of budgets stands at; `None` where there is no such budget.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct BudgetTotals {
    /// Payin earned in the running period.
    pub budget_cap_alert: Option<Money>,
    /// Calls in the running period.
    pub periodic_call_cap_alert: Option<Money>,
    /// Calls at once.
    pub concurrent_call_cap_alert: Option<Money>,
}

/// A budget's period: from `start` on and before `end`, which an Ongoing one never comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Period {
    /// Its first moment.
    pub start: Timestamp,
    /// The first moment of the next one.
    pub end: Option<Timestamp>,
}

impl Budget {
    /// The period that a moment is in; `None` before the budget starts.
    ///
    /// Periods follow each other from `starts_at` on, by the clock and the calendar of the budget's
    /// own zone: a month that starts on the 31st starts on a shorter month's last day.
    pub fn period_at(&self, at: Timestamp) -> Option<Period> {
        if at < self.starts_at {
            return None;
        }
        // (seconds in one, more or less; so many as a span)
        let (usual, spans): (i64, fn(i64) -> Span) = match self.reset_period {
            ResetPeriod::Ongoing => return Some(Period { start: self.starts_at, end: None }),
            ResetPeriod::Daily => (86_400, |n| Span::new().days(n)),
            ResetPeriod::Weekly => (7 * 86_400, |n| Span::new().weeks(n)),
            ResetPeriod::Monthly => (30 * 86_400 + 37_746, |n| Span::new().months(n)),
            ResetPeriod::Quarterly => (91 * 86_400 + 26_838, |n| Span::new().months(3 * n)),
        };
        let first = self.starts_at.to_zoned(self.time_zone.zone());
        let starts = |n: i64| first.checked_add(spans(n)).ok().map(|zoned| zoned.timestamp());
        // Off by one or two at most: months and days of summer time differ.
        let mut number = (at.as_second() - self.starts_at.as_second()) / usual;
        while number > 0 && starts(number)? > at {
            number -= 1;
        }
        loop {
            let (start, end) = (starts(number)?, starts(number + 1)?);
            if at < end {
                return Some(Period { start, end: Some(end) });
            }
            number += 1;
        }
    }
}

impl Budgets {
    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn budget(reset_period: ResetPeriod, starts_at: &str, zone: &str) -> Budget {
        Budget {
            reset_period,
            starts_at: starts_at.parse().unwrap(),
            budget_currency: Currency::Usd,
            time_zone: ZoneName::parse(zone).unwrap(),
            budget_amount: Money::ZERO,
            include_call_fees: false,
            enforce: false,
        }
    }

    #[test]
    fn periods_follow_the_clock_of_their_zone() {
        let pacific = "Pacific Time (US & Canada)";
        for (period, starts_at, at, start, end) in [
            // A day of 25 hours.
            (
                ResetPeriod::Daily,
                "2026-10-01T07:00:00Z",
                "2026-11-02T07:59:59Z",
                "2026-11-01T07:00:00Z",
                "2026-11-02T08:00:00Z",
            ),
            (
                ResetPeriod::Weekly,
                "2026-10-05T07:00:00Z",
                "2026-11-02T08:00:00Z",
                "2026-11-02T08:00:00Z",
                "2026-11-09T08:00:00Z",
            ),
            (
                ResetPeriod::Monthly,
                "2026-01-31T08:00:00Z",
                "2026-03-01T00:00:00Z",
                "2026-02-28T08:00:00Z",
                "2026-03-31T07:00:00Z",
            ),
            (
                ResetPeriod::Quarterly,
                "2026-01-01T08:00:00Z",
                "2026-07-01T06:59:59Z",
                "2026-04-01T07:00:00Z",
                "2026-07-01T07:00:00Z",
            ),
        ] {
            let found = budget(period, starts_at, pacific).period_at(at.parse().unwrap()).unwrap();
            let expected =
                Period { start: start.parse().unwrap(), end: Some(end.parse().unwrap()) };
            assert_eq!(found, expected, "{period:?} at {at}");
        }
        let ongoing = budget(ResetPeriod::Ongoing, "2026-01-01T08:00:00Z", pacific);
        assert_eq!(ongoing.period_at("2026-01-01T07:59:59Z".parse().unwrap()), None);
        assert_eq!(ongoing.period_at("9000-01-01T00:00:00Z".parse().unwrap()).unwrap().end, None);
    }

    proptest! {
        #[test]
        fn every_moment_is_in_one_period(
            kind in 0usize..4,
            start in 1_400_000_000i64..1_800_000_000,
            after in 0i64..1_000_000_000,
        ) {
            let mut it = budget(ResetPeriod::ALL[kind], "2026-01-01T08:00:00Z", "London");
            it.starts_at = Timestamp::from_second(start).unwrap();
            let at = Timestamp::from_second(start + after).unwrap();
            let found = it.period_at(at).unwrap();
            let end = found.end.unwrap();
            prop_assert!(found.start <= at && at < end);
            prop_assert_eq!(it.period_at(end).unwrap().start, end);
            let last = end.checked_sub(Span::new().milliseconds(1)).unwrap();
            prop_assert_eq!(it.period_at(last).unwrap(), found);
        }
    }
}
