//! Events sent to webhooks: signed, at least once, tried again, and never into the server's own
//! network unless it is told so.

use serde_json::{Value, json};
use std::time::{Duration, Instant};
use trunkline_tests::body::relationship_path;
use trunkline_tests::{Client, Receiver, Reply, Server, assert_same};

/// Receivers are on this machine, and nobody waits for seconds.
const SENDING: [&str; 3] = ["--webhook-allow-private", "--sending-first-wait", "20"];

fn world(arguments: &[&str]) -> (Server, Client) {
    let server = Server::start_with(arguments);
    let network = server.network();
    network.has_live_campaign("354", "12", json!({"auto_approve": "All", "timezone": "UTC"}));
    (server, network)
}

fn make(network: &Client, url: &str) -> Value {
    network.extensions().post("/webhooks", json!({"url": url})).body(201)
}

/// Something happens: a campaign of its own goes live.
fn happens(network: &Client, id: &str) {
    network.has_live_campaign("354", id, json!({}));
}

/// A webhook's deliveries, when one of them is as it is waited for.
fn deliveries(network: &Client, webhook: &Value, until: impl Fn(&Value) -> bool) -> Vec<Value> {
    let begun = Instant::now();
    loop {
        let path = format!("/webhooks/{}/deliveries", webhook["id"]);
        let found = network.extensions().get(&path).body(200);
        let found = found.as_array().expect("a list").clone();
        if found.iter().any(&until) {
            return found;
        }
        assert!(begun.elapsed() < Duration::from_secs(60), "it does not come to that: {found:?}");
        std::thread::yield_now();
    }
}

#[test]
fn an_event_is_sent_signed_to_those_who_want_it() {
    let (server, network) = world(&SENDING);
    let (all, some) = (Receiver::taking(), Receiver::taking());
    let webhook = make(&network, &all.url());
    let secret = webhook["secret"].as_str().expect("a secret").to_owned();
    let given = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    let wanted = json!({"url": some.url(), "events": ["affiliate_campaign.status_changed"],
        "description": "The ERP", "secret": given});
    let other = network.extensions().post("/webhooks", wanted).body(201);
    assert_eq!(other["secret"], given);
    // From now on nobody is told the secret.
    let listed = network.extensions().get("/webhooks").body(200);
    let shown = json!({"id": other["id"], "url": some.url(), "description": "The ERP",
        "events": ["affiliate_campaign.status_changed"], "created_at": other["created_at"]});
    assert_eq!(listed.as_array().map(Vec::len), Some(2));
    assert_same(&listed[1], &shown);
    assert_same(&network.extensions().get(&format!("/webhooks/{}", other["id"])).body(200), &shown);

    let mut stream = network.listen("", &[]);
    happens(&network, "13");
    let heard = all.hears();
    assert_eq!(heard.target, "/hook");
    assert_eq!(heard.header("content-type"), "application/json");
    heard.verified(&secret);
    assert_same(&heard.json(), &stream.hears().body);
    network.has_applied("354", "12", "976");
    let (here, there) = (all.hears(), some.hears());
    assert_eq!(there.json()["type"], "affiliate_campaign.status_changed");
    assert_eq!(here.verified(&secret), there.verified(given));
    assert!(some.heard_nothing());
    let sent = deliveries(&network, &other, |it| it["state"] == "delivered");
    assert_eq!(sent.len(), 1);
    assert_eq!(
        (&sent[0]["attempts"], &sent[0]["last_status"], &sent[0]["next_attempt_at"]),
        (&json!(1), &json!(204), &Value::Null)
    );
    assert!(sent[0]["delivered_at"].is_string() && sent[0]["type"].is_string(), "{sent:?}");

    // Deleted, it hears no more. Both are in the log, without the secret.
    let path = format!("/webhooks/{}", webhook["id"]);
    network.extensions().delete(&path).is(200, &json!({}));
    network.extensions().delete(&path).is(200, &json!({}));
    network.extensions().get(&path).refused(404, "RecordNotFound");
    let log = network.audit(Some(&format!("webhook:{}", webhook["id"])));
    let actions: Vec<_> = log.iter().map(|entry| entry["action"].clone()).collect();
    assert_eq!(actions, ["create", "delete"]);
    assert!(!log[0].to_string().contains("whsec_"), "{}", log[0]);
    network.put(&relationship_path("354", "976"), json!({"status": "Declined"})).expect(200);
    some.hears();
    assert!(all.heard_nothing());
    // Others have no business with them.
    server.advertiser("354").extensions().get("/webhooks").refused(403, "UnauthorizedOperation");
    let post = server.advertiser("354").extensions().post("/webhooks", json!({"url": all.url()}));
    post.refused(403, "UnauthorizedOperation");
}

