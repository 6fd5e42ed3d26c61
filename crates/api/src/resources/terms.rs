//! Reads and renders terms. A campaign's request has them at the top level, its response under
//! `current_terms` and `future_terms`.

use crate::object_reader::{ObjectReader, ReadContext, TEXT_LIMIT};
use crate::object_response::Object;
use crate::resources::{budgets, ivr, pricing};
use crate::versions::{Version, hides_caller_id, hides_concurrent_call_cap};
use serde_json::{Map, Value, json};
use trunkline_domain::campaign::{
    AutoApprove, BudgetTotals, Budgets, CAMPAIGN_COUNTRIES, CAMPAIGN_LANGUAGES, CampaignType,
    DEFAULT_MAX_PROMO_NUMBERS, MAX_REPEAT_DAYS, Pricing, Terms, TermsHiddenByVersion, TermsPatch,
    Visibility,
};
use trunkline_domain::hours::{DAY_NAMES, DayHours, SECONDS_PER_DAY, WeeklyHours};
use trunkline_domain::id::TermsId;
use trunkline_domain::problem::{BLANK, INVALID, NOT_LISTED};
use trunkline_domain::region::{NamedRegion, Region, RegionType};
use trunkline_domain::timezone::{self, TimeZoneName};

/// Maximum number of named regions of a campaign.
const MAX_NAMED_REGIONS: usize = 100;
/// Maximum number of regions in a named region.
const MAX_REGIONS: usize = 1_000;
/// Maximum value of `max_promo_numbers`.
const MAX_PROMO_NUMBERS: u32 = 100_000;

/// Time zone of the terms before a change, for dates without a zone.
pub(crate) type CurrentTimeZone = TimeZoneName;

/// Reads the properties of terms.
pub(crate) fn read(
    reader: &mut ObjectReader<'_>,
    version: Version,
    current_time_zone: CurrentTimeZone,
) -> TermsPatch {
    let timezone = reader.enum_value_or_default("timezone", TimeZoneName::parse);
    check_pricing_type(reader);
    TermsPatch {
        description: reader.text("description", TEXT_LIMIT),
        url: reader.text("url", TEXT_LIMIT),
        timezone,
        operating_24_7: reader.boolean("operating_24_7"),
        campaign_type: reader.enum_value_or_default("campaign_type", |word| {
            CampaignType::ALL.into_iter().find(|option| option.as_str() == word)
        }),
        affiliate_payout: read_pricing(reader, "affiliate_payout"),
        advertiser_payin: read_pricing(reader, "advertiser_payin"),
        hours: reader
            .object("hours")
            .map(|map| map.map(|map| read_hours(ObjectReader::new(map, reader.child("hours"))))),
        named_regions: reader.array("named_regions", MAX_NAMED_REGIONS, read_named_region),
        ivr_tree: read_tree(reader),
        budgets: reader.object("budget_activities").map(|map| match map {
            None => Budgets::default(),
            Some(map) => budgets::read(map, reader.child("budget_activities")),
        }),
        auto_approve: reader.enum_value_or_default("auto_approve", |word| {
            AutoApprove::ALL.into_iter().find(|option| option.as_str() == word)
        }),
        visibility: reader.enum_value_or_default("visibility", |word| {
            Visibility::ALL.into_iter().find(|option| option.as_str() == word)
        }),
        default_creative_id_from_network: reader.optional_id("default_creative_id_from_network"),
        max_promo_numbers: reader
            .integer("max_promo_numbers", 0, MAX_PROMO_NUMBERS)
            .map(|number| number.unwrap_or(DEFAULT_MAX_PROMO_NUMBERS)),
        campaign_language: read_list_value(reader, "campaign_language", &CAMPAIGN_LANGUAGES),
        campaign_country: read_list_value(reader, "campaign_country", &CAMPAIGN_COUNTRIES),
        repeat_days: read_repeat_days(reader),
        pause_date: read_pause_date(reader, timezone.unwrap_or(current_time_zone)),
        hidden_by_version: TermsHiddenByVersion {
            concurrent_call_cap: hides_concurrent_call_cap(version)
                && omits(reader, "budget_activities", "concurrent_call_cap_alert"),
            caller_id: hides_caller_id(version) && omits(reader, "ivr_tree", "caller_id"),
            enforce: budgets::omitted_enforce_flags(reader.value("budget_activities")),
        },
    }
}

/// Returns true if an object is present without one of its properties.
fn omits(reader: &mut ObjectReader<'_>, hash: &'static str, name: &str) -> bool {
    matches!(reader.value(hash), Some(Value::Object(map)) if !map.contains_key(name))
}

/// Checks `pricing_type`. Only `Fixed` is supported; the other types are errors, because ignoring
/// them would change the price.
fn check_pricing_type(reader: &mut ObjectReader<'_>) {
    match reader.value("pricing_type") {
        None | Some(Value::Null) => {}
        Some(value) if value == "Fixed" => {}
        Some(value) if value == "OverallMargin" || value == "IndividualMargin" => {
            reader.error("pricing_type", "is not supported: only Fixed is");
        }
        Some(_) => reader.error("pricing_type", NOT_LISTED),
    }
}

