//! A relationship carries over to every affiliate campaign of its pair: each is written down and told
//! of, whether there are ten or more than are written at a time.

use jiff::Timestamp;
use serde_json::{Value, json};
use trunkline_domain::affiliation::{AffiliateCampaign, AffiliateCampaignStatus};
use trunkline_network::Page;
use trunkline_tests::body::relationship_path;
use trunkline_tests::{Client, Receiver, Server};

/// More than are written at a time.
const MANY: usize = 1_203;
/// What a thousand rows more may cost: two more of what is written at a time.
const FEW: u64 = 20;

/// An affiliate that has applied to so many campaigns of an advertiser; every third is approved.
fn world(campaigns: usize) -> (Server, Client, Receiver) {
    let server = Server::start_with(&["--rate-limit", "0", "--webhook-allow-private"]);
    let (network, receiver) = (server.network(), Receiver::taking());
    network.has_live_campaign("354", "12", json!({}));
    network.has_affiliate("976");
    let id = server.network_id();
    let made = server.at(Timestamp::UNIX_EPOCH, move |session, _| {
        let affiliates =
            session.parties(id, trunkline_domain::party::PartyKind::Affiliate, FIRST)?;
        let affiliate = affiliates.first().expect("the affiliate");
        let first = session.campaign(id, "12")?.expect("the campaign");
        for at in 0..campaigns {
            let mut campaign = first.clone();
            campaign.id_from_network = format!("of-{at:05}");
            let status = match at % 3 {
                0 => AffiliateCampaignStatus::Approved,
                _ => AffiliateCampaignStatus::Applied,
            };
            let campaign_id = session.insert_campaign(&campaign)?;
            session.insert_affiliate_campaign(&AffiliateCampaign {
                id: 0,
                network_id: id,
                campaign_id,
                affiliate_id: affiliate.id,
                affiliate_id_from_network: "976".to_owned(),
                id_from_network: format!("x-{at}"),
                status,
                custom_data: [("channel".to_owned(), format!("a \"{at}\""))].into_iter().collect(),
                created_at: first.created_at,
                updated_at: first.created_at,
            })?;
        }
        Ok(())
    });
    made.expect("they are stored");
    network.extensions().post("/webhooks", json!({"url": receiver.url()})).expect(201);
    (server, network, receiver)
}

const FIRST: Page = Page::of(0, 1);

fn statements(client: &Client) -> u64 {
    let metrics = client.anywhere().get("/metrics").text();
    let line =
        metrics.lines().find_map(|it| it.strip_prefix("trunkline_database_statements_total "));
    line.expect("a count").parse().expect("a number")
}

/// What the log has, and what was told, of a cascade.
fn log(network: &Client, server: &Server) -> (Vec<Value>, Vec<Value>) {
    let entries = network.audit(None).into_iter().filter(|it| it["action"] == "cascade").collect();
    let told = server.told().into_iter();
    let told = told.filter(|(kind, _)| kind == "affiliate_campaign.status_changed");
    (entries, told.map(|(_, data)| data).collect())
}

#[test]
fn every_affiliate_campaign_is_moved_written_down_and_told_of() {
    let (server, network, receiver) = world(MANY);
    network.put(&relationship_path("354", "976"), json!({"status": "Declined"})).expect(200);
    let (entries, told) = log(&network, &server);
    assert_eq!((entries.len(), told.len()), (MANY, MANY));
    for (at, (entry, told)) in entries.iter().zip(&told).enumerate() {
        let (from, to) =
            if at % 3 == 0 { ("Approved", "Suspended") } else { ("Applied", "Declined") };
        let campaign = format!("of-{at:05}");
        assert_eq!(entry["object"], format!("affiliate_campaign:976/{campaign}"));
        assert_eq!(entry["diff"], json!([{"op": "replace", "path": "/status", "value": to}]));
        let expected = json!({"affiliate_campaign": format!("x-{at}"), "affiliate": "976",
            "advertiser_campaign": campaign, "from": from, "to": to});
        assert_eq!(*told, expected);
    }
    for (campaign, status) in [("of-00000", "Suspended"), ("of-01202", "Declined")] {
        assert_eq!(network.status_of("354", campaign, "976"), status);
    }
    let hook = network.extensions().get("/webhooks/1/deliveries").body(200);
    let kinds = hook.as_array().expect("a list").iter().map(|it| it["type"].to_string());
    assert_eq!(kinds.filter(|it| it.contains("affiliate_campaign.status_changed")).count(), MANY);
    receiver.hears();
    // The same again finds nothing to move.
    network.put(&relationship_path("354", "976"), json!({"status": "Declined"})).expect(200);
    assert_eq!(log(&network, &server).0.len(), MANY);
}

#[test]
fn a_thousand_more_cost_a_few_statements_more() {
    // Nothing is sent meanwhile, which would be statements too.
    let cost = |campaigns| {
        let (_server, network, _receiver) = world(campaigns);
        network.extensions().delete("/webhooks/1").expect(200);
        let before = statements(&network);
        network.put(&relationship_path("354", "976"), json!({"status": "Declined"})).expect(200);
        statements(&network) - before
    };
    let (ten, many) = (cost(10), cost(MANY));
    eprintln!("{ten} statements for 10 affiliate campaigns, {many} for {MANY}");
    assert!(many <= ten + FEW, "{ten} statements for 10, {many} for {MANY}");
}
