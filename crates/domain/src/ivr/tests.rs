use super::{
    IvrNode, IvrTree, KeypressFailover, NodeKind, QuestionOptions, QuestionType, RingDestination,
    RingOptions,
};
use super::{check_tree, check_tree_for_live};
use crate::condition::{Condition, Key};
use crate::problem::Problems;
use crate::sample::{condition_node, connect, end_call, menu, node, sms_promo, verify_location};
use serde_json::{Value, json};

fn problems(root: IvrNode) -> Value {
    let mut problems = Problems::new();
    check_tree(
        &IvrTree { root, record_calls: false, caller_id: None, whisper_prompt_text: None },
        &mut problems,
    );
    problems.to_json()
}

fn live_problems(root: IvrNode) -> Value {
    let mut problems = Problems::new();
    check_tree_for_live(
        &IvrTree { root, record_calls: false, caller_id: None, whisper_prompt_text: None },
        &mut problems,
    );
    problems.to_json()
}

fn text(text: &str) -> String {
    text.to_owned()
}

fn failover() -> IvrNode {
    let kind = NodeKind::Failover {
        destination_phone_number: text("8004377950"),
        destination_country_code: text("1"),
    };
    node(kind, vec![])
}

fn ring_destination() -> RingDestination {
    RingDestination {
        ring_group_number: text("8004377950"),
        ring_group_country_code: None,
        description: None,
        destination_disabled: false,
        distribution_weight: None,
    }
}

fn dynamic_route(prompt: String, destination: String) -> NodeKind {
    NodeKind::DynamicRoute {
        prompt,
        dynamic_route_destination: destination,
        behave_like_ring_group: None,
        routing_url: None,
        ringing: RingOptions::default(),
    }
}

/// Returns one valid parameter set of each node type; the children are not valid.
fn kinds() -> Vec<NodeKind> {
    let prompt = || text("?");
    vec![
        NodeKind::Menu { prompt: prompt() },
        connect("8004377950").kind,
        NodeKind::EndCall { prompt: text("") },
        sms_promo(end_call()).kind,
        NodeKind::Condition { condition: Some(Condition::parse("mobile").unwrap()) },
        NodeKind::VerifyLocation { prompt: text("") },
        NodeKind::AnyKeyPress { prompt: prompt() },
        NodeKind::YesOrNo { prompt: prompt(), options: QuestionOptions::NONE },
        NodeKind::NumberQuestion {
            prompt: prompt(),
            number_question_type: Some(QuestionType::ZipCode),
            options: QuestionOptions::NONE,
            caller_response_custom_data_partner_name: None,
        },
        NodeKind::RingGroup {
            prompt: text(""),
            ring_group_destinations: vec![ring_destination()],
            ringing: RingOptions { ring_group_connect_timeout: Some(20), ..RingOptions::default() },
        },
        dynamic_route(text(""), text("store")),
    ]
}

#[test]
fn number_of_children_is_checked_for_each_type() {
    let table = [
        ("Menu", 1..=9, "must have 1 to 9 children, one for each key"),
        ("Connect", 0..=0, "must have no children but one Failover"),
        ("EndCall", 0..=0, "must have no children"),
        ("SmsPromo", 1..=1, "must have exactly 1 child"),
        ("Condition", 2..=2, "must have 2 children: met and not met"),
        ("VerifyLocation", 1..=1, "must have exactly 1 child"),
        ("AnyKeyPress", 2..=2, "must have 2 children: a key and no key"),
        ("YesOrNo", 2..=2, "must have 2 children: yes and no"),
        ("NumberQuestion", 1..=1, "must have exactly 1 child"),
        ("RingGroup", 0..=1, "must have at most 1 child"),
        ("DynamicRoute", 1..=1, "must have exactly 1 child"),
    ];
    for (kind, (name, allowed, message)) in kinds().into_iter().zip(table) {
        assert_eq!(kind.type_name(), name);
        for count in 0..=10 {
            let expected =
                if allowed.contains(&count) { json!({}) } else { json!({"children": [message]}) };
            let children = vec![end_call(); count];
            assert_eq!(problems(node(kind.clone(), children)), expected, "{name} with {count}");
        }
    }
}

