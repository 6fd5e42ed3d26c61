//! Requests as bytes, each for another object.

use super::setup::ServedDatabase;
use crate::calls;
use crate::load::RequestWriter;
use std::fmt;
use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Pseudo-random ids with a fixed seed (SplitMix64).
#[derive(Debug)]
struct RandomIds(u64);

impl RandomIds {
    /// Returns a number from 1 to `last`.
    fn next(&mut self, last: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^= mixed >> 31;
        mixed % last.max(1) + 1
    }
}

/// Headers of every request.
fn headers(token: &str) -> String {
    format!("Host: 127.0.0.1\r\nAuthorization: {token}\r\nAccept: */*\r\n")
}

fn append(out: &mut Vec<u8>, text: fmt::Arguments<'_>) {
    out.write_fmt(text).expect("writing to memory does not fail");
}

/// Reads of a baseline's rows.
pub(crate) fn get_baseline_rows(rows: u64, token: &str) -> Box<RequestWriter<'static>> {
    let mut ids = RandomIds(1);
    let headers = headers(token);
    Box::new(move |out| {
        let id = ids.next(rows);
        append(out, format_args!("GET /affiliates/{id} HTTP/1.1\r\n{headers}\r\n"));
    })
}

/// Reads of affiliates.
pub(crate) fn get_affiliates(database: &ServedDatabase) -> Box<RequestWriter<'static>> {
    get_affiliates_of(&database.server.token, database.rows)
}

/// Reads of the affiliates 1 to `rows`.
pub(crate) fn get_affiliates_of(token: &str, rows: u64) -> Box<RequestWriter<'static>> {
    let mut ids = RandomIds(2);
    let headers = headers(token);
    Box::new(move |out| {
        let id = ids.next(rows);
        append(
            out,
            format_args!("GET /api/2018-11-01/1/affiliates/{id}.json HTTP/1.1\r\n{headers}\r\n"),
        );
    })
}

/// Reads of campaigns.
pub(crate) fn get_campaigns(
    database: &ServedDatabase,
    campaigns: u64,
) -> Box<RequestWriter<'static>> {
    let mut ids = RandomIds(3);
    let headers = headers(&database.server.token);
    Box::new(move |out| {
        let id = ids.next(campaigns);
        let path = "/api/2018-11-01/1/advertisers/1/advertiser_campaigns/c";
        append(out, format_args!("GET {path}{id}.json HTTP/1.1\r\n{headers}\r\n"));
    })
}

/// Updates of affiliates' names, each to a new name.
pub(crate) fn put_affiliates(database: &ServedDatabase) -> Box<RequestWriter<'static>> {
    put_affiliates_of(&database.server.token, database.rows)
}

/// Updates of the names of the affiliates 1 to `rows`.
pub(crate) fn put_affiliates_of(token: &str, rows: u64) -> Box<RequestWriter<'static>> {
    let mut ids = RandomIds(4);
    let headers = headers(token);
    let mut count = 0_u64;
    let mut body = Vec::new();
    Box::new(move |out| {
        let id = ids.next(rows);
        count += 1;
        body.clear();
        append(&mut body, format_args!(r#"{{"name":"Affiliate {id}, {count}"}}"#));
        let head = "Content-Type: application/json\r\nContent-Length:";
        let length = body.len();
        append(
            out,
            format_args!(
                "PUT /api/2018-11-01/1/affiliates/{id}.json HTTP/1.1\r\n{headers}{head} {length}\r\n\r\n"
            ),
        );
        out.extend_from_slice(&body);
    })
}

/// Reports of new calls, one in each request.
pub(crate) fn post_calls(database: &ServedDatabase) -> Box<RequestWriter<'static>> {
    let headers = headers(&database.server.token);
    let counter = Arc::clone(&database.calls);
    let mut body = Vec::new();
    Box::new(move |out| {
        body.clear();
        calls::write_call(&mut body, next_call_number(&counter))
            .expect("writing to memory does not fail");
        let head = "Content-Type: application/json\r\nContent-Length:";
        let length = body.len();
        append(
            out,
            format_args!(
                "POST /api/2022-08-01/1/calls.json HTTP/1.1\r\n{headers}{head} {length}\r\n\r\n"
            ),
        );
        out.extend_from_slice(&body);
    })
}

/// Returns the number of the next call.
pub(crate) fn next_call_number(counter: &AtomicU64) -> u64 {
    counter.fetch_add(1, Ordering::Relaxed)
}
