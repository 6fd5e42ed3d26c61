//! The shape of terms: flat in a campaign's request, under `current_terms` and `future_terms` in
//! its answer.

use crate::fields::{Fields, Reading, TEXT_LIMIT};
use crate::reply::Object;
use crate::resources::{budgets, ivr, pricing};
use crate::versions::{Version, hides_caller_id, hides_concurrent_call_cap};
use serde_json::{Map, Value, json};
use trunkline_domain::campaign::{
    AutoApprove, BudgetTotals, Budgets, CAMPAIGN_COUNTRIES, CAMPAIGN_LANGUAGES, CampaignType,
    DEFAULT_MAX_PROMO_NUMBERS, MAX_REPEAT_DAYS, Pricing, Terms, TermsChange, UnseenTerms,
    Visibility,
};
use trunkline_domain::hours::{DAY_NAMES, DAY_SECONDS, Day, Hours};
use trunkline_domain::problem::{BLANK, INVALID, NOT_LISTED};
use trunkline_domain::region::{NamedRegion, Region, RegionType};
use trunkline_domain::timezone::{self, ZoneName};

/// Named regions of one campaign, and regions in one of them.
const NAMED_REGIONS: usize = 100;
const REGIONS: usize = 1_000;
/// Promo numbers that a campaign can ask for.
const MAX_PROMO_NUMBERS: u32 = 100_000;

/// The zone of the terms that a change is about, for dates that name none.
pub(crate) type ZoneBefore = ZoneName;

/// Reads what a request says of terms.
pub(crate) fn read(
    fields: &mut Fields<'_>,
    version: Version,
    zone_before: ZoneBefore,
) -> TermsChange {
    let timezone = fields.word_or_default("timezone", ZoneName::parse);
    check_pricing_type(fields);
    TermsChange {
        description: fields.text("description", TEXT_LIMIT),
        url: fields.text("url", TEXT_LIMIT),
        timezone,
        operating_24_7: fields.boolean("operating_24_7"),
        campaign_type: fields.word_or_default("campaign_type", |word| {
            CampaignType::ALL.into_iter().find(|it| it.as_str() == word)
        }),
        affiliate_payout: read_pricing(fields, "affiliate_payout"),
        advertiser_payin: read_pricing(fields, "advertiser_payin"),
        hours: fields
            .hash("hours")
            .map(|map| map.map(|map| read_hours(Fields::new(map, fields.below("hours"))))),
        named_regions: fields.array("named_regions", NAMED_REGIONS, read_named_region),
        ivr_tree: read_tree(fields),
        budgets: fields.hash("budget_activities").map(|map| match map {
            None => Budgets::default(),
            Some(map) => budgets::read(map, fields.below("budget_activities")),
        }),
        auto_approve: fields.word_or_default("auto_approve", |word| {
            AutoApprove::ALL.into_iter().find(|it| it.as_str() == word)
        }),
        visibility: fields.word_or_default("visibility", |word| {
            Visibility::ALL.into_iter().find(|it| it.as_str() == word)
        }),
        default_creative_id_from_network: fields.optional_id("default_creative_id_from_network"),
        max_promo_numbers: fields
            .whole("max_promo_numbers", 0, MAX_PROMO_NUMBERS)
            .map(|number| number.unwrap_or(DEFAULT_MAX_PROMO_NUMBERS)),
        campaign_language: read_listed(fields, "campaign_language", &CAMPAIGN_LANGUAGES),
        campaign_country: read_listed(fields, "campaign_country", &CAMPAIGN_COUNTRIES),
        repeat_days: read_repeat_days(fields),
        pause_date: read_pause_date(fields, timezone.unwrap_or(zone_before)),
        unseen: UnseenTerms {
            concurrent_call_cap: hides_concurrent_call_cap(version)
                && leaves_out(fields, "budget_activities", "concurrent_call_cap_alert"),
            caller_id: hides_caller_id(version) && leaves_out(fields, "ivr_tree", "caller_id"),
        },
    }
}

/// Whether a hash is given, and does not say one of its properties.
fn leaves_out(fields: &mut Fields<'_>, hash: &'static str, name: &str) -> bool {
    matches!(fields.value(hash), Some(Value::Object(map)) if !map.contains_key(name))
}

/// The only one priced so far; the others are refused, not ignored.
fn check_pricing_type(fields: &mut Fields<'_>) {
    match fields.value("pricing_type") {
        None | Some(Value::Null) => {}
        Some(said) if said == "Fixed" => {}
        Some(said) if said == "OverallMargin" || said == "IndividualMargin" => {
            fields.wrong("pricing_type", "is not supported: only Fixed is");
        }
        Some(_) => fields.wrong("pricing_type", NOT_LISTED),
    }
}

fn read_pricing(fields: &mut Fields<'_>, name: &'static str) -> Option<Option<Pricing>> {
    match fields.hash(name)? {
        None => Some(None),
        Some(map) => pricing::read(map, fields.below(name)).map(Some),
    }
}

fn read_tree(fields: &mut Fields<'_>) -> Option<Option<trunkline_domain::ivr::IvrTree>> {
    match fields.hash("ivr_tree")? {
        None => Some(None),
        Some(map) => ivr::read(map, fields.below("ivr_tree")).map(Some),
    }
}

fn read_listed(
    fields: &mut Fields<'_>,
    name: &'static str,
    list: &[&str],
) -> Option<Option<String>> {
    fields.word_or_default(name, |word| {
        let known = word.is_empty() || list.contains(&word);
        known.then(|| Some(word.to_owned()).filter(|word| !word.is_empty()))
    })
}

