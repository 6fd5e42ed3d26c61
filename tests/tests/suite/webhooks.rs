//! Webhook deliveries: signed, at least once, retried, and never to addresses of the server's own network
//! unless that is allowed.

use serde_json::{Value, json};
use std::time::{Duration, Instant};
use trunkline_tests::body::relationship_path;
use trunkline_tests::{Client, Server, WebhookReceiver, WebhookReply, assert_json_eq};

/// Allows receivers on this machine and shortens the first retry.
const SERVE_ARGUMENTS: [&str; 3] = ["--webhook-allow-private", "--sending-first-wait", "20"];

fn world(arguments: &[&str]) -> (Server, Client) {
    let server = Server::builder().arguments(arguments).start();
    let network = server.network();
    network.has_live_campaign("354", "12", json!({"auto_approve": "All", "timezone": "UTC"}));
    (server, network)
}

fn create_webhook(network: &Client, url: &str) -> Value {
    network.extensions().post("/webhooks", json!({"url": url})).body(201)
}

/// Emits an event: a campaign goes live.
fn emit_event(network: &Client, id: &str) {
    network.has_live_campaign("354", id, json!({}));
}

/// Polls a webhook's deliveries until one of them satisfies a condition.
fn deliveries(network: &Client, webhook: &Value, until: impl Fn(&Value) -> bool) -> Vec<Value> {
    let started = Instant::now();
    loop {
        let path = format!("/webhooks/{}/deliveries", webhook["id"]);
        let list = network.extensions().get(&path).body(200);
        let list = list.as_array().expect("a list").clone();
        if list.iter().any(&until) {
            return list;
        }
        assert!(started.elapsed() < Duration::from_secs(60), "it does not come to that: {list:?}");
        std::thread::yield_now();
    }
}

#[test]
fn event_is_delivered_signed_to_subscribed_webhooks() {
    let (server, network) = world(&SERVE_ARGUMENTS);
    let all_events = WebhookReceiver::accepting_all();
    let some_events = WebhookReceiver::accepting_all();
    let webhook = create_webhook(&network, &all_events.url());
    let secret = webhook["secret"].as_str().expect("a secret").to_owned();
    let given_secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    let expected = json!({"url": some_events.url(), "events": ["affiliate_campaign.status_changed"],
        "description": "The ERP", "secret": given_secret});
    let other = network.extensions().post("/webhooks", expected).body(201);
    assert_eq!(other["secret"], given_secret);
    // Later responses do not contain the secret.
    let listed = network.extensions().get("/webhooks").body(200);
    let current = json!({"id": other["id"], "url": some_events.url(), "description": "The ERP",
        "events": ["affiliate_campaign.status_changed"], "created_at": other["created_at"]});
    assert_eq!(listed.as_array().map(Vec::len), Some(2));
    assert_json_eq(&listed[1], &current);
    assert_json_eq(
        &network.extensions().get(&format!("/webhooks/{}", other["id"])).body(200),
        &current,
    );

    let mut stream = network.open_event_stream("", &[]);
    emit_event(&network, "13");
    let received = all_events.expect_delivery();
    assert_eq!(received.target, "/hook");
    assert_eq!(received.header("content-type"), "application/json");
    received.verify(&secret);
    assert_json_eq(&received.json(), &stream.expect_event().body);
    network.has_applied("354", "12", "976");
    let first_delivery = all_events.expect_delivery();
    let second_delivery = some_events.expect_delivery();
    assert_eq!(second_delivery.json()["type"], "affiliate_campaign.status_changed");
    assert_eq!(first_delivery.verify(&secret), second_delivery.verify(given_secret));
    assert!(some_events.is_empty());
    let delivered = deliveries(&network, &other, |item| item["state"] == "delivered");
    assert_eq!(delivered.len(), 1);
    assert_eq!(
        (&delivered[0]["attempts"], &delivered[0]["last_status"], &delivered[0]["next_attempt_at"]),
        (&json!(1), &json!(204), &Value::Null)
    );
    assert!(
        delivered[0]["delivered_at"].is_string() && delivered[0]["type"].is_string(),
        "{delivered:?}"
    );

    // A deleted webhook gets no delivery. The log has both changes, without the secret.
    let path = format!("/webhooks/{}", webhook["id"]);
    network.extensions().delete(&path).assert_json(200, &json!({}));
    network.extensions().delete(&path).assert_json(200, &json!({}));
    network.extensions().get(&path).assert_error(404, "RecordNotFound");
    let log = network.audit_entries(Some(&format!("webhook:{}", webhook["id"])));
    let actions: Vec<_> = log.iter().map(|entry| entry["action"].clone()).collect();
    assert_eq!(actions, ["create", "delete"]);
    assert!(!log[0].to_string().contains("whsec_"), "{}", log[0]);
    network.put(&relationship_path("354", "976"), json!({"status": "Declined"})).expect(200);
    some_events.expect_delivery();
    assert!(all_events.is_empty());
    // Parties cannot access webhooks.
    server
        .advertiser("354")
        .extensions()
        .get("/webhooks")
        .assert_error(403, "UnauthorizedOperation");
    let post =
        server.advertiser("354").extensions().post("/webhooks", json!({"url": all_events.url()}));
    post.assert_error(403, "UnauthorizedOperation");
}