#[test]
fn required_parameters_are_checked_for_each_type() {
    let blank = || text(" ");
    let empty = ["cannot be empty"];
    let sms = |prompt: &str, copy: &str| NodeKind::SmsPromo {
        prompt: text(prompt),
        sms_promo_copy: text(copy),
        sms_promo_delay: None,
        sms_promo_sender: None,
    };
    let question = |prompt, number_question_type| NodeKind::NumberQuestion {
        prompt,
        number_question_type,
        options: QuestionOptions::NONE,
        caller_response_custom_data_partner_name: None,
    };
    for (kind, children, expected) in [
        (NodeKind::Menu { prompt: blank() }, 1, json!({"prompt": empty})),
        (sms("", ""), 1, json!({"prompt": empty, "sms_promo_copy": empty})),
        (sms("?", " "), 1, json!({"sms_promo_copy": empty})),
        (NodeKind::Condition { condition: None }, 2, json!({"condition": empty})),
        (
            NodeKind::Condition { condition: Some(Condition::always()) },
            2,
            json!({"condition": empty}),
        ),
        (NodeKind::AnyKeyPress { prompt: blank() }, 2, json!({"prompt": empty})),
        (
            NodeKind::YesOrNo { prompt: blank(), options: QuestionOptions::NONE },
            2,
            json!({"prompt": empty}),
        ),
        (question(blank(), None), 1, json!({"prompt": empty, "number_question_type": empty})),
        (
            NodeKind::RingGroup {
                prompt: blank(),
                ring_group_destinations: vec![],
                ringing: RingOptions::default(),
            },
            0,
            json!({"ring_group_destinations": empty, "ring_group_connect_timeout": empty}),
        ),
        (dynamic_route(blank(), text("")), 1, json!({"dynamic_route_destination": empty})),
        // These parameters are required only to go live, or not at all.
        (connect("").kind, 0, json!({})),
        (NodeKind::EndCall { prompt: blank() }, 0, json!({})),
        (NodeKind::VerifyLocation { prompt: blank() }, 1, json!({})),
    ] {
        assert_eq!(problems(node(kind.clone(), vec![end_call(); children])), expected, "{kind:?}");
    }
}

#[test]
fn node_condition_on_a_duration_is_rejected() {
    let message = |word| format!("cannot use '{word}', which is known only when the call is over");
    assert_eq!(
        problems(condition_node(
            "duration > 5 or not duration < 9 and connect_duration = 1",
            end_call(),
            end_call()
        )),
        json!({"condition": [message("duration"), message("connect_duration")]})
    );
}

#[test]
fn problems_are_reported_at_their_nodes() {
    let without_prompt = || node(NodeKind::Menu { prompt: text("") }, vec![end_call()]);
    let root = menu(vec![
        end_call(),
        without_prompt(),
        condition_node("mobile", verify_location(without_prompt()), end_call()),
    ]);
    let empty = json!({"prompt": ["cannot be empty"]});
    assert_eq!(
        problems(root),
        json!({"children": [
            {"1": empty},
            {"2": {"children": [{"0": {"children": [{"0": empty}]}}]}}
        ]})
    );
}

#[test]
fn failover_is_allowed_only_below_a_connect() {
    let with = |children| node(connect("8004377950").kind, children);
    assert_eq!(problems(with(vec![failover()])), json!({}));
    let message = json!({"children": ["must have no children but one Failover"]});
    assert_eq!(problems(with(vec![failover(), failover()])), message);
    let alone = json!({"node_type": ["is allowed only as the child of a Connect"]});
    assert_eq!(problems(failover()), alone);
    assert_eq!(problems(menu(vec![end_call(), failover()])), json!({"children": [{"1": alone}]}));
    let mut parent = failover();
    parent.children = vec![end_call()];
    assert_eq!(
        problems(with(vec![parent])),
        json!({"children": [{"0": {"children": ["must have no children"]}}]})
    );
}

