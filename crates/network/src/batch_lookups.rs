//! Cache of the rows that a batch of calls looks up. No other transaction writes while a write
//! transaction runs, so a row that was read once is valid until the transaction ends.

use crate::call_parties::{CallAddress, CallMoment, CallParties, PartyObjects};
use crate::calls::{ReportedCall, end_of_second};
use crate::repeat_callers::{RepeatLookup, resolve_repeat};
use crate::{Context, Error, UnitOfWork};
use jiff::Timestamp;
use std::collections::HashMap;
use std::rc::Rc;
use trunkline_domain::call::RejectionReason;
use trunkline_domain::campaign::CurrentTerms;
use trunkline_domain::id::{AdvertiserId, CampaignId};
use trunkline_domain::party::CustomDataField;
use trunkline_domain::phone::PhoneNumber;
use trunkline_domain::promo::PromoNumberHolding;
use trunkline_store::{
    ObjectState, RepeatCallerQuery, StatefulObject, StoredReport, ValidityPeriod,
};

/// External ids of a campaign and an affiliate, and a promo number in E.164.
type PartyIds = (String, Option<String>, Option<String>);

/// Rows that the current unit of work has read.
pub(crate) struct BatchLookups {
    /// Moments of the calls: histories are read for these only.
    moments: CallMoment,
    parties: HashMap<PartyIds, Vec<ValidityPeriod<Rc<CallParties>>>>,
    terms: HashMap<CampaignId, Vec<ValidityPeriod<Rc<CurrentTerms>>>>,
    /// States of each object, oldest first.
    states: HashMap<StatefulObject, Vec<ValidityPeriod<ObjectState>>>,
    /// Holdings of each number in E.164, oldest first.
    holdings: HashMap<String, Vec<ValidityPeriod<PromoNumberHolding>>>,
    fields: Option<Rc<[CustomDataField]>>,
    /// Calls of each `external_call_unique_id` that was looked up, at most one for an advertiser.
    known_calls: HashMap<String, Vec<StoredReport>>,
    /// Calls of this batch by advertiser and `external_call_unique_id`. They are not stored yet.
    pending_reports: HashMap<(AdvertiserId, String), StoredReport>,
    repeat_results: HashMap<RepeatCallerQuery, bool>,
    /// Start times of calls that are not stored yet, by campaign and calling number (milliseconds
    /// since 1970).
    pending_calls: HashMap<(CampaignId, String), Vec<i64>>,
}

impl BatchLookups {
    /// Creates empty lookups for calls at some moments.
    pub(crate) fn at(moments: CallMoment) -> Self {
        Self {
            moments,
            parties: HashMap::new(),
            terms: HashMap::new(),
            states: HashMap::new(),
            holdings: HashMap::new(),
            fields: None,
            known_calls: HashMap::new(),
            pending_reports: HashMap::new(),
            repeat_results: HashMap::new(),
            pending_calls: HashMap::new(),
        }
    }

    /// Creates empty lookups for calls that started in a closed interval.
    pub(crate) fn for_calls_between(first: Timestamp, last: Timestamp) -> Self {
        let earliest = CallMoment::reported(first).earliest;
        Self::at(CallMoment { earliest, latest: end_of_second(last) })
    }

    /// Resolves the parties of a reported call: see [`CallParties::resolve`].
    pub(crate) fn parties(
        &mut self,
        unit: &mut UnitOfWork<'_>,
        context: &Context,
        address: CallAddress<'_>,
        start: Timestamp,
    ) -> Result<Rc<CallParties>, Error> {
        let moment = CallMoment::reported(start);
        let e164 = address.promo_number.map(|number| number.e164().to_owned());
        let id = |id: Option<&str>| id.map(str::to_owned);
        let key = (id(address.campaign).unwrap_or_default(), id(address.affiliate), e164);
        let cached = self.parties.get(&key).map(Vec::as_slice).unwrap_or_default();
        if let Some(period) = cached.iter().find(|period| period.contains(moment.latest)) {
            return Ok(Rc::clone(&period.value));
        }
        let found = CallParties::resolve(unit, context, self, address, moment)?;
        let parties = Rc::new(found.value);
        let value = Rc::clone(&parties);
        let period = ValidityPeriod { from: found.from, until: found.until, value };
        self.parties.entry(key).or_default().push(period);
        Ok(parties)
    }

    /// Returns who held a number at a moment, with the period of the holding. If nobody held it at
    /// the end of the moment's second, the last holder within the second counts.
    pub(crate) fn holding_at(
        &mut self,
        unit: &mut UnitOfWork<'_>,
        context: &Context,
        number: &PhoneNumber,
        moment: CallMoment,
    ) -> Result<Option<ValidityPeriod<PromoNumberHolding>>, Error> {
        if !self.holdings.contains_key(number.e164()) {
            self.load_holdings(unit, context, &[number.e164()])?;
        }
        let holdings = self.holdings.get(number.e164()).map(Vec::as_slice).unwrap_or_default();
        let overlaps = |held: &&ValidityPeriod<PromoNumberHolding>| {
            held.from <= moment.latest && held.until.is_none_or(|until| until > moment.earliest)
        };
        let at_end = holdings.iter().rfind(|held| held.contains(moment.latest));
        Ok(at_end.or_else(|| holdings.iter().rfind(overlaps)).cloned())
    }

