//! Budget alerts by mail: each alert goes once to each subscribed address, if a mail server is configured.

use serde_json::{Value, json};
use std::time::{Duration, Instant};
use trunkline_tests::body;
use trunkline_tests::{Client, Mailbox, Server};

fn user_with_addresses(id: &str, requests: bool, addresses: &[(&str, bool)]) -> Value {
    let emails: Vec<Value> = addresses
        .iter()
        .map(|(address, boss_addresses)| json!({"email_address": address, "use_for_notifications": boss_addresses}))
        .collect();
    body::merged(body::user(id), json!({"email_settings": emails, "notify_on_budgets": requests}))
}

/// Creates a live campaign of advertiser 354 with a cap of 4 calls, and users on both sides. `name` is the
/// name of the campaign.
fn create_users_and_campaign(network: &Client, name: &str) {
    let boss_addresses = [("boss@example.com", true), ("home@example.com", false)];
    let of_network = json!([
        user_with_addresses("1", true, &boss_addresses),
        user_with_addresses("2", false, &[("two@example.com", true)])
    ]);
    network.put("/network", json!({"users": of_network})).expect(200);
    let cap = json!({"budget_amount": 4, "budget_currency": "USD", "reset_period": "Ongoing",
        "starts_at": "2014-04-17T00:00:00Z", "time_zone": "UTC"});
    let budgets = json!({"periodic_call_cap_alert": cap});
    network.has_campaign("354", "12", json!({"name": name, "budget_activities": budgets}));
    // Both sides have one address in common, in different spelling.
    let addresses = [("adv@example.com", true), ("Boss@Example.com", true)];
    let of_advertiser = json!({"users": [user_with_addresses("3", true, &addresses)]});
    network.put("/advertisers/354", of_advertiser).expect(200);
    network.has_advertiser("355");
    let others = json!({"users": [user_with_addresses("4", true, &[("other@example.com", true)])]});
    network.put("/advertisers/355", others).expect(200);
    network.go_live("354", "12");
}

fn report_call(network: &Client, id: &str) {
    let call = json!({"call": {"external_call_unique_id": id, "duration_in_seconds": 9,
        "start_time": "2200-01-01T12:00:00Z", "advertiser_campaign_id_from_network": "12"}});
    network.post("/calls", call).expect(201);
}

fn mail_records(network: &Client) -> Vec<Value> {
    let records = network.extensions().get("/mails").body(200);
    records.as_array().expect("a list").clone()
}

/// Polls the mail records until all of them satisfy a condition.
fn wait_for_mail_records(network: &Client, all: impl Fn(&Value) -> bool) -> Vec<Value> {
    let started = Instant::now();
    loop {
        let records = mail_records(network);
        if records.iter().all(&all) {
            return records;
        }
        assert!(
            started.elapsed() < Duration::from_secs(60),
            "it does not come to that: {records:?}"
        );
        std::thread::yield_now();
    }
}

fn smtp_arguments(mailbox: &Mailbox) -> Vec<String> {
    let from = "Trunkline <calls@trunkline.example>";
    let all = ["--smtp-url", &mailbox.url(), "--mail-from", from, "--sending-first-wait", "20"];
    all.map(str::to_owned).to_vec()
}

fn start_server(arguments: &[String]) -> Server {
    Server::builder().arguments(&arguments.iter().map(String::as_str).collect::<Vec<_>>()).start()
}

