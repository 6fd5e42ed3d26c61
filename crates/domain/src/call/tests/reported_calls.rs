//! Tests of calls that were routed elsewhere: their reported facts take precedence over the path.

use crate::call::{
    CallDirection, CallEnd, CallFacts, Outcome, PhoneType, RecordedFacts, RejectionReason,
    Settlement,
};
use crate::campaign::Terms;
use crate::condition::Key;
use crate::ivr::IvrNode;
use crate::ivr::run::Event;
use crate::money::Currency;
use crate::sample::{connect, end_call, menu, pricing, sms_promo, tree};
use jiff::Timestamp;

const FIRST: &str = "8005550101";
const SECOND: &str = "8005550102";
const ELSEWHERE: &str = "8005550199";

fn terms(root: IvrNode, condition: &str) -> Terms {
    let mut terms = Terms::new(Timestamp::UNIX_EPOCH);
    terms.ivr_tree = tree(root);
    terms.advertiser_payin = pricing(Currency::Usd, &[("10", condition)]);
    terms
}

fn two_destinations() -> IvrNode {
    menu(vec![connect(FIRST), connect(SECOND)])
}

/// Call of 300 seconds that was routed elsewhere.
fn reported(connect_duration: Option<u32>, keys: &str) -> RecordedFacts {
    let facts = CallFacts { duration: Some(300), connect_duration, ..CallFacts::default() };
    RecordedFacts {
        facts,
        keys: keys.chars().collect(),
        digits: Vec::new(),
        events: Vec::new(),
        rejection: None,
        by_affiliate: false,
        destination_phone_number: None,
        is_reported: true,
        direction: CallDirection::Inbound,
        end: None,
    }
}

fn with_destination(mut recorded: RecordedFacts) -> RecordedFacts {
    recorded.destination_phone_number = Some(ELSEWHERE.to_owned());
    recorded
}

/// Paid cents, by the explained and by the plain decision.
fn paid_cents(recorded: &RecordedFacts, terms: &Terms) -> i64 {
    let decided = recorded.decide(terms).advertiser_payin.map_or(0, |payin| payin.amount.cents());
    let priced = recorded.price(terms);
    assert_eq!(priced.advertiser_payin.map_or(0, |payin| payin.amount.cents()), decided);
    assert_eq!(priced.outcome, recorded.decide(terms).outcome);
    decided
}

#[test]
fn reported_connect_duration_decides_if_a_call_was_connected() {
    use CallEnd::{IvrHungUp, NoAnswer, Unknown};
    use Outcome::{Abandoned, Connected, Ended};
    let terms = terms(two_destinations(), "connect_duration > 60");
    let absent = |seconds, keys| reported(seconds, keys);
    let named = |seconds, keys| with_destination(reported(seconds, keys));
    // Without keys, with a key that the menu has, and with one that it does not have.
    let cases = [
        (absent(Some(280), ""), Connected, Some(280), None, 1_000, Unknown),
        (named(Some(280), ""), Connected, Some(280), Some(ELSEWHERE), 1_000, Unknown),
        (named(Some(280), "5"), Connected, Some(280), Some(ELSEWHERE), 1_000, Unknown),
        (absent(Some(280), "2"), Connected, Some(280), Some(SECOND), 1_000, Unknown),
        (named(Some(280), "2"), Connected, Some(280), Some(ELSEWHERE), 1_000, Unknown),
        (named(Some(280), "5555"), Connected, Some(280), Some(ELSEWHERE), 1_000, Unknown),
        (absent(Some(60), ""), Connected, Some(60), None, 0, Unknown),
        (named(None, ""), Connected, None, Some(ELSEWHERE), 0, Unknown),
        (absent(None, "1"), Connected, None, Some(FIRST), 0, Unknown),
        (absent(None, ""), Abandoned, Some(0), None, 0, IvrHungUp),
        (absent(Some(0), ""), Abandoned, Some(0), None, 0, IvrHungUp),
        (named(Some(0), ""), Abandoned, Some(0), Some(ELSEWHERE), 0, IvrHungUp),
        (absent(Some(0), "1"), Ended, Some(0), Some(FIRST), 0, NoAnswer),
        (absent(None, "5555"), Ended, Some(0), None, 0, IvrHungUp),
    ];
    for (recorded, outcome, connect_duration, destination, cents, end) in cases {
        let settled = Settlement::from_recorded(&recorded, Some(&terms));
        assert_eq!(settled.outcome, outcome, "{recorded:?}");
        assert_eq!(settled.connect_duration, connect_duration, "{recorded:?}");
        assert_eq!(settled.destination_phone_number.as_deref(), destination, "{recorded:?}");
        assert_eq!(settled.end, Some(end), "{recorded:?}");
        assert_eq!(paid_cents(&recorded, &terms), cents, "{recorded:?}");
    }
}

