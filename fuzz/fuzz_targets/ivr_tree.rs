//! The IVR checker: any JSON as a tree is read and checked without a panic, in bounded time.
#![no_main]

use libfuzzer_sys::fuzz_target;
use trunkline_api::examine;
use trunkline_api::versions::{Kind, Version};

fuzz_target!(|root: &str| {
    let body = format!("{{\"ivr_tree\": {{\"root\": {root}}}}}");
    let _answer = examine(Version::newest(), Kind::Campaign, body.as_bytes());
});
