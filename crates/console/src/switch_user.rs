//! One-time tokens and sign-in links that are opened while somebody else is signed in: a page asks
//! before the session is replaced, because other sites and mails can make a browser open a link.

use crate::forms::FormParams;
use crate::page_request::{find_session, session_cookie};
use crate::state::Console;
use crate::{layout, origin, sign_in};
use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::Response;
use axum::routing::post;
use maud::{Markup, html};
use std::sync::Arc;
use trunkline_domain::party::User;
use trunkline_network::credentials::{self, SignInKind};
use trunkline_network::{Actor, Error};

pub(crate) fn routes() -> Router<Arc<Console>> {
    Router::new().route("/switch_user", post(switch))
}

/// Signs in with a one-time token, or asks first if somebody else is signed in.
pub(crate) async fn open_token(
    console: &Console,
    headers: &HeaderMap,
    token: &str,
    target: &str,
) -> Response {
    let now = (console.clock)();
    let user = console
        .store
        .read(|unit| credentials::user_of_sign_in(unit, token, SignInKind::AccessToken, now));
    let other = user.and_then(|user| match user {
        Some(user) => Ok(other_session(console, headers, &user)?.map(|name| (name, user))),
        None => Ok(None),
    });
    match other {
        Ok(None) => sign_in::redeem_token(console, headers, token, target).await,
        Ok(Some((signed_in, user))) => question_page(&signed_in, &user, &confirm(token, target)),
        Err(error) => layout::internal_error_page(&error),
    }
}

/// Returns the name of the user who is signed in, unless it is this one.
pub(crate) fn other_session(
    console: &Console,
    headers: &HeaderMap,
    user: &User,
) -> Result<Option<String>, Error> {
    let Some(cookie) = session_cookie(console, headers) else { return Ok(None) };
    let session = find_session(console, cookie.to_owned())?;
    let other = session.filter(|session| session.context.principal.actor != Actor::User(user.id));
    Ok(other.map(|session| session.user_name))
}

/// Renders the question, with the form that continues as the new user.
pub(crate) fn question_page(signed_in: &str, user: &User, form: &Markup) -> Response {
    let name = full_name(user);
    let content = html! {
        h1 { "Sign in as somebody else?" }
        p.note.wrong role="alert" {
            "You are signed in as " strong { (signed_in) } ". This link is for " strong { (name) }
            ". If you continue, " (signed_in) " is signed out of this browser."
        }
        (form)
        p { a href="/" { "Stay signed in as " (signed_in) } }
    };
    layout::signed_out_page(StatusCode::OK, "Sign in as somebody else?", &content)
}

/// Returns the first and last name of a user.
pub(crate) fn full_name(user: &User) -> String {
    format!("{} {}", user.first_name, user.last_name)
}

fn confirm(token: &str, target: &str) -> Markup {
    html! {
        form method="post" action="/switch_user" {
            input type="hidden" name="token" value=(token);
            input type="hidden" name="next" value=(target);
            button type="submit" { "Continue" }
        }
    }
}

async fn switch(
    State(console): State<Arc<Console>>,
    headers: HeaderMap,
    uri: Uri,
    body: Bytes,
) -> Response {
    if let Some(rejection) = sign_in::check_form_request(&headers, &uri) {
        return rejection;
    }
    let params = FormParams::parse(&body);
    let next = params.get("next").and_then(origin::local_path).unwrap_or("/");
    let token = params.get("token").unwrap_or_default();
    sign_in::redeem_token(&console, &headers, token, next).await
}
