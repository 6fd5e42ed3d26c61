//! Client methods for calls and the ledger.

use crate::{Client, Response};
use serde_json::{Value, json};

impl Client {
    /// Reports a call to campaign 12 that starts at `2200-01-01 12:00:00` UTC and lasts 90 seconds;
    /// `more` overrides properties. Returns the `complete_call_id`.
    #[track_caller]
    pub fn report_call(&self, id: &str, more: Value) -> String {
        let call = json!({
            "external_call_unique_id": id,
            "start_time": "2200-01-01 12:00:00 +0000",
            "advertiser_campaign_id_from_network": "12",
            "calling_phone_number": "8057089876",
            "duration_in_seconds": 90,
        });
        let body = json!({"call": crate::body::merged(call, more)});
        let cuid = &self.post("/calls", body).body(201)["cuid"];
        cuid.as_str().expect("a complete_call_id").to_owned()
    }

    /// All rows of the network's ledger.
    #[track_caller]
    pub fn ledger(&self) -> Vec<Value> {
        let rows = self.get(&self.ledger_path("")).body(200);
        rows.as_array().expect("a list").clone()
    }

    /// Path `/networks/transactions/<network><rest>`.
    pub fn ledger_path(&self, rest: &str) -> String {
        format!("/networks/transactions/{}{rest}", self.network_id())
    }

    /// Posts a correction of a transaction.
    #[track_caller]
    pub fn post_correction(&self, transaction: &Value, body: Value) -> Response {
        let id = transaction.as_str().expect("a transaction_id");
        self.extensions().post(&format!("/transactions/{id}/corrections"), body)
    }
}
