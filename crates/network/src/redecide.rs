//! Redecision of stored calls: by the terms of their start and by everything that is known today.

use crate::pending_writes::PendingWrites;
use crate::repeat_callers::is_repeat_of_stored_call;
use crate::replay::{self, CHANGED_CALLS_LIMIT, CallResult, ReplayRequest, ReplayTotals};
use crate::row_replacements::RowReplacement;
use crate::transactions::find;
use crate::{AuditEntry, Context, Error, Submission, UnitOfWork, audit};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::ops::{Range, RangeInclusive};
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, Ordering};
use trunkline_domain::call::{Correction, LedgerAmount, Outcome, RecordedFacts, Settlement};
use trunkline_domain::campaign::{Campaign, Terms};
use trunkline_domain::id::{AuditEntryId, TermsId, TransactionId};
use trunkline_domain::problem::BLANK;
use trunkline_store::{LedgerFilter, LedgerRow, LedgerScope, Page};

/// Maximum number of calls of one redecision.
pub const MAX_CALLS: u64 = 100_000;
/// Number of ledger rows that are read at once.
const ROWS_PER_PAGE: u32 = 2_000;

/// Request of a redecision.
#[derive(Debug, Clone, Default)]
pub struct RedecideRequest {
    /// Campaign and range, as in a replay.
    pub range: ReplayRequest,
    /// `true` to write a correction for each call that differs.
    pub apply: bool,
    /// Reason of the corrections; required to apply.
    pub reason: Option<String>,
}

/// Call that is decided differently today.
#[derive(Debug, Clone, PartialEq)]
pub struct RedecidedCall {
    /// `complete_call_id` of the call.
    pub complete_call_id: String,
    /// Id of the call's newest row, after the redecision.
    pub transaction_id: TransactionId,
    /// Result as it is stored.
    pub current: CallResult,
    /// Result as decided today.
    pub decided: CallResult,
    /// Differences that explain the decision: `region: unknown → NY`.
    pub because: Vec<String>,
}

/// Result of a redecision.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Redecision {
    /// Number of calls.
    pub calls: u64,
    /// Sums as stored.
    pub current: ReplayTotals,
    /// Sums as decided today.
    pub decided: ReplayTotals,
    /// First [`CHANGED_CALLS_LIMIT`] calls that are decided differently.
    pub changed: Vec<RedecidedCall>,
    /// Number of calls that are decided differently.
    pub changed_total: u64,
    /// Id of the audit entry, if corrections were written.
    pub audit_id: Option<AuditEntryId>,
}

/// Audit record of a redecision or of its revert: the corrections that it wrote, which have
/// consecutive ids.
#[derive(Debug, Serialize, Deserialize)]
struct RedecisionSnapshot {
    reason: String,
    from: String,
    to: String,
    corrected: u64,
    /// Number of calls that a revert left, because they were corrected since.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    left: Option<u64>,
    first_transaction_id: Option<TransactionId>,
    last_transaction_id: Option<TransactionId>,
}

/// Decides the stored calls of a campaign in a range again, by the terms of their start and what is
/// known today. Amounts that were set manually stay; rejected calls stay rejected and connected
/// calls stay connected; caps are not checked. Requires write access to the whole network. Setting `stop`
/// ends it with an error, for a client that has disconnected.
pub fn redecide(
    unit: &mut UnitOfWork<'_>,
    context: &Context,
    submitted: Submission<RedecideRequest>,
    stop: &AtomicBool,
) -> Result<Redecision, Error> {
    context.principal.ensure_can_write_network()?;
    let Submission { change: request, mut problems } = submitted;
    replay::check_required(&request.range, &mut problems);
    if request.apply && request.reason.is_none() && !problems.has_problem("reason") {
        problems.property("reason").add(BLANK);
    }
    problems.clone().into_result(())?;
    let id = request.range.campaign.clone().unwrap_or_default();
    let missing = || Error::NotFound(format!("AdvertiserCampaign {id}"));
    let campaign = unit.campaign(context.principal.network_id, &id)?.ok_or_else(missing)?;
    let Range { start: from, end: before } =
        replay::parse_range(&request.range, &campaign, &mut problems);
    problems.into_result(())?;
    let last = before.saturating_sub(SignedDuration::from_millis(1)).unwrap_or(before);
    // Counted first, so that a range with too many calls costs no decision.
    let calls = unit.count_calls_of_campaign(campaign.id, from..=last, MAX_CALLS + 1)?;
    check_number_of_calls(calls)?;
    let mut run = Run {
        campaign: &campaign,
        reason: request.reason.clone().unwrap_or_default(),
        apply: request.apply,
        terms: HashMap::new(),
        writes: PendingWrites::for_calls_between(from, last),
        rows: Vec::new(),
        result: Redecision::default(),
    };
    let zero = replay::zero_totals(campaign.terms_in_force());
    run.result.current = zero;
    run.result.decided = zero;
    run.read_calls(unit, context, from..=last, stop)?;
    let Run { writes, rows, mut result, .. } = run;
    if !request.apply {
        return Ok(result);
    }
    let written = writes.write(unit, context)?;
    for (changed, index) in result.changed.iter_mut().zip(&rows) {
        changed.transaction_id =
            written.get(*index).map_or(TransactionId::UNASSIGNED, |row| row.id);
    }
    let snapshot = RedecisionSnapshot {
        reason: request.reason.unwrap_or_default(),
        from: from.to_string(),
        to: last.to_string(),
        corrected: result.changed_total,
        left: None,
        first_transaction_id: written.first().map(|row| row.id),
        last_transaction_id: written.last().map(|row| row.id),
    };
    result.audit_id =
        Some(record(unit, context, format!("redecision:{id}"), &snapshot, "redecide")?);
    Ok(result)
}