#[test]
fn alert_is_mailed_once_to_each_subscriber() {
    let mailbox = Mailbox::start(|_| "250 ok");
    let server = start_server(&smtp_arguments(&mailbox));
    let network = server.network();
    create_users_and_campaign(&network, "Tickets\r\nBcc: everyone@example.com\r\n\r\nfür alle");
    report_call(&network, "1");
    report_call(&network, "2");
    report_call(&network, "3");
    // The 75 % alert goes to two addresses, in any order.
    let got = [mailbox.expect_mail(), mailbox.expect_mail()];
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
        // Quoted-printable ends a folded line with `=`.
        let text = mail.text.join("\n").replace("=\n", "");
        assert!(text.contains("has reached 3 of 4 calls: 75 %."), "{mail:?}");
        assert!(text.contains("Period: since 2014-04-17 00:00, UTC, without an end"), "{mail:?}");
        assert!(
            text.contains("Calls: they are still accepted; this budget only alerts."),
            "{mail:?}"
        );
        assert_eq!(mail.header("Auto-Submitted"), ["auto-generated"]);
    }
    let sent_mails = wait_for_mail_records(&network, |mail| mail["state"] == "sent");
    assert_eq!(sent_mails.len(), 2);
    let subject = "Campaign 12: 75 % of the call cap is used up";
    assert_eq!(
        (&sent_mails[0]["subject"], &sent_mails[0]["attempts"]),
        (&json!(subject), &json!(1))
    );
    assert!(
        sent_mails[0]["sent_at"].is_string() && sent_mails[0]["next_attempt_at"].is_null(),
        "{sent_mails:?}"
    );
    // One call reaches 90 % and 100 %: one mail for each address, about the higher one, and no more.
    report_call(&network, "4");
    report_call(&network, "5");
    for _ in 0..2 {
        let text = mailbox.expect_mail().text.join("\n").replace("=\n", "");
        assert!(text.contains("has reached 4 of 4 calls: 100 %."), "{text}");
    }
    let sent_mails = wait_for_mail_records(&network, |mail| mail["state"] == "sent");
    assert_eq!(sent_mails.len(), 4);
    assert!(mailbox.is_empty());
    // Only the network sees the mail records.
    server.advertiser("354").extensions().get("/mails").assert_error(403, "UnauthorizedOperation");
    assert_eq!(server.observer().extensions().get("/mails?state=failed").body(200), json!([]));
    let wrong = network.extensions().get("/mails?state=lost");
    wrong.assert_invalid(&json!({"state": ["is not included in the list"]}));
}

#[test]
fn mail_waits_for_a_server_with_smtp() {
    let mut server = Server::start();
    let network = server.network();
    create_users_and_campaign(&network, "Tickets");
    (0..3).for_each(|at| report_call(&network, &at.to_string()));
    let waiting = mail_records(&network);
    assert_eq!(waiting.len(), 2);
    assert!(waiting.iter().all(|mail| mail["state"] == "waiting" && mail["attempts"] == 0));
    assert!(server.stop());
    let mailbox = Mailbox::start(|_| "250 ok");
    let arguments = smtp_arguments(&mailbox);
    server.restart_with(&arguments.iter().map(String::as_str).collect::<Vec<_>>());
    (0..2).for_each(|_| drop(mailbox.expect_mail()));
    wait_for_mail_records(&server.network(), |mail| mail["state"] == "sent");
}

#[test]
fn temporarily_rejected_mail_is_retried_and_permanently_rejected_is_not() {
    let responses = ["451 later", "550 nobody here", "421 busy", "250 ok"];
    let mailbox = Mailbox::start(move |count| responses[count.min(3)]);
    let server = start_server(&smtp_arguments(&mailbox));
    let network = server.network();
    create_users_and_campaign(&network, "Tickets");
    (0..3).for_each(|at| report_call(&network, &at.to_string()));
    mailbox.expect_mail();
    let settled = wait_for_mail_records(&network, |mail| mail["state"] != "waiting");
    let mut states: Vec<_> = settled.iter().map(|mail| mail["state"].to_string()).collect();
    states.sort();
    assert_eq!(states, ["\"failed\"", "\"sent\""], "{settled:?}");
    let failed = settled.iter().find(|mail| mail["state"] == "failed").expect("one failed");
    assert!(
        failed["last_error"].as_str().is_some_and(|item| item.contains("nobody here")),
        "{failed}"
    );
    let attempts: i64 = settled.iter().filter_map(|mail| mail["attempts"].as_i64()).sum();
    assert_eq!(attempts, 4);
    assert!(mailbox.is_empty());
}
