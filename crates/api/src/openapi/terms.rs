//! The terms of a campaign, and what they are made of.

use super::shapes::{
    Schemas, answer, example, flag, iso, moment, name, optional_network_id, or_null, reference,
    request, stamp, text, word, word_or_default,
};
use super::{ivr, pricing};
use serde_json::{Map, Value, json};
use trunkline_domain::campaign::{
    AutoApprove, CAMPAIGN_COUNTRIES, CAMPAIGN_LANGUAGES, CampaignType, DEFAULT_REPEAT_DAYS,
    MAX_REPEAT_DAYS, Visibility,
};
use trunkline_domain::hours::{DAY_NAMES, DAY_SECONDS};
use trunkline_domain::timezone::ZoneName;

const REGION_TYPES: [&str; 4] = ["Zone", "City", "State", "Country"];

fn or_empty(words: &[&str], description: &str) -> Value {
    let words = words.iter().map(|word| json!(word)).chain([json!(""), Value::Null]);
    json!({"type": ["string", "null"], "enum": words.collect::<Vec<_>>(), "description": description})
}

/// What a request may say of terms.
pub(super) fn said() -> Map<String, Value> {
    let types = CampaignType::ALL.map(CampaignType::as_str);
    let approvals = AutoApprove::ALL.map(AutoApprove::as_str);
    let visibilities = Visibility::ALL.map(Visibility::as_str);
    let properties = json!({
        "description": text(10_000, "What it is about."),
        "url": text(10_000, "The click URL template."),
        "timezone": or_null(reference("TimeZone"), "The zone of hours, and of days in statistics; Pacific by default."),
        "operating_24_7": {"type": ["boolean", "null"], "description": "Open around the clock; true when no hours are given."},
        "campaign_type": word_or_default(&types, "AffiliateEnabled", "DirectOnly campaigns take no payin and no payout; only AffiliateEnabled ones have budgets."),
        "pricing_type": word_or_default(&["Fixed"], "Fixed", "The only one priced so far; others are refused."),
        "advertiser_payin": or_null(reference("PricingRequest"), "What the advertiser pays. Needed to go live on AffiliateEnabled campaigns."),
        "affiliate_payout": or_null(reference("PricingRequest"), "What the affiliate gets. Needed to go live on AffiliateEnabled campaigns."),
        "hours": or_null(reference("HoursRequest"), "When it is open, in its time zone."),
        "named_regions": {"type": "array", "maxItems": 100, "items": reference("NamedRegionRequest"), "description": "Regions that conditions name; names are unique."},
        "ivr_tree": or_null(reference("IvrTreeRequest"), "What callers meet. It may be sent alone."),
        "budget_activities": or_null(reference("BudgetsRequest"), "Budgets, whole; on AffiliateEnabled campaigns only."),
        "auto_approve": word_or_default(&approvals, "None", "Which applications of affiliates are approved at once."),
        "visibility": word_or_default(&visibilities, "All", "Which affiliates see it and may apply."),
        "default_creative_id_from_network": optional_network_id("The network's id of the creative used by default."),
        "max_promo_numbers": {"type": ["integer", "null"], "minimum": 0, "maximum": 100_000, "default": 10, "description": "Promo numbers that the campaign, and each of its affiliate campaigns, may have."},
        "campaign_language": or_empty(&CAMPAIGN_LANGUAGES, "The language of its callers."),
        "campaign_country": or_empty(&CAMPAIGN_COUNTRIES, "The country of its callers."),
        "repeat_days": {"type": ["integer", "null"], "minimum": 1, "maximum": MAX_REPEAT_DAYS, "default": DEFAULT_REPEAT_DAYS, "description": "Days for which a caller counts as one who has called before (`repeat` in conditions)."},
        "pause_date": moment("When it stops taking calls: a date means its end, in the campaign's zone. Reads as `expiration_date` too."),
    });
    properties.as_object().cloned().unwrap_or_default()
}

