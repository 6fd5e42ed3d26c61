//! Check of the ledger: transactions against their bodies, call counts against the calls, and
//! enforced caps against the admitted calls.

use super::check::{Finding, ProgressObserver};
use crate::Error;
use crate::operations::{
    CallTotals, NO_PARAMS, UnitOfWork, from_json, timestamp_from_millis, to_millis,
};
use crate::sql::{Row, params};
use serde_json::{Value, json};
use trunkline_domain::call::{LedgerAmount, RecordedFacts, RejectionReason, Settlement};
use trunkline_domain::campaign::{BudgetPeriod, Terms};
use trunkline_domain::id::{CallId, CampaignId, TermsId, TransactionId};

/// Number of calls read at once, bounded by the memory for their bodies.
const CALLS_PER_PAGE: u32 = 500;

/// Position of a call in the order of [`CALLS`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct CallPosition {
    campaign: CampaignId,
    start_ms: i64,
    call: CallId,
}

/// Calls in the order of campaigns and start times, each with its transactions.
const CALLS: &str = "SELECT c.campaign_id, c.start_time, c.id, c.body, c.caller, c.turned_away,
        c.ended_at, t.id, t.body, t.payin_currency, t.payin, t.payout_currency, t.payout
    FROM (SELECT * FROM calls WHERE (campaign_id, start_time, id) > (?1, ?2, ?3)
        ORDER BY campaign_id, start_time, id LIMIT ?4) c
    LEFT JOIN transactions t ON t.call_id = c.id AND t.start_time = c.start_time
    ORDER BY c.campaign_id, c.start_time, c.id, t.id";

/// Counts of a campaign's calls in a quarter of an hour.
#[derive(Debug, Clone, Copy)]
struct QuarterCounts {
    campaign: CampaignId,
    number: i64,
    totals: CallTotals,
    /// True if every body in it could be parsed.
    all_parsed: bool,
}

/// Call of a pass whose transactions are being read.
#[derive(Debug, Clone, Copy)]
struct CallInProgress {
    position: CallPosition,
    has_ended: bool,
    /// Latest totals; `None` if the body could not be parsed.
    totals: Option<CallTotals>,
}

/// State of the pass over the calls.
#[derive(Default)]
struct LedgerPass {
    /// Call whose transactions are being read.
    call: Option<CallInProgress>,
    quarter: Option<QuarterCounts>,
    /// Quarters whose calls have all been read.
    complete: Vec<QuarterCounts>,
}

impl LedgerPass {
    /// Counts the call whose transactions have all been read.
    fn close_call(&mut self) {
        let Some(CallInProgress { position, has_ended, totals }) = self.call.take() else {
            return;
        };
        if !has_ended {
            return;
        }
        let campaign = position.campaign;
        let number = position.start_ms.div_euclid(900_000);
        let is_same =
            |quarter: &QuarterCounts| quarter.campaign == campaign && quarter.number == number;
        if !self.quarter.as_ref().is_some_and(is_same) {
            self.close_quarter();
        }
        let none = CallTotals::default();
        let empty = QuarterCounts { campaign, number, totals: none, all_parsed: true };
        let quarter = self.quarter.get_or_insert(empty);
        quarter.totals.add(totals.unwrap_or_default());
        quarter.all_parsed &= totals.is_some();
    }

    fn close_quarter(&mut self) {
        self.complete.extend(self.quarter.take());
    }

    /// Reads a row of [`CALLS`].
    fn read(&mut self, row: &Row<'_>, observer: &mut dyn ProgressObserver) -> Result<(), Error> {
        let position =
            CallPosition { campaign: row.get(0)?, start_ms: row.get(1)?, call: row.get(2)? };
        if self.call.is_none_or(|call| call.position != position) {
            self.close_call();
            let totals = check_call(row, position.call, observer)?;
            let has_ended = row.get::<Option<i64>>(6)?.is_some();
            self.call = Some(CallInProgress { position, has_ended, totals });
            observer.on_rows_done(1);
        }
        let Some(id) = row.get::<Option<TransactionId>>(7)? else { return Ok(()) };
        observer.on_rows_done(1);
        let settlement = row.get(8).and_then(|body| from_json::<Settlement>(body, "transaction"));
        let settlement = match settlement {
            Ok(settlement) => settlement,
            Err(error) => {
                report_unreadable(
                    observer,
                    format!("transactions {id}, body"),
                    &error,
                    "a transaction",
                );
                return Ok(());
            }
        };
        check_amount(row, 9, id, "payin", settlement.payin.as_ref(), observer)?;
        check_amount(row, 11, id, "payout", settlement.payout.as_ref(), observer)?;
        if let (Some(correction), Some(call)) = (settlement.correction, &mut self.call) {
            // Transactions come in order, so the last correction counts.
            match correction.recorded {
                Some(recorded) => call.totals = Some(totals_of(&recorded)),
                None => {
                    call.totals = row
                        .get(3)
                        .and_then(|body| from_json(body, "call"))
                        .ok()
                        .map(|facts| totals_of(&facts))
                }
            }
        }
        Ok(())
    }
}

