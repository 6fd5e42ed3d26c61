//! Call simulator: generates calls from a seed and a snapshot of the network. The same inputs give
//! the same calls.

use super::call_times::{self, CallTimeDistribution};
use super::callers::{self, SimulatedCaller};
use super::keypresses::{self, IvrPath};
use super::network_snapshot::{CampaignSnapshot, NetworkSnapshot, PromoNumberSnapshot};
use super::seeded_rng::{RngStream, SeededRng};
use crate::calls::SubmittedCall;
use jiff::Timestamp;
use std::collections::BTreeMap;
use trunkline_domain::call::{CallDirection, CallFacts};
use trunkline_domain::ivr::NodeKind;
use trunkline_domain::ivr::run::IvrContext;
use trunkline_domain::party::{CustomData, CustomDataField};
use trunkline_domain::phone::PhoneNumber;

/// Calls by callers who have called the campaign before, per mille.
const REPEAT_CALLER_PER_MILLE: u64 = 240;
/// Calls that end within seconds, per mille.
const EARLY_HANGUP_PER_MILLE: u64 = 80;
/// Connection attempts that the destination does not answer, per mille.
const UNANSWERED_PER_MILLE: u64 = 70;
/// Offers of a text message that are accepted, per mille.
const SMS_ACCEPTED_PER_MILLE: u64 = 350;
/// Calls through an affiliate, if the campaign has one, per mille.
const VIA_AFFILIATE_PER_MILLE: u64 = 880;
/// Calls to a promo number, if there is one, per mille.
const VIA_PROMO_NUMBER_PER_MILLE: u64 = 800;
/// Calls with reported custom data, per mille.
const WITH_CUSTOM_DATA_PER_MILLE: u64 = 250;
/// Relative number of calls by affiliate, in order of approval. Further affiliates have the weight
/// 1.
const AFFILIATE_WEIGHTS: [u64; 7] = [9, 6, 4, 3, 2, 2, 1];
/// Relative numbers of calls of campaigns. Each campaign gets one of them at random.
const CAMPAIGN_WEIGHTS: [u64; 5] = [1, 2, 3, 5, 8];
/// Quantiles of the connected duration, in seconds: each interval is equally likely. The median is
/// below two and a half minutes, the maximum 45 minutes.
const TALK_SECONDS_QUANTILES: [u32; 17] =
    [2, 8, 18, 32, 48, 66, 88, 112, 140, 172, 212, 264, 335, 440, 620, 1_000, 2_700];
/// Values of custom data fields without a fixed set of values.
const CUSTOM_DATA_TEXTS: [&str; 6] =
    ["Online", "Radio", "Television", "Print", "Outdoor", "Podcast"];

/// Simulated calls, ordered by start time.
#[derive(Debug)]
pub struct SimulatedCalls {
    seed: u32,
    network: NetworkSnapshot,
    planned: Vec<PlannedCall>,
}

/// Start time, campaign and caller of a simulated call.
#[derive(Debug, Clone, Copy)]
struct PlannedCall {
    /// Start in seconds since 1970.
    start: i64,
    campaign: usize,
    caller: u32,
    /// `true` if the caller has called the campaign before.
    is_repeat: bool,
}

impl SimulatedCalls {
    /// Plans `count` calls of a network that has at least one campaign.
    pub(super) fn plan(seed: u32, network: NetworkSnapshot, count: u32) -> Self {
        let mut rng = SeededRng::new(seed, RngStream::CallTimes);
        let weights: Vec<u64> = network
            .campaigns
            .iter()
            .map(|campaign| {
                let weight = rng.pick(&CAMPAIGN_WEIGHTS).copied().unwrap_or(1);
                let length = campaign.seconds.end.saturating_sub(campaign.seconds.start);
                weight * u64::try_from(length).unwrap_or(0)
            })
            .collect();
        let mut starts: Vec<(i64, usize)> = Vec::new();
        for _ in 0..count {
            let campaign = rng.weighted(weights.iter().copied());
            if let Some(snapshot) = network.campaigns.get(campaign) {
                starts.push((
                    call_times::draw_call_time(&mut rng, &call_time_distribution(snapshot)),
                    campaign,
                ));
            }
        }
        starts.sort_unstable();
        let planned = assign_callers(&mut rng, starts);
        Self { seed, network, planned }
    }

    /// Returns the number of calls.
    pub fn count(&self) -> usize {
        self.planned.len()
    }

    /// Returns the external id of a call: `sandbox-7-000123` is the 123rd call of seed 7.
    pub(super) fn external_id(&self, index: usize) -> String {
        format!("sandbox-{}-{:06}", self.seed, index + 1)
    }

