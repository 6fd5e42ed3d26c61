//! Request bodies and paths.

use serde_json::{Value, json};

/// A user with the required properties only.
pub fn user(id: &str) -> Value {
    json!({
        "id_from_network": id,
        "email_settings": [{
            "email_address": format!("user{id}@example.com"),
            "use_for_notifications": true,
        }],
        "first_name": "User",
        "last_name": id,
    })
}

/// An affiliate with a name.
pub fn affiliate(name: &str) -> Value {
    json!({"name": name})
}

/// An affiliate with a value in every property.
pub fn full_affiliate(id: &str) -> Value {
    json!({
        "id_from_network": id,
        "name": format!("Affiliate {id}"),
        "status": "Approved",
        "sites": [{"id_from_network": "33567", "name": "http://www.surfoz.au"}],
        "users": [full_user(&format!("f{id}"))],
        "custom_data": {"channel": "Online lead"},
    })
}

/// An advertiser with a value in every property.
pub fn full_advertiser(id: &str) -> Value {
    json!({
        "id_from_network": id,
        "name": format!("Advertiser {id}"),
        "approval_status": "Approved",
        "web_integration_phone_number": "8004377950",
        "default_creative_id_from_network": "111",
        "oauth_refresh_token": "5565",
        "sites": [{"id_from_network": "1", "name": "http://www.nfltix.com"}],
        "users": [full_user(&format!("a{id}"))],
        "custom_data": {"channel": "Online lead"},
    })
}

/// A user with a value in every property.
pub fn full_user(id: &str) -> Value {
    json!({
        "id_from_network": id,
        "email_settings": [
            {"email_address": format!("{id}@example.com"), "use_for_notifications": true},
            {"email_address": format!("{id}@example.org"), "use_for_notifications": false},
        ],
        "first_name": "User",
        "last_name": "Affiliate",
        "contact_phone_number": "8057089876",
        "oauth_refresh_token": "556588585858585858585858858",
        "role": "Manager",
        "notify_on_budgets": true,
        "notify_on_call_activities": true,
    })
}

/// A payin or payout of one Base policy, in US dollars.
pub fn base_policy(amount: f64, condition: &str) -> Value {
    json!({"policies": [
        {"type": "Base", "amount": amount, "currency": "USD", "condition": condition},
    ]})
}

/// A Connect node.
pub fn connect_node() -> Value {
    json!({
        "node_type": "Connect",
        "destination_phone_number": "8004377950",
        "destination_country_code": "1",
        "prompt": "",
    })
}

/// A campaign that can go live.
pub fn campaign(name: &str) -> Value {
    json!({
        "name": name,
        "advertiser_payin": base_policy(7.0, ""),
        "affiliate_payout": base_policy(4.5, ""),
        "ivr_tree": {"root": connect_node(), "record_calls": false},
    })
}

/// The create example of the advertiser campaigns document of 2015-05-01, with a value in every
/// property.
pub fn full_campaign(id: &str) -> Value {
    let mut campaign = crate::fixture("advertiser_campaigns_2015_05_01/create_campaign_request");
    let more = json!({
        "id_from_network": id,
        "name": format!("Campaign {id}"),
        "auto_approve": "None",
        "visibility": "All",
        "campaign_language": "English",
        "campaign_country": "US",
        "pause_date": "2099-05-18T23:59:59-07:00",
        "custom_data": {"channel": "Online lead"},
        "budget_activities": {
            "budget_cap_alert": {
                "budget_amount": 100.0,
                "budget_currency": "USD",
                "reset_period": "Monthly",
                "starts_at": "2014-04-01T00:00:00-07:00",
                "time_zone": "Pacific Time (US & Canada)",
            },
            "periodic_call_cap_alert": {
                "budget_amount": 200,
                "budget_currency": "USD",
                "reset_period": "Ongoing",
                "starts_at": "2014-04-17T00:00:00-07:00",
                "time_zone": "Pacific Time (US & Canada)",
            },
            "concurrent_call_cap_alert": {"budget_amount": 5},
        },
    });
    merge(&mut campaign, &more);
    campaign["ivr_tree"]["caller_id"] = json!({"setting": "partial", "mask": "805"});
    campaign
}

/// Copies the properties of `more` into `body`.
pub fn merge(body: &mut Value, more: &Value) {
    let (Value::Object(body), Value::Object(more)) = (body, more) else {
        panic!("both bodies must be objects")
    };
    for (name, value) in more {
        body.insert(name.clone(), value.clone());
    }
}

/// Copy of a body with the properties of `more` set.
pub fn merged(mut body: Value, more: Value) -> Value {
    merge(&mut body, &more);
    body
}

/// Path `/advertisers/<a>/advertiser_campaigns/<c>`.
pub fn campaign_path(advertiser: &str, campaign: &str) -> String {
    format!("/advertisers/{advertiser}/advertiser_campaigns/{campaign}")
}

/// Path `…/affiliates/<f>/affiliate_campaigns`.
pub fn affiliate_campaign_path(advertiser: &str, campaign: &str, affiliate: &str) -> String {
    let campaign = campaign_path(advertiser, campaign);
    format!("{campaign}/affiliates/{affiliate}/affiliate_campaigns")
}

/// Path `/advertisers/<a>/affiliates/<f>`.
pub fn relationship_path(advertiser: &str, affiliate: &str) -> String {
    format!("/advertisers/{advertiser}/affiliates/{affiliate}")
}

/// Action that dials a US number, with other properties.
pub fn dial_action(number: &str, more: Value) -> Value {
    let dial = json!({
        "number": number, "country_code": "1", "extension": null, "timeout": null,
        "caller_id": null, "record": false, "whisper": null, "accept": false, "also": [],
    });
    json!({"dial": merged(dial, more)})
}
