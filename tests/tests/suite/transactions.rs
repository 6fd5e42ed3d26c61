//! The ledger in the API: columns by viewer, formats, and paging.

use serde_json::{Value, json};
use trunkline_tests::body::{self, affiliate_campaign_path, campaign_path};
use trunkline_tests::{Client, Server, assert_json_eq};

fn policies(amounts: &[(&str, f64, &str)]) -> Value {
    let policy = |(kind, amount, condition): &(&str, f64, &str)| json!({"type": kind, "amount": amount, "currency": "USD", "condition": condition});
    json!({"policies": amounts.iter().map(policy).collect::<Vec<_>>()})
}

/// Creates a live campaign 12 of advertiser 354 in Tokyo's time zone, with a menu and a region, and an approved
/// affiliate 976 with a promo number. The network is in the Pacific time zone.
fn world() -> (Server, Client) {
    let server = Server::start();
    let network = server.network();
    server.add_numbers(&["8005550142"]);
    let connect =
        |number: &str| json!({"node_type": "Connect", "destination_phone_number": number});
    let more = json!({
        "auto_approve": "All",
        "timezone": "Tokyo",
        "campaign_country": "US",
        "advertiser_payin": policies(&[("Base", 7.0, "duration > 60 and in_region[West]"), ("Bonus", 2.5, "pressed[1]")]),
        "affiliate_payout": policies(&[("Base", 4.5, "duration > 60")]),
        "named_regions": [
            {"name": "West", "regions": [{"region_type": "State", "value": "CA"}]},
            {"name": "Here", "regions": [{"region_type": "Country", "value": "US"}]}],
        "ivr_tree": {"root": {"node_type": "Menu", "prompt": "Press 1.",
            "children": [connect("8005550101"), connect("8005550102")]}},
    });
    network.has_live_campaign("354", "12", more);
    network.has_applied("354", "12", "976");
    let number = json!({"description": "Spring, \"TV\"", "media_type": "Offline: TV",
        "id_from_network": "line-1", "custom_data": {"channel": "A & B"}});
    let path = format!("{}/promo_numbers", affiliate_campaign_path("354", "12", "976"));
    network.post(&path, number).expect(201);
    (server, network)
}

/// A call by the affiliate's promo number that earns every policy.
fn paid_call() -> Value {
    json!({"promo_number": "8005550142", "keypresses": ["7", "1"], "phone_type": "mobile",
        "city": "Ojai", "connect_duration_in_seconds": 70})
}

const ALL_COLUMNS: &str = "transaction_id,advertiser_campaign_name,affiliate_id_from_network,\
    promo_line_description,start_time_local,duration,advertiser_payin_localized,custom_data";

fn ledger_rows(client: &Client, path: &str) -> Vec<Value> {
    client.get(path).body(200).as_array().expect("a list").clone()
}

fn property_names(row: &Value) -> Vec<&str> {
    row.as_object().expect("a hash").keys().map(String::as_str).collect()
}