/// A secret is rotated with an overlap: for 24 hours deliveries carry signatures by the new secret and by the
/// replaced one. The new one is returned once.
#[test]
fn rotated_secret_signs_beside_the_replaced_one() {
    let (server, network) = world(&SERVE_ARGUMENTS);
    let receiver = WebhookReceiver::accepting_all();
    let webhook = create_webhook(&network, &receiver.url());
    let path = format!("/webhooks/{}", webhook["id"]);
    let first = webhook["secret"].as_str().expect("a secret").to_owned();

    let rotated = network.extensions().put(&path, json!({"rotate_secret": true})).body(200);
    let second = rotated["secret"].as_str().expect("a new secret").to_owned();
    assert_ne!(first, second);
    assert_eq!(rotated["url"], webhook["url"]);
    assert!(network.extensions().get(&path).body(200)["secret"].is_null());
    emit_event(&network, "13");
    let delivery = receiver.expect_delivery();
    assert!(delivery.is_signed_with(&first) && delivery.is_signed_with(&second), "{delivery:?}");
    assert_eq!(delivery.header("webhook-signature").split(' ').count(), 2);

    // A given secret replaces the second; the first one no longer signs.
    let given = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    let rotated = network.extensions().put(&path, json!({"secret": given})).body(200);
    assert_eq!(rotated["secret"], given);
    emit_event(&network, "14");
    let delivery = receiver.expect_delivery();
    assert!(delivery.is_signed_with(given) && delivery.is_signed_with(&second), "{delivery:?}");
    assert!(!delivery.is_signed_with(&first), "{delivery:?}");

    // Other properties change alone, and what is omitted stays.
    let change = json!({"events": ["budget.alert"], "description": "ERP"});
    let changed = network.extensions().put(&path, change).body(200);
    assert!(changed["secret"].is_null(), "{changed}");
    assert_eq!((&changed["url"], &changed["description"]), (&webhook["url"], &json!("ERP")));
    emit_event(&network, "15");
    assert!(receiver.is_empty());
    let log = network.audit_entries(Some(&format!("webhook:{}", webhook["id"])));
    let actions: Vec<_> = log.iter().map(|entry| entry["action"].clone()).collect();
    assert_eq!(actions, ["create", "rotate_secret", "rotate_secret", "update"]);
    assert!(!json!(log).to_string().contains("whsec_"), "{log:?}");

    let invalid = json!({"url": "ftp://example.com", "rotate_secret": "perhaps", "secret": "hush"});
    network.extensions().put(&path, invalid).assert_invalid(&json!({
        "url": ["must be an http or https URL"],
        "secret": ["must be whsec_ and 24 to 64 bytes in base64"],
        "rotate_secret": ["is invalid"],
    }));
    network.extensions().put("/webhooks/999", json!({})).assert_error(404, "RecordNotFound");
    let advertiser = server.advertiser("354").extensions();
    advertiser
        .put(&path, json!({"rotate_secret": true}))
        .assert_error(403, "UnauthorizedOperation");
}

