//! Imagined calls: the same again from the same seed, and like calls that there are.

use super::network_snapshot::{
    AffiliateSnapshot, CampaignSnapshot, NetworkSnapshot, PromoNumberSnapshot,
};
use super::simulator::Calls;
use crate::calls::CallIn;
use jiff::Timestamp;
use proptest::prelude::*;
use std::collections::BTreeMap;
use trunkline_domain::call::PhoneType;
use trunkline_domain::campaign::Terms;
use trunkline_domain::ivr::{IvrNode, IvrTree, NodeKind};
use trunkline_domain::party::CustomDataField;
use trunkline_domain::phone::PhoneNumber;

/// Monday 2026-10-05 and 28 days after, UTC.
const WEEKS: std::ops::Range<i64> = 1_791_158_400..1_793_577_600;

fn node(kind: NodeKind, children: Vec<IvrNode>) -> IvrNode {
    IvrNode { kind, children, keypress_failover_type: None }
}

fn connect(number: &str) -> IvrNode {
    let kind = NodeKind::Connect {
        prompt: String::new(),
        destination_phone_number: number.to_owned(),
        destination_country_code: "1".to_owned(),
        connect_timeout: None,
    };
    node(kind, Vec::new())
}

/// A campaign with a menu of two, two affiliates, the second of them with a number and late.
fn campaign(id: &str) -> CampaignSnapshot {
    let mut terms = Terms::new(Timestamp::UNIX_EPOCH);
    let menu = NodeKind::Menu { prompt: "Press a key".to_owned() };
    let root = node(menu, vec![connect("8005550101"), connect("8005550102")]);
    terms.ivr_tree = Some(IvrTree { root, record_calls: false, caller_id: None });
    let number = PhoneNumber::parse("8005550142").unwrap();
    let late = WEEKS.start + 14 * 86_400;
    let affiliate =
        |id: &str, since| AffiliateSnapshot { id: id.to_owned(), since, numbers: vec![] };
    let mut second = affiliate("222", late);
    second.numbers.push(PromoNumberSnapshot { number, since: late });
    CampaignSnapshot {
        id: id.to_owned(),
        zone: terms.timezone.zone(),
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

fn imagine(seed: u32, count: u32) -> Vec<CallIn> {
    let calls = Calls::plan(seed, network(), count);
    let all: Vec<CallIn> = (0..calls.count()).filter_map(|index| calls.call(index)).collect();
    assert_eq!(all.len(), count as usize);
    assert!(calls.call(all.len()).is_none());
    all
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn the_same_seed_imagines_the_same_calls_and_another_others(
        seed in any::<u32>(), other in any::<u32>(), count in 5u32..200,
    ) {
        let (calls, again) = (imagine(seed, count), imagine(seed, count));
        prop_assert_eq!(format!("{calls:?}"), format!("{again:?}"));
        let facts = |calls: &[CallIn]| calls.iter().map(|it| it.facts.clone()).collect::<Vec<_>>();
        let differ = facts(&calls) != facts(&imagine(other, count));
        prop_assert!(seed == other || differ);
    }

    #[test]
    fn every_call_is_one_that_can_be_told(seed in any::<u32>(), count in 1u32..200) {
        let mut last = None;
        for (index, call) in imagine(seed, count).into_iter().enumerate() {
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

/// How many of 10,000 calls are so.
fn share(calls: &[CallIn], is: impl Fn(&CallIn) -> bool) -> usize {
    calls.iter().filter(|call| is(call)).count()
}

#[test]
fn ten_thousand_calls_are_like_calls_that_there_are() {
    for seed in [1, 7, u32::MAX] {
        let calls = imagine(seed, 10_000);
        let within = |what: &str, count: usize, bounds: std::ops::Range<usize>| {
            assert!(bounds.contains(&count), "seed {seed}: {what}: {count}");
        };
        let mobile = |call: &CallIn| call.facts.phone_type == Some(PhoneType::Mobile);
        within("mobile", share(&calls, mobile), 6_700..7_300);
        let withheld = |call: &CallIn| call.facts.calling_phone_number.is_none();
        within("withheld", share(&calls, withheld), 200..500);
        let mut callers: BTreeMap<(&str, &str), usize> = BTreeMap::new();
        for call in &calls {
            if let (Some(id), Some(number)) = (&call.campaign, &call.facts.calling_phone_number) {
                *callers.entry((id, number.e164())).or_default() += 1;
            }
        }
        let repeats = callers.values().map(|calls| calls - 1).sum();
        within("repeat calls", repeats, 2_100..2_600);
        let most = callers.values().max().copied().unwrap_or(0);
        within("the most calls of one caller", most, 4..60);
        let hour = |call: &CallIn| {
            let zone = trunkline_domain::timezone::ZoneName::PACIFIC.zone();
            let local = zone.to_datetime(call.start_time.unwrap());
            (local.hour(), local.weekday().to_monday_zero_offset())
        };
        within("at night", share(&calls, |call| hour(call).0 < 6), 150..500);
        let working = |call: &CallIn| (9..18).contains(&hour(call).0);
        within("from 9 to 18", share(&calls, working), 6_000..7_000);
        within("at the weekend", share(&calls, |call| hour(call).1 > 4), 1_350..1_900);
        let abandoned = |call: &CallIn| call.keys.iter().all(|key| *key == '#');
        within("without a good key", share(&calls, abandoned), 1_100..1_700);
        within("with a wrong key", share(&calls, |call| call.keys.contains(&'#')), 300..550);
        let mut talks: Vec<u32> = calls.iter().filter_map(|it| it.facts.connect_duration).collect();
        talks.retain(|seconds| *seconds > 0);
        talks.sort_unstable();
        within("connected", talks.len(), 7_600..8_400);
        within("the middle talk", talks[talks.len() / 2] as usize, 125..155);
        let mean = talks.iter().sum::<u32>() as usize / talks.len();
        within("the mean talk", mean, 270..340);
        let brought = |call: &CallIn| call.affiliate.is_some();
        within("brought by affiliates", share(&calls, brought), 8_600..9_000);
        within(
            "with custom data",
            share(&calls, |it| it.facts.custom_data.is_some()),
            2_300..2_700,
        );
    }
}

/// A campaign with hours is called when it is open, more than when it is not.
#[test]
fn callers_keep_a_campaigns_hours() {
    use trunkline_domain::hours::{Day, Hours};
    let mut it = campaign("12");
    let day = Day { open: Some(20 * 3_600), close: Some(24 * 3_600), closed: None };
    it.terms.hours = Some(Hours { days: [day; 7] });
    it.terms.operating_24_7 = Some(false);
    let zone = it.zone.clone();
    let calls = Calls::plan(7, NetworkSnapshot { campaigns: vec![it], fields: Vec::new() }, 5_000);
    let evening = |index: &usize| {
        let call = calls.call(*index).unwrap();
        call.facts.custom_data.as_ref().is_none_or(|data| data.is_empty())
            && zone.to_datetime(call.start_time.unwrap()).hour() >= 20
    };
    let found = (0..5_000).filter(evening).count();
    // 25 of 273 of the day's calls, each five times as likely.
    assert!((1_500..1_900).contains(&found), "{found}");
}
