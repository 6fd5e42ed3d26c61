//! Tests of the outbox with an explicit clock.

#![expect(clippy::unwrap_used, reason = "a test ends where it fails")]

use jiff::{SignedDuration, Timestamp};
use tempfile::TempDir;
use trunkline_domain::id::{EventId, MailId, NetworkId, WebhookId};
use trunkline_domain::timezone::TimeZoneName;
use trunkline_domain::webhook::{MAX_DELIVERY_AGE, SigningSecret, Webhook, WebhookUrl};
use trunkline_network::outbox::{
    AttemptCounts, AttemptOutcome, LeasedDelivery, RetryPolicy, expire_and_purge, has_expired,
    has_postponed, lease_deliveries, lease_mails, record_delivery_attempt, record_mail_attempt,
    reschedule_after_clock_change,
};
use trunkline_network::{
    DeliveryState, DueWebhook, Error, MailRecord, MailState, Page, Store, UnitOfWork, networks,
};
use trunkline_store::{NewDelivery, NewEvent};

const RETRY_POLICY: RetryPolicy =
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
        self.webhook_of(self.network)
    }

    fn webhook_of(&self, network_id: NetworkId) -> WebhookId {
        let webhook = Webhook {
            id: WebhookId::UNASSIGNED,
            network_id,
            url: WebhookUrl::parse("https://example.com/").unwrap(),
            event_types: Vec::new(),
            description: None,
            secret: SigningSecret::new(&[1; 32]),
            previous_secret: None,
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

    /// Leases deliveries while attempts, given by webhook and number, are in progress.
    fn lease(&self, now: Timestamp, in_progress: &[(WebhookId, usize)]) -> Vec<LeasedDelivery> {
        let counts = counts(self.network, in_progress);
        self.write(move |unit| lease_deliveries(unit, now, RETRY_POLICY, counts))
    }

    fn settle(&self, leased: &LeasedDelivery, outcome: AttemptOutcome, now: Timestamp) {
        let delivery = leased.delivery.clone();
        self.write(move |unit| {
            record_delivery_attempt(unit, delivery, outcome, now, RETRY_POLICY, 0)
        });
    }

    fn second_network(&self) -> NetworkId {
        self.write(|unit| {
            let network = networks::create(unit, "B", None, TimeZoneName::PACIFIC, at(0))?;
            Ok(network.unwrap().id)
        })
    }

    fn count_events(&self) -> usize {
        let network = self.network;
        self.write(move |unit| Ok(unit.events(network, ALL)?.len()))
    }
}

fn counts(network_id: NetworkId, in_progress: &[(WebhookId, usize)]) -> AttemptCounts {
    let mut counts = AttemptCounts::default();
    for (id, attempts) in in_progress {
        (0..*attempts).for_each(|_| counts.add(DueWebhook { id: *id, network_id }));
    }
    counts
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
        let leased = world.lease(now, &[]);
        assert_eq!(leased.len(), 1, "it is due at {now}");
        assert!(world.lease(now, &[]).is_empty(), "a leased delivery is not leased again");
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
    let first = world.lease(at(0), &[]);
    assert!(world.lease(at(19), &[]).is_empty());
    let second = world.lease(at(20), &[]);
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
    let leased = world.lease(at(10), &[(busy, 3)]);
    assert_eq!((count_of(&leased, busy), count_of(&leased, idle)), (1, 4));
    assert_eq!(leased[0].webhook.id, idle);
    assert!(world.lease(at(10), &[(busy, 4), (idle, 4)]).is_empty());
    // A deleted webhook gets no more deliveries.
    world.write(move |unit| Ok(unit.delete_webhook(busy, at(10))?));
    let leased = world.lease(at(30), &[]);
    assert_eq!((count_of(&leased, busy), count_of(&leased, idle)), (0, 4));
}

/// Receivers of one network that do not respond occupy all attempts but the reserved ones, of which each
/// network gets four.
#[test]
fn networks_with_many_attempts_leave_the_reserved_ones_to_others() {
    let world = World::new();
    let other_network = world.second_network();
    let hanging = [world.webhook(), world.webhook()];
    let good = [world.webhook_of(other_network), world.webhook_of(other_network)];
    for second in 0..8 {
        world.event(at(second), &[hanging[0], hanging[1], good[0], good[1]]);
    }
    let elsewhere = WebhookId::new(1_000);
    let mut busy = counts(world.network, &[(elsewhere, 4_096 - 1_024 - 1)]);
    let leased = {
        let counts = busy.clone();
        world.write(move |unit| lease_deliveries(unit, at(10), RETRY_POLICY, counts))
    };
    let of = |leased: &[LeasedDelivery], ids: [WebhookId; 2]| {
        leased.iter().filter(|item| ids.contains(&item.webhook.id)).count()
    };
    // The other network comes first: one attempt until the reserve begins, and four in all from it on.
    assert_eq!((of(&leased, good), of(&leased, hanging)), (4, 0));
    // Nothing is left when all attempts are in progress.
    (0..1_025).for_each(|_| busy.add(DueWebhook { id: elsewhere, network_id: world.network }));
    assert!(
        world.write(move |unit| lease_deliveries(unit, at(100), RETRY_POLICY, busy)).is_empty()
    );
}

/// A clock that was set back by three hours does not hold back what it scheduled before.
#[test]
fn items_that_were_scheduled_by_a_clock_ahead_become_due() {
    let world = World::new();
    let webhook = world.webhook();
    let ahead = at(3 * 60 * 60);
    world.event(ahead, &[webhook]);
    world.event(ahead, &[webhook]);
    let leased = world.lease(ahead, &[]);
    world.settle(&leased[0], failed(), ahead);
    let network = world.network;
    world.write(move |unit| Ok(unit.insert_mail(&mail(network, "a@example.com", ahead))?));
    let now = at(0);
    assert!(world.lease(now, &[]).is_empty());
    assert!(world.write(move |unit| has_postponed(unit, now, RETRY_POLICY)));
    assert!(!world.write(move |unit| reschedule_after_clock_change(unit, now, RETRY_POLICY)));
    assert!(!world.write(move |unit| has_postponed(unit, now, RETRY_POLICY)));
    assert_eq!(world.lease(now, &[]).len(), 2);
    assert_eq!(world.write(move |unit| lease_mails(unit, network, now, RETRY_POLICY, 10)).len(), 1);
    // What is leased or scheduled by a clock that is a minute ahead is left alone.
    let minute_ahead = now + SignedDuration::from_mins(1);
    let leased = world.lease(minute_ahead, &[]);
    assert_eq!(leased.len(), 2);
    world.settle(&leased[0], failed(), minute_ahead);
    assert!(!world.write(move |unit| has_postponed(unit, now, RETRY_POLICY)));
}

fn mail(network_id: NetworkId, address: &str, now: Timestamp) -> MailRecord {
    MailRecord {
        id: MailId::UNASSIGNED,
        network_id,
        event_id: Some(EventId::new(1)),
        email_verification_id: None,
        address: address.to_owned(),
        subject: "S".to_owned(),
        body: "B".to_owned(),
        state: MailState::Waiting,
        attempts: 0,
        due_at: Some(now),
        give_up_at: now + SignedDuration::from_hours(3 * 24),
        last_error: None,
        created_at: now,
        sent_at: None,
    }
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
    // A deleted webhook goes with its last delivery; until then its deliveries are readable, as failed.
    let network = world.network;
    assert!(!world.write(move |unit| Ok(unit.has_webhook_or_deliveries(network, deleted)?)));
}

#[test]
fn unsent_mail_expires() {
    let world = World::new();
    let network = world.network;
    let mail = |address: &str| mail(network, address, at(0));
    let one = mail("a@example.com");
    let same = mail("A@example.com");
    let other = mail("b@example.com");
    world.write(move |unit| {
        for mail in [&one, &same, &other] {
            unit.insert_mail(mail)?;
        }
        Ok(())
    });
    let states = || {
        let mails = world.write(move |unit| Ok(unit.mails(network, None, ALL)?));
        mails.iter().map(|mail| mail.state).collect::<Vec<_>>()
    };
    let leased = world.write(move |unit| lease_mails(unit, network, at(0), RETRY_POLICY, 1));
    let first = leased[0].clone();
    let sent = AttemptOutcome::Delivered { status: None };
    world.write(move |unit| record_mail_attempt(unit, first, sent, at(1), RETRY_POLICY, 0));
    world.write(|unit| expire_and_purge(unit, at(days(3) - 1)));
    assert_eq!(states(), [MailState::Sent, MailState::Waiting], "one mail for each address");
    world.write(|unit| expire_and_purge(unit, at(days(3))));
    assert_eq!(states(), [MailState::Sent, MailState::Expired]);
    assert!(
        world
            .write(move |unit| lease_mails(unit, network, at(days(3)), RETRY_POLICY, 10))
            .is_empty()
    );
    world.write(|unit| expire_and_purge(unit, at(days(30) + 1)));
    assert_eq!(states(), []);
}
