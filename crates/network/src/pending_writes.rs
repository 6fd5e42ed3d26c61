//! Buffers the inserts of a batch of calls, so that calls, ledger rows and events are each written
//! with one statement.

use crate::events::EventAudience;
use crate::running_totals::{AlertedTotal, RunningTotals};
use crate::{Context, Error, UnitOfWork, outbox};
use jiff::Timestamp;
use serde_json::Value;
use std::rc::Rc;
use trunkline_domain::call::{Call, LedgerAmount, Transaction};
use trunkline_domain::id::{CampaignId, EventId, TransactionId};
use trunkline_store::{CounterKey, CounterScope, IdCounts, MailRecord, NewEvent, PeriodBounds};

/// Buffered inserts, in the order in which they are written. Buffered rows are not visible to
/// queries before [`PendingWrites::write`]; only [`PendingWrites::total`] accounts for them.
///
/// A buffered row has no id yet. Other buffered rows refer to it by its index in the buffer.
pub(crate) struct PendingWrites {
    calls: Vec<(Rc<Call>, Vec<u8>)>,
    transactions: Vec<PendingTransaction>,
    events: Vec<PendingEvent>,
    mails: Vec<(usize, MailRecord)>,
    pub(crate) totals: RunningTotals,
}

struct PendingTransaction {
    row: Transaction,
    /// Row that `row` corrects.
    corrected: Option<Transaction>,
    /// Index of the row that `row` corrects, if that is buffered too.
    corrected_index: Option<usize>,
    /// Index of its call, if the call is buffered too; else `row.call_id` is set.
    call: Option<usize>,
}

struct PendingEvent {
    kind: String,
    audience: EventAudience,
    data: EventData,
}

enum EventData {
    Complete(Value),
    /// Index of a buffered transaction, and the event's other properties: a non-empty JSON object,
    /// to which [`PendingWrites::write`] adds `transaction_id`.
    Transaction(usize, String),
}

impl PendingWrites {
    /// Creates a buffer for one call that starts at `start`.
    pub(crate) fn for_call_at(start: Timestamp) -> Self {
        Self::for_calls_between(start, start)
    }

    /// Creates a buffer for calls that start from `first` to `last`, both included.
    pub(crate) fn for_calls_between(first: Timestamp, last: Timestamp) -> Self {
        Self {
            calls: Vec::new(),
            transactions: Vec::new(),
            events: Vec::new(),
            mails: Vec::new(),
            totals: RunningTotals::for_calls_between(first, last),
        }
    }

    /// Adds a new call with the SHA-256 of its request. Returns its index.
    pub(crate) fn push_call(&mut self, call: Rc<Call>, fingerprint: &[u8]) -> usize {
        self.calls.push((call, fingerprint.to_vec()));
        self.calls.len() - 1
    }

    /// Adds a ledger row. `corrected` is the row that it corrects; `call` is the index of its call,
    /// if the call is buffered too. Returns the row's index.
    pub(crate) fn push_transaction(
        &mut self,
        row: Transaction,
        corrected: Option<Transaction>,
        call: Option<usize>,
    ) -> usize {
        let corrected_index = None;
        self.transactions.push(PendingTransaction { row, corrected, corrected_index, call });
        self.transactions.len() - 1
    }

    /// Adds a ledger row that corrects the buffered row with the index `corrected`. Returns its
    /// index.
    pub(crate) fn push_correction_of(&mut self, row: Transaction, corrected: usize) -> usize {
        self.transactions.push(PendingTransaction {
            row,
            corrected: self.transaction(corrected).cloned(),
            corrected_index: Some(corrected),
            call: None,
        });
        self.transactions.len() - 1
    }

    /// Returns a buffered ledger row by its index.
    pub(crate) fn transaction(&self, index: usize) -> Option<&Transaction> {
        self.transactions.get(index).map(|pending| &pending.row)
    }

    /// Adds an event. Returns its index.
    pub(crate) fn push_event(&mut self, kind: &str, audience: EventAudience, data: Value) -> usize {
        let data = EventData::Complete(data);
        self.events.push(PendingEvent { kind: kind.to_owned(), audience, data });
        self.events.len() - 1
    }

    /// Adds an event of the buffered ledger row with the index `transaction`. `data` is a non-empty
    /// JSON object with all properties of the event except `transaction_id`.
    pub(crate) fn push_transaction_event(
        &mut self,
        transaction: usize,
        kind: &str,
        audience: EventAudience,
        data: String,
    ) {
        let data = EventData::Transaction(transaction, data);
        self.events.push(PendingEvent { kind: kind.to_owned(), audience, data });
    }

    /// Adds a mail about the buffered event with the index `event`.
    pub(crate) fn push_mail(&mut self, event: usize, mail: MailRecord) {
        self.mails.push((event, mail));
    }

    /// Returns the total of a budget counter: stored calls and buffered calls.
    pub(crate) fn total(
        &mut self,
        unit: &mut UnitOfWork<'_>,
        counter: CounterKey,
    ) -> Result<i64, Error> {
        let Self { calls, transactions, totals, .. } = self;
        totals.total(unit, counter, || pending_amount(calls, transactions, counter))
    }

