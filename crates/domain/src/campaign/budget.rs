//! Budgets and caps of a campaign: payin per period, calls per period, concurrent calls. Reaching
//! one raises an alert and, if it is enforced, rejects further calls.

use crate::money::{Currency, Money};
use crate::problem::{NOT_AN_INTEGER, Problems};
use crate::timezone::TimeZoneName;
use jiff::civil::{DateTime, Time};
use jiff::{Span, Timestamp};
use serde::{Deserialize, Serialize};

/// Length of a budget's periods. The total is reset at the start of each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum ResetPeriod {
    /// One day.
    Daily,
    /// One week.
    Weekly,
    /// One month.
    Monthly,
    /// Three months.
    Quarterly,
    /// A single period without an end.
    Ongoing,
}

impl ResetPeriod {
    /// All periods, in the order of the source documents.
    pub const ALL: [Self; 5] =
        [Self::Daily, Self::Weekly, Self::Monthly, Self::Quarterly, Self::Ongoing];

    /// The wire value.
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

/// Limit of a total per period: either payin or a number of calls.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Budget {
    /// Length of the periods.
    pub reset_period: ResetPeriod,
    /// Start of the first period.
    pub starts_at: Timestamp,
    /// Currency of the amount. Required and stored for a number of calls too, without effect.
    pub budget_currency: Currency,
    /// Time zone of the period boundaries.
    pub time_zone: TimeZoneName,
    /// Limit: an amount of money or a number of calls.
    pub budget_amount: Money,
    /// True if call fees count towards the total. No effect on a number of calls.
    pub include_call_fees: bool,
    /// True if calls are rejected once the total has reached the limit.
    pub enforce: bool,
}

/// Limit of the number of concurrent calls.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConcurrentCallCap {
    /// Limit: a number of calls.
    pub budget_amount: Money,
    /// True if calls are rejected once the limit is reached.
    pub enforce: bool,
}

/// Budgets of a set of terms.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Budgets {
    /// Limit of the payin per period.
    pub budget_cap_alert: Option<Budget>,
    /// Limit of the calls per period (`call_cap_alert` on the wire before 2015-12-09).
    pub periodic_call_cap_alert: Option<Budget>,
    /// Limit of the concurrent calls.
    pub concurrent_call_cap_alert: Option<ConcurrentCallCap>,
}

/// Current totals of a set of budgets. `None` for a budget that is not set.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct BudgetTotals {
    /// Payin of the current period.
    pub budget_cap_alert: Option<Money>,
    /// Number of calls of the current period.
    pub periodic_call_cap_alert: Option<Money>,
    /// Number of concurrent calls.
    pub concurrent_call_cap_alert: Option<Money>,
}

/// Period of a budget: from `start` (inclusive) to `end` (exclusive).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BudgetPeriod {
    /// First instant of the period.
    pub start: Timestamp,
    /// First instant of the next period. `None` for [`ResetPeriod::Ongoing`].
    pub end: Option<Timestamp>,
}

impl Budget {
    /// Returns the period that contains a timestamp; `None` before the first period.
    ///
    /// Periods are contiguous from `starts_at` on. Their boundaries follow local time and calendar
    /// of the budget's time zone. Daily periods begin at local midnight, or at the first moment of
    /// a day without a midnight; the first one begins at `starts_at`. Longer periods begin at the
    /// local time of `starts_at`; the first moment of a day counts as its midnight. Monthly periods
    /// that start on the 31st start on the last day of a shorter month.
    pub fn period_at(&self, at: Timestamp) -> Option<BudgetPeriod> {
        if at < self.starts_at {
            return None;
        }
        let (mean_seconds, span_of): (i64, fn(i64) -> Span) = match self.reset_period {
            ResetPeriod::Ongoing => return Some(BudgetPeriod { start: self.starts_at, end: None }),
            ResetPeriod::Daily => (86_400, |n| Span::new().days(n)),
            ResetPeriod::Weekly => (7 * 86_400, |n| Span::new().weeks(n)),
            ResetPeriod::Monthly => (30 * 86_400 + 37_746, |n| Span::new().months(n)),
            ResetPeriod::Quarterly => (91 * 86_400 + 26_838, |n| Span::new().months(3 * n)),
        };
        let first = self.first_boundary();
        let boundary = |n: i64| {
            let local = first.checked_add(span_of(n)).ok()?;
            Some(self.first_moment(local)?.max(self.starts_at))
        };
        // The estimate is off by at most two, because months and days with daylight saving
        // transitions differ in length.
        let mut index = (at.as_second() - self.starts_at.as_second()) / mean_seconds;
        while index > 0 && boundary(index)? > at {
            index -= 1;
        }
        loop {
            let start = boundary(index)?;
            let end = boundary(index + 1)?;
            if at < end {
                return Some(BudgetPeriod { start, end: Some(end) });
            }
            index += 1;
        }
    }

    /// Returns the local date and time from which the boundaries are counted.
    fn first_boundary(&self) -> DateTime {
        let zoned = self.starts_at.to_zoned(self.time_zone.to_time_zone());
        let is_first_moment = zoned.start_of_day().is_ok_and(|first| first == zoned);
        if self.reset_period == ResetPeriod::Daily || is_first_moment {
            zoned.date().to_datetime(Time::midnight())
        } else {
            zoned.datetime()
        }
    }

