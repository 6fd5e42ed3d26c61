//! Corrections of calls with wrong facts or wrong amounts. The old ledger row stays; a new row
//! replaces it.

use crate::batch_lookups::BatchLookups;
use crate::events::EventAudience;
use crate::idempotency::{IdempotencyKey, store_answer, stored_answer};
use crate::pending_writes::PendingWrites;
use crate::settlement::{self, SettlementContext};
use crate::transactions::find;
use crate::{Context, Error, Submission, UnitOfWork, audit, budgets, calls};
use trunkline_domain::call::{
    Call, CallFacts, Correction, LedgerAmount, PhoneType, RecordedFacts, Settlement, Transaction,
    locate_number,
};
use trunkline_domain::campaign::{Pricing, Terms};
use trunkline_domain::money::Money;
use trunkline_domain::party::{CustomData, check_custom_data};
use trunkline_domain::phone::CallerId;
use trunkline_domain::problem::{BLANK, Problems};
use trunkline_store::{CounterScope, LedgerRow};

/// Content of a correction: at least one of `facts`, `payin` and `payout`.
#[derive(Debug, Clone, Default)]
pub struct CorrectionChange {
    /// Reason, as free text of up to 1,000 characters.
    pub reason: Option<String>,
    /// Corrected facts of the call.
    pub facts: Option<FactsChange>,
    /// Payin that replaces the computed one.
    pub payin: Option<Money>,
    /// Payout that replaces the computed one.
    pub payout: Option<Money>,
}

/// Replacement facts of a call. `None` leaves a fact unchanged, `Some(None)` makes it unknown.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct FactsChange {
    /// Caller id; see [`CallFacts`] for this and the other facts. A new one also determines the
    /// location of the number and `repeat`, unless they are given.
    pub caller_id: Option<Option<CallerId>>,
    /// Total duration in seconds.
    pub duration: Option<Option<u32>>,
    /// Connected duration in seconds.
    pub connect_duration: Option<Option<u32>>,
    /// Type of the calling phone.
    pub phone_type: Option<Option<PhoneType>>,
    /// Country of the caller.
    pub country: Option<Option<String>>,
    /// State or province of the caller.
    pub region: Option<Option<String>>,
    /// City of the caller.
    pub city: Option<Option<String>>,
    /// Postal code of the caller.
    pub zip: Option<Option<String>>,
    /// `true` if the caller had called before.
    pub repeat: Option<Option<bool>>,
    /// `true` if a text message was sent.
    pub sms_sent: Option<Option<bool>>,
    /// Custom data values that replace the values of the same name.
    pub custom_data: Option<Option<CustomData>>,
    /// Keys that the caller pressed, in order.
    pub keys: Option<Vec<char>>,
}

/// Corrects a ledger row by the terms that priced it, and returns the new row. Only the newest row
/// of a call can be corrected. Requires write access to the whole network.
pub fn correct(
    unit: &mut UnitOfWork<'_>,
    context: &Context,
    id: &str,
    submitted: Submission<CorrectionChange>,
    key: Option<&IdempotencyKey>,
) -> Result<LedgerRow, Error> {
    context.principal.ensure_can_write_network()?;
    if let Some(new_id) = stored_answer::<i64>(unit, context, key)? {
        return find(unit, context, &new_id.to_string());
    }
    let row = find(unit, context, id)?;
    if let Some(newer) = unit.correction_id(&row.transaction)? {
        let message = format!("transaction {id} was corrected by transaction {newer} already");
        return Err(Error::NotAllowed(message));
    }
    let network = context.principal.network_id;
    let missing = || Error::Internal(format!("the call of transaction {id} does not exist"));
    let call = unit.call_by_id(network, row.transaction.call_id)?.ok_or_else(missing)?;
    let terms = match call.terms_id {
        Some(id) => unit.terms_by_id(id)?,
        None => None,
    };
    let Submission { change, mut problems } = submitted;
    let heard = match &change.facts {
        Some(facts) => facts.apply(unit, context, &row, &mut problems)?,
        None => row.facts.clone(),
    };
    let settlement =
        corrected_settlement(context, &row, &call, &change, &heard, terms.as_ref(), &mut problems);
    let settlement = problems.into_result(settlement)?;
    let corrected = CorrectionContext { row: &row, call, heard, terms: terms.as_ref() };
    let id = write_correction(unit, context, corrected, settlement)?;
    store_answer(unit, context, key, &id)?;
    find(unit, context, &id.to_string())
}

/// Inputs of a correction.
struct CorrectionContext<'a> {
    row: &'a LedgerRow,
    call: Call,
    heard: RecordedFacts,
    terms: Option<&'a Terms>,
}

