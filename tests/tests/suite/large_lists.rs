//! A list of large objects: all of it comes, and no more of it is in memory than is about to be sent.

use serde_json::{Value, json};
use std::io::Write;
use std::net::TcpStream;
use trunkline_tests::{Client, Server, body};

/// Affiliates, the sites of each, and letters of a site's name: some 800 kB each.
const AFFILIATES: usize = 90;
const SITES: usize = 1_000;
const NAME: usize = 200;

fn large(server: &Server) -> Client {
    let network = server.network();
    let name = "𝄞".repeat(NAME);
    let site = |id| json!({"id_from_network": format!("{id}"), "name": name});
    let sites: Vec<Value> = (0..SITES).map(site).collect();
    for at in 0..AFFILIATES {
        let affiliate = body::affiliate(&format!("Affiliate {at}"));
        let affiliate = body::with(affiliate, json!({"sites": sites}));
        network.put(&format!("/affiliates/{at}"), affiliate).expect(200);
    }
    network
}

fn ids(list: &Value) -> Vec<usize> {
    let objects = list.as_array().expect("a list").iter();
    objects
        .map(|it| it["id_from_network"].as_str().expect("an id").parse().expect("ours"))
        .collect()
}

#[test]
fn large_objects_are_listed_a_few_at_a_time() {
    let server = Server::start_with(&["--rate-limit", "0"]);
    let network = large(&server);
    let path = network.path("/affiliates?limit=80");
    let before = server.memory();
    let mut stream = TcpStream::connect(server.address()).expect("a connection");
    let token = network.token();
    write!(stream, "GET {path} HTTP/1.1\r\nHost: here\r\nAuthorization: {token}\r\n\r\n")
        .expect("it is sent");
    // The answer has begun, and nobody reads it.
    stream.peek(&mut [0]).expect("an answer");
    let more = server.memory().saturating_sub(before) >> 20;
    assert!(more < 40, "memory grew by {more} MiB");
    let page = network.get("/affiliates?limit=80").expect(200);
    assert_eq!(ids(&page.json()), (0..80).collect::<Vec<_>>());
    let link = page.header("link").expect("a next page").to_owned();
    let (_, after) = link.split_once("start_after_id=").expect("where it goes on");
    let (after, _) = after.split_once('>').expect("an end");
    let rest = network.get(&format!("/affiliates?limit=80&start_after_id={after}")).expect(200);
    assert_eq!(ids(&rest.json()), (80..AFFILIATES).collect::<Vec<_>>());
    assert_eq!(rest.header("link"), None);
}
