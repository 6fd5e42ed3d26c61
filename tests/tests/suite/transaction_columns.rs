//! Columns of the ledger in every view and format, compared with the documented ones.

use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use trunkline_tests::body::affiliate_campaign_path;
use trunkline_tests::{Client, Server, assert_json_eq};

/// Documented column: its name, and its visibility for the network, the advertiser and the affiliate.
type DocumentedColumn = (String, [char; 3]);

/// Columns of `tests/fixtures/transactions/columns.txt`.
fn documented_columns() -> Vec<DocumentedColumn> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/transactions/columns.txt");
    let text = std::fs::read_to_string(file).expect("the fixture is there");
    let lines = text.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    let parse = |line: &str| {
        let (name, marks) = line.split_once(' ').expect("a name and its visibility");
        let marks: Vec<char> = marks.chars().collect();
        (name.to_owned(), marks.try_into().expect("three views"))
    };
    lines.map(parse).collect()
}

const VIEWS: [&str; 3] = ["network", "advertiser", "affiliate"];

/// Values that an affiliate must not learn, each unique in the world.
const SECRETS: [&str; 6] =
    ["805-708-9876", "+18057089876", "91.25", "13.75", "600-555-0199", "Rival Media"];

/// Creates a call of affiliate 976 that earns a payin of 91.25 and a payout of 77.50, and a call of its rival 977.
fn world() -> (Server, Client) {
    let server = Server::start();
    let network = server.network();
    server.add_numbers(&["8005550142"]);
    let price = |amount: f64| json!({"policies": [{"type": "Base", "amount": amount, "currency": "USD", "condition": "duration > 60"}]});
    let connect =
        json!({"root": {"node_type": "Connect", "destination_phone_number": "6005550199"}});
    let terms = json!({"auto_approve": "All", "advertiser_payin": price(91.25),
        "affiliate_payout": price(77.5), "ivr_tree": connect});
    network.has_live_campaign("354", "12", terms);
    network.has_applied("354", "12", "976");
    network.has_applied("354", "12", "977");
    network.put("/affiliates/977", json!({"name": "Rival Media"})).expect(200);
    network.has_applied("354", "12", "978");
    let number = json!({"description": "Spring", "media_type": "TV", "id_from_network": "line-1",
        "custom_data": {"channel": "secret-channel"}});
    let path = format!("{}/promo_numbers", affiliate_campaign_path("354", "12", "976"));
    network.post(&path, number).expect(201);
    network
        .report_call("1", json!({"promo_number": "8005550142", "connect_duration_in_seconds": 70}));
    network.report_call(
        "2",
        json!({"affiliate_id_from_network": "977", "connect_duration_in_seconds": 70}),
    );
    (server, network)
}

fn view_path(network: &Client, view: usize, rest: &str) -> String {
    match view {
        0 => network.ledger_path(rest),
        1 => format!("/advertisers/transactions/354{rest}"),
        _ => format!("/affiliates/transactions/976{rest}"),
    }
}

/// Names of the columns of a response, in order, and the rows as name and text.
fn parse_table(format: &str, text: &str) -> (Vec<String>, Vec<BTreeMap<String, String>>) {
    match format {
        ".csv" => {
            let mut reader = csv_rows(text).into_iter();
            let names = reader.next().expect("a header");
            let rows = reader.map(|row| names.iter().cloned().zip(row).collect());
            (names.clone(), rows.collect())
        }
        ".xml" => parse_xml(text),
        _ => {
            let rows: Vec<Map<String, Value>> = serde_json::from_str(text).expect("JSON");
            let names = rows.first().map(|row| row.keys().cloned().collect()).unwrap_or_default();
            let to_text = |value: &Value| match value {
                Value::Null => String::new(),
                Value::String(text) => text.clone(),
                Value::Array(items) if items.is_empty() => String::new(),
                other => other.to_string(),
            };
            let rows = rows.iter().map(|row| {
                row.iter().map(|(name, value)| (name.clone(), to_text(value))).collect()
            });
            (names, rows.collect())
        }
    }
}

