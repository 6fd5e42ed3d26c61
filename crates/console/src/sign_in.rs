//! Sign-in by password or one-time token, and sign-out.

use crate::forms::{self, FormParams};
use crate::page_request::{self, session_cookie};
use crate::state::Console;
use crate::{layout, origin};
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri, header};
use axum::middleware::Next;
use axum::response::Response;
use axum::routing::{get, post};
use axum::{Extension, Router};
use maud::{Markup, html};
use std::sync::Arc;
use trunkline_domain::id::SessionId;
use trunkline_network::credentials::{self, IssuedSecret, session_cookie_name};
use trunkline_network::{Actor, ClientAddress, Error, PresentedPassword};

/// Largest form body (bytes).
const MAX_FORM_BYTES: usize = 16 << 10;
/// Lifetime of the session cookie (seconds), equal to the lifetime of a session.
const COOKIE_MAX_AGE_SECONDS: u32 = 12 * 60 * 60;

const WRONG_PASSWORD_TEXT: &str = "The e-mail address or the password is wrong.";
const TOKEN_USED_TEXT: &str = "This sign-in link has been used already, or is more than five minutes old. \
                    Request a new one, or sign in with your password.";

pub(crate) fn routes() -> Router<Arc<Console>> {
    Router::new()
        .route("/login", get(form).post(sign_in_by_password))
        .route("/logout", post(sign_out))
        .layer(DefaultBodyLimit::max(MAX_FORM_BYTES))
}

/// Reads the body of a form within the limits of size and time, before it is handled.
pub(crate) async fn limit_body(
    State(console): State<Arc<Console>>,
    request: Request,
    next: Next,
) -> Response {
    let (parts, body) = request.into_parts();
    let body = tokio::time::timeout(console.body_timeout, to_bytes(body, MAX_FORM_BYTES)).await;
    let (status, title, text) = match body {
        Ok(Ok(body)) => return next.run(Request::from_parts(parts, Body::from(body))).await,
        Ok(Err(_)) => (
            StatusCode::PAYLOAD_TOO_LARGE,
            "Form too large",
            "This form is larger than the server accepts.",
        ),
        Err(_) => (
            StatusCode::REQUEST_TIMEOUT,
            "Too slow",
            "The form did not arrive in time. Please try again.",
        ),
    };
    let mut response = layout::message_page(status, title, text);
    response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    response
}

async fn form(State(console): State<Arc<Console>>, headers: HeaderMap, uri: Uri) -> Response {
    let query = FormParams::from_query(&uri);
    let next = query.get("next").and_then(origin::local_path).unwrap_or("/");
    let session = match session_cookie(&console, &headers) {
        Some(cookie) => page_request::find_session(&console, cookie.to_owned()),
        None => Ok(None),
    };
    match session {
        Ok(Some(_)) => layout::redirect(next),
        Ok(None) => {
            let signed_out = query.get("signed_out").map(|_| Notice::Info("You are signed out."));
            // Without any evidence of the scheme, an address other than the base URL is suspicious.
            let is_https = origin::uses_https(&headers)
                .unwrap_or_else(|| origin::is_base_host(&headers, &console.base_url));
            let https_required = https_required(&console).filter(|_| !is_https);
            let notice = https_required.or(signed_out);
            page(StatusCode::OK, next, "", notice)
        }
        Err(error) => layout::internal_error_page(&error),
    }
}

async fn sign_in_by_password(
    State(console): State<Arc<Console>>,
    address: Option<Extension<ClientAddress>>,
    headers: HeaderMap,
    uri: Uri,
    body: Bytes,
) -> Response {
    if let Some(rejection) = check_form_request(&headers, &uri) {
        return rejection;
    }
    let params = FormParams::parse(&body);
    let next = params.get("next").and_then(origin::local_path).unwrap_or("/");
    let email = params.get("email").unwrap_or_default().trim();
    // A client without evidence of the scheme is not a browser and may handle the cookie itself.
    if origin::uses_https(&headers) == Some(false)
        && let Some(notice) = https_required(&console)
    {
        return page(StatusCode::FORBIDDEN, next, email, Some(notice));
    }
    let password = params.get("password").unwrap_or_default();
    let address = address.map(|Extension(address)| address);
    let presented = PresentedPassword { email, password, address, now: (console.clock)() };
    let principal = console.passwords.authenticate(&console.store, &presented, None).await;
    let user = match principal {
        Ok(principal) => principal.and_then(|principal| match principal.actor {
            Actor::User(id) => Some(id),
            Actor::Token(_) | Actor::CommandLine | Actor::Anonymous => None,
        }),
        Err(error) => return layout::internal_error_page(&error),
    };
    let Some(user) = user else {
        let notice = Notice::Error(WRONG_PASSWORD_TEXT);
        return page(StatusCode::UNAUTHORIZED, next, email, Some(notice));
    };
    let previous_cookie = session_cookie(&console, &headers).map(str::to_owned);
    let entropy = (console.random)();
    let now = (console.clock)();
    let result = console.store.write(move |unit| {
        if let Some(cookie) = previous_cookie {
            credentials::end_session(unit, &cookie)?;
        }
        credentials::start_session(unit, user, &entropy, now)
    });
    match result.await {
        Ok(issued) => redirect_with_session(&console, &issued, next),
        Err(error) => layout::internal_error_page(&error),
    }
}

