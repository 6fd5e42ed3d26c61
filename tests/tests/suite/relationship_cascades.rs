//! Status changes of a relationship cascade to all affiliate campaigns of its pair: each one is logged and
//! notified, in one batch or in several.

use jiff::Timestamp;
use serde_json::{Value, json};
use trunkline_domain::affiliation::{AffiliateCampaign, AffiliateCampaignStatus};
use trunkline_domain::id::AffiliateCampaignId;
use trunkline_network::Page;
use trunkline_tests::body::relationship_path;
use trunkline_tests::{Client, Server, WebhookReceiver};

/// Number of affiliate campaigns that takes several batches.
const SEVERAL_BATCHES: usize = 1_203;
/// Extra SQL statements that a thousand extra rows may cost: two more batches.
const MAX_EXTRA_STATEMENTS: u64 = 20;

/// Creates an affiliate with applications to this many campaigns of an advertiser; every third is approved.
fn world(campaigns: usize) -> (Server, Client, WebhookReceiver) {
    let server =
        Server::builder().arguments(&["--rate-limit", "0", "--webhook-allow-private"]).start();
    let network = server.network();
    let receiver = WebhookReceiver::accepting_all();
    network.has_live_campaign("354", "12", json!({}));
    network.has_affiliate("976");
    let id = server.network_id();
    let created = server.run_use_case(Timestamp::UNIX_EPOCH, move |unit, _| {
        let affiliates = unit.parties(id, trunkline_domain::party::PartyKind::Affiliate, FIRST)?;
        let affiliate = affiliates.first().expect("the affiliate");
        let first = unit.campaign(id, "12")?.expect("the campaign");
        for at in 0..campaigns {
            let mut campaign = first.clone();
            campaign.external_id = format!("of-{at:05}");
            let status = match at % 3 {
                0 => AffiliateCampaignStatus::Approved,
                _ => AffiliateCampaignStatus::Applied,
            };
            let campaign_id = unit.insert_campaign(&campaign)?;
            unit.insert_affiliate_campaign(&AffiliateCampaign {
                id: AffiliateCampaignId::UNASSIGNED,
                network_id: id,
                campaign_id,
                affiliate_id: affiliate.id.as_affiliate(),
                external_affiliate_id: "976".to_owned(),
                external_id: format!("x-{at}"),
                status,
                custom_data: [("channel".to_owned(), format!("a \"{at}\""))].into_iter().collect(),
                created_at: first.created_at,
                updated_at: first.created_at,
            })?;
        }
        Ok(())
    });
    created.expect("they are stored");
    network.extensions().post("/webhooks", json!({"url": receiver.url()})).expect(201);
    (server, network, receiver)
}

const FIRST: Page = Page::new(0, 1);

fn statement_count(client: &Client) -> u64 {
    let metrics = client.absolute_paths().get("/metrics").text();
    let line =
        metrics.lines().find_map(|item| item.strip_prefix("trunkline_database_statements_total "));
    line.expect("a count").parse().expect("a number")
}

/// Audit entries and events of a cascade.
fn cascade_records(network: &Client, server: &Server) -> (Vec<Value>, Vec<Value>) {
    let entries = network
        .audit_entries(None)
        .into_iter()
        .filter(|item| item["action"] == "cascade")
        .collect();
    let events = server.events().into_iter();
    let events = events.filter(|(kind, _)| kind == "affiliate_campaign.status_changed");
    (entries, events.map(|(_, data)| data).collect())
}

#[test]
fn cascade_updates_logs_and_notifies_every_affiliate_campaign() {
    let (server, network, receiver) = world(SEVERAL_BATCHES);
    network.put(&relationship_path("354", "976"), json!({"status": "Declined"})).expect(200);
    let (entries, events) = cascade_records(&network, &server);
    assert_eq!((entries.len(), events.len()), (SEVERAL_BATCHES, SEVERAL_BATCHES));
    for (at, (entry, events)) in entries.iter().zip(&events).enumerate() {
        let (from, to) =
            if at % 3 == 0 { ("Approved", "Suspended") } else { ("Applied", "Declined") };
        let campaign = format!("of-{at:05}");
        assert_eq!(entry["object"], format!("affiliate_campaign:976/{campaign}"));
        assert_eq!(entry["patch"], json!([{"op": "replace", "path": "/status", "value": to}]));
        let expected = json!({"affiliate_campaign": format!("x-{at}"), "affiliate": "976",
            "advertiser_campaign": campaign, "from": from, "to": to});
        assert_eq!(*events, expected);
    }
    for (campaign, status) in [("of-00000", "Suspended"), ("of-01202", "Declined")] {
        assert_eq!(network.affiliate_campaign_status("354", campaign, "976"), status);
    }
    let hook = network.extensions().get("/webhooks/1/deliveries").body(200);
    let kinds = hook.as_array().expect("a list").iter().map(|item| item["type"].to_string());
    assert_eq!(
        kinds.filter(|item| item.contains("affiliate_campaign.status_changed")).count(),
        SEVERAL_BATCHES
    );
    receiver.expect_delivery();
    // Repeating the status changes nothing.
    network.put(&relationship_path("354", "976"), json!({"status": "Declined"})).expect(200);
    assert_eq!(cascade_records(&network, &server).0.len(), SEVERAL_BATCHES);
}

#[test]
fn cascade_of_a_thousand_rows_adds_few_statements() {
    // No webhook is delivered meanwhile: deliveries run statements too.
    let cost = |campaigns| {
        let (_server, network, _receiver) = world(campaigns);
        network.extensions().delete("/webhooks/1").expect(200);
        let before = statement_count(&network);
        network.put(&relationship_path("354", "976"), json!({"status": "Declined"})).expect(200);
        statement_count(&network) - before
    };
    let ten = cost(10);
    let many = cost(SEVERAL_BATCHES);
    eprintln!("{ten} statements for 10 affiliate campaigns, {many} for {SEVERAL_BATCHES}");
    assert!(
        many <= ten + MAX_EXTRA_STATEMENTS,
        "{ten} statements for 10, {many} for {SEVERAL_BATCHES}"
    );
}
