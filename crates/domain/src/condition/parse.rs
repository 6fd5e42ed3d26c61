//! Recursive-descent parser for `or`, `and`, `not` and parentheses. [`super::parse_term`] parses
//! the terms.

use super::cursor::Cursor;
use super::parse_term::parse_term;
use super::tree::Expr;
use super::{MAX_CHARACTERS, MAX_NESTING, MAX_TERMS, ParseError};

/// Keywords that start a condition; candidates for a spelling suggestion.
const KEYWORDS: [&str; 14] = [
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
    Parser { cursor: Cursor::new(text), nesting: 0, terms: 0 }.parse_condition()
}

struct Parser {
    cursor: Cursor,
    nesting: usize,
    terms: usize,
}

impl Parser {
    fn parse_condition(&mut self) -> Result<Expr, ParseError> {
        self.cursor.skip_whitespace();
        let expr = if self.cursor.at_end() { Expr::Always } else { self.parse_or("")? };
        self.cursor.skip_whitespace();
        if self.cursor.peek().is_none() {
            return Ok(expr);
        }
        if !self.cursor.eat('.') {
            return Err(self.cursor.unexpected_token_error("expected 'and', 'or' or the end"));
        }
        self.cursor.skip_whitespace();
        match self.cursor.peek() {
            None => Ok(expr),
            Some(_) => {
                let found = self.cursor.peek_token();
                let message = format!("expected the end after '.', found '{found}'");
                Err(self.cursor.error(message))
            }
        }
    }

    /// Parses a disjunction. `after` is the previous token; the error message quotes it if nothing
    /// follows.
    fn parse_or(&mut self, after: &str) -> Result<Expr, ParseError> {
        let mut members = vec![self.parse_and(after)?];
        while self.eat_keyword("or") {
            members.push(self.parse_and("or")?);
        }
        Ok(Expr::or(members))
    }

    fn parse_and(&mut self, after: &str) -> Result<Expr, ParseError> {
        let mut members = vec![self.parse_not(after)?];
        while self.eat_keyword("and") {
            members.push(self.parse_not("and")?);
        }
        Ok(Expr::and(members))
    }

    fn parse_not(&mut self, after: &str) -> Result<Expr, ParseError> {
        self.cursor.skip_whitespace();
        if self.cursor.at_end() {
            return Err(self.cursor.error(format!("expected a condition after '{after}'")));
        }
        if self.cursor.peek() == Some('(') {
            return self.parse_parentheses();
        }
        if self.cursor.peek_word() == "not" {
            self.enter_nesting()?;
            self.cursor.eat_word("not");
            let inner = self.parse_not("not")?;
            self.nesting -= 1;
            return Ok(Expr::not(inner));
        }
        self.parse_term()
    }

    fn parse_parentheses(&mut self) -> Result<Expr, ParseError> {
        let opened_at = self.cursor.column();
        self.enter_nesting()?;
        self.cursor.eat('(');
        let inner = self.parse_or("(")?;
        self.cursor.skip_whitespace();
        if self.cursor.at_end() {
            let message = format!("expected ')' to close the '(' at column {opened_at}");
            return Err(self.cursor.error(message));
        }
        if !self.cursor.eat(')') {
            return Err(self.cursor.unexpected_token_error("expected 'and', 'or' or ')'"));
        }
        self.nesting -= 1;
        Ok(inner)
    }

    /// Increments the nesting depth. The limit bounds the stack depth of the parser and of every
    /// later recursion over the tree.
    fn enter_nesting(&mut self) -> Result<(), ParseError> {
        self.nesting += 1;
        if self.nesting > MAX_NESTING {
            let message = "expected at most 50 parentheses and 'not' inside each other";
            return Err(self.cursor.error(message));
        }
        Ok(())
    }

    fn eat_keyword(&mut self, word: &str) -> bool {
        self.cursor.skip_whitespace();
        self.cursor.eat_word(word)
    }

    fn parse_term(&mut self) -> Result<Expr, ParseError> {
        let word = self.cursor.peek_word();
        if !KEYWORDS.contains(&word.as_str()) {
            let mut message = format!("expected a condition, found '{}'", self.cursor.peek_token());
            if let Some(suggestion) = closest_keyword(&word) {
                message.push_str(&format!("; did you mean '{suggestion}'?"));
            }
            return Err(self.cursor.error(message));
        }
        self.terms += 1;
        if self.terms > MAX_TERMS {
            return Err(self.cursor.error("expected at most 200 terms"));
        }
        let start_column = self.cursor.column();
        self.cursor.eat_word(&word);
        parse_term(&mut self.cursor, &word, start_column).map(Expr::Term)
    }
}

/// Returns the keyword with the smallest edit distance, if that is at most 2.
fn closest_keyword(word: &str) -> Option<&'static str> {
    let written: Vec<char> = word.chars().collect();
    // Every short word is within distance 2 of some keyword.
    if !(4..=30).contains(&written.len()) {
        return None;
    }
    let edits = |candidate: &&str| edit_distance(&written, candidate);
    KEYWORDS.into_iter().min_by_key(edits).filter(|candidate| edits(candidate) <= 2)
}

/// Returns the Levenshtein distance.
fn edit_distance(written: &[char], keyword: &str) -> usize {
    let mut row: Vec<usize> = (0..=written.len()).collect();
    for (index, expected) in keyword.chars().enumerate() {
        let mut diagonal = index;
        let mut left = index + 1;
        for (above, actual) in row.iter_mut().skip(1).zip(written) {
            let replaced = diagonal + usize::from(*actual != expected);
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