/// Rows of CSV without line breaks in its fields.
fn csv_rows(text: &str) -> Vec<Vec<String>> {
    let split = |line: &str| {
        let mut fields = vec![String::new()];
        let mut is_quoted = false;
        for c in line.chars() {
            match c {
                '"' => is_quoted = !is_quoted,
                ',' if !is_quoted => fields.push(String::new()),
                _ => fields.last_mut().expect("a field").push(c),
            }
        }
        fields
    };
    text.lines().map(split).collect()
}

/// Columns and rows of the XML of a ledger, one row a line.
fn parse_xml(text: &str) -> (Vec<String>, Vec<BTreeMap<String, String>>) {
    let mut names = Vec::new();
    let mut rows = Vec::new();
    for line in text.lines() {
        let Some(rest) = line.strip_prefix("<transaction>") else { continue };
        let mut rest = rest.strip_suffix("</transaction>").expect("the end of a row");
        let mut row = BTreeMap::new();
        let mut row_names = Vec::new();
        while !rest.is_empty() {
            let (tag, after) = rest[1..].split_once('>').expect("the end of a tag");
            let (name, value, next) = match tag.strip_suffix('/') {
                Some(name) => (name, "", after),
                None => {
                    let end = format!("</{tag}>");
                    let (value, next) = after.split_once(&end).expect("the end of an element");
                    (tag, value, next)
                }
            };
            row_names.push(name.to_owned());
            row.insert(name.to_owned(), value.to_owned());
            rest = next;
        }
        names = row_names;
        rows.push(row);
    }
    (names, rows)
}

/// Every column × view × format: names, order, default sets, and what is not to be seen.
#[test]
fn columns_are_those_that_are_documented_in_every_view_and_format() {
    let (server, network) = world();
    let clients = [network.clone(), server.advertiser("354"), server.affiliate("976")];
    let columns = documented_columns();
    let all: Vec<&str> = columns.iter().map(|(name, _)| name.as_str()).collect();
    for (view, client) in clients.iter().enumerate() {
        let own_rows = if view == 2 { 1 } else { 2 };
        let defaults: Vec<&str> = columns
            .iter()
            .filter(|(_, marks)| marks[view] == 'D')
            .map(|(name, _)| name.as_str())
            .collect();
        for format in ["", ".json", ".csv", ".xml"] {
            let send = |query: &str| {
                let path = view_path(&network, view, &format!("{format}{query}"));
                let response = client.get(&path).expect(200);
                let ignored = response.header("Trunkline-Ignored").map(str::to_owned);
                let (names, rows) = parse_table(format, &response.text());
                assert_eq!(rows.len(), own_rows, "{} {format}", VIEWS[view]);
                if view == 2 {
                    for secret in SECRETS.iter().chain(&["secret-channel"]) {
                        assert!(!response.text().contains(secret), "{secret}: {}", response.text());
                    }
                }
                (names, rows, ignored)
            };
            let (names, default_rows, ignored) = send("");
            assert_eq!(
                (names, ignored),
                (defaults.iter().map(ToString::to_string).collect(), None)
            );
            assert_eq!(send("?include_columns=$invoca_default_columns").0, defaults);
            // All of them at once, backwards.
            let backwards: Vec<&str> = all.iter().rev().copied().collect();
            let (names, rows, ignored) = send(&format!("?include_columns={}", backwards.join(",")));
            let is_csv = format == ".csv";
            let expected: Vec<&str> = backwards
                .iter()
                .copied()
                .filter(|name| !(is_csv && *name == "custom_data"))
                .collect();
            assert_eq!(names, expected, "{} {format}", VIEWS[view]);
            assert_eq!(ignored.as_deref(), is_csv.then_some("custom_data"));
            for (name, value) in &default_rows[0] {
                assert_eq!(&rows[0][name], value, "{name}");
            }
            for (name, marks) in &columns {
                let is_hidden = matches!(marks[view], '-' | 's');
                let value = rows[0].get(name).map_or("", String::as_str);
                assert!(!is_hidden || value.is_empty(), "{name} in {}: {value}", VIEWS[view]);
                // Each column alone, by its name.
                if name == "custom_data" && is_csv {
                    continue;
                }
                let (names, alone, _) = send(&format!("?include_columns={name}"));
                assert_eq!(names, [name.as_str()]);
                assert_eq!(alone[0].get(name).map_or("", String::as_str), value, "{name}");
            }
            assert_rest(view, &send);
        }
    }
}

