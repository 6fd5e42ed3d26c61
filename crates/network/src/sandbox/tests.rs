//! Tests of the call simulator: determinism, valid calls, and plausible distributions.

use super::network_snapshot::{
    AffiliateSnapshot, CampaignSnapshot, NetworkSnapshot, PromoNumberSnapshot,
};
use super::simulator::SimulatedCalls;
use crate::calls::SubmittedCall;
use jiff::Timestamp;
use proptest::prelude::*;
use std::collections::BTreeMap;
use trunkline_domain::call::PhoneType;
use trunkline_domain::campaign::Terms;
use trunkline_domain::ivr::{IvrNode, IvrTree, NodeKind};
use trunkline_domain::party::CustomDataField;
use trunkline_domain::phone::PhoneNumber;

/// Four weeks from Monday 2026-10-05, UTC, in seconds since 1970.
const WEEKS: std::ops::Range<i64> = 1_791_158_400..1_793_577_600;

fn node(kind: NodeKind, children: Vec<IvrNode>) -> IvrNode {
    IvrNode { kind, children, keypress_failover_type: None }
}

fn connect(number: &str) -> IvrNode {
    let kind = NodeKind::Connect {
        prompt: String::new(),
        destination_phone_number: number.to_owned(),
        destination_country_code: "1".to_owned(),
        destination_extension: None,
        connect_timeout: None,
    };
    node(kind, Vec::new())
}

/// Returns a campaign with a menu of two keys and two affiliates. The second affiliate has a promo
/// number and is approved after 14 days.
fn campaign(id: &str) -> CampaignSnapshot {
    let mut terms = Terms::new(Timestamp::UNIX_EPOCH);
    let menu = NodeKind::Menu { prompt: "Press a key".to_owned() };
    let root = node(menu, vec![connect("8005550101"), connect("8005550102")]);
    terms.ivr_tree =
        Some(IvrTree { root, record_calls: false, caller_id: None, whisper_prompt_text: None });
    let number = PhoneNumber::parse("8005550142").unwrap();
    let late = WEEKS.start + 14 * 86_400;
    let affiliate =
        |id: &str, since| AffiliateSnapshot { id: id.to_owned(), since, numbers: vec![] };
    let mut second = affiliate("222", late);
    second.numbers.push(PromoNumberSnapshot { number, since: late });
    CampaignSnapshot {
        id: id.to_owned(),
        zone: terms.timezone.to_time_zone(),
        terms,
        seconds: WEEKS,
        affiliates: vec![affiliate("976", 0), second],
        numbers: Vec::new(),
    }
}

fn network() -> NetworkSnapshot {
    let campaigns = vec![campaign("12"), campaign("13")];
    NetworkSnapshot { campaigns, fields: vec![CustomDataField::channel()] }
}

fn simulate(seed: u32, count: u32) -> Vec<SubmittedCall> {
    let calls = SimulatedCalls::plan(seed, network(), count);
    let all: Vec<SubmittedCall> =
        (0..calls.count()).filter_map(|index| calls.call(index)).collect();
    assert_eq!(all.len(), count as usize);
    assert!(calls.call(all.len()).is_none());
    all
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn same_seed_gives_same_calls_and_other_seed_others(
        seed in any::<u32>(), other in any::<u32>(), count in 5u32..200,
    ) {
        let calls = simulate(seed, count);
        let again = simulate(seed, count);
        prop_assert_eq!(format!("{calls:?}"), format!("{again:?}"));
        let facts = |calls: &[SubmittedCall]| calls.iter().map(|call| call.facts.clone()).collect::<Vec<_>>();
        let differ = facts(&calls) != facts(&simulate(other, count));
        prop_assert!(seed == other || differ);
    }

    #[test]
    fn every_simulated_call_is_valid(seed in any::<u32>(), count in 1u32..200) {
        let mut last = None;
        for (index, call) in simulate(seed, count).into_iter().enumerate() {
            let id = format!("sandbox-{seed}-{:06}", index + 1);
            prop_assert_eq!(call.external_id.as_deref(), Some(id.as_str()));
            let start = call.start_time.unwrap();
            prop_assert!(WEEKS.contains(&start.as_second()) && last <= Some(start));
            last = Some(start);
            prop_assert!(call.facts.connect_duration <= call.facts.duration);
            prop_assert!(call.keys.iter().all(|key| "12#".contains(*key)), "{:?}", call.keys);
            prop_assert!(call.promo_number.is_none() || call.affiliate.as_deref() == Some("222"));
            let early = start.as_second() < WEEKS.start + 14 * 86_400;
            prop_assert!(!early || call.affiliate.as_deref() != Some("222"));
        }
    }
}

