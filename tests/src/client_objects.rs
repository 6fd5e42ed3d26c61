//! Client methods that create the objects a test starts from.

use crate::{Client, body};
use serde_json::{Value, json};

impl Client {
    /// Creates an affiliate.
    #[track_caller]
    pub fn has_affiliate(&self, id: &str) -> Value {
        let body = body::affiliate(&format!("Affiliate {id}"));
        self.put(&format!("/affiliates/{id}"), body).body(200)
    }

    /// Creates an advertiser.
    #[track_caller]
    pub fn has_advertiser(&self, id: &str) -> Value {
        let body = json!({"name": format!("Advertiser {id}")});
        self.put(&format!("/advertisers/{id}"), body).body(200)
    }

    /// Creates an advertiser and a campaign of it that can go live. `more` overrides properties.
    #[track_caller]
    pub fn has_campaign(&self, advertiser: &str, id: &str, more: Value) -> Value {
        self.has_advertiser(advertiser);
        let body = body::merged(body::campaign(&format!("Campaign {id}")), more);
        self.put(&body::campaign_path(advertiser, id), body).body(200)
    }

    /// Creates an advertiser and a live campaign of it. `more` overrides properties.
    #[track_caller]
    pub fn has_live_campaign(&self, advertiser: &str, id: &str, more: Value) {
        self.has_campaign(advertiser, id, more);
        self.go_live(advertiser, id);
    }

    /// Makes a campaign live.
    #[track_caller]
    pub fn go_live(&self, advertiser: &str, id: &str) {
        let path = format!("{}/go_live", body::campaign_path(advertiser, id));
        self.post(&path, json!({})).assert_json(200, &json!({}));
    }

    /// Creates an affiliate and its application to a campaign. Returns the affiliate campaign.
    #[track_caller]
    pub fn has_applied(&self, advertiser: &str, campaign: &str, affiliate: &str) -> Value {
        self.has_affiliate(affiliate);
        let path = body::affiliate_campaign_path(advertiser, campaign, affiliate);
        self.post(&path, json!({"status": "Applied"})).body(201)
    }

    /// Status of an affiliate campaign.
    #[track_caller]
    pub fn affiliate_campaign_status(
        &self,
        advertiser: &str,
        campaign: &str,
        affiliate: &str,
    ) -> String {
        let path = body::affiliate_campaign_path(advertiser, campaign, affiliate);
        let status = &self.get(&path).body(200)["status"];
        status.as_str().expect("a status").to_owned()
    }

    /// Entries of the audit log, all or those of one object such as `affiliate:222`.
    #[track_caller]
    pub fn audit_entries(&self, object: Option<&str>) -> Vec<Value> {
        let query = object.map(|object| format!("?object={object}")).unwrap_or_default();
        let log = self.extensions().get(&format!("/audit{query}")).body(200);
        log.as_array().expect("a list").clone()
    }
}