/// Row of a call of [`paid_call`] as the network sees it, in the order of the columns.
fn network_row(cuid: &str, campaign: &str) -> Value {
    json!({
        "transaction_id": "1",
        "complete_call_id": cuid,
        "transaction_type": "Call",
        "advertiser_call_fee_localized": "",
        "advertiser_campaign_country": "US",
        "advertiser_campaign_id": campaign,
        "advertiser_campaign_id_from_network": "12",
        "advertiser_campaign_name": "Campaign 12",
        "advertiser_id": "1",
        "advertiser_id_from_network": "354",
        "advertiser_name": "Advertiser 354",
        "advertiser_payin_localized": "9.50",
        "affiliate_call_volume_ranking": null,
        "affiliate_commissions_ranking": null,
        "affiliate_conversion_rate_ranking": null,
        "affiliate_id": "2",
        "affiliate_id_from_network": "976",
        "affiliate_name": "Affiliate 976",
        "affiliate_payout_localized": "4.50",
        "call_fee_localized": "",
        "call_result_description_detail": "Connected",
        "call_source_description": "800-555-0142",
        "calling_phone_number": "805-708-9876",
        "city": "Ojai",
        "connect_duration": 70,
        "corrected_at": "",
        "corrects_transaction_id": "",
        "destination_phone_number": "800-555-0101",
        "duration": 90,
        "hangup_cause": "Unknown: Unknown Cause",
        "ivr_duration": 20,
        "keypress_1": "1",
        "keypress_2": "",
        "keypress_3": "",
        "keypress_4": "",
        "keypresses": "1",
        "margin_localized": "5.00",
        "matching_advertiser_payin_policies": "base+bonus1",
        "matching_affiliate_payout_policies": "base",
        "media_type": "Offline: TV",
        "mobile": "Mobile",
        "notes": "",
        "opt_in_SMS": null,
        "original_order_id": "",
        "payin_conditions": "duration > 60 and in_region[West]",
        "payout_conditions": "duration > 60",
        "qualified_regions": "West, Here",
        "recording": "",
        "recording_download_url": "",
        "region": "CA",
        "repeat_calling_phone_number": "No",
        "start_time_local": "2200-01-01 04:00:00 -0800",
        "start_time_network_timezone": "2200-01-01 04:00:00 -0800",
        "start_time_network_timezone_xml": "2200-01-01T04:00:00-08:00",
        "start_time_utc": 7_258_161_600_000_i64,
        "start_time_xml": "2200-01-01T04:00:00-08:00",
        "transfer_from_type": "Publisher Direct",
        "verified_zip": "",
        "virtual_line_id": "line-1",
    })
}

#[test]
fn row_has_all_facts_of_its_call() {
    let (server, network) = world();
    let cuid = network.report_call("1", paid_call());
    let campaign = network.get(&campaign_path("354", "12")).body(200);
    let row = network.ledger().remove(0);
    let expected = network_row(&cuid, &campaign["id"].to_string());
    assert_json_eq(&row, &expected);
    assert_eq!(property_names(&row), property_names(&expected), "the columns' order");
    // Advertiser and affiliate see their columns only.
    let advertiser =
        ledger_rows(&server.advertiser("354"), "/advertisers/transactions/354").remove(0);
    let affiliate = ledger_rows(&server.affiliate("976"), "/affiliates/transactions/976").remove(0);
    for hidden in [
        "affiliate_payout_localized",
        "margin_localized",
        "payout_conditions",
        "matching_affiliate_payout_policies",
        "advertiser_name",
    ] {
        assert_eq!(advertiser.get(hidden), None, "{hidden}");
    }
    for hidden in [
        "advertiser_payin_localized",
        "margin_localized",
        "payin_conditions",
        "matching_advertiser_payin_policies",
        "calling_phone_number",
        "affiliate_name",
        "destination_phone_number",
        "custom_data",
        "repeat_calling_phone_number",
    ] {
        assert_eq!(affiliate.get(hidden), None, "{hidden}");
    }
    assert_eq!(advertiser["advertiser_payin_localized"], "9.50");
    assert_eq!(advertiser["advertiser_promo_line_description"], "Spring, \"TV\"");
    assert_eq!(advertiser["call_result_description_detail_managed_advertiser"], "Connected");
    assert_eq!(affiliate["affiliate_payout_localized"], "4.50");
    assert_eq!(affiliate["promo_line_description"], "Spring, \"TV\"");
}

