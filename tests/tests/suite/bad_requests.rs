//! Malformed requests: each gets a 4xx with an error body and changes nothing.
//!
//! `corpus/*.http` holds one request each. Its first lines state the expected response: the status and
//! the error class, a part of the message, or all validation errors. `{network}` stands for the id of the
//! network; `Host`, `Authorization` and `Content-Length` are added.

use serde_json::{Value, json};
use std::path::Path;
use trunkline_domain::id::NetworkId;
use trunkline_tests::body::{self, campaign_path};
use trunkline_tests::{
    Client, Response, Server, assert_json_eq, dump, send_raw, send_raw_and_half_close,
};

/// Creates a network with an advertiser, an affiliate and a live campaign.
fn network_with_objects() -> (Server, Client) {
    let server = Server::start();
    let network = server.network();
    network.put("/advertisers/1", body::full_advertiser("1")).expect(200);
    network.put("/affiliates/222", body::full_affiliate("222")).expect(200);
    network.has_live_campaign("1", "12", json!({}));
    network.post(&body::affiliate_campaign_path("1", "12", "222"), json!({})).expect(201);
    (server, network)
}

/// A request of the corpus and its expected response.
#[derive(Default)]
struct Case {
    status: u16,
    class: Option<String>,
    message_part: Option<String>,
    errors: Option<Value>,
    request: Vec<u8>,
}

fn parse_case(text: &str, client: &Client, network: NetworkId) -> Case {
    let mut case = Case::default();
    let (head, body) = text.split_once("\n\n").expect("an empty line ends the head");
    let mut lines = head.lines().peekable();
    while let Some(note) = lines.peek().and_then(|line| line.strip_prefix("# ")) {
        if let Some(message) = note.strip_prefix("says: ") {
            case.message_part = Some(message.to_owned());
        } else if let Some(errors) = note.strip_prefix("errors: ") {
            case.errors = Some(serde_json::from_str(errors).expect("errors are JSON"));
        } else {
            let (status, class) = note.split_once(' ').unwrap_or((note, ""));
            case.status = status.parse().expect("a status");
            case.class = Some(class.to_owned()).filter(|class| !class.is_empty());
        }
        lines.next();
    }
    let line = lines.next().expect("a request line").replace("{network}", &network.to_string());
    let mut request = format!("{line} HTTP/1.1\r\nHost: {}\r\n", client.address());
    for header in lines {
        request.push_str(&format!("{header}\r\n"));
    }
    let token = client.token();
    let length = body.len();
    request.push_str(&format!("Authorization: {token}\r\nConnection: close\r\n"));
    request.push_str(&format!("Content-Length: {length}\r\n\r\n{body}"));
    case.request = request.into_bytes();
    case
}

impl Case {
    fn check(&self, response: &Response) {
        assert_eq!(response.status, self.status, "the answer was {}", response.text());
        let body = response.json();
        assert!(body["errors"].is_object(), "{body}");
        if let Some(class) = &self.class {
            let message = response.assert_error(self.status, class);
            let part = self.message_part.as_deref().unwrap_or_default();
            assert!(message.contains(part), "'{message}' does not say '{part}'");
        }
        if let Some(errors) = &self.errors {
            assert_json_eq(&body["errors"], errors);
        }
        if self.status == 405 {
            assert!(response.header("allow").is_some_and(|allow| !allow.is_empty()), "no Allow");
        }
    }
}

#[test]
fn every_request_of_the_corpus_is_rejected_without_effect() {
    let (server, network) = network_with_objects();
    let before = dump(&network);
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus");
    let files = std::fs::read_dir(&corpus).expect("there is a corpus");
    let mut files: Vec<_> = files.map(|file| file.expect("a file").path()).collect();
    files.sort();
    assert!(!files.is_empty());
    let mut wrong = Vec::new();
    for file in &files {
        let text = std::fs::read_to_string(file).expect("a request is text");
        let case = parse_case(&text, &network, server.network_id());
        let checked = std::panic::catch_unwind(|| {
            let response = send_raw(network.address(), &case.request).expect("an answer");
            case.check(&response);
            assert_json_eq(&dump(&network), &before);
        });
        if checked.is_err() {
            wrong.push(file.file_stem().unwrap_or_default().to_owned());
        }
    }
    assert!(wrong.is_empty(), "{wrong:?}");
}

/// Sends malformed PUTs and asserts that they change nothing.
struct BadPuts {
    _server: Server,
    network: Client,
    before: Value,
}

