//! Corrections of calls with wrong facts or wrong amounts. The old ledger row stays; a new row
//! replaces it.

use crate::call_moves::{MovedCall, PartiesChange};
use crate::idempotency::{IdempotencyKey, store_answer, stored_answer};
use crate::pending_writes::PendingWrites;
use crate::repeat_callers::is_repeat_of_stored_call;
use crate::row_replacements::RowReplacement;
use crate::transactions::find;
use crate::{Context, Error, Submission, UnitOfWork, audit};
use trunkline_domain::call::{
    Attribution, Call, CallFacts, Correction, LedgerAmount, PhoneType, RecordedFacts, Settlement,
    locate_number,
};
use trunkline_domain::campaign::{Pricing, Terms};
use trunkline_domain::id::{CallId, CampaignId, TransactionId};
use trunkline_domain::money::Money;
use trunkline_domain::party::{CustomData, check_custom_data};
use trunkline_domain::phone::CallerId;
use trunkline_domain::problem::{BLANK, Problems};
use trunkline_store::LedgerRow;

/// Content of a correction: at least one of `facts`, `payin` and `payout`.
#[derive(Debug, Clone, Default)]
pub struct CorrectionChange {
    /// Reason, as free text of up to 1,000 characters.
    pub reason: Option<String>,
    /// Corrected facts of the call.
    pub facts: Option<FactsChange>,
    /// Corrected parties of the call.
    pub parties: PartiesChange,
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
    if let Some(new_id) = stored_answer::<TransactionId>(unit, context, key)? {
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
    let Submission { change, mut problems } = submitted;
    let moved = match change.parties.is_empty() {
        true => None,
        false => {
            let earlier = row.transaction.settlement.correction.as_ref();
            let attribution = earlier.and_then(|earlier| earlier.attribution);
            let former = match attribution {
                Some(attribution) => attribution.promo_number_id,
                None => call.promo_number_id,
            };
            Some(change.parties.resolve(unit, context, &row, former, &mut problems)?)
        }
    };
    let terms = match (&moved, row.terms_id) {
        (Some(moved), _) => moved.terms.clone(),
        (None, Some(id)) => unit.terms_by_id(id)?,
        (None, None) => None,
    };
    let mut recorded = moved.as_ref().map_or(&row.facts, |moved| &moved.recorded).clone();
    if let Some(facts) = &change.facts {
        let campaign_id =
            moved.as_ref().map_or(row.transaction.campaign_id, |moved| moved.campaign.id);
        let call_of_campaign = CallOfCampaign { id: row.transaction.call_id, campaign_id };
        if facts.connect_duration.is_some() || facts.sms_sent.is_some() {
            recorded.take_as_reported(row.transaction.settlement.sms_sent);
        }
        facts.apply(
            unit,
            context,
            call_of_campaign,
            terms.as_ref(),
            &mut recorded,
            &mut problems,
        )?;
    }
    let corrected = CorrectedCall { row: &row, call: &call, recorded, terms, moved };
    let settlement = corrected.settlement(context, &change, &mut problems);
    let settlement = problems.into_result(settlement)?;
    let id = corrected.write(unit, context, settlement)?;
    store_answer(unit, context, key, &id)?;
    find(unit, context, &id.to_string())
}

/// Call of a correction, with the facts, terms and parties that it has from then on.
struct CorrectedCall<'a> {
    row: &'a LedgerRow,
    call: &'a Call,
    recorded: RecordedFacts,
    terms: Option<Terms>,
    moved: Option<MovedCall>,
}

