//! What a unit of work has looked up already. Nobody else writes while it runs, so what was found
//! once holds to its end, however many calls ask for it.

use crate::call_parties::CallParties;
use crate::calls::{Told, end_of_second, repeat};
use crate::{Context, Error, Session};
use jiff::Timestamp;
use std::collections::HashMap;
use std::rc::Rc;
use trunkline_domain::campaign::CurrentTerms;
use trunkline_domain::party::CustomDataField;
use trunkline_domain::phone::PhoneNumber;
use trunkline_store::{Reign, Repeat};

/// A campaign, an affiliate and a promo number, as a call's sender names them.
type PartyIds = (String, Option<String>, Option<String>);

/// What a unit of work has looked up.
#[derive(Default)]
pub(crate) struct BatchLookups {
    parties: HashMap<PartyIds, Rc<CallParties>>,
    terms: HashMap<i64, Vec<Reign<Rc<CurrentTerms>>>>,
    statuses: HashMap<(&'static str, i64), Vec<Reign<String>>>,
    fields: Option<Rc<[CustomDataField]>>,
    /// By the sender's id: calls that are known, or, where they were asked for, known not to be.
    known: HashMap<String, Option<(String, Vec<u8>)>>,
    repeat_results: HashMap<Repeat, bool>,
    /// When callers called a campaign, by calls that are yet to be stored (milliseconds since 1970).
    pending_calls: HashMap<(i64, String), Vec<i64>>,
}

impl BatchLookups {
    /// As [`CallParties::find`].
    pub(crate) fn parties(
        &mut self,
        session: &mut Session<'_>,
        context: &Context,
        campaign: &str,
        affiliate: Option<&str>,
        number: Option<&PhoneNumber>,
    ) -> Result<Rc<CallParties>, Error> {
        let digits = number.map(|number| number.e164().to_owned());
        let key = (campaign.to_owned(), affiliate.map(str::to_owned), digits);
        if let Some(known) = self.parties.get(&key) {
            return Ok(Rc::clone(known));
        }
        let found = Rc::new(CallParties::resolve(session, context, campaign, affiliate, number)?);
        self.parties.insert(key, Rc::clone(&found));
        Ok(found)
    }

    /// The terms that were a campaign's current ones at a moment.
    pub(crate) fn terms_at(
        &mut self,
        session: &mut Session<'_>,
        campaign: i64,
        at: Timestamp,
    ) -> Result<Option<Rc<CurrentTerms>>, Error> {
        let known = self.terms.entry(campaign).or_default();
        if let Some(held) = known.iter().find(|held| held.holds_at(at)) {
            return Ok(Some(Rc::clone(&held.of)));
        }
        let Some(found) = session.terms_at(campaign, at)? else { return Ok(None) };
        let terms = Rc::new(found.of);
        known.push(Reign { from: found.from, until: found.until, of: Rc::clone(&terms) });
        Ok(Some(terms))
    }

