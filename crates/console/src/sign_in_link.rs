//! Page of a sign-in link: the user sets a password and is signed in.
//!
//! Opening the page changes nothing, so link previews and reloads do no harm. The form redeems the
//! link. The password is hashed only for a valid link.

use crate::forms::FormParams;
use crate::sign_in::{Notice, check_form_request, https_required, redirect_with_session};
use crate::state::Console;
use crate::switch_user::{full_name, other_session, question_page};
use crate::{layout, origin, sign_in};
use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::Response;
use axum::routing::get;
use maud::{Markup, html};
use std::sync::Arc;
use trunkline_domain::id::SessionId;
use trunkline_domain::party::User;
use trunkline_network::Error;
use trunkline_network::credentials::{
    self, IssuedSecret, MAX_PASSWORD_BYTES, MIN_PASSWORD_CHARS, check_password_length,
};
use trunkline_network::sign_in_links::{self, NewPassword};

const LINK_USED_TEXT: &str = "This sign-in link has been used already, has been replaced by a newer \
                    one, or is more than 24 hours old. Request a new one, or sign in with your password.";
const MISMATCH_TEXT: &str = "The two passwords differ. Please type the password twice.";
const SAME_AS_ADDRESS_TEXT: &str = "The password must not be one of your e-mail addresses.";

pub(crate) fn routes() -> Router<Arc<Console>> {
    Router::new().route("/sign_in_link", get(form).post(set_password))
}

/// Link of a request, and its user.
struct OpenedLink {
    token: String,
    user: User,
    /// Value of the parameter `switch`: `1` if replacing the session of somebody else is confirmed.
    switch: &'static str,
}

async fn form(State(console): State<Arc<Console>>, headers: HeaderMap, uri: Uri) -> Response {
    let query = FormParams::from_query(&uri);
    match open_link(&console, &headers, &query) {
        Ok(link) => page(StatusCode::OK, &link, None),
        Err(response) => *response,
    }
}

async fn set_password(
    State(console): State<Arc<Console>>,
    headers: HeaderMap,
    uri: Uri,
    body: Bytes,
) -> Response {
    if let Some(rejection) = check_form_request(&headers, &uri) {
        return rejection;
    }
    let params = FormParams::parse(&body);
    if origin::uses_https(&headers) == Some(false)
        && let Some(notice) = https_required(&console)
    {
        return sign_in::page(StatusCode::FORBIDDEN, "/", "", Some(notice));
    }
    let link = match open_link(&console, &headers, &params) {
        Ok(link) => link,
        Err(response) => return *response,
    };
    let password = params.get("password").unwrap_or_default();
    if let Some(problem) = password_problem(&link.user, password, &params) {
        return page(StatusCode::UNPROCESSABLE_ENTITY, &link, Some(&problem));
    }
    match redeem(&console, link, password.to_owned(), &headers).await {
        Ok(Some(session)) => redirect_with_session(&console, &session, "/"),
        Ok(None) => used_page(),
        Err(error) => layout::internal_error_page(&error),
    }
}

/// Finds the link in the parameters. The error is the page of a link that is not valid, or the
/// question if somebody else is signed in and the request does not confirm the change (`switch=1`).
fn open_link(
    console: &Console,
    headers: &HeaderMap,
    params: &FormParams,
) -> Result<OpenedLink, Box<Response>> {
    let failed = |error: Error| Box::new(layout::internal_error_page(&error));
    let token = params.get("token").unwrap_or_default();
    let now = (console.clock)();
    let user = console.store.read(|unit| sign_in_links::find_user(unit, token, now));
    let user = user.map_err(failed)?.ok_or_else(|| Box::new(used_page()))?;
    let switch = if params.get("switch") == Some("1") { "1" } else { "" };
    let other = other_session(console, headers, &user).map_err(failed)?;
    match other {
        Some(signed_in) if switch.is_empty() => {
            Err(Box::new(question_page(&signed_in, &user, &confirm(token))))
        }
        _ => Ok(OpenedLink { token: token.to_owned(), user, switch }),
    }
}

fn password_problem(user: &User, password: &str, params: &FormParams) -> Option<String> {
    if let Err(problem) = check_password_length(password) {
        return Some(format!("This password cannot be used: {problem}."));
    }
    let mut addresses = user.email_settings.iter();
    if addresses.any(|email| email.email_address.eq_ignore_ascii_case(password)) {
        return Some(SAME_AS_ADDRESS_TEXT.to_owned());
    }
    (params.get("repeated") != Some(password)).then(|| MISMATCH_TEXT.to_owned())
}

async fn redeem(
    console: &Console,
    link: OpenedLink,
    password: String,
    headers: &HeaderMap,
) -> Result<Option<IssuedSecret<SessionId>>, Error> {
    let OpenedLink { token, user, .. } = link;
    let addresses = user.email_settings.iter().map(|email| email.email_address.as_str());
    let random = (console.random)();
    let salt = console.store.read(|unit| credentials::entropy_of_salt(unit, addresses, random))?;
    let hash = console.passwords.hash(password, salt).await?;
    let previous_cookie = crate::page_request::session_cookie(console, headers).map(str::to_owned);
    let entropy = (console.random)();
    let now = (console.clock)();
    let password = NewPassword { token, hash, request_id: "console".to_owned() };
    let redeem = move |unit: &mut trunkline_network::UnitOfWork<'_>| {
        let session = sign_in_links::redeem(unit, &password, &entropy, now)?;
        if let (Some(_), Some(cookie)) = (&session, previous_cookie) {
            credentials::end_session(unit, &cookie)?;
        }
        Ok::<_, Error>(session)
    };
    console.store.write(redeem).await
}

fn used_page() -> Response {
    sign_in::page(StatusCode::UNAUTHORIZED, "/", "", Some(Notice::Error(LINK_USED_TEXT)))
}

fn confirm(token: &str) -> Markup {
    html! {
        form method="get" action="/sign_in_link" {
            input type="hidden" name="token" value=(token);
            input type="hidden" name="switch" value="1";
            button type="submit" { "Continue" }
        }
    }
}

fn page(status: StatusCode, link: &OpenedLink, problem: Option<&str>) -> Response {
    let emails = link.user.email_settings.iter().map(|email| email.email_address.as_str());
    let emails: Vec<&str> = emails.collect();
    let content = html! {
        h1 { "Choose a password" }
        p { "For " strong { (full_name(&link.user)) } ". You sign in with " (emails.join(" or "))
            " and this password from now on; other sessions of yours end." }
        @if let Some(problem) = problem { p.note.wrong role="alert" { (problem) } }
        form method="post" action="/sign_in_link" {
            input type="hidden" name="token" value=(link.token);
            input type="hidden" name="switch" value=(link.switch);
            // Password managers store the password under this name.
            input type="hidden" name="email" value=(emails.first().unwrap_or(&""))
                autocomplete="username";
            label for="password" { "Password" }
            input #password type="password" name="password" autocomplete="new-password" required
                minlength=(MIN_PASSWORD_CHARS) maxlength=(MAX_PASSWORD_BYTES) autofocus
                aria-describedby="rule";
            p #rule.hint { "At least " (MIN_PASSWORD_CHARS) " characters." }
            label for="repeated" { "Password again" }
            input #repeated type="password" name="repeated" autocomplete="new-password" required
                minlength=(MIN_PASSWORD_CHARS) maxlength=(MAX_PASSWORD_BYTES);
            button type="submit" { "Set password and sign in" }
        }
    };
    layout::signed_out_page(status, "Choose a password", &content)
}
