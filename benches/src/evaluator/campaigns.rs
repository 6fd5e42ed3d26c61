//! Campaigns and calls whose decision is timed.

use super::condition_calls;
use std::error::Error;
use trunkline_domain::call::{Admission, CallFacts, PhoneType};
use trunkline_domain::campaign::{Policy, PolicyType, Pricing, Terms};
use trunkline_domain::condition::{Condition, ParseError};
use trunkline_domain::hours::{DayHours, WeeklyHours};
use trunkline_domain::ivr::{IvrNode, IvrTree, NodeKind};
use trunkline_domain::money::{Currency, Money};
use trunkline_domain::problem::Problems;
use trunkline_domain::region::{NamedRegion, Region, RegionType};

/// Admission of a call by an affiliate.
pub(super) const ADMITTED: Admission = Admission { rejection: None, by_affiliate: true };

/// Terms of a campaign, and a call.
pub(super) struct Campaign {
    pub(super) name: &'static str,
    pub(super) terms: Terms,
    pub(super) facts: CallFacts,
    pub(super) keys: Vec<char>,
    /// Policies of the payin that the call matches.
    pub(super) matching_policies: &'static str,
}

fn node(kind: NodeKind, children: Vec<IvrNode>) -> IvrNode {
    IvrNode { kind, children, keypress_failover_type: None }
}

fn connect() -> IvrNode {
    let kind = NodeKind::Connect {
        prompt: "Please hold while we connect you.".to_owned(),
        destination_phone_number: "8004377950".to_owned(),
        destination_country_code: "1".to_owned(),
        destination_extension: None,
        connect_timeout: None,
    };
    node(kind, Vec::new())
}

fn menu(children: Vec<IvrNode>) -> IvrNode {
    let prompt = "For tickets press 1, for anything else press 2.".to_owned();
    node(NodeKind::Menu { prompt }, children)
}

fn condition_node(text: &str, met: IvrNode, not_met: IvrNode) -> Result<IvrNode, ParseError> {
    let condition = Some(Condition::parse(text)?);
    Ok(node(NodeKind::Condition { condition }, vec![met, not_met]))
}

fn pricing(policies: &[(&str, &str)]) -> Result<Option<Pricing>, Box<dyn Error>> {
    let mut parsed = Vec::new();
    for (amount, condition) in policies {
        parsed.push(Policy {
            kind: if parsed.is_empty() { PolicyType::Base } else { PolicyType::Bonus },
            amount: Money::parse(amount)?,
            currency: Currency::Usd,
            condition: Condition::parse(condition)?,
        });
    }
    Ok(Pricing::new(parsed, &mut Problems::new()))
}

fn region(name: &str, states: &[&str]) -> NamedRegion {
    let region = |code: &&str| Region { region_type: RegionType::State, value: (*code).to_owned() };
    NamedRegion { name: name.to_owned(), regions: states.iter().map(region).collect() }
}

/// Terms with the regions and hours of the document's campaign.
fn terms_with_regions_and_hours() -> Terms {
    let mut terms = Terms::new(jiff::Timestamp::UNIX_EPOCH);
    let day = DayHours { open: Some(32_400), close: Some(75_600), closed: Some(false) };
    terms.hours = Some(WeeklyHours { days: [day; 7] });
    terms.named_regions =
        vec![region("West Coast", &["CA", "OR", "WA"]), region("East Coast", &["NY", "NJ"])];
    terms
}

fn facts() -> Result<CallFacts, Box<dyn Error>> {
    Ok(CallFacts {
        start_time: Some("2026-07-01T17:00:00Z".parse()?),
        duration: Some(180),
        connect_duration: Some(160),
        phone_type: Some(PhoneType::Mobile),
        repeat: Some(false),
        sms_sent: Some(false),
        custom_data: Some([("channel".to_owned(), "Online".to_owned())].into_iter().collect()),
        affiliate_name: Some(Some("Fredericks Affiliates".to_owned())),
        media_type: Some(Some("Online: Display".to_owned())),
        ..CallFacts::default()
    })
}

/// Campaign of the advertiser campaigns document of 2015-05-01: routing by opening hours, a payin, and a
/// payout with a bonus.
pub(super) fn documents() -> Result<Campaign, Box<dyn Error>> {
    let mut terms = terms_with_regions_and_hours();
    let root = condition_node("during_hours", connect(), connect())?;
    terms.ivr_tree =
        Some(IvrTree { root, record_calls: true, caller_id: None, whisper_prompt_text: None });
    terms.advertiser_payin = pricing(&[("7.0", "duration > 2 min 30 sec")])?;
    terms.affiliate_payout = pricing(&[("4.5", ""), ("2.75", "duration > 60")])?;
    let facts = CallFacts { region: Some("CA".to_owned()), ..facts()? };
    Ok(Campaign {
        name: "the document's campaign",
        terms,
        facts,
        keys: vec![],
        matching_policies: "base",
    })
}

/// Campaign with two menus, a zip code, two conditions and eight policies.
pub(super) fn long() -> Result<Campaign, Box<dyn Error>> {
    let inner =
        condition_node("in_region[West Coast]", menu(vec![connect(), connect()]), connect())?;
    let location =
        node(NodeKind::VerifyLocation { prompt: "Your zip code?".to_owned() }, vec![inner]);
    let open = condition_node("during_hours and not repeat", location, connect())?;
    let root = menu(vec![open, connect()]);
    let mut terms = terms_with_regions_and_hours();
    terms.ivr_tree =
        Some(IvrTree { root, record_calls: true, caller_id: None, whisper_prompt_text: None });
    let policies = [
        ("12.50", condition_calls::TEXT),
        ("2.75", "connect_duration > 2 min and mobile"),
        ("1.25", r#"custom_data[channel] contains "line" or media_type = "Radio""#),
        ("0.75", "during_hours and in_region[East Coast]"),
    ];
    terms.advertiser_payin = pricing(&policies)?;
    terms.affiliate_payout = pricing(&policies)?;
    let facts = CallFacts { zip: Some("93101".to_owned()), ..facts()? };
    Ok(Campaign {
        name: "the long campaign",
        terms,
        facts,
        keys: vec!['1', '2'],
        matching_policies: "base+bonus1+bonus2",
    })
}