#[test]
fn keypress_failover_children_are_allowed_only_below_menus_and_not_counted() {
    let mut other = end_call();
    other.keypress_failover_type = Some(KeypressFailover::None);
    let mut children = vec![end_call(); 9];
    children.push(other.clone());
    assert_eq!(problems(menu(children)), json!({}));
    let none = json!({"children": ["must have 1 to 9 children, one for each key"]});
    assert_eq!(problems(menu(vec![other.clone()])), none);
    let message = json!({"keypress_failover_type": ["is allowed only on a child of a Menu, YesOrNo or NumberQuestion"]});
    assert_eq!(problems(other.clone()), message);
    assert_eq!(
        problems(condition_node(
            "mobile",
            end_call(),
            condition_node("repeat", end_call(), end_call())
        )),
        json!({}),
        "without one"
    );
    let mut condition = condition_node("mobile", end_call(), end_call());
    condition.children.push(other);
    assert_eq!(problems(condition), json!({"children": [{"2": message}]}));
}

#[test]
fn child_key_skips_failover_children() {
    let failover_for = |kind| IvrNode { keypress_failover_type: Some(kind), ..end_call() };
    let mut children = vec![failover_for(KeypressFailover::Wrong), end_call(), end_call()];
    children.push(failover_for(KeypressFailover::None));
    children.extend(vec![end_call(); 8]);
    let menu = menu(children);
    let keys: Vec<_> = (0..=12).map(|index| menu.key_for_child(index)).collect();
    let digit = |digit| Some(Key::Digit(digit));
    let mut expected = vec![Some(Key::Wrong), digit(1), digit(2), Some(Key::None)];
    expected.extend((3..=9).map(digit));
    expected.extend([None, None]);
    assert_eq!(keys, expected);
}

#[test]
fn every_node_type_goes_live_with_its_destinations() {
    for kind in kinds().into_iter().chain([failover().kind]) {
        assert_eq!(live_problems(node(kind, vec![])), json!({}));
    }
    let disabled = RingDestination { destination_disabled: true, ..ring_destination() };
    let group = NodeKind::RingGroup {
        prompt: text(""),
        ring_group_destinations: vec![disabled],
        ringing: RingOptions::default(),
    };
    let expected = json!({"ring_group_destinations": ["are all disabled"]});
    assert_eq!(live_problems(node(group, vec![])), expected);
    let without_number = NodeKind::Failover {
        destination_phone_number: text(""),
        destination_country_code: text("1"),
    };
    let expected = json!({"destination_phone_number": ["cannot be empty"]});
    assert_eq!(live_problems(node(without_number, vec![])), expected);
}

#[test]
fn connect_without_destination_cannot_go_live() {
    let empty = json!({"destination_phone_number": ["cannot be empty"]});
    assert_eq!(live_problems(connect("")), empty);
    assert_eq!(
        live_problems(menu(vec![connect("8004377950"), menu(vec![end_call(), connect("")])])),
        json!({"children": [{"1": {"children": [{"1": empty}]}}]})
    );
}

#[test]
fn nodes_are_listed_parents_first_with_their_paths() {
    let root =
        menu(vec![end_call(), condition_node("mobile", connect(""), end_call()), end_call()]);
    let tree = IvrTree { root, record_calls: false, caller_id: None, whisper_prompt_text: None };
    let listed: Vec<_> =
        tree.nodes_with_paths().into_iter().map(|(at, n)| (at, n.kind.type_name())).collect();
    let expected = [
        (vec![], "Menu"),
        (vec![0], "EndCall"),
        (vec![1], "Condition"),
        (vec![1, 0], "Connect"),
        (vec![1, 1], "EndCall"),
        (vec![2], "EndCall"),
    ];
    assert_eq!(listed, expected);
}

#[test]
fn tree_round_trips_through_json() {
    for kind in kinds() {
        let root = node(kind, vec![end_call(), menu(vec![connect("")])]);
        let tree = IvrTree { root, record_calls: true, caller_id: None, whisper_prompt_text: None };
        let json = serde_json::to_string(&tree).unwrap();
        assert_eq!(serde_json::from_str::<IvrTree>(&json).unwrap(), tree);
    }
}