impl BadPuts {
    fn new() -> Self {
        let (server, network) = network_with_objects();
        let before = dump(&network);
        Self { _server: server, network, before }
    }

    #[track_caller]
    fn put(&self, path: &str, body: &str) -> Response {
        let response = self.network.request("PUT", path).json_text(body).send();
        assert!((400..500).contains(&response.status), "{}: {}", response.status, response.text());
        assert!(response.json()["errors"].is_object(), "{}", response.text());
        assert_json_eq(&dump(&self.network), &self.before);
        response
    }
}

#[test]
fn body_over_the_limit_is_413() {
    let attempt = BadPuts::new();
    let name = "n".repeat(10 << 20);
    let response = attempt.put("/affiliates/222", &format!("{{\"name\": \"{name}\"}}"));
    assert_eq!(response.status, 413);
    let users: Vec<Value> = (0..100_000).map(|n| body::user(&n.to_string())).collect();
    let response = attempt.put("/affiliates/222", &json!({"users": users}).to_string());
    assert_eq!(response.status, 413);
}

/// 100,000 empty users fit into the body limit and miss required properties; valid users of that number
/// do not fit.
#[test]
fn hundred_thousand_users_are_rejected() {
    let attempt = BadPuts::new();
    let empty = vec!["{}"; 100_000].join(",");
    attempt.put("/affiliates/222", &format!("{{\"users\": [{empty}]}}")).expect(403);
    let ids: Vec<Value> = (0..50_000).map(|n| json!({"id_from_network": n})).collect();
    let sites: Vec<Value> = ids.into_iter().take(30_000).collect();
    attempt.put("/affiliates/222", &json!({"sites": sites}).to_string()).expect(403);
}

#[test]
fn json_nested_ten_thousand_levels_is_400() {
    let attempt = BadPuts::new();
    for (open, close) in [("[", "]"), ("{\"name\":", "}")] {
        let open = open.repeat(10_000);
        let close = close.repeat(10_000);
        let body = format!("{{\"name\": {open}1{close}}}");
        attempt.put("/affiliates/222", &body).assert_error(400, "BadRequest");
        let body = format!("{{\"name\": {open}");
        attempt.put("/affiliates/222", &body).assert_error(400, "BadRequest");
    }
}

/// Nested menus with this many levels in total.
fn menus(levels: usize) -> Value {
    let mut node = body::connect_node();
    for _ in 1..levels {
        node = json!({"node_type": "Menu", "prompt": "Press 1.", "children": [node]});
    }
    node
}

#[test]
fn ivr_tree_is_limited_to_20_levels_and_200_nodes() {
    let attempt = BadPuts::new();
    let campaign = campaign_path("1", "12");
    let body = |root: &Value| json!({"ivr_tree": {"root": root}}).to_string();
    let rejected = attempt.put(&campaign, &body(&menus(21))).body(400);
    assert_eq!(rejected["errors"]["class"], "BadRequest", "{rejected}");
    // 1 + 2 + 2×9 + 2×9×9 = 183 nodes, and the extra ones below.
    let menu = |children: Vec<Value>| json!({"node_type": "Menu", "prompt": "Press a key.", "children": children});
    let full = |nodes: usize| {
        let nines = (0..9).map(|_| menu(vec![body::connect_node(); 9])).collect::<Vec<_>>();
        let mut rest = nodes - 1 - 2 * (1 + 9 + 81);
        let more = menu(vec![body::connect_node(); (rest - 1).min(9)]);
        rest -= 1 + (rest - 1).min(9);
        let last = (rest > 0).then(|| menu(vec![body::connect_node(); rest - 1]));
        menu([menu(nines.clone()), menu(nines), more].into_iter().chain(last).collect())
    };
    let rejected = attempt.put(&campaign, &body(&full(201))).body(403);
    assert!(rejected["errors"]["ivr_tree"].is_array(), "{rejected}");
    attempt.network.put(&campaign, json!({"ivr_tree": {"root": full(200)}})).expect(200);
    attempt.network.put(&campaign, json!({"ivr_tree": {"root": menus(20)}})).expect(200);
}

