//! Builders of IVR trees, pricings and regions for unit tests.

use crate::campaign::{Policy, PolicyType, Pricing};
use crate::condition::Condition;
use crate::ivr::{IvrNode, IvrTree, NodeKind};
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

pub(crate) fn tree(root: IvrNode) -> Option<IvrTree> {
    Some(IvrTree { root, record_calls: true, caller_id: None })
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