#[test]
fn unknown_and_unpaid_values_are_empty() {
    let (_server, network) = world();
    network.report_call(
        "1",
        json!({"calling_phone_number": null, "duration_in_seconds": null,
        "keypresses": ["2"], "destination_phone_number": "8005550177"}),
    );
    network.report_call("2", json!({"keypresses": []}));
    network.report_call("3", json!({"keypresses": ["7", "7", "7", "7"]}));
    network.report_call("4", json!({"start_time": "2001-01-01"}));
    network.has_affiliate("977");
    network.report_call("5", json!({"affiliate_id_from_network": "977"}));
    let path = network.ledger_path(
        "?include_columns=call_result_description_detail,\
        advertiser_payin_localized,affiliate_payout_localized,margin_localized,payin_conditions,\
        mobile,duration,ivr_duration,calling_phone_number,destination_phone_number,region,\
        affiliate_name,repeat_calling_phone_number,keypress_1,opt_in_SMS",
    );
    let rows = ledger_rows(&network, &path);
    let results: Vec<&str> =
        rows.iter().map(|row| row["call_result_description_detail"].as_str().unwrap()).collect();
    assert_eq!(
        results,
        [
            "Connected",
            "Caller hung up in IVR",
            "Ended in IVR",
            "Turned away: the campaign was not live",
            "Turned away: the affiliate was not approved"
        ]
    );
    assert_json_eq(
        &rows[0],
        &json!({
            "call_result_description_detail": "Connected", "advertiser_payin_localized": "0.00",
            "affiliate_payout_localized": "", "margin_localized": "0.00",
            "payin_conditions": "{duration > 60} and {in_region[West]}", "mobile": "",
            "duration": null, "ivr_duration": null, "calling_phone_number": "",
            "destination_phone_number": "800-555-0177", "region": "", "affiliate_name": "",
            "repeat_calling_phone_number": "No", "keypress_1": "2", "opt_in_SMS": null,
        }),
    );
    assert_json_eq(&rows[1]["ivr_duration"], &json!(90));
    assert_eq!(rows[2]["keypress_1"], "W");
    assert_eq!(rows[3]["advertiser_payin_localized"], "");
    assert_eq!(rows[3]["margin_localized"], "");
    assert_json_eq(&rows[3]["opt_in_SMS"], &Value::Null);
}

#[test]
fn json_csv_and_xml_match_to_the_byte() {
    let (_server, network) = world();
    network.report_call("1", paid_call());
    network.report_call("2", json!({"duration_in_seconds": 30, "keypresses": ["2"]}));
    let send = |rest: &str| {
        let response = network.get(&network.ledger_path(rest)).expect(200);
        (response.header("content-type").expect("a type").to_owned(), response.text())
    };
    let json = "[{\"transaction_id\":\"1\",\"advertiser_campaign_name\":\"Campaign 12\",\
        \"affiliate_id_from_network\":\"976\",\"promo_line_description\":\"Spring, \\\"TV\\\"\",\
        \"start_time_local\":\"2200-01-01 04:00:00 -0800\",\"duration\":90,\
        \"advertiser_payin_localized\":\"9.50\",\
        \"custom_data\":[{\"name\":\"channel\",\"data_type\":\"Short Text\",\"source\":\"VirtualLine\",\"value\":\"A & B\"}]},\
        {\"transaction_id\":\"2\",\"advertiser_campaign_name\":\"Campaign 12\",\
        \"affiliate_id_from_network\":\"\",\"promo_line_description\":\"\",\
        \"start_time_local\":\"2200-01-01 04:00:00 -0800\",\"duration\":30,\
        \"advertiser_payin_localized\":\"0.00\",\"custom_data\":[]}]";
    for suffix in ["", ".json"] {
        let (kind, text) = send(&format!("{suffix}?include_columns={ALL_COLUMNS}"));
        assert_eq!((kind.as_str(), text.as_str()), ("application/json; charset=utf-8", json));
    }
    // CSV has no nested values.
    let csv_columns = ALL_COLUMNS.trim_end_matches(",custom_data");
    let (kind, text) = send(&format!(".csv?include_columns={ALL_COLUMNS}"));
    assert_eq!(kind, "text/csv; charset=utf-8");
    let csv = format!(
        "{csv_columns}\n\
        1,Campaign 12,976,\"Spring, \"\"TV\"\"\",2200-01-01 04:00:00 -0800,90,9.50\n\
        2,Campaign 12,,,2200-01-01 04:00:00 -0800,30,0.00\n"
    );
    assert_eq!(text, csv);
    let style = "column_separator=%7C&row_separator=%0D%0A&include_header=0&force_quotes=1";
    let (_, text) = send(&format!(".csv?include_columns=transaction_id,duration,mobile&{style}"));
    assert_eq!(text, "\"1\"|\"90\"|\"Mobile\"\r\n\"2\"|\"30\"|\"\"\r\n");
    let (kind, text) = send(&format!(".xml?include_columns={ALL_COLUMNS}"));
    assert_eq!(kind, "application/xml; charset=utf-8");
    let xml = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<transactions>\n\
        <transaction><transaction_id>1</transaction_id>\
        <advertiser_campaign_name>Campaign 12</advertiser_campaign_name>\
        <affiliate_id_from_network>976</affiliate_id_from_network>\
        <promo_line_description>Spring, \"TV\"</promo_line_description>\
        <start_time_local>2200-01-01 04:00:00 -0800</start_time_local><duration>90</duration>\
        <advertiser_payin_localized>9.50</advertiser_payin_localized>\
        <custom_data><custom_datum><name>channel</name><data_type>Short Text</data_type>\
        <source>VirtualLine</source><value>A &amp; B</value></custom_datum>\
        </custom_data></transaction>\n\
        <transaction><transaction_id>2</transaction_id>\
        <advertiser_campaign_name>Campaign 12</advertiser_campaign_name>\
        <affiliate_id_from_network/><promo_line_description/>\
        <start_time_local>2200-01-01 04:00:00 -0800</start_time_local><duration>30</duration>\
        <advertiser_payin_localized>0.00</advertiser_payin_localized>\
        <custom_data></custom_data></transaction>\n</transactions>\n";
    assert_eq!(text, xml);
    // An empty list is a complete document in each format.
    let none = "transaction_id=99&include_columns=transaction_id";
    assert_eq!(send(&format!("?{none}")).1, "[]");
    assert_eq!(send(&format!(".csv?{none}")).1, "transaction_id\n");
    assert_eq!(
        send(&format!(".xml?{none}")).1,
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<transactions>\n</transactions>\n"
    );
}