fn read_pricing(reader: &mut ObjectReader<'_>, name: &'static str) -> Option<Option<Pricing>> {
    match reader.object(name)? {
        None => Some(None),
        Some(map) => pricing::read(map, reader.child(name)).map(Some),
    }
}

fn read_tree(reader: &mut ObjectReader<'_>) -> Option<Option<trunkline_domain::ivr::IvrTree>> {
    match reader.object("ivr_tree")? {
        None => Some(None),
        Some(map) => ivr::read(map, reader.child("ivr_tree")).map(Some),
    }
}

fn read_list_value(
    reader: &mut ObjectReader<'_>,
    name: &'static str,
    list: &[&str],
) -> Option<Option<String>> {
    reader.enum_value_or_default(name, |word| {
        let is_listed = word.is_empty() || list.contains(&word);
        is_listed.then(|| Some(word.to_owned()).filter(|word| !word.is_empty()))
    })
}

fn read_repeat_days(reader: &mut ObjectReader<'_>) -> Option<Option<u16>> {
    let days = reader.integer("repeat_days", 1, MAX_REPEAT_DAYS.into())?;
    Some(days.and_then(|days| u16::try_from(days).ok()))
}

fn read_pause_date(
    reader: &mut ObjectReader<'_>,
    zone: TimeZoneName,
) -> Option<Option<jiff::Timestamp>> {
    let value = match reader.value("pause_date")? {
        Value::Null => return Some(None),
        Value::String(text) if text.is_empty() => return Some(None),
        value => value.as_str().and_then(|value| timezone::parse_timestamp(value, zone, true)),
    };
    if value.is_none() {
        reader.error("pause_date", INVALID);
    }
    value.map(Some)
}

/// Names of the properties of each day.
const HOURS_PROPERTIES: [[&str; 3]; 7] = [
    ["monday_open", "monday_close", "monday_closed"],
    ["tuesday_open", "tuesday_close", "tuesday_closed"],
    ["wednesday_open", "wednesday_close", "wednesday_closed"],
    ["thursday_open", "thursday_close", "thursday_closed"],
    ["friday_open", "friday_close", "friday_closed"],
    ["saturday_open", "saturday_close", "saturday_closed"],
    ["sunday_open", "sunday_close", "sunday_closed"],
];

fn read_hours(mut reader: ObjectReader<'_>) -> WeeklyHours {
    let days = HOURS_PROPERTIES.map(|[open, close, closed]| DayHours {
        open: reader.integer(open, 0, SECONDS_PER_DAY).flatten(),
        close: reader.integer(close, 0, SECONDS_PER_DAY).flatten(),
        closed: reader.boolean(closed).flatten(),
    });
    reader.finish();
    WeeklyHours { days }
}

fn read_named_region(value: &Value, read_context: ReadContext<'_>) -> Option<NamedRegion> {
    let mut reader = ObjectReader::from_value(value, read_context)?;
    let name = reader.name("name");
    for property in ["name", "regions"] {
        if !reader.is_present(property) {
            reader.error(property, BLANK);
        }
    }
    let regions = reader.array("regions", MAX_REGIONS, |value, read_context| {
        let mut reader = ObjectReader::from_value(value, read_context)?;
        for property in ["region_type", "value"] {
            if !reader.is_present(property) {
                reader.error(property, BLANK);
            }
        }
        let region_type = reader.enum_value("region_type", RegionType::parse);
        let value = reader.name("value");
        reader.finish();
        Some(Region { region_type: region_type?, value: value? })
    });
    reader.finish();
    Some(NamedRegion { name: name?, regions: regions? })
}

/// Terms with the data that their rendering needs.
pub(super) struct TermsProjection<'a> {
    /// Id of the terms and the time when they went live; `None` for future terms.
    pub(super) live: Option<(TermsId, jiff::Timestamp)>,
    /// Time zone of timestamps.
    pub(super) zone: TimeZoneName,
    /// Includes the payin and the budgets.
    pub(super) with_payin: bool,
    /// Terms to render.
    pub(super) terms: &'a Terms,
    /// Current totals of their budgets.
    pub(super) totals: &'a BudgetTotals,
}

/// Renders terms in the newest version.
pub(super) fn render(projection: &TermsProjection<'_>) -> Value {
    let TermsProjection { live, zone, with_payin, terms, totals } = projection;
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
    put("default_creative_id_from_network", json!(terms.default_creative_external_id));
    put("campaign_language", json!(terms.campaign_language));
    put("campaign_country", json!(terms.campaign_country));
    if let Some(days) = terms.repeat_days {
        put("repeat_days", days.into());
    }
    let pause_date = terms.pause_date.map(|at| timezone::format_iso8601(at, terms.timezone));
    put("expiration_date", json!(pause_date));
    put("pause_date", json!(pause_date));
    put("go_live_date", live.map(|(_, at)| timezone::format_legacy(at, *zone)).into());
    put("created_at", timezone::format_legacy(terms.created_at, *zone).into());
    put("updated_at", timezone::format_legacy(terms.updated_at, *zone).into());
    Value::Object(object)
}

fn render_hours(hours: &WeeklyHours) -> Value {
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
            json!({"region_type": region.region_type.as_str(), "value": region.value, "text": region.display_name()})
        })
        .collect();
    json!({"name": region.name, "regions": regions})
}
