//! Page of the link with which the owner of an e-mail address confirms it.
//!
//! Opening the page changes nothing, so link previews and reloads do no harm. The form confirms.

use crate::forms::FormParams;
use crate::layout;
use crate::sign_in::check_form_request;
use crate::state::Console;
use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::Response;
use axum::routing::get;
use maud::html;
use std::sync::Arc;
use trunkline_network::email_verifications;

const NOT_VALID_TEXT: &str = "This link has been followed already, has been replaced by that of a \
                    newer mail, or is more than 7 days old.";

pub(crate) fn routes() -> Router<Arc<Console>> {
    Router::new().route("/confirm_address", get(form).post(confirm))
}

async fn form(State(console): State<Arc<Console>>, uri: Uri) -> Response {
    let query = FormParams::from_query(&uri);
    let token = query.get("token").unwrap_or_default();
    let now = (console.clock)();
    let found = console.store.read(|unit| email_verifications::find(unit, token, now));
    let verification = match found {
        Ok(Some(verification)) => verification,
        Ok(None) => return not_valid_page(),
        Err(error) => return layout::internal_error_page(&error),
    };
    let content = html! {
        h1 { "Confirm your address" }
        p {
            "The " (verification.party_kind.as_str()) " with the id " (verification.party_id)
            " in network " (verification.network_id) " named " strong { (verification.email_key) }
            " as an address of one of its users. If you confirm it, notifications are sent to it."
        }
        form method="post" action="/confirm_address" {
            input type="hidden" name="token" value=(token);
            button type="submit" { "Confirm the address" }
        }
        p.hint { "If you do not expect this, close the page: nothing is sent." }
    };
    layout::signed_out_page(StatusCode::OK, "Confirm your address", &content)
}

async fn confirm(
    State(console): State<Arc<Console>>,
    headers: HeaderMap,
    uri: Uri,
    body: Bytes,
) -> Response {
    if let Some(rejection) = check_form_request(&headers, &uri) {
        return rejection;
    }
    let token = FormParams::parse(&body).get("token").unwrap_or_default().to_owned();
    let now = (console.clock)();
    // A request without a valid token does not reach the writer.
    match console.store.read(|unit| email_verifications::find(unit, &token, now)) {
        Ok(Some(_)) => {}
        Ok(None) => return not_valid_page(),
        Err(error) => return layout::internal_error_page(&error),
    }
    match console.store.write(move |unit| email_verifications::confirm(unit, &token, now)).await {
        Ok(Some(verification)) => {
            let text = format!("Notifications are sent to {} now.", verification.email_key);
            layout::message_page(StatusCode::OK, "The address is confirmed", &text)
        }
        Ok(None) => not_valid_page(),
        Err(error) => layout::internal_error_page(&error),
    }
}

fn not_valid_page() -> Response {
    layout::message_page(StatusCode::NOT_FOUND, "The link is not valid", NOT_VALID_TEXT)
}
