//! Calls that come in: found their campaign, completed with what the network knows, decided once,
//! and stored.

use crate::batch_lookups::BatchLookups;
use crate::call_parties::CallParties;
use crate::idempotency::{IdempotencyKey, store_answer, stored_answer};
use crate::pending_writes::PendingWrites;
use crate::settlement::{SettlementContext, post_settlement};
use crate::{Context, Error, Session, Submitted, budgets, campaigns};
use jiff::{SignedDuration, Timestamp, ToSpan};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::rc::Rc;
use std::sync::Arc;
use trunkline_domain::call::{Call, CallFacts, Heard, Transaction, TurnedAway};
use trunkline_domain::campaign::{CampaignStatus, CurrentTerms, DEFAULT_REPEAT_DAYS, Terms};
use trunkline_domain::party::{PartyKind, check_custom_data};
use trunkline_domain::phone::PhoneNumber;
use trunkline_domain::problem::{BLANK, Problems};
use trunkline_store::{CallTotals, CountedThing, Repeat};

/// A call as its sender tells it.
#[derive(Debug, Clone, Default, Serialize)]
pub struct CallIn {
    /// The sender's own id.
    pub external_id: Option<String>,
    /// When it came in.
    pub start_time: Option<Timestamp>,
    /// The network's id of the campaign.
    pub campaign: Option<String>,
    /// The network's id of the affiliate that brought it.
    pub affiliate: Option<String>,
    /// The promo number it came in by.
    pub promo_number: Option<PhoneNumber>,
    /// What is known of it.
    pub facts: CallFacts,
    /// The keys pressed, in order.
    pub keys: Vec<char>,
    /// The number dialled at the end.
    pub destination_phone_number: Option<String>,
    /// What tells it from another call under the same id: see [`CallIn::meaning`].
    #[serde(skip)]
    pub request: Vec<u8>,
}

impl CallIn {
    /// What it says, however that was written: in whatever order, with numbers for texts, in
    /// another zone.
    pub fn meaning(&self) -> Vec<u8> {
        let mut same = self.clone();
        if let Some(data) = &mut same.facts.custom_data {
            data.sort_keys();
        }
        serde_json::to_vec(&same).unwrap_or_default()
    }
}

/// What became of a call that came in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Taken {
    /// Stored; its complete_call_id.
    New(String),
    /// Told again; nothing is stored.
    Known(String),
}

/// A call that was told.
#[derive(Debug, Clone)]
pub struct Told {
    submitted: Arc<Submitted<CallIn>>,
    /// The name it gets if it is new.
    complete_call_id: String,
    /// SHA-256 of what it says.
    pub(crate) fingerprint: [u8; 32],
}

impl Told {
    /// `complete_call_id` is the name that the call gets if it is new.
    pub fn new(submitted: Submitted<CallIn>, complete_call_id: String) -> Self {
        let fingerprint = Sha256::digest(&submitted.change.request).into();
        Self { submitted: Arc::new(submitted), complete_call_id, fingerprint }
    }

    /// What was told.
    pub(crate) fn call(&self) -> &CallIn {
        &self.submitted.change
    }
}

/// Takes a call in. The same key within 24 hours gets the first answer again.
pub fn take(
    session: &mut Session<'_>,
    context: &Context,
    told: Told,
    key: Option<&IdempotencyKey>,
) -> Result<Taken, Error> {
    if let Some(kept) = stored_answer(session, context, key)? {
        return Ok(kept);
    }
    let taken = take_many(session, context, std::slice::from_ref(&told))?.pop();
    let taken = taken.ok_or_else(|| Error::Internal("a call got no answer".to_owned()))??;
    store_answer(session, context, key, &taken)?;
    Ok(taken)
}

/// Takes calls in, in this order: each gets the answer that it would get alone, and one that is
/// refused leaves nothing behind.
///
/// # Errors
///
/// When storage fails: then none of them is taken.
pub fn take_many(
    session: &mut Session<'_>,
    context: &Context,
    told: &[Told],
) -> Result<Vec<Result<Taken, Error>>, Error> {
    let (answers, _) = ingest_and_settle(session, context, told)?;
    Ok(answers.into_iter().map(|answer| answer.map(|(taken, _)| taken)).collect())
}

/// What a call is answered, and the place of what it came to, where it is new.
pub(crate) type IngestResult = Result<(Taken, Option<usize>), Error>;

/// As [`take_many`], with what new calls came to.
pub(crate) fn ingest_and_settle(
    session: &mut Session<'_>,
    context: &Context,
    told: &[Told],
) -> Result<(Vec<IngestResult>, Vec<Transaction>), Error> {
    let starts = || told.iter().filter_map(|told| told.submitted.change.start_time);
    let span = (starts().min().unwrap_or_default(), starts().max().unwrap_or_default());
    let (mut lookups, mut writes) =
        (BatchLookups::default(), PendingWrites::for_calls_between(span));
    lookups.prefetch(session, context, told)?;
    let mut answers = Vec::with_capacity(told.len());
    for told in told {
        match ingest_one(session, context, &mut lookups, &mut writes, told) {
            Err(error) if !error.is_refusal() => return Err(error),
            answer => answers.push(answer),
        }
    }
    Ok((answers, writes.write(session, context)?))
}