/// Names of columns, rows, and `Trunkline-Ignored`.
type ParsedTable = (Vec<String>, Vec<BTreeMap<String, String>>, Option<String>);

/// Constants, custom data fields and Trunkline's own columns in a view.
fn assert_rest(view: usize, send: &dyn Fn(&str) -> ParsedTable) {
    let constants =
        "?include_columns=transaction_id,$invoca_custom_columns,$invoca_custom_source_columns";
    let by_name = "?include_columns=transaction_id,channel,channel.source";
    let (names, rows, ignored) = send(constants);
    let (named, named_rows, named_ignored) = send(by_name);
    if view == 2 {
        assert_eq!((names, ignored), (vec!["transaction_id".to_owned()], None));
        assert_eq!(named, ["transaction_id"]);
        assert_eq!(named_ignored.as_deref(), Some("channel, channel.source"));
    } else {
        assert_eq!(names, ["transaction_id", "channel", "channel.source"]);
        assert_eq!((named, ignored, named_ignored), (names, None, None));
        assert_eq!(rows, named_rows);
        assert_eq!(rows[0]["channel"], "secret-channel");
        assert_eq!(rows[0]["channel.source"], "VirtualLine");
        assert_eq!(rows[1]["channel"], "");
    }
    let ours = "advertiser_payin_currency,affiliate_payout_currency,calling_phone_number_text,promo_number_description";
    let (names, rows, _) = send(&format!("?include_columns={ours}"));
    assert_eq!(names.join(","), ours);
    let shown: BTreeSet<&str> = rows[0]
        .iter()
        .filter(|(_, value)| !value.is_empty())
        .map(|(name, _)| name.as_str())
        .collect();
    let expected: &[&str] = match view {
        0 => {
            &["advertiser_payin_currency", "affiliate_payout_currency", "promo_number_description"]
        }
        1 => &["advertiser_payin_currency", "promo_number_description"],
        _ => &["affiliate_payout_currency", "promo_number_description"],
    };
    assert_eq!(shown, expected.iter().copied().collect());
}

/// Path, cursor and filters by id lead an affiliate to no row of another one, and an advertiser to no payout.
#[test]
fn parties_learn_nothing_of_others_by_ids() {
    let (server, network) = world();
    let affiliate = server.affiliate("976");
    let cuids: Vec<String> = network
        .ledger()
        .iter()
        .map(|row| row["complete_call_id"].as_str().unwrap().to_owned())
        .collect();
    let everything: Vec<String> = documented_columns().into_iter().map(|(name, _)| name).collect();
    let everything = format!("include_columns={}", everything.join(","));
    for rest in ["977", "3", "978", "99"] {
        let path = format!("/affiliates/transactions/{rest}?{everything}");
        affiliate.get(&path).assert_error(404, "RecordNotFound");
    }
    for query in [
        "transaction_id=2",
        &format!("transaction_id={}", cuids[1]),
        &format!("call_record_id={}", cuids[1]),
    ] {
        let path = format!("/affiliates/transactions/976?{query}&{everything}");
        assert_json_eq(&affiliate.get(&path).body(200), &json!([]));
    }
    let unknown =
        affiliate.get("/affiliates/transactions/976?start_after_transaction_id=99").text();
    for id in ["2", &cuids[1]] {
        let path = format!("/affiliates/transactions/976?start_after_transaction_id={id}");
        assert_eq!(
            affiliate.get(&path).expect(403).text(),
            unknown,
            "like an id that does not exist"
        );
    }
    let path = format!("/advertisers/transactions/354?{everything},affiliate_payout_currency");
    let text = server.advertiser("354").get(&path).expect(200).text();
    for secret in ["77.50", "13.75"] {
        assert!(!text.contains(secret), "{text}");
    }
}

