//! Tests of the outbox with an explicit clock.

#![expect(clippy::unwrap_used, reason = "a test ends where it fails")]

use jiff::{SignedDuration, Timestamp};
use std::collections::HashMap;
use tempfile::TempDir;
use trunkline_domain::id::{EventId, MailId, NetworkId, WebhookId};
use trunkline_domain::timezone::TimeZoneName;
use trunkline_domain::webhook::{MAX_DELIVERY_AGE, SigningSecret, Webhook, WebhookUrl};
use trunkline_network::outbox::{
    AttemptOutcome, LeasedDelivery, RetryPolicy, expire_and_purge, has_expired, lease_deliveries,
    lease_mails, record_delivery_attempt, record_mail_attempt,
};
use trunkline_network::{
    DeliveryState, Error, MailRecord, MailState, Page, Store, UnitOfWork, networks,
};
use trunkline_store::{NewDelivery, NewEvent};

const PACE: RetryPolicy =
    RetryPolicy { first_delay: SignedDuration::from_secs(5), lease: SignedDuration::from_secs(20) };
const ALL: Page = Page::new(0, 10_000);

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + seconds).unwrap()
}

fn days(days: i64) -> i64 {
    days * 24 * 60 * 60
}

/// Database with one network.
struct World {
    store: Store,
    network: NetworkId,
    _directory: TempDir,
}

impl World {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("trunkline.db");
        let store = Store::open(&format!("sqlite://{}", file.display())).unwrap();
        let network = store.write_blocking(|unit| {
            let network = networks::create(unit, "A", None, TimeZoneName::PACIFIC, at(0))?;
            Ok::<_, Error>(network.unwrap().id)
        });
        Self { network: network.unwrap(), store, _directory: directory }
    }

    fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut UnitOfWork<'_>) -> Result<T, Error> + Send + 'static,
    ) -> T {
        self.store.write_blocking(work).unwrap()
    }

    fn webhook(&self) -> WebhookId {
        let webhook = Webhook {
            id: WebhookId::UNASSIGNED,
            network_id: self.network,
            url: WebhookUrl::parse("https://example.com/").unwrap(),
            event_types: Vec::new(),
            description: None,
            secret: SigningSecret::new(&[1; 32]),
            created_at: at(0),
        };
        self.write(move |unit| Ok(unit.insert_webhook(&webhook)?))
    }

    /// Inserts an event with deliveries to webhooks.
    fn event(&self, now: Timestamp, webhooks: &[WebhookId]) -> EventId {
        let event = NewEvent {
            id: EventId::UNASSIGNED,
            network_id: self.network,
            at: now,
            kind: "campaign.status_changed",
            advertiser_id: None,
            affiliate_id: None,
            data: "{}".to_owned(),
        };
        let webhooks = webhooks.to_vec();
        self.write(move |unit| {
            let event_id = unit.insert_event(&event, now)?;
            let webhooks = webhooks.into_iter();
            let deliveries: Vec<NewDelivery> =
                webhooks.map(|webhook_id| NewDelivery { webhook_id, event_id }).collect();
            unit.insert_deliveries(&deliveries, now, now + MAX_DELIVERY_AGE)?;
            Ok(event_id)
        })
    }

    fn lease(
        &self,
        now: Timestamp,
        sending: &[(WebhookId, usize)],
        most: usize,
    ) -> Vec<LeasedDelivery> {
        let sending: HashMap<WebhookId, usize> = sending.iter().copied().collect();
        self.write(move |unit| lease_deliveries(unit, now, PACE, &sending, most))
    }

    fn settle(&self, leased: &LeasedDelivery, outcome: AttemptOutcome, now: Timestamp) {
        let delivery = leased.delivery.clone();
        self.write(move |unit| record_delivery_attempt(unit, delivery, outcome, now, PACE, 0));
    }

    fn count_events(&self) -> usize {
        let network = self.network;
        self.write(move |unit| Ok(unit.events(network, ALL)?.len()))
    }
}

fn failed() -> AttemptOutcome {
    AttemptOutcome::Retryable { status: Some(500), error: "answered 500".to_owned() }
}

#[test]
fn delivery_is_retried_for_a_day_and_then_fails() {
    let world = World::new();
    let webhook = world.webhook();
    world.event(at(0), &[webhook]);
    let mut now = at(0);
    let mut waits = Vec::new();
    let failed_delivery = loop {
        let leased = world.lease(now, &[], 10);
        assert_eq!(leased.len(), 1, "it is due at {now}");
        assert!(world.lease(now, &[], 10).is_empty(), "a leased delivery is not leased again");
        world.settle(&leased[0], failed(), now);
        let id = leased[0].delivery.id;
        let delivery = world.write(move |unit| Ok(unit.delivery(webhook, id)?)).unwrap();
        match delivery.due_at {
            Some(due) => {
                waits.push(due.duration_since(now).as_secs());
                now = due;
            }
            None => break delivery,
        }
    };
    assert_eq!(waits[..7], [5, 30, 120, 600, 1_800, 3_600, 10_800]);
    assert!(waits[6..].iter().all(|wait| *wait == 10_800), "{waits:?}");
    assert_eq!(failed_delivery.state, DeliveryState::Failed);
    assert_eq!(failed_delivery.attempts as usize, waits.len() + 1);
    assert_eq!(
        (failed_delivery.last_status, failed_delivery.last_error.as_deref()),
        (Some(500), Some("answered 500"))
    );
    let tried_for = now.duration_since(at(0));
    assert!(
        tried_for < MAX_DELIVERY_AGE
            && tried_for > MAX_DELIVERY_AGE - SignedDuration::from_hours(3)
    );
}