#[test]
fn keys_that_end_at_a_menu_of_a_connected_call_leave_the_rest_unknown() {
    let nested = || menu(vec![menu(vec![connect(FIRST), end_call()]), end_call()]);
    for (keys, condition, cents) in [
        ("", "pressed[1]", 0),
        ("", "not pressed[1]", 0),
        ("1", "pressed[1]", 1_000),
        ("1", "not pressed[2]", 1_000),
        ("1", "not pressed[b 2]", 0),
        ("11", "not pressed[b 2]", 1_000),
        // The whole path is known, although it does not lead to a destination.
        ("2", "pressed[2]", 1_000),
        ("2", "not pressed[b 1]", 1_000),
    ] {
        let terms = terms(nested(), condition);
        assert_eq!(paid_cents(&reported(Some(280), keys), &terms), cents, "{keys} {condition}");
    }
    // A call that was not connected ended at the menu.
    let terms = terms(nested(), "not pressed[1]");
    assert_eq!(paid_cents(&reported(Some(0), ""), &terms), 1_000);
}

#[test]
fn reported_text_message_counts_only_where_the_tree_could_have_offered_it() {
    let offered = || menu(vec![sms_promo(connect(FIRST)), connect(SECOND)]);
    for (keys, phone_type, counts) in [
        ("1", Some(PhoneType::Mobile), true),
        ("1", None, true),
        ("1", Some(PhoneType::Landline), false),
        ("1", Some(PhoneType::Voip), false),
        ("2", Some(PhoneType::Mobile), false),
        // The keys end before the offer.
        ("", Some(PhoneType::Mobile), true),
        ("5", None, true),
        ("5555", Some(PhoneType::Mobile), false),
    ] {
        let mut recorded = reported(Some(280), keys);
        recorded.facts.phone_type = phone_type;
        for (sms_sent, condition, cents) in [
            (Some(true), "sms_sent", if counts { 1_000 } else { 0 }),
            (Some(true), "not sms_sent", if counts { 0 } else { 1_000 }),
            (Some(false), "not sms_sent", 1_000),
            (None, "sms_sent", 0),
            (None, "not sms_sent", 0),
        ] {
            recorded.facts.sms_sent = sms_sent;
            let terms = terms(offered(), condition);
            let case = format!("{keys} {phone_type:?} {sms_sent:?} {condition}");
            assert_eq!(paid_cents(&recorded, &terms), cents, "{case}");
            assert_eq!(recorded.decide(&terms).sms_sent, sms_sent, "shown as reported: {case}");
        }
    }
}

#[test]
fn turned_away_call_keeps_its_reported_facts_unpaid() {
    let terms = terms(two_destinations(), "");
    let mut recorded = with_destination(reported(Some(280), "2"));
    recorded.facts.region = Some("CA".to_owned());
    recorded.facts.zip = Some("93101".to_owned());
    recorded.facts.sms_sent = Some(true);
    recorded.rejection = Some(RejectionReason::OverCap);
    for terms in [Some(&terms), None] {
        let settled = Settlement::from_recorded(&recorded, terms);
        assert_eq!(settled.outcome, Outcome::Rejected);
        assert_eq!(settled.reason, Some(RejectionReason::OverCap));
        assert_eq!((settled.connect_duration, settled.sms_sent), (Some(280), Some(true)));
        assert_eq!(settled.destination_phone_number.as_deref(), Some(ELSEWHERE));
        assert_eq!(
            (settled.region.as_deref(), settled.zip.as_deref()),
            (Some("CA"), Some("93101"))
        );
        assert_eq!((settled.payin, settled.payout, settled.end), (None, None, None));
        let pressed: &[Key] = if terms.is_some() { &[Key::Digit(2)] } else { &[] };
        assert_eq!(settled.pressed_keys, pressed);
    }
    assert_eq!(paid_cents(&recorded, &terms), 0);
}

