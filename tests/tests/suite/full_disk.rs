//! A disk that is full: writes are refused whole, reads go on, and so do writes once there is room.

use serde_json::json;
use std::fs::{File, remove_file};
use std::io::Write;
use std::path::Path;
use trunkline_tests::{Client, Report, Server, body, is_full};

/// Takes what room there is.
fn fill(folder: &Path) {
    let mut ballast = File::create(folder.join("ballast")).expect("a file");
    for size in [64 * 1024, 4096] {
        while ballast.write_all(&vec![7; size]).is_ok() {}
    }
}

fn call(network: &Client, id: &str) -> u16 {
    let call = json!({"call": {"external_call_unique_id": id, "start_time": "2200-01-01",
        "advertiser_campaign_id_from_network": "12"}});
    let answer = network.post("/calls", call);
    if answer.status == 507 {
        answer.refused(507, "ServiceUnavailable");
    }
    answer.status
}

#[test]
fn a_full_disk_refuses_writes_and_keeps_what_it_has() {
    let (server, folder) = Server::on_a_disk_of(16 * 1024, &["--rate-limit", "0"]);
    let network = server.network();
    network.has_live_campaign("354", "12", json!({}));
    network.has_affiliate("976");
    let tries = if is_full() { 10 } else { 2 };
    let mut report = Report { tried: tries, ..Report::default() };
    for turn in 0..tries {
        fill(&folder);
        // The log of writes has room of its own for some.
        let mut number = 0;
        let status = loop {
            let status = call(&network, &format!("{turn}-{number}"));
            if status != 201 {
                break status;
            }
            report.acknowledged += 1;
            number += 1;
        };
        assert_eq!(status, 507);
        let full = server.rows();
        for at in 0..20 {
            assert_eq!(call(&network, &format!("full {turn}-{at}")), 507);
            network.put("/affiliates/977", body::full_affiliate("977")).expect(507);
            network.get("/affiliates/976").expect(200);
        }
        assert_eq!(network.anywhere().get("/readyz").status, 200, "it can be read");
        assert_eq!(server.rows(), full, "nothing is half written");
        remove_file(folder.join("ballast")).expect("the file is there");
        let room = std::time::Instant::now();
        assert_eq!(call(&network, &format!("{turn}-{number}")), 201);
        report.recovery.push(room.elapsed());
        report.acknowledged += 1;
    }
    let calls = network.extensions().get("/calls").body(200);
    let there = calls.as_array().expect("a list").len();
    report.lost = report.acknowledged.saturating_sub(there);
    report.doubled = there.saturating_sub(report.acknowledged);
    report.conclude("disk full", server.database());
}