#[test]
fn huge_conditions_are_rejected_in_bounded_time() {
    let attempt = BadPuts::new();
    let campaign = campaign_path("1", "12");
    let body = |condition: &str| json!({"advertiser_payin": body::base_policy(7.0, condition)});
    for condition in [
        "(".repeat(9_000),
        "not ".repeat(2_000),
        "mobile and ".repeat(900),
        format!("{}mobile{}", "(".repeat(4_000), ")".repeat(4_000)),
        "mobile or ".repeat(90_000),
        "duration > 99999999999999999999999999 hours".to_owned(),
        "custom_data[".repeat(800),
    ] {
        let response = attempt.put(&campaign, &body(&condition).to_string()).body(403);
        let policy = &response["errors"]["advertiser_payin"]["policies"][0];
        assert!(policy["condition"].is_array(), "{response}");
    }
}

#[test]
fn huge_headers_and_targets_are_rejected() {
    let attempt = BadPuts::new();
    let network = &attempt.network;
    let long = "x".repeat(1 << 20);
    for request in [
        network.request("GET", "/affiliates/222").header("X-Long", &long),
        network.request("GET", &format!("/affiliates/{long}")),
        (0..2_000).fold(network.request("GET", "/affiliates"), |request, n| {
            request.header(&format!("X-{n}"), "x")
        }),
    ] {
        // The server may close the connection before it has read everything. A response is a 4xx.
        if let Some(response) = send_raw(network.address(), &request.to_bytes()) {
            assert!((400..500).contains(&response.status), "{}", response.status);
        }
    }
    assert_json_eq(&dump(network), &attempt.before);
}

#[test]
fn truncated_request_changes_nothing() {
    let attempt = BadPuts::new();
    let network = &attempt.network;
    let whole = network.request("PUT", "/affiliates/222").json(&body::affiliate("Half")).to_bytes();
    for length in [1, 10, whole.len() / 2, whole.len() - 1] {
        let half = whole.get(..length).unwrap_or_default();
        if let Some(response) = send_raw_and_half_close(network.address(), half) {
            assert!((400..500).contains(&response.status), "{}", response.status);
        }
    }
    for nonsense in [&b"\r\n\r\n\r\n"[..], b"hello\r\n\r\n", b"GET\r\n\r\n", &[0; 512], &[255; 512]]
    {
        if let Some(response) = send_raw_and_half_close(network.address(), nonsense) {
            assert!((400..500).contains(&response.status), "{}", response.status);
        }
    }
    assert_json_eq(&dump(network), &attempt.before);
}

/// Bodies that are not UTF-8 are not JSON.
#[test]
fn bytes_that_are_not_utf8_are_400() {
    let attempt = BadPuts::new();
    let network = &attempt.network;
    for body in [&b"{\"name\": \"\xff\"}"[..], b"\xff\xfe{\x00}\x00", b"{\"\xc0\xaf\": 1}", b"\x00"]
    {
        let request = network.request("PUT", "/affiliates/222");
        let response = request.header("Content-Type", "application/json").bytes(body).send();
        response.assert_error(400, "BadRequest");
    }
    assert_json_eq(&dump(network), &attempt.before);
}

/// The server measures the body and does not trust `Content-Length`.
#[test]
fn content_length_is_not_trusted() {
    let attempt = BadPuts::new();
    let network = &attempt.network;
    let head = format!(
        "PUT {} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: {}\r\nContent-Type: application/json\r\n",
        network.path("/affiliates/222"),
        network.token(),
    );
    let chunk = format!("{:x}\r\n{}\r\n", 1 << 16, " ".repeat(1 << 16));
    let chunked = format!("{head}Transfer-Encoding: chunked\r\n\r\n{}0\r\n\r\n", chunk.repeat(32));
    let response = send_raw(network.address(), chunked.as_bytes()).expect("an answer");
    response.expect(413);
    for length in ["-1", "x", "99999999999999999999999"] {
        let request = format!("{head}Content-Length: {length}\r\n\r\n{{}}");
        let response = send_raw(network.address(), request.as_bytes());
        assert!(response.is_none_or(|response| (400..500).contains(&response.status)), "{length}");
    }
    assert_json_eq(&dump(network), &attempt.before);
}

/// A request without a credential gets 401 before its body is validated.
#[test]
fn unauthenticated_malformed_requests_get_401() {
    let (server, network) = network_with_objects();
    let before = dump(&network);
    for body in ["", "{", "[]", "{\"name\": \"a\", \"name\": \"b\"}", "{\"oauth_token\": 7}"] {
        let response = server.anon().request("PUT", "/affiliates/222").json_text(body).send();
        response.assert_error(401, "Unauthorized");
    }
    assert_json_eq(&dump(&network), &before);
}
