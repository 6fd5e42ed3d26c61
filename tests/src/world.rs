//! What stories begin with: objects that are there already.

use crate::{Client, body};
use serde_json::{Value, json};

impl Client {
    /// Makes an affiliate.
    #[track_caller]
    pub fn has_affiliate(&self, id: &str) -> Value {
        let body = body::affiliate(&format!("Affiliate {id}"));
        self.put(&format!("/affiliates/{id}"), body).body(200)
    }

    /// Makes an advertiser.
    #[track_caller]
    pub fn has_advertiser(&self, id: &str) -> Value {
        let body = json!({"name": format!("Advertiser {id}")});
        self.put(&format!("/advertisers/{id}"), body).body(200)
    }

    /// Makes an advertiser and a campaign of it that can go live; `more` is what is special.
    #[track_caller]
    pub fn has_campaign(&self, advertiser: &str, id: &str, more: Value) -> Value {
        self.has_advertiser(advertiser);
        let body = body::with(body::campaign(&format!("Campaign {id}")), more);
        self.put(&body::campaign_path(advertiser, id), body).body(200)
    }

    /// The same, live.
    #[track_caller]
    pub fn has_live_campaign(&self, advertiser: &str, id: &str, more: Value) {
        self.has_campaign(advertiser, id, more);
        self.go_live(advertiser, id);
    }

    /// Takes a campaign live.
    #[track_caller]
    pub fn go_live(&self, advertiser: &str, id: &str) {
        let path = format!("{}/go_live", body::campaign_path(advertiser, id));
        self.post(&path, json!({})).is(200, &json!({}));
    }

    /// Makes an affiliate that has applied to a campaign; returns the affiliate campaign.
    #[track_caller]
    pub fn has_applied(&self, advertiser: &str, campaign: &str, affiliate: &str) -> Value {
        self.has_affiliate(affiliate);
        let path = body::affiliate_campaign_path(advertiser, campaign, affiliate);
        self.post(&path, json!({"status": "Applied"})).body(201)
    }

    /// The status of an affiliate campaign.
    #[track_caller]
    pub fn status_of(&self, advertiser: &str, campaign: &str, affiliate: &str) -> String {
        let path = body::affiliate_campaign_path(advertiser, campaign, affiliate);
        let status = &self.get(&path).body(200)["status"];
        status.as_str().expect("a status").to_owned()
    }

    /// The entries of the audit log, all or of one object.
    #[track_caller]
    pub fn audit(&self, object: Option<&str>) -> Vec<Value> {
        let query = object.map(|object| format!("?object={object}")).unwrap_or_default();
        let log = self.extensions().get(&format!("/audit{query}")).body(200);
        log.as_array().expect("a list").clone()
    }
}
