//! Table of transitions: each node type × each event, compared with `docs/ivr.md`. `TRUNKLINE_UPDATE=1`
//! writes it.

use super::run::{Action, Event, IvrContext, NodeState, Position, Transition, advance, start};
use super::{DistributionMethod, IvrNode, KeypressFailover};
use crate::call::{CallFacts, PhoneType};
use crate::campaign::Terms;
use crate::phone::PhoneNumber;
use crate::sample::{
    any_key_press, connect, connect_with_failover, dynamic_route, end_call, menu, ring_group,
    sms_promo, tree, verify_location, yes_or_no, zip_question,
};
use std::fmt::Write;
use std::path::Path;

const HEADER: &str = "| node | event | actions | next |\n|---|---|---|---|\n";

/// Rows of the table: name, tree, and events that lead to the state.
fn rows() -> Vec<(&'static str, IvrNode, Vec<Event>)> {
    let wrong =
        |node: IvrNode| IvrNode { keypress_failover_type: Some(KeypressFailover::Wrong), ..node };
    let (first, second) = (|| connect("8005550101"), || connect("8005550102"));
    let numbers = ["8005550101", "8005550102", "8005550103"];
    let answers = || vec![first(), second(), wrong(end_call())];
    let third = |key: char| vec![Event::Silence, Event::Key(key)];
    let group = || ring_group(DistributionMethod::InOrder, 2, &numbers, Some(end_call()));
    vec![
        ("Menu", menu(answers()), vec![]),
        ("Menu, last attempt", menu(answers()), vec![Event::Silence; 3]),
        ("AnyKeyPress", any_key_press(first(), second()), vec![]),
        ("YesOrNo", yes_or_no(false, answers()), vec![]),
        ("YesOrNo, last attempt", yes_or_no(false, answers()), third('5')),
        ("YesOrNo to confirm", yes_or_no(true, answers()), vec![]),
        ("YesOrNo, confirmation", yes_or_no(true, answers()), vec![Event::Key('2')]),
        ("NumberQuestion", zip_question(false, vec![first(), wrong(end_call())]), vec![]),
        (
            "NumberQuestion, last attempt",
            zip_question(false, vec![first(), wrong(end_call())]),
            vec![Event::Silence; 2],
        ),
        (
            "NumberQuestion, confirmation",
            zip_question(true, vec![first()]),
            vec![Event::Digits("93101".to_owned())],
        ),
        ("SmsPromo", sms_promo(first()), vec![]),
        ("VerifyLocation", verify_location(first()), vec![]),
        ("Connect", connect("8005550101"), vec![]),
        ("Connect with Failover", connect_with_failover("8005550101", "8005550102"), vec![]),
        ("Failover", connect_with_failover("8005550101", "8005550102"), vec![Event::Busy]),
        ("RingGroup", group(), vec![]),
        ("RingGroup, last destination", group(), vec![Event::NoAnswer]),
        ("DynamicRoute", dynamic_route(true, end_call()), vec![]),
        ("DynamicRoute without a number", dynamic_route(false, end_call()), vec![]),
        ("conversation", connect("8005550101"), vec![Event::Connected]),
    ]
}

fn events() -> Vec<(&'static str, Event)> {
    vec![
        ("key 1", Event::Key('1')),
        ("key 2", Event::Key('2')),
        ("key 5", Event::Key('5')),
        ("key 9", Event::Key('9')),
        ("silence", Event::Silence),
        ("digits 93101", Event::Digits("93101".to_owned())),
        ("digits 12", Event::Digits("12".to_owned())),
        ("zip 93101", Event::Zip("93101".to_owned())),
        ("connected", Event::Connected),
        ("connected to 8005550102", Event::ConnectedTo("8005550102".to_owned())),
        ("busy", Event::Busy),
        ("no_answer", Event::NoAnswer),
        ("failed", Event::Failed),
        ("hung_up", Event::HungUp),
    ]
}

