//! Character cursor over the source text of a condition.

use super::ParseError;
use crate::text::normalize_plain_char;

/// Maximum number of characters of an unexpected word that an error message quotes.
const MAX_QUOTED_CHARACTERS: usize = 30;

/// Normalized characters of a text, each with its column in the source text. Soft hyphens are
/// dropped but counted in the columns.
pub(super) struct Cursor {
    characters: Vec<(char, usize)>,
    position: usize,
    end_column: usize,
}

impl Cursor {
    pub(super) fn new(text: &str) -> Cursor {
        let numbered = text.chars().zip(1..);
        let characters: Vec<(char, usize)> =
            numbered.filter_map(|(c, column)| Some((normalize_plain_char(c)?, column))).collect();
        Cursor { characters, position: 0, end_column: text.chars().count() + 1 }
    }

    pub(super) fn peek(&self) -> Option<char> {
        self.peek_at(0)
    }

    /// Returns the character at an offset from the current position, without consuming it.
    pub(super) fn peek_at(&self, offset: usize) -> Option<char> {
        self.characters.get(self.position + offset).map(|(c, _)| *c)
    }

    pub(super) fn next(&mut self) -> Option<char> {
        let next = self.peek()?;
        self.position += 1;
        Some(next)
    }

    /// Consumes the next character if it is `expected`.
    pub(super) fn eat(&mut self, expected: char) -> bool {
        let matches = self.peek() == Some(expected);
        self.position += usize::from(matches);
        matches
    }

    /// Returns the column of the next character, or one past the end.
    pub(super) fn column(&self) -> usize {
        self.characters.get(self.position).map_or(self.end_column, |(_, column)| *column)
    }

    pub(super) fn skip_whitespace(&mut self) {
        while self.peek().is_some_and(char::is_whitespace) {
            self.position += 1;
        }
    }

    /// Returns true if only an optional full stop remains. The full stop counts as the end, so that
    /// the error of `mobile and.` is reported at the stop.
    pub(super) fn at_end(&self) -> bool {
        let rest = self.characters.get(self.position..).unwrap_or_default();
        let after_stop = rest.strip_prefix(&[('.', self.column())]).unwrap_or(rest);
        rest.is_empty()
            || (after_stop.len() < rest.len() && after_stop.iter().all(|(c, _)| c.is_whitespace()))
    }

    /// Returns the next word in lower case without consuming it; empty if there is none.
    pub(super) fn peek_word(&self) -> String {
        self.peek_while(is_word_character).to_ascii_lowercase()
    }

    /// Consumes the next word if it is `expected`, ignoring case.
    pub(super) fn eat_word(&mut self, expected: &str) -> bool {
        let matches = self.peek_word() == expected;
        if matches {
            self.skip(expected.chars().count());
        }
        matches
    }

    /// Returns the longest prefix whose characters satisfy a predicate, without consuming it.
    pub(super) fn peek_while(&self, predicate: fn(char) -> bool) -> String {
        let rest = self.characters.get(self.position..).unwrap_or_default();
        rest.iter().map(|(c, _)| *c).take_while(|c| predicate(*c)).collect()
    }

    pub(super) fn skip(&mut self, characters: usize) {
        self.position = self.characters.len().min(self.position + characters);
    }

    /// Returns the next token for an error message: a word or one character, truncated.
    pub(super) fn peek_token(&self) -> String {
        let word = self.peek_while(is_word_character);
        if word.is_empty() {
            return self.peek().map(String::from).unwrap_or_default();
        }
        let quoted: String = word.chars().take(MAX_QUOTED_CHARACTERS).collect();
        if quoted.len() < word.len() { format!("{quoted}…") } else { quoted }
    }

    /// Creates an error at the current column.
    pub(super) fn error(&self, message: impl Into<String>) -> ParseError {
        ParseError { column: self.column(), message: message.into() }
    }

    /// Creates an error at the current column that also quotes the unexpected token, if there is
    /// one.
    pub(super) fn unexpected_token_error(&self, expected: &str) -> ParseError {
        if self.at_end() {
            return self.error(expected);
        }
        self.error(format!("{expected}, found '{}'", self.peek_token()))
    }
}

pub(super) fn is_word_character(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}
