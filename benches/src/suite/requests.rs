//! Requests as bytes, each about another object.

use super::stage::Home;
use crate::calls;
use crate::load::Next;
use std::fmt;
use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Numbers in no order, but the same ones every time (SplitMix64).
#[derive(Debug)]
struct Numbers(u64);

impl Numbers {
    /// A number from 1 to `last`.
    fn next(&mut self, last: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^= mixed >> 31;
        mixed % last.max(1) + 1
    }
}

/// What every request has below its first line.
fn headers(token: &str) -> String {
    format!("Host: 127.0.0.1\r\nAuthorization: {token}\r\nAccept: */*\r\n")
}

fn put(out: &mut Vec<u8>, words: fmt::Arguments<'_>) {
    // Writing to memory does not fail.
    let _written = out.write_fmt(words);
}

/// Reads of a baseline's rows.
pub(crate) fn of_baseline(rows: u64, token: &str) -> Box<Next<'static>> {
    let (mut numbers, headers) = (Numbers(1), headers(token));
    Box::new(move |out| {
        let id = numbers.next(rows);
        put(out, format_args!("GET /affiliates/{id} HTTP/1.1\r\n{headers}\r\n"));
    })
}

/// Reads of affiliates.
pub(crate) fn get_affiliates(home: &Home) -> Box<Next<'static>> {
    get_affiliates_of(&home.server.token, home.rows)
}

/// Reads of so many affiliates.
pub(crate) fn get_affiliates_of(token: &str, rows: u64) -> Box<Next<'static>> {
    let (mut numbers, headers) = (Numbers(2), headers(token));
    Box::new(move |out| {
        let id = numbers.next(rows);
        put(
            out,
            format_args!("GET /api/2018-11-01/1/affiliates/{id}.json HTTP/1.1\r\n{headers}\r\n"),
        );
    })
}

/// Reads of campaigns.
pub(crate) fn get_campaigns(home: &Home, campaigns: u64) -> Box<Next<'static>> {
    let (mut numbers, headers) = (Numbers(3), headers(&home.server.token));
    Box::new(move |out| {
        let id = numbers.next(campaigns);
        let path = "/api/2018-11-01/1/advertisers/1/advertiser_campaigns/c";
        put(out, format_args!("GET {path}{id}.json HTTP/1.1\r\n{headers}\r\n"));
    })
}

/// Changes of affiliates' names, each another than there was.
pub(crate) fn put_affiliates(home: &Home) -> Box<Next<'static>> {
    put_affiliates_of(&home.server.token, home.rows)
}

/// Changes of the names of so many affiliates.
pub(crate) fn put_affiliates_of(token: &str, rows: u64) -> Box<Next<'static>> {
    let (mut numbers, headers) = (Numbers(4), headers(token));
    let (mut turn, mut body) = (0_u64, Vec::new());
    Box::new(move |out| {
        let id = numbers.next(rows);
        turn += 1;
        body.clear();
        put(&mut body, format_args!(r#"{{"name":"Affiliate {id}, {turn}"}}"#));
        let head = "Content-Type: application/json\r\nContent-Length:";
        let length = body.len();
        put(
            out,
            format_args!(
                "PUT /api/2018-11-01/1/affiliates/{id}.json HTTP/1.1\r\n{headers}{head} {length}\r\n\r\n"
            ),
        );
        out.extend_from_slice(&body);
    })
}

/// Calls, each one that nobody has told of.
pub(crate) fn post_calls(home: &Home) -> Box<Next<'static>> {
    let headers = headers(&home.server.token);
    let (numbers, mut body) = (Arc::clone(&home.calls), Vec::new());
    Box::new(move |out| {
        body.clear();
        let _written = calls::write(&mut body, take(&numbers));
        let head = "Content-Type: application/json\r\nContent-Length:";
        let length = body.len();
        put(
            out,
            format_args!(
                "POST /api/2022-08-01/1/calls.json HTTP/1.1\r\n{headers}{head} {length}\r\n\r\n"
            ),
        );
        out.extend_from_slice(&body);
    })
}

/// The next call's number.
pub(crate) fn take(numbers: &AtomicU64) -> u64 {
    numbers.fetch_add(1, Ordering::Relaxed)
}