    /// Whether a campaign (`campaign`) or an affiliate campaign (`affiliate_campaign`) had a status at
    /// a moment.
    pub(crate) fn had_status(
        &mut self,
        session: &mut Session<'_>,
        (object, id): (&'static str, i64),
        at: Timestamp,
        status: &str,
    ) -> Result<bool, Error> {
        let known = self.statuses.entry((object, id)).or_default();
        if let Some(held) = known.iter().find(|held| held.holds_at(at)) {
            return Ok(held.of == status);
        }
        let Some(found) = session.status_at(object, id, at)? else { return Ok(false) };
        let had = found.of == status;
        known.push(found);
        Ok(had)
    }

    /// The network's custom data fields.
    pub(crate) fn custom_data_fields(
        &mut self,
        session: &mut Session<'_>,
        context: &Context,
    ) -> Result<Rc<[CustomDataField]>, Error> {
        if let Some(known) = &self.fields {
            return Ok(Rc::clone(known));
        }
        let found: Rc<[CustomDataField]> =
            session.custom_data_fields(context.caller.network_id)?.into();
        Ok(Rc::clone(self.fields.insert(found)))
    }

    /// What a call that was told before is called, and the fingerprint of what was told of it.
    pub(crate) fn known_call(
        &mut self,
        session: &mut Session<'_>,
        context: &Context,
        external_id: &str,
    ) -> Result<Option<(String, Vec<u8>)>, Error> {
        match self.known.get(external_id) {
            Some(known) => Ok(known.clone()),
            None => Ok(session.known_call(context.caller.network_id, external_id)?),
        }
    }

    /// Looks up at once what each of many calls will ask for, where that is worth it.
    pub(crate) fn prefetch(
        &mut self,
        session: &mut Session<'_>,
        context: &Context,
        told: &[Told],
    ) -> Result<(), Error> {
        if told.len() < 2 || !session.is_remote() {
            return Ok(());
        }
        let ids = told.iter().filter_map(|told| told.call().external_id.as_deref());
        let ids: Vec<&str> = ids.collect();
        let network = context.caller.network_id;
        self.known.extend(ids.iter().map(|id| ((*id).to_owned(), None)));
        for (id, name, fingerprint) in session.known_calls(network, &ids)? {
            self.known.insert(id, Some((name, fingerprint)));
        }
        let mut asked = Vec::new();
        for told in told {
            match self.repeat_query(session, context, told) {
                Err(error) if !error.is_refusal() => return Err(error),
                found => asked.extend(found.ok().flatten()),
            }
        }
        let have = session.have_called(&asked)?;
        let mut found: Vec<bool> = vec![false; asked.len()];
        for place in have {
            if let Some(found) = usize::try_from(place).ok().and_then(|at| found.get_mut(at)) {
                *found = true;
            }
        }
        self.repeat_results.extend(asked.into_iter().zip(found));
        Ok(())
    }

    /// What will be asked of a call's caller, if it comes to that.
    fn repeat_query(
        &mut self,
        session: &mut Session<'_>,
        context: &Context,
        told: &Told,
    ) -> Result<Option<Repeat>, Error> {
        let call = told.call();
        let (Some(start), Some(campaign)) = (call.start_time, &call.campaign) else {
            return Ok(None);
        };
        let (affiliate, number) = (call.affiliate.as_deref(), call.promo_number.as_ref());
        let parties = self.parties(session, context, campaign, affiliate, number)?;
        let campaign = parties.campaign.id;
        let terms = self.terms_at(session, campaign, end_of_second(start))?;
        let terms = terms.as_deref().map(|current| &current.terms);
        Ok(repeat(campaign, terms, &call.facts, start).err())
    }

    /// Whether a caller has called a campaign: by calls that are stored, or are yet to be.
    pub(crate) fn has_called(&self, session: &mut Session<'_>, it: Repeat) -> Result<bool, Error> {
        let (since, before) = (it.since.as_millisecond(), it.before.as_millisecond());
        let key = (it.campaign, it.caller);
        let within = |at: &i64| *at >= since && *at < before;
        if self.pending_calls.get(&key).is_some_and(|calls| calls.iter().any(within)) {
            return Ok(true);
        }
        let it = Repeat { campaign: key.0, caller: key.1, ..it };
        match self.repeat_results.get(&it) {
            Some(known) => Ok(*known),
            None => Ok(session.has_called(&it)?),
        }
    }

    /// Remembers a call that is yet to be stored.
    pub(crate) fn note_pending(&mut self, call: &trunkline_domain::call::Call, told: &Told) {
        let known = (call.complete_call_id.clone(), told.fingerprint.to_vec());
        self.known.insert(call.external_id.clone(), Some(known));
        if let Some(caller) = &call.heard.facts.calling_phone_number {
            let calls = self.pending_calls.entry((call.campaign_id, caller.e164().to_owned()));
            calls.or_default().push(call.start_time.as_millisecond());
        }
    }
}
