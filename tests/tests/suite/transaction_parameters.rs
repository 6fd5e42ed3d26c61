//! Query parameters of the ledger: lenient where real clients are careless, exact where a row could be missed.

use serde_json::{Value, json};
use trunkline_tests::{Client, Server, assert_json_eq};

/// Creates a live campaign 12 with calls of an affiliate 976, and one of an affiliate 977.
fn world() -> (Server, Client, Vec<String>) {
    let server = Server::start();
    // The API document describes what clients should send, so careless requests have an older version.
    let network = server.network().with_version("2020-10-01");
    network.has_live_campaign("354", "12", json!({"auto_approve": "All"}));
    network.has_applied("354", "12", "976");
    network.has_applied("354", "12", "977");
    let report = |(index, affiliate): (usize, &str)| {
        let more = json!({"affiliate_id_from_network": affiliate});
        network.report_call(&index.to_string(), more)
    };
    let cuids = ["976", "977", "976", "976"].into_iter().enumerate().map(report).collect();
    (server, network, cuids)
}

fn rows(client: &Client, path: &str) -> Vec<Value> {
    client.get(path).body(200).as_array().expect("a list").clone()
}

fn ids(client: &Client, path: &str) -> Vec<String> {
    let id = |row: &Value| row["transaction_id"].as_str().expect("an id").to_owned();
    rows(client, path).iter().map(id).collect()
}

#[test]
fn careless_parameters_are_read_as_they_are_meant() {
    let (_server, network, _) = world();
    let all = ["1", "2", "3", "4"];
    for query in [
        "?limit=",
        "?limit",
        "?limit=0",
        "?limit=%20",
        "?limit=4001",
        "?limit=99999999999999999999999999",
        "?limit=%2B4",
        "?/&limit=4000",
        "?/&from=2200-01-01&to=2200-01-01",
        "?&limit=4000&&",
        "?from=2100-01-01",
        "?to=2100-01-01",
        "?from=2100-01-01&to=",
        "?from=&to=",
        "?from&to&start_after_transaction_id&transaction_id&call_record_id&transaction_type",
        "?start_after_transaction_id=",
        "?start_after_transaction_id=0",
        "?transaction_type=",
        "?transaction_type[]=Call",
        "?transaction_type[0]=Sale&transaction_type[1]=Call",
        "?transaction_type=%20Call%20,%20Sale",
        "?include_columns=",
        "?include_columns=%20,%20",
        "?exclude_columns",
        "?colour=red&format=json&page=7",
        "?unknown[deep][key]=1",
    ] {
        assert_eq!(ids(&network, &network.ledger_path(query)), all, "{query}");
    }
    for (query, expected) in [
        ("?limit=%202%20", &["1", "2"][..]),
        ("?limit=3&limit=2", &["1", "2"]),
        ("?limit=2&limit=", &["1", "2"]),
        ("?start_after_transaction_id=&start_after_transaction_id=3", &["4"]),
        ("?start_after_transaction_id=3&start_after_transaction_id=", &["4"]),
        ("?start_after_transaction_id=%203%20&limit=4000", &["4"]),
        ("?transaction_type=Signal", &[]),
        ("?transaction_type[]=Sale&transaction_type[]=PostCallEvent", &[]),
        ("?from=2100-01-01&to=2100-12-31", &[]),
    ] {
        assert_eq!(ids(&network, &network.ledger_path(query)), expected, "{query}");
    }
}

