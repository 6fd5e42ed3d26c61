//! Cache of the rows that a batch of calls looks up. No other transaction writes while a write
//! transaction runs, so a row that was read once is valid until the transaction ends.

use crate::call_parties::CallParties;
use crate::calls::{RepeatLookup, ReportedCall, end_of_second, resolve_repeat};
use crate::{Context, Error, UnitOfWork};
use jiff::Timestamp;
use std::collections::HashMap;
use std::rc::Rc;
use trunkline_domain::campaign::CurrentTerms;
use trunkline_domain::party::CustomDataField;
use trunkline_domain::phone::PhoneNumber;
use trunkline_store::{RepeatCallerQuery, ValidityPeriod};

/// External ids of a campaign and an affiliate, and a promo number in E.164.
type PartyIds = (String, Option<String>, Option<String>);

/// Rows that the current unit of work has read.
#[derive(Default)]
pub(crate) struct BatchLookups {
    parties: HashMap<PartyIds, Rc<CallParties>>,
    terms: HashMap<i64, Vec<ValidityPeriod<Rc<CurrentTerms>>>>,
    statuses: HashMap<(&'static str, i64), Vec<ValidityPeriod<String>>>,
    fields: Option<Rc<[CustomDataField]>>,
    /// Stored calls by `external_call_unique_id`: `complete_call_id` and fingerprint, or `None` if
    /// it is known that no such call is stored.
    known_calls: HashMap<String, Option<(String, Vec<u8>)>>,
    repeat_results: HashMap<RepeatCallerQuery, bool>,
    /// Start times of calls that are not stored yet, by campaign and calling number (milliseconds
    /// since 1970).
    pending_calls: HashMap<(i64, String), Vec<i64>>,
}

impl BatchLookups {
    /// Resolves the parties of a call: see [`CallParties::resolve`].
    pub(crate) fn parties(
        &mut self,
        unit: &mut UnitOfWork<'_>,
        context: &Context,
        campaign: &str,
        affiliate: Option<&str>,
        number: Option<&PhoneNumber>,
    ) -> Result<Rc<CallParties>, Error> {
        let e164 = number.map(|number| number.e164().to_owned());
        let key = (campaign.to_owned(), affiliate.map(str::to_owned), e164);
        if let Some(cached) = self.parties.get(&key) {
            return Ok(Rc::clone(cached));
        }
        let found = Rc::new(CallParties::resolve(unit, context, campaign, affiliate, number)?);
        self.parties.insert(key, Rc::clone(&found));
        Ok(found)
    }

    /// Returns the terms that were a campaign's current terms at a moment.
    pub(crate) fn terms_at(
        &mut self,
        unit: &mut UnitOfWork<'_>,
        campaign: i64,
        at: Timestamp,
    ) -> Result<Option<Rc<CurrentTerms>>, Error> {
        let cached = self.terms.entry(campaign).or_default();
        if let Some(period) = cached.iter().find(|period| period.contains(at)) {
            return Ok(Some(Rc::clone(&period.value)));
        }
        let Some(found) = unit.terms_at(campaign, at)? else { return Ok(None) };
        let terms = Rc::new(found.value);
        cached.push(ValidityPeriod {
            from: found.from,
            until: found.until,
            value: Rc::clone(&terms),
        });
        Ok(Some(terms))
    }

    /// Tests if an object had a status at a moment. `object` is `campaign` or `affiliate_campaign`.
    pub(crate) fn had_status(
        &mut self,
        unit: &mut UnitOfWork<'_>,
        object: &'static str,
        id: i64,
        at: Timestamp,
        status: &str,
    ) -> Result<bool, Error> {
        let cached = self.statuses.entry((object, id)).or_default();
        if let Some(period) = cached.iter().find(|period| period.contains(at)) {
            return Ok(period.value == status);
        }
        let Some(found) = unit.status_at(object, id, at)? else { return Ok(false) };
        let has_status = found.value == status;
        cached.push(found);
        Ok(has_status)
    }

    /// Returns the network's custom data fields.
    pub(crate) fn custom_data_fields(
        &mut self,
        unit: &mut UnitOfWork<'_>,
        context: &Context,
    ) -> Result<Rc<[CustomDataField]>, Error> {
        if let Some(cached) = &self.fields {
            return Ok(Rc::clone(cached));
        }
        let found: Rc<[CustomDataField]> =
            unit.custom_data_fields(context.principal.network_id)?.into();
        Ok(Rc::clone(self.fields.insert(found)))
    }

