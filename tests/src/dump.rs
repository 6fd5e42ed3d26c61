//! Everything that a network says of itself.

use crate::{Client, body};
use serde_json::{Map, Value};

/// Every object that GET shows, and the audit log: the database as a client knows it.
#[track_caller]
pub fn dump(client: &Client) -> Value {
    let mut seen = Map::new();
    let mut see = |path: String| -> Vec<String> {
        let found = client.get(&path).body(200);
        let ids = ids(&found);
        seen.insert(path, found);
        ids
    };
    see("/network".to_owned());
    see("/custom_data_fields".to_owned());
    see("/affiliates".to_owned());
    for advertiser in see("/advertisers".to_owned()) {
        see(format!("/advertisers/{advertiser}/users"));
        see(format!("/advertisers/{advertiser}/affiliates"));
        for id in see(format!("/advertisers/{advertiser}/advertiser_campaigns")) {
            let campaign = body::campaign_path(&advertiser, &id);
            see(format!("{campaign}/affiliate_campaigns"));
            see(format!("{campaign}/promo_numbers"));
        }
    }
    seen.insert("audit".to_owned(), client.audit(None).into());
    Value::Object(seen)
}

fn ids(found: &Value) -> Vec<String> {
    let items = found.as_array().map(Vec::as_slice).unwrap_or_default();
    items.iter().filter_map(|item| item["id_from_network"].as_str().map(str::to_owned)).collect()
}
