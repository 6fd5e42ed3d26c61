//! Corrections: a call that was told wrong, or paid wrong. What there was stays; a new row of the
//! ledger takes its place.

use crate::batch_lookups::BatchLookups;
use crate::events::EventAudience;
use crate::idempotency::{IdempotencyKey, store_answer, stored_answer};
use crate::pending_writes::PendingWrites;
use crate::settlement::{self, SettlementContext};
use crate::transactions::find;
use crate::{Context, Error, Session, Submitted, audit, budgets, calls};
use trunkline_domain::call::{
    Call, CallFacts, Correction, Heard, PhoneType, Settlement, Side, Transaction, place_of,
};
use trunkline_domain::campaign::{Pricing, Terms};
use trunkline_domain::money::Money;
use trunkline_domain::party::{CustomData, check_custom_data};
use trunkline_domain::phone::PhoneNumber;
use trunkline_domain::problem::{BLANK, Problems};
use trunkline_store::{CountedThing, LedgerRow};

/// What a correction says; at least one of `facts`, `payin` and `payout`.
#[derive(Debug, Clone, Default)]
pub struct CorrectionChange {
    /// Why, in the words of whoever does it: up to 1,000 characters.
    pub reason: Option<String>,
    /// What is known of the call now.
    pub facts: Option<FactsChange>,
    /// The payin, set by hand.
    pub payin: Option<Money>,
    /// The payout, set by hand.
    pub payout: Option<Money>,
}

/// Facts of a call that are to be others. `None` is not said, `Some(None)` is not known.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct FactsChange {
    /// See [`CallFacts`], as for all below. A new number brings its place, and whether it had
    /// called before, unless these are said.
    pub calling_phone_number: Option<Option<PhoneNumber>>,
    /// Seconds in all.
    pub duration: Option<Option<u32>>,
    /// Seconds connected.
    pub connect_duration: Option<Option<u32>>,
    /// From what.
    pub phone_type: Option<Option<PhoneType>>,
    /// Country.
    pub country: Option<Option<String>>,
    /// State or province.
    pub region: Option<Option<String>>,
    /// City.
    pub city: Option<Option<String>>,
    /// Postal code.
    pub zip: Option<Option<String>>,
    /// Whether the caller had called before.
    pub repeat: Option<Option<bool>>,
    /// Whether a text message was sent.
    pub sms_sent: Option<Option<bool>>,
    /// Values that take the place of those of the same name.
    pub custom_data: Option<Option<CustomData>>,
    /// The keys pressed, in order.
    pub keys: Option<Vec<char>>,
}

/// Corrects a row of the ledger, by the terms that priced it, and returns the row that takes its
/// place. Only the newest row of a call can be corrected. The whole network's credentials only.
pub fn correct(
    session: &mut Session<'_>,
    context: &Context,
    id: &str,
    submitted: Submitted<CorrectionChange>,
    key: Option<&IdempotencyKey>,
) -> Result<LedgerRow, Error> {
    context.caller.require_network()?;
    if let Some(kept) = stored_answer::<i64>(session, context, key)? {
        return find(session, context, &kept.to_string());
    }
    let row = find(session, context, id)?;
    if let Some(newer) = session.correction_of(&row.transaction)? {
        let message = format!("transaction {id} was corrected by transaction {newer} already");
        return Err(Error::NotAllowed(message));
    }
    let network = context.caller.network_id;
    let gone = || Error::Internal(format!("the call of transaction {id} is not there"));
    let call = session.call_by_id(network, row.transaction.call_id)?.ok_or_else(gone)?;
    let terms = match call.terms_id {
        Some(id) => session.terms_by_id(id)?,
        None => None,
    };
    let Submitted { change, mut problems } = submitted;
    let heard = match &change.facts {
        Some(facts) => facts.apply(session, context, &row, &mut problems)?,
        None => row.heard.clone(),
    };
    let settlement = corrected_settlement(
        context,
        &row,
        &call,
        &change,
        (&heard, terms.as_ref()),
        &mut problems,
    );
    let settlement = problems.or(settlement)?;
    let corrected = CorrectionContext { row: &row, call, heard, terms: terms.as_ref() };
    let id = write_correction(session, context, corrected, settlement)?;
    store_answer(session, context, key, &id)?;
    find(session, context, &id.to_string())
}