/// Names that a spreadsheet would read as formulas are neutralized where people download them: by default in
/// sessions, and on request.
#[test]
fn csv_formulas_are_neutralized_in_sessions() {
    let (server, network) = world();
    let formula =
        json!({"name": "=HYPERLINK(\"http://evil.example\")", "users": [body::user("9")]});
    network.put("/affiliates/976", formula).expect(200);
    network.put("/network", json!({"users": [body::user("8")]})).expect(200);
    network.report_call("1", paid_call());
    let columns =
        "include_columns=affiliate_name,calling_phone_number,margin_localized&include_header=0";
    let path = network.ledger_path(&format!(".csv?{columns}"));
    let plain = network.get(&path).expect(200).text();
    assert!(plain.starts_with("\"=HYPERLINK"), "{plain}");
    let neutral = network.get(&format!("{path}&neutralize=1")).expect(200).text();
    assert!(neutral.starts_with("\"'=HYPERLINK"), "{neutral}");
    assert_eq!(neutral.replace("'=", "="), plain, "phone numbers and amounts stay as they are");
    let cookie = server.sign_in("user8@example.com");
    let in_session = |path: &str| {
        let anonymous = network.with_token(None);
        anonymous.request("GET", path).header("Cookie", &cookie).send().expect(200).text()
    };
    assert_eq!(in_session(&path), neutral);
    assert_eq!(in_session(&format!("{path}&neutralize=0")), plain);
}

#[test]
fn pages_are_consistent_during_calls_and_corrections() {
    let (_server, network) = world();
    let lines: Vec<String> = (0..450)
        .map(|index| {
            json!({"call": {"external_call_unique_id": index.to_string(),
                "start_time": "2200-01-01 12:00:00 +0000", "duration_in_seconds": 90,
                "advertiser_campaign_id_from_network": "12", "keypresses": ["1"]}})
            .to_string()
        })
        .collect();
    let request = network.request("POST", "/calls").bytes(lines.join("\n").as_bytes());
    let response = request.header("Content-Type", "application/x-ndjson").send().expect(200);
    assert_eq!(response.text().matches("\"status\":201").count(), 450);
    let mut read = Vec::new();
    let mut after = String::new();
    for step in 0.. {
        let query = format!("?limit=210&start_after_transaction_id={after}");
        let page = ledger_rows(&network, &network.ledger_path(&query));
        let Some(last) = page.last() else { break };
        last["transaction_id"].as_str().unwrap().clone_into(&mut after);
        // Between two pages a call is reported and another is corrected.
        if step < 2 {
            network.report_call(&format!("late-{step}"), json!({}));
            let body = json!({"reason": "Told wrong.", "call": {"duration": step}});
            network.post_correction(&page[0]["transaction_id"], body).expect(201);
        }
        read.extend(page);
    }
    let ids: Vec<i64> =
        read.iter().map(|row| row["transaction_id"].as_str().unwrap().parse().unwrap()).collect();
    assert_eq!(ids, (1..=454).collect::<Vec<i64>>(), "each once, in order");
    let corrections: Vec<&Value> =
        read.iter().filter(|row| row["corrects_transaction_id"] != "").collect();
    assert_eq!(corrections.len(), 2);
    // The unpaged list is the same.
    let whole = ledger_rows(&network, &network.ledger_path("?limit=4000"));
    assert_eq!(whole, read);
    let default = network.ledger();
    assert_eq!(default, read, "454 are less than 1,000");
}

