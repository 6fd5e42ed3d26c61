//! Rendering of schemas as tables of properties.

use super::html::{Html, escape, inline, prose};
use super::text;
use serde_json::Value;

/// Values of an `enum` that the page lists.
const MAX_ENUM_VALUES: usize = 20;

/// Renders a component: its description, its type and its properties.
pub(super) fn render(html: &mut Html, schema: &Value) {
    html.raw(&prose(text(schema, "description")));
    if schema.get("properties").is_none() {
        html.raw(&format!("<p class=\"type\">{}</p>", describe_type(schema)));
    }
    render_properties(html, schema);
}

/// Renders a table of a schema's properties.
pub(super) fn render_properties(html: &mut Html, schema: &Value) {
    let Some(properties) = schema.get("properties").and_then(Value::as_object) else { return };
    if properties.is_empty() {
        return;
    }
    let required = schema.get("required").and_then(Value::as_array);
    html.raw("<dl class=\"rows\">");
    for (name, property) in properties {
        let is_required = required.is_some_and(|names| names.iter().any(|item| item == name));
        render_row(html, name, if is_required { "required" } else { "" }, property);
    }
    html.raw("</dl>");
}

/// Renders a property or parameter. `label` follows its name.
pub(super) fn render_row(html: &mut Html, name: &str, label: &str, schema: &Value) {
    let label = if label.is_empty() { String::new() } else { format!(" <em>{label}</em>") };
    let breaking = escape(name).replace('_', "_<wbr>");
    html.raw(&format!("<div><dt><code>{breaking}</code>{label}</dt><dd>"));
    html.raw(&format!(
        "<p class=\"type\">{}{}</p>",
        describe_type(schema),
        describe_limits(schema)
    ));
    let description = text(schema, "description");
    if !description.is_empty() {
        html.raw(&format!("<p>{}</p>", inline(description)));
    }
    render_enum(html, schema);
    html.raw("</dd></div>");
}

/// Renders the values of an `enum`, also of one that allows `null` besides: at most the first
/// [`MAX_ENUM_VALUES`].
fn render_enum(html: &mut Html, schema: &Value) {
    let alternatives = schema.get("anyOf").and_then(Value::as_array).into_iter().flatten();
    let mut enums =
        [schema].into_iter().chain(alternatives).filter_map(|option| option.get("enum"));
    let Some(values) = enums.next().and_then(Value::as_array) else { return };
    let render_value = |value: &Value| match value {
        Value::String(text) if text.is_empty() => "<code>\"\"</code> ".to_owned(),
        Value::String(text) => format!("<code>{}</code> ", escape(text)),
        other => format!("<code>{other}</code> "),
    };
    let first: String = values.iter().take(MAX_ENUM_VALUES).map(render_value).collect();
    let omitted = values.len().saturating_sub(MAX_ENUM_VALUES);
    let rest = if omitted > 0 { format!("and {omitted} more") } else { String::new() };
    html.raw(&format!("<p class=\"words\">{first}{rest}</p>"));
}

/// Describes a schema's type, with links to components.
pub(super) fn describe_type(schema: &Value) -> String {
    if let Some(reference) = schema.get("$ref").and_then(Value::as_str) {
        let name = reference.rsplit('/').next().unwrap_or_default();
        return format!("<a href=\"#schema-{name}\">{name}</a>");
    }
    for alternatives in ["anyOf", "oneOf"] {
        if let Some(schemas) = schema.get(alternatives).and_then(Value::as_array) {
            let mut types: Vec<String> = schemas.iter().map(describe_type).collect();
            types.dedup();
            return types.join(" or ");
        }
    }
    if let Some(constant) = schema.get("const") {
        return format!("always <code>{}</code>", escape(&constant.to_string()));
    }
    match schema.get("type") {
        Some(Value::String(kind)) if kind == "array" => {
            let items = schema.get("items").map(describe_type);
            items.map_or_else(|| "array".to_owned(), |items| format!("array of {items}"))
        }
        Some(Value::String(kind)) => escape(kind),
        Some(Value::Array(kinds)) => {
            let kinds: Vec<&str> = kinds.iter().filter_map(Value::as_str).collect();
            kinds.join(" or ")
        }
        _ => "any".to_owned(),
    }
}

/// Describes ranges, lengths, format, default and `readOnly`.
fn describe_limits(schema: &Value) -> String {
    let mut limits = Vec::new();
    let number = |name: &str| schema.get(name).filter(|value| value.is_number());
    let mut range = |minimum: &str, maximum: &str, unit: &str| {
        let is_limit = |maximum: &&Value| maximum.as_i64() != Some(i64::MAX);
        match (number(minimum), number(maximum).filter(is_limit)) {
            (Some(minimum), Some(maximum)) => limits.push(format!("{minimum}–{maximum}{unit}")),
            (Some(minimum), None) => limits.push(format!("at least {minimum}{unit}")),
            (None, Some(maximum)) => limits.push(format!("at most {maximum}{unit}")),
            (None, None) => {}
        }
    };
    range("minimum", "maximum", "");
    range("minLength", "maxLength", " characters");
    range("minItems", "maxItems", " items");
    if let Some(format) = schema.get("format").and_then(Value::as_str) {
        limits.push(escape(format));
    }
    if let Some(default) = schema.get("default") {
        limits.push(format!("default <code>{}</code>", escape(&default.to_string())));
    }
    if schema.get("readOnly") == Some(&Value::Bool(true)) {
        limits.push("read-only".to_owned());
    }
    limits.iter().map(|limit| format!(" <span>{limit}</span>")).collect()
}
