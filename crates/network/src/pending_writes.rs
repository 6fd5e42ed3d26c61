//! What a unit of work will write of calls, held back until all of it is known: then it is written
//! together, in the order in which it was entered.

use crate::events::EventAudience;
use crate::running_totals::RunningTotals;
use crate::{Context, Error, Session, outbox};
use jiff::Timestamp;
use serde_json::Value;
use std::rc::Rc;
use trunkline_domain::call::{Call, Side, Transaction};
use trunkline_store::{Counted, CountedThing, IdsWanted, MailRecord, NewEvent, edges};

/// What will be written. Nothing of it is there before [`PendingWrites::write`], but for what
/// [`PendingWrites::total`] counts.
pub(crate) struct PendingWrites {
    calls: Vec<(Rc<Call>, Vec<u8>)>,
    transactions: Vec<PendingTransaction>,
    events: Vec<PendingEvent>,
    mails: Vec<(usize, MailRecord)>,
    pub(crate) totals: RunningTotals,
}

struct PendingTransaction {
    row: Transaction,
    replaced: Option<Transaction>,
    /// The place of its call among those that are yet to be stored.
    call: Option<usize>,
}

struct PendingEvent {
    kind: String,
    audience: EventAudience,
    data: EventData,
}

/// What an event tells.
enum EventData {
    Complete(Value),
    /// What is told of a transaction by its place, but for its id: an object that is not empty.
    Transaction(usize, String),
}

impl PendingWrites {
    /// Of a call that starts at a moment.
    pub(crate) fn for_call_at(start: Timestamp) -> Self {
        Self::for_calls_between((start, start))
    }

    /// Of calls that start from one moment on and not after another.
    pub(crate) fn for_calls_between(span: (Timestamp, Timestamp)) -> Self {
        let (calls, transactions, events) = (Vec::new(), Vec::new(), Vec::new());
        Self {
            calls,
            transactions,
            events,
            mails: Vec::new(),
            totals: RunningTotals::for_calls_between(span),
        }
    }

    /// Enters a new call; its place.
    pub(crate) fn push_call(&mut self, call: Rc<Call>, fingerprint: &[u8]) -> usize {
        self.calls.push((call, fingerprint.to_vec()));
        self.calls.len() - 1
    }

    /// Enters a row of the ledger, with the one that it corrects, or the place of its call where that
    /// is not stored yet; its place.
    pub(crate) fn push_transaction(
        &mut self,
        row: Transaction,
        replaced: Option<Transaction>,
        call: Option<usize>,
    ) -> usize {
        self.transactions.push(PendingTransaction { row, replaced, call });
        self.transactions.len() - 1
    }

    /// A row of the ledger that was entered, by its place.
    pub(crate) fn transaction(&self, place: usize) -> Option<&Transaction> {
        self.transactions.get(place).map(|entry| &entry.row)
    }

    /// Enters an event; its place.
    pub(crate) fn push_event(&mut self, kind: &str, audience: EventAudience, data: Value) -> usize {
        self.events.push(PendingEvent {
            kind: kind.to_owned(),
            audience,
            data: EventData::Complete(data),
        });
        self.events.len() - 1
    }

    /// Enters an event of a transaction: all that it tells but the transaction's id, a JSON object.
    pub(crate) fn push_transaction_event(
        &mut self,
        place: usize,
        kind: &str,
        audience: EventAudience,
        rest: String,
    ) {
        let data = EventData::Transaction(place, rest);
        self.events.push(PendingEvent { kind: kind.to_owned(), audience, data });
    }

    /// Enters a mail that tells of an event, by the event's place.
    pub(crate) fn push_mail(&mut self, event: usize, mail: MailRecord) {
        self.mails.push((event, mail));
    }

    /// What a budget's period has come to, what was entered counted with the rest.
    pub(crate) fn total(
        &mut self,
        session: &mut Session<'_>,
        counted: Counted,
    ) -> Result<i64, Error> {
        let Self { calls, transactions, totals, .. } = self;
        totals.total(session, counted, || pending_amount(calls, transactions, counted))
    }

