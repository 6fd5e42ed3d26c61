//! A full disk: writes are rejected as a whole, reads continue, and writes continue once there is space.

use serde_json::json;
use std::fs::{File, remove_file};
use std::io::Write;
use std::path::Path;
use std::time::{Duration, Instant};
use trunkline_tests::{Client, FaultReport, Server, body, run, runs_all_faults};

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

/// Reports calls until the disk is full, and the space that the write-ahead log has allocated is used.
fn report_until_refused(network: &Client, prefix: &str) {
    let mut number = 0;
    while report_call(network, &format!("{prefix}-{number}")) == 201 {
        number += 1;
    }
}

#[test]
fn full_disk_leaves_room_to_sign_out_and_to_revoke_tokens() {
    // Large enough for the calls of some seconds.
    let server = Server::builder().disk_size(64 * 1024).arguments(&["--rate-limit", "0"]).start();
    let folder = server.database_directory().to_owned();
    let network = server.network();
    network.has_live_campaign("354", "12", json!({}));
    network.put("/affiliates/976", body::full_affiliate("976")).expect(200);
    let user = body::full_affiliate("976")["users"][0].clone();
    let email = user["email_settings"][0]["email_address"].as_str().expect("an address").to_owned();
    let cookie = server.sign_in(&email);
    let tokens: Vec<Client> = (0..30).map(|_| server.affiliate("976")).collect();
    let list = ["token", "list", "--network", "1", "--database", server.database()];
    let listed = run(&list);
    assert!(listed.status.success(), "{listed:?}");
    let ids: Vec<String> = String::from_utf8_lossy(&listed.stdout)
        .lines()
        .filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok())
        .filter(|token| token["scope"] == "affiliate")
        .map(|token| token["id"].to_string())
        .collect();
    assert_eq!(ids.len(), tokens.len());

    fill(&folder);
    report_until_refused(&network, "a");
    let page = server.anon().absolute_paths();
    let with_cookie =
        |path: &str| server.anon().request("GET", path).header("Cookie", &cookie).send();
    with_cookie("/affiliates/976").expect(200);
    let sign_out = page.request("POST", "/logout").header("Cookie", &cookie);
    let signed_out = sign_out.header("Sec-Fetch-Site", "same-origin").bytes(b"").send();
    assert_eq!(signed_out.status, 303, "{}", signed_out.text());
    with_cookie("/affiliates/976").expect(401);
    network.extensions().delete(&format!("/tokens/{}", ids[0])).expect(200);
    tokens[0].get("/affiliates/976").expect(401);
    for (id, token) in ids.iter().zip(&tokens).skip(1) {
        token.get("/affiliates/976").expect(200);
        let arguments = ["token", "revoke", "--network", "1", "--id", id, "--database"];
        let revoked = run(&[&arguments[..], &[server.database()]].concat());
        assert!(revoked.status.success(), "{}", String::from_utf8_lossy(&revoked.stderr));
        token.get("/affiliates/976").expect(401);
    }
    // The reserve is not for other writes, but for the space that the log has allocated meanwhile.
    report_until_refused(&network, "b");
    network.put("/affiliates/977", body::full_affiliate("977")).expect(507);

    remove_file(folder.join("ballast")).expect("the file is there");
    let started = Instant::now();
    let reserve = format!("{}-reserve", server.database().trim_start_matches("sqlite://"));
    let mut number = 0;
    while std::fs::metadata(&reserve).map_or(0, |data| data.len()) < 2 << 20 {
        assert!(started.elapsed() < Duration::from_secs(60), "the reserve is not complete");
        assert_eq!(report_call(&network, &format!("c-{number}")), 201);
        number += 1;
    }
}