fn describe_action(action: &Action) -> String {
    match action {
        Action::Say(text) => format!("say “{text}”"),
        Action::Gather { keys, finish, .. } => match finish {
            Some(finish) => format!("gather {keys} keys or {finish}"),
            None => format!("gather {keys}"),
        },
        Action::Dial { number, also, .. } => {
            let others = also.iter().map(|(_, number)| format!(" and {number}"));
            format!("dial {number}{}", others.collect::<String>())
        }
        Action::SendSms { .. } => "send_sms".to_owned(),
        Action::Hangup => "hangup".to_owned(),
    }
}

fn describe_state(position: &Position) -> String {
    let pressed: String = position.pressed_keys.iter().map(|key| key.to_string()).collect();
    let pressed = if pressed.is_empty() { String::new() } else { format!(", pressed {pressed}") };
    let failed = |name: &str, failed: u8| format!("{name}, {failed} failed");
    let state = match position.state {
        NodeState::Menu(attempts) => failed("menu", attempts.failed),
        NodeState::YesOrNo(attempts) => failed("question", attempts.failed),
        NodeState::NumberQuestion(attempts) => failed("question", attempts.failed),
        NodeState::Confirmation(attempts) => failed("confirmation", attempts.failed),
        NodeState::LocationCheck(check) => failed("location", check.silences),
        NodeState::AnyKeyPress => "any key".to_owned(),
        NodeState::SmsOffer => "offer".to_owned(),
        NodeState::ZipCodeEntry => "zip code".to_owned(),
        NodeState::Dialling => "ringing".to_owned(),
        NodeState::Connected => "conversation".to_owned(),
        NodeState::Ended { connected: true } => "end, connected".to_owned(),
        NodeState::Ended { connected: false } => "end".to_owned(),
    };
    format!("{state}{pressed}")
}

fn describe(transition: &Transition) -> String {
    let actions: Vec<String> = transition.actions.iter().map(describe_action).collect();
    let entered: Vec<&str> = transition.visited_nodes.iter().map(|node| node.node_type).collect();
    let node = entered.last().map(|node| format!("{node}: ")).unwrap_or_default();
    format!("{} | {node}{}", actions.join(", "), describe_state(&transition.position))
}

fn table() -> String {
    let mut text = HEADER.to_owned();
    for (name, root, leading) in rows() {
        let mut terms = Terms::new(jiff::Timestamp::UNIX_EPOCH);
        terms.ivr_tree = tree(root);
        let mut facts = CallFacts {
            calling_phone_number: PhoneNumber::parse("8057089876"),
            phone_type: Some(PhoneType::Mobile),
            ..CallFacts::default()
        };
        if name == "DynamicRoute" {
            let numbers = ("channel".to_owned(), "8005550101, 8005550102".to_owned());
            facts.custom_data = Some([numbers].into_iter().collect());
        }
        let facts = facts.with_derived_locations();
        let context = IvrContext { terms: &terms, facts: &facts };
        let mut current = start(context);
        for event in &leading {
            current = advance(context, current.position, event).unwrap();
        }
        if leading.is_empty() {
            writeln!(text, "| {name} | enter | {} |", describe(&current)).unwrap();
        }
        for (event_name, event) in events() {
            if let Ok(transition) = advance(context, current.position.clone(), &event) {
                let described = describe(&transition);
                writeln!(text, "| {name} | {event_name} | {described} |").unwrap();
            }
        }
    }
    text
}

#[test]
fn documented_table_of_transitions_is_the_one_of_the_step_function() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/ivr.md");
    let page = std::fs::read_to_string(&path).unwrap();
    let found = page.split_once(HEADER).map(|(before, table)| (before, format!("{HEADER}{table}")));
    let (before, documented) = found.unwrap_or((page.as_str(), String::new()));
    let table = table();
    if std::env::var_os("TRUNKLINE_UPDATE").is_some() {
        std::fs::write(&path, format!("{before}{table}")).unwrap();
        return;
    }
    assert_eq!(documented, table, "TRUNKLINE_UPDATE=1 updates docs/ivr.md");
}