/// What a correction starts from.
struct CorrectionContext<'a> {
    row: &'a LedgerRow,
    call: Call,
    heard: Heard,
    terms: Option<&'a Terms>,
}

/// Writes the new row, and moves what was counted by the old one.
fn write_correction(
    session: &mut Session<'_>,
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
    let place = writes.push_transaction(new.clone(), Some(old.clone()), None);
    let seconds = |heard: &Heard| i64::from(heard.facts.duration.unwrap_or(0));
    let longer = seconds(&heard) - seconds(&row.heard);
    writes.totals.add_call(old.campaign_id, old.start_time, 0, longer);
    let gone = || Error::Internal(format!("campaign {} is not there", old.campaign_id));
    let campaign = session.campaign_by_id(old.campaign_id)?.ok_or_else(gone)?;
    if let Some(terms) = terms {
        let (before, after) = (old.settlement.payin.as_ref(), new.settlement.payin.as_ref());
        let cents = |side: Option<&Side>| side.map_or(0, |side| side.amount.cents());
        let more = cents(after) - cents(before);
        let moves = after.or(before).map(|side| (CountedThing::Payin(side.currency), more));
        let (start, moves) = (old.start_time, moves.as_slice());
        budgets::add_to_budgets(session, context, &mut writes, (&campaign, terms), start, moves)?;
    }
    let object = format!("transaction:{}", old.id);
    let (before, after) = (Some(&old.settlement), Some(&new.settlement));
    audit::record(session, context, object, Some("correct"), before, after)?;
    call.heard = heard;
    let affiliate = row.affiliate.as_ref().map(|it| it.id_from_network.as_str());
    let settlement_context = SettlementContext { campaign: &campaign, terms, affiliate };
    let event_json = settlement::transaction_event_json(&settlement_context, &call, &new)?;
    let audience =
        EventAudience { advertiser: Some(new.advertiser_id), affiliate: new.affiliate_id };
    writes.push_transaction_event(place, "transaction.corrected", audience, event_json);
    let written = writes.write(session, context)?;
    let missing = || Error::Internal("a correction was not written".to_owned());
    written.get(place).map(|row| row.id).ok_or_else(missing)
}

/// What the call comes to now. With other facts it is decided again; what is set by hand counts over
/// that, and what is neither stays.
fn corrected_settlement(
    context: &Context,
    row: &LedgerRow,
    call: &Call,
    change: &CorrectionChange,
    (heard, terms): (&Heard, Option<&Terms>),
    problems: &mut Problems,
) -> Settlement {
    if change.reason.is_none() && !problems.has("reason") {
        problems.at("reason").add(BLANK);
    }
    let said = change.facts.is_some() || change.payin.is_some() || change.payout.is_some();
    if !said && !["call", "advertiser_payin", "affiliate_payout"].iter().any(|at| problems.has(at))
    {
        problems.at("base").add("must say call, advertiser_payin or affiliate_payout");
    }
    let old = &row.transaction.settlement;
    let decided_anew = change.facts.is_some();
    let mut new = if decided_anew { Settlement::of(heard, terms) } else { old.clone() };
    let earlier = old.correction.as_ref().filter(|_| !decided_anew);
    if let Some(amount) = change.payin {
        let pricing = terms.and_then(|terms| terms.advertiser_payin.as_ref());
        set_amount(&mut new.payin, amount, pricing, problems.at("advertiser_payin"));
    }
    if let Some(amount) = change.payout {
        let pricing = terms.and_then(|terms| terms.affiliate_payout.as_ref());
        let pricing = pricing.filter(|_| heard.by_affiliate);
        set_amount(&mut new.payout, amount, pricing, problems.at("affiliate_payout"));
    }
    new.correction = old.correction.clone();
    if said && new == *old && *heard == row.heard && problems.is_empty() {
        problems.at("base").add("changes nothing");
    }
    new.correction = Some(Correction {
        reason: change.reason.clone().unwrap_or_default(),
        actor: context.caller.actor.to_string(),
        heard: (*heard != call.heard).then(|| Box::new(heard.clone())),
        payin_is_set: change.payin.is_some() || earlier.is_some_and(|it| it.payin_is_set),
        payout_is_set: change.payout.is_some() || earlier.is_some_and(|it| it.payout_is_set),
    });
    new
}

