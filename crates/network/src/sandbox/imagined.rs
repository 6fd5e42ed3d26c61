//! Imagined calls: a seed and a view of the network in, calls out. The same in is the same out.

use super::callers::{self, Caller};
use super::chance::{Chance, Stream};
use super::day::{self, Times};
use super::keys::{self, Way};
use super::view::{CampaignView, NumberView, View};
use crate::calls::CallIn;
use jiff::Timestamp;
use std::collections::BTreeMap;
use trunkline_domain::call::CallFacts;
use trunkline_domain::ivr::NodeKind;
use trunkline_domain::ivr::run::Flow;
use trunkline_domain::party::{CustomData, CustomDataField};
use trunkline_domain::phone::PhoneNumber;

/// Calls in a thousand of somebody who has called the campaign before.
const AGAIN: u64 = 240;
/// Calls in a thousand that end within seconds, whatever is said to them.
const HASTY: u64 = 80;
/// Calls in a thousand that the destination does not answer.
const UNANSWERED: u64 = 70;
/// Offers of a text message in a thousand that are taken.
const TAKES_SMS: u64 = 350;
/// Calls in a thousand that an affiliate brings, where there is one.
const BY_AFFILIATE: u64 = 880;
/// Calls in a thousand that come in by a promo number, where there is one.
const BY_NUMBER: u64 = 800;
/// Calls in a thousand that have custom data of their own.
const WITH_DATA: u64 = 250;
/// How many calls an affiliate brings, the first approved first, to each other; the last is for all
/// others.
const ZEAL: [u64; 7] = [9, 6, 4, 3, 2, 2, 1];
/// How many calls campaigns get, to each other: each has one of these.
const FAME: [u64; 5] = [1, 2, 3, 5, 8];
/// Seconds of talk: as many talk from each to the next as from the next to the one after. Half of
/// all talk for less than two and a half minutes, and some for three quarters of an hour.
const TALK: [u32; 17] =
    [2, 8, 18, 32, 48, 66, 88, 112, 140, 172, 212, 264, 335, 440, 620, 1_000, 2_700];
/// Values of custom data that can be any text.
const WORDS: [&str; 6] = ["Online", "Radio", "Television", "Print", "Outdoor", "Podcast"];

/// Calls that are going to be made, in the order of their starts.
#[derive(Debug)]
pub struct Calls {
    seed: u32,
    view: View,
    planned: Vec<Planned>,
}

/// When who calls whom.
#[derive(Debug, Clone, Copy)]
struct Planned {
    /// Seconds since 1970.
    start: i64,
    campaign: usize,
    caller: u32,
    /// Whether the caller has called the campaign before.
    again: bool,
}

impl Calls {
    /// So many calls of a view that has campaigns.
    pub(super) fn plan(seed: u32, view: View, count: u32) -> Self {
        let mut chance = Chance::new(seed, Stream::Days);
        let weights: Vec<u64> = view
            .campaigns
            .iter()
            .map(|it| {
                let fame = chance.pick(&FAME).copied().unwrap_or(1);
                let length = it.seconds.end.saturating_sub(it.seconds.start);
                fame * u64::try_from(length).unwrap_or(0)
            })
            .collect();
        let mut starts: Vec<(i64, usize)> = Vec::new();
        for _ in 0..count {
            let campaign = chance.weighted(weights.iter().copied());
            if let Some(it) = view.campaigns.get(campaign) {
                starts.push((day::moment(&mut chance, &times(it)), campaign));
            }
        }
        starts.sort_unstable();
        let planned = with_callers(&mut chance, starts);
        Self { seed, view, planned }
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
        let campaign = self.view.campaigns.get(planned.campaign)?;
        let stream = Stream::Call(u32::try_from(index).unwrap_or(u32::MAX));
        let mut chance = Chance::new(self.seed, stream);
        let caller = callers::caller(self.seed, planned.caller);
        let (affiliate, promo_number) = bring(&mut chance, campaign, planned.start);
        let mut facts = facts(&mut chance, campaign, caller, planned);
        facts.custom_data =
            chance.per_mille(WITH_DATA).then(|| data(&mut chance, &self.view.fields));
        let way = go(&mut chance, campaign, &mut facts, planned.again);
        let id = self.external_id(index);
        Some(CallIn {
            // A seed's call is known by its id, whatever the network has come to be since.
            request: id.clone().into_bytes(),
            external_id: Some(id),
            start_time: facts.start_time,
            campaign: Some(campaign.id.clone()),
            affiliate,
            promo_number,
            destination_phone_number: way.dialled,
            facts,
            keys: way.keys,
        })
    }
}