/// Counts the calls that satisfy a predicate.
fn count_calls(calls: &[SubmittedCall], is: impl Fn(&SubmittedCall) -> bool) -> usize {
    calls.iter().filter(|call| is(call)).count()
}

#[test]
fn simulated_calls_follow_the_configured_distributions() {
    for seed in [1, 7, u32::MAX] {
        let calls = simulate(seed, 10_000);
        let assert_within = |name: &str, count: usize, bounds: std::ops::Range<usize>| {
            assert!(bounds.contains(&count), "seed {seed}: {name}: {count}");
        };
        let mobile = |call: &SubmittedCall| call.facts.phone_type == Some(PhoneType::Mobile);
        assert_within("mobile", count_calls(&calls, mobile), 6_700..7_300);
        let withheld = |call: &SubmittedCall| call.facts.calling_phone_number.is_none();
        assert_within("withheld", count_calls(&calls, withheld), 200..500);
        let mut callers: BTreeMap<(&str, &str), usize> = BTreeMap::new();
        for call in &calls {
            if let (Some(id), Some(number)) = (&call.campaign, &call.facts.calling_phone_number) {
                *callers.entry((id, number.e164())).or_default() += 1;
            }
        }
        let repeats = callers.values().map(|calls| calls - 1).sum();
        assert_within("repeat calls", repeats, 2_100..2_600);
        let most = callers.values().max().copied().unwrap_or(0);
        assert_within("the most calls of one caller", most, 4..60);
        let hour = |call: &SubmittedCall| {
            let zone = trunkline_domain::timezone::TimeZoneName::PACIFIC.to_time_zone();
            let local = zone.to_datetime(call.start_time.unwrap());
            (local.hour(), local.weekday().to_monday_zero_offset())
        };
        assert_within("at night", count_calls(&calls, |call| hour(call).0 < 6), 150..500);
        let working = |call: &SubmittedCall| (9..18).contains(&hour(call).0);
        assert_within("from 9 to 18", count_calls(&calls, working), 6_000..7_000);
        assert_within("at the weekend", count_calls(&calls, |call| hour(call).1 > 4), 1_350..1_900);
        let abandoned = |call: &SubmittedCall| call.keys.iter().all(|key| *key == '#');
        assert_within("without a good key", count_calls(&calls, abandoned), 1_100..1_700);
        assert_within(
            "with a wrong key",
            count_calls(&calls, |call| call.keys.contains(&'#')),
            300..550,
        );
        let mut talks: Vec<u32> =
            calls.iter().filter_map(|call| call.facts.connect_duration).collect();
        talks.retain(|seconds| *seconds > 0);
        talks.sort_unstable();
        assert_within("connected", talks.len(), 7_600..8_400);
        assert_within("the middle talk", talks[talks.len() / 2] as usize, 125..155);
        let mean = talks.iter().sum::<u32>() as usize / talks.len();
        assert_within("the mean talk", mean, 270..340);
        let brought = |call: &SubmittedCall| call.affiliate.is_some();
        assert_within("brought by affiliates", count_calls(&calls, brought), 8_600..9_000);
        assert_within(
            "with custom data",
            count_calls(&calls, |call| call.facts.custom_data.is_some()),
            2_300..2_700,
        );
    }
}

#[test]
fn most_calls_start_within_opening_hours() {
    use trunkline_domain::hours::{DayHours, WeeklyHours};
    let mut campaign = campaign("12");
    let day = DayHours { open: Some(20 * 3_600), close: Some(24 * 3_600), closed: None };
    campaign.terms.hours = Some(WeeklyHours { days: [day; 7] });
    campaign.terms.operating_24_7 = Some(false);
    let zone = campaign.zone.clone();
    let calls = SimulatedCalls::plan(
        7,
        NetworkSnapshot { campaigns: vec![campaign], fields: Vec::new() },
        5_000,
    );
    let evening = |index: &usize| {
        let call = calls.call(*index).unwrap();
        call.facts.custom_data.as_ref().is_none_or(|data| data.is_empty())
            && zone.to_datetime(call.start_time.unwrap()).hour() >= 20
    };
    let found = (0..5_000).filter(evening).count();
    // 25 of 273 of the day's calls, each five times as likely.
    assert!((1_500..1_900).contains(&found), "{found}");
}
