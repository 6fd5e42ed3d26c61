//! Builders of IVR trees, pricings and regions for unit tests.

use crate::campaign::{Policy, PolicyType, Pricing};
use crate::condition::Condition;
use crate::ivr::{
    DistributionMethod, IvrNode, IvrTree, KeypressFailover, NodeKind, QuestionOptions,
    QuestionType, RingDestination, RingOptions,
};
use crate::money::{Currency, Money};
use crate::problem::Problems;
use crate::region::{NamedRegion, Region, RegionType};

pub(crate) fn node(kind: NodeKind, children: Vec<IvrNode>) -> IvrNode {
    IvrNode { kind, children, keypress_failover_type: None }
}

pub(crate) fn connect(number: &str) -> IvrNode {
    let kind = NodeKind::Connect {
        prompt: String::new(),
        destination_phone_number: number.to_owned(),
        destination_country_code: "1".to_owned(),
        destination_extension: None,
        connect_timeout: None,
    };
    node(kind, Vec::new())
}

pub(crate) fn end_call() -> IvrNode {
    node(NodeKind::EndCall { prompt: String::new() }, Vec::new())
}

pub(crate) fn menu(children: Vec<IvrNode>) -> IvrNode {
    node(NodeKind::Menu { prompt: "Choose.".to_owned() }, children)
}

pub(crate) fn condition_node(text: &str, met: IvrNode, not_met: IvrNode) -> IvrNode {
    let condition = Some(Condition::parse(text).unwrap());
    node(NodeKind::Condition { condition }, vec![met, not_met])
}

pub(crate) fn verify_location(child: IvrNode) -> IvrNode {
    node(NodeKind::VerifyLocation { prompt: String::new() }, vec![child])
}

pub(crate) fn sms_promo(child: IvrNode) -> IvrNode {
    let kind = NodeKind::SmsPromo {
        prompt: "Press 1 for a text.".to_owned(),
        sms_promo_copy: "Half price".to_owned(),
        sms_promo_delay: None,
        sms_promo_sender: None,
    };
    node(kind, vec![child])
}

pub(crate) fn any_key_press(key: IvrNode, none: IvrNode) -> IvrNode {
    node(NodeKind::AnyKeyPress { prompt: "Press a key.".to_owned() }, vec![key, none])
}

pub(crate) fn yes_or_no(confirmed: bool, children: Vec<IvrNode>) -> IvrNode {
    let options =
        QuestionOptions { confirm_response_enabled: Some(confirmed), ..QuestionOptions::default() };
    node(NodeKind::YesOrNo { prompt: "Are you well?".to_owned(), options }, children)
}

/// A question for a zip code, whose answer becomes the custom data field `channel`.
pub(crate) fn zip_question(confirmed: bool, children: Vec<IvrNode>) -> IvrNode {
    let options =
        QuestionOptions { confirm_response_enabled: Some(confirmed), ..QuestionOptions::default() };
    let kind = NodeKind::NumberQuestion {
        prompt: "Your zip code?".to_owned(),
        number_question_type: Some(QuestionType::ZipCode),
        options,
        caller_response_custom_data_partner_name: Some("channel".to_owned()),
    };
    node(kind, children)
}

/// A Connect with a Failover.
pub(crate) fn connect_with_failover(number: &str, failover: &str) -> IvrNode {
    let kind = NodeKind::Failover {
        destination_phone_number: failover.to_owned(),
        destination_country_code: "1".to_owned(),
    };
    IvrNode { children: vec![node(kind, Vec::new())], ..connect(number) }
}

/// A group that rings `at_once` destinations at the same time.
pub(crate) fn ring_group(
    method: DistributionMethod,
    at_once: u32,
    numbers: &[&str],
    nobody: Option<IvrNode>,
) -> IvrNode {
    let destination = |number: &&str| RingDestination {
        ring_group_number: (*number).to_owned(),
        ring_group_country_code: None,
        description: None,
        destination_disabled: false,
        distribution_weight: None,
    };
    let kind = NodeKind::RingGroup {
        prompt: String::new(),
        ring_group_destinations: numbers.iter().map(destination).collect(),
        ringing: RingOptions {
            ring_group_connect_timeout: Some(20),
            distribution_method: Some(method),
            max_simultaneous_calls: Some(at_once),
            ..RingOptions::default()
        },
    };
    node(kind, nobody.into_iter().collect())
}

/// A route to the numbers in the custom data field `channel`.
pub(crate) fn dynamic_route(like_group: bool, fallback: IvrNode) -> IvrNode {
    let kind = NodeKind::DynamicRoute {
        prompt: String::new(),
        dynamic_route_destination: "channel".to_owned(),
        behave_like_ring_group: Some(like_group),
        routing_url: None,
        ringing: RingOptions::default(),
    };
    node(kind, vec![fallback])
}

/// One of [`NEWER_NODES`] nodes of the newer types.
pub(crate) fn newer_node(choice: usize, first: IvrNode, second: IvrNode) -> IvrNode {
    let for_key = |node: IvrNode, key| IvrNode { keypress_failover_type: Some(key), ..node };
    let numbers = ["8005550103", "8005550104", "8005550105"];
    match choice {
        0 => any_key_press(first, second),
        1 => yes_or_no(false, vec![first, second]),
        2 => yes_or_no(true, vec![first, for_key(second.clone(), KeypressFailover::Wrong), second]),
        3 => zip_question(false, vec![first, for_key(second, KeypressFailover::None)]),
        4 => zip_question(true, vec![for_key(second, KeypressFailover::Wrong), first]),
        5 => connect_with_failover("8005550101", "8005550103"),
        6 => ring_group(DistributionMethod::Random, 1, &numbers, Some(first)),
        7 => ring_group(DistributionMethod::InOrder, 2, &numbers, None),
        8 => dynamic_route(true, first),
        _ => dynamic_route(false, first),
    }
}

/// Number of choices of [`newer_node`].
pub(crate) const NEWER_NODES: usize = 10;

pub(crate) fn tree(root: IvrNode) -> Option<IvrTree> {
    Some(IvrTree { root, record_calls: true, caller_id: None, whisper_prompt_text: None })
}

/// Builds a pricing from (amount, condition) pairs. The first pair is the base, the others are
/// bonuses.
pub(crate) fn pricing(currency: Currency, policies: &[(&str, &str)]) -> Option<Pricing> {
    let policies = policies.iter().enumerate().map(|(index, (amount, condition))| Policy {
        kind: if index == 0 { PolicyType::Base } else { PolicyType::Bonus },
        amount: Money::parse(amount).unwrap(),
        currency,
        condition: Condition::parse(condition).unwrap(),
    });
    let mut problems = Problems::new();
    Some(Pricing::new(policies.collect(), &mut problems).unwrap())
}

/// A named region.
pub(crate) fn region(name: &str, regions: &[(RegionType, &str)]) -> NamedRegion {
    let regions = regions.iter().map(|(region_type, value)| Region {
        region_type: *region_type,
        value: (*value).to_owned(),
    });
    NamedRegion { name: name.to_owned(), regions: regions.collect() }
}

pub(crate) fn states(name: &str, codes: &[&str]) -> NamedRegion {
    let codes: Vec<_> = codes.iter().map(|code| (RegionType::State, *code)).collect();
    region(name, &codes)
}
