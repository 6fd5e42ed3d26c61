//! What calls came to: each row of the ledger against its body, the running totals against the calls,
//! and the caps against what was let in.

use super::check::{Finding, Watch};
use crate::Error;
use crate::operations::{NONE, Session, from_json, millis, moment};
use crate::sql::{Row, params};
use serde_json::{Value, json};
use trunkline_domain::call::{Heard, Settlement, Side, TurnedAway};
use trunkline_domain::campaign::{Period, Terms};

/// Calls read at once: as many bodies as memory holds.
const PAGE: u32 = 500;

/// Where a call stands in the order of [`CALLS`].
type Place = (i64, i64, i64);

/// Calls in the order of their campaigns and times, each with every row of the ledger that it has.
const CALLS: &str = "SELECT c.campaign_id, c.start_time, c.id, c.body, c.caller, c.turned_away,
        c.ended_at, t.id, t.body, t.payin_currency, t.payin, t.payout_currency, t.payout
    FROM (SELECT * FROM calls WHERE (campaign_id, start_time, id) > (?1, ?2, ?3)
        ORDER BY campaign_id, start_time, id LIMIT ?4) c
    LEFT JOIN transactions t ON t.call_id = c.id AND t.start_time = c.start_time
    ORDER BY c.campaign_id, c.start_time, c.id, t.id";

/// A quarter of an hour of a campaign.
#[derive(Debug, Clone, Copy)]
struct Quarter {
    campaign: i64,
    number: i64,
    calls: i64,
    seconds: i64,
    /// Whether every body in it could be read.
    known: bool,
}

/// What is known while calls are gone through.
#[derive(Default)]
struct Books {
    /// The call whose rows are being read, and how long it took by its newest row; `None` in it is
    /// not known.
    call: Option<(Place, bool, Option<i64>)>,
    quarter: Option<Quarter>,
    /// Quarters that are complete.
    complete: Vec<Quarter>,
}

impl Books {
    /// Counts the call whose rows have all been read.
    fn close_call(&mut self) {
        let Some(((campaign, start, _), over, seconds)) = self.call.take() else { return };
        if !over {
            return;
        }
        let number = start.div_euclid(900_000);
        let same = |it: &Quarter| it.campaign == campaign && it.number == number;
        if !self.quarter.as_ref().is_some_and(same) {
            self.close_quarter();
        }
        let fresh = Quarter { campaign, number, calls: 0, seconds: 0, known: true };
        let quarter = self.quarter.get_or_insert(fresh);
        quarter.calls += 1;
        quarter.seconds += seconds.unwrap_or(0);
        quarter.known &= seconds.is_some();
    }

    fn close_quarter(&mut self) {
        self.complete.extend(self.quarter.take());
    }

    /// Reads a row of [`CALLS`].
    fn read(&mut self, row: &Row<'_>, watch: &mut dyn Watch) -> Result<(), Error> {
        let place: Place = (row.get(0)?, row.get(1)?, row.get(2)?);
        if self.call.is_none_or(|(known, ..)| known != place) {
            self.close_call();
            let seconds = check_call(row, place.2, watch)?;
            self.call = Some((place, row.get::<Option<i64>>(6)?.is_some(), seconds));
            watch.done(1);
        }
        let Some(id) = row.get::<Option<i64>>(7)? else { return Ok(()) };
        watch.done(1);
        let settlement = from_json::<Settlement>(row.get(8)?, "transaction");
        let settlement = match settlement {
            Ok(settlement) => settlement,
            Err(error) => {
                unreadable(watch, format!("transactions {id}, body"), &error, "a transaction");
                return Ok(());
            }
        };
        check_side(row, 9, id, "payin", settlement.payin.as_ref(), watch)?;
        check_side(row, 11, id, "payout", settlement.payout.as_ref(), watch)?;
        if let (Some(correction), Some((.., seconds))) = (settlement.correction, &mut self.call) {
            // Rows come in order, so the last one counts.
            match correction.heard {
                Some(heard) => *seconds = Some(duration(&heard)),
                None => *seconds = from_json(row.get(3)?, "call").ok().map(|it| duration(&it)),
            }
        }
        Ok(())
    }
}

