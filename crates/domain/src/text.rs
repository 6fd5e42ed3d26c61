//! Text as people and the source documents write it.

/// Reads typographic hyphens (U+2010–2015, U+2212) as `-` and no-break spaces (U+00A0, U+202F) as
/// plain ones, and drops soft hyphens (U+00AD), which the source documents are full of.
pub fn plain(text: &str) -> String {
    text.chars().filter_map(plain_char).collect()
}

/// One character read as [`plain`] reads it; nothing for one that is dropped.
pub fn plain_char(c: char) -> Option<char> {
    match c {
        '\u{ad}' => None,
        '\u{2010}'..='\u{2015}' | '\u{2212}' => Some('-'),
        '\u{a0}' | '\u{202f}' => Some(' '),
        other => Some(other),
    }
}

/// The characters of [`plain`] without capitals, one after another: for comparisons that must not
/// allocate.
pub fn folded(text: &str) -> impl Iterator<Item = char> + Clone {
    text.chars().filter_map(plain_char).flat_map(char::to_lowercase)
}

/// The text without what [`plain`] reads as white space, or drops, at either end.
pub fn trimmed(text: &str) -> &str {
    text.trim_matches(|c| plain_char(c).is_none_or(char::is_whitespace))
}

/// True when there is nothing but white space.
pub fn is_blank(text: &str) -> bool {
    text.trim().is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_documents_print_is_read_as_plain_text() {
        assert_eq!(plain("805‐708‐9876"), "805-708-9876");
        assert_eq!(plain("Offline: In\u{ad}\u{2212}Call\u{a0}Ad"), "Offline: In-Call Ad");
    }

    #[test]
    fn texts_are_folded_and_trimmed_as_plain_text() {
        assert_eq!(folded("Q\u{ad}u\u{c9}BEC\u{2011}X").collect::<String>(), "qu\u{e9}bec-x");
        for text in ["West Coast", "\u{ad} West Coast\u{a0}\n", " \u{ad}\u{a0}", ""] {
            assert_eq!(plain(trimmed(text)), plain(text).trim(), "{text:?}");
        }
    }
}
