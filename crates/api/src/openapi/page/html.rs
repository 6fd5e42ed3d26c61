//! HTML output: escaping, and the CommonMark that descriptions use.

use serde_json::Value;

/// HTML buffer.
#[derive(Default)]
pub(super) struct Html(String);

impl Html {
    /// Appends HTML unescaped.
    pub(super) fn raw(&mut self, html: &str) {
        self.0.push_str(html);
    }

    /// Appends a block of JSON.
    pub(super) fn json(&mut self, value: &Value) {
        self.code(&format!("{value:#}"));
    }

    /// Appends a block of code.
    pub(super) fn code(&mut self, code: &str) {
        self.raw(&format!("<pre tabindex=\"0\"><code>{}</code></pre>", escape(code)));
    }

    pub(super) fn into_string(self) -> String {
        self.0
    }
}

/// Escapes the characters that are special in HTML text and in quoted attributes.
pub(super) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            other => escaped.push(other),
        }
    }
    escaped
}

/// Converts a heading into an element id.
pub(super) fn heading_id(name: &str) -> String {
    name.to_lowercase().replace(' ', "-")
}

/// Renders the subset of CommonMark that descriptions use: paragraphs, lists, `code`, **bold**.
pub(super) fn prose(text: &str) -> String {
    let blocks = text.split("\n\n").map(|block| {
        let (lines, items): (Vec<&str>, Vec<&str>) =
            block.lines().partition(|line| !line.starts_with("- "));
        let mut html = String::new();
        let paragraph = lines.join(" ");
        if !paragraph.trim().is_empty() {
            html.push_str(&format!("<p>{}</p>", inline(&paragraph)));
        }
        if !items.is_empty() {
            let items = items.iter().map(|item| format!("<li>{}</li>", inline(&item[2..])));
            html.push_str(&format!("<ul>{}</ul>", items.collect::<String>()));
        }
        html
    });
    blocks.collect()
}

/// Renders `code` and **bold** within a line.
pub(super) fn inline(text: &str) -> String {
    let escaped = escape(text);
    let marked = escaped.split('`').enumerate().map(|(index, part)| {
        if index % 2 == 1 { format!("<code>{part}</code>") } else { bold(part) }
    });
    marked.collect()
}

fn bold(text: &str) -> String {
    let parts = text.split("**").enumerate().map(|(index, part)| {
        if index % 2 == 1 { format!("<strong>{part}</strong>") } else { part.to_owned() }
    });
    parts.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn descriptions_are_rendered_as_html() {
        assert_eq!(
            prose("A **b** `c <d>`.\n\nOn:\n- one\n- two"),
            "<p>A <strong>b</strong> <code>c &lt;d&gt;</code>.</p>\
             <p>On:</p><ul><li>one</li><li>two</li></ul>"
        );
        assert_eq!(heading_id("Audit log"), "audit-log");
    }
}
