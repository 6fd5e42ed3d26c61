//! Calls that stories take in, and the ledger that they read.

use crate::{Answer, Client};
use serde_json::{Value, json};

impl Client {
    /// Takes a call in to campaign 12, of `2200-01-01 12:00:00` UTC and 90 seconds unless `more`
    /// says otherwise; returns its complete_call_id.
    #[track_caller]
    pub fn calls(&self, id: &str, more: Value) -> String {
        let call = json!({
            "external_call_unique_id": id,
            "start_time": "2200-01-01 12:00:00 +0000",
            "advertiser_campaign_id_from_network": "12",
            "calling_phone_number": "8057089876",
            "duration_in_seconds": 90,
        });
        let body = json!({"call": crate::body::with(call, more)});
        let cuid = &self.post("/calls", body).body(201)["cuid"];
        cuid.as_str().expect("a complete_call_id").to_owned()
    }

    /// The network's whole ledger.
    #[track_caller]
    pub fn ledger(&self) -> Vec<Value> {
        let rows = self.get(&self.ledger_path("")).body(200);
        rows.as_array().expect("a list").clone()
    }

    /// `/networks/transactions/<network><rest>`
    pub fn ledger_path(&self, rest: &str) -> String {
        format!("/networks/transactions/{}{rest}", self.network_id())
    }

    /// Corrects a transaction.
    #[track_caller]
    pub fn correct(&self, transaction: &Value, body: Value) -> Answer {
        let id = transaction.as_str().expect("a transaction_id");
        self.extensions().post(&format!("/transactions/{id}/corrections"), body)
    }
}
