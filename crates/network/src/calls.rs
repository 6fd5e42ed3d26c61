//! Calls that come in: found their campaign, completed with what the network knows, decided once,
//! and stored.

use crate::cast::Cast;
use crate::desk::Desk;
use crate::entries::Entries;
use crate::idempotency::{IdempotencyKey, keep_answer, kept_answer};
use crate::settle::{Books, settle};
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
    if let Some(kept) = kept_answer(session, context, key)? {
        return Ok(kept);
    }
    let taken = take_many(session, context, std::slice::from_ref(&told))?.pop();
    let taken = taken.ok_or_else(|| Error::Internal("a call got no answer".to_owned()))??;
    keep_answer(session, context, key, &taken)?;
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
    let (answers, _) = take_and_settle(session, context, told)?;
    Ok(answers.into_iter().map(|answer| answer.map(|(taken, _)| taken)).collect())
}

/// What a call is answered, and the place of what it came to, where it is new.
pub(crate) type Answer = Result<(Taken, Option<usize>), Error>;

/// As [`take_many`], with what new calls came to.
pub(crate) fn take_and_settle(
    session: &mut Session<'_>,
    context: &Context,
    told: &[Told],
) -> Result<(Vec<Answer>, Vec<Transaction>), Error> {
    let starts = || told.iter().filter_map(|told| told.submitted.change.start_time);
    let span = (starts().min().unwrap_or_default(), starts().max().unwrap_or_default());
    let (mut desk, mut entries) = (Desk::default(), Entries::within(span));
    desk.foresee(session, context, told)?;
    let mut answers = Vec::with_capacity(told.len());
    for told in told {
        match take_one(session, context, &mut desk, &mut entries, told) {
            Err(error) if !error.is_refusal() => return Err(error),
            answer => answers.push(answer),
        }
    }
    Ok((answers, entries.write(session, context)?))
}

/// Looks at everything first, and enters only what is taken.
fn take_one(
    session: &mut Session<'_>,
    context: &Context,
    desk: &mut Desk,
    entries: &mut Entries,
    it: &Told,
) -> Answer {
    let (told, mut problems) = (&it.submitted.change, it.submitted.problems.clone());
    require(told, &mut problems);
    let (external_id, start_time) = match (&told.external_id, told.start_time) {
        (Some(id), Some(start)) => (id, start),
        _ => return Err(problems.into()),
    };
    let known = desk.known(session, context, external_id)?;
    let same = known.as_ref().filter(|(_, known)| *known == it.fingerprint);
    if let Some((name, _)) = same.filter(|_| problems.is_empty()) {
        return Ok((Taken::Known(name.clone()), None));
    }
    check_custom_data_of(session, context, desk, told, &mut problems)?;
    problems.clone().or(())?;
    let campaign_id = told.campaign.as_deref().unwrap_or_default();
    if known.is_some() {
        let message = format!("external_call_unique_id {external_id} was used for another call");
        return Err(Error::Conflict(message));
    }
    let parts = (told.affiliate.as_deref(), told.promo_number.as_ref());
    let cast = desk.cast(session, context, campaign_id, parts.0, parts.1)?;
    context.caller.require_party(PartyKind::Advertiser, cast.campaign.advertiser_id)?;
    cast.check_number(problems.at("call"));
    problems.or(())?;
    let terms = desk.terms_at(session, cast.campaign.id, within_second(start_time))?;
    let terms = terms.as_deref();
    let turned_away = gate(session, desk, entries, &cast, (terms, start_time, false))?;
    let in_force = terms.map(|current| &current.terms);
    let mut facts = CallFacts { start_time: Some(start_time), ..told.facts.clone() };
    let campaign = cast.campaign.id;
    facts.repeat = has_called_lately(session, desk, campaign, in_force, &facts, start_time)?;
    let facts = cast.complete(facts);
    let ended_at = Some(end_of(&facts, start_time, context.now));
    let call = Rc::new(Call {
        id: 0,
        network_id: context.caller.network_id,
        campaign_id: campaign,
        affiliate_id: cast.affiliate.as_ref().map(|affiliate| affiliate.id),
        promo_number_id: cast.promo_number.as_ref().map(|number| number.id),
        external_id: external_id.clone(),
        complete_call_id: it.complete_call_id.clone(),
        terms_id: terms.map(|current| current.id),
        start_time,
        heard: Heard {
            facts,
            keys: told.keys.clone(),
            events: Vec::new(),
            turned_away,
            by_affiliate: cast.affiliate.is_some(),
            destination_phone_number: told.destination_phone_number.clone(),
        },
        created_at: context.now,
        ended_at,
    });
    desk.remember(&call, it);
    let place = entries.enter_call(Rc::clone(&call), &it.fingerprint);
    count_in(session, context, entries, &cast, in_force, &call)?;
    let affiliate = cast.affiliate.as_ref().map(|affiliate| affiliate.id_from_network.as_str());
    let books = Books { campaign: &cast.campaign, terms: in_force, affiliate };
    let row = settle(session, context, entries, &books, (&call, Some(place)))?;
    Ok((Taken::New(it.complete_call_id.clone()), Some(row)))
}

