//! IVR tree as a nested list.

use crate::format;
use crate::layout;
use crate::pages::pricing;
use maud::{Markup, html};
use trunkline_domain::condition::Key;
use trunkline_domain::ivr::{
    CallerId, CallerIdSetting, DistributionMethod, IvrNode, IvrTree, NodeKind, QuestionOptions,
    RingDestination, RingOptions,
};

/// Renders a tree, or a note that there is none.
pub(super) fn show(tree: Option<&IvrTree>) -> Markup {
    let Some(tree) = tree else { return layout::empty_note("No call flow yet.") };
    html! {
        ul.tree { (node(&tree.root, "A call comes in")) }
        (layout::description_list(&[
            ("Calls are recorded", Some(format::yes_no(tree.record_calls))),
            ("Number shown to the destination", tree.caller_id.as_ref().map(caller_id)),
            (
                "Said to the destination first",
                tree.whisper_prompt_text.as_deref().map(|text| html! { "“" (text) "”" }),
            ),
        ]))
    }
}

fn caller_id(CallerId { setting, mask }: &CallerId) -> Markup {
    let text = match setting {
        CallerIdSetting::Original => "The caller’s number",
        CallerIdSetting::Promo => "The promo number that was called",
        CallerIdSetting::Specific => "A fixed number",
        CallerIdSetting::Partial => "The caller’s number, with other last digits",
    };
    html! { (text) @if let Some(mask) = mask { ": " code { (mask) } } }
}

/// Renders a node and its children; `branch` describes how a caller reaches the node.
fn node(ivr_node: &IvrNode, branch: &str) -> Markup {
    html! {
        li {
            p.step { span.key { (branch) } " " strong { (kind_name(&ivr_node.kind)) } }
            (details(&ivr_node.kind))
            @if !ivr_node.children.is_empty() {
                ul {
                    @for (index, child) in ivr_node.children.iter().enumerate() {
                        (node(child, &branch_label(ivr_node, index)))
                    }
                }
            }
        }
    }
}

/// Label of the branch from a node to one of its children.
fn branch_label(parent: &IvrNode, index: usize) -> String {
    let label = match (&parent.kind, index) {
        (NodeKind::Menu { .. }, _) => {
            return match parent.key_for_child(index) {
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
        (NodeKind::YesOrNo { .. } | NodeKind::NumberQuestion { .. }, _) => {
            let is_question = matches!(parent.kind, NodeKind::NumberQuestion { .. });
            match parent.key_for_child(index) {
                Some(Key::Wrong) => "No valid answer",
                Some(Key::None) => "No key",
                _ if is_question => "Then",
                Some(Key::Digit(1)) => "Press 1, yes",
                _ => "Press 2, no",
            }
        }
        (NodeKind::Connect { .. }, _) => "If not answered",
        (NodeKind::RingGroup { .. }, _) => "If nobody answers",
        (NodeKind::DynamicRoute { .. }, _) => "If there is no number, or nobody answers",
        _ => "Then",
    };
    label.to_owned()
}

fn kind_name(kind: &NodeKind) -> &'static str {
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
        | NodeKind::AnyKeyPress { prompt } => prompt_text(prompt),
        NodeKind::YesOrNo { prompt, options } => html! {
            (prompt_text(prompt))
            (question_options(options))
        },
        NodeKind::Connect {
            prompt,
            destination_phone_number,
            destination_country_code,
            destination_extension,
            connect_timeout,
        } => html! {
            (destination(destination_phone_number, destination_country_code))
            @if let Some(extension) = destination_extension { p.hint { "Extension " (extension) } }
            (prompt_text(prompt))
            @if let Some(seconds) = connect_timeout {
                p.hint { "Not answered after " (format::duration(*seconds)) }
            }
        },
        NodeKind::SmsPromo { prompt, sms_promo_copy, sms_promo_delay, sms_promo_sender } => html! {
            (prompt_text(prompt))
            p.sms { span.hint { "Text message" } " " (sms_promo_copy) }
            @if let Some(seconds) = sms_promo_delay {
                p.hint { "Sent " (format::duration(*seconds)) " after the call" }
            }
            @if let Some(sender) = sms_promo_sender { p.hint { "From " (sender) } }
        },
        NodeKind::Condition { condition: Some(condition) } => html! {
            p { (pricing::condition(condition.expr(), condition.text())) }
        },
        NodeKind::Condition { condition: None } => missing_note("No condition yet"),
        NodeKind::NumberQuestion {
            prompt,
            number_question_type,
            options,
            caller_response_custom_data_partner_name,
        } => html! {
            (prompt_text(prompt))
            @if let Some(kind) = number_question_type { p.hint { "Kind: " (kind.as_str()) } }
            (question_options(options))
            @if let Some(name) = caller_response_custom_data_partner_name {
                p.hint { "Kept as " code { (name) } }
            }
        },
        NodeKind::RingGroup { prompt, ring_group_destinations, ringing } => html! {
            (prompt_text(prompt))
            @for listed in ring_group_destinations { (ring_destination(listed)) }
            (ring_options(ringing))
        },
        NodeKind::DynamicRoute { prompt, dynamic_route_destination, ringing, .. } => html! {
            p { "The number in " code { (dynamic_route_destination) } }
            (prompt_text(prompt))
            (ring_options(ringing))
        },
        NodeKind::Failover { destination_phone_number, destination_country_code } => {
            destination(destination_phone_number, destination_country_code)
        }
    }
}

fn ring_destination(listed: &RingDestination) -> Markup {
    let country_code = listed.ring_group_country_code.as_deref().unwrap_or("1");
    html! {
        (destination(&listed.ring_group_number, country_code))
        @if let Some(text) = &listed.description { p.hint { (text) } }
        @if listed.destination_disabled { p.hint { "Switched off" } }
        @if let Some(weight) = listed.distribution_weight { p.hint { "Weight " (weight) } }
    }
}

fn question_options(options: &QuestionOptions) -> Markup {
    html! {
        @if options.confirm_response_enabled == Some(true) {
            p.hint { "The caller confirms the answer" }
        }
        @if let Some(text) = &options.custom_error_prompt_text {
            p.hint { "After an invalid answer: “" (text) "”" }
        }
    }
}

fn ring_options(ringing: &RingOptions) -> Markup {
    let order = ringing.distribution_method.map(|method| match method {
        DistributionMethod::InOrder => "In this order",
        DistributionMethod::Random => "In random order",
        DistributionMethod::Weighted => "In random order, by weight",
    });
    html! {
        @if let Some(order) = order { p.hint { (order) } }
        @if let Some(count) = ringing.max_simultaneous_calls.filter(|count| *count > 1) {
            p.hint { (count) " ring at the same time" }
        }
        @if let Some(limit) = ringing.ring_group_destination_total_limit {
            p.hint { "At most " (limit) " ring for a call" }
        }
        @if ringing.call_acceptance == Some(true) {
            p.hint { "The destination accepts the call with a key" }
        }
        @if let Some(seconds) = ringing.ring_group_connect_timeout {
            p.hint { "The next one: after " (format::duration(seconds)) }
        }
    }
}

fn prompt_text(prompt: &str) -> Markup {
    html! { @if !prompt.trim().is_empty() { p.prompt { "“" (prompt) "”" } } }
}

fn destination(number: &str, country_code: &str) -> Markup {
    if number.is_empty() {
        return missing_note("No destination yet");
    }
    html! { p.number { (format::destination(number, country_code)) } }
}

fn missing_note(text: &str) -> Markup {
    html! { p.missing { (text) } }
}
