//! Last month's real calls, once more: by the terms in force and by those that wait for go_live.

use crate::{Context, Error, Store, Submitted, campaigns};
use jiff::Timestamp;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use trunkline_domain::call::{Heard, Outcome};
use trunkline_domain::campaign::{Campaign, Terms};
use trunkline_domain::money::{Currency, Money};
use trunkline_domain::party::PartyKind;
use trunkline_domain::problem::{BLANK, INVALID, Problems};
use trunkline_domain::timezone::{ZoneName, parse_moment};

/// Calls that are told of one by one, at most.
pub const CHANGED_CALLS_LIMIT: usize = 1_000;
/// Calls that one thread takes at a time, more or less.
const CALLS_PER_PART: i64 = 5_000;

/// Which calls.
#[derive(Debug, Clone, Default)]
pub struct Asked {
    /// The network's id of the campaign.
    pub campaign: Option<String>,
    /// The first day or moment, as written.
    pub from: Option<String>,
    /// The last day or moment, as written.
    pub to: Option<String>,
}

/// What one call, or all of them, came to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Sums {
    /// What the advertiser pays; `None` where no payin is agreed.
    pub payin: Option<(Money, Currency)>,
    /// What the affiliates get; `None` where no payout is agreed.
    pub payout: Option<(Money, Currency)>,
}

/// A call that would come to something else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Changed {
    /// The call.
    pub complete_call_id: String,
    /// By the terms in force: how it goes, and what it comes to.
    pub current: (Option<Outcome>, Sums),
    /// By those that wait.
    pub future: (Option<Outcome>, Sums),
}

/// What all of them came to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Replay {
    /// How many.
    pub calls: u64,
    /// By the terms in force.
    pub current: Sums,
    /// By those that wait; where nothing waits, by those in force.
    pub future: Sums,
    /// The first [`CHANGED_CALLS_LIMIT`] that would come to something else, in order of time.
    pub changed: Vec<Changed>,
    /// How many there are of those.
    pub changed_total: u64,
    /// Whether the payout is told, and with it the margin: to the whole network.
    pub with_payout: bool,
}

/// Runs a campaign's stored calls through its current and its future terms, on as many threads as
/// there are processors. Nothing is stored. `stop` ends it early, for one who asked and has gone;
/// what is returned then is no answer.
pub fn replay(
    store: &Store,
    context: &Context,
    submitted: Submitted<Asked>,
    stop: &AtomicBool,
) -> Result<Replay, Error> {
    let Submitted { change: asked, mut problems } = submitted;
    for (property, said) in
        [("advertiser_campaign", &asked.campaign), ("from", &asked.from), ("to", &asked.to)]
    {
        if said.is_none() && !problems.has(property) {
            problems.at(property).add(BLANK);
        }
    }
    for (property, said) in [("from", &asked.from), ("to", &asked.to)] {
        let moment = |said: &String| parse_moment(said, ZoneName::default(), false).is_some();
        if said.as_ref().is_some_and(|said| !moment(said)) {
            problems.at(property).add(INVALID);
        }
    }
    let id = problems.clone().or(asked.campaign.clone().unwrap_or_default())?;
    let campaign = store.read(|session| {
        let campaign = session.campaign(context.caller.network_id, &id)?;
        let missing = || Error::NotFound(format!("AdvertiserCampaign {id}"));
        let campaign = campaign.ok_or_else(missing)?;
        let seen = campaigns::is_visible(session, context, &campaign)?;
        Some(campaign).filter(|_| seen).ok_or_else(missing)
    })?;
    if !context.caller.sees(PartyKind::Advertiser, campaign.advertiser_id) {
        let message = "what a campaign's calls would come to is its advertiser's business";
        return Err(Error::NotAllowed(message.to_owned()));
    }
    let (from, before) = parse_range(&asked, &campaign, &mut problems);
    problems.or(())?;
    let parts = store.read(|session| session.calls_by_quarter(campaign.id, from, before))?;
    let parts = split_into_parts(&parts, from, before);
    let current = campaign.current.as_ref().map(|current| &current.terms);
    let future = campaign.future.as_ref().or(current);
    let job = ReplayJob { store, campaign: campaign.id, current, future, stop };
    let mut replay = job.run(&parts)?;
    replay.with_payout = context.caller.sees_network();
    if !replay.with_payout {
        replay.hide_payout();
    }
    Ok(replay)
}

/// The days asked for, in the campaign's zone: from a moment on and before another.
fn parse_range(
    asked: &Asked,
    campaign: &Campaign,
    problems: &mut Problems,
) -> (Timestamp, Timestamp) {
    let zone: ZoneName =
        campaign.terms_in_force().map(|terms: &Terms| terms.timezone).unwrap_or_default();
    let read = |said: &Option<String>, end| {
        let moment = said.as_deref().and_then(|said| parse_moment(said, zone, end));
        moment.unwrap_or(Timestamp::UNIX_EPOCH)
    };
    let (from, to) = (read(&asked.from, false), read(&asked.to, true));
    if from > to {
        problems.at("to").add("must not be before from");
    }
    // A moment is told to the second, and means all of it.
    (from, to.saturating_add(jiff::SignedDuration::from_secs(1)).unwrap_or(Timestamp::MAX))
}