/// Adds an audit entry and returns its id.
fn record(
    unit: &mut UnitOfWork<'_>,
    context: &Context,
    object: String,
    snapshot: &RedecisionSnapshot,
    action: &str,
) -> Result<AuditEntryId, Error> {
    audit::record(unit, context, object.clone(), Some(action), None, Some(snapshot))?;
    audit::latest_id(unit, context, &object)
}

/// Rejects a range with more calls than one redecision may have.
fn check_number_of_calls(calls: u64) -> Result<(), Error> {
    let message = || format!("spans more than {MAX_CALLS} calls");
    if calls > MAX_CALLS { Err(Error::invalid_property("to", message())) } else { Ok(()) }
}

/// State of a redecision.
struct Run<'a> {
    campaign: &'a Campaign,
    reason: String,
    apply: bool,
    terms: HashMap<TermsId, Option<Rc<Terms>>>,
    writes: PendingWrites,
    /// Indexes of the buffered rows, in the order of the changed calls.
    rows: Vec<usize>,
    result: Redecision,
}

impl Run<'_> {
    fn read_calls(
        &mut self,
        unit: &mut UnitOfWork<'_>,
        context: &Context,
        range: RangeInclusive<Timestamp>,
        stop: &AtomicBool,
    ) -> Result<(), Error> {
        let filter = LedgerFilter {
            from: Some(*range.start()),
            to: Some(*range.end()),
            newest_of_campaign: Some(self.campaign.id),
            ..LedgerFilter::for_scope(LedgerScope::Network)
        };
        let mut after = 0;
        loop {
            let page = Page::new(after, ROWS_PER_PAGE);
            let rows = unit.ledger(context.principal.network_id, &filter, page)?;
            let Some(last) = rows.last() else { return Ok(()) };
            after = last.transaction.id.get();
            for row in &rows {
                if stop.load(Ordering::Relaxed) {
                    return Err(Error::Internal("the client of a redecision is gone".to_owned()));
                }
                self.result.calls += 1;
                self.decide_again(unit, context, row)?;
            }
        }
    }

    fn decide_again(
        &mut self,
        unit: &mut UnitOfWork<'_>,
        context: &Context,
        row: &LedgerRow,
    ) -> Result<(), Error> {
        let terms = match row.terms_id {
            Some(id) => match self.terms.entry(id) {
                Entry::Occupied(known) => known.get().clone(),
                Entry::Vacant(vacant) => vacant.insert(unit.terms_by_id(id)?.map(Rc::new)).clone(),
            },
            None => None,
        };
        let terms = terms.as_deref();
        let old = &row.transaction.settlement;
        self.result.current.add(totals_of(old));
        let recorded = facts_of_today(unit, row, terms)?;
        let new = decide(old, &recorded, terms);
        let because = differences(row, &recorded, old, &new);
        if because.is_empty() {
            self.result.decided.add(totals_of(old));
            return Ok(());
        }
        self.result.decided.add(totals_of(&new));
        self.result.changed_total += 1;
        if self.result.changed.len() < CHANGED_CALLS_LIMIT {
            self.result.changed.push(RedecidedCall {
                complete_call_id: row.complete_call_id.clone(),
                transaction_id: row.transaction.id,
                current: result_of(old),
                decided: result_of(&new),
                because,
            });
        }
        if self.apply {
            let earlier = old.correction.as_ref();
            let correction = Correction {
                reason: self.reason.clone(),
                actor: context.principal.actor.to_string(),
                recorded: match recorded == row.facts {
                    true => earlier.and_then(|earlier| earlier.recorded.clone()),
                    false => Some(Box::new(recorded.clone())),
                },
                payin_set_manually: earlier.is_some_and(|earlier| earlier.payin_set_manually),
                payout_set_manually: earlier.is_some_and(|earlier| earlier.payout_set_manually),
                attribution: earlier.and_then(|earlier| earlier.attribution),
                is_moved_away: false,
            };
            let replacement = RowReplacement {
                row,
                settlement: Settlement { correction: Some(correction), ..new },
                recorded: &recorded,
                campaign: self.campaign,
                terms,
                moved: None,
            };
            self.rows.push(replacement.push(unit, context, &mut self.writes)?);
        }
        Ok(())
    }
}

