//! Requests of real clients, replayed from `clients/*.http`. Their form is described in `clients/README.md`.

use base64::Engine;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::Path;
use trunkline_tests::body::affiliate_campaign_path;
use trunkline_tests::{Client, Response, Server, assert_json_eq, send_raw};

/// Creates the network that `clients/README.md` describes.
fn world() -> (Server, Client) {
    let server = Server::start();
    let network = server.network();
    server.add_numbers(&["8005550142"]);
    for name in ["gclid", "utm_source", "utm_medium"] {
        let field = json!({"partner_name": name, "data_type": "short_text"});
        network.post("/custom_data_fields", field).expect(201);
    }
    let price = |amount: f64| json!({"policies": [{"type": "Base", "amount": amount, "currency": "USD", "condition": "duration > 60"}]});
    let connect = json!({"node_type": "Connect", "destination_phone_number": "8005550101"});
    let terms = json!({"auto_approve": "All", "advertiser_payin": price(7.0),
        "affiliate_payout": price(4.5), "ivr_tree": {"root": connect}});
    network.has_live_campaign("354", "12", terms);
    network.has_applied("354", "12", "976");
    let number = json!({"description": "Spring", "media_type": "TV",
        "custom_data": {"channel": "Radio"}});
    let path = format!("{}/promo_numbers", affiliate_campaign_path("354", "12", "976"));
    network.post(&path, number).expect(201);
    for index in 1..=3 {
        let call = json!({"external_call_unique_id": index.to_string(), "promo_number": "8005550142",
            "advertiser_campaign_id_from_network": "12", "city": "Ojai", "phone_type": "mobile",
            "start_time": format!("2200-01-01 {}:00:00 +0000", 11 + index),
            "calling_phone_number": "8057089876", "duration_in_seconds": 90,
            "connect_duration_in_seconds": 70});
        let data = json!([{"name": "gclid", "value": format!("abc-{index}")}]);
        network.post("/calls", json!({"call": call, "custom_data": data})).expect(201);
    }
    (server, network)
}

/// Request with its expectations.
#[derive(Default)]
struct Step {
    request_line: String,
    headers: Vec<String>,
    body: String,
    expectations: Vec<String>,
}

/// Reads the steps of a file.
fn parse_steps(text: &str) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    let mut is_head = false;
    for line in text.lines() {
        let ended = steps.last().is_none_or(|step| !step.expectations.is_empty());
        if let (Some(expectation), Some(step)) = (line.strip_prefix("> "), steps.last_mut()) {
            step.expectations.push(expectation.to_owned());
        } else if ended && (line.is_empty() || line.starts_with('#')) {
            is_head = false;
        } else if ended {
            is_head = true;
            steps.push(Step { request_line: line.to_owned(), ..Step::default() });
        } else if let Some(step) = steps.last_mut() {
            match (is_head, line) {
                (true, "") => is_head = false,
                (true, header) => step.headers.push(header.to_owned()),
                (false, _) => step.body.push_str(&format!("{line}\n")),
            }
        }
    }
    steps
}

/// Values of placeholders by name.
struct Placeholders(BTreeMap<String, String>);

impl Placeholders {
    fn fill(&self, text: &str) -> String {
        self.0.iter().fold(text.to_owned(), |text, (name, value)| {
            text.replace(&format!("{{{name}}}"), value)
        })
    }
}

impl Step {
    fn to_bytes(&self, address: &str, placeholders: &Placeholders) -> Vec<u8> {
        let body = placeholders.fill(&self.body);
        let mut text =
            format!("{} HTTP/1.1\nHost: {address}\nConnection: close\n", self.request_line);
        for header in &self.headers {
            text.push_str(&format!("{header}\n"));
        }
        if !body.is_empty() {
            text.push_str(&format!("Content-Length: {}\n", body.len()));
        }
        let head = placeholders.fill(&text).replace('\n', "\r\n");
        format!("{head}\r\n{body}").into_bytes()
    }