/// Looks at everything first, and enters only what is taken.
fn ingest_one(
    session: &mut Session<'_>,
    context: &Context,
    lookups: &mut BatchLookups,
    writes: &mut PendingWrites,
    it: &Told,
) -> IngestResult {
    let (told, mut problems) = (&it.submitted.change, it.submitted.problems.clone());
    check_required(told, &mut problems);
    let (external_id, start_time) = match (&told.external_id, told.start_time) {
        (Some(id), Some(start)) => (id, start),
        _ => return Err(problems.into()),
    };
    let known = lookups.known_call(session, context, external_id)?;
    let same = known.as_ref().filter(|(_, known)| *known == it.fingerprint);
    if let Some((name, _)) = same.filter(|_| problems.is_empty()) {
        return Ok((Taken::Known(name.clone()), None));
    }
    check_custom_data_values(session, context, lookups, told, &mut problems)?;
    problems.clone().or(())?;
    let campaign_id = told.campaign.as_deref().unwrap_or_default();
    if known.is_some() {
        let message = format!("external_call_unique_id {external_id} was used for another call");
        return Err(Error::Conflict(message));
    }
    let parts = (told.affiliate.as_deref(), told.promo_number.as_ref());
    let parties = lookups.parties(session, context, campaign_id, parts.0, parts.1)?;
    context.caller.ensure_can_write_party(PartyKind::Advertiser, parties.campaign.advertiser_id)?;
    parties.check_promo_number(problems.at("call"));
    problems.or(())?;
    let terms = lookups.terms_at(session, parties.campaign.id, end_of_second(start_time))?;
    let terms = terms.as_deref();
    let turned_away =
        check_admission(session, lookups, writes, &parties, (terms, start_time, false))?;
    let in_force = terms.map(|current| &current.terms);
    let mut facts = CallFacts { start_time: Some(start_time), ..told.facts.clone() };
    let campaign = parties.campaign.id;
    facts.repeat = is_repeat_caller(session, lookups, campaign, in_force, &facts, start_time)?;
    let facts = parties.fill_in_facts(facts);
    let ended_at = Some(end_time(&facts, start_time, context.now));
    let call = Rc::new(Call {
        id: 0,
        network_id: context.caller.network_id,
        campaign_id: campaign,
        affiliate_id: parties.affiliate.as_ref().map(|affiliate| affiliate.id),
        promo_number_id: parties.promo_number.as_ref().map(|number| number.id),
        external_id: external_id.clone(),
        complete_call_id: it.complete_call_id.clone(),
        terms_id: terms.map(|current| current.id),
        start_time,
        heard: Heard {
            facts,
            keys: told.keys.clone(),
            events: Vec::new(),
            turned_away,
            by_affiliate: parties.affiliate.is_some(),
            destination_phone_number: told.destination_phone_number.clone(),
        },
        created_at: context.now,
        ended_at,
    });
    lookups.note_pending(&call, it);
    let place = writes.push_call(Rc::clone(&call), &it.fingerprint);
    count_toward_call_budgets(session, context, writes, &parties, in_force, &call)?;
    let affiliate = parties.affiliate.as_ref().map(|affiliate| affiliate.id_from_network.as_str());
    let settlement_context =
        SettlementContext { campaign: &parties.campaign, terms: in_force, affiliate };
    let row = post_settlement(session, context, writes, &settlement_context, (&call, Some(place)))?;
    Ok((Taken::New(it.complete_call_id.clone()), Some(row)))
}

/// When a call that was told whole was over: where that is not known, by when it was told.
fn end_time(facts: &CallFacts, start: Timestamp, told: Timestamp) -> Timestamp {
    let lasted = facts.duration.map(|seconds| SignedDuration::from_secs(seconds.into()));
    lasted.and_then(|lasted| start.checked_add(lasted).ok()).unwrap_or(told)
}

/// Counts a call that was just entered, or stored, towards the budgets for calls, if it was let in.
pub(crate) fn count_toward_call_budgets(
    session: &mut Session<'_>,
    context: &Context,
    writes: &mut PendingWrites,
    parties: &CallParties,
    terms: Option<&Terms>,
    call: &Call,
) -> Result<(), Error> {
    let Some(terms) = terms.filter(|_| call.heard.turned_away.is_none()) else { return Ok(()) };
    let one = [(CountedThing::Calls, 1)];
    budgets::add_to_budgets(
        session,
        context,
        writes,
        (&parties.campaign, terms),
        call.start_time,
        &one,
    )
}

/// The last moment of a second: a time that is told to the second may be any moment in it, and
/// what came to hold in that second holds.
pub(crate) fn end_of_second(told: Timestamp) -> Timestamp {
    let second = Timestamp::from_second(told.as_second()).unwrap_or(told);
    second.saturating_add(SignedDuration::from_millis(999)).unwrap_or(Timestamp::MAX)
}

