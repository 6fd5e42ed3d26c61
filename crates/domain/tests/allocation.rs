//! Evaluating a condition does not allocate, because it runs for every policy of every call.

use allocation_counter::measure;
use trunkline_domain::call::{
    Admission, CallFacts, EvaluationContext, IvrFacts, PhoneType, ZipCode, price_call,
};
use trunkline_domain::campaign::{Policy, PolicyType, Pricing, Terms};
use trunkline_domain::condition::{Condition, Key};
use trunkline_domain::hours::{DayHours, WeeklyHours};
use trunkline_domain::ivr::{IvrNode, IvrTree, NodeKind};
use trunkline_domain::money::{Currency, Money};
use trunkline_domain::phone::PhoneNumber;
use trunkline_domain::problem::Problems;
use trunkline_domain::region::{NamedRegion, Region, RegionType, find_country, find_state};

/// Conditions with every term of the language and every operator.
const CONDITIONS: [&str; 19] = [
    "",
    "duration >= 1 min 30 sec and (in_region[West Coast] or pressed[1 2]) and not repeat",
    "duration > 60 or duration < 1 or duration = 7 or duration <= 3",
    "connect_duration > 60",
    "repeat",
    "mobile and landline",
    "not sms_sent",
    "during_hours",
    "in_region",
    "in_region[West Coast]",
    "in_region[\u{a0}Süd\u{ad}en]",
    "in_region[Elsewhere]",
    "pressed[1 2 W]",
    "pressed[b N]",
    r#"custom_data[channel] = "Offline: In-Call Ad""#,
    r#"custom_data[channel] contains "IN-CALL ad""#,
    r#"custom_data[nothing] present"#,
    r#"affiliate_name != "Ann" and media_type contains "x""#,
    r#"promo_number_description present or promo_number_description = "ÄÖÜ""#,
];

fn region(name: &str, regions: &[(RegionType, &str)]) -> NamedRegion {
    let place = |(region_type, value): &(RegionType, &str)| Region {
        region_type: *region_type,
        value: (*value).to_owned(),
    };
    NamedRegion { name: name.to_owned(), regions: regions.iter().map(place).collect() }
}

fn terms() -> Terms {
    let states = [RegionType::State; 4].into_iter().zip(["CA", "Oregon", " wa ", "Québec"]);
    let day = DayHours { open: Some(32_400), close: Some(3_600), closed: None };
    let mut terms = Terms::new(jiff::Timestamp::UNIX_EPOCH);
    terms.hours = Some(WeeklyHours { days: [day; 7] });
    terms.named_regions = vec![
        region("West Coast", &states.collect::<Vec<_>>()),
        region("Süd\u{ad}en ", &[(RegionType::City, "Reno, Nevada"), (RegionType::Zone, "South")]),
        region("Elsewhere", &[(RegionType::Country, "Côte d'Ivoire"), (RegionType::Country, "DE")]),
    ];
    terms
}

fn facts() -> [CallFacts; 5] {
    let text = |text: &str| Some(text.to_owned());
    let near = CallFacts {
        start_time: "2026-07-01T17:00:00Z".parse().ok(),
        duration: Some(90),
        connect_duration: Some(60),
        phone_type: Some(PhoneType::Mobile),
        country: text("US"),
        region: text("Nevada"),
        city: text("RENO"),
        repeat: Some(false),
        sms_sent: Some(false),
        custom_data: Some([("channel".to_owned(), "Offline: In‐Call Ad".to_owned())].into()),
        affiliate_name: Some(text("Ann & Sons")),
        media_type: Some(None),
        promo_number_description: Some(text("Äöü")),
        ..CallFacts::default()
    };
    let far = CallFacts { region: text("NY"), country: text("Côte d'Ivoire"), ..near.clone() };
    let located = CallFacts {
        country: text("usa"),
        region: None,
        calling_phone_number: PhoneNumber::parse("+12125550123"),
        zip: text("93101"),
        ..near.clone()
    };
    let foreign = CallFacts { zip: None, region: text("Ontario"), ..located.clone() };
    let [located, foreign] = [located, foreign].map(CallFacts::with_derived_locations);
    [near, far, located, foreign, CallFacts::default()]
}

/// Loads the time zone and the tables of places, which are cached from then on.
fn load_tables(terms: &Terms) {
    terms.timezone.time_zone();
    find_state("CA");
    find_country("US");
}

#[test]
fn evaluation_of_every_term_does_not_allocate() {
    let terms = terms();
    let zip = ZipCode::parse("93101");
    let pressed = [Key::Digit(1), Key::Digit(2)];
    let given = IvrFacts {
        pressed_keys: &pressed,
        sms_sent: true,
        connected: Some(false),
        ..IvrFacts::default()
    };
    let given =
        IvrFacts { zip: zip.as_ref(), location: zip.as_ref().and_then(ZipCode::location), ..given };
    let conditions = CONDITIONS.map(|text| Condition::parse(text).unwrap());
    load_tables(&terms);
    for facts in &facts() {
        for ivr_facts in [IvrFacts::default(), given] {
            let known = EvaluationContext { facts, terms: &terms, ivr_facts };
            for condition in &conditions {
                let counted = measure(|| {
                    condition.expr().evaluate(&known);
                });
                assert_eq!(counted.count_total, 0, "{} on {facts:?}", condition.text());
            }
        }
    }
}

fn node(kind: NodeKind, children: Vec<IvrNode>) -> IvrNode {
    IvrNode { kind, children, keypress_failover_type: None }
}

fn connect() -> IvrNode {
    let kind = NodeKind::Connect {
        prompt: "Please hold.".to_owned(),
        destination_phone_number: "8004377950".to_owned(),
        destination_country_code: "1".to_owned(),
        destination_extension: None,
        connect_timeout: None,
    };
    node(kind, Vec::new())
}

#[test]
fn pricing_a_call_allocates_only_its_ivr_position() {
    let menu = node(NodeKind::Menu { prompt: "Choose.".to_owned() }, vec![connect()]);
    let condition = Some(Condition::parse("in_region[West Coast] or during_hours").unwrap());
    let branch = node(NodeKind::Condition { condition }, vec![menu, connect()]);
    let root = node(NodeKind::VerifyLocation { prompt: String::new() }, vec![branch]);
    let policies = CONDITIONS.iter().take(4).enumerate().map(|(index, text)| Policy {
        kind: if index == 0 { PolicyType::Base } else { PolicyType::Bonus },
        amount: Money::parse("7.25").unwrap(),
        currency: Currency::Usd,
        condition: Condition::parse(text).unwrap(),
    });
    let mut terms = terms();
    terms.ivr_tree =
        Some(IvrTree { root, record_calls: false, caller_id: None, whisper_prompt_text: None });
    terms.advertiser_payin = Pricing::new(policies.collect(), &mut Problems::new());
    terms.affiliate_payout = terms.advertiser_payin.clone();
    load_tables(&terms);
    let admission = Admission { rejection: None, by_affiliate: true };
    for facts in &facts() {
        let counted = measure(|| {
            price_call(&terms, facts, &['1'], admission);
        });
        assert!(counted.count_total <= 2, "the IVR position and the pressed keys: {counted:?}");
    }
}