    /// Returns the moment of a local date and time. Midnight is the first moment of its day.
    fn first_moment(&self, local: DateTime) -> Option<Timestamp> {
        let zoned = local.to_zoned(self.time_zone.to_time_zone()).ok()?;
        let is_skipped_midnight = local.time() == Time::midnight() && zoned.date() == local.date();
        let zoned = if is_skipped_midnight { zoned.start_of_day().ok()? } else { zoned };
        Some(zoned.timestamp())
    }
}

impl Budgets {
    /// Returns true if no budget is set.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Reports the numbers of calls that are not whole, each at its amount.
    pub fn check_call_counts(&self, problems: &mut Problems) {
        let periodic = self.periodic_call_cap_alert.as_ref().map(|budget| budget.budget_amount);
        let concurrent = self.concurrent_call_cap_alert.as_ref().map(|cap| cap.budget_amount);
        for (property, amount) in
            [("periodic_call_cap_alert", periodic), ("concurrent_call_cap_alert", concurrent)]
        {
            if amount.is_some_and(|amount| amount.cents() % 100 != 0) {
                problems.property(property).property("budget_amount").add(NOT_AN_INTEGER);
            }
        }
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
            time_zone: TimeZoneName::parse(zone).unwrap(),
            budget_amount: Money::ZERO,
            include_call_fees: false,
            enforce: false,
        }
    }

    #[test]
    fn period_boundaries_follow_local_time() {
        let pacific = "Pacific Time (US & Canada)";
        for (period, starts_at, at, start, end) in [
            // A day with 25 hours.
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
                BudgetPeriod { start: start.parse().unwrap(), end: Some(end.parse().unwrap()) };
            assert_eq!(found, expected, "{period:?} at {at}");
        }
        let ongoing = budget(ResetPeriod::Ongoing, "2026-01-01T08:00:00Z", pacific);
        assert_eq!(ongoing.period_at("2026-01-01T07:59:59Z".parse().unwrap()), None);
        assert_eq!(ongoing.period_at("9000-01-01T00:00:00Z".parse().unwrap()).unwrap().end, None);
    }

    /// (Period, zone, `starts_at`, time, start and end of the period that contains it).
    const FIRST_MOMENTS: [(ResetPeriod, &str, [&str; 4]); 8] = [
        // 00:00 to 01:00 is skipped on the day of the first period: the others begin at 00:00.
        (
            ResetPeriod::Daily,
            "Santiago",
            ["2026-09-06T04:00Z", "2026-10-08T03:30Z", "2026-10-08T03:00Z", "2026-10-09T03:00Z"],
        ),
        (
            ResetPeriod::Weekly,
            "Santiago",
            ["2026-09-06T04:00Z", "2026-09-13T03:00Z", "2026-09-13T03:00Z", "2026-09-20T03:00Z"],
        ),
        // The same day in the middle of the periods.
        (
            ResetPeriod::Daily,
            "Santiago",
            ["2026-09-01T04:00Z", "2026-09-06T12:00Z", "2026-09-06T04:00Z", "2026-09-07T03:00Z"],
        ),
        (
            ResetPeriod::Daily,
            "Cairo",
            ["2026-04-23T22:00Z", "2026-04-25T20:59Z", "2026-04-24T21:00Z", "2026-04-25T21:00Z"],
        ),
        (
            ResetPeriod::Daily,
            "Azores",
            ["2026-03-29T01:00Z", "2026-03-30T00:30Z", "2026-03-30T00:00Z", "2026-03-31T00:00Z"],
        ),
        // A daily budget that starts at noon is reset at midnight.
        (
            ResetPeriod::Daily,
            "UTC",
            ["2026-01-01T12:00Z", "2026-01-02T01:00Z", "2026-01-02T00:00Z", "2026-01-03T00:00Z"],
        ),
        (
            ResetPeriod::Daily,
            "UTC",
            ["2026-01-01T12:00Z", "2026-01-01T13:00Z", "2026-01-01T12:00Z", "2026-01-02T00:00Z"],
        ),
        // 2011-12-30 did not exist in Samoa.
        (
            ResetPeriod::Daily,
            "Samoa",
            ["2011-12-28T10:00Z", "2011-12-30T10:00Z", "2011-12-30T10:00Z", "2011-12-31T10:00Z"],
        ),
    ];

    #[test]
    fn days_without_a_midnight_begin_at_their_first_moment() {
        for (period, zone, [starts_at, at, start, end]) in FIRST_MOMENTS {
            let found = budget(period, starts_at, zone).period_at(at.parse().unwrap()).unwrap();
            let expected =
                BudgetPeriod { start: start.parse().unwrap(), end: Some(end.parse().unwrap()) };
            assert_eq!(found, expected, "{zone} at {at}");
        }
    }

    proptest! {
        #[test]
        fn every_timestamp_is_in_exactly_one_period(
            kind in 0usize..4,
            start in 1_400_000_000i64..1_800_000_000,
            after in 0i64..1_000_000_000,
        ) {
            let mut budget = budget(ResetPeriod::ALL[kind], "2026-01-01T08:00:00Z", "London");
            budget.starts_at = Timestamp::from_second(start).unwrap();
            let at = Timestamp::from_second(start + after).unwrap();
            let period = budget.period_at(at).unwrap();
            let end = period.end.unwrap();
            prop_assert!(period.start <= at && at < end);
            prop_assert_eq!(budget.period_at(end).unwrap().start, end);
            let last = end.checked_sub(Span::new().milliseconds(1)).unwrap();
            prop_assert_eq!(budget.period_at(last).unwrap(), period);
        }
    }
}