#[test]
fn what_is_refused_is_sent_again_until_it_is_taken() {
    let (_server, network) = world(&SENDING);
    let receiver = Receiver::start(|count| Reply::Status(if count < 2 { 500 } else { 200 }));
    let webhook = make(&network, &receiver.url());
    let secret = webhook["secret"].as_str().expect("a secret");
    happens(&network, "13");
    let ids: Vec<String> = (0..3).map(|_| receiver.hears().verified(secret)).collect();
    assert!(ids.iter().all(|id| *id == ids[0]), "{ids:?}");
    let sent = deliveries(&network, &webhook, |it| it["state"] == "delivered");
    assert_eq!((&sent[0]["attempts"], &sent[0]["last_error"]), (&json!(3), &Value::Null));
    // What was taken can be asked for again, under the same name.
    let path = format!("/webhooks/{}/deliveries/{}/resend", webhook["id"], sent[0]["id"]);
    let again = network.extensions().post(&path, json!({})).body(201);
    assert_eq!((&again["state"], &again["attempts"]), (&json!("pending"), &json!(0)));
    assert_eq!(receiver.hears().verified(secret), ids[0]);
    deliveries(&network, &webhook, |it| it["state"] == "delivered");
    let missing = format!("/webhooks/{}/deliveries/999/resend", webhook["id"]);
    network.extensions().post(&missing, json!({})).refused(404, "RecordNotFound");
}

#[test]
fn what_is_gone_is_not_sent_again_unless_asked_for() {
    let (_server, network) = world(&SENDING);
    let receiver = Receiver::start(|count| Reply::Status(if count == 0 { 410 } else { 200 }));
    let webhook = make(&network, &receiver.url());
    happens(&network, "13");
    receiver.hears();
    let gone = deliveries(&network, &webhook, |it| it["state"] == "failed");
    assert_eq!((&gone[0]["attempts"], &gone[0]["last_status"]), (&json!(1), &json!(410)));
    let only = format!("/webhooks/{}/deliveries?state=failed", webhook["id"]);
    assert_eq!(network.extensions().get(&only).body(200).as_array().map(Vec::len), Some(1));
    let path = format!("/webhooks/{}/deliveries/{}/resend", webhook["id"], gone[0]["id"]);
    network.extensions().post(&path, json!({})).expect(201);
    receiver.hears();
    deliveries(&network, &webhook, |it| it["state"] == "delivered");
}

#[test]
fn a_receiver_that_hangs_delays_nobody_else() {
    let (_server, network) = world(&SENDING);
    let (hanging, good) = (Receiver::start(|_| Reply::Hang), Receiver::taking());
    let stuck = make(&network, &hanging.url());
    let webhook = make(&network, &good.url());
    let begun = Instant::now();
    for id in 20..30 {
        happens(&network, &id.to_string());
        assert_eq!(good.hears().json()["type"], "campaign.status_changed");
    }
    // Nothing of the other has been given up by then: its receiver has 10 seconds.
    assert!(begun.elapsed() < Duration::from_secs(10), "it took {:?}", begun.elapsed());
    let waiting = deliveries(&network, &stuck, |_| true);
    assert!(
        waiting.iter().all(|it| it["state"] == "pending" && it["attempts"] == 0),
        "{waiting:?}"
    );
    assert_eq!(deliveries(&network, &webhook, |_| true).len(), 10);
}

#[test]
fn what_was_committed_is_sent_after_a_crash() {
    let quick = ["--webhook-allow-private", "--sending-first-wait", "20", "--sending-time", "500"];
    let (mut server, network) = world(&quick);
    // It hears, and does not answer: the server is killed in between.
    let receiver =
        Receiver::start(|count| if count == 0 { Reply::Hang } else { Reply::Status(200) });
    let webhook = make(&network, &receiver.url());
    let secret = webhook["secret"].as_str().expect("a secret");
    happens(&network, "13");
    let first = receiver.hears();
    server.kill();
    server.start_again_with(&quick);
    let second = receiver.hears();
    assert_eq!(first.verified(secret), second.verified(secret));
    assert_same(&first.json(), &second.json());
    deliveries(&server.network(), &webhook, |it| it["state"] == "delivered");
}

