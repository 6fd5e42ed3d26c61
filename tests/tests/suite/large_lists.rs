//! Lists of large objects are complete and are loaded a few objects at a time.

use serde_json::{Value, json};
use std::io::Write;
use std::net::TcpStream;
use trunkline_tests::{Client, Server, body};

/// Number of affiliates, sites per affiliate, and letters per site name: about 800 kB per affiliate.
const AFFILIATE_COUNT: usize = 90;
const SITES_PER_AFFILIATE: usize = 1_000;
const SITE_NAME_LENGTH: usize = 200;

fn create_large_affiliates(server: &Server) -> Client {
    let network = server.network();
    let name = "𝄞".repeat(SITE_NAME_LENGTH);
    let site = |id| json!({"id_from_network": format!("{id}"), "name": name});
    let sites: Vec<Value> = (0..SITES_PER_AFFILIATE).map(site).collect();
    for at in 0..AFFILIATE_COUNT {
        let affiliate = body::affiliate(&format!("Affiliate {at}"));
        let affiliate = body::merged(affiliate, json!({"sites": sites}));
        network.put(&format!("/affiliates/{at}"), affiliate).expect(200);
    }
    network
}

fn ids(list: &Value) -> Vec<usize> {
    let objects = list.as_array().expect("a list").iter();
    objects
        .map(|item| item["id_from_network"].as_str().expect("an id").parse().expect("ours"))
        .collect()
}

#[test]
fn large_objects_are_loaded_a_few_at_a_time() {
    let server = Server::builder().arguments(&["--rate-limit", "0"]).start();
    let network = create_large_affiliates(&server);
    let path = network.path("/affiliates?limit=80");
    let before = server.resident_memory_bytes();
    let mut stream = TcpStream::connect(server.address()).expect("a connection");
    let token = network.token();
    write!(stream, "GET {path} HTTP/1.1\r\nHost: here\r\nAuthorization: {token}\r\n\r\n")
        .expect("it is sent");
    // The response has begun and the client does not read.
    stream.peek(&mut [0]).expect("an answer");
    let more = server.resident_memory_bytes().saturating_sub(before) >> 20;
    assert!(more < 40, "memory grew by {more} MiB");
    let page = network.get("/affiliates?limit=80").expect(200);
    assert_eq!(ids(&page.json()), (0..80).collect::<Vec<_>>());
    let link = page.header("link").expect("a next page").to_owned();
    let (_, after) = link.split_once("start_after_id=").expect("where it goes on");
    let (after, _) = after.split_once('>').expect("an end");
    let rest = network.get(&format!("/affiliates?limit=80&start_after_id={after}")).expect(200);
    assert_eq!(ids(&rest.json()), (80..AFFILIATE_COUNT).collect::<Vec<_>>());
    assert_eq!(rest.header("link"), None);
}
