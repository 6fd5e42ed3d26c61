//! Check that stored JSON and stored words of the domain parse as their types. The bodies of calls
//! and transactions are checked with the ledger.

use super::check::{Finding, ProgressObserver, report_unreadable_rows};
use crate::Error;
use crate::operations::credentials::grants_from_json;
use crate::operations::{NO_PARAMS, UnitOfWork};
use serde::de::DeserializeOwned;
use serde_json::Value;
use trunkline_domain::call::LiveCall;
use trunkline_domain::campaign::Terms;
use trunkline_domain::party::{
    AdvertiserProfile, CustomData, CustomDataField, NetworkSettings, PartyStatus, Site, User,
};
use trunkline_domain::phone::PhoneNumber;
use trunkline_domain::timezone::TimeZoneName;
use trunkline_domain::webhook::{SigningSecret, WebhookUrl};

/// Column with the type that its texts parse as.
struct JsonColumn {
    table: &'static str,
    /// SQL expression that identifies a row.
    row_id: &'static str,
    column: &'static str,
    what: &'static str,
    /// Describes why a text does not parse; `None` if it does.
    error_of: fn(&str) -> Option<String>,
}

fn parse_error<T: DeserializeOwned>(text: &str) -> Option<String> {
    serde_json::from_str::<T>(text).err().map(|error| error.to_string())
}

fn word_error<T>(parsed: Option<T>) -> Option<String> {
    parsed.is_none().then(|| "not one of its words".to_owned())
}

const fn json_column(
    table: &'static str,
    column: &'static str,
    what: &'static str,
    error_of: fn(&str) -> Option<String>,
) -> JsonColumn {
    JsonColumn { table, row_id: "id", column, what, error_of }
}

const COLUMNS: [JsonColumn; 30] = [
    json_column("networks", "time_zone", "a time zone", |text| {
        word_error(TimeZoneName::parse(text))
    }),
    json_column("networks", "settings", "settings", parse_error::<NetworkSettings>),
    json_column("parties", "status", "a party's status", |text| {
        word_error(PartyStatus::parse(text))
    }),
    json_column("parties", "sites", "sites", parse_error::<Vec<Site>>),
    json_column("parties", "profile", "an advertiser's profile", parse_error::<AdvertiserProfile>),
    json_column("parties", "custom_data", "custom data", parse_error::<CustomData>),
    json_column("users", "body", "a user", parse_error::<User>),
    json_column(
        "custom_data_fields",
        "body",
        "a custom data field",
        parse_error::<CustomDataField>,
    ),
    json_column("campaigns", "future_terms", "terms", parse_error::<Terms>),
    json_column("campaigns", "custom_data", "custom data", parse_error::<CustomData>),
    json_column("terms", "body", "terms", parse_error::<Terms>),
    json_column("affiliate_campaigns", "custom_data", "custom data", parse_error::<CustomData>),
    JsonColumn {
        row_id: "number",
        ..json_column("numbers", "number", "a phone number", |text| {
            word_error(PhoneNumber::parse(text))
        })
    },
    json_column("promo_numbers", "number", "a phone number", |text| {
        word_error(PhoneNumber::parse(text))
    }),
    json_column("promo_numbers", "custom_data", "custom data", parse_error::<CustomData>),
    json_column("promo_number_holdings", "number", "a phone number", |text| {
        word_error(PhoneNumber::parse(text))
    }),
    json_column("promo_number_holdings", "custom_data", "custom data", parse_error::<CustomData>),
    json_column("object_states", "custom_data", "custom data", parse_error::<CustomData>),
    json_column("sign_ins", "grants", "grants", |text| {
        grants_from_json(text).err().map(|error| error.to_string())
    }),
    json_column("audit", "before", "JSON", parse_error::<Value>),
    json_column("audit", "after", "JSON", parse_error::<Value>),
    JsonColumn {
        row_id: "key",
        ..json_column("idempotency", "answer", "JSON", parse_error::<Value>)
    },
    JsonColumn {
        row_id: "call_id",
        ..json_column("live_calls", "state", "a live call", parse_error::<LiveCall>)
    },
    JsonColumn {
        row_id: "call_id || '.' || sequence",
        ..json_column("call_events", "event", "JSON", parse_error::<Value>)
    },
    JsonColumn {
        row_id: "call_id || '.' || sequence",
        ..json_column("call_events", "answer", "JSON", parse_error::<Value>)
    },
    json_column("events", "body", "JSON", parse_error::<Value>),
    json_column("webhooks", "kinds", "kinds of events", parse_error::<Vec<String>>),
    json_column("webhooks", "url", "a webhook's URL", |text| {
        word_error(WebhookUrl::parse(text).ok())
    }),
    json_column("webhooks", "secret", "a secret", |text| word_error(SigningSecret::parse(text))),
    json_column("webhooks", "previous_secret", "a secret", |text| {
        word_error(SigningSecret::parse(text))
    }),
];

impl UnitOfWork<'_> {
    pub(super) fn check_json_columns(
        &mut self,
        observer: &mut dyn ProgressObserver,
    ) -> Result<(), Error> {
        let mut last_table = "";
        for json_column in &COLUMNS {
            let JsonColumn { table, row_id, column, .. } = json_column;
            let sql = format!(
                "SELECT CAST({row_id} AS TEXT), {column} FROM {table} WHERE {column} IS NOT NULL"
            );
            let result = self.for_each_row(&sql, NO_PARAMS, |row| {
                let error = match row.get::<&str>(1) {
                    Ok(text) => (json_column.error_of)(text),
                    Err(_) => Some("not a text in UTF-8".to_owned()),
                };
                if let Some(error) = error {
                    let at = format!("{table} {}, {column}", row.get::<&str>(0)?);
                    let expected = json_column.what.into();
                    observer.on_finding(Finding {
                        rule: "body",
                        location: at,
                        found: error.into(),
                        expected,
                    });
                }
                Ok(true)
            });
            report_unreadable_rows(observer, &format!("{table}, {column}"), result)?;
            if last_table != *table {
                last_table = table;
                observer.on_rows_done(self.count_rows(table)?);
            }
        }
        Ok(())
    }
}
