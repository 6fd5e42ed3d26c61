//! Authentication: every form of credential that the contract accepts.

use crate::App;
use axum::http::{HeaderMap, header};
use base64::Engine;
use serde_json::{Map, Value};
use trunkline_domain::id::NetworkId;
use trunkline_network::credentials::{self, Credential};
use trunkline_network::{ClientAddress, Error, PresentedPassword, Principal, UnitOfWork};

/// Credential as the request presents it, not verified.
#[derive(Debug, Clone)]
pub(crate) enum PresentedCredential {
    /// A token or a session.
    Secret(Credential),
    /// A user's e-mail address and password.
    Password {
        /// E-mail address.
        email: String,
        /// Password.
        password: String,
    },
}

/// Returns the credential of the headers or of the query, the first in this order: `Authorization`, query,
/// header `oauth_token`, cookie. A blank one counts as absent. The console's session cookie counts only
/// if `reads_only`, because other sites can make a browser send it. `base_url` determines the cookie's name.
pub(crate) fn presented_credential(
    headers: &HeaderMap,
    query_token: Option<&str>,
    reads_only: bool,
    base_url: &str,
) -> Option<PresentedCredential> {
    let authorization = read_header(headers, header::AUTHORIZATION);
    if let Some(credential) = authorization.and_then(parse_authorization) {
        return Some(credential);
    }
    let header_token = || read_header(headers, TOKEN_HEADER);
    if let Some(token) = query_token.or_else(header_token) {
        return Some(PresentedCredential::Secret(Credential::Token(token.to_owned())));
    }
    if !reads_only {
        return None;
    }
    let cookies = headers.get_all(header::COOKIE).iter();
    let cookies = cookies.filter_map(|cookie| cookie.to_str().ok());
    let name = credentials::session_cookie_name(base_url);
    let session = credentials::session_cookie(cookies, name)?;
    Some(PresentedCredential::Secret(Credential::Session(session.to_owned())))
}

/// Header in which some clients send the token.
const TOKEN_HEADER: header::HeaderName = header::HeaderName::from_static("oauth_token");

/// Returns the value of a header without white space around it; `None` if it is absent or blank.
fn read_header(headers: &HeaderMap, name: header::HeaderName) -> Option<&str> {
    let value = headers.get(name).and_then(|value| value.to_str().ok());
    value.map(str::trim).filter(|value| !value.is_empty())
}

/// Removes the credential (`oauth_token`) from a JSON body and returns it.
pub(crate) fn take_from_body(body: &mut Map<String, Value>) -> Option<PresentedCredential> {
    match body.shift_remove("oauth_token")? {
        Value::String(token) => Some(PresentedCredential::Secret(Credential::Token(token))),
        _ => None,
    }
}

/// Parses the value of an `Authorization` header. A value without a known scheme is a token. Returns
/// `None` for a scheme without a credential.
fn parse_authorization(value: &str) -> Option<PresentedCredential> {
    let (scheme, rest) = value.split_once(' ').unwrap_or((value, ""));
    if scheme.eq_ignore_ascii_case("basic")
        && let Some((user, password)) = decode_basic(rest.trim())
    {
        if user.contains('@') {
            return Some(PresentedCredential::Password { email: user, password });
        }
        return Some(PresentedCredential::Secret(Credential::Token(user)));
    }
    let token = if is_bearer(scheme) { rest.trim() } else { value };
    let token = Some(token.to_owned()).filter(|token| !token.is_empty());
    token.map(|token| PresentedCredential::Secret(Credential::Token(token)))
}

fn is_bearer(scheme: &str) -> bool {
    scheme.eq_ignore_ascii_case("bearer")
}

fn decode_basic(encoded: &str) -> Option<(String, String)> {
    let bytes = base64::engine::general_purpose::STANDARD.decode(encoded).ok()?;
    let text = String::from_utf8(bytes).ok()?;
    let (user, password) = text.split_once(':').unwrap_or((&text, ""));
    Some((user.to_owned(), password.to_owned()))
}

/// Verifies a credential and returns its principal; `None` if the credential is not valid.
/// `network_id` is the network of the path. A password that is valid on another network gives that
/// network's principal, as a token does.
pub(crate) async fn authenticate(
    app: &App,
    presented: &PresentedCredential,
    network_id: Option<NetworkId>,
    address: Option<ClientAddress>,
) -> Result<Option<Principal>, Error> {
    match presented {
        PresentedCredential::Secret(credential) => {
            let now = (app.clock)();
            app.store.read(|unit| credentials::authenticate(unit, credential, now))
        }
        PresentedCredential::Password { email, password } => {
            let now = (app.clock)();
            let presented = PresentedPassword { email, password, address, now };
            app.passwords.authenticate(&app.store, &presented, network_id).await
        }
    }
}

/// Verifies again, in a unit of work, a credential that was verified before, and returns its current
/// principal; `None` if the credential is no longer valid or `before` is not its principal. Costs no
/// argon2 hash: a password that is no longer among the verified ones counts as invalid.
pub(crate) fn authenticate_again(
    app: &App,
    unit: &mut UnitOfWork<'_>,
    presented: &PresentedCredential,
    before: &Principal,
) -> Result<Option<Principal>, Error> {
    let principal = match presented {
        PresentedCredential::Secret(credential) => {
            credentials::authenticate(unit, credential, (app.clock)())?
        }
        PresentedCredential::Password { email, password } => {
            app.passwords.find_verified_in(unit, email, password, before.network_id)?
        }
    };
    Ok(principal.filter(|principal| {
        principal.actor == before.actor && principal.network_id == before.network_id
    }))
}
