//! Schemas as tables of properties.

use super::html::{Html, escape, inline, prose};
use super::text;
use serde_json::Value;

/// A schema's description, its alternatives and its properties.
pub(super) fn body(html: &mut Html, schema: &Value) {
    html.raw(&prose(text(schema, "description")));
    if schema.get("properties").is_none() {
        html.raw(&format!("<p class=\"type\">{}</p>", type_of(schema)));
    }
    properties(html, schema);
}

/// A table of a schema's properties.
pub(super) fn properties(html: &mut Html, schema: &Value) {
    let Some(properties) = schema.get("properties").and_then(Value::as_object) else { return };
    if properties.is_empty() {
        return;
    }
    let required = schema.get("required").and_then(Value::as_array);
    html.raw("<dl class=\"rows\">");
    for (name, property) in properties {
        let needed = required.is_some_and(|names| names.iter().any(|it| it == name));
        row(html, name, if needed { "required" } else { "" }, property);
    }
    html.raw("</dl>");
}

/// One property or parameter, with a word on it.
pub(super) fn row(html: &mut Html, name: &str, mark: &str, schema: &Value) {
    let mark = if mark.is_empty() { String::new() } else { format!(" <em>{mark}</em>") };
    let breaking = escape(name).replace('_', "_<wbr>");
    html.raw(&format!("<div><dt><code>{breaking}</code>{mark}</dt><dd>"));
    html.raw(&format!("<p class=\"type\">{}{}</p>", type_of(schema), limits(schema)));
    let description = text(schema, "description");
    if !description.is_empty() {
        html.raw(&format!("<p>{}</p>", inline(description)));
    }
    words(html, schema);
    html.raw("</dd></div>");
}

/// The words there are to choose from; of long lists, the first.
fn words(html: &mut Html, schema: &Value) {
    const SHOWN: usize = 20;
    let Some(words) = schema.get("enum").and_then(Value::as_array) else { return };
    let word = |word: &Value| match word {
        Value::String(word) if word.is_empty() => "<code>\"\"</code> ".to_owned(),
        Value::String(word) => format!("<code>{}</code> ", escape(word)),
        other => format!("<code>{other}</code> "),
    };
    let shown: String = words.iter().take(SHOWN).map(word).collect();
    let more = words.len().saturating_sub(SHOWN);
    let rest = if more > 0 { format!("and {more} more") } else { String::new() };
    html.raw(&format!("<p class=\"words\">{shown}{rest}</p>"));
}

/// A schema's type in words, with links to components.
pub(super) fn type_of(schema: &Value) -> String {
    if let Some(reference) = schema.get("$ref").and_then(Value::as_str) {
        let name = reference.rsplit('/').next().unwrap_or_default();
        return format!("<a href=\"#schema-{name}\">{name}</a>");
    }
    for alternatives in ["anyOf", "oneOf"] {
        if let Some(any) = schema.get(alternatives).and_then(Value::as_array) {
            let mut types: Vec<String> = any.iter().map(type_of).collect();
            types.dedup();
            return types.join(" or ");
        }
    }
    if let Some(only) = schema.get("const") {
        return format!("always <code>{}</code>", escape(&only.to_string()));
    }
    match schema.get("type") {
        Some(Value::String(kind)) if kind == "array" => {
            let items = schema.get("items").map(type_of);
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

/// Ranges, lengths, formats and defaults.
fn limits(schema: &Value) -> String {
    let mut limits = Vec::new();
    let number = |name: &str| schema.get(name).filter(|it| it.is_number());
    let mut range = |least: &str, most: &str, unit: &str| {
        let huge = |most: &&Value| most.as_i64() != Some(i64::MAX);
        match (number(least), number(most).filter(huge)) {
            (Some(least), Some(most)) => limits.push(format!("{least}–{most}{unit}")),
            (Some(least), None) => limits.push(format!("at least {least}{unit}")),
            (None, Some(most)) => limits.push(format!("at most {most}{unit}")),
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