fn duration(heard: &Heard) -> i64 {
    i64::from(heard.facts.duration.unwrap_or(0))
}

fn unreadable(watch: &mut dyn Watch, at: String, error: &Error, what: &str) {
    let why = std::error::Error::source(error).map_or(error.to_string(), ToString::to_string);
    watch.found(Finding { rule: "body", at, found: why.into(), expected: what.into() });
}

/// A call's columns against its body; returns how long it took, if its body can be read.
fn check_call(row: &Row<'_>, id: i64, watch: &mut dyn Watch) -> Result<Option<i64>, Error> {
    let heard: Heard = match from_json(row.get(3)?, "call") {
        Ok(heard) => heard,
        Err(error) => {
            unreadable(watch, format!("calls {id}, body"), &error, "a call");
            return Ok(None);
        }
    };
    let caller = heard.facts.calling_phone_number.as_ref().map(|number| number.e164());
    let turned_away = heard.turned_away.map(TurnedAway::as_str);
    for (column, index, expected) in [("caller", 4, caller), ("turned_away", 5, turned_away)] {
        let found: Option<&str> = row.get(index)?;
        if found != expected {
            let at = format!("call {id}, {column}");
            let (found, expected) = (json!(found), json!(expected));
            watch.found(Finding { rule: "column", at, found, expected });
        }
    }
    Ok(Some(duration(&heard)))
}

/// The amount in a row's columns against its body's. A row that takes an amount back still says of
/// which currency.
fn check_side(
    row: &Row<'_>,
    index: usize,
    id: i64,
    name: &str,
    side: Option<&Side>,
    watch: &mut dyn Watch,
) -> Result<(), Error> {
    let (currency, cents): (Option<&str>, Option<i64>) = (row.get(index)?, row.get(index + 1)?);
    let expected = side.map(|side| (side.amount.cents(), side.currency.as_str()));
    let agrees = match expected {
        Some(both) => cents.zip(currency) == Some(both),
        None => cents.is_none(),
    };
    if !agrees {
        let shown = |cents: Option<i64>, currency: Option<&str>| -> Value {
            json!({"cents": cents, "currency": currency})
        };
        let at = format!("transaction {id}, {name}");
        let expected = shown(expected.map(|it| it.0), expected.map(|it| it.1));
        watch.found(Finding { rule: "amount", at, found: shown(cents, currency), expected });
    }
    Ok(())
}

