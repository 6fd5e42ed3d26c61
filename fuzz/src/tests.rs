//! Runs every target on generated input: arbitrary bytes, and fragments of valid input in any order.

use super::*;
use proptest::prelude::*;

/// Pieces of valid input for the targets.
const FRAGMENTS: &[&str] = &[
    "/api/2018-11-01/1/affiliates/222.json",
    "/trunkline/v1/networks/1/calls",
    "/api/",
    "?",
    "&",
    "=",
    "+",
    "%",
    "%20",
    "%00",
    "%ff",
    "%2F",
    ";",
    ",",
    " ",
    "\n",
    "\nHost: calls.example.com",
    "\nX-Request-Id: a-1",
    "\nAuthorization: Basic dXNlckBleGFtcGxlLmNvbTpwYXNzd29yZA==",
    "\nAuthorization: Bearer tl_1",
    "\nCookie: ",
    "\nContent-Type: application/json; charset=utf-8",
    "\nIf-None-Match: *",
    "\nSec-Fetch-Site: same-origin",
    "\nSec-Fetch-Site: cross-site",
    "\nX-Forwarded-Proto: https, http",
    "\nOrigin: https://calls.example.com",
    "__Host-trunkline_session=",
    "trunkline_session=secret",
    "oauth_token=tl_1",
    "email=pat@example.com",
    "password=long enough",
    "next=%2Fas%2F1",
    "next=//evil.example",
    "access_token=1",
    "ü",
    "\\",
    "\"",
    "{",
    "}",
    "[",
    "]",
    ":",
    "\"children\": ",
    "\"node_type\": \"Connect\"",
    "\"node_type\": \"Menu\"",
    "\"users\": [{\"id_from_network\": 1, \"role\": \"Super\"}]",
    "\"policies\": [{\"type\": \"Base\", \"amount\": \"1e3\"}]",
    "null",
    "1e400",
    "-1",
    "duration > 60",
    "connect_duration >= 2 min 30 sec",
    " and ",
    " or ",
    "not ",
    "(",
    ")",
    "in_region[West Coast]",
    "pressed[1]",
    "custom_data[channel] = \"a\"",
];

fn input() -> impl Strategy<Value = Vec<u8>> {
    let fragment = prop_oneof![
        8 => prop::sample::select(FRAGMENTS).prop_map(|text| text.as_bytes().to_vec()),
        1 => prop::collection::vec(any::<u8>(), 0..8),
    ];
    let fragments = prop::collection::vec(fragment, 0..24).prop_map(|parts| parts.concat());
    prop_oneof![3 => fragments, 1 => prop::collection::vec(any::<u8>(), 0..512)]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_024, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn condition_holds_for_generated_input(bytes in input()) {
        check_condition(&bytes);
    }

    #[test]
    fn cookies_holds_for_generated_input(bytes in input()) {
        check_cookies(&bytes);
        check_cookies(&[b"/login", bytes.as_slice()].concat());
    }

    #[test]
    fn form_holds_for_generated_input(bytes in input()) {
        check_form(&bytes);
    }

    #[test]
    fn head_holds_for_generated_input(bytes in input()) {
        check_head(&bytes);
        check_head(&[b"/api/2018-11-01/1/affiliates", bytes.as_slice()].concat());
    }

    #[test]
    fn ivr_tree_holds_for_generated_input(bytes in input()) {
        check_ivr_tree(&bytes);
    }

    #[test]
    fn query_holds_for_generated_input(bytes in input()) {
        check_query(&bytes);
    }

    #[test]
    fn request_holds_for_generated_input(bytes in input()) {
        check_request(&bytes);
    }
}
