//! Live calls, and the answers to their events.

use super::budgets::{CounterKey, CounterScope, PeriodBounds};
use super::{UnitOfWork, from_json, to_json, to_millis};
use crate::Error;
use crate::sql::params;
use jiff::Timestamp;
use serde_json::Value;
use trunkline_domain::call::{Call, LiveCall};
use trunkline_domain::id::{CallId, NetworkId};
use trunkline_domain::money::{Currency, Money};

/// Live call that exceeded its time limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OverdueCall {
    /// Id of its network.
    pub network_id: NetworkId,
    /// Id of the call.
    pub call_id: CallId,
}

/// Event of a live call, with the answer to it.
#[derive(Debug, Clone, PartialEq)]
pub struct AnsweredEvent {
    /// Event as it was reported.
    pub event: Value,
    /// Answer: the call's instructions.
    pub answer: Value,
}

impl UnitOfWork<'_> {
    /// Inserts the state of a call that has started and lasts until `deadline` at most. `hold` is
    /// the most that its terms can pay; the budgets of the payin hold it until the call ends.
    pub fn insert_live_call(
        &mut self,
        call: &Call,
        live: &LiveCall,
        deadline: Timestamp,
        hold: Option<(Money, Currency)>,
    ) -> Result<(), Error> {
        self.execute(
            "INSERT INTO live_calls (call_id, campaign_id, state, deadline, start_time,
             held_currency, held) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
            params![
                call.id,
                call.campaign_id,
                to_json(live, "live call")?,
                to_millis(deadline),
                to_millis(call.start_time),
                hold.map(|(_, currency)| currency.as_str()),
                hold.map_or(0, |(amount, _)| amount.cents()),
            ],
        )?;
        Ok(())
    }

    /// Amount in cents that the live calls of a campaign hold in a period.
    pub fn held_payin(&mut self, counter: CounterKey) -> Result<i64, Error> {
        let CounterScope::Payin(currency) = counter.scope else { return Ok(0) };
        let PeriodBounds { start_ms: start, end_ms: end } = PeriodBounds::new(counter.period);
        let found = self.query_first(
            "SELECT CAST(COALESCE(SUM(held), 0) AS BIGINT) FROM live_calls
             WHERE campaign_id = ?1 AND start_time >= ?2 AND start_time < ?3
             AND held_currency = ?4",
            params![counter.campaign_id, start, end, currency.as_str()],
            |row| row.get(0),
        )?;
        Ok(found.unwrap_or(0))
    }

    /// State of a live call; `None` if the call has ended.
    pub fn live_call(&mut self, call: CallId) -> Result<Option<LiveCall>, Error> {
        self.query_first("SELECT state FROM live_calls WHERE call_id = ?1", [call], |row| {
            from_json(&row.get::<String>(0)?, "live call")
        })
    }

    /// Live calls of a network with an external id, given at the start or later, in the order of ids.
    pub fn live_calls_by_external_id(
        &mut self,
        network: NetworkId,
        external_id: &str,
    ) -> Result<Vec<CallId>, Error> {
        let (calls, given_later) = if self.is_postgres() {
            ("call_keys c ON c.call_id", "CAST(l.state AS json) ->> 'external_id'")
        } else {
            ("calls c ON c.id", "l.state ->> 'external_id'")
        };
        self.query_all(
            &format!(
                "SELECT l.call_id FROM live_calls l JOIN {calls} = l.call_id
                 WHERE c.network_id = ?1 AND (c.external_id = ?2 OR {given_later} = ?2)
                 ORDER BY l.call_id"
            ),
            params![network, external_id],
            |row| row.get(0),
        )
    }

    /// Updates the state of a live call without an event, so that its deadline stays.
    pub fn update_live_call_state(&mut self, call: CallId, live: &LiveCall) -> Result<(), Error> {
        self.execute(
            "UPDATE live_calls SET state = ?2 WHERE call_id = ?1",
            params![call, to_json(live, "live call")?],
        )?;
        Ok(())
    }

    /// Updates the state of a live call and the time until which it lasts at most.
    pub fn update_live_call(
        &mut self,
        call: CallId,
        live: &LiveCall,
        deadline: Timestamp,
    ) -> Result<(), Error> {
        self.execute(
            "UPDATE live_calls SET state = ?2, deadline = ?3 WHERE call_id = ?1",
            params![call, to_json(live, "live call")?, to_millis(deadline)],
        )?;
        Ok(())
    }

    /// Deletes the state of a call that has ended.
    pub fn delete_live_call(&mut self, call: CallId) -> Result<(), Error> {
        self.execute("DELETE FROM live_calls WHERE call_id = ?1", [call])?;
        Ok(())
    }

    /// Live calls past their deadline, the longest overdue first; at most `limit`.
    pub fn overdue_calls(&mut self, now: Timestamp, limit: u32) -> Result<Vec<OverdueCall>, Error> {
        let of = if self.is_postgres() {
            "call_keys c ON c.call_id = l.call_id"
        } else {
            "calls c ON c.id = l.call_id"
        };
        self.query_all(
            &format!(
                "SELECT c.network_id, l.call_id FROM live_calls l JOIN {of}
                 WHERE l.deadline <= ?1 ORDER BY l.deadline, l.call_id LIMIT ?2"
            ),
            params![to_millis(now), limit],
            |row| Ok(OverdueCall { network_id: row.get(0)?, call_id: row.get(1)? }),
        )
    }

    /// Returns true if a call is live and past its deadline.
    pub fn is_overdue(&mut self, call: CallId, now: Timestamp) -> Result<bool, Error> {
        self.exists(
            "SELECT 1 FROM live_calls WHERE call_id = ?1 AND deadline <= ?2",
            params![call, to_millis(now)],
        )
    }

    /// Event of a call with a sequence number.
    pub fn call_event(
        &mut self,
        call: CallId,
        sequence: u32,
    ) -> Result<Option<AnsweredEvent>, Error> {
        self.query_first(
            "SELECT event, answer FROM call_events WHERE call_id = ?1 AND sequence = ?2",
            params![call, sequence],
            |row| {
                let read = |at| -> Result<Value, Error> {
                    from_json(&row.get::<String>(at)?, "call event")
                };
                Ok(AnsweredEvent { event: read(0)?, answer: read(1)? })
            },
        )
    }

    /// Event of a call with an id of the edge.
    pub fn call_event_with_id(
        &mut self,
        call: CallId,
        event_id: &str,
    ) -> Result<Option<AnsweredEvent>, Error> {
        let id = if self.is_postgres() {
            "CAST(event AS json) ->> 'event_id'"
        } else {
            "event ->> '$.event_id'"
        };
        self.query_first(
            &format!(
                "SELECT event, answer FROM call_events WHERE call_id = ?1 AND {id} = ?2
                 ORDER BY sequence LIMIT 1"
            ),
            params![call, event_id],
            |row| {
                let read = |at| -> Result<Value, Error> {
                    from_json(&row.get::<String>(at)?, "call event")
                };
                Ok(AnsweredEvent { event: read(0)?, answer: read(1)? })
            },
        )
    }

    /// Greatest sequence number of a call's events; `None` if it has none.
    pub fn last_call_event(&mut self, call: CallId) -> Result<Option<u32>, Error> {
        let last = self.query_first(
            "SELECT MAX(sequence) FROM call_events WHERE call_id = ?1",
            [call],
            |row| row.get::<Option<u32>>(0),
        )?;
        Ok(last.flatten())
    }

    /// Inserts an event of a call and the answer to it.
    pub fn insert_call_event(
        &mut self,
        call: CallId,
        sequence: u32,
        at: Timestamp,
        event: &Value,
        answer: &Value,
    ) -> Result<(), Error> {
        self.execute(
            "INSERT INTO call_events (call_id, sequence, event, at, answer)
             VALUES (?1, ?2, ?3, ?4, ?5)",
            params![
                call,
                sequence,
                to_json(event, "call event")?,
                to_millis(at),
                to_json(answer, "call event")?
            ],
        )?;
        Ok(())
    }
}