    fn check(&self, response: &Response, placeholders: &mut Placeholders) {
        let line = placeholders.fill(&self.request_line);
        for (index, expectation) in self.expectations.iter().enumerate() {
            let expectation = placeholders.fill(expectation);
            let (kind, rest) = expectation.split_once(' ').unwrap_or((expectation.as_str(), ""));
            if index == 0 {
                let status: u16 = kind.parse().expect("the status comes first");
                assert_eq!(response.status, status, "{line}: {}", response.text());
                continue;
            }
            check_expectation(kind, rest, response, placeholders);
        }
    }
}

fn parse_json(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

fn check_expectation(kind: &str, rest: &str, response: &Response, placeholders: &mut Placeholders) {
    let items = || response.json().as_array().expect("an array").clone();
    match kind {
        "header" => {
            let (name, value) = rest.split_once(": ").expect("name and value");
            assert_eq!(response.header(name), Some(value), "{name}");
        }
        "rows" => assert_eq!(items().len().to_string(), rest, "rows: {}", response.text()),
        "columns" => {
            let first = items().first().and_then(Value::as_object).expect("an object").clone();
            let names: Vec<&str> = first.keys().map(String::as_str).collect();
            assert_eq!(names.join(","), rest);
        }
        "has" => {
            for item in items() {
                for name in rest.split(',') {
                    assert!(item.get(name).is_some(), "no {name} in {item}");
                }
            }
        }
        "row" => {
            let (index, expected) = rest.split_once(' ').expect("index and properties");
            let item = &items()[index.parse::<usize>().expect("an index")];
            for (name, value) in parse_json(expected).as_object().expect("an object") {
                assert_json_eq(&json!({name: item.get(name)}), &json!({name: value}));
            }
        }
        "body" => assert_json_eq(&response.json(), &parse_json(rest)),
        "errors" => assert_json_eq(&response.json()["errors"], &parse_json(rest)),
        "text" => {
            let text = rest.replace("\\n", "\n").replace("\\r", "\r").replace("\\t", "\t");
            assert_eq!(response.text(), text);
        }
        "save" => {
            let (name, pointer) = rest.split_once(" = ").expect("name and pointer");
            let body = response.json();
            let value = body.pointer(pointer).unwrap_or_else(|| panic!("no {pointer} in {body}"));
            let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            placeholders.0.insert(name.to_owned(), value);
        }
        _ => panic!("no expectation is named {kind}"),
    }
}

#[test]
fn every_client_gets_what_it_reads() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("clients");
    let files = std::fs::read_dir(&directory).expect("there are clients");
    let mut files: Vec<_> = files.map(|file| file.expect("a file").path()).collect();
    files.retain(|file| file.extension().is_some_and(|extension| extension == "http"));
    files.sort();
    assert!(files.len() >= 10, "the clients are there: {files:?}");
    let mut wrong = Vec::new();
    for file in &files {
        let text = std::fs::read_to_string(file).expect("a file is text");
        let replayed = std::panic::catch_unwind(|| {
            let (server, network) = world();
            let token = network.token();
            let basic = base64::engine::general_purpose::STANDARD.encode(format!("{token}:"));
            let mut placeholders = Placeholders(BTreeMap::from([
                ("network".to_owned(), server.network_id().to_string()),
                ("token".to_owned(), token.to_owned()),
                ("basic".to_owned(), basic),
            ]));
            let steps = parse_steps(&text);
            assert!(!steps.is_empty(), "there are requests");
            for step in steps {
                assert!(!step.expectations.is_empty(), "{} has no status", step.request_line);
                let bytes = step.to_bytes(network.address(), &placeholders);
                let response = send_raw(network.address(), &bytes).expect("a response");
                step.check(&response, &mut placeholders);
            }
        });
        if replayed.is_err() {
            wrong.push(file.file_stem().unwrap_or_default().to_owned());
        }
    }
    assert!(wrong.is_empty(), "{wrong:?}");
}
