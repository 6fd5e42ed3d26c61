//! The frame of every page, and the parts that pages have in common.

use crate::visit::Visit;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use maud::{DOCTYPE, Markup, html};
use trunkline_domain::party::CustomData;
use trunkline_network::Error;

/// A page for someone who is signed in.
pub(crate) fn signed_in(
    status: StatusCode,
    title: &str,
    visit: &Visit,
    content: &Markup,
) -> Response {
    let who = html! {
        div.who {
            span.person { (visit.person) }
            span.of { (visit.network.name) }
        }
        form method="post" action="/logout" { button.quiet type="submit" { "Sign out" } }
    };
    let content = html! { main #content tabindex="-1" { (content) } };
    document(status, title, &who, &content)
}

/// A page for someone who is not.
pub(crate) fn signed_out(status: StatusCode, title: &str, content: &Markup) -> Response {
    let content = html! { main #content.narrow tabindex="-1" { div.card { (content) } } };
    document(status, title, &html! {}, &content)
}

/// A page that says one thing.
pub(crate) fn message(status: StatusCode, title: &str, text: &str) -> Response {
    let content = html! {
        h1 { (title) }
        p { (text) }
        p { a href="/" { "Go to the home page" } }
    };
    signed_out(status, title, &content)
}

/// Our own fault: the cause is logged, and not shown.
pub(crate) fn failed(error: &Error) -> Response {
    let mut cause = error as &dyn std::error::Error;
    let mut chain = cause.to_string();
    while let Some(source) = cause.source() {
        cause = source;
        chain = format!("{chain}: {cause}");
    }
    tracing::error!(error = %chain, "a page of the console failed");
    let text = "Something went wrong on our side. Please try again in a moment.";
    message(StatusCode::INTERNAL_SERVER_ERROR, "Something went wrong", text)
}

/// What is said where there is nothing, or nothing for this reader.
pub(crate) fn nothing_here() -> Markup {
    html! {
        h1 { "Not found" }
        p { "There is nothing at this address, or it is not open to you." }
        p { a href="/" { "Go to the home page" } }
    }
}

/// On to another page of this server.
pub(crate) fn go_to(path: &str) -> Response {
    let location = HeaderValue::from_str(path).unwrap_or(HeaderValue::from_static("/"));
    (StatusCode::SEE_OTHER, [(header::LOCATION, location)]).into_response()
}

fn document(status: StatusCode, title: &str, who: &Markup, content: &Markup) -> Response {
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                meta name="robots" content="noindex";
                title { (title) " · Trunkline" }
                link rel="stylesheet" href="/console.css";
            }
            body {
                a.skip href="#content" { "Skip to content" }
                header.top {
                    div.inner {
                        a.brand href="/" { span.mark aria-hidden="true" {} "Trunkline" }
                        (who)
                    }
                }
                (content)
            }
        }
    };
    // With no referrer at all, browsers would send no usable Origin with our own forms.
    let headers = [(header::REFERRER_POLICY, "same-origin"), (header::CACHE_CONTROL, "no-store")];
    (status, headers, Html(page.into_string())).into_response()
}

/// The top of an object's page: the way to it, what it is, its name and its status.
pub(crate) fn heading(
    trail: &[(String, String)],
    kind: &str,
    name: &str,
    status: Option<&str>,
) -> Markup {
    html! {
        nav.trail aria-label="Breadcrumb" {
            ol {
                li { a href="/" { "Home" } }
                @for (href, label) in trail { li { a href=(href) { (label) } } }
            }
        }
        div.title {
            p.kind { (kind) }
            h1 { (name) }
            @if let Some(status) = status { (badge(status)) }
        }
    }
}

/// A status, coloured by what it means.
pub(crate) fn badge(status: &str) -> Markup {
    let tone = match status {
        "Approved" | "Activated" | "Open now" => "good",
        "Applied" | "Pending" | "Entry" | "Approved_NotActive" | "Paused" => "waiting",
        "Declined" | "Suspended" => "bad",
        _ => "plain",
    };
    let words = match status {
        "Approved_NotActive" => "Approved, campaign not active",
        "Entry" => "Entry (never live)",
        status => status,
    };
    html! { span class={ "badge " (tone) } { (words) } }
}

/// A part of a page, with a heading of its own.
pub(crate) fn section(title: &str, content: &Markup) -> Markup {
    html! { section.card { h2 { (title) } (content) } }
}

/// Names and values, those that are empty left out.
pub(crate) fn facts(rows: &[(&str, Option<Markup>)]) -> Markup {
    html! {
        dl.facts {
            @for (name, value) in rows {
                @if let Some(value) = value { div { dt { (name) } dd { (value) } } }
            }
        }
    }
}

/// Text as a fact's value; `None` when there is none.
pub(crate) fn text(value: Option<&str>) -> Option<Markup> {
    value.filter(|value| !value.is_empty()).map(|value| html! { (value) })
}

/// An id, in letters that tell 0 from O.
pub(crate) fn id(value: &str) -> Option<Markup> {
    text(Some(value)).map(|value| html! { code { (value) } })
}

/// A table that scrolls sideways where the screen is narrow.
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

/// What is said where a list is empty.
pub(crate) fn none(text: &str) -> Markup {
    html! { p.none { (text) } }
}

/// An object's custom data, as a part of its page; nothing when there is none.
pub(crate) fn custom_data(data: &CustomData) -> Markup {
    if data.is_empty() {
        return html! {};
    }
    section("Custom data", &custom_facts(data))
}

/// Custom data as names and values.
pub(crate) fn custom_facts(data: &CustomData) -> Markup {
    html! {
        dl.facts { @for (name, value) in data { div { dt { (name) } dd { (value) } } } }
    }
}
