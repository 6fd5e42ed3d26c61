//! Replay of stored calls, by the terms in force and by the future terms.

use crate::{Context, Error, Store, Submission, campaigns, repeat_callers};
use jiff::Timestamp;
use std::ops::Range;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use trunkline_domain::call::{Outcome, RecordedFacts};
use trunkline_domain::campaign::{Campaign, Terms};
use trunkline_domain::id::CampaignId;
use trunkline_domain::money::{Currency, Money};
use trunkline_domain::party::PartyKind;
use trunkline_domain::problem::{BLANK, INVALID, Problems};
use trunkline_domain::timezone::{TimeZoneName, parse_timestamp};
use trunkline_store::{EndedCall, QuarterHourCalls};

/// Maximum number of changed calls that are listed one by one.
pub const CHANGED_CALLS_LIMIT: usize = 1_000;
/// Approximate number of calls in one part of the work.
const CALLS_PER_PART: i64 = 5_000;

/// Request of a replay.
#[derive(Debug, Clone, Default)]
pub struct ReplayRequest {
    /// External id of the campaign.
    pub campaign: Option<String>,
    /// First day or time, as text.
    pub from: Option<String>,
    /// Last day or time, as text.
    pub to: Option<String>,
}

/// Payments for one call, or their sums for several calls.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ReplayTotals {
    /// Payin; `None` if the terms have none.
    pub payin: Option<(Money, Currency)>,
    /// Payout; `None` if the terms have none.
    pub payout: Option<(Money, Currency)>,
}

/// Outcome and payments of one call under some terms.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct CallResult {
    /// Outcome; `None` without terms.
    pub outcome: Option<Outcome>,
    /// Payments.
    pub payments: ReplayTotals,
}

/// Call with different results under the two sets of terms.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangedCall {
    /// `complete_call_id` of the call.
    pub complete_call_id: String,
    /// Result by the terms in force.
    pub current: CallResult,
    /// Result by the future terms.
    pub future: CallResult,
}

/// Result of a replay.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Replay {
    /// Number of calls.
    pub calls: u64,
    /// Sums by the terms in force.
    pub current: ReplayTotals,
    /// Sums by the future terms; without future terms, by the terms in force.
    pub future: ReplayTotals,
    /// First [`CHANGED_CALLS_LIMIT`] calls with different results, ordered by time.
    pub changed: Vec<ChangedCall>,
    /// Number of calls with different results.
    pub changed_total: u64,
    /// `true` if the payout, and with it the margin, is included: for the network only.
    pub includes_payout: bool,
}

/// Evaluates a campaign's stored calls by its current and its future terms, on as many threads as
/// there are processors. Nothing is stored. Setting `stop` ends the replay early, for a client that
/// has disconnected; the result is then incomplete.
pub fn replay(
    store: &Store,
    context: &Context,
    submitted: Submission<ReplayRequest>,
    stop: &AtomicBool,
) -> Result<Replay, Error> {
    let Submission { change: request, mut problems } = submitted;
    check_required(&request, &mut problems);
    let id = problems.clone().into_result(request.campaign.clone().unwrap_or_default())?;
    let campaign = store.read(|unit| {
        let campaign = unit.campaign(context.principal.network_id, &id)?;
        let missing = || Error::NotFound(format!("AdvertiserCampaign {id}"));
        let campaign = campaign.ok_or_else(missing)?;
        let visible = campaigns::is_visible(unit, context, &campaign)?;
        Some(campaign).filter(|_| visible).ok_or_else(missing)
    })?;
    if !context.principal.can_view(PartyKind::Advertiser, campaign.advertiser_id) {
        let message = "only the network and the campaign's advertiser may replay its calls";
        return Err(Error::NotAllowed(message.to_owned()));
    }
    let range = parse_range(&request, &campaign, &mut problems);
    problems.into_result(())?;
    let buckets =
        store.read(|unit| unit.calls_by_quarter_hour(campaign.id, range.start, range.end))?;
    let parts = split_into_parts(&buckets, range);
    let current = campaign.current_terms.as_ref().map(|current| &current.terms);
    let future = campaign.future_terms.as_ref().or(current);
    let job = ReplayJob { store, campaign: campaign.id, current, future, stop };
    let mut replay = job.run(&parts)?;
    replay.includes_payout = context.principal.can_view_network();
    if !replay.includes_payout {
        replay.hide_payout();
    }
    Ok(replay)
}

/// Reports properties that are missing, and times that are none.
pub(crate) fn check_required(request: &ReplayRequest, problems: &mut Problems) {
    for (property, value) in
        [("advertiser_campaign", &request.campaign), ("from", &request.from), ("to", &request.to)]
    {
        if value.is_none() && !problems.has_problem(property) {
            problems.property(property).add(BLANK);
        }
    }
    for (property, value) in [("from", &request.from), ("to", &request.to)] {
        let is_valid =
            |text: &String| parse_timestamp(text, TimeZoneName::default(), false).is_some();
        if value.as_ref().is_some_and(|text| !is_valid(text)) {
            problems.property(property).add(INVALID);
        }
    }
}

