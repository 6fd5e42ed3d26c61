//! Terms of a campaign: their properties, hours and regions.

use super::schema::{
    NamedSchemas, boolean, enumeration, enumeration_or_null, enumeration_with_default,
    iso_timestamp, legacy_timestamp, nullable, nullable_external_id, nullable_text,
    nullable_timestamp, request_array, request_boolean, request_integer, request_object,
    required_text, response_object, schema_reference, with_description, with_example,
};
use super::{ivr, pricing};
use serde_json::{Map, Value, json};
use trunkline_domain::campaign::{
    AutoApprove, CAMPAIGN_COUNTRIES, CAMPAIGN_LANGUAGES, CampaignType, DEFAULT_REPEAT_DAYS,
    MAX_REPEAT_DAYS, Visibility,
};
use trunkline_domain::hours::{DAY_NAMES, SECONDS_PER_DAY};

/// Regions of one named region in a request.
const MAX_REGIONS: usize = 1_000;

const REGION_TYPES: [&str; 4] = ["Zone", "City", "State", "Country"];

/// One of several strings, or the empty string or `null` for none.
fn optional_enumeration(values: &[&str], description: &str) -> Value {
    let values: Vec<&str> = values.iter().copied().chain([""]).collect();
    enumeration_or_null(&values, description)
}

/// Properties of terms in a request.
pub(super) fn request_properties() -> Map<String, Value> {
    let types = CampaignType::ALL.map(CampaignType::as_str);
    let approvals = AutoApprove::ALL.map(AutoApprove::as_str);
    let visibilities = Visibility::ALL.map(Visibility::as_str);
    let properties = json!({
        "description": nullable_text(10_000, "Description of the campaign."),
        "url": nullable_text(10_000, "Template of the click URL."),
        "timezone": nullable(schema_reference("TimeZone"), "Time zone of hours and of days in statistics. Default: Pacific."),
        "operating_24_7": request_boolean("Open around the clock. Default: true if there are no hours."),
        "campaign_type": enumeration_with_default(&types, "AffiliateEnabled", "DirectOnly campaigns have no payin and no payout. Only AffiliateEnabled ones have budgets."),
        "pricing_type": enumeration_with_default(&["Fixed"], "Fixed", "Only Fixed is supported."),
        "advertiser_payin": nullable(schema_reference("PricingRequest"), "Price that the advertiser pays. Required for `go_live` of AffiliateEnabled campaigns."),
        "affiliate_payout": nullable(schema_reference("PricingRequest"), "Price that the affiliate receives. Required for `go_live` of AffiliateEnabled campaigns."),
        "hours": nullable(schema_reference("HoursRequest"), "Opening hours in the campaign's time zone."),
        "named_regions": request_array(schema_reference("NamedRegionRequest"), 100, "Regions for use in conditions; their names are unique."),
        "ivr_tree": nullable(schema_reference("IvrTreeRequest"), "IVR tree of the calls. It can be sent alone."),
        "budget_activities": nullable(schema_reference("BudgetsRequest"), "The complete budgets. Only on AffiliateEnabled campaigns."),
        "auto_approve": enumeration_with_default(&approvals, "None", "Applications of affiliates that are approved at once."),
        "visibility": enumeration_with_default(&visibilities, "All", "Affiliates that can read the campaign and apply to it."),
        "default_creative_id_from_network": nullable_external_id("External id of the default creative."),
        "max_promo_numbers": request_integer(0, 100_000, "Maximum number of promo numbers of the campaign, and of each of its affiliate campaigns. Default for a new campaign: 10."),
        "campaign_language": optional_enumeration(&CAMPAIGN_LANGUAGES, "Language of the callers."),
        "campaign_country": optional_enumeration(&CAMPAIGN_COUNTRIES, "Country of the callers."),
        "repeat_days": request_integer(1, MAX_REPEAT_DAYS.into(), &format!("Days after a call in which a caller counts as a repeat caller (`repeat` in conditions). Default: {DEFAULT_REPEAT_DAYS}.")),
        "pause_date": nullable_timestamp("Time when the campaign stops accepting calls; a date means the end of that day in the campaign's time zone. Returned as `expiration_date` too."),
    });
    properties.as_object().cloned().unwrap_or_default()
}

