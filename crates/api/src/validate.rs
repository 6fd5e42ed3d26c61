//! Validates a request body without a server or a database.

use crate::object_reader::{Ignored, ObjectReader, ReadContext};
use crate::resources::{parties, terms, users};
use crate::versions::{ResourceKind, Version};
use crate::{json, resources};
use serde_json::{Value, json};
use trunkline_domain::campaign::Terms;
use trunkline_domain::party::{MAX_USERS_PER_ORGANIZATION, PartyKind};
use trunkline_domain::problem::Problems;
use trunkline_domain::timezone::TimeZoneName;

/// Validates a body of a kind and returns `{"errors": …, "ignored": "…"}`. Rules that need stored
/// objects are not checked. Never panics, whatever the bytes: the fuzz targets rely on that.
///
/// # Errors
///
/// The parser's message if the bytes are not a JSON object.
pub fn validate_body(version: Version, kind: ResourceKind, bytes: &[u8]) -> Result<Value, String> {
    let Value::Object(mut body) = json::parse(bytes).map_err(|error| error.to_string())? else {
        return Err("not an object".to_owned());
    };
    version.upgrade(kind, &mut body);
    let mut problems = Problems::new();
    let mut ignored = Ignored::default();
    let read_context = ReadContext { problems: &mut problems, ignored: &mut ignored };
    let mut reader = ObjectReader::new(&body, read_context);
    match kind {
        ResourceKind::Advertiser => drop(parties::read(PartyKind::Advertiser, version, reader)),
        ResourceKind::Affiliate => drop(parties::read(PartyKind::Affiliate, version, reader)),
        ResourceKind::Network => {
            reader.array("users", MAX_USERS_PER_ORGANIZATION, users::read_item(version));
            reader.finish();
        }
        ResourceKind::User => drop(users::read_map(version, &body, reader.into_context())),
        ResourceKind::Campaign => {
            resources::check_depth(&body)?;
            let change = terms::read(&mut reader, version, TimeZoneName::default());
            let terms = change.apply(Terms::new(jiff::Timestamp::UNIX_EPOCH));
            terms.validate(reader.problems);
            let rendered = resources::render_terms(&terms);
            reader.finish();
            debug_assert!(rendered.is_object());
        }
        ResourceKind::AffiliateCampaign | ResourceKind::PromoNumber | ResourceKind::Unversioned => {
            reader.custom_data();
            reader.finish();
        }
    }
    Ok(json!({"errors": problems.to_json(), "ignored": ignored.header_value()}))
}