/// Writes the new ledger row, and adjusts the statistics and budgets by the difference.
fn write_correction(
    unit: &mut UnitOfWork<'_>,
    context: &Context,
    corrected: CorrectionContext<'_>,
    settlement: Settlement,
) -> Result<i64, Error> {
    let CorrectionContext { row, mut call, heard, terms } = corrected;
    let old = &row.transaction;
    let new = Transaction {
        id: 0,
        corrects_id: Some(old.id),
        settlement,
        created_at: context.now,
        ..old.clone()
    };
    let mut writes = PendingWrites::for_call_at(old.start_time);
    let index = writes.push_transaction(new.clone(), Some(old.clone()), None);
    let seconds = |heard: &RecordedFacts| i64::from(heard.facts.duration.unwrap_or(0));
    let extra_seconds = seconds(&heard) - seconds(&row.facts);
    writes.totals.add_call(old.campaign_id, old.start_time, 0, extra_seconds);
    let missing = || Error::Internal(format!("campaign {} does not exist", old.campaign_id));
    let campaign = unit.campaign_by_id(old.campaign_id)?.ok_or_else(missing)?;
    if let Some(terms) = terms {
        let before = old.settlement.payin.as_ref();
        let after = new.settlement.payin.as_ref();
        let cents = |side: Option<&LedgerAmount>| side.map_or(0, |side| side.amount.cents());
        let difference = cents(after) - cents(before);
        let change = after.or(before).map(|side| (CounterScope::Payin(side.currency), difference));
        let start = old.start_time;
        let changes = change.as_slice();
        budgets::add_to_budgets(unit, context, &mut writes, &campaign, terms, start, changes)?;
    }
    let object = format!("transaction:{}", old.id);
    let before = Some(&old.settlement);
    let after = Some(&new.settlement);
    audit::record(unit, context, object, Some("correct"), before, after)?;
    call.recorded = heard;
    let affiliate = row.affiliate.as_ref().map(|affiliate| affiliate.external_id.as_str());
    let settlement_context = SettlementContext { campaign: &campaign, terms, affiliate };
    let event_json = settlement::transaction_event_json(&settlement_context, &call, &new)?;
    let audience =
        EventAudience { advertiser: Some(new.advertiser_id), affiliate: new.affiliate_id };
    writes.push_transaction_event(index, "transaction.corrected", audience, event_json);
    let written = writes.write(unit, context)?;
    let missing = || Error::Internal("the row of a correction was not written".to_owned());
    written.get(index).map(|row| row.id).ok_or_else(missing)
}

/// Computes the settlement after a correction. Changed facts cause a new decision; amounts in the
/// correction override it; everything else stays.
fn corrected_settlement(
    context: &Context,
    row: &LedgerRow,
    call: &Call,
    change: &CorrectionChange,
    heard: &RecordedFacts,
    terms: Option<&Terms>,
    problems: &mut Problems,
) -> Settlement {
    if change.reason.is_none() && !problems.has_problem("reason") {
        problems.property("reason").add(BLANK);
    }
    let has_changes = change.facts.is_some() || change.payin.is_some() || change.payout.is_some();
    if !has_changes
        && !["call", "advertiser_payin", "affiliate_payout"]
            .iter()
            .any(|at| problems.has_problem(at))
    {
        problems.property("base").add("must say call, advertiser_payin or affiliate_payout");
    }
    let old = &row.transaction.settlement;
    let is_redecided = change.facts.is_some();
    let mut new = if is_redecided { Settlement::from_recorded(heard, terms) } else { old.clone() };
    let earlier_correction = old.correction.as_ref().filter(|_| !is_redecided);
    if let Some(amount) = change.payin {
        let pricing = terms.and_then(|terms| terms.advertiser_payin.as_ref());
        set_amount(&mut new.payin, amount, pricing, problems.property("advertiser_payin"));
    }
    if let Some(amount) = change.payout {
        let pricing = terms.and_then(|terms| terms.affiliate_payout.as_ref());
        let pricing = pricing.filter(|_| heard.by_affiliate);
        set_amount(&mut new.payout, amount, pricing, problems.property("affiliate_payout"));
    }
    new.correction = old.correction.clone();
    if has_changes && new == *old && *heard == row.facts && problems.is_empty() {
        problems.property("base").add("changes nothing");
    }
    new.correction = Some(Correction {
        reason: change.reason.clone().unwrap_or_default(),
        actor: context.principal.actor.to_string(),
        recorded: (*heard != call.recorded).then(|| Box::new(heard.clone())),
        payin_set_manually: change.payin.is_some()
            || earlier_correction.is_some_and(|correction| correction.payin_set_manually),
        payout_set_manually: change.payout.is_some()
            || earlier_correction.is_some_and(|correction| correction.payout_set_manually),
    });
    new
}