/// Returns the facts of a row's call as they are known today: the place of its number and its
/// repeat status, unless they were reported.
fn facts_of_today(
    unit: &mut UnitOfWork<'_>,
    row: &LedgerRow,
    terms: Option<&Terms>,
) -> Result<RecordedFacts, Error> {
    let mut recorded = row.facts.clone();
    if recorded.events.is_empty() {
        // A call that was reported before reported facts took precedence over the tree.
        recorded.is_reported = true;
    }
    let facts = &mut recorded.facts;
    // A call that was stored before locations were stored apart keeps the one that was merged into
    // its facts.
    if facts.derived_locations.is_some() || (facts.country.is_none() && facts.region.is_none()) {
        *facts = std::mem::take(facts).with_derived_locations();
    }
    if !facts.repeat_is_reported {
        facts.repeat = None;
        let campaign = row.transaction.campaign_id;
        let start = row.transaction.start_time;
        let call = row.transaction.call_id;
        let repeat = is_repeat_of_stored_call(unit, call, campaign, terms, facts, start)?;
        facts.repeat = Some(repeat);
    }
    Ok(recorded)
}

/// Decides a call with these facts. Manual amounts stay, and a connected call stays connected.
fn decide(old: &Settlement, recorded: &RecordedFacts, terms: Option<&Terms>) -> Settlement {
    let mut new = Settlement::from_recorded(recorded, terms);
    if old.outcome == Outcome::Connected && new.outcome != Outcome::Connected {
        return old.clone();
    }
    if let Some(correction) = &old.correction {
        if correction.payin_set_manually {
            new.payin.clone_from(&old.payin);
        }
        if correction.payout_set_manually {
            new.payout.clone_from(&old.payout);
        }
    }
    new
}

fn result_of(settlement: &Settlement) -> CallResult {
    CallResult { outcome: Some(settlement.outcome), payments: totals_of(settlement) }
}

fn totals_of(settlement: &Settlement) -> ReplayTotals {
    let sum = |side: &LedgerAmount| (side.amount, side.currency);
    ReplayTotals {
        payin: settlement.payin.as_ref().map(sum),
        payout: settlement.payout.as_ref().map(sum),
    }
}

/// Lists the differences between a stored call and its redecision, in words.
fn differences(
    row: &LedgerRow,
    recorded: &RecordedFacts,
    old: &Settlement,
    new: &Settlement,
) -> Vec<String> {
    let text = |value: Option<String>| value.unwrap_or_else(|| "unknown".to_owned());
    let place = |facts: &RecordedFacts| {
        let place = facts.facts.caller_location(None);
        (text(place.country.map(str::to_owned)), text(place.region.map(str::to_owned)))
    };
    let (country_before, region_before) = place(&row.facts);
    let (country_after, region_after) = place(recorded);
    let amount = |side: &Option<LedgerAmount>| {
        let side = side.as_ref();
        text(side.map(|side| format!("{:.2} {}", side.amount.decimal(), side.currency.as_str())))
    };
    let policies = |side: &Option<LedgerAmount>| {
        side.as_ref().map(|side| side.matching_policies.clone()).unwrap_or_default()
    };
    let outcome = |settlement: &Settlement| settlement.outcome.as_str().to_owned();
    let repeat = |value: Option<bool>| text(value.map(|value| value.to_string()));
    let facts = [
        ("country", country_before, country_after),
        ("region", region_before, region_after),
        ("repeat", repeat(row.facts.facts.repeat), repeat(recorded.facts.repeat)),
        ("outcome", outcome(old), outcome(new)),
    ];
    let payments = [
        ("advertiser_payin", amount(&old.payin), amount(&new.payin)),
        ("affiliate_payout", amount(&old.payout), amount(&new.payout)),
        ("advertiser_payin_policies", policies(&old.payin), policies(&new.payin)),
        ("affiliate_payout_policies", policies(&old.payout), policies(&new.payout)),
    ];
    let differing = |values: &[(&str, String, String)]| -> Vec<String> {
        let differing = values.iter().filter(|(_, before, after)| before != after);
        differing.map(|(name, before, after)| format!("{name}: {before} → {after}")).collect()
    };
    let facts = differing(&facts);
    if facts.is_empty() { differing(&payments) } else { facts }
}

