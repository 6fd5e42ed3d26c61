//! HTML rendering of the document: one page without scripts and without external resources.

mod html;
mod operation;
mod schema;

use super::{METHODS, openapi_document};
use crate::app::App;
use axum::Router;
use axum::http::header::CONTENT_TYPE;
use axum::routing::get;
use html::{Html, escape, heading_id, prose};
use serde_json::{Map, Value};
use std::sync::LazyLock;

static DOCUMENT: LazyLock<String> = LazyLock::new(|| openapi_document().to_string());
static PAGE: LazyLock<String> = LazyLock::new(|| render_page(&openapi_document()));
const STYLE: &str = include_str!("docs.css");

/// Routes `/openapi.json`, `/docs` and `/docs.css`. They need no credential.
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

/// Operation object with its path and method.
struct PathOperation<'a> {
    path: &'a str,
    method: &'a str,
    item: &'a Value,
    operation: &'a Value,
}

fn operations<'a>(document: &'a Value, tag: &str) -> Vec<PathOperation<'a>> {
    let paths = document["paths"].as_object().into_iter().flatten();
    let all = paths.flat_map(|(path, item)| {
        METHODS.iter().filter_map(move |method| {
            let operation = item.get(method)?;
            Some(PathOperation { path, method, item, operation })
        })
    });
    all.filter(|listed| listed.operation["tags"][0] == tag).collect()
}

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value.get(name).and_then(Value::as_str).unwrap_or_default()
}

fn render_page(document: &Value) -> String {
    let info = &document["info"];
    let title = text(info, "title");
    let mut html = Html::default();
    html.raw("<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">");
    html.raw("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">");
    html.raw("<meta name=\"color-scheme\" content=\"light dark\">");
    html.raw(&format!("<title>{} API</title>", escape(title)));
    html.raw("<link rel=\"stylesheet\" href=\"/docs.css\"></head><body id=\"top\">");
    html.raw("<a class=\"skip\" href=\"#content\">Skip to the content</a>");
    render_navigation(&mut html, document);
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
    html.raw("<a href=\"/\">Console</a>");
    html.raw(&format!("<span>version {}</span></p></header>", escape(text(info, "version"))));
    html.raw("<section class=\"prose\" id=\"introduction\">");
    html.raw(&prose(text(info, "description")));
    html.raw("</section>");
    render_credentials(&mut html, document);
    for tag in document["tags"].as_array().into_iter().flatten() {
        let name = text(tag, "name");
        html.raw(&format!(
            "<section class=\"tag\" id=\"{}\"><h2>{}</h2>",
            heading_id(name),
            escape(name)
        ));
        html.raw(&format!("<div class=\"prose\">{}</div>", prose(text(tag, "description"))));
        for operation in operations(document, name) {
            operation::render(&mut html, document, &operation);
        }
        html.raw("</section>");
    }
    render_schemas(&mut html, document);
    html.raw("</main></body></html>\n");
    html.into_string()
}

fn render_navigation(html: &mut Html, document: &Value) {
    html.raw("<nav aria-label=\"Contents\"><a class=\"brand\" href=\"#top\">Trunkline <span>API</span></a><ul>");
    html.raw("<li><a href=\"#introduction\">Introduction</a></li>");
    html.raw("<li><a href=\"#credentials\">Credentials</a></li>");
    for tag in document["tags"].as_array().into_iter().flatten() {
        let name = text(tag, "name");
        html.raw(&format!("<li><a href=\"#{}\">{}</a><ul>", heading_id(name), escape(name)));
        for PathOperation { method, operation, .. } in operations(document, name) {
            let id = text(operation, "operationId");
            let summary = text(operation, "summary");
            let class = if operation["deprecated"] == true { " class=\"old\"" } else { "" };
            html.raw(&format!(
                "<li{class}><a href=\"#{id}\"><b class=\"{method}\">{method}</b><span>{}</span></a></li>",
                escape(summary)
            ));
        }
        html.raw("</ul></li>");
    }
    html.raw("<li><a href=\"#schemas\">Schemas</a></li></ul></nav>");
}

fn render_credentials(html: &mut Html, document: &Value) {
    html.raw("<section id=\"credentials\"><h2>Credentials</h2>");
    html.raw(&prose("A request needs one of these. In the examples, `$TRUNKLINE` is the server's address and `$TOKEN` a token, which `trunkline network create` prints."));
    html.raw("<dl class=\"rows\">");
    let schemes = document["components"]["securitySchemes"].as_object();
    for (name, scheme) in schemes.into_iter().flatten() {
        html.raw(&format!("<div><dt><code>{}</code></dt><dd>", escape(name)));
        html.raw(&prose(text(scheme, "description")));
        html.raw("</dd></div>");
    }
    html.raw("</dl></section>");
}

fn render_schemas(html: &mut Html, document: &Value) {
    html.raw("<section id=\"schemas\"><h2>Schemas</h2><p>Of requests and responses, by name.</p>");
    let schemas = document["components"]["schemas"].as_object();
    let mut sorted: Vec<_> = schemas.into_iter().flat_map(Map::iter).collect();
    sorted.sort_by_key(|(name, _)| *name);
    for (name, component) in sorted {
        html.raw(&format!("<article class=\"schema\" id=\"schema-{name}\"><h3>{name}</h3>"));
        schema::render(html, component);
        let example = component
            .get("examples")
            .and_then(|examples| examples.get(0))
            .filter(|example| example.is_object());
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
    fn links_within_the_page_resolve_and_ids_are_unique() {
        let page = render_page(&openapi_document());
        let values_after = |mark: &'static str| {
            let parts = page.split(mark).skip(1);
            parts.filter_map(|rest| rest.split('"').next()).collect::<Vec<_>>()
        };
        let ids = values_after(" id=\"");
        let links = values_after(" href=\"#");
        assert!(links.len() > 100);
        for link in links {
            assert!(ids.contains(&link), "#{link} does not resolve");
        }
        let unique: std::collections::BTreeSet<_> = ids.iter().collect();
        assert_eq!(unique.len(), ids.len());
    }

    #[test]
    fn page_has_no_scripts_inline_styles_or_external_resources() {
        let page = render_page(&openapi_document());
        for banned in ["<script", " style=", "<style", " src=", "onclick"] {
            assert!(!page.contains(banned), "{banned}");
        }
        assert!(!STYLE.contains("url(") && !STYLE.contains("@import"));
    }
}