#[test]
fn expired_lease_makes_a_delivery_due_and_voids_the_old_lease() {
    let world = World::new();
    let webhook = world.webhook();
    world.event(at(0), &[webhook]);
    let first = world.lease(at(0), &[], 10);
    assert!(world.lease(at(19), &[], 10).is_empty());
    let second = world.lease(at(20), &[], 10);
    assert_eq!(second.len(), 1);
    // The first server reports after its lease expired: its results are ignored.
    world.settle(&first[0], failed(), at(21));
    world.settle(&second[0], AttemptOutcome::Delivered { status: Some(200) }, at(22));
    world.settle(&first[0], failed(), at(23));
    let found = world.write(move |unit| Ok(unit.deliveries(webhook, None, ALL)?));
    assert_eq!((found[0].state, found[0].attempts), (DeliveryState::Delivered, 1));
    assert_eq!(found[0].delivered_at, Some(at(22)));
}

#[test]
fn leases_are_limited_per_webhook_and_idle_webhooks_come_first() {
    let world = World::new();
    let busy = world.webhook();
    let idle = world.webhook();
    for second in 0..10 {
        world.event(at(second), &[busy, idle]);
    }
    let count_of = |leased: &[LeasedDelivery], webhook| {
        leased.iter().filter(|item| item.webhook.id == webhook).count()
    };
    let leased = world.lease(at(10), &[(busy, 3)], 3);
    assert_eq!((count_of(&leased, busy), count_of(&leased, idle)), (0, 3));
    let leased = world.lease(at(10), &[(busy, 3), (idle, 3)], 100);
    assert_eq!((count_of(&leased, busy), count_of(&leased, idle)), (1, 1));
    assert!(world.lease(at(10), &[(busy, 4), (idle, 4)], 100).is_empty());
    // A deleted webhook gets no more deliveries.
    world.write(move |unit| Ok(unit.delete_webhook(busy, at(10))?));
    let leased = world.lease(at(10), &[], 100);
    assert_eq!((count_of(&leased, busy), count_of(&leased, idle)), (0, 4));
}

#[test]
fn sweep_deletes_a_bounded_number_of_rows() {
    let world = World::new();
    let kept = world.webhook();
    let deleted = world.webhook();
    for second in 0..700 {
        world.event(at(second), &[kept, deleted]);
    }
    let young = world.event(at(days(30)), &[kept]);
    world.write(move |unit| Ok(unit.delete_webhook(deleted, at(days(30)))?));
    let now = at(days(30) + 10_000);
    let sweep_once = || world.write(move |unit| expire_and_purge(unit, now));
    // Unsent deliveries expire first; then events and deliveries are deleted.
    let mut rounds = 0;
    while sweep_once() {
        rounds += 1;
    }
    assert!(rounds >= 2, "1,400 deliveries need several sweeps");
    while world.write(move |unit| has_expired(unit, now)) {
        sweep_once();
    }
    let left = world.write(move |unit| Ok(unit.deliveries(kept, None, ALL)?));
    assert_eq!(left.iter().map(|delivery| delivery.event.id).collect::<Vec<_>>(), [young]);
    assert_eq!((left[0].state, world.count_events()), (DeliveryState::Pending, 1));
    let network = world.network;
    assert!(world.write(move |unit| Ok(unit.webhook(network, deleted)?)).is_none());
}

#[test]
fn unsent_mail_expires() {
    let world = World::new();
    let mail = |address: &str| MailRecord {
        id: MailId::UNASSIGNED,
        network_id: world.network,
        event_id: EventId::new(1),
        address: address.to_owned(),
        subject: "S".to_owned(),
        body: "B".to_owned(),
        state: MailState::Waiting,
        attempts: 0,
        due_at: Some(at(0)),
        give_up_at: at(days(3)),
        last_error: None,
        created_at: at(0),
        sent_at: None,
    };
    let one = mail("a@example.com");
    let same = mail("A@example.com");
    let other = mail("b@example.com");
    world.write(move |unit| {
        for mail in [&one, &same, &other] {
            unit.insert_mail(mail)?;
        }
        Ok(())
    });
    let network = world.network;
    let states = || {
        let mails = world.write(move |unit| Ok(unit.mails(network, None, ALL)?));
        mails.iter().map(|mail| mail.state).collect::<Vec<_>>()
    };
    let leased = world.write(|unit| lease_mails(unit, at(0), PACE, 1));
    let first = leased[0].clone();
    let sent = AttemptOutcome::Delivered { status: None };
    world.write(move |unit| record_mail_attempt(unit, first, sent, at(1), PACE, 0));
    world.write(|unit| expire_and_purge(unit, at(days(3) - 1)));
    assert_eq!(states(), [MailState::Sent, MailState::Waiting], "one mail for each address");
    world.write(|unit| expire_and_purge(unit, at(days(3))));
    assert_eq!(states(), [MailState::Sent, MailState::Expired]);
    assert!(world.write(|unit| lease_mails(unit, at(days(3)), PACE, 10)).is_empty());
    world.write(|unit| expire_and_purge(unit, at(days(30) + 1)));
    assert_eq!(states(), []);
}