/// Parses the requested range in the campaign's time zone.
pub(crate) fn parse_range(
    request: &ReplayRequest,
    campaign: &Campaign,
    problems: &mut Problems,
) -> Range<Timestamp> {
    let zone: TimeZoneName =
        campaign.terms_in_force().map(|terms: &Terms| terms.timezone).unwrap_or_default();
    let parse = |text: &Option<String>, is_end| {
        let moment = text.as_deref().and_then(|text| parse_timestamp(text, zone, is_end));
        moment.unwrap_or(Timestamp::UNIX_EPOCH)
    };
    let from = parse(&request.from, false);
    let to = parse(&request.to, true);
    if from > to {
        problems.property("to").add("must not be before from");
    }
    // Times have a resolution of one second, and the last second is included.
    from..to.saturating_add(jiff::SignedDuration::from_secs(1)).unwrap_or(Timestamp::MAX)
}

/// Splits a range of time into parts with about [`CALLS_PER_PART`] calls, from the call counts of
/// its 15-minute buckets.
fn split_into_parts(
    buckets: &[QuarterHourCalls],
    range: Range<Timestamp>,
) -> Vec<Range<Timestamp>> {
    let mut parts = Vec::new();
    let mut start = range.start;
    let mut calls = 0;
    for bucket in buckets {
        if calls >= CALLS_PER_PART && bucket.start > start {
            parts.push(start..bucket.start);
            start = bucket.start;
            calls = 0;
        }
        calls += bucket.calls;
    }
    if start < range.end {
        parts.push(start..range.end);
    }
    parts
}

struct ReplayJob<'a> {
    store: &'a Store,
    campaign: CampaignId,
    current: Option<&'a Terms>,
    future: Option<&'a Terms>,
    stop: &'a AtomicBool,
}

impl ReplayJob<'_> {
    fn run(&self, parts: &[Range<Timestamp>]) -> Result<Replay, Error> {
        let next = AtomicUsize::new(0);
        let done: Mutex<Vec<(usize, Result<Replay, Error>)>> = Mutex::default();
        let run = || {
            while !self.stop.load(Ordering::Relaxed) {
                let index = next.fetch_add(1, Ordering::Relaxed);
                let Some(part) = parts.get(index) else { break };
                let result = self.replay_part(part.clone());
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

    fn replay_part(&self, range: Range<Timestamp>) -> Result<Replay, Error> {
        let mut part = Replay { current: zero_totals(self.current), ..Replay::default() };
        part.future = zero_totals(self.future);
        let terms = [self.current, self.future];
        let uses_repeat = terms.into_iter().flatten().any(Terms::refers_to_repeat);
        self.store.read(|unit| {
            unit.for_each_ended_call(self.campaign, range.clone(), uses_repeat, |call| {
                let [current, future] =
                    terms.map(|terms| self.price_under(terms, &call, uses_repeat));
                part.add_call(call.complete_call_id, current, future);
                !self.stop.load(Ordering::Relaxed)
            })
        })?;
        Ok(part)
    }

    /// Prices a call under terms, with the repeat callers of their `repeat_days`.
    fn price_under(
        &self,
        terms: Option<&Terms>,
        call: &EndedCall<'_>,
        uses_repeat: bool,
    ) -> CallResult {
        let facts = &call.recorded.facts;
        let repeat = match uses_repeat {
            true => {
                let start = call.start_time;
                let previous = call.previous_start;
                Some(repeat_callers::repeat_under_terms(
                    self.campaign,
                    terms,
                    facts,
                    start,
                    previous,
                ))
            }
            false => facts.repeat,
        };
        if repeat == facts.repeat {
            return price_call(terms, &call.recorded);
        }
        let mut recorded = call.recorded.clone();
        recorded.facts.repeat = repeat;
        price_call(terms, &recorded)
    }
}

/// Returns zero sums in the currencies of the terms.
pub(crate) fn zero_totals(terms: Option<&Terms>) -> ReplayTotals {
    let zero = |pricing: &trunkline_domain::campaign::Pricing| (Money::ZERO, pricing.currency());
    ReplayTotals {
        payin: terms.and_then(|terms| terms.advertiser_payin.as_ref()).map(zero),
        payout: terms.and_then(|terms| terms.affiliate_payout.as_ref()).map(zero),
    }
}

fn price_call(terms: Option<&Terms>, recorded: &RecordedFacts) -> CallResult {
    let Some(terms) = terms else { return CallResult::default() };
    let priced = recorded.price(terms);
    let payments = ReplayTotals {
        payin: priced.advertiser_payin.map(|payment| (payment.amount, payment.currency)),
        payout: priced.affiliate_payout.map(|payment| (payment.amount, payment.currency)),
    };
    CallResult { outcome: Some(priced.outcome), payments }
}

impl Replay {
    /// Removes the payouts, which an advertiser may not see.
    fn hide_payout(&mut self) {
        let sums_of_calls = self
            .changed
            .iter_mut()
            .flat_map(|changed| [&mut changed.current.payments, &mut changed.future.payments]);
        for sums in sums_of_calls.chain([&mut self.current, &mut self.future]) {
            sums.payout = None;
        }
    }

    fn add_call(&mut self, name: &str, current: CallResult, future: CallResult) {
        self.calls += 1;
        self.current.add(current.payments);
        self.future.add(future.payments);
        if current == future {
            return;
        }
        self.changed_total += 1;
        if self.changed.len() < CHANGED_CALLS_LIMIT {
            self.changed.push(ChangedCall { complete_call_id: name.to_owned(), current, future });
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

impl ReplayTotals {
    pub(crate) fn add(&mut self, other: Self) {
        for (sum, other) in [(&mut self.payin, other.payin), (&mut self.payout, other.payout)] {
            if let Some((sum, (amount, _))) = sum.as_mut().zip(other) {
                sum.0 = sum.0.checked_add(amount).unwrap_or(sum.0);
            }
        }
    }
}
