"""Generation of requests by schemathesis: strategies for the document's formats, and limits.

The document describes every request that the server accepts. Random requests within it are mostly
rejected for rules that no schema expresses (a date must be within 31 days of another), and spend
their variety on spellings ("60", 60.0, " 60 "). `before_load_schema` therefore narrows the schemas
of requests. Schemas of responses do not change, so responses are compared with the document itself.
"""

from datetime import date

import schemathesis
from hypothesis import strategies as st

amounts = st.integers(0, 700)
operators = st.sampled_from([">", ">=", "<", "<=", "="])
terms = st.sampled_from(["repeat", "mobile", "landline", "sms_sent", "during_hours", "in_region"])
presses = st.integers(1, 9).map("pressed[{}]".format)
quoted = st.sampled_from(['media_type = "Radio"', 'custom_data[channel] present'])


def durations(term):
    unit = st.sampled_from(["", " sec", " min", " hours"])
    return st.builds("{} {} {}{}".format, st.just(term), operators, amounts, unit)


def expressions(leaves):
    return st.recursive(
        leaves,
        lambda inner: st.one_of(
            inner.map("not ({})".format),
            st.builds("({}) and ({})".format, inner, inner),
            st.builds("{} OR {}".format, inner, inner),
        ),
        max_leaves=5,
    )


known_during_call = expressions(st.one_of(terms, presses, quoted))
known_after_call = expressions(
    st.one_of(terms, presses, quoted, durations("duration"), durations("connect_duration"))
)
us_numbers = st.integers(2_000_000_000, 9_999_999_999).map(str)
dates = st.dates(date(2000, 1, 1), date(2099, 12, 31)).map(str)

schemathesis.openapi.format("condition", st.one_of(st.just(""), known_after_call))
schemathesis.openapi.format("ivr-condition", known_during_call)
schemathesis.openapi.format("phone-number", st.one_of(us_numbers, us_numbers.map("+44{}".format)))
schemathesis.openapi.format("destination-number", st.one_of(st.just(""), us_numbers))
schemathesis.openapi.format("moment", st.one_of(dates, dates.map("{}T12:30:00-07:00".format)))
schemathesis.openapi.format("partner-name", st.just("channel"))
zones = ["Pacific Time (US & Canada)", "Alberta", "UTC", "America/New_York", "Europe/Kyiv"]
schemathesis.openapi.format("time-zone", st.sampled_from(zones))

DATE = r"^20[0-9]{2}-(0[1-9]|1[0-2])-(0[1-9]|1[0-9]|2[0-8])$"
TAG = '^"[0-9a-f]{32}"$'
# Dates from the newest change of the contract on, of which the document describes the responses.
VERSION = (
    r"^(2022-08-(0[1-9]|[12][0-9]|3[01])|2022-(09|11)-(0[1-9]|[12][0-9]|30)"
    r"|2022-1[02]-(0[1-9]|[12][0-9]|3[01])|20(2[3-9]|[3-9][0-9])-((0[1-9]|1[0-2])"
    r"-(0[1-9]|1[0-9]|2[0-8])|(0[13-9]|1[0-2])-(29|30)|(0[13578]|1[02])-31)|20(2[48]|[3579][26]"
    r"|[468][048])-02-29)$"
)

# Parameters, by the name of their component.
PARAMETERS = {
    "version": {"type": "string", "pattern": VERSION},
    "from": {"type": "string", "pattern": DATE},
    "to": {"type": "string", "pattern": DATE},
    "calls_from": {"type": "string", "pattern": DATE},
    "calls_to": {"type": "string", "pattern": DATE},
    "month": {"type": "string", "pattern": "^20[0-9]{2}-(0[1-9]|1[0-2])$"},
    "If-Match": {"type": "string", "pattern": TAG[:-1] + r"$|^\*$"},
    "If-None-Match": {"type": "string", "pattern": TAG},
    "Idempotency-Key": {"type": "string", "maxLength": 255, "pattern": "^[!-~]+$"},
    "Last-Event-ID": {"type": "string", "pattern": "^[0-9]{1,18}$"},
}

# Half of the requests that name a campaign in the body name the one that tests/schemathesis/run creates.
CAMPAIGN = {"type": "string", "enum": ["12", "none"]}
ID = {"type": "string", "minLength": 1, "maxLength": 255, "pattern": r"\S"}
WHOLE_NUMBER = {"type": "integer", "minimum": 0, "maximum": 1_000_000}

WEBHOOK = {
    # Hosts that resolve nowhere.
    "url": {"type": "string", "pattern": r"^https://[a-z]{1,20}\.example\.com(/[a-z]{0,20})?$"},
    "secret": {"type": ["string", "null"], "pattern": "^whsec_[A-Za-z0-9+/]{32}$"},
}

