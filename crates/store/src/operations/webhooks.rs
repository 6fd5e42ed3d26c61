//! Webhook subscriptions.

use super::{UnitOfWork, from_json, or_unreadable, timestamp_from_millis, to_json, to_millis};
use crate::sql::{Row, params};
use crate::{Error, Page};
use jiff::Timestamp;
use trunkline_domain::id::{NetworkId, WebhookId};
use trunkline_domain::webhook::{PreviousSecret, SigningSecret, Webhook, WebhookUrl};

const SELECT_WEBHOOK: &str = "SELECT id, network_id, url, kinds, description, secret, created_at,
    previous_secret, previous_secret_expires_at FROM webhooks";

fn webhook_from_row(row: &Row<'_>) -> Result<Webhook, Error> {
    let previous_secret = match row.get::<Option<String>>(7)? {
        None => None,
        Some(text) => Some(PreviousSecret {
            secret: or_unreadable(SigningSecret::parse(&text), "webhook")?,
            expires_at: timestamp_from_millis(row.get(8)?)?,
        }),
    };
    Ok(Webhook {
        id: row.get(0)?,
        network_id: row.get(1)?,
        url: or_unreadable(WebhookUrl::parse(&row.get::<String>(2)?).ok(), "webhook")?,
        event_types: from_json(&row.get::<String>(3)?, "webhook")?,
        description: row.get(4)?,
        secret: or_unreadable(SigningSecret::parse(&row.get::<String>(5)?), "webhook")?,
        previous_secret,
        created_at: timestamp_from_millis(row.get(6)?)?,
    })
}

impl UnitOfWork<'_> {
    /// Inserts a webhook and returns its id.
    pub fn insert_webhook(&mut self, webhook: &Webhook) -> Result<WebhookId, Error> {
        self.insert(
            "INSERT INTO webhooks (network_id, url, kinds, description, secret, created_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            params![
                webhook.network_id,
                webhook.url.text(),
                to_json(&webhook.event_types, "webhook")?,
                webhook.description,
                webhook.secret.text(),
                to_millis(webhook.created_at),
            ],
        )
    }

    /// Stores the properties that can change: URL, event types, description and secrets.
    pub fn update_webhook(&mut self, webhook: &Webhook) -> Result<(), Error> {
        let previous = webhook.previous_secret.as_ref();
        self.execute(
            "UPDATE webhooks SET url = ?2, kinds = ?3, description = ?4, secret = ?5,
             previous_secret = ?6, previous_secret_expires_at = ?7 WHERE id = ?1",
            params![
                webhook.id,
                webhook.url.text(),
                to_json(&webhook.event_types, "webhook")?,
                webhook.description,
                webhook.secret.text(),
                previous.map(|previous| previous.secret.text()),
                previous.map(|previous| to_millis(previous.expires_at)),
            ],
        )?;
        Ok(())
    }

    /// One page of a network's webhooks.
    pub fn webhooks(&mut self, network: NetworkId, page: Page) -> Result<Vec<Webhook>, Error> {
        self.query_page(
            page,
            &format!(
                "{SELECT_WEBHOOK} WHERE network_id = ?1 AND id > ?2 AND deleted_at IS NULL
                 ORDER BY id LIMIT ?3"
            ),
            params![network, page.after, page.limit],
            webhook_from_row,
        )
    }

    /// Webhook of a network, by id.
    pub fn webhook(&mut self, network: NetworkId, id: WebhookId) -> Result<Option<Webhook>, Error> {
        self.query_first(
            &format!("{SELECT_WEBHOOK} WHERE network_id = ?1 AND id = ?2 AND deleted_at IS NULL"),
            params![network, id],
            webhook_from_row,
        )
    }

    /// Webhook of any network, by id, unless it is deleted.
    pub fn webhook_by_id(&mut self, id: WebhookId) -> Result<Option<Webhook>, Error> {
        self.query_first(
            &format!("{SELECT_WEBHOOK} WHERE id = ?1 AND deleted_at IS NULL"),
            [id],
            webhook_from_row,
        )
    }

    /// Returns true if a network has, or had, a webhook of which there are still deliveries.
    pub fn has_webhook_or_deliveries(
        &mut self,
        network: NetworkId,
        id: WebhookId,
    ) -> Result<bool, Error> {
        self.exists(
            "SELECT 1 FROM webhooks WHERE network_id = ?1 AND id = ?2",
            params![network, id],
        )
    }

    /// Marks a webhook as deleted. Its pending deliveries fail later, in batches.
    pub fn delete_webhook(&mut self, id: WebhookId, now: Timestamp) -> Result<(), Error> {
        self.execute(
            "UPDATE webhooks SET deleted_at = ?2 WHERE id = ?1",
            params![id, to_millis(now)],
        )?;
        Ok(())
    }
}