/// Overrides an amount, in the currency of the decided amount, else in that of the terms.
fn set_amount(
    side: &mut Option<LedgerAmount>,
    amount: Money,
    pricing: Option<&Pricing>,
    problems: &mut Problems,
) {
    match (side.as_mut(), pricing) {
        (Some(side), _) => side.amount = amount,
        (None, Some(pricing)) => {
            let (matching_policies, conditions) = Default::default();
            let currency = pricing.currency();
            *side = Some(LedgerAmount {
                amount,
                currency,
                matching_policies,
                marked_condition: conditions,
            });
        }
        (None, None) => problems.add("is not agreed by the terms that priced this call"),
    }
}

impl FactsChange {
    /// Returns the recorded facts of a row's call with these replacements applied.
    fn apply(
        &self,
        unit: &mut UnitOfWork<'_>,
        context: &Context,
        row: &LedgerRow,
        problems: &mut Problems,
    ) -> Result<RecordedFacts, Error> {
        let mut heard = row.facts.clone();
        let facts = &mut heard.facts;
        if let Some(caller_id) = &self.caller_id
            && *caller_id != stored_caller_id(facts)
        {
            self.replace_caller_id(unit, row, caller_id.clone(), facts)?;
        }
        replace_if_given(&self.duration, &mut facts.duration);
        replace_if_given(&self.connect_duration, &mut facts.connect_duration);
        replace_if_given(&self.phone_type, &mut facts.phone_type);
        replace_if_given(&self.country, &mut facts.country);
        replace_if_given(&self.region, &mut facts.region);
        replace_if_given(&self.city, &mut facts.city);
        replace_if_given(&self.zip, &mut facts.zip);
        if self.zip.is_some() && facts.derived_locations.is_some() {
            *facts = std::mem::take(facts).with_derived_locations();
        }
        replace_if_given(&self.repeat, &mut facts.repeat);
        replace_if_given(&self.sms_sent, &mut facts.sms_sent);
        if let Some(keys) = &self.keys {
            heard.keys = keys.clone();
            // The events of a live call contradict the replaced keys.
            heard.events.clear();
        }
        match &self.custom_data {
            None => {}
            Some(None) => facts.custom_data = None,
            Some(Some(data)) => {
                let fields = unit.custom_data_fields(context.principal.network_id)?;
                let previous = facts.custom_data.take();
                let data_problems = check_custom_data(data, previous.as_ref(), &fields);
                problems.property("call").property("custom_data").merge(data_problems);
                let mut merged = previous.unwrap_or_default();
                merged.extend(data.clone());
                facts.custom_data = Some(merged);
            }
        }
        let durations = facts.duration.zip(facts.connect_duration);
        if durations.is_some_and(|(total, connected)| connected > total) {
            let message = "must be less than or equal to duration";
            problems.property("call").property("connect_duration").add(message);
        }
        Ok(heard)
    }

    /// Replaces the caller id. Derives the location of the number again, and looks `repeat` up again.
    fn replace_caller_id(
        &self,
        unit: &mut UnitOfWork<'_>,
        row: &LedgerRow,
        caller_id: Option<CallerId>,
        facts: &mut CallFacts,
    ) -> Result<(), Error> {
        let place = facts.calling_phone_number.as_ref().and_then(locate_number);
        // A call that was stored before locations were stored apart has that of its number merged
        // into its reported facts.
        let is_merged = facts.derived_locations.is_none()
            && place.is_some_and(|place| {
                facts.country.as_deref() == Some(place.country)
                    && facts.region.as_deref() == place.region
            });
        if is_merged {
            facts.country = None;
            facts.region = None;
        }
        (facts.calling_phone_number, facts.calling_phone_number_text) = match caller_id {
            Some(CallerId::Number(number)) => (Some(number), None),
            Some(CallerId::Text(text)) => (None, Some(text)),
            None => (None, None),
        };
        facts.repeat = None;
        *facts = std::mem::take(facts).with_derived_locations();
        let campaign = row.transaction.campaign_id;
        let start = row.transaction.start_time;
        let lookups = &mut BatchLookups::for_calls_between(start, start);
        let terms = lookups.terms_at(unit, campaign, calls::end_of_second(start))?;
        let terms = terms.as_deref().map(|current| &current.terms);
        facts.repeat = Some(calls::is_repeat_caller(unit, lookups, campaign, terms, facts, start)?);
        Ok(())
    }
}

/// Returns the caller id of a stored call; `None` if the number was withheld.
fn stored_caller_id(facts: &CallFacts) -> Option<CallerId> {
    let text = || facts.calling_phone_number_text.clone().map(CallerId::Text);
    facts.calling_phone_number.clone().map(CallerId::Number).or_else(text)
}

fn replace_if_given<T: Clone>(replacement: &Option<Option<T>>, fact: &mut Option<T>) {
    if let Some(replacement) = replacement {
        fact.clone_from(replacement);
    }
}