# Properties of request schemas.
PROPERTIES = {
    # Without generated ids, most requests that create an object have no id and are rejected.
    "SettingsRequest": {"auto_generate_ids": {"type": "boolean", "enum": [True]}},
    "CallCapRequest": {"budget_amount": WHOLE_NUMBER},
    "ConcurrentCapRequest": {"budget_amount": WHOLE_NUMBER},
    "UserRequest": {"id_from_network": ID},
    "ReplayRequest": {"advertiser_campaign": CAMPAIGN},
    "PromoNumberRequest": {"local_center": {"tn_prefix": {"type": "string", "enum": ["800", "805"]}}},
    "PromoNumberUpdate": {"local_center": {"tn_prefix": {"type": "string", "enum": ["800", "805"]}}},
    "CallRequest": {
        "call": {
            "advertiser_campaign_id_from_network": CAMPAIGN,
            "start_time": {"type": "string", "pattern": DATE},
            # After every start_time; most are rejected as being more than 31 days later.
            "end_time": {"type": ["string", "null"], "pattern": "^2100-01-0[1-9]$"},
        }
    },
    "DryRunRequest": {
        "advertiser_campaign": CAMPAIGN,
        "call": {"start_time": {"type": ["string", "null"], "pattern": DATE}},
    },
    "LiveCallRequest": {
        "advertiser_campaign": CAMPAIGN,
        "start_time": {"type": ["string", "null"], "pattern": DATE},
    },
    "LiveCallEventRequest": {"at": {"type": ["string", "null"], "pattern": DATE}},
    "SandboxClockRequest": {"now": {"type": ["string", "null"], "pattern": DATE}},
    "WebhookRequest": WEBHOOK,
    "WebhookUpdateRequest": WEBHOOK,
    "IvrConnect": {"destination_country_code": {"type": "string", "enum": ["1", ""]}},
    "IvrSmsPromo": {"sms_promo_delay": {"enum": [1, 1800, 86400, 604800, 2592000]}},
}

# Properties that only new objects must have, or one of several alternatives.
REQUIRED = {
    "AdvertiserRequest": ["name"],
    "AffiliateRequest": ["name"],
    "CampaignRequest": ["name"],
    "UserRequest": ["id_from_network", "email_settings", "first_name", "last_name"],
    "BudgetRequest": ["starts_at"],
    "CallCapRequest": ["starts_at"],
    "PolicyRequest": ["currency"],
    "IvrConnect": ["destination_phone_number"],
}

# Aliases, which take part only without the property that they stand for.
REMOVED = {
    "UserRequest": ["phone_number", "email_address"],
    "BudgetRequest": ["start_at"],
    "CallCapRequest": ["start_at"],
}


def narrow_spellings(value):
    """Keeps one spelling of each value: numbers and booleans as such, amounts to the cent."""
    if isinstance(value, list):
        for item in value:
            narrow_spellings(item)
    if not isinstance(value, dict):
        return
    types = value.get("type")
    if isinstance(types, list) and "string" in types:
        if {"boolean", "integer"} & set(types) and "0-9]+" in value.get("pattern", "true"):
            value["type"] = [name for name in types if name != "string"]
            value.pop("pattern", None)
        elif value.get("pattern") == "^(true|false)$":
            value["type"] = [name for name in types if name != "string"]
            del value["pattern"]
        elif value.get("format") in ("moment", "phone-number", "destination-number"):
            value["type"] = [name for name in types if name not in ("integer", "number")]
            value.pop("minimum", None)
    if value.get("maximum") == 1_000_000 and value.get("type") == "number":
        value["multipleOf"] = 0.01
    if "[eE]" in str(value.get("pattern", "")):
        value["pattern"] = r"^(0|[1-9][0-9]{0,5})(\.[0-9]{1,2})?$"
    for inner in value.values():
        narrow_spellings(inner)


def narrow_properties(schema, narrowed):
    for name, narrow in narrowed.items():
        if "type" in narrow or "enum" in narrow:
            schema["properties"][name] = narrow
        else:
            narrow_properties(schema["properties"][name], narrow)


def requires(event, *names):
    properties = {name: {"not": {"type": "null"}} for name in names}
    return {"required": list(names), "properties": {"event": {"enum": event}, **properties}}


@schemathesis.hook
def before_load_schema(context, raw_schema):
    components = raw_schema["components"]
    for name, schema in PARAMETERS.items():
        components["parameters"][name]["schema"] = schema
    for path in raw_schema["paths"].values():
        for operation in path.values():
            if isinstance(operation, dict):
                content = operation.get("requestBody", {}).get("content", {})
                content.pop("application/x-ndjson", None)
    schemas = components["schemas"]
    nodes = [name for name in schemas if name.startswith("Ivr") and name not in ("IvrNode", "IvrTree")]
    requests = [name for name in schemas if name.endswith(("Request", "Write", "Create"))] + nodes
    for name in dict.fromkeys(requests):
        narrow_spellings(schemas[name])
    narrow_spellings(schemas["EmailSetting"])
    for name, narrowed in PROPERTIES.items():
        narrow_properties(schemas[name], narrowed)
    for name, required in REQUIRED.items():
        schemas[name].setdefault("required", []).extend(required)
    for name, removed in REMOVED.items():
        for property in removed:
            del schemas[name]["properties"][property]
    for name in nodes:
        schemas[name].get("properties", {}).pop("keypress_failover_type", None)
    schemas["IvrMenu"]["properties"]["children"]["maxItems"] = 9
    number = schemas["IvrRingGroup"]["properties"]["ring_group_destinations"]["items"]
    number["properties"]["ring_group_number"] = {"type": "string", "pattern": "^[2-9][0-9]{9}$"}
    alternatives = ["advertiser_campaign"], ["promo_number"]
    schemas["LiveCallRequest"]["anyOf"] = [
        {"required": names, "properties": {names[0]: {"type": "string", "minLength": 1}}}
        for names in alternatives
    ]
    events = schemas["LiveCallEventRequest"]["properties"]["event"]["enum"]
    others = [event for event in events if event not in ("key", "zip")]
    schemas["LiveCallEventRequest"]["anyOf"] = [
        requires(["key"], "key"),
        requires(["zip"], "zip"),
        requires(others),
    ]
    category = {"properties": {"data_type": {"const": "category"}}, "required": ["data_type"]}
    values = {"required": ["field_values"], "properties": {"field_values": {"type": "array", "minItems": 1}}}
    for name in ("CustomDataFieldCreate", "CustomDataFieldRequest"):
        schemas[name]["allOf"] = [{"if": category, "then": values}]
