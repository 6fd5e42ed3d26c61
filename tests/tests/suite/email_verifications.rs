//! Mail goes to verified addresses only: those that the network wrote, and those whose owner followed a link.

use serde_json::{Value, json};
use std::time::{Duration, Instant};
use trunkline_tests::{Client, Mail, Mailbox, Response, Server, body, table_rows};

fn user(id: &str, addresses: &[&str]) -> Value {
    let emails: Vec<Value> = addresses
        .iter()
        .map(|address| json!({"email_address": address, "use_for_notifications": true}))
        .collect();
    body::merged(body::user(id), json!({"email_settings": emails, "notify_on_budgets": true}))
}

fn start(mailbox: &Mailbox) -> Server {
    let from = "Trunkline <calls@trunkline.example>";
    let url = mailbox.url();
    let arguments = ["--smtp-url", &url, "--mail-from", from, "--sending-first-wait", "20"];
    Server::builder().arguments(&arguments).start()
}

/// Creates a live campaign of advertiser a1 that alerts at its first call.
fn has_campaign_with_cap(network: &Client) {
    let cap = json!({"budget_amount": 1, "budget_currency": "USD", "reset_period": "Ongoing",
        "starts_at": "2014-04-17T00:00:00Z", "time_zone": "UTC"});
    let budgets = json!({"periodic_call_cap_alert": cap});
    network.has_campaign("a1", "12", json!({"budget_activities": budgets}));
    network.go_live("a1", "12");
}

fn report_call(network: &Client) {
    let call = json!({"call": {"external_call_unique_id": "1", "duration_in_seconds": 9,
        "start_time": "2200-01-01T12:00:00Z", "advertiser_campaign_id_from_network": "12"}});
    network.post("/calls", call).expect(201);
}

fn mails(network: &Client) -> Vec<Value> {
    network.extensions().get("/mails").body(200).as_array().expect("a list").clone()
}

/// Addresses of the stored mails with this beginning of their subject, sorted.
fn mailed_to(network: &Client, subject: &str) -> Vec<String> {
    let has_subject =
        |mail: &&Value| mail["subject"].as_str().is_some_and(|text| text.starts_with(subject));
    let all = mails(network);
    let to = all.iter().filter(has_subject).filter_map(|mail| mail["to"].as_str());
    let mut to: Vec<String> = to.map(str::to_owned).collect();
    to.sort();
    to
}

fn text_of(mail: &Mail) -> String {
    // Quoted-printable ends a folded line with `=`.
    mail.text.join("\n").replace("=\n", "").replace("=3D", "=")
}

/// Path and query of the link in a mail.
fn link_of(mail: &Mail) -> String {
    let text = text_of(mail);
    let (_, rest) = text.split_once("/confirm_address?token=").expect("a link");
    let token: String =
        rest.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect();
    assert_eq!(token.len(), "tl3_".len() + 64, "256 bits: {token}");
    format!("/confirm_address?token={token}")
}

fn open(server: &Server, link: &str) -> Response {
    server.anon().absolute_paths().request("GET", link).send()
}

fn submit(server: &Server, link: &str) -> Response {
    let (_, token) = link.split_once('?').expect("a query");
    let request = server.anon().absolute_paths().request("POST", "/confirm_address");
    let request = request.header("Content-Type", "application/x-www-form-urlencoded");
    request.bytes(token.as_bytes()).send()
}

#[test]
fn address_of_a_party_gets_one_mail_until_it_is_confirmed() {
    let mailbox = Mailbox::start(|_| "250 ok");
    let server = start(&mailbox);
    let network = server.network();
    has_campaign_with_cap(&network);
    let advertiser = server.advertiser("a1");
    let mut evil = user("You won! http://evil.example", &["Victim@example.com"]);
    evil["first_name"] = json!("http://evil.example");
    for _ in 0..3 {
        advertiser.put("/advertisers/a1", json!({"users": [evil]})).expect(200);
        advertiser.put("/advertisers/a1", json!({"name": "Won http://evil.example"})).expect(200);
        advertiser.put("/advertisers/a1", json!({"name": "Advertiser a1"})).expect(200);
    }
    let mail = mailbox.expect_mail();
    assert_eq!(mail.to, ["Victim@example.com"]);
    let text = text_of(&mail);
    assert!(!text.contains("evil") && !mail.header("Subject")[0].contains("evil"), "{text}");
    assert_eq!(mail.header("Auto-Submitted"), ["auto-generated"]);
    let link = link_of(&mail);
    // The stored mail has no link, and the database only the hash of its token.
    let stored = mails(&network);
    assert_eq!((stored.len(), &stored[0]["event_id"]), (1, &Value::Null), "{stored:?}");
    assert!(stored[0]["text"].as_str().is_some_and(|text| text.contains("[link]")), "{stored:?}");
    let (_, token) = link.split_once("token=").expect("a token");
    assert!(table_rows(server.database()).values().flatten().all(|row| !row.contains(token)));
    // Nothing else is sent to it, and opening the page changes nothing.
    for _ in 0..2 {
        let page = open(&server, &link).expect(200).text();
        assert!(page.contains("victim@example.com") && page.contains("<form"), "{page}");
        assert!(!page.contains("evil") && !page.contains("<script"), "{page}");
    }
    report_call(&network);
    assert_eq!(mailed_to(&network, "Campaign 12"), Vec::<String>::new());
    // Confirmed, it gets the next alert.
    let foreign = server.anon().absolute_paths().request("POST", "/confirm_address");
    let foreign = foreign.header("Content-Type", "application/x-www-form-urlencoded");
    let foreign = foreign.header("Sec-Fetch-Site", "cross-site").bytes(b"token=x");
    assert_eq!(foreign.send().status, 403);
    assert!(submit(&server, &link).expect(200).text().contains("confirmed"));
    assert_eq!((open(&server, &link).status, submit(&server, &link).status), (404, 404));
    let raised = json!({"periodic_call_cap_alert": {"budget_amount": 2, "budget_currency": "USD",
        "reset_period": "Ongoing", "starts_at": "2014-04-17T00:00:00Z", "time_zone": "UTC"}});
    let path = body::campaign_path("a1", "12");
    network.put(&path, json!({"budget_activities": raised})).expect(200);
    network.go_live("a1", "12");
    let call = json!({"call": {"external_call_unique_id": "2", "duration_in_seconds": 9,
        "start_time": "2200-01-01T12:00:00Z", "advertiser_campaign_id_from_network": "12"}});
    network.post("/calls", call).expect(201);
    assert_eq!(mailed_to(&network, "Campaign 12"), ["Victim@example.com"]);
    let entries = network.audit_entries(Some("user:You%20won!%20http:%2F%2Fevil.example"));
    assert_eq!(entries.last().expect("an entry")["action"], "confirm_address");
}