#[test]
fn ledger_is_scoped_to_the_viewer() {
    let (server, network) = world();
    network.has_advertiser("355");
    network.has_affiliate("975");
    network.report_call("1", paid_call());
    network.report_call("2", json!({}));
    let advertiser = server.advertiser("354");
    let affiliate = server.affiliate("976");
    let count = |client: &Client, path: &str| ledger_rows(client, path).len();
    assert_eq!(count(&server.observer(), &network.ledger_path("")), 2);
    assert_eq!(count(&advertiser, "/advertisers/transactions/354"), 2);
    assert_eq!(count(&affiliate, "/affiliates/transactions/976"), 1);
    assert_eq!(count(&network, "/advertisers/transactions/354"), 2);
    assert_eq!(count(&network, "/advertisers/transactions/1.json"), 2, "by our own id");
    assert_eq!(count(&network, "/affiliates/transactions/2"), 1, "by our own id");
    assert_eq!(count(&network, "/advertisers/transactions/355"), 0);
    // An id of another system that looks like ours takes precedence.
    let resolved_by = |path: &str| {
        let response = network.get(path).expect(200);
        let is_empty = response.json() == json!([]);
        (response.header("Trunkline-Resolved-By").map(str::to_owned), is_empty)
    };
    assert_eq!(resolved_by("/advertisers/transactions/1"), (Some("id".to_owned()), false));
    assert_eq!(resolved_by("/advertisers/transactions/354"), (None, false));
    network.has_advertiser("1");
    assert_eq!(resolved_by("/advertisers/transactions/1"), (None, true));
    for client in [&advertiser, &affiliate] {
        let ledger = client.get(&network.ledger_path("?limit=nonsense"));
        ledger.assert_error(403, "UnauthorizedOperation");
    }
    for (client, path) in [
        (&advertiser, "/advertisers/transactions/355?limit=nonsense"),
        (&advertiser, "/affiliates/transactions/976"),
        (&affiliate, "/affiliates/transactions/975.csv"),
        (&affiliate, "/advertisers/transactions/354.xml"),
        (&network, "/advertisers/transactions/976"),
        (&network, "/advertisers/transactions/2"),
        (&network, "/affiliates/transactions/99"),
    ] {
        client.get(path).assert_error(404, "RecordNotFound");
    }
    // A path without a network, as common clients send it.
    let id = network.network_id();
    let anywhere = network.absolute_paths();
    for path in [
        format!("/api/2020-10-01/networks/transactions/{id}.json"),
        "/api/2015-12-10/advertisers/transactions/354.json".to_owned(),
        format!("/api/2020-10-01/networks/transactions/{id}?oauth_token={}", network.token()),
    ] {
        assert_eq!(anywhere.get(&path).body(200).as_array().map(Vec::len), Some(2), "{path}");
    }
    let other = server.create_another_network().absolute_paths();
    let path = format!("/api/2020-10-01/networks/transactions/{id}.csv");
    other.get(&path).assert_error(403, "UnauthorizedOperation");
    let wrong = format!("/networks/transactions/{}", id.get() + 1);
    network.get(&wrong).assert_error(404, "RecordNotFound");
    network.get("/networks/transactions/ours").assert_error(404, "RecordNotFound");
}

#[test]
fn affiliate_with_calls_cannot_be_deleted() {
    let (_server, network) = world();
    network.has_affiliate("977");
    network.report_call("1", json!({"affiliate_id_from_network": "977"}));
    let message = network.delete("/affiliates/977").assert_error(403, "UnauthorizedOperation");
    assert_eq!(message, "Affiliate 977 cannot be deleted because one or more calls exist");
    assert_eq!(network.ledger()[0]["affiliate_name"], "Affiliate 977");
}
