//! Recursive descent over `or`, `and`, `not` and parentheses; the terms are in [`super::terms`].

use super::cursor::Cursor;
use super::tree::Expr;
use super::{MAX_CHARACTERS, MAX_NESTING, MAX_TERMS, ParseError, terms};

/// The words a condition can start with, to suggest the one that was meant.
const WORDS: [&str; 14] = [
    "not",
    "duration",
    "connect_duration",
    "repeat",
    "mobile",
    "landline",
    "sms_sent",
    "during_hours",
    "in_region",
    "pressed",
    "custom_data",
    "affiliate_name",
    "media_type",
    "promo_number_description",
];

pub(super) fn parse(text: &str) -> Result<Expr, ParseError> {
    if text.chars().nth(MAX_CHARACTERS).is_some() {
        let message = "expected at most 5,000 characters".to_owned();
        return Err(ParseError { column: MAX_CHARACTERS + 1, message });
    }
    Parser { cursor: Cursor::new(text), nesting: 0, terms: 0 }.condition()
}

struct Parser {
    cursor: Cursor,
    nesting: usize,
    terms: usize,
}

impl Parser {
    fn condition(&mut self) -> Result<Expr, ParseError> {
        self.cursor.skip_space();
        let expr = if self.cursor.at_end() { Expr::Always } else { self.or("")? };
        self.cursor.skip_space();
        if self.cursor.peek().is_none() {
            return Ok(expr);
        }
        if !self.cursor.eat('.') {
            return Err(self.cursor.error_found("expected 'and', 'or' or the end"));
        }
        self.cursor.skip_space();
        match self.cursor.peek() {
            None => Ok(expr),
            Some(_) => {
                let found = self.cursor.found();
                let message = format!("expected the end after '.', found '{found}'");
                Err(self.cursor.error(message))
            }
        }
    }

    /// `after` is what was read last, for the message when nothing follows it.
    fn or(&mut self, after: &str) -> Result<Expr, ParseError> {
        let mut members = vec![self.and(after)?];
        while self.keyword("or") {
            members.push(self.and("or")?);
        }
        Ok(Expr::or(members))
    }

    fn and(&mut self, after: &str) -> Result<Expr, ParseError> {
        let mut members = vec![self.not(after)?];
        while self.keyword("and") {
            members.push(self.not("and")?);
        }
        Ok(Expr::and(members))
    }

    fn not(&mut self, after: &str) -> Result<Expr, ParseError> {
        self.cursor.skip_space();
        if self.cursor.at_end() {
            return Err(self.cursor.error(format!("expected a condition after '{after}'")));
        }
        if self.cursor.peek() == Some('(') {
            return self.parentheses();
        }
        if self.cursor.word() == "not" {
            self.nest()?;
            self.cursor.eat_word("not");
            let inner = self.not("not")?;
            self.nesting -= 1;
            return Ok(Expr::not(inner));
        }
        self.term()
    }

    fn parentheses(&mut self) -> Result<Expr, ParseError> {
        let opened_at = self.cursor.column();
        self.nest()?;
        self.cursor.eat('(');
        let inner = self.or("(")?;
        self.cursor.skip_space();
        if self.cursor.at_end() {
            let message = format!("expected ')' to close the '(' at column {opened_at}");
            return Err(self.cursor.error(message));
        }
        if !self.cursor.eat(')') {
            return Err(self.cursor.error_found("expected 'and', 'or' or ')'"));
        }
        self.nesting -= 1;
        Ok(inner)
    }

    /// Goes one level down: the bound keeps this recursion, and every later one over the tree, off
    /// the end of the stack.
    fn nest(&mut self) -> Result<(), ParseError> {
        self.nesting += 1;
        if self.nesting > MAX_NESTING {
            let message = "expected at most 50 parentheses and 'not' inside each other";
            return Err(self.cursor.error(message));
        }
        Ok(())
    }

    fn keyword(&mut self, word: &str) -> bool {
        self.cursor.skip_space();
        self.cursor.eat_word(word)
    }

    fn term(&mut self) -> Result<Expr, ParseError> {
        let word = self.cursor.word();
        if !WORDS.contains(&word.as_str()) {
            let mut message = format!("expected a condition, found '{}'", self.cursor.found());
            if let Some(near) = nearest(&word) {
                message.push_str(&format!("; did you mean '{near}'?"));
            }
            return Err(self.cursor.error(message));
        }
        self.terms += 1;
        if self.terms > MAX_TERMS {
            return Err(self.cursor.error("expected at most 200 terms"));
        }
        let start = self.cursor.column();
        self.cursor.eat_word(&word);
        terms::term(&mut self.cursor, &word, start).map(Expr::Term)
    }
}

/// The word of the language that is at most two slips away.
fn nearest(word: &str) -> Option<&'static str> {
    let written: Vec<char> = word.chars().collect();
    // Short words are two slips away from anything.
    if !(4..=30).contains(&written.len()) {
        return None;
    }
    let slips = |candidate: &&str| distance(&written, candidate);
    WORDS.into_iter().min_by_key(slips).filter(|candidate| slips(candidate) <= 2)
}

/// Levenshtein's distance.
fn distance(written: &[char], word: &str) -> usize {
    let mut row: Vec<usize> = (0..=written.len()).collect();
    for (index, wanted) in word.chars().enumerate() {
        let mut diagonal = index;
        let mut left = index + 1;
        for (above, found) in row.iter_mut().skip(1).zip(written) {
            let replaced = diagonal + usize::from(*found != wanted);
            diagonal = *above;
            left = replaced.min(left + 1).min(diagonal + 1);
            *above = left;
        }
        if let Some(first) = row.first_mut() {
            *first = index + 1;
        }
    }
    row.last().copied().unwrap_or_default()
}