impl CorrectedCall<'_> {
    /// Writes the new ledger row, and adjusts the statistics and budgets by the difference. For a
    /// call that gets other parties, an additional row first reverses the amounts of the former
    /// ones.
    fn write(
        &self,
        unit: &mut UnitOfWork<'_>,
        context: &Context,
        settlement: Settlement,
    ) -> Result<TransactionId, Error> {
        let old = &self.row.transaction;
        let object = format!("transaction:{}", old.id);
        let before = Some(&old.settlement);
        audit::record(unit, context, object, Some("correct"), before, Some(&settlement))?;
        let mut writes = PendingWrites::for_call_at(old.start_time);
        let missing = || Error::Internal(format!("campaign {} does not exist", old.campaign_id));
        let campaign = unit.campaign_by_id(old.campaign_id)?.ok_or_else(missing)?;
        let former_terms = match self.row.terms_id {
            Some(id) => unit.terms_by_id(id)?,
            None => None,
        };
        let replacement = RowReplacement {
            row: self.row,
            settlement,
            recorded: &self.recorded,
            campaign: &campaign,
            terms: former_terms.as_ref(),
            moved: self.moved.as_ref().filter(|moved| moved.changes_parties),
        };
        let index = replacement.push(unit, context, &mut writes)?;
        let written = writes.write(unit, context)?;
        let missing = || Error::Internal("the row of a correction was not written".to_owned());
        written.get(index).map(|row| row.id).ok_or_else(missing)
    }

    /// Computes the settlement after a correction. Changed facts and parties cause a new decision;
    /// amounts in the correction override it; everything else stays.
    fn settlement(
        &self,
        context: &Context,
        change: &CorrectionChange,
        problems: &mut Problems,
    ) -> Settlement {
        let Self { row, recorded, .. } = self;
        let is_redecided = change.facts.is_some() || self.moved.is_some();
        let has_changes = is_redecided || change.payin.is_some() || change.payout.is_some();
        check_content(change, has_changes, problems);
        let old = &row.transaction.settlement;
        let terms = self.terms.as_ref();
        let mut new =
            if is_redecided { Settlement::from_recorded(recorded, terms) } else { old.clone() };
        if let Some(amount) = change.payin {
            let pricing = terms.and_then(|terms| terms.advertiser_payin.as_ref());
            set_amount(&mut new.payin, amount, pricing, problems.property("advertiser_payin"));
        }
        if let Some(amount) = change.payout {
            let pricing = terms.and_then(|terms| terms.affiliate_payout.as_ref());
            let pricing = pricing.filter(|_| recorded.by_affiliate);
            set_amount(&mut new.payout, amount, pricing, problems.property("affiliate_payout"));
        }
        new.correction = old.correction.clone();
        let earlier = old.correction.as_ref();
        let attribution = match &self.moved {
            Some(moved) => Some(moved.attribution),
            None => earlier.and_then(|earlier| earlier.attribution),
        };
        let is_same_call = self.moved.as_ref().is_none_or(|moved| {
            !moved.changes_parties && moved.attribution == self.former_attribution()
        });
        let is_same = new == *old && *recorded == row.facts && is_same_call;
        if has_changes && is_same && problems.is_empty() {
            problems.property("base").add("changes nothing");
        }
        let earlier = earlier.filter(|_| !is_redecided);
        new.correction = Some(Correction {
            reason: change.reason.clone().unwrap_or_default(),
            actor: context.principal.actor.to_string(),
            recorded: (*recorded != self.call.recorded).then(|| Box::new(recorded.clone())),
            payin_set_manually: change.payin.is_some()
                || earlier.is_some_and(|earlier| earlier.payin_set_manually),
            payout_set_manually: change.payout.is_some()
                || earlier.is_some_and(|earlier| earlier.payout_set_manually),
            attribution,
            is_moved_away: false,
        });
        new
    }

    /// Returns the attribution before the correction.
    fn former_attribution(&self) -> Attribution {
        let earlier = self.row.transaction.settlement.correction.as_ref();
        earlier.and_then(|earlier| earlier.attribution).unwrap_or(Attribution {
            campaign_id: self.call.campaign_id,
            terms_id: self.call.terms_id,
            promo_number_id: self.call.promo_number_id,
        })
    }
}

/// Reports a missing reason, and a correction without content.
fn check_content(change: &CorrectionChange, has_changes: bool, problems: &mut Problems) {
    if change.reason.is_none() && !problems.has_problem("reason") {
        problems.property("reason").add(BLANK);
    }
    let contents = ["call", "advertiser_payin", "affiliate_payout"];
    if !has_changes && !contents.iter().any(|at| problems.has_problem(at)) {
        problems.property("base").add("must contain call, advertiser_payin or affiliate_payout");
    }
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

/// Call whose facts are corrected, in the campaign that it has after the correction.
#[derive(Clone, Copy)]
struct CallOfCampaign {
    id: CallId,
    campaign_id: CampaignId,
}

impl FactsChange {
    /// Applies these replacements to the recorded facts of a call of a campaign, by its terms at the
    /// start of the call.
    fn apply(
        &self,
        unit: &mut UnitOfWork<'_>,
        context: &Context,
        call: CallOfCampaign,
        terms: Option<&Terms>,
        recorded: &mut RecordedFacts,
        problems: &mut Problems,
    ) -> Result<(), Error> {
        let facts = &mut recorded.facts;
        if let Some(caller_id) = &self.caller_id
            && *caller_id != stored_caller_id(facts)
        {
            replace_caller_id(unit, call, terms, caller_id.clone(), facts)?;
        }
        if let Some(repeat) = self.repeat {
            facts.repeat_is_reported = repeat.is_some();
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
            recorded.keys.clone_from(keys);
            // The events of a live call contradict the replaced keys.
            recorded.events.clear();
        }
        match &self.custom_data {
            None => {}
            Some(None) => {
                facts.custom_data = None;
                facts.inherited_custom_data = None;
            }
            Some(Some(data)) => {
                let fields = unit.custom_data_fields(context.principal.network_id)?;
                let previous = facts.custom_data.take();
                let data_problems = check_custom_data(data, previous.as_ref(), &fields);
                problems.property("call").property("custom_data").merge(data_problems);
                facts.custom_data = previous;
                facts.replace_custom_data(data);
            }
        }
        let durations = facts.duration.zip(facts.connect_duration);
        if durations.is_some_and(|(total, connected)| connected > total) {
            let message = "must be less than or equal to duration";
            problems.property("call").property("connect_duration").add(message);
        }
        Ok(())
    }
}

/// Returns the caller id of a stored call; `None` if the number was withheld.
fn stored_caller_id(facts: &CallFacts) -> Option<CallerId> {
    let text = || facts.calling_phone_number_text.clone().map(CallerId::Text);
    facts.calling_phone_number.clone().map(CallerId::Number).or_else(text)
}

/// Replaces the caller id. Derives the location of the number again, and looks `repeat` up again.
fn replace_caller_id(
    unit: &mut UnitOfWork<'_>,
    call: CallOfCampaign,
    terms: Option<&Terms>,
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
    facts.repeat_is_reported = false;
    *facts = std::mem::take(facts).with_derived_locations();
    let start = facts.start_time.unwrap_or_default();
    let CallOfCampaign { id, campaign_id } = call;
    facts.repeat = Some(is_repeat_of_stored_call(unit, id, campaign_id, terms, facts, start)?);
    Ok(())
}

fn replace_if_given<T: Clone>(replacement: &Option<Option<T>>, fact: &mut Option<T>) {
    if let Some(replacement) = replacement {
        fact.clone_from(replacement);
    }
}