/// Reverts a redecision: each call that was not corrected since gets the settlement back that it had
/// before. The audit entry of the revert holds the number of calls that were left.
pub(crate) fn undo(
    unit: &mut UnitOfWork<'_>,
    context: &Context,
    entry: &AuditEntry,
) -> Result<(), Error> {
    let unreadable = |error| Error::Internal(format!("cannot parse a redecision: {error}"));
    let recorded: RedecisionSnapshot =
        serde_json::from_value(entry.after.clone().unwrap_or_default()).map_err(unreadable)?;
    let (Some(first), Some(last)) = (recorded.first_transaction_id, recorded.last_transaction_id)
    else {
        return Err(Error::NotAllowed(
            "this change cannot be reverted: it changed no call".to_owned(),
        ));
    };
    let mut left = 0;
    let mut corrected = 0;
    let parse = |text: &str| text.parse().unwrap_or_default();
    let mut writes = PendingWrites::for_calls_between(parse(&recorded.from), parse(&recorded.to));
    for id in first.get()..=last.get() {
        let row = find(unit, context, &id.to_string())?;
        if unit.correction_id(&row.transaction)?.is_some() {
            left += 1;
            continue;
        }
        corrected += 1;
        push_revert(unit, context, &mut writes, &row, entry)?;
    }
    let written = writes.write(unit, context)?;
    let snapshot = RedecisionSnapshot {
        corrected,
        left: Some(left),
        first_transaction_id: written.first().map(|row| row.id),
        last_transaction_id: written.last().map(|row| row.id),
        ..recorded
    };
    record(unit, context, entry.object.clone(), &snapshot, "revert")?;
    Ok(())
}

/// Buffers the correction that gives a call the settlement back that it had before a row.
fn push_revert(
    unit: &mut UnitOfWork<'_>,
    context: &Context,
    writes: &mut PendingWrites,
    row: &LedgerRow,
    entry: &AuditEntry,
) -> Result<(), Error> {
    let missing =
        || Error::Internal(format!("transaction {} is not a correction", row.transaction.id));
    let former = row.transaction.corrects_id.ok_or_else(missing)?;
    let former = find(unit, context, &former.to_string())?;
    let mut settlement = former.transaction.settlement;
    let earlier = settlement.correction.take();
    let earlier = earlier.as_ref();
    settlement.correction = Some(Correction {
        reason: format!("Reverts the redecision of audit entry {}.", entry.id),
        actor: context.principal.actor.to_string(),
        recorded: earlier.and_then(|earlier| earlier.recorded.clone()),
        payin_set_manually: earlier.is_some_and(|earlier| earlier.payin_set_manually),
        payout_set_manually: earlier.is_some_and(|earlier| earlier.payout_set_manually),
        attribution: earlier.and_then(|earlier| earlier.attribution),
        is_moved_away: false,
    });
    let missing = || Error::Internal(format!("transaction {} has no campaign", row.transaction.id));
    let campaign = unit.campaign_by_id(row.transaction.campaign_id)?.ok_or_else(missing)?;
    let terms = match row.terms_id {
        Some(id) => unit.terms_by_id(id)?,
        None => None,
    };
    let replacement = RowReplacement {
        row,
        settlement,
        recorded: &former.facts,
        campaign: &campaign,
        terms: terms.as_ref(),
        moved: None,
    };
    replacement.push(unit, context, writes)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{MAX_CALLS, check_number_of_calls};
    use crate::Error;
    use serde_json::json;

    #[test]
    fn range_may_have_a_hundred_thousand_calls() {
        assert!(check_number_of_calls(MAX_CALLS).is_ok());
        let Err(Error::Invalid { problems, .. }) = check_number_of_calls(MAX_CALLS + 1) else {
            panic!("a problem")
        };
        let expected = json!({"to": ["spans more than 100000 calls"]});
        assert_eq!(problems.to_json(), expected);
    }
}
