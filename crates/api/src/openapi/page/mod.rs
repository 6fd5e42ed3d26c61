//! The document for people: one page, made from the document itself on the server, that needs no
//! script and nothing from elsewhere.

mod html;
mod operation;
mod schema;

use super::{METHODS, openapi};
use crate::app::App;
use axum::Router;
use axum::http::header::CONTENT_TYPE;
use axum::routing::get;
use html::{Html, anchor, escape, prose};
use serde_json::{Map, Value};
use std::sync::LazyLock;

static DOCUMENT: LazyLock<String> = LazyLock::new(|| openapi().to_string());
static PAGE: LazyLock<String> = LazyLock::new(|| page(&openapi()));
const STYLE: &str = include_str!("docs.css");

/// `/openapi.json`, `/docs` and `/docs.css`, for anyone.
pub(crate) fn pages() -> Router<App> {
    let json =
        || async { ([(CONTENT_TYPE, "application/json; charset=utf-8")], DOCUMENT.as_str()) };
    let page = || async { ([(CONTENT_TYPE, "text/html; charset=utf-8")], PAGE.as_str()) };
    let style = || async { ([(CONTENT_TYPE, "text/css; charset=utf-8")], STYLE) };
    Router::new()
        .route("/openapi.json", get(json))
        .route("/docs", get(page))
        .route("/docs.css", get(style))
}

/// One operation with its place in the document.
struct Placed<'a> {
    path: &'a str,
    method: &'a str,
    item: &'a Value,
    operation: &'a Value,
}

fn operations<'a>(document: &'a Value, tag: &str) -> Vec<Placed<'a>> {
    let paths = document["paths"].as_object().into_iter().flatten();
    let all = paths.flat_map(|(path, item)| {
        METHODS.iter().filter_map(move |method| {
            let operation = item.get(method)?;
            Some(Placed { path, method, item, operation })
        })
    });
    all.filter(|it| it.operation["tags"][0] == tag).collect()
}

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value.get(name).and_then(Value::as_str).unwrap_or_default()
}

fn page(document: &Value) -> String {
    let info = &document["info"];
    let title = text(info, "title");
    let mut html = Html::default();
    html.raw("<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">");
    html.raw("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">");
    html.raw("<meta name=\"color-scheme\" content=\"light dark\">");
    html.raw(&format!("<title>{} API</title>", escape(title)));
    html.raw("<link rel=\"stylesheet\" href=\"/docs.css\"></head><body id=\"top\">");
    html.raw("<a class=\"skip\" href=\"#content\">Skip to the content</a>");
    navigation(&mut html, document);
    html.raw("<main id=\"content\"><header class=\"hero\">");
    html.raw(&format!(
        "<p class=\"eyebrow\">HTTP API · OpenAPI {}</p>",
        escape(text(document, "openapi"))
    ));
    html.raw(&format!(
        "<h1>{}</h1><p class=\"lead\">{}</p>",
        escape(title),
        escape(text(info, "summary"))
    ));
    html.raw(
        "<p class=\"links\"><a class=\"button\" href=\"/openapi.json\" download>openapi.json</a>",
    );
    html.raw(&format!("<span>version {}</span></p></header>", escape(text(info, "version"))));
    html.raw("<section class=\"prose\" id=\"introduction\">");
    html.raw(&prose(text(info, "description")));
    html.raw("</section>");
    credentials(&mut html, document);
    for tag in document["tags"].as_array().into_iter().flatten() {
        let name = text(tag, "name");
        html.raw(&format!(
            "<section class=\"tag\" id=\"{}\"><h2>{}</h2>",
            anchor(name),
            escape(name)
        ));
        html.raw(&format!("<div class=\"prose\">{}</div>", prose(text(tag, "description"))));
        for placed in operations(document, name) {
            operation::article(&mut html, document, &placed);
        }
        html.raw("</section>");
    }
    schemas(&mut html, document);
    html.raw("</main></body></html>\n");
    html.into_string()
}

fn navigation(html: &mut Html, document: &Value) {
    html.raw("<nav aria-label=\"Contents\"><a class=\"brand\" href=\"#top\">Trunkline <span>API</span></a><ul>");
    html.raw("<li><a href=\"#introduction\">Introduction</a></li>");
    html.raw("<li><a href=\"#credentials\">Credentials</a></li>");
    for tag in document["tags"].as_array().into_iter().flatten() {
        let name = text(tag, "name");
        html.raw(&format!("<li><a href=\"#{}\">{}</a><ul>", anchor(name), escape(name)));
        for Placed { method, operation, .. } in operations(document, name) {
            let (id, summary) = (text(operation, "operationId"), text(operation, "summary"));
            let old = if operation["deprecated"] == true { " class=\"old\"" } else { "" };
            html.raw(&format!(
                "<li{old}><a href=\"#{id}\"><b class=\"{method}\">{method}</b><span>{}</span></a></li>",
                escape(summary)
            ));
        }
        html.raw("</ul></li>");
    }
    html.raw("<li><a href=\"#schemas\">Schemas</a></li></ul></nav>");
}

fn credentials(html: &mut Html, document: &Value) {
    html.raw("<section id=\"credentials\"><h2>Credentials</h2>");
    html.raw(&prose("Any one of these. The examples below take `$TRUNKLINE` for the server's address and `$TOKEN` for a token, which `trunkline network create` prints."));
    html.raw("<dl class=\"rows\">");
    let schemes = document["components"]["securitySchemes"].as_object();
    for (name, scheme) in schemes.into_iter().flatten() {
        html.raw(&format!("<div><dt><code>{}</code></dt><dd>", escape(name)));
        html.raw(&prose(text(scheme, "description")));
        html.raw("</dd></div>");
    }
    html.raw("</dl></section>");
}

fn schemas(html: &mut Html, document: &Value) {
    html.raw("<section id=\"schemas\"><h2>Schemas</h2><p>Of requests and answers, by name.</p>");
    let schemas = document["components"]["schemas"].as_object();
    let mut sorted: Vec<_> = schemas.into_iter().flat_map(Map::iter).collect();
    sorted.sort_by_key(|(name, _)| *name);
    for (name, shape) in sorted {
        html.raw(&format!("<article class=\"schema\" id=\"schema-{name}\"><h3>{name}</h3>"));
        schema::body(html, shape);
        let example = shape.get("examples").and_then(|all| all.get(0)).filter(|it| it.is_object());
        if let Some(example) = example {
            html.raw("<details><summary>Example</summary>");
            html.json(example);
            html.raw("</details>");
        }
        html.raw("</article>");
    }
    html.raw("</section>");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_link_within_the_page_leads_somewhere() {
        let page = page(&openapi());
        let after = |mark: &'static str| {
            let parts = page.split(mark).skip(1);
            parts.filter_map(|rest| rest.split('"').next()).collect::<Vec<_>>()
        };
        let ids = after(" id=\"");
        let links = after(" href=\"#");
        assert!(links.len() > 100);
        for link in links {
            assert!(ids.contains(&link), "#{link} leads nowhere");
        }
        let unique: std::collections::BTreeSet<_> = ids.iter().collect();
        assert_eq!(unique.len(), ids.len());
    }

    #[test]
    fn the_page_needs_no_script_no_inline_style_and_nothing_from_elsewhere() {
        let page = page(&openapi());
        for banned in ["<script", " style=", "<style", " src=", "onclick"] {
            assert!(!page.contains(banned), "{banned}");
        }
        assert!(!STYLE.contains("url(") && !STYLE.contains("@import"));
    }
}
