//! Budgets that are used up are told by mail to those who asked for it: each alert once to each
//! address, when there is a mail server to send it.

use serde_json::{Value, json};
use std::time::{Duration, Instant};
use trunkline_tests::body;
use trunkline_tests::{Client, Mailbox, Server};

fn user(id: &str, asked: bool, addresses: &[(&str, bool)]) -> Value {
    let emails: Vec<Value> = addresses
        .iter()
        .map(|(address, told)| json!({"email_address": address, "use_for_notifications": told}))
        .collect();
    body::with(body::user(id), json!({"email_settings": emails, "notify_on_budgets": asked}))
}

/// A live campaign of advertiser 354 with a cap of 4 calls, and people on both sides. `name` is the
/// campaign's.
fn people_and_a_campaign(network: &Client, name: &str) {
    let told = [("boss@example.com", true), ("home@example.com", false)];
    let of_network =
        json!([user("1", true, &told), user("2", false, &[("two@example.com", true)])]);
    network.put("/network", json!({"users": of_network})).expect(200);
    let cap = json!({"budget_amount": 4, "budget_currency": "USD", "reset_period": "Ongoing",
        "starts_at": "2014-04-17T00:00:00Z", "time_zone": "UTC"});
    let budgets = json!({"periodic_call_cap_alert": cap});
    network.has_campaign("354", "12", json!({"name": name, "budget_activities": budgets}));
    // One address is on both sides, spelled otherwise.
    let addresses = [("adv@example.com", true), ("Boss@Example.com", true)];
    let of_advertiser = json!({"users": [user("3", true, &addresses)]});
    network.put("/advertisers/354", of_advertiser).expect(200);
    network.has_advertiser("355");
    let others = json!({"users": [user("4", true, &[("other@example.com", true)])]});
    network.put("/advertisers/355", others).expect(200);
    network.go_live("354", "12");
}

fn call(network: &Client, id: &str) {
    let call = json!({"call": {"external_call_unique_id": id, "duration_in_seconds": 9,
        "start_time": "2200-01-01T12:00:00Z", "advertiser_campaign_id_from_network": "12"}});
    network.post("/calls", call).expect(201);
}

fn mails(network: &Client) -> Vec<Value> {
    let found = network.extensions().get("/mails").body(200);
    found.as_array().expect("a list").clone()
}

/// The mails, when all of them are as they are waited for.
fn mails_when(network: &Client, all: impl Fn(&Value) -> bool) -> Vec<Value> {
    let begun = Instant::now();
    loop {
        let found = mails(network);
        if found.iter().all(&all) {
            return found;
        }
        assert!(begun.elapsed() < Duration::from_secs(60), "it does not come to that: {found:?}");
        std::thread::yield_now();
    }
}

fn sending(mailbox: &Mailbox) -> Vec<String> {
    let from = "Trunkline <calls@trunkline.example>";
    let all = ["--smtp-url", &mailbox.url(), "--mail-from", from, "--sending-first-wait", "20"];
    all.map(str::to_owned).to_vec()
}

fn start(arguments: &[String]) -> Server {
    Server::start_with(&arguments.iter().map(String::as_str).collect::<Vec<_>>())
}

