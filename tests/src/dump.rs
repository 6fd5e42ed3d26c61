//! Snapshot of a network through the API.

use crate::{Client, body};
use serde_json::{Map, Value};

/// Reads every object and the audit log. The result is keyed by path.
#[track_caller]
pub fn dump(client: &Client) -> Value {
    let mut objects = Map::new();
    let mut read = |path: String| -> Vec<String> {
        let body = client.get(&path).body(200);
        let ids = external_ids(&body);
        objects.insert(path, body);
        ids
    };
    read("/network".to_owned());
    read("/custom_data_fields".to_owned());
    read("/affiliates".to_owned());
    for advertiser in read("/advertisers".to_owned()) {
        read(format!("/advertisers/{advertiser}/users"));
        read(format!("/advertisers/{advertiser}/affiliates"));
        for id in read(format!("/advertisers/{advertiser}/advertiser_campaigns")) {
            let campaign = body::campaign_path(&advertiser, &id);
            read(format!("{campaign}/affiliate_campaigns"));
            read(format!("{campaign}/promo_numbers"));
        }
    }
    objects.insert("audit".to_owned(), client.audit_entries(None).into());
    Value::Object(objects)
}

fn external_ids(list: &Value) -> Vec<String> {
    let items = list.as_array().map(Vec::as_slice).unwrap_or_default();
    items.iter().filter_map(|item| item["id_from_network"].as_str().map(str::to_owned)).collect()
}