#[test]
fn columns_are_included_and_excluded() {
    let (_server, network) = world();
    let list = |query: &str| -> Vec<String> {
        let rows = network.get(&network.ledger_path(query)).body(200);
        rows[0].as_object().expect("a row").keys().cloned().collect()
    };
    let all = list("");
    let more = "?include_columns[]=affiliate_campaign_id_from_network&include_columns[]=$default";
    let more = list(more);
    assert_eq!((more[0].as_str(), &more[1..]), ("affiliate_campaign_id_from_network", &all[..]));
    let less = list("?exclude_columns=%20city%20,duration");
    let expected: Vec<String> =
        all.iter().filter(|name| !["city", "duration"].contains(&name.as_str())).cloned().collect();
    assert_eq!(less, expected);
    let twice =
        "?include_columns=duration,mobile,duration&include_columns=city&exclude_columns=mobile";
    assert_eq!(list(twice), ["duration", "city"]);
    // The vendor's own example: a constant leaves what is included by name.
    let only = "?include_columns=transaction_id,$invoca_custom_columns&exclude_columns=$invoca_default_columns";
    assert_eq!(list(only), ["transaction_id", "channel"]);
    assert_eq!(list("?include_columns=$default&exclude_columns=$default"), [] as [&str; 0]);
    // An alias is shown under the name that was asked for.
    let aliases = "?include_columns=promo_number_description,promo_line_description";
    assert_eq!(list(aliases), ["promo_number_description", "promo_line_description"]);
    // Names that are nothing are named.
    for rest in ["", ".csv", ".xml"] {
        let path = format!(
            "{rest}?include_columns=colour,transaction_id,$all,Duration,d%C3%BCr&exclude_columns=taste"
        );
        let response = network.get(&network.ledger_path(&path)).expect(200);
        let ignored = response.header("Trunkline-Ignored");
        assert_eq!(ignored, Some("taste, colour, $all, Duration, d%C3%BCr"), "{path}");
        assert_eq!(parse_table(rest, &response.text()).0, ["transaction_id"], "{path}");
    }
}