#[test]
fn ids_of_any_form_are_looked_up() {
    let (server, network, cuids) = world();
    for id in [
        "99",
        "0",
        "-1",
        "07",
        "1.0",
        "1e0",
        "AC0E23E7-59B55738",
        "no%20such",
        "%00",
        "1%00",
        "%F0",
        "'",
    ] {
        for name in ["transaction_id", "call_record_id"] {
            let path = network.ledger_path(&format!("?{name}={id}"));
            assert_json_eq(&network.get(&path).body(200), &json!([]));
        }
    }
    let lookup = |client: &Client, path: &str, query: &str| ids(client, &format!("{path}?{query}"));
    let ledger = network.ledger_path("");
    assert_eq!(lookup(&network, &ledger, "transaction_id=2"), ["2"]);
    let by_cuid = format!("transaction_id={}", cuids[1]);
    assert_eq!(lookup(&network, &ledger, &by_cuid), ["2"]);
    let both = |id: &str, cuid: &str| format!("transaction_id={id}&call_record_id={cuid}");
    assert_eq!(lookup(&network, &ledger, &both("2", &cuids[1])), ["2"]);
    assert_eq!(lookup(&network, &ledger, &both("2", &cuids[0])), [] as [&str; 0]);
    // An affiliate finds no row of another one.
    let affiliate = server.affiliate("976");
    let path = "/affiliates/transactions/976";
    assert_eq!(lookup(&affiliate, path, "transaction_id=1"), ["1"]);
    for query in ["transaction_id=2", &by_cuid, &format!("call_record_id={}", cuids[1])] {
        assert_eq!(lookup(&affiliate, path, query), [] as [&str; 0], "{query}");
    }
}

#[test]
fn cursor_is_an_id_of_the_list() {
    let (server, network, cuids) = world();
    let affiliate = server.affiliate("976");
    let ledger = network.ledger_path("");
    let own = "/affiliates/transactions/976";
    let after = |path: &str, id: &str| format!("{path}?start_after_transaction_id={id}");
    assert_eq!(ids(&network, &after(&ledger, "2")), ["3", "4"]);
    assert_eq!(ids(&network, &after(&ledger, &cuids[1])), ["3", "4"]);
    assert_eq!(ids(&affiliate, &after(own, "1")), ["3", "4"]);
    assert_eq!(ids(&affiliate, &after(own, &cuids[2])), ["4"]);
    // A cursor that is a correction's call stands for the call's first row, so that nothing is missed.
    let body = json!({"reason": "Told wrong.", "call": {"duration": 10}});
    network.post_correction(&json!("2"), body).expect(201);
    assert_eq!(ids(&network, &after(&ledger, &cuids[1])), ["3", "4", "5"]);
    let foreign = json!({"start_after_transaction_id": ["is not a transaction of this list"]});
    for id in ["99", "-1", "02", "C624DA2C-CF3367C3", "%00", "9223372036854775808"] {
        for suffix in ["", ".csv", ".xml"] {
            network.get(&after(&network.ledger_path(suffix), id)).assert_invalid(&foreign);
        }
    }
    // What others' rows are called is not to be found out.
    for id in ["2", "5", cuids[1].as_str(), "99"] {
        affiliate.get(&after(own, id)).assert_invalid(&foreign);
    }
}

#[test]
fn all_problems_of_a_query_are_reported() {
    let (_server, network, _) = world();
    let odd = "?from=soon&to=2026-01-01T00:00:00%20Nowhere/Land&limit=-1\
        &start_after_transaction_id=x&transaction_type=Gift&include_columns=colour\
        &column_separator=ab&row_separator=%3B&include_header=maybe&force_quotes=2&neutralize=all";
    let mut wrong = json!({
        "from": ["is invalid"],
        "to": ["is invalid"],
        "limit": ["must be greater than or equal to 0"],
        "start_after_transaction_id": ["is not a transaction of this list"],
        "transaction_type": ["is not included in the list"],
        "column_separator": ["must be a tab or one printable ASCII character other than a quote"],
        "row_separator": ["must be a line feed, with or without a carriage return before it"],
        "include_header": ["is not included in the list"],
        "force_quotes": ["is not included in the list"],
        "neutralize": ["is not included in the list"],
    });
    network.get(&network.ledger_path(&format!(".csv{odd}"))).assert_invalid(&wrong);
    let only_csv =
        ["column_separator", "row_separator", "include_header", "force_quotes", "neutralize"];
    for only_csv in only_csv {
        wrong.as_object_mut().unwrap().shift_remove(only_csv);
    }
    network.get(&network.ledger_path(odd)).assert_invalid(&wrong);
    let send = |query: &str| network.get(&network.ledger_path(query));
    send("?from=2026-01-02&to=2026-01-01")
        .assert_invalid(&json!({"to": ["must not be earlier than from"]}));
    send("?from=soon").assert_invalid(&json!({"from": ["is invalid"]}));
    for limit in ["ten", "1.5", "1e3", "--1", "-", "0x10", "%C2%BD"] {
        send(&format!("?limit={limit}")).assert_invalid(&json!({"limit": ["is not a number"]}));
    }
    send(".csv?column_separator=%22").expect(403);
    send(".csv?column_separator=&row_separator=&include_header=&force_quotes=&neutralize=")
        .expect(200);
}