/// A deleted webhook sends nothing more, and its deliveries stay readable.
#[test]
fn deliveries_of_a_deleted_webhook_stay_readable() {
    let (_server, network) = world(&SERVE_ARGUMENTS);
    let receiver = WebhookReceiver::accepting_all();
    let webhook = create_webhook(&network, &receiver.url());
    emit_event(&network, "13");
    receiver.expect_delivery();
    deliveries(&network, &webhook, |item| item["state"] == "delivered");
    network.extensions().delete(&format!("/webhooks/{}", webhook["id"])).expect(200);
    let left = deliveries(&network, &webhook, |item| item["state"] == "delivered");
    assert_eq!(left.len(), 1);
    let resend = format!("/webhooks/{}/deliveries/{}/resend", webhook["id"], left[0]["id"]);
    network.extensions().post(&resend, json!({})).assert_error(404, "RecordNotFound");
}

#[test]
fn failed_delivery_is_retried_until_it_succeeds() {
    let (_server, network) = world(&SERVE_ARGUMENTS);
    let receiver =
        WebhookReceiver::start(|count| WebhookReply::Status(if count < 2 { 500 } else { 200 }));
    let webhook = create_webhook(&network, &receiver.url());
    let secret = webhook["secret"].as_str().expect("a secret");
    emit_event(&network, "13");
    let ids: Vec<String> = (0..3).map(|_| receiver.expect_delivery().verify(secret)).collect();
    assert!(ids.iter().all(|id| *id == ids[0]), "{ids:?}");
    let delivered = deliveries(&network, &webhook, |item| item["state"] == "delivered");
    assert_eq!((&delivered[0]["attempts"], &delivered[0]["last_error"]), (&json!(3), &Value::Null));
    // A successful delivery can be repeated with the same id.
    let path = format!("/webhooks/{}/deliveries/{}/resend", webhook["id"], delivered[0]["id"]);
    let repeated = network.extensions().post(&path, json!({})).body(201);
    assert_eq!((&repeated["state"], &repeated["attempts"]), (&json!("pending"), &json!(0)));
    assert_eq!(receiver.expect_delivery().verify(secret), ids[0]);
    deliveries(&network, &webhook, |item| item["state"] == "delivered");
    let missing = format!("/webhooks/{}/deliveries/999/resend", webhook["id"]);
    network.extensions().post(&missing, json!({})).assert_error(404, "RecordNotFound");
}

#[test]
fn gone_webhook_is_not_retried_unless_requested() {
    let (_server, network) = world(&SERVE_ARGUMENTS);
    let receiver =
        WebhookReceiver::start(|count| WebhookReply::Status(if count == 0 { 410 } else { 200 }));
    let webhook = create_webhook(&network, &receiver.url());
    emit_event(&network, "13");
    receiver.expect_delivery();
    let failed = deliveries(&network, &webhook, |item| item["state"] == "failed");
    assert_eq!((&failed[0]["attempts"], &failed[0]["last_status"]), (&json!(1), &json!(410)));
    let only = format!("/webhooks/{}/deliveries?state=failed", webhook["id"]);
    assert_eq!(network.extensions().get(&only).body(200).as_array().map(Vec::len), Some(1));
    let path = format!("/webhooks/{}/deliveries/{}/resend", webhook["id"], failed[0]["id"]);
    network.extensions().post(&path, json!({})).expect(201);
    receiver.expect_delivery();
    deliveries(&network, &webhook, |item| item["state"] == "delivered");
}

