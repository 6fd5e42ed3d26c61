//! Readers of JSON bodies and of forms.

use trunkline_api::validate_body;
use trunkline_api::versions::{ResourceKind, Version};
use trunkline_console::read_form;

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

/// Request parser: any bytes are parsed as a body of any kind and version without a panic. The first byte
/// selects kind and version.
pub fn check_request(bytes: &[u8]) {
    let Some((first, body)) = bytes.split_first() else { return };
    let dates = ["2014-01-01", "2016-02-01", "2017-03-31", "2022-08-01"];
    let version = Version::parse(dates[usize::from(first >> 4) % dates.len()]).expect("a version");
    // Only the absence of panics is checked.
    let _ = validate_body(version, KINDS[usize::from(*first) % KINDS.len()], body);
}

/// Forms of the console: any bytes are read; a redirect stays on this server; and the link that a page
/// makes of the parameters is read as the same parameters, without the one-time token.
pub fn check_form(bytes: &[u8]) {
    let form = read_form(bytes);
    if let Some(next) = &form.next {
        assert!(next.starts_with('/') && !next.starts_with("//"), "{next:?}");
        assert!(next.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\'), "{next:?}");
    }
    let (path, query) =
        form.path_without_token.split_once('?').unwrap_or((&form.path_without_token, ""));
    assert_eq!(path, "/login");
    let again = read_form(query.as_bytes());
    assert_eq!(again, form);
    let names = form_urlencoded::parse(query.as_bytes());
    assert_eq!(names.filter(|(name, _)| name == "access_token").count(), 0);
}
