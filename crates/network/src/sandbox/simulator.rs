//! Imagined calls: a seed and a view of the network in, calls out. The same in is the same out.

use super::call_times::{self, CallTimeDistribution};
use super::callers::{self, SimulatedCaller};
use super::keypresses::{self, IvrPath};
use super::network_snapshot::{CampaignSnapshot, NetworkSnapshot, PromoNumberSnapshot};
use super::seeded_rng::{RngStream, SeededRng};
use crate::calls::CallIn;
use jiff::Timestamp;
use std::collections::BTreeMap;
use trunkline_domain::call::CallFacts;
use trunkline_domain::ivr::NodeKind;
use trunkline_domain::ivr::run::Flow;
use trunkline_domain::party::{CustomData, CustomDataField};
use trunkline_domain::phone::PhoneNumber;

/// Calls in a thousand of somebody who has called the campaign before.
const REPEAT_CALLER_PER_MILLE: u64 = 240;
/// Calls in a thousand that end within seconds, whatever is said to them.
const EARLY_HANGUP_PER_MILLE: u64 = 80;
/// Calls in a thousand that the destination does not answer.
const UNANSWERED_PER_MILLE: u64 = 70;
/// Offers of a text message in a thousand that are taken.
const SMS_ACCEPTED_PER_MILLE: u64 = 350;
/// Calls in a thousand that an affiliate brings, where there is one.
const VIA_AFFILIATE_PER_MILLE: u64 = 880;
/// Calls in a thousand that come in by a promo number, where there is one.
const VIA_PROMO_NUMBER_PER_MILLE: u64 = 800;
/// Calls in a thousand that have custom data of their own.
const WITH_CUSTOM_DATA_PER_MILLE: u64 = 250;
/// How many calls an affiliate brings, the first approved first, to each other; the last is for all
/// others.
const AFFILIATE_WEIGHTS: [u64; 7] = [9, 6, 4, 3, 2, 2, 1];
/// How many calls campaigns get, to each other: each has one of these.
const CAMPAIGN_WEIGHTS: [u64; 5] = [1, 2, 3, 5, 8];
/// Seconds of talk: as many talk from each to the next as from the next to the one after. Half of
/// all talk for less than two and a half minutes, and some for three quarters of an hour.
const TALK_SECONDS_QUANTILES: [u32; 17] =
    [2, 8, 18, 32, 48, 66, 88, 112, 140, 172, 212, 264, 335, 440, 620, 1_000, 2_700];
/// Values of custom data that can be any text.
const CUSTOM_DATA_TEXTS: [&str; 6] =
    ["Online", "Radio", "Television", "Print", "Outdoor", "Podcast"];

/// Calls that are going to be made, in the order of their starts.
#[derive(Debug)]
pub struct Calls {
    seed: u32,
    network: NetworkSnapshot,
    planned: Vec<PlannedCall>,
}

/// When who calls whom.
#[derive(Debug, Clone, Copy)]
struct PlannedCall {
    /// Seconds since 1970.
    start: i64,
    campaign: usize,
    caller: u32,
    /// Whether the caller has called the campaign before.
    is_repeat: bool,
}

impl Calls {
    /// So many calls of a view that has campaigns.
    pub(super) fn plan(seed: u32, network: NetworkSnapshot, count: u32) -> Self {
        let mut rng = SeededRng::new(seed, RngStream::CallTimes);
        let weights: Vec<u64> = network
            .campaigns
            .iter()
            .map(|it| {
                let weight = rng.pick(&CAMPAIGN_WEIGHTS).copied().unwrap_or(1);
                let length = it.seconds.end.saturating_sub(it.seconds.start);
                weight * u64::try_from(length).unwrap_or(0)
            })
            .collect();
        let mut starts: Vec<(i64, usize)> = Vec::new();
        for _ in 0..count {
            let campaign = rng.weighted(weights.iter().copied());
            if let Some(it) = network.campaigns.get(campaign) {
                starts.push((
                    call_times::draw_call_time(&mut rng, &call_time_distribution(it)),
                    campaign,
                ));
            }
        }
        starts.sort_unstable();
        let planned = assign_callers(&mut rng, starts);
        Self { seed, network, planned }
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.planned.len()
    }

    /// The sender's id of a call: `sandbox-7-000123` is the 123rd of seed 7.
    pub(super) fn external_id(&self, index: usize) -> String {
        format!("sandbox-{}-{:06}", self.seed, index + 1)
    }

    /// A call, by its place in the order, from 0; `None` past the last.
    pub(super) fn call(&self, index: usize) -> Option<CallIn> {
        let planned = self.planned.get(index)?;
        let campaign = self.network.campaigns.get(planned.campaign)?;
        let stream = RngStream::Call(u32::try_from(index).unwrap_or(u32::MAX));
        let mut rng = SeededRng::new(self.seed, stream);
        let caller = callers::caller(self.seed, planned.caller);
        let (affiliate, promo_number) = pick_source(&mut rng, campaign, planned.start);
        let mut facts = simulate_facts(&mut rng, campaign, caller, planned);
        facts.custom_data = rng
            .per_mille(WITH_CUSTOM_DATA_PER_MILLE)
            .then(|| custom_data(&mut rng, &self.network.fields));
        let path = simulate_course(&mut rng, campaign, &mut facts, planned.is_repeat);
        let id = self.external_id(index);
        Some(CallIn {
            // A seed's call is known by its id, whatever the network has come to be since.
            request: id.clone().into_bytes(),
            external_id: Some(id),
            start_time: facts.start_time,
            campaign: Some(campaign.id.clone()),
            affiliate,
            promo_number,
            destination_phone_number: path.dialled,
            facts,
            keys: path.keys,
        })
    }
}