#[test]
fn ten_thousand_parameters_are_read() {
    let (_server, network, _) = world();
    let mut query = "?limit=2".to_owned();
    for index in 0..10_000 {
        query.push_str(if index % 2 == 0 { "&a=1" } else { "&b[]" });
    }
    assert_eq!(ids(&network, &network.ledger_path(&query)), ["1", "2"]);
    let constants = "&include_columns=$invoca_custom_columns,$default".repeat(1_000);
    let response = network.get(&network.ledger_path(&format!("?limit=1{constants}"))).expect(200);
    assert_eq!(response.header("Trunkline-Ignored"), None);
    let names: Vec<String> = (0..5_000).map(|index| format!("n{index}")).collect();
    let path = network.ledger_path(&format!("?limit=1&include_columns={}", names.join(",")));
    let response = network.get(&path).expect(200);
    assert_json_eq(&response.json(), &json!([{}]));
    let ignored = response.header("Trunkline-Ignored").expect("a header").to_owned();
    assert!(ignored.starts_with("n0, n1, n2, "), "{ignored}");
    assert!(ignored.ends_with(", ...") && ignored.len() < 5_000, "{ignored}");
}

#[test]
fn rows_are_filtered_by_time_id_call_and_type() {
    let server = Server::start();
    let network = server.network();
    network.has_live_campaign("354", "12", json!({}));
    // Day boundaries in the network's time zone: the last second of a day and the first of the next.
    let starts = [
        "2200-03-01 23:59:59 -0800",
        "2200-03-02 00:00:00 -0800",
        "2200-03-02 23:59:59 -0800",
        "2200-03-03 00:00:00 -0800",
    ];
    let cuids: Vec<String> = starts
        .iter()
        .enumerate()
        .map(|(index, start)| network.report_call(&index.to_string(), json!({"start_time": start})))
        .collect();
    let matching_ids = |query: &str| ids(&network, &network.ledger_path(query));
    assert_eq!(matching_ids("?from=2200-03-02&to=2200-03-02"), ["2", "3"]);
    assert_eq!(matching_ids("?from=2200-03-02T08:00:00Z&to=2200-03-02T08:00:00Z"), ["2"]);
    assert_eq!(matching_ids("?from=2200-03-01&to=2200-03-02%2012:00:00"), ["1", "2"]);
    assert_eq!(matching_ids("?transaction_id=3"), ["3"]);
    assert_eq!(matching_ids("?transaction_id=3&from=2200-03-01&to=2200-03-01"), [] as [&str; 0]);
    assert_eq!(matching_ids(&format!("?call_record_id={}", cuids[1])), ["2"]);
    assert_eq!(matching_ids("?call_record_id=no-such-call"), [] as [&str; 0]);
    assert_eq!(matching_ids("?transaction_type=Call").len(), 4);
    assert_eq!(matching_ids("?transaction_type[]=Sale&transaction_type[]=Call").len(), 4);
    assert_eq!(matching_ids("?transaction_type=Sale,Signal"), [] as [&str; 0]);
    assert_eq!(matching_ids("?start_after_transaction_id=1&limit=2"), ["2", "3"]);
    // Later rows of that day and corrections are found too.
    network.report_call("late", json!({"start_time": "2200-03-02 12:00:00 -0800"}));
    let body = json!({"reason": "Told wrong.", "call": {"duration": 10}});
    network.post_correction(&json!("2"), body).expect(201);
    assert_eq!(matching_ids("?from=2200-03-02&to=2200-03-02"), ["2", "3", "5", "6"]);
    let rest = "?from=2200-03-02&to=2200-03-02&start_after_transaction_id=3&limit=1";
    assert_eq!(matching_ids(rest), ["5"]);
    assert_eq!(matching_ids("?from=2201-01-01&to=2201-01-01"), [] as [&str; 0]);
}
