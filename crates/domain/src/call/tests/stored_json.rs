//! Tests of the JSON keys of stored values. Stored calls and ledger rows of earlier versions must
//! remain readable, so the keys are independent of the names of the fields.

use crate::call::{
    Attribution, CallDirection, CallEnd, CallFacts, Correction, LedgerAmount, LiveCall, Outcome,
    RecordedFacts, RejectionReason, Settlement,
};
use crate::campaign::Terms;
use crate::condition::Key;
use crate::id::{CampaignId, TermsId};
use crate::ivr::run::{Event, IvrContext, NodeState};
use crate::money::{Currency, Money};
use crate::sample::{connect, menu, tree};
use jiff::Timestamp;
use serde_json::{Value, json};

fn facts() -> CallFacts {
    CallFacts { duration: Some(90), custom_data_is_partial: true, ..CallFacts::default() }
}

fn facts_json() -> Value {
    json!({
        "calling_phone_number": null, "shared_caller_id": null, "start_time": null,
        "duration": 90, "connect_duration": null, "phone_type": null, "country": null,
        "region": null, "city": null, "zip": null, "repeat": null, "sms_sent": null,
        "custom_data": null, "custom_data_is_partial": true,
    })
}

fn recorded() -> RecordedFacts {
    RecordedFacts {
        facts: facts(),
        keys: vec!['1'],
        digits: Vec::new(),
        events: vec![Event::Key('1'), Event::Zip("93101".to_owned()), Event::HungUp],
        rejection: Some(RejectionReason::OverCap),
        by_affiliate: true,
        destination_phone_number: None,
        is_reported: true,
        direction: CallDirection::Outbound,
        end: Some(CallEnd::TimeLimit),
    }
}

fn recorded_json() -> Value {
    json!({
        "facts": facts_json(),
        "keys": ["1"],
        "events": [{"key": "1"}, {"zip": "93101"}, "hung_up"],
        "turned_away": "over_cap",
        "by_affiliate": true,
        "destination_phone_number": null,
        "is_reported": true,
        "direction": "outbound",
        "end": "time_limit",
    })
}

#[test]
fn recorded_facts_keep_their_json_keys() {
    assert_eq!(serde_json::to_value(recorded()).unwrap(), recorded_json());
    assert_eq!(serde_json::from_value::<RecordedFacts>(recorded_json()).unwrap(), recorded());
}

#[test]
fn live_call_keeps_its_json_keys() {
    let mut terms = Terms::new(Timestamp::UNIX_EPOCH);
    terms.ivr_tree = tree(menu(vec![menu(vec![connect("8005550101")])]));
    let facts = facts();
    let ivr_context = IvrContext { terms: &terms, facts: &facts };
    let (mut live, _) = LiveCall::start(ivr_context, Timestamp::UNIX_EPOCH);
    live.apply_event(ivr_context, Event::Key('1'), Timestamp::UNIX_EPOCH).unwrap();
    live.apply_event(ivr_context, Event::Silence, Timestamp::UNIX_EPOCH).unwrap();
    let expected = json!({
        "position": {
            "at": [0],
            "doing": {"menu": {"wrong": 1}},
            "pressed": [{"Digit": 1}],
            "sms_sent": false,
        },
        "events": [{"key": "1"}, "silence"],
        "keys": ["1"],
        "heard_at": "1970-01-01T00:00:00Z",
        "connected_at": null,
        "sequence": null,
        "speaking": true,
    });
    assert_eq!(serde_json::to_value(live).unwrap(), expected);
}

#[test]
fn node_states_keep_their_json_values() {
    for (state, expected) in [
        (NodeState::SmsOffer, json!("offer_sms")),
        (NodeState::ZipCodeEntry, json!("ask_zip")),
        (NodeState::Dialling, json!("dialling")),
        (NodeState::Connected, json!("talking")),
        (NodeState::Ended { connected: true }, json!({"over": {"connected": true}})),
    ] {
        assert_eq!(serde_json::to_value(state).unwrap(), expected);
        assert_eq!(serde_json::from_value::<NodeState>(expected).unwrap(), state);
    }
}

#[test]
fn outcomes_keep_their_json_values() {
    for outcome in Outcome::ALL {
        assert_eq!(serde_json::to_value(outcome).unwrap(), json!(outcome.as_str()));
    }
    assert_eq!(
        Outcome::ALL.map(Outcome::as_str),
        ["connected", "ended", "abandoned", "turned_away"]
    );
}

#[test]
fn settlement_keeps_its_json_keys() {
    let amount = |amount: &str, matching_policies: &str| LedgerAmount {
        amount: Money::parse(amount).unwrap(),
        currency: Currency::Usd,
        matching_policies: matching_policies.to_owned(),
        marked_condition: "{mobile}".to_owned(),
    };
    let settlement = Settlement {
        outcome: Outcome::Rejected,
        reason: Some(RejectionReason::NotLive),
        end: Some(CallEnd::RingingHungUp),
        destination_phone_number: Some("8005550101".to_owned()),
        connect_duration: Some(60),
        sms_sent: Some(true),
        pressed_keys: vec![Key::Digit(1)],
        region: Some("CA".to_owned()),
        zip: Some("93101".to_owned()),
        qualified_regions: vec!["West".to_owned()],
        payin: Some(amount("7", "base")),
        payout: Some(amount("0", "")),
        correction: Some(Correction {
            reason: "Wrong number".to_owned(),
            actor: "token:1".to_owned(),
            recorded: Some(Box::new(recorded())),
            payin_set_manually: true,
            payout_set_manually: false,
            attribution: Some(Attribution {
                campaign_id: CampaignId::new(2),
                terms_id: Some(TermsId::new(3)),
                promo_number_id: None,
            }),
            is_moved_away: true,
        }),
    };
    let expected = json!({
        "outcome": "turned_away",
        "reason": "not_live",
        "end": "ringing_hung_up",
        "destination_phone_number": "8005550101",
        "connect_duration": 60,
        "sms_sent": true,
        "pressed": [{"Digit": 1}],
        "region": "CA",
        "zip": "93101",
        "qualified_regions": ["West"],
        "payin": {"amount": "7", "currency": "USD", "matching_policies": "base",
            "conditions": "{mobile}"},
        "payout": {"amount": "0", "currency": "USD", "matching_policies": "",
            "conditions": "{mobile}"},
        "correction": {"reason": "Wrong number", "actor": "token:1", "heard": recorded_json(),
            "payin_is_set": true, "payout_is_set": false,
            "attribution": {"campaign_id": 2, "terms_id": 3, "promo_number_id": null},
            "is_moved_away": true},
    });
    assert_eq!(serde_json::to_value(&settlement).unwrap(), expected);
    assert_eq!(serde_json::from_value::<Settlement>(expected).unwrap(), settlement);
}
