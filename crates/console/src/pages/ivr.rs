//! What callers meet: the tree as a nested list.

use crate::layout;
use crate::pages::pricing;
use crate::words;
use maud::{Markup, html};
use trunkline_domain::condition::Key;
use trunkline_domain::ivr::{CallerId, CallerIdSetting, IvrNode, IvrTree, NodeKind};

/// A tree, or that there is none.
pub(super) fn show(tree: Option<&IvrTree>) -> Markup {
    let Some(tree) = tree else { return layout::none("No call flow yet.") };
    html! {
        ul.tree { (node(&tree.root, "A call comes in")) }
        (layout::facts(&[
            ("Calls are recorded", Some(words::yes_no(tree.record_calls))),
            ("Number shown to the destination", tree.caller_id.as_ref().map(shown_number)),
        ]))
    }
}

fn shown_number(CallerId { setting, mask }: &CallerId) -> Markup {
    let words = match setting {
        CallerIdSetting::Original => "The caller’s",
        CallerIdSetting::Promo => "The promo number that was called",
        CallerIdSetting::Specific => "A number of its own",
        CallerIdSetting::Partial => "The caller’s, with other last digits",
    };
    html! { (words) @if let Some(mask) = mask { ": " code { (mask) } } }
}

fn node(of: &IvrNode, comes_by: &str) -> Markup {
    html! {
        li {
            p.step { span.key { (comes_by) } " " strong { (name(&of.kind)) } }
            (details(&of.kind))
            @if !of.children.is_empty() {
                ul {
                    @for (index, child) in of.children.iter().enumerate() {
                        (node(child, &way(of, index)))
                    }
                }
            }
        }
    }
}

/// How a caller comes from a node to one of its children.
fn way(parent: &IvrNode, index: usize) -> String {
    let words = match (&parent.kind, index) {
        (NodeKind::Menu { .. }, _) => {
            return match parent.child_key(index) {
                Some(Key::Digit(digit)) => format!("Press {digit}"),
                Some(Key::Wrong) => "A wrong key".to_owned(),
                Some(Key::None) => "No key".to_owned(),
                None => "Without a key".to_owned(),
            };
        }
        (NodeKind::Condition { .. }, 0) => "If met",
        (NodeKind::Condition { .. }, _) => "If not",
        (NodeKind::AnyKeyPress { .. }, 0) => "Any key",
        (NodeKind::AnyKeyPress { .. }, _) => "No key",
        (NodeKind::YesOrNo { .. }, 0) => "Press 1, yes",
        (NodeKind::YesOrNo { .. }, _) => "Press 2, no",
        (NodeKind::Connect { .. }, _) => "If nobody answers",
        _ => "Then",
    };
    words.to_owned()
}

fn name(kind: &NodeKind) -> &'static str {
    match kind {
        NodeKind::Menu { .. } => "Menu",
        NodeKind::Connect { .. } => "Connect",
        NodeKind::EndCall { .. } => "End of the call",
        NodeKind::SmsPromo { .. } => "Text message offer",
        NodeKind::Condition { .. } => "Condition",
        NodeKind::VerifyLocation { .. } => "Ask where the caller is",
        NodeKind::AnyKeyPress { .. } => "Wait for any key",
        NodeKind::YesOrNo { .. } => "Yes or no",
        NodeKind::NumberQuestion { .. } => "Ask for a number",
        NodeKind::RingGroup { .. } => "Ring a group",
        NodeKind::DynamicRoute { .. } => "Connect to a number in custom data",
        NodeKind::Failover { .. } => "Connect instead",
    }
}

fn details(kind: &NodeKind) -> Markup {
    match kind {
        NodeKind::Menu { prompt }
        | NodeKind::EndCall { prompt }
        | NodeKind::VerifyLocation { prompt }
        | NodeKind::AnyKeyPress { prompt }
        | NodeKind::YesOrNo { prompt } => said(prompt),
        NodeKind::Connect {
            prompt,
            destination_phone_number,
            destination_country_code,
            connect_timeout,
        } => html! {
            (to(destination_phone_number, destination_country_code))
            (said(prompt))
            @if let Some(seconds) = connect_timeout {
                p.hint { "Nobody answers: after " (words::length(*seconds)) }
            }
        },
        NodeKind::SmsPromo { prompt, sms_promo_copy, sms_promo_delay, sms_promo_sender } => html! {
            (said(prompt))
            p.sms { span.hint { "Text message" } " " (sms_promo_copy) }
            @if let Some(seconds) = sms_promo_delay {
                p.hint { "Sent " (words::length(*seconds)) " after the call" }
            }
            @if let Some(sender) = sms_promo_sender { p.hint { "From " (sender) } }
        },
        NodeKind::Condition { condition: Some(condition) } => html! {
            p { (pricing::condition(condition.expr(), condition.text())) }
        },
        NodeKind::Condition { condition: None } => missing("No condition yet"),
        NodeKind::NumberQuestion { prompt, number_question_type } => html! {
            (said(prompt))
            @if let Some(kind) = number_question_type { p.hint { "Kind: " (kind.as_str()) } }
        },
        NodeKind::RingGroup { prompt, ring_group_destinations, ring_group_connect_timeout } => {
            html! {
                (said(prompt))
                @for it in ring_group_destinations {
                    (to(&it.ring_group_number, "1"))
                    @if let Some(text) = &it.description { p.hint { (text) } }
                }
                @if let Some(seconds) = ring_group_connect_timeout {
                    p.hint { "The next one: after " (words::length(*seconds)) }
                }
            }
        }
        NodeKind::DynamicRoute { prompt, dynamic_route_destination } => html! {
            p { "The number in " code { (dynamic_route_destination) } }
            (said(prompt))
        },
        NodeKind::Failover { destination_phone_number } => to(destination_phone_number, "1"),
    }
}

fn said(prompt: &str) -> Markup {
    html! { @if !prompt.trim().is_empty() { p.prompt { "“" (prompt) "”" } } }
}

fn to(number: &str, country_code: &str) -> Markup {
    if number.is_empty() {
        return missing("No destination yet");
    }
    html! { p.number { (words::destination(number, country_code)) } }
}

fn missing(text: &str) -> Markup {
    html! { p.missing { (text) } }
}
