//! Every text that holds JSON, or a word of the domain's, reads as what it should be. Those of calls
//! and of the ledger are read with the books.

use super::check::{Finding, Watch};
use crate::Error;
use crate::operations::{NONE, Session};
use serde::de::DeserializeOwned;
use serde_json::Value;
use trunkline_domain::call::Live;
use trunkline_domain::campaign::Terms;
use trunkline_domain::party::{
    AdvertiserProfile, CustomData, CustomDataField, PartyStatus, Site, User,
};
use trunkline_domain::phone::PhoneNumber;
use trunkline_domain::timezone::ZoneName;
use trunkline_domain::webhook::{Secret, WebhookUrl};

/// A column of texts, and what they read as.
struct Body {
    table: &'static str,
    /// What tells its rows apart, as an expression.
    at: &'static str,
    column: &'static str,
    what: &'static str,
    /// Why a text is none; `None` when it is one.
    complaint: fn(&str) -> Option<String>,
}

fn json<T: DeserializeOwned>(text: &str) -> Option<String> {
    serde_json::from_str::<T>(text).err().map(|error| error.to_string())
}

fn word<T>(found: Option<T>) -> Option<String> {
    found.is_none().then(|| "not one of its words".to_owned())
}

const fn body(
    table: &'static str,
    column: &'static str,
    what: &'static str,
    complaint: fn(&str) -> Option<String>,
) -> Body {
    Body { table, at: "id", column, what, complaint }
}

const BODIES: [Body; 24] = [
    body("networks", "time_zone", "a time zone", |text| word(ZoneName::parse(text))),
    body("parties", "status", "a party's status", |text| word(PartyStatus::parse(text))),
    body("parties", "sites", "sites", json::<Vec<Site>>),
    body("parties", "profile", "an advertiser's profile", json::<AdvertiserProfile>),
    body("parties", "custom_data", "custom data", json::<CustomData>),
    body("users", "body", "a user", json::<User>),
    body("custom_data_fields", "body", "a custom data field", json::<CustomDataField>),
    body("campaigns", "future_terms", "terms", json::<Terms>),
    body("campaigns", "custom_data", "custom data", json::<CustomData>),
    body("terms", "body", "terms", json::<Terms>),
    body("affiliate_campaigns", "custom_data", "custom data", json::<CustomData>),
    Body {
        at: "number",
        ..body("numbers", "number", "a phone number", |text| word(PhoneNumber::parse(text)))
    },
    body("promo_numbers", "number", "a phone number", |text| word(PhoneNumber::parse(text))),
    body("promo_numbers", "custom_data", "custom data", json::<CustomData>),
    body("audit", "before", "JSON", json::<Value>),
    body("audit", "after", "JSON", json::<Value>),
    Body { at: "key", ..body("idempotency", "answer", "JSON", json::<Value>) },
    Body { at: "call_id", ..body("live_calls", "state", "a live call", json::<Live>) },
    Body {
        at: "call_id || '.' || sequence",
        ..body("call_events", "event", "JSON", json::<Value>)
    },
    Body {
        at: "call_id || '.' || sequence",
        ..body("call_events", "answer", "JSON", json::<Value>)
    },
    body("events", "body", "JSON", json::<Value>),
    body("webhooks", "kinds", "kinds of events", json::<Vec<String>>),
    body("webhooks", "url", "a webhook's URL", |text| word(WebhookUrl::parse(text).ok())),
    body("webhooks", "secret", "a secret", |text| word(Secret::parse(text))),
];

impl Session<'_> {
    pub(super) fn check_bodies(&mut self, watch: &mut dyn Watch) -> Result<(), Error> {
        let mut last = "";
        for it in &BODIES {
            let Body { table, at, column, .. } = it;
            let sql = format!(
                "SELECT CAST({at} AS TEXT), {column} FROM {table} WHERE {column} IS NOT NULL"
            );
            self.each(&sql, NONE, |row| {
                if let Some(complaint) = (it.complaint)(row.get(1)?) {
                    let at = format!("{table} {}, {column}", row.get::<&str>(0)?);
                    let expected = it.what.into();
                    watch.found(Finding { rule: "body", at, found: complaint.into(), expected });
                }
                Ok(true)
            })?;
            if last != *table {
                last = table;
                watch.done(self.count_rows(table)?);
            }
        }
        Ok(())
    }
}