    /// Persists the total of a budget counter: see [`RunningTotals::persist`].
    pub(crate) fn persist_total(
        &mut self,
        unit: &mut UnitOfWork<'_>,
        counter: CounterKey,
        amount: i64,
    ) -> Result<AlertedTotal, Error> {
        let Self { calls, transactions, totals, .. } = self;
        totals.persist(unit, counter, amount, || pending_amount(calls, transactions, counter))
    }

    /// Writes all buffered rows. Returns the ledger rows, with their ids, in the order of their
    /// indexes.
    pub(crate) fn write(
        self,
        unit: &mut UnitOfWork<'_>,
        context: &Context,
    ) -> Result<Vec<Transaction>, Error> {
        let Self { calls, mut transactions, events, mails, totals } = self;
        let ids = unit.reserve_ids(IdCounts {
            calls: calls.len(),
            transactions: transactions.len(),
            events: events.len(),
        })?;
        let call_id = |index: usize| ids.call.offset(index);
        let transaction_id = |index: usize| ids.transaction.offset(index);
        let call_rows = calls.iter().enumerate();
        let call_rows = call_rows
            .map(|(index, (call, fingerprint))| (call_id(index), &**call, fingerprint.as_slice()));
        unit.insert_calls(call_rows)?;
        for (index, pending) in transactions.iter_mut().enumerate() {
            pending.row.id = transaction_id(index);
            pending.row.call_id = pending.call.map_or(pending.row.call_id, call_id);
            let corrected = pending.corrected_index.map(transaction_id);
            pending.row.corrects_id = corrected.or(pending.row.corrects_id);
        }
        let rows = transactions.iter().map(|pending| (&pending.row, pending.corrected.as_ref()));
        unit.insert_transactions(rows)?;
        let mut new_events = Vec::with_capacity(events.len());
        for (index, event) in events.iter().enumerate() {
            let row = |index: usize| transactions.get(index).map(|pending| &pending.row);
            new_events.push(event.to_new_event(context, ids.event.offset(index), row));
        }
        unit.insert_events(&new_events, context.system_now)?;
        let kinds = new_events.iter().map(|event| (event.id, event.kind));
        outbox::enqueue_deliveries(unit, context, kinds)?;
        for (event, mut mail) in mails {
            mail.event_id = Some(ids.event.offset(event));
            unit.insert_mail(&mail)?;
        }
        totals.write(unit)?;
        Ok(transactions.into_iter().map(|pending| pending.row).collect())
    }
}

impl PendingEvent {
    fn to_new_event<'t>(
        &self,
        context: &Context,
        id: EventId,
        row: impl Fn(usize) -> Option<&'t Transaction>,
    ) -> NewEvent<'_> {
        let data = match &self.data {
            EventData::Complete(data) => data.to_string(),
            EventData::Transaction(index, data) => {
                let properties = data.strip_prefix('{').unwrap_or(data);
                let row = row(*index);
                let id = row.map_or(TransactionId::UNASSIGNED, |row| row.id);
                let corrected = row
                    .and_then(|row| row.corrects_id)
                    .map(|corrected| format!("\"corrects_transaction_id\":\"{corrected}\","));
                let corrected = corrected.unwrap_or_default();
                format!("{{\"transaction_id\":\"{id}\",{corrected}{properties}")
            }
        };
        NewEvent {
            id,
            network_id: context.principal.network_id,
            at: context.now,
            kind: &self.kind,
            advertiser_id: self.audience.advertiser,
            affiliate_id: self.audience.affiliate,
            data,
        }
    }
}

/// Returns the part of a counter's total that buffered rows contribute.
fn pending_amount(
    calls: &[(Rc<Call>, Vec<u8>)],
    transactions: &[PendingTransaction],
    counter: CounterKey,
) -> i64 {
    let bounds = PeriodBounds::new(counter.period);
    let is_counted = |campaign: CampaignId, at: Timestamp| {
        campaign == counter.campaign_id && bounds.contains(at)
    };
    match counter.scope {
        CounterScope::LiveCalls => 0,
        CounterScope::Calls => {
            let calls = calls.iter().filter(|(call, _)| {
                call.recorded.rejection.is_none() && is_counted(call.campaign_id, call.start_time)
            });
            calls.count() as i64
        }
        CounterScope::Payin(currency) => {
            let payin = |row: &Transaction| row.settlement.payin.clone();
            let cents =
                |side: &Option<LedgerAmount>| side.as_ref().map_or(0, |side| side.amount.cents());
            let counted = transactions
                .iter()
                .filter(|pending| is_counted(pending.row.campaign_id, pending.row.start_time));
            let changes = counted.map(|pending| {
                let after = payin(&pending.row);
                let before = pending.corrected.as_ref().and_then(payin);
                let side = after.as_ref().or(before.as_ref());
                let is_same_currency = side.is_some_and(|side| side.currency == currency);
                if is_same_currency { cents(&after) - cents(&before) } else { 0 }
            });
            changes.sum()
        }
    }
}
