//! Signing in, by password or by a one-time token, and signing out.

use crate::forms::{self, Pairs};
use crate::visit::{self, session_of};
use crate::{Console, layout, origin};
use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri, header};
use axum::response::Response;
use axum::routing::{get, post};
use maud::{Markup, html};
use std::sync::Arc;
use trunkline_network::credentials::{self, Issued, SESSION_COOKIE};
use trunkline_network::{Actor, Error};

/// Bytes of a form.
const FORM_LIMIT: usize = 16 << 10;
/// How long the browser keeps the session's cookie, in seconds: as long as a session lasts.
const COOKIE_LASTS: u32 = 12 * 60 * 60;

const WRONG: &str = "That e-mail address and password don’t belong together.";
const USED: &str = "This sign-in link has been used already, or is more than five minutes old. \
                    Ask for a new one, or sign in with your password.";

pub(crate) fn routes() -> Router<Arc<Console>> {
    Router::new()
        .route("/login", get(form).post(by_password))
        .route("/logout", post(sign_out))
        .layer(DefaultBodyLimit::max(FORM_LIMIT))
}

async fn form(State(console): State<Arc<Console>>, headers: HeaderMap, uri: Uri) -> Response {
    let query = Pairs::of(&uri);
    let next = query.get("next").and_then(origin::local_path).unwrap_or("/");
    let signed_in = match session_of(&headers) {
        Some(cookie) => visit::signed_in(&console, cookie.to_owned()),
        None => Ok(None),
    };
    match signed_in {
        Ok(Some(_)) => layout::go_to(next),
        Ok(None) => {
            let note = query.get("signed_out").map(|_| Note::Done("You are signed out."));
            page(StatusCode::OK, next, "", note)
        }
        Err(error) => layout::failed(&error),
    }
}

async fn by_password(
    State(console): State<Arc<Console>>,
    headers: HeaderMap,
    uri: Uri,
    body: Bytes,
) -> Response {
    if let Some(refused) = refuse(&headers, &uri) {
        return refused;
    }
    let said = Pairs::parse(&body);
    let next = said.get("next").and_then(origin::local_path).unwrap_or("/");
    let email = said.get("email").unwrap_or_default().trim();
    let password = said.get("password").unwrap_or_default();
    let caller = console.passwords.caller(&console.store, email, password, None).await;
    let user = match caller {
        Ok(caller) => caller.and_then(|caller| match caller.actor {
            Actor::User(id) => Some(id),
            Actor::Token(_) | Actor::CommandLine => None,
        }),
        Err(error) => return layout::failed(&error),
    };
    let Some(user) = user else {
        return page(StatusCode::UNAUTHORIZED, next, email, Some(Note::Wrong(WRONG)));
    };
    let old = session_of(&headers).map(str::to_owned);
    let (entropy, now) = ((console.random)(), (console.clock)());
    let started = console.store.write(move |session| {
        if let Some(old) = old {
            credentials::end_session(session, &old)?;
        }
        credentials::start_session(session, user, &entropy, now)
    });
    match started.await {
        Ok(issued) => enter(&console, &issued, next),
        Err(error) => layout::failed(&error),
    }
}

/// Trades a one-time token for a session, and goes on to where it was appended.
pub(crate) async fn by_token(
    console: &Console,
    headers: &HeaderMap,
    token: &str,
    here: &str,
) -> Response {
    let (entropy, now) = ((console.random)(), (console.clock)());
    let (token, old) = (token.to_owned(), session_of(headers).map(str::to_owned));
    let traded = console.store.write(move |session| {
        let issued = credentials::redeem_access_token(session, &token, &entropy, now)?;
        if let (Some(_), Some(old)) = (&issued, old) {
            credentials::end_session(session, &old)?;
        }
        Ok::<_, Error>(issued)
    });
    match traded.await {
        Ok(Some(issued)) => enter(console, &issued, here),
        Ok(None) => page(StatusCode::UNAUTHORIZED, here, "", Some(Note::Wrong(USED))),
        Err(error) => layout::failed(&error),
    }
}

async fn sign_out(State(console): State<Arc<Console>>, headers: HeaderMap, uri: Uri) -> Response {
    if let Some(refused) = refuse_foreign(&headers, &uri) {
        return refused;
    }
    if let Some(cookie) = session_of(&headers).map(str::to_owned) {
        let ended = console.store.write(move |session| credentials::end_session(session, &cookie));
        if let Err(error) = ended.await {
            return layout::failed(&error);
        }
    }
    let mut response = layout::go_to(&forms::link("/login", "signed_out", "1"));
    set_cookie(&console, &mut response, "", 0);
    response
}

fn refuse(headers: &HeaderMap, uri: &Uri) -> Option<Response> {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let kind = kind.and_then(|kind| kind.split(';').next()).map(str::trim);
    if kind.is_none_or(|kind| !kind.eq_ignore_ascii_case("application/x-www-form-urlencoded")) {
        let status = StatusCode::UNSUPPORTED_MEDIA_TYPE;
        return Some(layout::message(status, "Not a form", "Please use the form to sign in."));
    }
    refuse_foreign(headers, uri)
}

fn refuse_foreign(headers: &HeaderMap, uri: &Uri) -> Option<Response> {
    let text = "This was sent by a page of another site, so nothing was done.";
    (!origin::is_own(headers, uri))
        .then(|| layout::message(StatusCode::FORBIDDEN, "Not from here", text))
}

fn enter(console: &Console, issued: &Issued, next: &str) -> Response {
    let mut response = layout::go_to(next);
    set_cookie(console, &mut response, &issued.secret, COOKIE_LASTS);
    response
}

fn set_cookie(console: &Console, response: &mut Response, value: &str, lasts: u32) {
    let secure = if console.secure_cookies { "; Secure" } else { "" };
    let cookie = format!(
        "{SESSION_COOKIE}={value}; HttpOnly; SameSite=Lax; Path=/; Max-Age={lasts}{secure}"
    );
    if let Ok(cookie) = HeaderValue::from_str(&cookie) {
        response.headers_mut().insert(header::SET_COOKIE, cookie);
    }
}

/// What the form says above its fields.
enum Note {
    Wrong(&'static str),
    Done(&'static str),
}

fn page(status: StatusCode, next: &str, email: &str, note: Option<Note>) -> Response {
    layout::signed_out(status, "Sign in", &sign_in_form(next, email, note))
}

fn sign_in_form(next: &str, email: &str, note: Option<Note>) -> Markup {
    html! {
        h1 { "Sign in" }
        @match note {
            Some(Note::Wrong(text)) => p.note.wrong role="alert" { (text) },
            Some(Note::Done(text)) => p.note role="status" { (text) },
            None => {},
        }
        form method="post" action="/login" {
            input type="hidden" name="next" value=(next);
            label for="email" { "E-mail address" }
            input #email type="email" name="email" value=(email) autocomplete="username"
                required maxlength="255" autofocus[email.is_empty()];
            label for="password" { "Password" }
            input #password type="password" name="password" autocomplete="current-password"
                required maxlength="1000" autofocus[!email.is_empty()];
            button type="submit" { "Sign in" }
        }
    }
}
