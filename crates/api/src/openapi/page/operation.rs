//! Rendering of one operation: parameters, request, responses, and a curl command.

use super::html::{Html, escape, inline, prose};
use super::schema::{describe_type, render_properties, render_row};
use super::{PathOperation, text};
use serde_json::Value;

/// Resolves a `$ref`; other values are returned as they are.
fn resolve<'a>(document: &'a Value, value: &'a Value) -> &'a Value {
    let reference = value.get("$ref").and_then(Value::as_str);
    let pointer = reference.and_then(|reference| reference.strip_prefix('#'));
    pointer.and_then(|pointer| document.pointer(pointer)).unwrap_or(value)
}

/// Renders the operation as an article.
pub(super) fn render(html: &mut Html, document: &Value, path_operation: &PathOperation<'_>) {
    let PathOperation { path, method, operation, .. } = path_operation;
    let id = text(operation, "operationId");
    html.raw(&format!("<article class=\"operation\" id=\"{id}\"><div class=\"what\">"));
    html.raw(&format!(
        "<h3>{} <a class=\"here\" href=\"#{id}\" aria-label=\"Link to this operation\">#</a></h3>",
        inline(text(operation, "summary"))
    ));
    html.raw(&format!(
        "<p class=\"path\"><b class=\"{method}\">{method}</b> <code>{}</code></p>",
        breakable_path(path)
    ));
    if operation["deprecated"] == true {
        html.raw("<p class=\"note\">Only older versions document this operation.</p>");
    }
    html.raw(&prose(text(operation, "description")));
    render_parameters(html, document, path_operation);
    render_request(html, document, operation);
    render_responses(html, document, operation);
    html.raw("</div><div class=\"try\">");
    render_curl(html, document, path_operation);
    html.raw("</div></article>");
}

/// Marks the parameters of a path, and line breaks before and after them.
fn breakable_path(path: &str) -> String {
    let marked = escape(path).replace('{', "<i>{").replace('}', "}</i>");
    marked.replace("/<i>", "/<wbr><i>").replace("</i>/", "</i>/<wbr>")
}

fn all_parameters<'a>(document: &'a Value, path_operation: &PathOperation<'a>) -> Vec<&'a Value> {
    let lists = [path_operation.item.get("parameters"), path_operation.operation.get("parameters")];
    let all = lists.into_iter().flatten().filter_map(Value::as_array).flatten();
    all.map(|parameter| resolve(document, parameter)).collect()
}

fn render_parameters(html: &mut Html, document: &Value, path_operation: &PathOperation<'_>) {
    let listed: Vec<&Value> = all_parameters(document, path_operation)
        .into_iter()
        .filter(|parameter| !matches!(text(parameter, "name"), "version" | "network_id"))
        .collect();
    if listed.is_empty() {
        return;
    }
    html.raw("<h4>Parameters</h4><dl class=\"rows\">");
    for parameter in listed {
        let mut schema = parameter["schema"].clone();
        schema["description"] = parameter["description"].clone();
        let location = format!("in {}", text(parameter, "in"));
        render_row(html, text(parameter, "name"), &location, &schema);
    }
    html.raw("</dl>");
}

fn render_request(html: &mut Html, document: &Value, operation: &Value) {
    let Some(body) = operation.get("requestBody") else { return };
    let schema = &body["content"]["application/json"]["schema"];
    let optional = if body["required"] == true { "" } else { " <small>optional</small>" };
    html.raw(&format!("<h4>Request{optional} <small>{}</small></h4>", describe_type(schema)));
    render_properties(html, resolve(document, schema));
}

fn render_responses(html: &mut Html, document: &Value, operation: &Value) {
    let all = operation["responses"].as_object();
    let (successes, errors): (Vec<_>, Vec<_>) =
        all.into_iter().flatten().partition(|(status, _)| status.starts_with('2'));
    html.raw("<h4>Responses</h4>");
    for (status, response) in successes {
        let schema = &response["content"]["application/json"]["schema"];
        html.raw(&format!(
            "<p class=\"answer\"><b>{status}</b> {} <small>{}</small></p>",
            inline(text(response, "description")),
            describe_type(schema)
        ));
    }
    html.raw("<details><summary>Errors</summary><dl class=\"rows statuses\">");
    for (status, response) in errors {
        let description = text(resolve(document, response), "description");
        html.raw(&format!(
            "<div><dt><code>{status}</code></dt><dd><p>{}</p></dd></div>",
            inline(description)
        ));
    }
    html.raw("</dl></details>");
}

/// Replaces the parameters of a path with their examples.
fn example_path(document: &Value, path_operation: &PathOperation<'_>) -> String {
    let mut path = path_operation.path.to_owned();
    for parameter in all_parameters(document, path_operation) {
        let example = match &parameter["example"] {
            Value::String(example) => example.clone(),
            other => other.to_string(),
        };
        path = path.replace(&format!("{{{}}}", text(parameter, "name")), &example);
    }
    path
}

fn render_curl(html: &mut Html, document: &Value, path_operation: &PathOperation<'_>) {
    let method = path_operation.method.to_uppercase();
    let option = if method == "GET" { String::new() } else { format!("-X {method} ") };
    let path = example_path(document, path_operation);
    let mut curl = format!("curl {option}\"$TRUNKLINE{path}\" \\\n  -H \"Authorization: $TOKEN\"");
    let body = path_operation.operation.pointer("/requestBody/content/application~1json/example");
    if let Some(body) = body {
        let pretty = format!("{body:#}").replace('\'', r"'\''");
        curl.push_str(&format!(" \\\n  -H 'Content-Type: application/json' \\\n  -d '{pretty}'"));
    }
    html.raw("<h4>Try it</h4>");
    html.code(&curl);
    let success = ["200", "201"].iter().find_map(|status| {
        let response = path_operation.operation.pointer(&format!("/responses/{status}"))?;
        Some((status, response.pointer("/content/application~1json/schema")?))
    });
    if let Some((status, schema)) = success {
        html.raw(&format!("<h4>Response <small>{status}</small></h4>"));
        html.json(&example_of(document, schema));
    }
}

/// Returns a schema's example; for an array, an array with its items' example.
fn example_of(document: &Value, schema: &Value) -> Value {
    if let Some(items) = schema.get("items") {
        return Value::Array(vec![example_of(document, items)]);
    }
    let examples = resolve(document, schema).get("examples");
    examples.and_then(|examples| examples.get(0)).cloned().unwrap_or_default()
}