    /// Returns the call with an index, from 0; `None` after the last call.
    pub(super) fn call(&self, index: usize) -> Option<SubmittedCall> {
        let planned = self.planned.get(index)?;
        let campaign = self.network.campaigns.get(planned.campaign)?;
        let stream = RngStream::Call(u32::try_from(index).unwrap_or(u32::MAX));
        let mut rng = SeededRng::new(self.seed, stream);
        let caller = callers::simulate_caller(self.seed, planned.caller);
        let (affiliate, promo_number) = pick_source(&mut rng, campaign, planned.start);
        let mut facts = simulate_facts(&mut rng, campaign, caller, planned);
        facts.custom_data = rng
            .per_mille(WITH_CUSTOM_DATA_PER_MILLE)
            .then(|| custom_data(&mut rng, &self.network.fields));
        let path = simulate_course(&mut rng, campaign, &mut facts, planned.is_repeat);
        let id = self.external_id(index);
        Some(SubmittedCall {
            // Only the external id is compared, so that a call that is simulated again is a
            // duplicate even if the network has changed since.
            fingerprint_input: id.clone().into_bytes(),
            external_id: Some(id),
            start_time: facts.start_time,
            campaign: Some(campaign.id.clone()),
            affiliate,
            promo_number,
            destination_phone_number: path.dialled,
            direction: CallDirection::Inbound,
            facts,
            keys: path.keys,
            digits: path.digits,
            recording_url: None,
        })
    }
}

fn call_time_distribution(campaign: &CampaignSnapshot) -> CallTimeDistribution<'_> {
    let terms = &campaign.terms;
    let hours = terms.hours.as_ref().filter(|_| !terms.operating_24_7());
    CallTimeDistribution { zone: &campaign.zone, hours, seconds: campaign.seconds.clone() }
}

/// Assigns a caller to each call: a new one, or one of the campaign's earlier callers. Frequent
/// callers are more likely to be chosen again.
fn assign_callers(rng: &mut SeededRng, starts: Vec<(i64, usize)>) -> Vec<PlannedCall> {
    let mut before: BTreeMap<usize, Vec<u32>> = BTreeMap::new();
    let mut new_callers = 0..;
    let mut planned = Vec::with_capacity(starts.len());
    for (start, campaign) in starts {
        let callers = before.entry(campaign).or_default();
        let earlier_caller =
            rng.per_mille(REPEAT_CALLER_PER_MILLE).then(|| rng.pick(callers).copied()).flatten();
        let caller = earlier_caller.or_else(|| new_callers.next()).unwrap_or(0);
        callers.push(caller);
        planned.push(PlannedCall { start, campaign, caller, is_repeat: earlier_caller.is_some() });
    }
    planned
}

/// Picks the affiliate and the promo number of a call, of those that existed at its start.
fn pick_source(
    rng: &mut SeededRng,
    campaign: &CampaignSnapshot,
    start: i64,
) -> (Option<String>, Option<PhoneNumber>) {
    let approved: Vec<_> =
        campaign.affiliates.iter().filter(|affiliate| affiliate.since <= start).collect();
    let weights = (0..approved.len()).map(|at| AFFILIATE_WEIGHTS.get(at).copied().unwrap_or(1));
    let picked = approved.get(rng.weighted(weights));
    let affiliate = picked.filter(|_| rng.per_mille(VIA_AFFILIATE_PER_MILLE));
    let numbers = affiliate.map_or(&campaign.numbers, |affiliate| &affiliate.numbers);
    let existing: Vec<&PromoNumberSnapshot> =
        numbers.iter().filter(|number| number.since <= start).collect();
    let number_used = rng.pick(&existing).filter(|_| rng.per_mille(VIA_PROMO_NUMBER_PER_MILLE));
    let number = number_used.map(|number| number.number.clone());
    (affiliate.map(|affiliate| affiliate.id.clone()), number)
}

fn simulate_facts(
    rng: &mut SeededRng,
    campaign: &CampaignSnapshot,
    caller: SimulatedCaller,
    planned: &PlannedCall,
) -> CallFacts {
    let tree = campaign.terms.ivr_tree.as_ref();
    let offers = tree.is_some_and(|tree| {
        let mut nodes = tree.nodes_with_paths().into_iter();
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

/// Generates a value for one of the network's custom data fields.
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

/// Simulates the course of a call: keys, destination and durations. Sets the durations in `facts`.
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
    // Facts that the network will add by itself; they affect the IVR tree and are not reported.
    let mut enriched_facts = facts.clone().with_derived_locations();
    enriched_facts.repeat = enriched_facts.calling_phone_number.as_ref().map(|_| is_repeat);
    let mut path = keypresses::simulate_keypresses(
        rng,
        IvrContext { terms: &campaign.terms, facts: &enriched_facts },
    );
    let mut waited = rng.between(3, 12);
    for _ in &path.keys {
        waited += rng.between(2, 9);
    }
    let connected_seconds = match path.dialled {
        Some(_) if !rng.per_mille(UNANSWERED_PER_MILLE) => talk_seconds(rng),
        Some(_) => {
            waited += rng.between(15, 40);
            path.dialled = None;
            0
        }
        None => 0,
    };
    facts.duration = Some(waited + connected_seconds);
    facts.connect_duration = Some(connected_seconds);
    path
}

/// Draws a connected duration, in seconds.
fn talk_seconds(rng: &mut SeededRng) -> u32 {
    let at = usize::try_from(rng.below(TALK_SECONDS_QUANTILES.len() as u64 - 1)).unwrap_or(0);
    match (TALK_SECONDS_QUANTILES.get(at), TALK_SECONDS_QUANTILES.get(at + 1)) {
        (Some(least), Some(most)) => rng.between(*least, most - 1),
        _ => 0,
    }
}
