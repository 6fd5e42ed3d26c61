//! Request parser: any bytes are parsed as a body of any kind and version without a panic.
#![no_main]

use libfuzzer_sys::fuzz_target;
use trunkline_api::validate_body;
use trunkline_api::versions::{ResourceKind, Version};

const KINDS: [ResourceKind; 8] = [
    ResourceKind::Network,
    ResourceKind::Advertiser,
    ResourceKind::Affiliate,
    ResourceKind::User,
    ResourceKind::Campaign,
    ResourceKind::AffiliateCampaign,
    ResourceKind::PromoNumber,
    ResourceKind::Unversioned,
];

fuzz_target!(|bytes: &[u8]| {
    let Some((first, body)) = bytes.split_first() else { return };
    let dates = ["2014-01-01", "2016-02-01", "2017-03-31", "2022-08-01"];
    let version = Version::parse(dates[usize::from(first >> 4) % dates.len()]).expect("a version");
    // Only the absence of panics is checked.
    let _ = validate_body(version, KINDS[usize::from(*first) % KINDS.len()], body);
});