fn totals_of(recorded: &RecordedFacts) -> CallTotals {
    CallTotals::of_call(recorded.facts.duration)
}

fn report_unreadable(observer: &mut dyn ProgressObserver, at: String, error: &Error, what: &str) {
    let cause = std::error::Error::source(error).map_or(error.to_string(), ToString::to_string);
    observer.on_finding(Finding {
        rule: "body",
        location: at,
        found: cause.into(),
        expected: what.into(),
    });
}

/// Checks a call's columns against its body. Returns its totals if the body can be parsed.
fn check_call(
    row: &Row<'_>,
    id: CallId,
    observer: &mut dyn ProgressObserver,
) -> Result<Option<CallTotals>, Error> {
    let recorded = row.get(3).and_then(|body| from_json::<RecordedFacts>(body, "call"));
    let recorded = match recorded {
        Ok(recorded) => recorded,
        Err(error) => {
            report_unreadable(observer, format!("calls {id}, body"), &error, "a call");
            return Ok(None);
        }
    };
    let caller = recorded.facts.calling_phone_number.as_ref().map(|number| number.e164());
    let turned_away = recorded.rejection.map(RejectionReason::as_str);
    for (column, index, expected) in [("caller", 4, caller), ("turned_away", 5, turned_away)] {
        let found: Option<&str> = row.get(index)?;
        if found != expected {
            let at = format!("call {id}, {column}");
            let found = json!(found);
            let expected = json!(expected);
            observer.on_finding(Finding { rule: "column", location: at, found, expected });
        }
    }
    Ok(Some(totals_of(&recorded)))
}

/// Checks the amount in a transaction's columns against its body. A transaction that reverses an
/// amount keeps its currency.
fn check_amount(
    row: &Row<'_>,
    index: usize,
    id: TransactionId,
    name: &str,
    side: Option<&LedgerAmount>,
    observer: &mut dyn ProgressObserver,
) -> Result<(), Error> {
    let currency: Option<&str> = row.get(index)?;
    let cents: Option<i64> = row.get(index + 1)?;
    let expected = side.map(|side| (side.amount.cents(), side.currency.as_str()));
    let agrees = match expected {
        Some(both) => cents.zip(currency) == Some(both),
        None => cents.is_none(),
    };
    if !agrees {
        let to_value = |cents: Option<i64>, currency: Option<&str>| -> Value {
            json!({"cents": cents, "currency": currency})
        };
        let at = format!("transaction {id}, {name}");
        let expected = to_value(expected.map(|both| both.0), expected.map(|both| both.1));
        observer.on_finding(Finding {
            rule: "amount",
            location: at,
            found: to_value(cents, currency),
            expected,
        });
    }
    Ok(())
}