/// Sets an amount by hand, in the currency of what was decided, or else of the terms.
fn set_amount(
    side: &mut Option<Side>,
    amount: Money,
    pricing: Option<&Pricing>,
    problems: &mut Problems,
) {
    match (side.as_mut(), pricing) {
        (Some(side), _) => side.amount = amount,
        (None, Some(pricing)) => {
            let (matching_policies, conditions) = Default::default();
            let currency = pricing.currency();
            *side = Some(Side { amount, currency, matching_policies, conditions });
        }
        (None, None) => problems.add("is not agreed by the terms that priced this call"),
    }
}

impl FactsChange {
    /// What is known of a row's call with these facts in the place of those it had.
    fn apply(
        &self,
        session: &mut Session<'_>,
        context: &Context,
        row: &LedgerRow,
        problems: &mut Problems,
    ) -> Result<Heard, Error> {
        let mut heard = row.heard.clone();
        let facts = &mut heard.facts;
        if let Some(number) = &self.calling_phone_number
            && *number != facts.calling_phone_number
        {
            self.replace_caller_number(session, row, number.clone(), facts)?;
        }
        replace_if_given(&self.duration, &mut facts.duration);
        replace_if_given(&self.connect_duration, &mut facts.connect_duration);
        replace_if_given(&self.phone_type, &mut facts.phone_type);
        replace_if_given(&self.country, &mut facts.country);
        replace_if_given(&self.region, &mut facts.region);
        replace_if_given(&self.city, &mut facts.city);
        replace_if_given(&self.zip, &mut facts.zip);
        replace_if_given(&self.repeat, &mut facts.repeat);
        replace_if_given(&self.sms_sent, &mut facts.sms_sent);
        if let Some(keys) = &self.keys {
            heard.keys = keys.clone();
            // What was heard of a live call says no more what it pressed.
            heard.events.clear();
        }
        match &self.custom_data {
            None => {}
            Some(None) => facts.custom_data = None,
            Some(Some(data)) => {
                let fields = session.custom_data_fields(context.caller.network_id)?;
                let had = facts.custom_data.take();
                let complaints = check_custom_data(data, had.as_ref(), &fields);
                problems.at("call").at("custom_data").merge(complaints);
                let mut now = had.unwrap_or_default();
                now.extend(data.clone());
                facts.custom_data = Some(now);
            }
        }
        let both = facts.duration.zip(facts.connect_duration);
        if both.is_some_and(|(whole, connected)| connected > whole) {
            let message = "must be less than or equal to duration";
            problems.at("call").at("connect_duration").add(message);
        }
        Ok(heard)
    }

    /// Another caller is from another place, where the place was the number's, and has called
    /// before or not.
    fn replace_caller_number(
        &self,
        session: &mut Session<'_>,
        row: &LedgerRow,
        number: Option<PhoneNumber>,
        facts: &mut CallFacts,
    ) -> Result<(), Error> {
        let place = facts.calling_phone_number.as_ref().and_then(place_of);
        let by_number = place.is_some_and(|place| {
            facts.country.as_deref() == Some(place.country)
                && facts.region.as_deref() == place.region
        });
        if by_number {
            (facts.country, facts.region) = (None, None);
        }
        facts.calling_phone_number = number;
        facts.repeat = None;
        *facts = std::mem::take(facts).located();
        let (campaign, start) = (row.transaction.campaign_id, row.transaction.start_time);
        let lookups = &mut BatchLookups::default();
        let terms = lookups.terms_at(session, campaign, calls::end_of_second(start))?;
        let terms = terms.as_deref().map(|current| &current.terms);
        facts.repeat = calls::is_repeat_caller(session, lookups, campaign, terms, facts, start)?;
        Ok(())
    }
}

fn replace_if_given<T: Clone>(said: &Option<Option<T>>, known: &mut Option<T>) {
    if let Some(said) = said {
        known.clone_from(said);
    }
}
