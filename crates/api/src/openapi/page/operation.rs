//! One operation of the page: what it is, what it takes, what it answers, and how to try it.

use super::html::{Html, escape, inline, prose};
use super::{Placed, schema, text};
use serde_json::Value;

/// What a reference refers to, or the value itself.
fn resolve<'a>(document: &'a Value, value: &'a Value) -> &'a Value {
    let reference = value.get("$ref").and_then(Value::as_str);
    let pointer = reference.and_then(|reference| reference.strip_prefix('#'));
    pointer.and_then(|pointer| document.pointer(pointer)).unwrap_or(value)
}

/// The operation as an article.
pub(super) fn article(html: &mut Html, document: &Value, placed: &Placed<'_>) {
    let Placed { path, method, operation, .. } = placed;
    let id = text(operation, "operationId");
    html.raw(&format!("<article class=\"operation\" id=\"{id}\"><div class=\"what\">"));
    html.raw(&format!(
        "<h3>{} <a class=\"here\" href=\"#{id}\" aria-label=\"Link to this operation\">#</a></h3>",
        inline(text(operation, "summary"))
    ));
    html.raw(&format!(
        "<p class=\"path\"><b class=\"{method}\">{method}</b> <code>{}</code></p>",
        path_words(path)
    ));
    if operation["deprecated"] == true {
        html.raw("<p class=\"note\">Only older versions document this.</p>");
    }
    html.raw(&prose(text(operation, "description")));
    parameters(html, document, placed);
    request(html, document, operation);
    responses(html, document, operation);
    html.raw("</div><div class=\"try\">");
    attempt(html, document, placed);
    html.raw("</div></article>");
}

/// A path that may break after each slash, its parameters marked.
fn path_words(path: &str) -> String {
    let marked = escape(path).replace('{', "<i>{").replace('}', "}</i>");
    marked.replace("/<i>", "/<wbr><i>").replace("</i>/", "</i>/<wbr>")
}

fn all_parameters<'a>(document: &'a Value, placed: &Placed<'a>) -> Vec<&'a Value> {
    let lists = [placed.item.get("parameters"), placed.operation.get("parameters")];
    let all = lists.into_iter().flatten().filter_map(Value::as_array).flatten();
    all.map(|parameter| resolve(document, parameter)).collect()
}

fn parameters(html: &mut Html, document: &Value, placed: &Placed<'_>) {
    let own: Vec<&Value> = all_parameters(document, placed)
        .into_iter()
        .filter(|it| !matches!(text(it, "name"), "version" | "network_id"))
        .collect();
    if own.is_empty() {
        return;
    }
    html.raw("<h4>Parameters</h4><dl class=\"rows\">");
    for parameter in own {
        let mut shape = parameter["schema"].clone();
        shape["description"] = parameter["description"].clone();
        let place = format!("in {}", text(parameter, "in"));
        schema::row(html, text(parameter, "name"), &place, &shape);
    }
    html.raw("</dl>");
}

fn request(html: &mut Html, document: &Value, operation: &Value) {
    let Some(body) = operation.get("requestBody") else { return };
    let shape = &body["content"]["application/json"]["schema"];
    let optional = if body["required"] == true { "" } else { " <small>optional</small>" };
    html.raw(&format!("<h4>Request{optional} <small>{}</small></h4>", schema::type_of(shape)));
    schema::properties(html, resolve(document, shape));
}

fn responses(html: &mut Html, document: &Value, operation: &Value) {
    let all = operation["responses"].as_object();
    let (good, bad): (Vec<_>, Vec<_>) =
        all.into_iter().flatten().partition(|(status, _)| status.starts_with('2'));
    html.raw("<h4>Answers</h4>");
    for (status, response) in good {
        let shape = &response["content"]["application/json"]["schema"];
        html.raw(&format!(
            "<p class=\"answer\"><b>{status}</b> {} <small>{}</small></p>",
            inline(text(response, "description")),
            schema::type_of(shape)
        ));
    }
    html.raw("<details><summary>Refusals</summary><dl class=\"rows statuses\">");
    for (status, response) in bad {
        let description = text(resolve(document, response), "description");
        html.raw(&format!(
            "<div><dt><code>{status}</code></dt><dd><p>{}</p></dd></div>",
            inline(description)
        ));
    }
    html.raw("</dl></details>");
}

/// The path with its parameters' examples in it.
fn filled_path(document: &Value, placed: &Placed<'_>) -> String {
    let mut path = placed.path.to_owned();
    for parameter in all_parameters(document, placed) {
        let example = match &parameter["example"] {
            Value::String(example) => example.clone(),
            other => other.to_string(),
        };
        path = path.replace(&format!("{{{}}}", text(parameter, "name")), &example);
    }
    path
}

fn attempt(html: &mut Html, document: &Value, placed: &Placed<'_>) {
    let method = placed.method.to_uppercase();
    let verb = if method == "GET" { String::new() } else { format!("-X {method} ") };
    let path = filled_path(document, placed);
    let mut curl = format!("curl {verb}\"$TRUNKLINE{path}\" \\\n  -H \"Authorization: $TOKEN\"");
    let body = placed.operation.pointer("/requestBody/content/application~1json/example");
    if let Some(body) = body {
        let pretty = format!("{body:#}").replace('\'', r"'\''");
        curl.push_str(&format!(" \\\n  -H 'Content-Type: application/json' \\\n  -d '{pretty}'"));
    }
    html.raw("<h4>Try it</h4>");
    html.code(&curl);
    let good = ["200", "201"].iter().find_map(|status| {
        let response = placed.operation.pointer(&format!("/responses/{status}"))?;
        Some((status, response.pointer("/content/application~1json/schema")?))
    });
    if let Some((status, shape)) = good {
        html.raw(&format!("<h4>Answer <small>{status}</small></h4>"));
        html.json(&example_of(document, shape));
    }
}

/// A schema's own example, or an array of its items'.
fn example_of(document: &Value, shape: &Value) -> Value {
    if let Some(items) = shape.get("items") {
        return Value::Array(vec![example_of(document, items)]);
    }
    let examples = resolve(document, shape).get("examples");
    examples.and_then(|all| all.get(0)).cloned().unwrap_or_default()
}
