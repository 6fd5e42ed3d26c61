//! A full disk: writes are rejected as a whole, reads continue, and writes continue once there is space.

use serde_json::json;
use std::fs::{File, remove_file};
use std::io::Write;
use std::path::Path;
use trunkline_tests::{Client, FaultReport, Server, body, runs_all_faults};

/// Fills the disk.
fn fill(folder: &Path) {
    let mut ballast = File::create(folder.join("ballast")).expect("a file");
    for size in [64 * 1024, 4096] {
        while ballast.write_all(&vec![7; size]).is_ok() {}
    }
}

fn report_call(network: &Client, id: &str) -> u16 {
    let call = json!({"call": {"external_call_unique_id": id, "start_time": "2200-01-01",
        "advertiser_campaign_id_from_network": "12"}});
    let response = network.post("/calls", call);
    if response.status == 507 {
        response.assert_error(507, "ServiceUnavailable");
    }
    response.status
}

#[test]
fn full_disk_rejects_writes_and_keeps_stored_data() {
    let server = Server::builder().disk_size(16 * 1024).arguments(&["--rate-limit", "0"]).start();
    let folder = server.database_directory().to_owned();
    let network = server.network();
    network.has_live_campaign("354", "12", json!({}));
    network.has_affiliate("976");
    let tries = if runs_all_faults() { 10 } else { 2 };
    let mut report = FaultReport { attempts: tries, ..FaultReport::default() };
    for round in 0..tries {
        fill(&folder);
        // The write-ahead log has allocated space for some more writes.
        let mut number = 0;
        let status = loop {
            let status = report_call(&network, &format!("{round}-{number}"));
            if status != 201 {
                break status;
            }
            report.acknowledged += 1;
            number += 1;
        };
        assert_eq!(status, 507);
        let full = server.table_rows();
        for at in 0..20 {
            assert_eq!(report_call(&network, &format!("full {round}-{at}")), 507);
            network.put("/affiliates/977", body::full_affiliate("977")).expect(507);
            network.get("/affiliates/976").expect(200);
        }
        assert_eq!(network.absolute_paths().get("/readyz").status, 200, "reads are possible");
        assert_eq!(server.table_rows(), full, "no row changed");
        remove_file(folder.join("ballast")).expect("the file is there");
        let space_freed = std::time::Instant::now();
        assert_eq!(report_call(&network, &format!("{round}-{number}")), 201);
        report.recovery.push(space_freed.elapsed());
        report.acknowledged += 1;
    }
    let calls = network.extensions().get("/calls").body(200);
    let stored_count = calls.as_array().expect("a list").len();
    report.lost = report.acknowledged.saturating_sub(stored_count);
    report.duplicated = stored_count.saturating_sub(report.acknowledged);
    report.print_and_assert("disk full", server.database());
}