#[test]
fn hanging_receiver_does_not_delay_others() {
    let (_server, network) = world(&SERVE_ARGUMENTS);
    let hanging = WebhookReceiver::start(|_| WebhookReply::Hang);
    let good = WebhookReceiver::accepting_all();
    let stuck = create_webhook(&network, &hanging.url());
    let webhook = create_webhook(&network, &good.url());
    let started = Instant::now();
    for id in 20..30 {
        emit_event(&network, &id.to_string());
        assert_eq!(good.expect_delivery().json()["type"], "campaign.status_changed");
    }
    // The hanging delivery is still in progress: its time limit is 10 seconds.
    assert!(started.elapsed() < Duration::from_secs(10), "it took {:?}", started.elapsed());
    let waiting = deliveries(&network, &stuck, |_| true);
    assert!(
        waiting.iter().all(|item| item["state"] == "pending" && item["attempts"] == 0),
        "{waiting:?}"
    );
    assert_eq!(deliveries(&network, &webhook, |_| true).len(), 10);
}

#[test]
fn committed_event_is_delivered_after_a_crash() {
    let quick = ["--webhook-allow-private", "--sending-first-wait", "20", "--sending-time", "500"];
    let (mut server, network) = world(&quick);
    // The receiver gets the request and does not reply; then the server is killed.
    let receiver = WebhookReceiver::start(|count| {
        if count == 0 { WebhookReply::Hang } else { WebhookReply::Status(200) }
    });
    let webhook = create_webhook(&network, &receiver.url());
    let secret = webhook["secret"].as_str().expect("a secret");
    emit_event(&network, "13");
    let first = receiver.expect_delivery();
    server.kill();
    server.restart_with(&quick);
    let second = receiver.expect_delivery();
    assert_eq!(first.verify(secret), second.verify(secret));
    assert_json_eq(&first.json(), &second.json());
    deliveries(&server.network(), &webhook, |item| item["state"] == "delivered");
}

#[test]
fn two_servers_on_one_database_deliver_each_event_once() {
    let (server, network) = world(&SERVE_ARGUMENTS);
    let other = Server::builder().same_database(&server).arguments(&SERVE_ARGUMENTS).start();
    let receiver = WebhookReceiver::accepting_all();
    let webhook = create_webhook(&network, &receiver.url());
    let count = 20;
    for id in 0..count {
        let client = if id % 2 == 0 { network.clone() } else { other.network() };
        emit_event(&client, &format!("c{id}"));
    }
    let mut ids: Vec<String> =
        (0..count).map(|_| receiver.expect_delivery().header("webhook-id").to_owned()).collect();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), count);
    let path = format!("/webhooks/{}/deliveries?state=pending", webhook["id"]);
    while network.extensions().get(&path).body(200) != json!([]) {
        std::thread::yield_now();
    }
    assert!(receiver.is_empty());
}

#[test]
fn all_problems_of_a_webhook_are_reported() {
    let (_server, network) = world(&[]);
    let post = |body: Value| network.extensions().post("/webhooks", body);
    post(json!({})).assert_invalid(&json!({"url": ["can't be blank"]}));
    let wrong = json!({"url": "ftp://example.com", "events": ["call.made", "budget.alert", 7],
        "description": 7, "secret": "hush"});
    post(wrong).assert_invalid(&json!({
        "url": ["must be an http or https URL"],
        "events": [["is not included in the list"], {}, ["is not included in the list"]],
        "description": ["is invalid"],
        "secret": ["must be whsec_ and 24 to 64 bytes in base64"],
    }));
    for at in 0..20 {
        let url = format!("https://hooks{at}.example.com/");
        post(json!({"url": url, "events": null})).expect(201);
    }
    post(json!({"url": "https://one.more.example.com/"}))
        .assert_error(403, "UnauthorizedOperation");
}