/// When a call that was told whole was over: where that is not known, by when it was told.
fn end_of(facts: &CallFacts, start: Timestamp, told: Timestamp) -> Timestamp {
    let lasted = facts.duration.map(|seconds| SignedDuration::from_secs(seconds.into()));
    lasted.and_then(|lasted| start.checked_add(lasted).ok()).unwrap_or(told)
}

/// Counts a call that was just entered, or stored, towards the budgets for calls, if it was let in.
pub(crate) fn count_in(
    session: &mut Session<'_>,
    context: &Context,
    entries: &mut Entries,
    cast: &Cast,
    terms: Option<&Terms>,
    call: &Call,
) -> Result<(), Error> {
    let Some(terms) = terms.filter(|_| call.heard.turned_away.is_none()) else { return Ok(()) };
    let one = [(CountedThing::Calls, 1)];
    budgets::count(session, context, entries, (&cast.campaign, terms), call.start_time, &one)
}

/// The last moment of a second: a time that is told to the second may be any moment in it, and
/// what came to hold in that second holds.
pub(crate) fn within_second(told: Timestamp) -> Timestamp {
    let second = Timestamp::from_second(told.as_second()).unwrap_or(told);
    second.saturating_add(SignedDuration::from_millis(999)).unwrap_or(Timestamp::MAX)
}

/// Whether a caller has called a campaign in the days before a moment that its terms look back: as
/// said, else looked up. `None` for a number that is not known; never for one that several share.
pub(crate) fn has_called_lately(
    session: &mut Session<'_>,
    desk: &Desk,
    campaign: i64,
    terms: Option<&Terms>,
    facts: &CallFacts,
    at: Timestamp,
) -> Result<Option<bool>, Error> {
    match repeat(campaign, terms, facts, at) {
        Ok(said) => Ok(said),
        Err(asked) => Ok(Some(desk.has_called(session, asked)?)),
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

fn require(told: &CallIn, problems: &mut Problems) {
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
fn check_custom_data_of(
    session: &mut Session<'_>,
    context: &Context,
    desk: &mut Desk,
    told: &CallIn,
    problems: &mut Problems,
) -> Result<(), Error> {
    let Some(data) = &told.facts.custom_data else { return Ok(()) };
    let fields = desk.fields(session, context)?;
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
pub(crate) fn gate(
    session: &mut Session<'_>,
    desk: &mut Desk,
    entries: &mut Entries,
    cast: &Cast,
    (terms, start_time, live): (Option<&CurrentTerms>, Timestamp, bool),
) -> Result<Option<TurnedAway>, Error> {
    let at = within_second(start_time);
    let Some(terms) = terms.map(|current| &current.terms) else {
        return Ok(Some(TurnedAway::NotLive));
    };
    let (campaign, activated) = (("campaign", cast.campaign.id), CampaignStatus::Activated);
    let activated = desk.had_status(session, campaign, at, activated.as_str())?;
    let expired = terms.pause_date.is_some_and(|pause| pause <= start_time);
    if !activated || expired {
        return Ok(Some(TurnedAway::NotLive));
    }
    if let Some(reason) = cast.refused_affiliate(session, desk, at)? {
        return Ok(Some(reason));
    }
    let over = budgets::is_over(session, entries, cast.campaign.id, terms, start_time, live)?;
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
    let campaign = campaigns::get_whole(session, context, advertiser_id, id)?;
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