fn response_schema() -> Value {
    let types = CampaignType::ALL.map(CampaignType::as_str);
    let approvals = AutoApprove::ALL.map(AutoApprove::as_str);
    let visibilities = Visibility::ALL.map(Visibility::as_str);
    let optional_text = || json!({"type": ["string", "null"]});
    let mut properties = json!({
        "id": {"type": "string", "pattern": "^[0-9]*$", "description": "Decimal number after `go_live`; empty before."},
        "description": optional_text(),
        "url": optional_text(),
        "timezone": schema_reference("TimeZone"),
        "operating_24_7": boolean("Open around the clock."),
        "campaign_type": enumeration(&types, "Type of the campaign."),
        "pricing_type": enumeration(&["Fixed"], "Type of the pricing."),
        "advertiser_payin": nullable(schema_reference("Pricing"), "Price that the advertiser pays. Absent for affiliates."),
        "affiliate_payout": nullable(schema_reference("Pricing"), "Price that the affiliate receives."),
        "hours": nullable(schema_reference("Hours"), "Opening hours."),
        "named_regions": {"type": "array", "items": schema_reference("NamedRegion")},
        "ivr_tree": nullable(schema_reference("IvrTree"), "IVR tree of the calls."),
        "budget_activities": schema_reference("Budgets"),
        "auto_approve": enumeration(&approvals, "Applications that are approved at once."),
        "visibility": enumeration(&visibilities, "Affiliates that can read the campaign."),
        "default_creative_id_from_network": optional_text(),
        "campaign_language": optional_text(),
        "campaign_country": optional_text(),
        "repeat_days": {"type": "integer", "minimum": 1, "maximum": MAX_REPEAT_DAYS, "description": "Days after a call in which a caller counts as a repeat caller. Absent if it was never set."},
    });
    let dates = json!({
        "expiration_date": iso_timestamp("Time when the campaign stops accepting calls. Read-only; requests set `pause_date`."),
        "pause_date": iso_timestamp("The same as `expiration_date`."),
        "go_live_date": legacy_timestamp("Time when these terms went live."),
        "created_at": legacy_timestamp("Time when these terms were created."),
        "updated_at": legacy_timestamp("Time of the last change."),
    });
    if let (Some(map), Value::Object(dates)) = (properties.as_object_mut(), dates) {
        map.extend(dates);
    }
    response_object(properties, &["advertiser_payin", "budget_activities", "repeat_days"])
}

fn hours_properties(seconds: &Value, closed: &Value) -> Map<String, Value> {
    let mut properties = Map::new();
    for day in DAY_NAMES {
        properties.insert(format!("{day}_open"), seconds.clone());
        properties.insert(format!("{day}_close"), seconds.clone());
        properties.insert(format!("{day}_closed"), closed.clone());
    }
    properties
}

fn hours_schemas() -> NamedSchemas {
    let closed = json!({"type": ["boolean", "null"]});
    let request_closed = request_boolean("Closed all day.");
    let seconds = json!({"type": ["integer", "null"], "minimum": 0, "maximum": SECONDS_PER_DAY});
    let request_seconds =
        request_integer(0, SECONDS_PER_DAY, "Seconds past midnight, as a number or as text.");
    let week_example = json!({"monday_open": 32400, "monday_close": 75600, "monday_closed": false, "sunday_closed": true});
    let hours_request =
        request_object(Value::Object(hours_properties(&request_seconds, &request_closed)), &[]);
    let description = "Seconds past midnight in the campaign's time zone. A close at or before the open is on the following day. A day without open and close is closed, unless the campaign is open around the clock.";
    let hours_request = with_description(hours_request, description);
    let hours = response_object(Value::Object(hours_properties(&seconds, &closed)), &[]);
    vec![("HoursRequest", with_example(hours_request, week_example)), ("Hours", hours)]
}

fn region_schemas() -> NamedSchemas {
    let named_region_example = json!({"name": "West Coast", "regions": [
        {"region_type": "State", "value": "CA"},
        {"region_type": "State", "value": "OR"},
    ]});
    let region_type = enumeration(&REGION_TYPES, "Type of the value.");
    let region_request = request_object(
        json!({"region_type": region_type, "value": required_text("`CA`, or `Sacramento, CA`.")}),
        &["region_type", "value"],
    );
    let list = |schema: &str| json!({"type": "array", "items": schema_reference(schema)});
    let named_region_request = request_object(
        json!({"name": required_text("Name for use in conditions, unique in the campaign."), "regions": request_array(schema_reference("RegionRequest"), MAX_REGIONS, "The regions; any of them counts.")}),
        &["name", "regions"],
    );
    let region = response_object(
        json!({
            "region_type": region_type,
            "value": {"type": "string"},
            "text": {"type": "string", "description": "Display name: `California`."},
        }),
        &[],
    );
    let named_region =
        response_object(json!({"name": {"type": "string"}, "regions": list("Region")}), &[]);
    vec![
        ("RegionRequest", region_request),
        ("Region", region),
        ("NamedRegionRequest", with_example(named_region_request, named_region_example)),
        ("NamedRegion", named_region),
    ]
}

/// Example of terms in a request.
pub(super) fn request_example() -> Value {
    json!({
        "description": "August promotion to sell post-season tickets at half price.",
        "url": "http://www.nfltix.com/postseasonnow",
        "timezone": "Pacific Time (US & Canada)",
        "operating_24_7": false,
        "campaign_type": "AffiliateEnabled",
        "advertiser_payin": {"policies": [{"type": "Base", "currency": "USD", "condition": "duration > 2 min 30 sec", "amount": 7.5}]},
        "affiliate_payout": pricing::request_example(),
        "hours": {"monday_open": 32400, "monday_close": 75600, "sunday_closed": true},
        "named_regions": [{"name": "West Coast", "regions": [{"region_type": "State", "value": "CA"}]}],
        "ivr_tree": ivr::tree_example(),
        "auto_approve": "None",
        "visibility": "All",
        "max_promo_numbers": 10,
    })
}

pub(super) fn schemas() -> NamedSchemas {
    let mut schemas = vec![
        (
            "TimeZone",
            json!({
                "description": "Name of a time zone in Rails or in the tz database, which supplies its daylight saving rules. It is returned as it was sent.",
                "type": "string",
                "format": "time-zone",
                "examples": ["Pacific Time (US & Canada)", "America/New_York"],
            }),
        ),
        ("Terms", response_schema()),
    ];
    schemas.extend(hours_schemas());
    schemas.extend(region_schemas());
    schemas
}