#[test]
fn call_of_a_campaign_without_tree_is_decided_by_its_facts() {
    let mut terms = terms(end_call(), "connect_duration > 60 and not pressed[1]");
    terms.ivr_tree = None;
    let recorded = with_destination(reported(Some(280), ""));
    assert_eq!(paid_cents(&recorded, &terms), 1_000);
    assert_eq!(recorded.decide(&terms).destination_phone_number.as_deref(), Some(ELSEWHERE));
    assert!(recorded.decide(&terms).path.is_empty());
}

#[test]
fn corrected_facts_of_a_live_call_take_precedence_over_its_events() {
    let terms = terms(two_destinations(), "connect_duration > 60");
    let live = |events: &[Event], seconds| RecordedFacts {
        events: events.to_vec(),
        is_reported: false,
        ..reported(Some(seconds), "")
    };
    let mut abandoned = live(&[Event::HungUp], 0);
    let before = Settlement::from_recorded(&abandoned, Some(&terms));
    assert_eq!(before.outcome, Outcome::Abandoned);
    abandoned.take_as_reported(before.sms_sent);
    abandoned.facts.connect_duration = Some(80);
    assert_eq!(paid_cents(&abandoned, &terms), 1_000);
    let events = [Event::Key('1'), Event::Connected, Event::HungUp];
    let mut connected = live(&events, 80);
    let before = Settlement::from_recorded(&connected, Some(&terms));
    connected.take_as_reported(before.sms_sent);
    assert_eq!(Settlement::from_recorded(&connected, Some(&terms)), before);
    connected.facts.connect_duration = Some(0);
    let settled = Settlement::from_recorded(&connected, Some(&terms));
    assert_eq!((settled.outcome, settled.end), (Outcome::Ended, Some(CallEnd::Unknown)));
    assert_eq!(paid_cents(&connected, &terms), 0);
}

#[test]
fn live_calls_end_as_their_events_tell() {
    let terms = terms(menu(vec![connect(FIRST), end_call()]), "");
    let dialled = |last: Event| vec![Event::Key('1'), last];
    let connected = vec![Event::Key('1'), Event::Connected, Event::HungUp];
    let caller = Some(CallEnd::CallerHungUp);
    for (events, recorded_end, end, text, destination) in [
        (dialled(Event::Busy), None, CallEnd::Busy, "Destination busy", true),
        (dialled(Event::NoAnswer), None, CallEnd::NoAnswer, "No answer", true),
        (dialled(Event::Failed), None, CallEnd::Failed, "Call failed", true),
        (
            dialled(Event::HungUp),
            None,
            CallEnd::RingingHungUp,
            "Caller hung up while ringing",
            true,
        ),
        (vec![Event::HungUp], None, CallEnd::IvrHungUp, "Caller hung up in IVR", false),
        (vec![Event::Key('2')], None, CallEnd::IvrHungUp, "Ended in IVR", false),
        (connected.clone(), caller, CallEnd::CallerHungUp, "Connected", true),
        (
            connected.clone(),
            Some(CallEnd::DestinationHungUp),
            CallEnd::DestinationHungUp,
            "Connected",
            true,
        ),
        (connected.clone(), Some(CallEnd::TimeLimit), CallEnd::TimeLimit, "Connected", true),
        (connected, None, CallEnd::Unknown, "Connected", true),
        (
            vec![Event::HungUp],
            Some(CallEnd::TimeLimit),
            CallEnd::TimeLimit,
            "Caller hung up in IVR",
            false,
        ),
    ] {
        let recorded = RecordedFacts {
            events,
            end: recorded_end,
            is_reported: false,
            ..reported(Some(80), "")
        };
        let settled = Settlement::from_recorded(&recorded, Some(&terms));
        assert_eq!(settled.end, Some(end), "{recorded:?}");
        assert_eq!(settled.describe_result(), text, "{recorded:?}");
        let dialled = settled.destination_phone_number.as_deref();
        assert_eq!(dialled, destination.then_some(FIRST), "{recorded:?}");
    }
}