/// Cuts a time into parts of about as many calls, each from a moment on and before another.
fn split_into_parts(
    quarters: &[(Timestamp, i64)],
    from: Timestamp,
    before: Timestamp,
) -> Vec<(Timestamp, Timestamp)> {
    let mut parts = Vec::new();
    let (mut start, mut calls) = (from, 0);
    for (quarter, more) in quarters {
        if calls >= CALLS_PER_PART && *quarter > start {
            parts.push((start, *quarter));
            (start, calls) = (*quarter, 0);
        }
        calls += more;
    }
    if start < before {
        parts.push((start, before));
    }
    parts
}

struct ReplayJob<'a> {
    store: &'a Store,
    campaign: i64,
    current: Option<&'a Terms>,
    future: Option<&'a Terms>,
    stop: &'a AtomicBool,
}

impl ReplayJob<'_> {
    fn run(&self, parts: &[(Timestamp, Timestamp)]) -> Result<Replay, Error> {
        let next = AtomicUsize::new(0);
        let done: Mutex<Vec<(usize, Result<Replay, Error>)>> = Mutex::default();
        let run = || {
            while !self.stop.load(Ordering::Relaxed) {
                let index = next.fetch_add(1, Ordering::Relaxed);
                let Some(part) = parts.get(index) else { break };
                let result = self.replay_part(*part);
                done.lock().unwrap_or_else(PoisonError::into_inner).push((index, result));
            }
        };
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        std::thread::scope(|scope| {
            for _ in 1..threads.min(parts.len()) {
                scope.spawn(run);
            }
            run();
        });
        let mut done = done.into_inner().unwrap_or_else(PoisonError::into_inner);
        done.sort_by_key(|(index, _)| *index);
        let mut whole = Replay { current: zero_totals(self.current), ..Replay::default() };
        whole.future = zero_totals(self.future);
        for (_, part) in done {
            whole.merge(part?);
        }
        Ok(whole)
    }

    fn replay_part(&self, (from, before): (Timestamp, Timestamp)) -> Result<Replay, Error> {
        let mut part = Replay { current: zero_totals(self.current), ..Replay::default() };
        part.future = zero_totals(self.future);
        self.store.read(|session| {
            session.each_heard(self.campaign, from, before, |name, heard| {
                part.add_call(
                    name,
                    price_call(self.current, &heard),
                    price_call(self.future, &heard),
                );
                !self.stop.load(Ordering::Relaxed)
            })
        })?;
        Ok(part)
    }
}

/// Nothing yet, of what is agreed.
fn zero_totals(terms: Option<&Terms>) -> Sums {
    let nothing = |pricing: &trunkline_domain::campaign::Pricing| (Money::ZERO, pricing.currency());
    Sums {
        payin: terms.and_then(|terms| terms.advertiser_payin.as_ref()).map(nothing),
        payout: terms.and_then(|terms| terms.affiliate_payout.as_ref()).map(nothing),
    }
}

fn price_call(terms: Option<&Terms>, heard: &Heard) -> (Option<Outcome>, Sums) {
    let Some(terms) = terms else { return (None, Sums::default()) };
    let verdict = heard.price(terms);
    let sums = Sums {
        payin: verdict.advertiser_payin.map(|it| (it.amount, it.currency)),
        payout: verdict.affiliate_payout.map(|it| (it.amount, it.currency)),
    };
    (Some(verdict.outcome), sums)
}

impl Replay {
    /// What single calls paid out is not the advertiser's business.
    fn hide_payout(&mut self) {
        let of_calls = self.changed.iter_mut().flat_map(|it| [&mut it.current.1, &mut it.future.1]);
        for sums in of_calls.chain([&mut self.current, &mut self.future]) {
            sums.payout = None;
        }
    }

    fn add_call(
        &mut self,
        name: &str,
        current: (Option<Outcome>, Sums),
        future: (Option<Outcome>, Sums),
    ) {
        self.calls += 1;
        self.current.add(current.1);
        self.future.add(future.1);
        if current == future {
            return;
        }
        self.changed_total += 1;
        if self.changed.len() < CHANGED_CALLS_LIMIT {
            self.changed.push(Changed { complete_call_id: name.to_owned(), current, future });
        }
    }

    fn merge(&mut self, part: Self) {
        self.calls += part.calls;
        self.changed_total += part.changed_total;
        self.current.add(part.current);
        self.future.add(part.future);
        let room = CHANGED_CALLS_LIMIT - self.changed.len().min(CHANGED_CALLS_LIMIT);
        self.changed.extend(part.changed.into_iter().take(room));
    }
}

impl Sums {
    fn add(&mut self, more: Self) {
        for (sum, more) in [(&mut self.payin, more.payin), (&mut self.payout, more.payout)] {
            if let Some((sum, (more, _))) = sum.as_mut().zip(more) {
                sum.0 = sum.0.checked_add(more).unwrap_or(sum.0);
            }
        }
    }
}