    /// Returns the `complete_call_id` and the fingerprint of the call that was reported with an
    /// `external_call_unique_id`, if there is one.
    pub(crate) fn known_call(
        &mut self,
        unit: &mut UnitOfWork<'_>,
        context: &Context,
        external_id: &str,
    ) -> Result<Option<(String, Vec<u8>)>, Error> {
        match self.known_calls.get(external_id) {
            Some(cached) => Ok(cached.clone()),
            None => Ok(unit.reported_call(context.principal.network_id, external_id)?),
        }
    }

    /// Reads the rows that several calls need with one query per table. Does nothing for a single
    /// call or an embedded database, where queries cost no round trip.
    pub(crate) fn prefetch(
        &mut self,
        unit: &mut UnitOfWork<'_>,
        context: &Context,
        calls: &[ReportedCall],
    ) -> Result<(), Error> {
        if calls.len() < 2 || !unit.is_remote_database() {
            return Ok(());
        }
        let ids = calls.iter().filter_map(|reported| reported.call().external_id.as_deref());
        let ids: Vec<&str> = ids.collect();
        let network = context.principal.network_id;
        self.known_calls.extend(ids.iter().map(|id| ((*id).to_owned(), None)));
        for (id, name, fingerprint) in unit.reported_calls(network, &ids)? {
            self.known_calls.insert(id, Some((name, fingerprint)));
        }
        let mut queries = Vec::new();
        for reported in calls {
            match self.repeat_query(unit, context, reported) {
                Err(error) if !error.is_refusal() => return Err(error),
                found => queries.extend(found.ok().flatten()),
            }
        }
        let mut results: Vec<bool> = vec![false; queries.len()];
        for index in unit.have_called_before(&queries)? {
            if let Some(result) = usize::try_from(index).ok().and_then(|at| results.get_mut(at)) {
                *result = true;
            }
        }
        self.repeat_results.extend(queries.into_iter().zip(results));
        Ok(())
    }

    /// Returns the repeat-caller query that a call needs, if its facts do not decide `repeat`.
    fn repeat_query(
        &mut self,
        unit: &mut UnitOfWork<'_>,
        context: &Context,
        reported: &ReportedCall,
    ) -> Result<Option<RepeatCallerQuery>, Error> {
        let call = reported.call();
        let (Some(start), Some(campaign)) = (call.start_time, &call.campaign) else {
            return Ok(None);
        };
        let affiliate = call.affiliate.as_deref();
        let number = call.promo_number.as_ref();
        let parties = self.parties(unit, context, campaign, affiliate, number)?;
        let campaign = parties.campaign.id;
        let terms = self.terms_at(unit, campaign, end_of_second(start))?;
        let terms = terms.as_deref().map(|current| &current.terms);
        Ok(match resolve_repeat(campaign, terms, &call.facts, start) {
            RepeatLookup::Query(query) => Some(query),
            RepeatLookup::Known(_) => None,
        })
    }

    /// Tests if a number called a campaign within a time. Counts stored calls and the calls of this
    /// batch that are not stored yet.
    pub(crate) fn has_called(
        &self,
        unit: &mut UnitOfWork<'_>,
        query: RepeatCallerQuery,
    ) -> Result<bool, Error> {
        let since = query.from.as_millisecond();
        let before = query.before.as_millisecond();
        let key = (query.campaign_id, query.caller);
        let within = |at: &i64| *at >= since && *at < before;
        if self.pending_calls.get(&key).is_some_and(|calls| calls.iter().any(within)) {
            return Ok(true);
        }
        let query = RepeatCallerQuery { campaign_id: key.0, caller: key.1, ..query };
        match self.repeat_results.get(&query) {
            Some(cached) => Ok(*cached),
            None => Ok(unit.has_called_before(&query)?),
        }
    }

    /// Makes a call that is not stored yet visible to the lookups of later calls in the batch.
    pub(crate) fn note_pending(
        &mut self,
        call: &trunkline_domain::call::Call,
        reported: &ReportedCall,
    ) {
        let cached = (call.complete_call_id.clone(), reported.fingerprint.to_vec());
        self.known_calls.insert(call.external_id.clone(), Some(cached));
        if let Some(caller) = &call.recorded.facts.calling_phone_number {
            let calls = self.pending_calls.entry((call.campaign_id, caller.e164().to_owned()));
            calls.or_default().push(call.start_time.as_millisecond());
        }
    }
}