fn read_repeat_days(fields: &mut Fields<'_>) -> Option<Option<u16>> {
    let days = fields.whole("repeat_days", 1, MAX_REPEAT_DAYS.into())?;
    Some(days.and_then(|days| u16::try_from(days).ok()))
}

fn read_pause_date(fields: &mut Fields<'_>, zone: ZoneName) -> Option<Option<jiff::Timestamp>> {
    let said = match fields.value("pause_date")? {
        Value::Null => return Some(None),
        Value::String(said) if said.is_empty() => return Some(None),
        said => said.as_str().and_then(|said| timezone::parse_moment(said, zone, true)),
    };
    if said.is_none() {
        fields.wrong("pause_date", INVALID);
    }
    said.map(Some)
}

/// The 21 properties of a week.
const HOURS: [[&str; 3]; 7] = [
    ["monday_open", "monday_close", "monday_closed"],
    ["tuesday_open", "tuesday_close", "tuesday_closed"],
    ["wednesday_open", "wednesday_close", "wednesday_closed"],
    ["thursday_open", "thursday_close", "thursday_closed"],
    ["friday_open", "friday_close", "friday_closed"],
    ["saturday_open", "saturday_close", "saturday_closed"],
    ["sunday_open", "sunday_close", "sunday_closed"],
];

fn read_hours(mut fields: Fields<'_>) -> Hours {
    let days = HOURS.map(|[open, close, closed]| Day {
        open: fields.whole(open, 0, DAY_SECONDS).flatten(),
        close: fields.whole(close, 0, DAY_SECONDS).flatten(),
        closed: fields.boolean(closed).flatten(),
    });
    fields.finish();
    Hours { days }
}

fn read_named_region(value: &Value, reading: Reading<'_>) -> Option<NamedRegion> {
    let mut fields = Fields::of(value, reading)?;
    let name = fields.name("name");
    for property in ["name", "regions"] {
        if !fields.has(property) {
            fields.wrong(property, BLANK);
        }
    }
    let regions = fields.array("regions", REGIONS, |value, reading| {
        let mut fields = Fields::of(value, reading)?;
        for property in ["region_type", "value"] {
            if !fields.has(property) {
                fields.wrong(property, BLANK);
            }
        }
        let region_type = fields.word("region_type", RegionType::parse);
        let value = fields.name("value");
        fields.finish();
        Some(Region { region_type: region_type?, value: value? })
    });
    fields.finish();
    Some(NamedRegion { name: name?, regions: regions? })
}

/// What an answer needs to know besides the terms.
pub(super) struct Shown<'a> {
    /// The id of terms that went live, and when; future terms have none.
    pub(super) live: Option<(i64, jiff::Timestamp)>,
    /// The zone of time stamps.
    pub(super) zone: ZoneName,
    /// Whether the reader may see what the advertiser pays.
    pub(super) with_payin: bool,
    /// The terms.
    pub(super) terms: &'a Terms,
    /// What their budgets stand at.
    pub(super) totals: &'a BudgetTotals,
}

/// Terms as the newest version shows them.
pub(super) fn render(shown: &Shown<'_>) -> Value {
    let Shown { live, zone, with_payin, terms, totals } = shown;
    let mut object = Object::new();
    let mut put = |name: &str, value: Value| object.insert(name.to_owned(), value);
    put("id", live.map_or_else(String::new, |(id, _)| id.to_string()).into());
    put("description", json!(terms.description));
    put("url", json!(terms.url));
    put("timezone", terms.timezone.name().into());
    put("operating_24_7", terms.operating_24_7().into());
    put("campaign_type", terms.campaign_type.as_str().into());
    put("pricing_type", "Fixed".into());
    if *with_payin {
        put("advertiser_payin", terms.advertiser_payin.as_ref().map(pricing::render).into());
    }
    put("affiliate_payout", terms.affiliate_payout.as_ref().map(pricing::render).into());
    put("hours", terms.hours.as_ref().map(render_hours).into());
    put("named_regions", terms.named_regions.iter().map(render_named_region).collect());
    put("ivr_tree", terms.ivr_tree.as_ref().map(ivr::render).into());
    if let Some(budgets) = budgets::render(&terms.budgets, totals).filter(|_| *with_payin) {
        put("budget_activities", budgets);
    }
    put("auto_approve", terms.auto_approve.as_str().into());
    put("visibility", terms.visibility.as_str().into());
    put("default_creative_id_from_network", json!(terms.default_creative_id_from_network));
    put("campaign_language", json!(terms.campaign_language));
    put("campaign_country", json!(terms.campaign_country));
    if let Some(days) = terms.repeat_days {
        put("repeat_days", days.into());
    }
    let expires = terms.pause_date.map(|at| timezone::iso(at, terms.timezone));
    put("expiration_date", json!(expires));
    put("pause_date", json!(expires));
    put("go_live_date", live.map(|(_, at)| timezone::stamp(at, *zone)).into());
    put("created_at", timezone::stamp(terms.created_at, *zone).into());
    put("updated_at", timezone::stamp(terms.updated_at, *zone).into());
    Value::Object(object)
}

fn render_hours(hours: &Hours) -> Value {
    let mut object = Map::new();
    for (day, name) in hours.days.iter().zip(DAY_NAMES) {
        object.insert(format!("{name}_open"), json!(day.open));
        object.insert(format!("{name}_close"), json!(day.close));
        object.insert(format!("{name}_closed"), json!(day.closed));
    }
    Value::Object(object)
}

fn render_named_region(region: &NamedRegion) -> Value {
    let regions: Vec<Value> = region
        .regions
        .iter()
        .map(|region| {
            json!({"region_type": region.region_type.as_str(), "value": region.value, "text": region.text()})
        })
        .collect();
    json!({"name": region.name, "regions": regions})
}
