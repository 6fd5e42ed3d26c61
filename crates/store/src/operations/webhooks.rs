//! Webhooks.

use super::{Session, from_json, millis, moment, parsed, to_json};
use crate::sql::{Row, params};
use crate::{Error, Page};
use jiff::Timestamp;
use trunkline_domain::webhook::{Secret, Webhook, WebhookUrl};

const WEBHOOK: &str =
    "SELECT id, network_id, url, kinds, description, secret, created_at FROM webhooks";

fn webhook(row: &Row<'_>) -> Result<Webhook, Error> {
    Ok(Webhook {
        id: row.get(0)?,
        network_id: row.get(1)?,
        url: parsed(WebhookUrl::parse(&row.get::<String>(2)?).ok(), "webhook")?,
        kinds: from_json(&row.get::<String>(3)?, "webhook")?,
        description: row.get(4)?,
        secret: parsed(Secret::parse(&row.get::<String>(5)?), "webhook")?,
        created_at: moment(row.get(6)?)?,
    })
}

impl Session<'_> {
    /// Stores a webhook and returns our id.
    pub fn insert_webhook(&mut self, it: &Webhook) -> Result<i64, Error> {
        self.insert(
            "INSERT INTO webhooks (network_id, url, kinds, description, secret, created_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            params![
                it.network_id,
                it.url.text(),
                to_json(&it.kinds, "webhook")?,
                it.description,
                it.secret.text(),
                millis(it.created_at),
            ],
        )
    }

    /// One page of a network's webhooks.
    pub fn webhooks(&mut self, network: i64, page: Page) -> Result<Vec<Webhook>, Error> {
        self.page(
            page,
            &format!(
                "{WEBHOOK} WHERE network_id = ?1 AND id > ?2 AND deleted_at IS NULL
                 ORDER BY id LIMIT ?3"
            ),
            params![network, page.after, page.limit],
            webhook,
        )
    }

    /// One of a network's webhooks.
    pub fn webhook(&mut self, network: i64, id: i64) -> Result<Option<Webhook>, Error> {
        self.first(
            &format!("{WEBHOOK} WHERE network_id = ?1 AND id = ?2 AND deleted_at IS NULL"),
            [network, id],
            webhook,
        )
    }

    /// A webhook that is there, whoever's it is.
    pub fn webhook_by_id(&mut self, id: i64) -> Result<Option<Webhook>, Error> {
        self.first(&format!("{WEBHOOK} WHERE id = ?1 AND deleted_at IS NULL"), [id], webhook)
    }

    /// Deletes a webhook. Its deliveries are swept away later, a few at a time.
    pub fn delete_webhook(&mut self, id: i64, now: Timestamp) -> Result<(), Error> {
        self.execute("UPDATE webhooks SET deleted_at = ?2 WHERE id = ?1", [id, millis(now)])?;
        Ok(())
    }
}