fn call_time_distribution(campaign: &CampaignSnapshot) -> CallTimeDistribution<'_> {
    let terms = &campaign.terms;
    let hours = terms.hours.as_ref().filter(|_| !terms.operating_24_7());
    CallTimeDistribution { zone: &campaign.zone, hours, seconds: campaign.seconds.clone() }
}

/// Who calls: somebody new, or one of those who called the campaign before; who called often is
/// more likely to call again.
fn assign_callers(rng: &mut SeededRng, starts: Vec<(i64, usize)>) -> Vec<PlannedCall> {
    let mut before: BTreeMap<usize, Vec<u32>> = BTreeMap::new();
    let mut new_callers = 0..;
    let mut planned = Vec::with_capacity(starts.len());
    for (start, campaign) in starts {
        let callers = before.entry(campaign).or_default();
        let known =
            rng.per_mille(REPEAT_CALLER_PER_MILLE).then(|| rng.pick(callers).copied()).flatten();
        let caller = known.or_else(|| new_callers.next()).unwrap_or(0);
        callers.push(caller);
        planned.push(PlannedCall { start, campaign, caller, is_repeat: known.is_some() });
    }
    planned
}

/// Who brings the call, and the promo number it comes in by: of those that were there at its start.
fn pick_source(
    rng: &mut SeededRng,
    campaign: &CampaignSnapshot,
    start: i64,
) -> (Option<String>, Option<PhoneNumber>) {
    let approved: Vec<_> = campaign.affiliates.iter().filter(|it| it.since <= start).collect();
    let weights = (0..approved.len()).map(|at| AFFILIATE_WEIGHTS.get(at).copied().unwrap_or(1));
    let picked = approved.get(rng.weighted(weights));
    let affiliate = picked.filter(|_| rng.per_mille(VIA_AFFILIATE_PER_MILLE));
    let numbers = affiliate.map_or(&campaign.numbers, |it| &it.numbers);
    let there: Vec<&PromoNumberSnapshot> = numbers.iter().filter(|it| it.since <= start).collect();
    let number_used = rng.pick(&there).filter(|_| rng.per_mille(VIA_PROMO_NUMBER_PER_MILLE));
    let number = number_used.map(|it| it.number.clone());
    (affiliate.map(|it| it.id.clone()), number)
}

fn simulate_facts(
    rng: &mut SeededRng,
    campaign: &CampaignSnapshot,
    caller: SimulatedCaller,
    planned: &PlannedCall,
) -> CallFacts {
    let tree = campaign.terms.ivr_tree.as_ref();
    let offers = tree.is_some_and(|tree| {
        let mut nodes = tree.nodes().into_iter();
        nodes.any(|(_, node)| matches!(node.kind, NodeKind::SmsPromo { .. }))
    });
    CallFacts {
        calling_phone_number: caller.number,
        phone_type: Some(caller.phone_type),
        start_time: Timestamp::from_second(planned.start).ok(),
        sms_sent: offers.then(|| rng.per_mille(SMS_ACCEPTED_PER_MILLE)),
        ..CallFacts::default()
    }
}

/// A value of one of the network's fields.
fn custom_data(rng: &mut SeededRng, fields: &[CustomDataField]) -> CustomData {
    let mut data = CustomData::new();
    if let Some(field) = rng.pick(fields) {
        let value = match field.field_values.is_empty() {
            true => rng.pick(&CUSTOM_DATA_TEXTS).map(|word| (*word).to_owned()),
            false => rng.pick(&field.field_values).cloned(),
        };
        data.extend(value.map(|value| (field.partner_name.clone(), value)));
    }
    data
}

/// What the caller does, and how long it takes; the durations are written down.
fn simulate_course(
    rng: &mut SeededRng,
    campaign: &CampaignSnapshot,
    facts: &mut CallFacts,
    is_repeat: bool,
) -> IvrPath {
    if rng.per_mille(EARLY_HANGUP_PER_MILLE) {
        facts.duration = Some(rng.between(1, 14));
        facts.connect_duration = Some(0);
        return IvrPath::default();
    }
    // What the network will find out by itself: it is not told.
    let mut known = facts.clone().located();
    known.repeat = known.calling_phone_number.as_ref().map(|_| is_repeat);
    let mut path =
        keypresses::simulate_keypresses(rng, Flow { terms: &campaign.terms, facts: &known });
    let mut waited = rng.between(3, 12);
    for _ in &path.keys {
        waited += rng.between(2, 9);
    }
    let talked = match path.dialled {
        Some(_) if !rng.per_mille(UNANSWERED_PER_MILLE) => talk_seconds(rng),
        Some(_) => {
            waited += rng.between(15, 40);
            path.dialled = None;
            0
        }
        None => 0,
    };
    facts.duration = Some(waited + talked);
    facts.connect_duration = Some(talked);
    path
}

/// Seconds of talk.
fn talk_seconds(rng: &mut SeededRng) -> u32 {
    let at = usize::try_from(rng.below(TALK_SECONDS_QUANTILES.len() as u64 - 1)).unwrap_or(0);
    match (TALK_SECONDS_QUANTILES.get(at), TALK_SECONDS_QUANTILES.get(at + 1)) {
        (Some(least), Some(most)) => rng.between(*least, most - 1),
        _ => 0,
    }
}
