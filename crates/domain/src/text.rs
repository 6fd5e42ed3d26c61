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
}