#[test]
fn webhooks_to_private_addresses_are_rejected() {
    let (_server, network) = world(&[]);
    let post = |url: &str| network.extensions().post("/webhooks", json!({"url": url}));
    let inside = json!({"url": ["is an address inside the server's own network"]});
    for url in [
        "http://127.0.0.1/",
        "http://127.8.8.8:8080/x",
        "http://10.1.2.3/",
        "http://172.16.0.1/",
        "http://192.168.0.1/",
        "http://169.254.169.254/latest/meta-data/",
        "http://100.64.0.1/",
        "http://0.0.0.0/",
        "http://0.1.2.3/",
        "http://224.0.0.1/",
        "http://255.255.255.255/",
        "http://192.0.2.1/",
        "http://198.51.100.1/",
        "http://203.0.113.1/",
        "https://[::1]/",
        "https://[::]/",
        "https://[::ffff:127.0.0.1]/",
        "https://[::ffff:a00:1]/",
        "https://[fe80::1]/",
        "https://[fd00:ec2::254]/",
        "https://[ff02::1]/",
        "https://[2001:db8::1]/",
        "https://[64:ff9b::a00:1]/",
        "http://127.0.0.1./",
    ] {
        post(url).assert_invalid(&inside);
    }
    // Alternative spellings of an address are rejected.
    for url in [
        "http://2130706433/",
        "http://0x7f000001/",
        "http://0x7f.0.0.1/",
        "http://0177.0.0.1/",
        "http://127.1/",
        "http://127.0.1/",
        "http://0/",
        "http://%6c%6f%63alhost/",
        "http://１２７.0.0.1/",
        "http://user:pass@example.com/",
        "http://me@127.0.0.1/",
        "http://example.com\\@127.0.0.1/",
        "file:///etc/passwd",
        "gopher://127.0.0.1/",
    ] {
        assert_eq!(post(url).status, 403, "{url}");
    }
    assert_eq!(network.extensions().get("/webhooks").body(200), json!([]));
    // A host name is resolved for each delivery.
    let receiver = WebhookReceiver::accepting_all();
    let webhook = create_webhook(&network, &format!("http://localhost:{}/", receiver.port()));
    emit_event(&network, "13");
    let rejected = deliveries(&network, &webhook, |item| item["attempts"] != 0);
    assert_eq!(rejected[0]["last_error"], "its host is inside the server's own network");
    assert_eq!(
        (&rejected[0]["state"], &rejected[0]["last_status"]),
        (&json!("pending"), &Value::Null)
    );
    assert!(receiver.is_empty());
}

#[test]
fn redirect_is_not_followed() {
    let (_server, network) = world(&SERVE_ARGUMENTS);
    let elsewhere = WebhookReceiver::accepting_all();
    let to = elsewhere.url();
    let receiver = WebhookReceiver::start(move |_| WebhookReply::Redirect(to.clone()));
    let webhook = create_webhook(&network, &receiver.url());
    emit_event(&network, "13");
    // The delivery is retried at the same URL, not at the redirect's target.
    receiver.expect_delivery();
    receiver.expect_delivery();
    let delivered = deliveries(&network, &webhook, |item| item["attempts"] != 0);
    assert_eq!(
        (&delivered[0]["last_status"], &delivered[0]["state"]),
        (&json!(302), &json!("pending"))
    );
    assert!(elsewhere.is_empty());
}

/// Retries use the system's clock, not the clock of a sandbox.
#[test]
fn stopped_sandbox_clock_does_not_delay_deliveries() {
    for clock in ["2001-01-01T00:00:00Z", "2090-01-01T00:00:00Z"] {
        let server = Server::builder().sandbox().arguments(&SERVE_ARGUMENTS).start();
        let network = server.network();
        network.extensions().post("/sandbox/clock", json!({"now": clock})).expect(200);
        let receiver = WebhookReceiver::start(|number| {
            WebhookReply::Status(if number == 0 { 500 } else { 200 })
        });
        let webhook = create_webhook(&network, &receiver.url());
        emit_event(&network, "13");
        let received = [receiver.expect_delivery(), receiver.expect_delivery()];
        assert_eq!(received[0].header("webhook-id"), received[1].header("webhook-id"));
        deliveries(&network, &webhook, |item| item["state"] == "delivered");
    }
}