/// Whether a caller has called a campaign in the days before a moment that its terms look back: as
/// said, else looked up. `None` for a number that is not known; never for one that several share.
pub(crate) fn is_repeat_caller(
    session: &mut Session<'_>,
    lookups: &BatchLookups,
    campaign: i64,
    terms: Option<&Terms>,
    facts: &CallFacts,
    at: Timestamp,
) -> Result<Option<bool>, Error> {
    match repeat(campaign, terms, facts, at) {
        Ok(said) => Ok(said),
        Err(asked) => Ok(Some(lookups.has_called(session, asked)?)),
    }
}

/// What is to be looked up to know whether a caller has called lately, unless that is known.
pub(crate) fn repeat(
    campaign: i64,
    terms: Option<&Terms>,
    facts: &CallFacts,
    at: Timestamp,
) -> Result<Option<bool>, Repeat> {
    match (facts.repeat, &facts.calling_phone_number) {
        (None, Some(_)) if !facts.can_repeat() => Ok(Some(false)),
        (None, Some(caller)) => {
            let days = terms.map_or(DEFAULT_REPEAT_DAYS, Terms::repeat_days);
            let within = SignedDuration::from_hours(24 * i64::from(days));
            let since = at.saturating_sub(within).unwrap_or(Timestamp::MIN);
            Err(Repeat { campaign, caller: caller.e164().to_owned(), since, before: at })
        }
        (said, _) => Ok(said),
    }
}

fn check_required(told: &CallIn, problems: &mut Problems) {
    let at = problems.at("call");
    let missing = [
        ("external_call_unique_id", told.external_id.is_none()),
        ("start_time", told.start_time.is_none()),
        ("advertiser_campaign_id_from_network", told.campaign.is_none()),
    ];
    for (property, blank) in missing {
        if blank && !at.has(property) {
            at.at(property).add(BLANK);
        }
    }
}

/// What is wrong with a call's custom data, each value at its place in the request's array.
fn check_custom_data_values(
    session: &mut Session<'_>,
    context: &Context,
    lookups: &mut BatchLookups,
    told: &CallIn,
    problems: &mut Problems,
) -> Result<(), Error> {
    let Some(data) = &told.facts.custom_data else { return Ok(()) };
    let fields = lookups.custom_data_fields(session, context)?;
    let mut complaints = check_custom_data(data, None, &fields);
    for (index, name) in data.keys().enumerate() {
        if complaints.has(name) {
            let place = problems.at("custom_data").item(index).at("name");
            place.merge(std::mem::take(complaints.at(name)));
        }
    }
    Ok(())
}

/// A call is let in by what held at its start: the terms, the statuses of the campaign and the
/// affiliate campaign, and the budgets that are enforced. A `live` call also counts against calls
/// at once.
pub(crate) fn check_admission(
    session: &mut Session<'_>,
    lookups: &mut BatchLookups,
    writes: &mut PendingWrites,
    parties: &CallParties,
    (terms, start_time, live): (Option<&CurrentTerms>, Timestamp, bool),
) -> Result<Option<TurnedAway>, Error> {
    let at = end_of_second(start_time);
    let Some(terms) = terms.map(|current| &current.terms) else {
        return Ok(Some(TurnedAway::NotLive));
    };
    let (campaign, activated) = (("campaign", parties.campaign.id), CampaignStatus::Activated);
    let activated = lookups.had_status(session, campaign, at, activated.as_str())?;
    let expired = terms.pause_date.is_some_and(|pause| pause <= start_time);
    if !activated || expired {
        return Ok(Some(TurnedAway::NotLive));
    }
    if let Some(reason) = parties.affiliate_rejection(session, lookups, at)? {
        return Ok(Some(reason));
    }
    let over =
        budgets::has_exhausted_cap(session, writes, parties.campaign.id, terms, start_time, live)?;
    Ok(over.then_some(TurnedAway::OverCap))
}

/// A campaign's calls today and in the last 7 and 30 days, today included, in its own zone.
#[derive(Debug, Clone, Copy)]
pub struct QuickStats {
    /// Today.
    pub today: CallTotals,
    /// Seven days.
    pub last_7_days: CallTotals,
    /// Thirty days.
    pub last_30_days: CallTotals,
}

/// Counts a campaign's calls. However many there are, a row for each quarter of an hour is read.
pub fn quick_stats(
    session: &mut Session<'_>,
    context: &Context,
    advertiser_id: &str,
    id: &str,
) -> Result<QuickStats, Error> {
    let campaign = campaigns::get_as_advertiser(session, context, advertiser_id, id)?;
    let zone = campaign.terms_in_force().map(|terms: &Terms| terms.timezone).unwrap_or_default();
    let today = context.now.to_zoned(zone.zone()).date();
    let midnight = |days: i64| {
        let date = today.saturating_add(days.days());
        date.to_zoned(zone.zone()).map_or(context.now, |zoned| zoned.timestamp())
    };
    let tomorrow = midnight(1);
    let mut days = |days: i64| session.call_totals(campaign.id, midnight(1 - days), tomorrow);
    Ok(QuickStats { today: days(1)?, last_7_days: days(7)?, last_30_days: days(30)? })
}
