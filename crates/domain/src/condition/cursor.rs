//! A place in a condition's text.

use super::ParseError;
use crate::text::plain_char;

/// How much of an unexpected word a message repeats, in characters.
const SHOWN: usize = 30;

/// The characters still to be read, each with its column in the text as written: a soft hyphen is
/// dropped, but it still counts for the columns after it.
pub(super) struct Cursor {
    characters: Vec<(char, usize)>,
    position: usize,
    end_column: usize,
}

impl Cursor {
    pub(super) fn new(text: &str) -> Cursor {
        let numbered = text.chars().zip(1..);
        let characters: Vec<(char, usize)> =
            numbered.filter_map(|(c, column)| Some((plain_char(c)?, column))).collect();
        Cursor { characters, position: 0, end_column: text.chars().count() + 1 }
    }

    pub(super) fn peek(&self) -> Option<char> {
        self.peek_at(0)
    }

    /// The character that many places on.
    pub(super) fn peek_at(&self, places: usize) -> Option<char> {
        self.characters.get(self.position + places).map(|(c, _)| *c)
    }

    pub(super) fn next(&mut self) -> Option<char> {
        let next = self.peek()?;
        self.position += 1;
        Some(next)
    }

    /// Takes the character if it is the next one.
    pub(super) fn eat(&mut self, wanted: char) -> bool {
        let found = self.peek() == Some(wanted);
        self.position += usize::from(found);
        found
    }

    /// The next character's column, or the one after the end.
    pub(super) fn column(&self) -> usize {
        self.characters.get(self.position).map_or(self.end_column, |(_, column)| *column)
    }

    pub(super) fn skip_space(&mut self) {
        while self.peek().is_some_and(char::is_whitespace) {
            self.position += 1;
        }
    }

    /// Whether nothing is left but a forgiven full stop: `mobile and.` ends too early, at the stop.
    pub(super) fn at_end(&self) -> bool {
        let left = self.characters.get(self.position..).unwrap_or_default();
        let after_stop = left.strip_prefix(&[('.', self.column())]).unwrap_or(left);
        left.is_empty()
            || (after_stop.len() < left.len() && after_stop.iter().all(|(c, _)| c.is_whitespace()))
    }

    /// The word that starts here, in lower case, not taken; empty if none does.
    pub(super) fn word(&self) -> String {
        self.run(is_word_character).to_ascii_lowercase()
    }

    /// Takes the word if it is the next one, in any case.
    pub(super) fn eat_word(&mut self, wanted: &str) -> bool {
        let found = self.word() == wanted;
        if found {
            self.skip(wanted.chars().count());
        }
        found
    }

    /// The characters from here on for which something holds, not taken.
    pub(super) fn run(&self, holds: fn(char) -> bool) -> String {
        let left = self.characters.get(self.position..).unwrap_or_default();
        left.iter().map(|(c, _)| *c).take_while(|c| holds(*c)).collect()
    }

    pub(super) fn skip(&mut self, characters: usize) {
        self.position = self.characters.len().min(self.position + characters);
    }

    /// What stands here, for a message: a word, or one character.
    pub(super) fn found(&self) -> String {
        let word = self.run(is_word_character);
        if word.is_empty() {
            return self.peek().map(String::from).unwrap_or_default();
        }
        let shown: String = word.chars().take(SHOWN).collect();
        if shown.len() < word.len() { format!("{shown}…") } else { shown }
    }

    /// A problem here.
    pub(super) fn error(&self, message: impl Into<String>) -> ParseError {
        ParseError { column: self.column(), message: message.into() }
    }

    /// A problem here that names what stands here instead, unless the text ends.
    pub(super) fn error_found(&self, expected: &str) -> ParseError {
        if self.at_end() {
            return self.error(expected);
        }
        self.error(format!("{expected}, found '{}'", self.found()))
    }
}

pub(super) fn is_word_character(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}