fn shown() -> Value {
    let types = CampaignType::ALL.map(CampaignType::as_str);
    let approvals = AutoApprove::ALL.map(AutoApprove::as_str);
    let visibilities = Visibility::ALL.map(Visibility::as_str);
    let optional_text = || json!({"type": ["string", "null"]});
    let mut properties = json!({
        "id": {"type": "string", "pattern": "^[0-9]*$", "description": "A decimal number once they are live, empty before."},
        "description": optional_text(),
        "url": optional_text(),
        "timezone": reference("TimeZone"),
        "operating_24_7": flag("Open around the clock."),
        "campaign_type": word(&types, "Who brings the calls."),
        "pricing_type": {"const": "Fixed"},
        "advertiser_payin": or_null(reference("Pricing"), "What the advertiser pays; not shown to affiliates."),
        "affiliate_payout": or_null(reference("Pricing"), "What the affiliate gets."),
        "hours": or_null(reference("Hours"), "When it is open."),
        "named_regions": {"type": "array", "items": reference("NamedRegion")},
        "ivr_tree": or_null(reference("IvrTree"), "What callers meet."),
        "budget_activities": reference("Budgets"),
        "auto_approve": word(&approvals, "Which applications are approved at once."),
        "visibility": word(&visibilities, "Which affiliates see it."),
        "default_creative_id_from_network": optional_text(),
        "campaign_language": optional_text(),
        "campaign_country": optional_text(),
        "repeat_days": {"type": "integer", "minimum": 1, "maximum": MAX_REPEAT_DAYS, "description": "Days for which a caller counts as one who has called before; left out where it was not said."},
    });
    let dates = json!({
        "expiration_date": iso("When it stops taking calls. Read-only; written as `pause_date`."),
        "pause_date": iso("The same as `expiration_date`."),
        "go_live_date": stamp("When these terms went live."),
        "created_at": stamp("When these terms were opened."),
        "updated_at": stamp("When they last changed."),
    });
    if let (Some(map), Value::Object(dates)) = (properties.as_object_mut(), dates) {
        map.extend(dates);
    }
    answer("Terms", properties, &["advertiser_payin", "budget_activities", "repeat_days"])
}

fn hours(seconds: &Value, closed: &Value) -> Map<String, Value> {
    let mut properties = Map::new();
    for day in DAY_NAMES {
        properties.insert(format!("{day}_open"), seconds.clone());
        properties.insert(format!("{day}_close"), seconds.clone());
        properties.insert(format!("{day}_closed"), closed.clone());
    }
    properties
}

fn all_hours() -> Schemas {
    let closed = json!({"type": ["boolean", "null"]});
    let number = json!({"type": ["integer", "null"], "minimum": 0, "maximum": DAY_SECONDS});
    let mut said = number.clone();
    said["description"] = json!("Seconds past midnight; as a number or as a string.");
    let week = json!({"monday_open": 32400, "monday_close": 75600, "monday_closed": false, "sunday_closed": true});
    let written = request("Hours to write", Value::Object(hours(&said, &closed)), &[]);
    let about = "Seconds past midnight in the campaign's zone. A close at or before the open runs past midnight. A day with no open and no close is closed, unless the campaign is open around the clock.";
    let written = super::shapes::described(written, about);
    let shown = answer("Hours", Value::Object(hours(&number, &closed)), &[]);
    vec![("HoursRequest", example(written, week)), ("Hours", shown)]
}

fn regions() -> Schemas {
    let west = json!({"name": "West Coast", "regions": [
        {"region_type": "State", "value": "CA"},
        {"region_type": "State", "value": "OR"},
    ]});
    let kind = word(&REGION_TYPES, "What the value is.");
    let region_request = request(
        "A region to write",
        json!({"region_type": kind, "value": name("`CA`, or `Sacramento, CA`.")}),
        &["region_type", "value"],
    );
    let list = |of: &str| json!({"type": "array", "maxItems": 1000, "items": reference(of)});
    let named_request = request(
        "A named region to write",
        json!({"name": name("As conditions name it, unique in the campaign."), "regions": list("RegionRequest")}),
        &["name", "regions"],
    );
    let region = answer(
        "Region",
        json!({
            "region_type": kind,
            "value": {"type": "string"},
            "text": {"type": "string", "description": "The region in words: `California`."},
        }),
        &[],
    );
    let named =
        answer("Named region", json!({"name": {"type": "string"}, "regions": list("Region")}), &[]);
    vec![
        ("RegionRequest", region_request),
        ("Region", region),
        ("NamedRegionRequest", example(named_request, west)),
        ("NamedRegion", named),
    ]
}

/// Terms, as the documents' campaign has them.
pub(super) fn said_example() -> Value {
    json!({
        "description": "August promotion to sell post-season tickets at half price.",
        "url": "http://www.nfltix.com/postseasonnow",
        "timezone": "Pacific Time (US & Canada)",
        "operating_24_7": false,
        "campaign_type": "AffiliateEnabled",
        "advertiser_payin": {"policies": [{"type": "Base", "currency": "USD", "condition": "duration > 2 min 30 sec", "amount": 7.5}]},
        "affiliate_payout": pricing::said(),
        "hours": {"monday_open": 32400, "monday_close": 75600, "sunday_closed": true},
        "named_regions": [{"name": "West Coast", "regions": [{"region_type": "State", "value": "CA"}]}],
        "ivr_tree": ivr::tree(),
        "auto_approve": "None",
        "visibility": "All",
        "max_promo_numbers": 10,
    })
}

pub(super) fn schemas() -> Schemas {
    let zones: Vec<&str> = ZoneName::all().map(ZoneName::name).collect();
    let mut schemas = vec![
        (
            "TimeZone",
            json!({
                "title": "Time zone",
                "description": "A Rails name of a time zone; daylight saving is the tz database's.",
                "type": "string",
                "enum": zones,
                "examples": ["Pacific Time (US & Canada)"],
            }),
        ),
        ("Terms", shown()),
    ];
    schemas.extend(all_hours());
    schemas.extend(regions());
    schemas
}