impl UnitOfWork<'_> {
    /// Checks calls, transactions, and the counts of quarters of an hour.
    pub(super) fn check_ledger(
        &mut self,
        observer: &mut dyn ProgressObserver,
    ) -> Result<(), Error> {
        let mut pass = LedgerPass::default();
        let mut matched = 0;
        let mut after = Some(CallPosition {
            campaign: CampaignId::new(i64::MIN),
            start_ms: i64::MIN,
            call: CallId::new(i64::MIN),
        });
        while let Some(CallPosition { campaign, start_ms, call }) = after.take() {
            self.for_each_row(CALLS, params![campaign, start_ms, call, CALLS_PER_PAGE], |row| {
                pass.read(row, observer)?;
                Ok(true)
            })?;
            after = pass.call.map(|call| call.position);
            pass.close_call();
            if after.is_none() {
                pass.close_quarter();
            }
            for quarter in std::mem::take(&mut pass.complete) {
                matched += u64::from(self.check_quarter(quarter, observer)?);
            }
        }
        let stored = self.count_rows("call_quarters")?;
        observer.on_rows_done(stored);
        if matched < stored { self.check_quarters_without_calls(observer) } else { Ok(()) }
    }

    /// Checks the stored count of a quarter. Returns false if none is stored.
    fn check_quarter(
        &mut self,
        counts: QuarterCounts,
        observer: &mut dyn ProgressObserver,
    ) -> Result<bool, Error> {
        let stored = self.query_first(
            "SELECT calls, seconds, timed_calls FROM call_quarters
             WHERE campaign_id = ?1 AND quarter = ?2",
            params![counts.campaign, counts.number],
            |row| {
                let (calls, seconds, timed_calls) = (row.get(0)?, row.get(1)?, row.get(2)?);
                Ok(CallTotals { calls, seconds, timed_calls })
            },
        )?;
        if counts.all_parsed && stored != Some(counts.totals) {
            let to_value = |totals: CallTotals| {
                json!({"calls": totals.calls, "seconds": totals.seconds,
                    "timed_calls": totals.timed_calls})
            };
            observer.on_finding(Finding {
                rule: "call_quarter",
                location: format!("campaign {}, quarter {}", counts.campaign, counts.number),
                found: stored.map_or(Value::Null, to_value),
                expected: to_value(counts.totals),
            });
        }
        Ok(stored.is_some())
    }

    fn check_quarters_without_calls(
        &mut self,
        observer: &mut dyn ProgressObserver,
    ) -> Result<(), Error> {
        self.for_each_row(
            "SELECT q.campaign_id, q.quarter, q.calls, q.seconds FROM call_quarters q
             WHERE NOT EXISTS (SELECT 1 FROM calls c WHERE c.campaign_id = q.campaign_id
                 AND c.start_time >= q.quarter * 900000 AND c.start_time < (q.quarter + 1) * 900000
                 AND c.ended_at IS NOT NULL)",
            NO_PARAMS,
            |row| {
                let (calls, seconds): (i64, i64) = (row.get(2)?, row.get(3)?);
                observer.on_finding(Finding {
                    rule: "call_quarter",
                    location: format!(
                        "campaign {}, quarter {}",
                        row.get::<CampaignId>(0)?,
                        row.get::<i64>(1)?
                    ),
                    found: json!({"calls": calls, "seconds": seconds}),
                    expected: json!({"calls": 0, "seconds": 0}),
                });
                Ok(true)
            },
        )
    }

    /// Checks that no enforced cap on calls was exceeded under the terms that were current.
    pub(super) fn check_caps(&mut self, observer: &mut dyn ProgressObserver) -> Result<(), Error> {
        let mut after = TermsId::UNASSIGNED;
        loop {
            let next = self.query_first(
                "SELECT id, campaign_id, body FROM terms WHERE id > ?1 ORDER BY id LIMIT 1",
                [after],
                |row| {
                    Ok((row.get::<TermsId>(0)?, row.get::<CampaignId>(1)?, row.get::<String>(2)?))
                },
            )?;
            let Some((id, campaign, body)) = next else { return Ok(()) };
            // Terms that do not parse were reported before.
            if let Ok(terms) = from_json::<Terms>(&body, "terms") {
                self.check_cap(id, campaign, &terms, observer)?;
            }
            after = id;
        }
    }

    fn check_cap(
        &mut self,
        id: TermsId,
        campaign: CampaignId,
        terms: &Terms,
        observer: &mut dyn ProgressObserver,
    ) -> Result<(), Error> {
        let cap = terms.budgets.periodic_call_cap_alert.as_ref().filter(|cap| cap.enforce);
        let Some(cap) = cap else { return Ok(()) };
        // A fraction of a call counts as a call.
        let max_calls = cap.budget_amount.cents().saturating_add(99) / 100;
        let mut start = i64::MIN;
        loop {
            let next = self.query_first(
                "SELECT MIN(start_time) FROM calls
                 WHERE campaign_id = ?1 AND terms_id = ?2 AND turned_away IS NULL
                 AND start_time >= ?3",
                params![campaign, id, start],
                |row| row.get::<Option<i64>>(0),
            )?;
            let Some(first) = next.flatten() else { return Ok(()) };
            let Some(period) = cap.period_at(timestamp_from_millis(first)?) else {
                start = to_millis(cap.starts_at);
                if first >= start {
                    return Ok(());
                }
                continue;
            };
            let found = self.count_admitted_calls(campaign, id, period)?;
            if found > max_calls {
                let at = format!("campaign {campaign}, terms {id}, from {}", period.start);
                let found = found.into();
                let expected = format!("at most {max_calls} calls").into();
                observer.on_finding(Finding { rule: "call_cap", location: at, found, expected });
            }
            let Some(end) = period.end else { return Ok(()) };
            start = to_millis(end).max(first + 1);
        }
    }

    /// Number of calls in a period up to the last one that was admitted under the given terms.
    fn count_admitted_calls(
        &mut self,
        campaign: CampaignId,
        terms: TermsId,
        period: BudgetPeriod,
    ) -> Result<i64, Error> {
        let end = period.end.map_or(i64::MAX, to_millis);
        let found = self.query_first(
            "SELECT COUNT(*) FROM calls WHERE campaign_id = ?1 AND start_time >= ?3
             AND start_time < ?4 AND turned_away IS NULL
             AND id <= (SELECT MAX(id) FROM calls WHERE campaign_id = ?1 AND terms_id = ?2
                 AND start_time >= ?3 AND start_time < ?4 AND turned_away IS NULL)",
            params![campaign, terms, to_millis(period.start), end],
            |row| row.get(0),
        )?;
        Ok(found.unwrap_or(0))
    }
}
