//! Reading a body without a server: what a request would be told of it.

use crate::fields::{Fields, Ignored, Reading};
use crate::resources::{parties, terms, users};
use crate::versions::{Kind, Version};
use crate::{json, resources};
use serde_json::{Value, json};
use trunkline_domain::campaign::Terms;
use trunkline_domain::party::PartyKind;
use trunkline_domain::problem::Problems;
use trunkline_domain::timezone::ZoneName;

/// What is wrong with a body of a kind, as `{"errors": …, "ignored": "…"}`, without looking at
/// anything stored. `Err` is text that is no JSON object. Never panics, whatever the bytes: the
/// fuzz targets hold it to that.
pub fn examine(version: Version, kind: Kind, bytes: &[u8]) -> Result<Value, String> {
    let Value::Object(mut body) = json::parse(bytes).map_err(|error| error.to_string())? else {
        return Err("not an object".to_owned());
    };
    version.upgrade(kind, &mut body);
    let (mut problems, mut ignored) = (Problems::new(), Ignored::default());
    let reading = Reading { problems: &mut problems, ignored: &mut ignored };
    let mut fields = Fields::new(&body, reading);
    match kind {
        Kind::Advertiser => drop(parties::read(PartyKind::Advertiser, version, fields)),
        Kind::Affiliate => drop(parties::read(PartyKind::Affiliate, version, fields)),
        Kind::Network => {
            fields.array("users", trunkline_domain::party::USER_LIMIT, users::read_item(version));
            fields.finish();
        }
        Kind::User => drop(users::read_map(version, &body, reading_of(&mut fields))),
        Kind::Campaign => {
            resources::check_depth(&body)?;
            let change = terms::read(&mut fields, version, ZoneName::default());
            let terms = change.apply(Terms::new(jiff::Timestamp::UNIX_EPOCH));
            terms.check(fields.problems);
            let rendered = resources::render_terms(&terms);
            fields.finish();
            debug_assert!(rendered.is_object());
        }
        Kind::AffiliateCampaign | Kind::PromoNumber | Kind::Plain => {
            fields.custom_data();
            fields.finish();
        }
    }
    Ok(json!({"errors": problems.to_json(), "ignored": ignored.header()}))
}

fn reading_of<'a>(fields: &'a mut Fields<'_>) -> Reading<'a> {
    Reading { problems: &mut *fields.problems, ignored: &mut *fields.ignored }
}
