//! Translation of generated campaigns and calls into the types of the domain. Conditions are written
//! as text and parsed.

use crate::naive::{self, Condition, Node};
use jiff::Timestamp;
use trunkline_domain::call::{CallDirection, CallFacts, PhoneType, RecordedFacts};
use trunkline_domain::campaign::{Policy, PolicyType, Pricing, Terms};
use trunkline_domain::condition;
use trunkline_domain::hours::{DayHours, WeeklyHours};
use trunkline_domain::ivr::{IvrNode, IvrTree, NodeKind};
use trunkline_domain::money::{Currency, Money};
use trunkline_domain::party::CustomData;
use trunkline_domain::phone::PhoneNumber;
use trunkline_domain::problem::Problems;
use trunkline_domain::region::{NamedRegion, Region, RegionType};
use trunkline_domain::timezone::TimeZoneName;

pub(crate) fn terms(campaign: &naive::Campaign) -> Terms {
    let mut terms = Terms::new(Timestamp::UNIX_EPOCH);
    terms.timezone = TimeZoneName::parse("UTC").expect("a time zone");
    terms.operating_24_7 = campaign.operating_24_7;
    terms.hours = campaign.hours.map(|days| WeeklyHours {
        days: days.map(|day| DayHours { open: day.open, close: day.close, closed: day.closed }),
    });
    terms.named_regions = campaign
        .regions
        .iter()
        .map(|(name, places)| NamedRegion {
            name: (*name).to_owned(),
            regions: places
                .iter()
                .map(|(kind, value)| Region {
                    region_type: RegionType::parse(kind).expect("a kind of region"),
                    value: (*value).to_owned(),
                })
                .collect(),
        })
        .collect();
    let root = node(&campaign.tree);
    terms.ivr_tree =
        Some(IvrTree { root, record_calls: false, caller_id: None, whisper_prompt_text: None });
    terms.advertiser_payin = Some(pricing(&campaign.payin));
    terms.affiliate_payout = Some(pricing(&campaign.payout));
    terms
}

fn pricing(policies: &[naive::Policy]) -> Pricing {
    let policies = policies.iter().enumerate().map(|(index, (cents, condition))| Policy {
        kind: if index == 0 { PolicyType::Base } else { PolicyType::Bonus },
        amount: Money::from_cents(*cents).expect("an amount"),
        currency: Currency::Usd,
        condition: parse(condition),
    });
    Pricing::new(policies.collect(), &mut Problems::new()).expect("a pricing")
}

fn parse(condition: &Condition) -> condition::Condition {
    let text = text(condition);
    condition::Condition::parse(&text).expect("a printed condition can be parsed")
}

/// Writes a condition in the language of the API.
fn text(condition: &Condition) -> String {
    let joined = |members: &[Condition], operator: &str| {
        let members: Vec<String> =
            members.iter().map(|member| format!("({})", text(member))).collect();
        members.join(operator)
    };
    match condition {
        Condition::Always => String::new(),
        Condition::Duration(operator, seconds) => format!("duration {operator} {seconds}"),
        Condition::ConnectDuration(operator, seconds) => {
            format!("connect_duration {operator} {seconds} sec")
        }
        Condition::Repeat => "repeat".to_owned(),
        Condition::Mobile => "mobile".to_owned(),
        Condition::Landline => "landline".to_owned(),
        Condition::SmsSent => "sms_sent".to_owned(),
        Condition::DuringHours => "during_hours".to_owned(),
        Condition::InAnyRegion => "in_region".to_owned(),
        Condition::InRegion(name) => format!("in_region[{name}]"),
        Condition::Pressed(keys) => {
            let keys: Vec<String> = keys.iter().map(char::to_string).collect();
            format!("pressed[{}]", keys.join(" "))
        }
        Condition::PressedAt(level, key) => format!("pressed[{} {key}]", ["a", "b", "c"][*level]),
        Condition::Channel("present", _) => "custom_data[channel] present".to_owned(),
        Condition::Channel(operator, value) => {
            format!("custom_data[channel] {operator} \"{value}\"")
        }
        Condition::Not(inner) => format!("not ({})", text(inner)),
        Condition::And(members) => joined(members, " and "),
        Condition::Or(members) => joined(members, " or "),
    }
}

fn node(node: &Node) -> IvrNode {
    let prompt = "Hello".to_owned();
    let (kind, children): (NodeKind, Vec<&Node>) = match node {
        Node::Connect(number) => (
            NodeKind::Connect {
                prompt,
                destination_phone_number: number.clone(),
                destination_country_code: "1".to_owned(),
                destination_extension: None,
                connect_timeout: None,
            },
            Vec::new(),
        ),
        Node::EndCall => (NodeKind::EndCall { prompt }, Vec::new()),
        Node::Menu(choices) => (NodeKind::Menu { prompt }, choices.iter().collect()),
        Node::Branch(condition, met, not_met) => {
            (NodeKind::Condition { condition: Some(parse(condition)) }, vec![met, not_met])
        }
        Node::VerifyLocation(next) => {
            (NodeKind::VerifyLocation { prompt: String::new() }, vec![next])
        }
        Node::SmsPromo(next) => (
            NodeKind::SmsPromo {
                prompt,
                sms_promo_copy: "Half price".to_owned(),
                sms_promo_delay: None,
                sms_promo_sender: None,
            },
            vec![next],
        ),
    };
    let children = children.into_iter().map(self::node).collect();
    IvrNode { kind, children, keypress_failover_type: None }
}

fn facts(call: &naive::Call) -> CallFacts {
    let channel = |value: Option<&str>| -> CustomData {
        value.iter().map(|value| ("channel".to_owned(), (*value).to_owned())).collect()
    };
    CallFacts {
        start_time: call.start.map(|start| Timestamp::from_second(start).expect("a time")),
        duration: call.duration,
        connect_duration: call.connect_duration,
        phone_type: call.is_mobile.map(|is_mobile| match is_mobile {
            true => PhoneType::Mobile,
            false => PhoneType::Landline,
        }),
        country: call.country.map(str::to_owned),
        region: call.region.map(str::to_owned),
        repeat: call.repeat,
        sms_sent: call.sms_sent,
        custom_data: call.channel.map(channel),
        calling_phone_number: call
            .number
            .map(|number| PhoneNumber::parse(number).expect("a phone number")),
        zip: call.zip.map(str::to_owned),
        ..CallFacts::default()
    }
    .with_derived_locations()
}

pub(crate) fn recorded(call: &naive::Call) -> RecordedFacts {
    RecordedFacts {
        facts: facts(call),
        keys: call.keys.clone(),
        digits: Vec::new(),
        events: Vec::new(),
        rejection: None,
        by_affiliate: call.by_affiliate,
        destination_phone_number: call.report.flatten().map(str::to_owned),
        is_reported: call.report.is_some(),
        direction: CallDirection::Inbound,
        end: None,
    }
}
