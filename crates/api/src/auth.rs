//! Who asks: every form of credential that the contract takes.

use crate::App;
use axum::http::{HeaderMap, header};
use base64::Engine;
use serde_json::{Map, Value};
use trunkline_network::credentials::{self, Credential};
use trunkline_network::{Caller, Error};

/// What a request shows of itself.
#[derive(Debug, Clone)]
pub(crate) enum Shown {
    /// A token or a session.
    Secret(Credential),
    /// A user's e-mail address and password.
    Password {
        /// The address.
        email: String,
        /// The password.
        password: String,
    },
}

/// The credential of a request's headers or query; a console's cookie only where nothing changes.
pub(crate) fn shown(
    headers: &HeaderMap,
    query_token: Option<&str>,
    reads_only: bool,
) -> Option<Shown> {
    let header = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    if let Some(value) = header {
        return Some(of_header(value.trim()));
    }
    let token = |token: &str| Shown::Secret(Credential::Token(token.to_owned()));
    query_token.map(token).or_else(|| {
        let cookies = headers.get_all(header::COOKIE).iter().filter_map(|it| it.to_str().ok());
        let cookie = credentials::session_in(cookies).filter(|_| reads_only)?;
        Some(Shown::Secret(Credential::Session(cookie.to_owned())))
    })
}

/// The credential in a JSON body, taken out of it.
pub(crate) fn in_body(body: &mut Map<String, Value>) -> Option<Shown> {
    match body.shift_remove("oauth_token")? {
        Value::String(token) => Some(Shown::Secret(Credential::Token(token))),
        _ => None,
    }
}

fn of_header(value: &str) -> Shown {
    let (scheme, rest) = value.split_once(' ').unwrap_or(("", value));
    if scheme.eq_ignore_ascii_case("basic")
        && let Some((user, password)) = basic(rest.trim())
    {
        if user.contains('@') {
            return Shown::Password { email: user, password };
        }
        return Shown::Secret(Credential::Token(user));
    }
    let token = if scheme.eq_ignore_ascii_case("bearer") { rest.trim() } else { value };
    Shown::Secret(Credential::Token(token.to_owned()))
}

fn basic(encoded: &str) -> Option<(String, String)> {
    let bytes = base64::engine::general_purpose::STANDARD.decode(encoded).ok()?;
    let text = String::from_utf8(bytes).ok()?;
    let (user, password) = text.split_once(':').unwrap_or((&text, ""));
    Some((user.to_owned(), password.to_owned()))
}

/// Who a request's credential is of.
pub(crate) async fn caller(
    app: &App,
    shown: &Shown,
    network: Option<i64>,
) -> Result<Option<Caller>, Error> {
    match shown {
        Shown::Secret(credential) => {
            let now = (app.clock)();
            app.store.read(|session| credentials::authenticate(session, credential, now))
        }
        Shown::Password { email, password } => {
            let find = |network| app.passwords.caller(&app.store, email, password, network);
            match (find(network).await?, network) {
                // Good elsewhere: the answer says so, as it does for a token.
                (None, Some(_)) => find(None).await,
                (here, _) => Ok(here),
            }
        }
    }
}