#[test]
fn two_servers_on_one_database_send_each_once() {
    let (server, network) = world(&SENDING);
    let other = server.beside_with(&SENDING);
    let receiver = Receiver::taking();
    let webhook = make(&network, &receiver.url());
    let count = 20;
    for id in 0..count {
        let client = if id % 2 == 0 { network.clone() } else { other.network() };
        happens(&client, &format!("c{id}"));
    }
    let mut ids: Vec<String> =
        (0..count).map(|_| receiver.hears().header("webhook-id").to_owned()).collect();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), count);
    let path = format!("/webhooks/{}/deliveries?state=pending", webhook["id"]);
    while network.extensions().get(&path).body(200) != json!([]) {
        std::thread::yield_now();
    }
    assert!(receiver.heard_nothing());
}

#[test]
fn a_webhook_says_everything_that_is_wrong_with_it() {
    let (_server, network) = world(&[]);
    let post = |body: Value| network.extensions().post("/webhooks", body);
    post(json!({})).invalid(&json!({"url": ["can't be blank"]}));
    let wrong = json!({"url": "ftp://example.com", "events": ["call.made", "budget.alert", 7],
        "description": 7, "secret": "hush"});
    post(wrong).invalid(&json!({
        "url": ["must be an http or https URL"],
        "events": [["is not included in the list"], {}, ["is not included in the list"]],
        "description": ["is invalid"],
        "secret": ["must be whsec_ and 24 to 64 bytes in base64"],
    }));
    for at in 0..20 {
        let url = format!("https://hooks{at}.example.com/");
        post(json!({"url": url, "events": null})).expect(201);
    }
    post(json!({"url": "https://one.more.example.com/"})).refused(403, "UnauthorizedOperation");
}

#[test]
fn no_webhook_leads_into_the_servers_own_network() {
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
        post(url).invalid(&inside);
    }
    // Other spellings of an address are none.
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
    // A name is looked up each time something is sent to it.
    let receiver = Receiver::taking();
    let webhook = make(&network, &format!("http://localhost:{}/", receiver.port()));
    happens(&network, "13");
    let refused = deliveries(&network, &webhook, |it| it["attempts"] != 0);
    assert_eq!(refused[0]["last_error"], "its host is inside the server's own network");
    assert_eq!(
        (&refused[0]["state"], &refused[0]["last_status"]),
        (&json!("pending"), &Value::Null)
    );
    assert!(receiver.heard_nothing());
}

#[test]
fn a_redirect_is_not_followed() {
    let (_server, network) = world(&SENDING);
    let elsewhere = Receiver::taking();
    let to = elsewhere.url();
    let receiver = Receiver::start(move |_| Reply::Redirect(to.clone()));
    let webhook = make(&network, &receiver.url());
    happens(&network, "13");
    // It is asked again, and nobody else is.
    receiver.hears();
    receiver.hears();
    let sent = deliveries(&network, &webhook, |it| it["attempts"] != 0);
    assert_eq!((&sent[0]["last_status"], &sent[0]["state"]), (&json!(302), &json!("pending")));
    assert!(elsewhere.heard_nothing());
}

/// What is sent by itself goes by the system's clock, whatever a sandbox's says.
#[test]
fn a_sandboxs_clock_holds_nothing_up() {
    for clock in ["2001-01-01T00:00:00Z", "2090-01-01T00:00:00Z"] {
        let server = Server::of_a_sandbox_with(&SENDING);
        let network = server.network();
        network.extensions().post("/sandbox/clock", json!({"now": clock})).expect(200);
        let receiver = Receiver::start(|number| Reply::Status(if number == 0 { 500 } else { 200 }));
        let webhook = make(&network, &receiver.url());
        happens(&network, "13");
        let heard = [receiver.hears(), receiver.hears()];
        assert_eq!(heard[0].header("webhook-id"), heard[1].header("webhook-id"));
        deliveries(&network, &webhook, |it| it["state"] == "delivered");
    }
}