/// Redeems a one-time token for a session and redirects to `target`, the page without the token.
pub(crate) async fn redeem_token(
    console: &Console,
    headers: &HeaderMap,
    token: &str,
    target: &str,
) -> Response {
    let entropy = (console.random)();
    let now = (console.clock)();
    let token = token.to_owned();
    let previous_cookie = session_cookie(console, headers).map(str::to_owned);
    let result = console.store.write(move |unit| {
        let issued = credentials::redeem_access_token(unit, &token, &entropy, now)?;
        if let (Some(_), Some(cookie)) = (&issued, previous_cookie) {
            credentials::end_session(unit, &cookie)?;
        }
        Ok::<_, Error>(issued)
    });
    match result.await {
        Ok(Some(issued)) => redirect_with_session(console, &issued, target),
        Ok(None) => {
            page(StatusCode::UNAUTHORIZED, target, "", Some(Notice::Error(TOKEN_USED_TEXT)))
        }
        Err(error) => layout::internal_error_page(&error),
    }
}

async fn sign_out(State(console): State<Arc<Console>>, headers: HeaderMap, uri: Uri) -> Response {
    if let Some(rejection) = check_origin(&headers, &uri) {
        return rejection;
    }
    if let Some(cookie) = session_cookie(&console, &headers).map(str::to_owned) {
        let end = move |unit: &mut trunkline_network::UnitOfWork<'_>| {
            credentials::end_session(unit, &cookie)
        };
        let result = console.store.write_urgent(end);
        if let Err(error) = result.await {
            return layout::internal_error_page(&error);
        }
    }
    let mut response = layout::redirect(&forms::path_with_query("/login", "signed_out", "1"));
    set_cookie(&console, &mut response, "", 0);
    response
}

/// Returns a rejection unless the request is a form posted by a page of this server.
pub(crate) fn check_form_request(headers: &HeaderMap, uri: &Uri) -> Option<Response> {
    let media_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let media_type = media_type.and_then(|value| value.split(';').next()).map(str::trim);
    let form_type = "application/x-www-form-urlencoded";
    if media_type.is_none_or(|media_type| !media_type.eq_ignore_ascii_case(form_type)) {
        let status = StatusCode::UNSUPPORTED_MEDIA_TYPE;
        return Some(layout::message_page(status, "Not a form", "Please use the form to sign in."));
    }
    check_origin(headers, uri)
}

/// Returns a rejection if the request comes from a page of another site.
fn check_origin(headers: &HeaderMap, uri: &Uri) -> Option<Response> {
    let text = "This form was sent by a page of another site, so it was ignored.";
    (!origin::is_same_origin(headers, uri))
        .then(|| layout::message_page(StatusCode::FORBIDDEN, "Sent by another site", text))
}

pub(crate) fn redirect_with_session(
    console: &Console,
    issued: &IssuedSecret<SessionId>,
    next: &str,
) -> Response {
    let mut response = layout::redirect(next);
    set_cookie(console, &mut response, &issued.secret, COOKIE_MAX_AGE_SECONDS);
    response
}

fn set_cookie(console: &Console, response: &mut Response, value: &str, max_age: u32) {
    let secure = if console.has_secure_cookies() { "; Secure" } else { "" };
    let name = session_cookie_name(&console.base_url);
    let cookie =
        format!("{name}={value}; HttpOnly; SameSite=Lax; Path=/; Max-Age={max_age}{secure}");
    if let Ok(cookie) = HeaderValue::from_str(&cookie) {
        response.headers_mut().insert(header::SET_COOKIE, cookie);
    }
}

/// Notice above the fields of the form.
pub(crate) enum Notice {
    Error(&'static str),
    Info(&'static str),
    /// Sign-in works over https only; contains the base URL.
    HttpsRequired(String),
}

/// Returns a notice that https is required, if session cookies are sent over TLS only. Over plain http
/// the browser would drop the cookie and come back to the form without an explanation.
pub(crate) fn https_required(console: &Console) -> Option<Notice> {
    let base_url = console.base_url.trim_end_matches('/').to_owned();
    console.has_secure_cookies().then_some(Notice::HttpsRequired(base_url))
}

pub(crate) fn page(
    status: StatusCode,
    next: &str,
    email: &str,
    notice: Option<Notice>,
) -> Response {
    layout::signed_out_page(status, "Sign in", &sign_in_form(next, email, notice))
}

fn sign_in_form(next: &str, email: &str, notice: Option<Notice>) -> Markup {
    html! {
        h1 { "Sign in" }
        @match notice {
            Some(Notice::Error(text)) => p.note.wrong role="alert" { (text) },
            Some(Notice::Info(text)) => p.note role="status" { (text) },
            Some(Notice::HttpsRequired(base_url)) => p.note.wrong role="alert" {
                "You cannot sign in at this address, because it uses http and this server accepts "
                "sessions over https only. Please open "
                a href={ (base_url) "/login" } { (base_url) "/login" } "."
            },
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
