//! Normalization of text that was typed by people or copied from the source documents.
//!
//! The source documents were typeset: their examples contain typographic hyphens, no-break spaces
//! and soft hyphens. A client that copies an example sends these characters.

/// Normalizes a text: replaces typographic hyphens (U+2010–2015, U+2212) by `-` and no-break spaces
/// (U+00A0, U+202F) by spaces, and removes soft hyphens (U+00AD).
pub fn normalize_plain_text(text: &str) -> String {
    text.chars().filter_map(normalize_plain_char).collect()
}

/// Normalizes one character as [`normalize_plain_text`] does. Returns `None` for a character that is removed.
pub fn normalize_plain_char(c: char) -> Option<char> {
    match c {
        '\u{ad}' => None,
        '\u{2010}'..='\u{2015}' | '\u{2212}' => Some('-'),
        '\u{a0}' | '\u{202f}' => Some(' '),
        other => Some(other),
    }
}

/// Iterates over the characters of the normalized text ([`normalize_plain_text`]) in lower case. For comparisons
/// that must not allocate.
pub fn case_folded(text: &str) -> impl Iterator<Item = char> + Clone {
    text.chars().filter_map(normalize_plain_char).flat_map(char::to_lowercase)
}

/// Trims the characters that [`normalize_plain_text`] removes or converts to white space from both ends.
pub fn trim_plain_text(text: &str) -> &str {
    text.trim_matches(|c| normalize_plain_char(c).is_none_or(char::is_whitespace))
}

/// Returns true if the text is empty or consists of white space.
pub fn is_blank(text: &str) -> bool {
    text.trim().is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn typographic_characters_are_normalized() {
        assert_eq!(normalize_plain_text("805‐708‐9876"), "805-708-9876");
        assert_eq!(
            normalize_plain_text("Offline: In\u{ad}\u{2212}Call\u{a0}Ad"),
            "Offline: In-Call Ad"
        );
    }

    #[test]
    fn case_folding_and_trimming_normalize_first() {
        assert_eq!(case_folded("Q\u{ad}u\u{c9}BEC\u{2011}X").collect::<String>(), "qu\u{e9}bec-x");
        for text in ["West Coast", "\u{ad} West Coast\u{a0}\n", " \u{ad}\u{a0}", ""] {
            assert_eq!(
                normalize_plain_text(trim_plain_text(text)),
                normalize_plain_text(text).trim(),
                "{text:?}"
            );
        }
    }
}