impl Session<'_> {
    /// Calls and the ledger, and the running totals of quarters of an hour.
    pub(super) fn check_books(&mut self, watch: &mut dyn Watch) -> Result<(), Error> {
        let (mut books, mut matched) = (Books::default(), 0);
        let mut after: Option<Place> = Some((i64::MIN, i64::MIN, i64::MIN));
        while let Some((campaign, start, id)) = after.take() {
            self.each(CALLS, params![campaign, start, id, PAGE], |row| {
                books.read(row, watch)?;
                Ok(true)
            })?;
            after = books.call.map(|(place, ..)| place);
            books.close_call();
            if after.is_none() {
                books.close_quarter();
            }
            for quarter in std::mem::take(&mut books.complete) {
                matched += u64::from(self.check_quarter(quarter, watch)?);
            }
        }
        let kept = self.count_rows("call_quarters")?;
        watch.done(kept);
        if matched < kept { self.check_quarters_without_calls(watch) } else { Ok(()) }
    }

    /// Whether a total is kept of a quarter.
    fn check_quarter(&mut self, it: Quarter, watch: &mut dyn Watch) -> Result<bool, Error> {
        let kept = self.first(
            "SELECT calls, seconds FROM call_quarters WHERE campaign_id = ?1 AND quarter = ?2",
            [it.campaign, it.number],
            |row| Ok((row.get::<i64>(0)?, row.get::<i64>(1)?)),
        )?;
        if it.known && kept != Some((it.calls, it.seconds)) {
            let shown = |(calls, seconds)| json!({"calls": calls, "seconds": seconds});
            watch.found(Finding {
                rule: "call_quarter",
                at: format!("campaign {}, quarter {}", it.campaign, it.number),
                found: kept.map_or(Value::Null, shown),
                expected: shown((it.calls, it.seconds)),
            });
        }
        Ok(kept.is_some())
    }

    fn check_quarters_without_calls(&mut self, watch: &mut dyn Watch) -> Result<(), Error> {
        self.each(
            "SELECT q.campaign_id, q.quarter, q.calls, q.seconds FROM call_quarters q
             WHERE NOT EXISTS (SELECT 1 FROM calls c WHERE c.campaign_id = q.campaign_id
                 AND c.start_time >= q.quarter * 900000 AND c.start_time < (q.quarter + 1) * 900000
                 AND c.ended_at IS NOT NULL)",
            NONE,
            |row| {
                let (calls, seconds): (i64, i64) = (row.get(2)?, row.get(3)?);
                watch.found(Finding {
                    rule: "call_quarter",
                    at: format!("campaign {}, quarter {}", row.get::<i64>(0)?, row.get::<i64>(1)?),
                    found: json!({"calls": calls, "seconds": seconds}),
                    expected: json!({"calls": 0, "seconds": 0}),
                });
                Ok(true)
            },
        )
    }

    /// No enforced cap on calls was let in over, by the terms that were in force.
    pub(super) fn check_caps(&mut self, watch: &mut dyn Watch) -> Result<(), Error> {
        let mut after = 0;
        loop {
            let next = self.first(
                "SELECT id, campaign_id, body FROM terms WHERE id > ?1 ORDER BY id LIMIT 1",
                [after],
                |row| Ok((row.get::<i64>(0)?, row.get::<i64>(1)?, row.get::<String>(2)?)),
            )?;
            let Some((id, campaign, body)) = next else { return Ok(()) };
            // Terms that cannot be read were found before.
            if let Ok(terms) = from_json::<Terms>(&body, "terms") {
                self.check_cap(id, campaign, &terms, watch)?;
            }
            after = id;
        }
    }

    fn check_cap(
        &mut self,
        id: i64,
        campaign: i64,
        terms: &Terms,
        watch: &mut dyn Watch,
    ) -> Result<(), Error> {
        let cap = terms.budgets.periodic_call_cap_alert.as_ref().filter(|cap| cap.enforce);
        let Some(cap) = cap else { return Ok(()) };
        // A part of a call is a call.
        let most = cap.budget_amount.cents().saturating_add(99) / 100;
        let mut start = i64::MIN;
        loop {
            let next = self.first(
                "SELECT MIN(start_time) FROM calls
                 WHERE campaign_id = ?1 AND terms_id = ?2 AND turned_away IS NULL
                 AND start_time >= ?3",
                [campaign, id, start],
                |row| row.get::<Option<i64>>(0),
            )?;
            let Some(first) = next.flatten() else { return Ok(()) };
            let Some(period) = cap.period_at(moment(first)?) else {
                start = millis(cap.starts_at);
                if first >= start {
                    return Ok(());
                }
                continue;
            };
            let found = self.let_in(campaign, id, period)?;
            if found > most {
                let at = format!("campaign {campaign}, terms {id}, from {}", period.start);
                let (found, expected) = (found.into(), format!("at most {most} calls").into());
                watch.found(Finding { rule: "call_cap", at, found, expected });
            }
            let Some(end) = period.end else { return Ok(()) };
            start = millis(end).max(first + 1);
        }
    }

    /// Calls of a period that had been let in when the last of them was by some terms.
    fn let_in(&mut self, campaign: i64, terms: i64, period: Period) -> Result<i64, Error> {
        let end = period.end.map_or(i64::MAX, millis);
        let found = self.first(
            "SELECT COUNT(*) FROM calls WHERE campaign_id = ?1 AND start_time >= ?3
             AND start_time < ?4 AND turned_away IS NULL
             AND id <= (SELECT MAX(id) FROM calls WHERE campaign_id = ?1 AND terms_id = ?2
                 AND start_time >= ?3 AND start_time < ?4 AND turned_away IS NULL)",
            [campaign, terms, millis(period.start), end],
            |row| row.get(0),
        )?;
        Ok(found.unwrap_or(0))
    }
}