#[test]
fn an_alert_is_mailed_once_to_each_who_asked() {
    let mailbox = Mailbox::start(|_| "250 ok");
    let server = start(&sending(&mailbox));
    let network = server.network();
    people_and_a_campaign(&network, "Tickets\r\nBcc: everyone@example.com\r\n\r\nfür alle");
    call(&network, "1");
    call(&network, "2");
    call(&network, "3");
    // 75 %, to two addresses; the mails come in any order.
    let got = [mailbox.gets(), mailbox.gets()];
    let mut to: Vec<_> = got.iter().flat_map(|mail| mail.to.clone()).collect();
    to.sort_by_key(|address| address.to_lowercase());
    assert_eq!(to.len(), 2, "{got:?}");
    assert_eq!(to[0], "adv@example.com");
    assert_eq!(to[1].to_lowercase(), "boss@example.com");
    for mail in &got {
        assert_eq!(mail.from, "calls@trunkline.example");
        assert_eq!(mail.header("From"), ["Trunkline <calls@trunkline.example>"]);
        assert_eq!(mail.header("To"), [mail.to[0].as_str()]);
        assert!(mail.header("Bcc").is_empty(), "a name writes no header: {mail:?}");
        for name in ["Subject", "Date", "Message-ID", "Content-Type"] {
            assert_eq!(mail.header(name).len(), 1, "{name} in {mail:?}");
        }
        // Long lines are cut, each time with a sign that they were.
        let text = mail.text.join("\n").replace("=\n", "");
        assert!(text.contains("has come to 3 of 4 calls: 75 % of its call cap."), "{mail:?}");
    }
    let sent = mails_when(&network, |mail| mail["state"] == "sent");
    assert_eq!(sent.len(), 2);
    let subject = "Tickets Bcc: everyone@example.com für alle: 75 % of the call cap is used up";
    assert_eq!((&sent[0]["subject"], &sent[0]["attempts"]), (&json!(subject), &json!(1)));
    assert!(sent[0]["sent_at"].is_string() && sent[0]["next_attempt_at"].is_null(), "{sent:?}");
    // 90 and 100 % at once: two more for each, and then no more.
    call(&network, "4");
    call(&network, "5");
    (0..4).for_each(|_| drop(mailbox.gets()));
    assert_eq!(mails_when(&network, |mail| mail["state"] == "sent").len(), 6);
    assert!(mailbox.is_empty());
    // They are the network's business.
    server.advertiser("354").extensions().get("/mails").refused(403, "UnauthorizedOperation");
    assert_eq!(server.observer().extensions().get("/mails?state=failed").body(200), json!([]));
    let wrong = network.extensions().get("/mails?state=lost");
    wrong.invalid(&json!({"state": ["is not included in the list"]}));
}

#[test]
fn mail_waits_for_a_server_that_can_send_it() {
    let mut server = Server::start();
    let network = server.network();
    people_and_a_campaign(&network, "Tickets");
    (0..3).for_each(|at| call(&network, &at.to_string()));
    let waiting = mails(&network);
    assert_eq!(waiting.len(), 2);
    assert!(waiting.iter().all(|mail| mail["state"] == "waiting" && mail["attempts"] == 0));
    assert!(server.stop());
    let mailbox = Mailbox::start(|_| "250 ok");
    let arguments = sending(&mailbox);
    server.start_again_with(&arguments.iter().map(String::as_str).collect::<Vec<_>>());
    (0..2).for_each(|_| drop(mailbox.gets()));
    mails_when(&server.network(), |mail| mail["state"] == "sent");
}

#[test]
fn a_mail_that_is_refused_for_now_is_sent_again_and_one_refused_for_good_is_not() {
    let answers = ["451 later", "550 nobody here", "421 busy", "250 ok"];
    let mailbox = Mailbox::start(move |count| answers[count.min(3)]);
    let server = start(&sending(&mailbox));
    let network = server.network();
    people_and_a_campaign(&network, "Tickets");
    (0..3).for_each(|at| call(&network, &at.to_string()));
    mailbox.gets();
    let settled = mails_when(&network, |mail| mail["state"] != "waiting");
    let mut states: Vec<_> = settled.iter().map(|mail| mail["state"].to_string()).collect();
    states.sort();
    assert_eq!(states, ["\"failed\"", "\"sent\""], "{settled:?}");
    let failed = settled.iter().find(|mail| mail["state"] == "failed").expect("one failed");
    assert!(failed["last_error"].as_str().is_some_and(|it| it.contains("nobody here")), "{failed}");
    let attempts: i64 = settled.iter().filter_map(|mail| mail["attempts"].as_i64()).sum();
    assert_eq!(attempts, 4);
    assert!(mailbox.is_empty());
}
