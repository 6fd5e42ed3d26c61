//! Frame of every page, and components that pages share.

use crate::page_request::PageRequest;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use maud::{DOCTYPE, Markup, html};
use trunkline_domain::party::CustomData;
use trunkline_network::Error;

/// Renders a page for a signed-in user.
pub(crate) fn signed_in_page(
    status: StatusCode,
    title: &str,
    request: &PageRequest,
    content: &Markup,
) -> Response {
    let account = html! {
        div.who {
            span.person { (request.user_name) }
            span.of { (request.network.name) }
        }
        form method="post" action="/logout" { button.quiet type="submit" { "Sign out" } }
    };
    let content = html! { main #content tabindex="-1" { (content) } };
    document(status, title, &account, &content)
}

/// Renders a page for a visitor who is not signed in.
pub(crate) fn signed_out_page(status: StatusCode, title: &str, content: &Markup) -> Response {
    let content = html! { main #content.narrow tabindex="-1" { div.card { (content) } } };
    document(status, title, &html! {}, &content)
}

/// Renders a page with one message.
pub(crate) fn message_page(status: StatusCode, title: &str, text: &str) -> Response {
    let content = html! {
        h1 { (title) }
        p { (text) }
        p { a href="/" { "Go to the home page" } }
    };
    signed_out_page(status, title, &content)
}

/// Logs an internal error with its sources and renders a page without details.
pub(crate) fn internal_error_page(error: &Error) -> Response {
    let mut cause = error as &dyn std::error::Error;
    let mut chain = cause.to_string();
    while let Some(source) = cause.source() {
        cause = source;
        chain = format!("{chain}: {cause}");
    }
    if let Error::SignInsThrottled(wait) = error {
        let seconds = wait.as_secs() + 1;
        let text = format!("Too many sign-ins failed. Please try again in {seconds} seconds.");
        let mut response = message_page(StatusCode::TOO_MANY_REQUESTS, "Please wait", &text);
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        return response;
    }
    if let Error::TooManyExpensiveRequests = error {
        let text = "Too many large requests are in progress. Please try again in a moment.";
        let mut response = message_page(StatusCode::TOO_MANY_REQUESTS, "Please wait", text);
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
        return response;
    }
    // Unauthenticated clients can fill the queue of sign-ins, so it is not an error of the server.
    if !matches!(error, Error::SignInsBusy) {
        tracing::error!(error = %chain, "cannot render a page of the console");
    }
    if error.is_temporary() {
        let text = "The server is busy. Please try again in a moment.";
        let mut response = message_page(StatusCode::SERVICE_UNAVAILABLE, "Busy", text);
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
        return response;
    }
    if error.is_storage_full() {
        let text = "The server has no room left to store anything.";
        return message_page(StatusCode::INSUFFICIENT_STORAGE, "No room left", text);
    }
    let text = "The server could not show this page. Please try again in a moment.";
    message_page(StatusCode::INTERNAL_SERVER_ERROR, "Something went wrong", text)
}

/// Content of the page for an object that does not exist or that the user may not view.
pub(crate) fn not_found_content() -> Markup {
    html! {
        h1 { "Not found" }
        p { "There is no page at this address, or you may not view it." }
        p { a href="/" { "Go to the home page" } }
    }
}

/// Redirects to a path of this server (303).
pub(crate) fn redirect(path: &str) -> Response {
    let location = HeaderValue::from_str(path).unwrap_or(HeaderValue::from_static("/"));
    (StatusCode::SEE_OTHER, [(header::LOCATION, location)]).into_response()
}

fn document(status: StatusCode, title: &str, account: &Markup, content: &Markup) -> Response {
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                meta name="robots" content="noindex";
                title { (title) " · Trunkline" }
                link rel="icon" href="/favicon.svg" type="image/svg+xml";
                link rel="stylesheet" href="/console.css";
            }
            body {
                a.skip href="#content" { "Skip to content" }
                header.top {
                    div.inner {
                        a.brand href="/" { span.mark aria-hidden="true" {} "Trunkline" }
                        (account)
                    }
                }
                (content)
            }
        }
    };
    // With `no-referrer`, browsers would send `Origin: null` with the console's own forms.
    let headers = [(header::REFERRER_POLICY, "same-origin"), (header::CACHE_CONTROL, "no-store")];
    (status, headers, Html(page.into_string())).into_response()
}

/// Renders the heading of an object's page: breadcrumbs, kind, name and status.
pub(crate) fn heading(
    breadcrumbs: &[(String, String)],
    kind: &str,
    name: &str,
    status: Option<&str>,
) -> Markup {
    html! {
        nav.trail aria-label="Breadcrumb" {
            ol {
                li { a href="/" { "Home" } }
                @for (href, label) in breadcrumbs { li { a href=(href) { (label) } } }
            }
        }
        div.title {
            p.kind { (kind) }
            h1 { (name) }
            @if let Some(status) = status { (badge(status)) }
        }
    }
}

/// Renders a status as a badge with the colour of its meaning.
pub(crate) fn badge(status: &str) -> Markup {
    let color_class = match status {
        "Approved" | "Activated" | "Open now" => "good",
        "Applied" | "Pending" | "Entry" | "Approved_NotActive" | "Paused" => "waiting",
        "Declined" | "Suspended" => "bad",
        _ => "plain",
    };
    let text = match status {
        "Approved_NotActive" => "Approved, campaign not active",
        "Entry" => "Entry (never live)",
        status => status,
    };
    html! { span class={ "badge " (color_class) } { (text) } }
}

/// Renders a section with a heading.
pub(crate) fn section(title: &str, content: &Markup) -> Markup {
    html! { section.card { h2 { (title) } (content) } }
}

/// Renders names and values; a row without a value is left out.
pub(crate) fn description_list(rows: &[(&str, Option<Markup>)]) -> Markup {
    html! {
        dl.facts {
            @for (name, value) in rows {
                @if let Some(value) = value { div { dt { (name) } dd { (value) } } }
            }
        }
    }
}

/// Renders text as a value; `None` for absent or empty text.
pub(crate) fn text(value: Option<&str>) -> Option<Markup> {
    value.filter(|value| !value.is_empty()).map(|value| html! { (value) })
}

/// Renders an id in a monospaced font, which distinguishes 0 and O.
pub(crate) fn id(value: &str) -> Option<Markup> {
    text(Some(value)).map(|value| html! { code { (value) } })
}

/// Renders a table that scrolls horizontally on narrow screens.
pub(crate) fn table(label: &str, columns: &[&str], rows: &Markup) -> Markup {
    html! {
        div.scroll role="region" aria-label=(label) tabindex="0" {
            table {
                thead { tr { @for column in columns { th scope="col" { (column) } } } }
                tbody { (rows) }
            }
        }
    }
}

/// Renders the note in place of an empty list.
pub(crate) fn empty_note(text: &str) -> Markup {
    html! { p.none { (text) } }
}

/// Renders an object's custom data as a section, or nothing if there is none.
pub(crate) fn custom_data(data: &CustomData) -> Markup {
    if data.is_empty() {
        return html! {};
    }
    section("Custom data", &custom_data_list(data))
}

/// Renders custom data as names and values.
pub(crate) fn custom_data_list(data: &CustomData) -> Markup {
    html! {
        dl.facts { @for (name, value) in data { div { dt { (name) } dd { (value) } } } }
    }
}