    fn load_holdings(
        &mut self,
        unit: &mut UnitOfWork<'_>,
        context: &Context,
        numbers: &[&str],
    ) -> Result<(), Error> {
        let CallMoment { earliest, latest } = self.moments;
        let network = context.principal.network_id;
        self.holdings.extend(numbers.iter().map(|number| ((*number).to_owned(), Vec::new())));
        for held in unit.promo_number_holdings(network, numbers, earliest, latest)? {
            let number = held.value.number.e164().to_owned();
            self.holdings.entry(number).or_default().push(held);
        }
        Ok(())
    }

    /// Returns the states that objects had at a moment. Objects whose states are not read yet are
    /// read with one query. An advertiser or an affiliate has its first state before its creation
    /// too: a sandbox's clock can be set back.
    pub(crate) fn states_at(
        &mut self,
        unit: &mut UnitOfWork<'_>,
        objects: &PartyObjects<StatefulObject>,
        at: Timestamp,
    ) -> Result<PartyObjects<&ValidityPeriod<ObjectState>>, Error> {
        let PartyObjects { advertiser, campaign, affiliate, affiliate_campaign } = *objects;
        let all = [advertiser, campaign, affiliate, affiliate_campaign].into_iter().flatten();
        let unread: Vec<StatefulObject> =
            all.filter(|object| !self.states.contains_key(object)).collect();
        if !unread.is_empty() {
            self.load_states(unit, &unread)?;
        }
        let state_of = |object: Option<StatefulObject>| {
            let states = self.states.get(&object?)?;
            let current = states.iter().rfind(|state| state.contains(at));
            let has_first = matches!(
                object,
                Some(StatefulObject::Advertiser(_) | StatefulObject::Affiliate(_))
            );
            current.or_else(|| states.first().filter(|_| has_first))
        };
        Ok(PartyObjects {
            advertiser: state_of(advertiser),
            campaign: state_of(campaign),
            affiliate: state_of(affiliate),
            affiliate_campaign: state_of(affiliate_campaign),
        })
    }

    fn load_states(
        &mut self,
        unit: &mut UnitOfWork<'_>,
        objects: &[StatefulObject],
    ) -> Result<(), Error> {
        let CallMoment { earliest, latest } = self.moments;
        self.states.extend(objects.iter().map(|object| (*object, Vec::new())));
        for (object, state) in unit.object_states(objects, earliest, latest)? {
            self.states.entry(object).or_default().push(state);
        }
        Ok(())
    }

    /// Returns the terms that were a campaign's current terms at a moment.
    pub(crate) fn terms_at(
        &mut self,
        unit: &mut UnitOfWork<'_>,
        campaign: CampaignId,
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

    /// Returns the call of an advertiser that was reported with an `external_call_unique_id`, if there is
    /// one.
    pub(crate) fn known_call(
        &mut self,
        unit: &mut UnitOfWork<'_>,
        context: &Context,
        advertiser: AdvertiserId,
        external_id: &str,
    ) -> Result<Option<StoredReport>, Error> {
        let key = (advertiser, external_id.to_owned());
        if let Some(pending) = self.pending_reports.get(&key) {
            return Ok(Some(pending.clone()));
        }
        match self.known_calls.get(external_id) {
            Some(cached) => {
                Ok(cached.iter().find(|report| report.advertiser_id == advertiser).cloned())
            }
            None => {
                Ok(unit.reported_call(context.principal.network_id, advertiser, external_id)?)
            }
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
        self.known_calls.extend(ids.iter().map(|id| ((*id).to_owned(), Vec::new())));
        for report in unit.reported_calls(network, &ids)? {
            self.known_calls.entry(report.external_id.clone()).or_default().push(report);
        }
        let numbers = calls.iter().filter_map(|reported| reported.call().promo_number.as_ref());
        let mut numbers: Vec<&str> = numbers.map(PhoneNumber::e164).collect();
        numbers.sort_unstable();
        numbers.dedup();
        if !numbers.is_empty() {
            self.load_holdings(unit, context, &numbers)?;
        }
        let mut queries = Vec::new();
        for reported in calls {
            match self.repeat_query(unit, context, reported) {
                Err(error) if !error.is_refusal() => return Err(error),
                found => queries.extend(found.ok().flatten()),
            }
        }
        let results = unit.have_called_before(&queries)?;
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
        let (Some(start), Some(_)) = (call.start_time, &call.campaign) else {
            return Ok(None);
        };
        let parties = self.parties(unit, context, call.address(), start)?;
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
        let until = query.until.as_millisecond();
        let key = (query.campaign_id, query.caller);
        let within = |at: &i64| (since..=until).contains(at);
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
        advertiser_id: AdvertiserId,
        call: &trunkline_domain::call::Call,
        reported: &ReportedCall,
    ) {
        let pending = StoredReport {
            advertiser_id,
            external_id: call.external_id.clone(),
            complete_call_id: call.complete_call_id.clone(),
            fingerprint: reported.fingerprint.to_vec(),
            rejection: call.recorded.rejection,
        };
        self.pending_reports.insert((advertiser_id, call.external_id.clone()), pending);
        let is_inbound = call.recorded.rejection != Some(RejectionReason::NotInbound);
        let caller = call.recorded.facts.calling_phone_number.as_ref();
        if let Some(caller) = caller.filter(|_| is_inbound) {
            let calls = self.pending_calls.entry((call.campaign_id, caller.e164().to_owned()));
            calls.or_default().push(call.start_time.as_millisecond());
        }
    }
}