#[test]
fn custom_data_field_replaces_the_column_of_its_name() {
    let (server, network) = world();
    let texts = |name: &str| {
        let field = json!({"partner_name": name, "friendly_name": name, "data_type": "short_text"});
        network.post("/custom_data_fields", field).expect(201);
    };
    let names =
        ["city", "transaction_id", "utm source", "=SUM(A1)", "channel.source", "margin_localized"];
    names.into_iter().for_each(texts);
    let data = json!([{"name": "city", "value": "Paris"}, {"name": "utm source", "value": "ads"},
        {"name": "transaction_id", "value": "7"}, {"name": "channel.source", "value": "x"},
        {"name": "margin_localized", "value": "1.00"}]);
    let call = json!({"external_call_unique_id": "3", "start_time": "2200-01-01 12:00:00 +0000",
        "advertiser_campaign_id_from_network": "12", "city": "Ojai", "affiliate_id_from_network": "976"});
    network.post("/calls", json!({"call": call, "custom_data": data})).expect(201);
    let rows = network.get(&network.ledger_path("?include_columns=$default,custom_data")).body(200);
    assert_json_eq(&rows[0]["city"], &Value::Null);
    assert_eq!(rows[2]["city"], "Paris");
    assert_eq!(rows[2]["margin_localized"], "1.00");
    assert_eq!(rows[2]["transaction_id"], "3", "a row keeps its id");
    assert_json_eq(
        &rows[2]["custom_data"][0],
        &json!(
        {"name": "city", "data_type": "Short Text", "source": "Api", "value": "Paris"}),
    );
    let path = network.ledger_path(
        "?transaction_id=3&include_columns=$invoca_custom_columns,channel.source,city.source",
    );
    assert_json_eq(
        &network.get(&path).body(200),
        &json!([{"channel": null, "city": "Paris",
        "utm source": "ads", "=SUM(A1)": null, "channel.source": "x", "margin_localized": "1.00",
        "city.source": "Api"}]),
    );
    let path = network.ledger_path(".xml?transaction_id=3&include_columns=utm%20source,=SUM(A1)");
    let text = network.get(&path).expect(200).text();
    assert!(
        text.contains("<transaction><utm_source>ads</utm_source><_SUM_A1_/></transaction>"),
        "{text}"
    );
    let path =
        network.ledger_path(".csv?transaction_id=3&include_columns==SUM(A1),city&neutralize=1");
    assert_eq!(network.get(&path).expect(200).text(), "'=SUM(A1),city\n,Paris\n");
    // An affiliate has no custom columns, so nothing is replaced.
    let path = "/affiliates/transactions/976?transaction_id=3&include_columns=city";
    assert_json_eq(&server.affiliate("976").get(path).body(200), &json!([{"city": "Ojai"}]));
}

#[test]
fn sources_of_custom_data_are_the_objects_it_came_from() {
    let server = Server::start();
    let network = server.network();
    server.add_numbers(&["8005550142"]);
    network.has_live_campaign("354", "12", json!({"auto_approve": "All"}));
    network.has_applied("354", "12", "976");
    let number = json!({"description": "Spring", "media_type": "TV"});
    let affiliate_campaign = affiliate_campaign_path("354", "12", "976");
    network.post(&format!("{affiliate_campaign}/promo_numbers"), number).expect(201);
    let objects = [
        ("Advertiser", "/advertisers/354".to_owned()),
        ("AdvertiserCampaign", "/advertisers/354/advertiser_campaigns/12".to_owned()),
        ("Affiliate", "/affiliates/976".to_owned()),
        ("AffiliateCampaign", affiliate_campaign.clone()),
        ("VirtualLine", format!("{affiliate_campaign}/promo_numbers/8005550142")),
    ];
    for (index, (source, path)) in objects.iter().enumerate() {
        network.put(path, json!({"custom_data": {"channel": source}})).expect(200);
        network.report_call(&index.to_string(), json!({"promo_number": "8005550142"}));
    }
    let last = json!({"external_call_unique_id": "own", "start_time": "2200-01-01 12:00:00 +0000",
        "promo_number": "8005550142", "advertiser_campaign_id_from_network": "12"});
    let data = json!([{"name": "channel", "value": "Api"}]);
    network.post("/calls", json!({"call": last, "custom_data": data})).expect(201);
    let path = network.ledger_path("?include_columns=channel,channel.source");
    let rows = network.get(&path).body(200);
    let expected = [
        "Advertiser",
        "AdvertiserCampaign",
        "Affiliate",
        "AffiliateCampaign",
        "VirtualLine",
        "Api",
    ];
    for (row, source) in rows.as_array().unwrap().iter().zip(expected) {
        assert_json_eq(row, &json!({"channel": source, "channel.source": source}));
    }
    // A corrected value comes from the correction.
    let body = json!({"reason": "Told wrong.", "call": {"custom_data": {"channel": "Radio"}}});
    network.post_correction(&json!("1"), body).expect(201);
    let corrected = network.get(&format!("{path}&transaction_id=7")).body(200);
    assert_json_eq(&corrected, &json!([{"channel": "Radio", "channel.source": "Api"}]));
}