    /// As [`RunningTotals::keep`].
    pub(crate) fn persist_total(
        &mut self,
        session: &mut Session<'_>,
        counted: Counted,
        amount: i64,
    ) -> Result<(i64, u32), Error> {
        let Self { calls, transactions, totals, .. } = self;
        totals.persist(session, (counted, amount), || pending_amount(calls, transactions, counted))
    }

    /// Writes all of it. What was entered of the ledger comes back, with our ids.
    pub(crate) fn write(
        self,
        session: &mut Session<'_>,
        context: &Context,
    ) -> Result<Vec<Transaction>, Error> {
        let Self { calls, mut transactions, events, mails, totals } = self;
        let ids = session.next_ids(IdsWanted {
            calls: calls.len(),
            transactions: transactions.len(),
            events: events.len(),
        })?;
        let numbered = |first: i64| move |place: usize| first + place as i64;
        let (call_id, event_id) = (numbered(ids.call), numbered(ids.event));
        let stored = calls.iter().enumerate();
        let stored = stored
            .map(|(place, (call, new_events))| (call_id(place), &**call, new_events.as_slice()));
        session.insert_calls(stored)?;
        for (place, entry) in transactions.iter_mut().enumerate() {
            entry.row.id = numbered(ids.transaction)(place);
            entry.row.call_id = entry.call.map_or(entry.row.call_id, call_id);
        }
        let rows = transactions.iter().map(|entry| (&entry.row, entry.replaced.as_ref()));
        session.insert_transactions(rows)?;
        let mut new_events = Vec::with_capacity(events.len());
        for (place, event) in events.iter().enumerate() {
            let transaction = numbered(ids.transaction);
            new_events.push(event.to_new_event(context, event_id(place), transaction));
        }
        session.insert_events(&new_events, context.system_now)?;
        let kinds = new_events.iter().map(|event| (event.id, event.kind));
        outbox::enqueue_deliveries(session, context, kinds)?;
        for (event, mut mail) in mails {
            mail.event_id = event_id(event);
            session.insert_mail(&mail)?;
        }
        totals.write(session)?;
        Ok(transactions.into_iter().map(|entry| entry.row).collect())
    }
}

impl PendingEvent {
    fn to_new_event(
        &self,
        context: &Context,
        id: i64,
        transaction: impl Fn(usize) -> i64,
    ) -> NewEvent<'_> {
        let data = match &self.data {
            EventData::Complete(data) => data.to_string(),
            EventData::Transaction(place, rest) => {
                let rest = rest.strip_prefix('{').unwrap_or(rest);
                format!("{{\"transaction_id\":\"{}\",{rest}", transaction(*place))
            }
        };
        NewEvent {
            id,
            network_id: context.caller.network_id,
            at: context.now,
            kind: &self.kind,
            advertiser_id: self.audience.advertiser,
            affiliate_id: self.audience.affiliate,
            data,
        }
    }
}

/// What was entered of what is counted in a period.
fn pending_amount(
    calls: &[(Rc<Call>, Vec<u8>)],
    entered: &[PendingTransaction],
    counted: Counted,
) -> i64 {
    let (start, end) = edges(counted.period);
    let within = |campaign: i64, at: Timestamp| {
        let at = at.as_millisecond();
        campaign == counted.campaign && start <= at && at < end
    };
    match counted.of {
        CountedThing::AtOnce => 0,
        CountedThing::Calls => {
            let calls = calls.iter().filter(|(call, _)| {
                call.heard.turned_away.is_none() && within(call.campaign_id, call.start_time)
            });
            calls.count() as i64
        }
        CountedThing::Payin(currency) => {
            let payin = |row: &Transaction| row.settlement.payin.clone();
            let cents = |side: &Option<Side>| side.as_ref().map_or(0, |it| it.amount.cents());
            let entered =
                entered.iter().filter(|entry| within(entry.row.campaign_id, entry.row.start_time));
            let moved = entered.map(|entry| {
                let after = payin(&entry.row);
                let before = entry.replaced.as_ref().and_then(payin);
                let of = after.as_ref().or(before.as_ref()).map(|side| side.currency);
                if of == Some(currency) { cents(&after) - cents(&before) } else { 0 }
            });
            moved.sum()
        }
    }
}