#[test]
fn network_verifies_the_addresses_that_it_writes() {
    let server = Server::start();
    let network = server.network();
    has_campaign_with_cap(&network);
    let advertiser = server.advertiser("a1");
    let users = json!([user("u1", &["one@example.com"]), user("u2", &["two@example.com"])]);
    advertiser.put("/advertisers/a1", json!({"users": users})).expect(200);
    network.put("/network", json!({"users": [user("n1", &["boss@example.com"])]})).expect(200);
    // A write of one user verifies that user's addresses, and no others. The user does not change.
    let one = network.get("/advertisers/a1/users/u1").body(200);
    network.put("/advertisers/a1/users/u1", json!({"user": one})).expect(200);
    report_call(&network);
    assert_eq!(mailed_to(&network, "Campaign 12"), ["boss@example.com", "one@example.com"]);
    assert_eq!(mailed_to(&network, "Confirm"), ["one@example.com", "two@example.com"]);
}

#[test]
fn changed_address_of_a_party_is_not_verified() {
    let server = Server::start();
    let network = server.network();
    has_campaign_with_cap(&network);
    let both = ["kept@example.com", "old@example.com"];
    network.put("/advertisers/a1", json!({"users": [user("u1", &both)]})).expect(200);
    let advertiser = server.advertiser("a1");
    let changed = user("u1", &["kept@example.com", "new@example.com"]);
    advertiser.put("/advertisers/a1/users/u1", json!({"user": changed})).expect(200);
    report_call(&network);
    assert_eq!(mailed_to(&network, "Campaign 12"), ["kept@example.com"]);
    assert_eq!(mailed_to(&network, "Confirm"), ["new@example.com"]);
    // The old one is written again by the party: it was removed, so it is not verified.
    let again = user("u1", &["kept@example.com", "old@example.com"]);
    advertiser.put("/advertisers/a1/users/u1", json!({"user": again})).expect(200);
    assert_eq!(mailed_to(&network, "Confirm"), ["new@example.com", "old@example.com"]);
}

#[test]
fn party_causes_twenty_mails_a_day() {
    let server = Server::start();
    let network = server.network();
    network.has_affiliate("f1");
    network.has_affiliate("f2");
    let users: Vec<Value> =
        (0..25).map(|n| user(&format!("u{n}"), &[&format!("v{n}@example.com")])).collect();
    let affiliate = server.affiliate("f1");
    let response = affiliate.put("/affiliates/f1", json!({"users": users})).expect(200);
    let warning = response.header("trunkline-warning").expect("a warning").to_owned();
    assert!(warning.starts_with("users[20]: "), "{warning}");
    assert_eq!(mailed_to(&network, "Confirm").len(), 20);
    affiliate.put("/affiliates/f1", json!({"users": users})).expect(200);
    affiliate.put("/affiliates/f1", json!({"users": [user("z", &["z@example.com"])]})).expect(200);
    assert_eq!(mailed_to(&network, "Confirm").len(), 20);
    let other = json!({"users": [user("o", &["o@example.com"])]});
    server.affiliate("f2").put("/affiliates/f2", other).expect(200);
    assert_eq!(mailed_to(&network, "Confirm").len(), 21, "another party has its own allowance");
}

#[test]
fn mail_for_a_removed_address_is_not_sent() {
    let mut server = Server::start();
    let network = server.network();
    network.has_affiliate("f1");
    let users = |address| json!({"users": [user("u1", &[address])]});
    let affiliate = server.affiliate("f1");
    affiliate.put("/affiliates/f1", users("removed@example.com")).expect(200);
    affiliate.put("/affiliates/f1", users("kept@example.com")).expect(200);
    assert!(server.stop());
    let mailbox = Mailbox::start(|_| "250 ok");
    let url = mailbox.url();
    server.restart_with(&["--smtp-url", &url, "--mail-from", "calls@trunkline.example"]);
    assert_eq!(mailbox.expect_mail().to, ["kept@example.com"]);
    let network = server.network();
    let started = Instant::now();
    let records = loop {
        let records = mails(&network);
        if records.iter().all(|mail| mail["state"] != "waiting") {
            break records;
        }
        assert!(started.elapsed() < Duration::from_secs(60), "{records:?}");
        std::thread::yield_now();
    };
    let states: Vec<_> = records.iter().map(|mail| mail["state"].as_str().expect("text")).collect();
    assert_eq!(states, ["failed", "sent"], "{records:?}");
    assert!(mailbox.is_empty());
}
