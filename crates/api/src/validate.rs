//! Reads the head and the body of a request without a server or a database.

use crate::api_request::parse_query;
use crate::auth::{PresentedCredential, presented_credential};
use crate::object_reader::{Ignored, ObjectReader, ReadContext};
use crate::object_response::header_matches;
use crate::path_prefix::{parse_prefix, with_path};
use crate::request_body::content_type;
use crate::resources::{parties, terms, users};
use crate::router::{client_request_id, find_head_problem};
use crate::versions::{ResourceKind, Version};
use crate::{json, resources};
use axum::http::{Request, header};
use serde_json::{Value, json};
use trunkline_domain::campaign::Terms;
use trunkline_domain::party::{MAX_USERS_PER_ORGANIZATION, PartyKind};
use trunkline_domain::problem::Problems;
use trunkline_domain::timezone::TimeZoneName;
use trunkline_network::credentials::Credential;

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

/// Decoded parameter of a query string.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadParameter {
    /// Name.
    pub name: String,
    /// Value; empty if the parameter has none.
    pub value: String,
}

/// Contents of a request's head, as the API reads them before it knows the principal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadHead {
    /// False if the head is too large or does not have exactly one `Host`.
    pub is_accepted: bool,
    /// Path without version, network and suffix; `None` if the request would be rejected by its path.
    pub path: Option<String>,
    /// Parameters of the query, in order.
    pub parameters: Vec<ReadParameter>,
    /// Valid `X-Request-Id`.
    pub request_id: Option<String>,
    /// Media type of the body without parameters, in lower case.
    pub content_type: String,
    /// Token, session secret or password; `None` if no credential is presented.
    pub secret: Option<String>,
    /// True if `If-None-Match` contains the entity tag of an empty object, or `*`.
    pub matches_empty: bool,
}

/// Reads the head of a request. Rules that need stored objects are not checked. Never panics, whatever the
/// head contains: the fuzz targets rely on that.
pub fn read_head<T>(request: &Request<T>) -> ReadHead {
    const EMPTY_OBJECT_TAG: &str = "\"44136fa355b3678a1146ad16f7e8649e\"";
    let uri = request.uri();
    let headers = request.headers();
    let parsed_path = parse_prefix(uri.path()).ok();
    let path = parsed_path.filter(|parsed| with_path(uri, &parsed.path).is_some());
    let parameters = parse_query(uri.query().unwrap_or_default()).into_iter();
    let parameters: Vec<ReadParameter> =
        parameters.map(|(name, value)| ReadParameter { name, value }).collect();
    let token = parameters.iter().find(|parameter| parameter.name == "oauth_token");
    let token = token.map(|parameter| parameter.value.as_str());
    let credential = presented_credential(headers, token, true, "https://calls.example.com");
    ReadHead {
        is_accepted: find_head_problem(request).is_none(),
        path: path.map(|parsed| parsed.path),
        request_id: client_request_id(headers).map(str::to_owned),
        content_type: content_type(headers),
        secret: credential.map(|credential| match credential {
            PresentedCredential::Secret(
                Credential::Token(secret) | Credential::Session(secret),
            ) => secret,
            PresentedCredential::Password { password, .. } => password,
        }),
        matches_empty: header_matches(headers, header::IF_NONE_MATCH, EMPTY_OBJECT_TAG),
        parameters,
    }
}