fn times(campaign: &CampaignView) -> Times<'_> {
    let terms = &campaign.terms;
    let hours = terms.hours.as_ref().filter(|_| !terms.operating_24_7());
    Times { zone: &campaign.zone, hours, seconds: campaign.seconds.clone() }
}

/// Who calls: somebody new, or one of those who called the campaign before; who called often is
/// more likely to call again.
fn with_callers(chance: &mut Chance, starts: Vec<(i64, usize)>) -> Vec<Planned> {
    let mut before: BTreeMap<usize, Vec<u32>> = BTreeMap::new();
    let mut strangers = 0..;
    let mut planned = Vec::with_capacity(starts.len());
    for (start, campaign) in starts {
        let callers = before.entry(campaign).or_default();
        let known = chance.per_mille(AGAIN).then(|| chance.pick(callers).copied()).flatten();
        let caller = known.or_else(|| strangers.next()).unwrap_or(0);
        callers.push(caller);
        planned.push(Planned { start, campaign, caller, again: known.is_some() });
    }
    planned
}

/// Who brings the call, and the promo number it comes in by: of those that were there at its start.
fn bring(
    chance: &mut Chance,
    campaign: &CampaignView,
    start: i64,
) -> (Option<String>, Option<PhoneNumber>) {
    let approved: Vec<_> = campaign.affiliates.iter().filter(|it| it.since <= start).collect();
    let zeal = (0..approved.len()).map(|at| ZEAL.get(at).copied().unwrap_or(1));
    let zealous = approved.get(chance.weighted(zeal));
    let affiliate = zealous.filter(|_| chance.per_mille(BY_AFFILIATE));
    let numbers = affiliate.map_or(&campaign.numbers, |it| &it.numbers);
    let there: Vec<&NumberView> = numbers.iter().filter(|it| it.since <= start).collect();
    let dialled = chance.pick(&there).filter(|_| chance.per_mille(BY_NUMBER));
    let number = dialled.map(|it| it.number.clone());
    (affiliate.map(|it| it.id.clone()), number)
}

fn facts(
    chance: &mut Chance,
    campaign: &CampaignView,
    caller: Caller,
    planned: &Planned,
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
        sms_sent: offers.then(|| chance.per_mille(TAKES_SMS)),
        ..CallFacts::default()
    }
}

/// A value of one of the network's fields.
fn data(chance: &mut Chance, fields: &[CustomDataField]) -> CustomData {
    let mut data = CustomData::new();
    if let Some(field) = chance.pick(fields) {
        let value = match field.field_values.is_empty() {
            true => chance.pick(&WORDS).map(|word| (*word).to_owned()),
            false => chance.pick(&field.field_values).cloned(),
        };
        data.extend(value.map(|value| (field.partner_name.clone(), value)));
    }
    data
}

/// What the caller does, and how long it takes; the durations are written down.
fn go(chance: &mut Chance, campaign: &CampaignView, facts: &mut CallFacts, again: bool) -> Way {
    if chance.per_mille(HASTY) {
        facts.duration = Some(chance.between(1, 14));
        facts.connect_duration = Some(0);
        return Way::default();
    }
    // What the network will find out by itself: it is not told.
    let mut known = facts.clone().located();
    known.repeat = known.calling_phone_number.as_ref().map(|_| again);
    let mut way = keys::press(chance, Flow { terms: &campaign.terms, facts: &known });
    let mut waited = chance.between(3, 12);
    for _ in &way.keys {
        waited += chance.between(2, 9);
    }
    let talked = match way.dialled {
        Some(_) if !chance.per_mille(UNANSWERED) => talk(chance),
        Some(_) => {
            waited += chance.between(15, 40);
            way.dialled = None;
            0
        }
        None => 0,
    };
    facts.duration = Some(waited + talked);
    facts.connect_duration = Some(talked);
    way
}

/// Seconds of talk.
fn talk(chance: &mut Chance) -> u32 {
    let at = usize::try_from(chance.below(TALK.len() as u64 - 1)).unwrap_or(0);
    match (TALK.get(at), TALK.get(at + 1)) {
        (Some(least), Some(most)) => chance.between(*least, most - 1),
        _ => 0,
    }
}
