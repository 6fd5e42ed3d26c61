//! Ledger rows that replace the newest row of a call, with the budgets, statistics and events that
//! follow from them.

use crate::call_moves::MovedCall;
use crate::events::EventAudience;
use crate::pending_writes::PendingWrites;
use crate::settlement::{SettlementContext, transaction_event_json};
use crate::{Context, Error, UnitOfWork, budgets};
use trunkline_domain::call::{LedgerAmount, RecordedFacts, Settlement, Transaction};
use trunkline_domain::campaign::{Campaign, Terms};
use trunkline_domain::id::TransactionId;
use trunkline_store::{CallTotals, CounterScope, LedgerRow};

/// Replacement of a ledger row.
pub(crate) struct RowReplacement<'a> {
    /// Row that is replaced.
    pub(crate) row: &'a LedgerRow,
    /// Settlement of the new row, with its correction.
    pub(crate) settlement: Settlement,
    /// Recorded facts of the call from now on.
    pub(crate) recorded: &'a RecordedFacts,
    /// Campaign of the replaced row.
    pub(crate) campaign: &'a Campaign,
    /// Terms that priced the replaced row.
    pub(crate) terms: Option<&'a Terms>,
    /// New parties of the call.
    pub(crate) moved: Option<&'a MovedCall>,
}

/// Ledger row in the buffer of pending writes.
#[derive(Debug, Clone, Copy)]
struct BufferedRow<'a> {
    /// Index in the buffer.
    index: usize,
    row: &'a Transaction,
}

impl RowReplacement<'_> {
    /// Buffers the new row, the change of the budgets and statistics, and the event. For new parties
    /// two rows are buffered: the first takes the call from the former ones. Returns the index of
    /// the last row.
    pub(crate) fn push(
        self,
        unit: &mut UnitOfWork<'_>,
        context: &Context,
        writes: &mut PendingWrites,
    ) -> Result<usize, Error> {
        let old = &self.row.transaction;
        let duration = |recorded: &RecordedFacts| recorded.facts.duration;
        let change = CallTotals::of_correction(duration(&self.row.facts), duration(self.recorded));
        writes.totals.add_calls(self.row.call_campaign_id, old.start_time, change);
        let replacement = |settlement: Settlement| Transaction {
            id: TransactionId::UNASSIGNED,
            corrects_id: Some(old.id),
            settlement,
            created_at: context.now,
            ..old.clone()
        };
        let affiliate = self.row.affiliate.as_ref().map(|affiliate| affiliate.external_id.as_str());
        let former = SettlementContext { campaign: self.campaign, terms: self.terms, affiliate };
        let Some(moved) = self.moved else {
            let new = replacement(self.settlement.clone());
            let index = writes.push_transaction(new.clone(), Some(old.clone()), None);
            self.push_effects(
                unit,
                context,
                writes,
                &former,
                Some(old),
                BufferedRow { index, row: &new },
            )?;
            return Ok(index);
        };
        let correction = self.settlement.correction.as_ref();
        let reason = correction.map(|correction| correction.reason.clone()).unwrap_or_default();
        let actor = context.principal.actor.to_string();
        let moved_away = replacement(old.settlement.moved_away(reason, actor));
        let first = writes.push_transaction(moved_away.clone(), Some(old.clone()), None);
        self.push_effects(
            unit,
            context,
            writes,
            &former,
            Some(old),
            BufferedRow { index: first, row: &moved_away },
        )?;
        let new = Transaction {
            campaign_id: moved.campaign.id,
            advertiser_id: moved.campaign.advertiser_id,
            affiliate_id: moved.affiliate.as_ref().map(|affiliate| affiliate.id.as_affiliate()),
            corrects_id: None,
            ..replacement(self.settlement.clone())
        };
        let index = writes.push_correction_of(new.clone(), first);
        let latter = SettlementContext {
            campaign: &moved.campaign,
            terms: moved.terms.as_ref(),
            affiliate: moved.affiliate.as_ref().map(|affiliate| affiliate.external_id.as_str()),
        };
        self.push_effects(unit, context, writes, &latter, None, BufferedRow { index, row: &new })?;
        Ok(index)
    }

    /// Buffers the change of the budgets and the event of a new row. `before` is the row of the same
    /// campaign that it replaces.
    fn push_effects(
        &self,
        unit: &mut UnitOfWork<'_>,
        context: &Context,
        writes: &mut PendingWrites,
        parties: &SettlementContext<'_>,
        before: Option<&Transaction>,
        new: BufferedRow<'_>,
    ) -> Result<(), Error> {
        let BufferedRow { index, row: new } = new;
        if let Some(terms) = parties.terms {
            let before = before.and_then(|row| row.settlement.payin.as_ref());
            let after = new.settlement.payin.as_ref();
            let cents = |side: Option<&LedgerAmount>| side.map_or(0, |side| side.amount.cents());
            let difference = cents(after) - cents(before);
            let change =
                after.or(before).map(|side| (CounterScope::Payin(side.currency), difference));
            let changes = change.as_slice();
            let start = new.start_time;
            budgets::add_to_budgets(
                unit,
                context,
                writes,
                parties.campaign,
                terms,
                start,
                changes,
            )?;
        }
        let call_id = &self.row.complete_call_id;
        let data = transaction_event_json(parties, call_id, self.recorded, new)?;
        let audience =
            EventAudience { advertiser: Some(new.advertiser_id), affiliate: new.affiliate_id };
        writes.push_transaction_event(index, "transaction.corrected", audience, data);
        Ok(())
    }
}
