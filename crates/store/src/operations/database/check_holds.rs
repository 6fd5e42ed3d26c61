//! Check of the amounts that live calls hold of the budgets of the payin.

use super::check::{Finding, ProgressObserver};
use crate::Error;
use crate::operations::{NO_PARAMS, UnitOfWork, from_json};
use serde_json::json;
use trunkline_domain::campaign::Terms;
use trunkline_domain::id::CallId;

impl UnitOfWork<'_> {
    /// Checks that every live call holds the most that its terms can pay, at its start.
    pub(super) fn check_holds(&mut self, observer: &mut dyn ProgressObserver) -> Result<(), Error> {
        self.for_each_row(
            "SELECT l.call_id, l.held_currency, l.held, l.start_time, c.start_time, t.body
             FROM live_calls l JOIN calls c ON c.id = l.call_id
             LEFT JOIN terms t ON t.id = c.terms_id",
            NO_PARAMS,
            |row| {
                // Terms that do not parse were reported before.
                let terms = match row.get::<Option<&str>>(5)? {
                    Some(body) => from_json::<Terms>(body, "terms").ok(),
                    None => None,
                };
                let Some(terms) = terms else { return Ok(true) };
                let payin = terms.advertiser_payin.as_ref();
                let currency = payin.map(|payin| payin.currency().as_str());
                let cents = payin.map_or(0, |payin| payin.max_amount().cents());
                let found: (Option<&str>, i64, i64) = (row.get(1)?, row.get(2)?, row.get(3)?);
                let expected = (currency, cents, row.get(4)?);
                if found != expected {
                    let to_value = |(currency, cents, start): (Option<&str>, i64, i64)| {
                        json!({"currency": currency, "cents": cents, "start_time": start})
                    };
                    observer.on_finding(Finding {
                        rule: "held_payin",
                        location: format!("call {}", row.get::<CallId>(0)?),
                        found: to_value(found),
                        expected: to_value(expected),
                    });
                }
                Ok(true)
            },
        )
    }
}
