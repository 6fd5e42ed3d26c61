//! IVR checker: any JSON is parsed and checked as a tree without a panic, in bounded time.
#![no_main]

use libfuzzer_sys::fuzz_target;
use trunkline_api::validate_body;
use trunkline_api::versions::{ResourceKind, Version};

fuzz_target!(|root: &str| {
    let body = format!("{{\"ivr_tree\": {{\"root\": {root}}}}}");
    // Only the absence of panics is checked.
    let _ = validate_body(Version::newest(), ResourceKind::Campaign, body.as_bytes());
});
