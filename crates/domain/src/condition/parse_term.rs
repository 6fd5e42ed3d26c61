//! Parser for one term: durations, menu keys, names in brackets and quoted strings.

use super::cursor::{Cursor, is_word_character};
use super::tree::{Comparison, Key, Term, TextFact, TextTest, level_letter};
use super::{MAX_DURATION_SECONDS, MAX_PRESSED_KEYS, ParseError};

/// Expected token in errors about `pressed[…]`.
const EXPECTED_KEY: &str = "a key (1-9, W or N)";

/// Parses a term after its keyword. `word` is the keyword in lower case and `start_column` its
/// column.
pub(super) fn parse_term(
    cursor: &mut Cursor,
    word: &str,
    start_column: usize,
) -> Result<Term, ParseError> {
    match word {
        "duration" => parse_comparison(cursor, word, start_column)
            .map(|(comparison, seconds)| Term::Duration(comparison, seconds)),
        "connect_duration" => parse_comparison(cursor, word, start_column)
            .map(|(comparison, seconds)| Term::ConnectDuration(comparison, seconds)),
        "repeat" => Ok(Term::Repeat),
        "mobile" => Ok(Term::Mobile),
        "landline" => Ok(Term::Landline),
        "sms_sent" => Ok(Term::SmsSent),
        "during_hours" => Ok(Term::DuringHours),
        "in_region" => parse_region(cursor),
        "pressed" => parse_pressed(cursor),
        "custom_data" => {
            expect_open_bracket(cursor, word)?;
            let field = parse_bracketed_name(cursor, "the name of a field")?;
            parse_text_test(cursor, TextFact::CustomData(field))
        }
        "affiliate_name" => parse_text_test(cursor, TextFact::AffiliateName),
        "media_type" => parse_text_test(cursor, TextFact::MediaType),
        "promo_number_description" => parse_text_test(cursor, TextFact::PromoNumberDescription),
        _ => Err(cursor.error("expected a condition")),
    }
}

/// Parses a comparison operator and a duration. A missing operator is reported at the keyword.
fn parse_comparison(
    cursor: &mut Cursor,
    word: &str,
    start_column: usize,
) -> Result<(Comparison, u32), ParseError> {
    cursor.skip_whitespace();
    let (comparison, length) = match (cursor.peek(), cursor.peek_at(1)) {
        (Some('>'), Some('=')) => (Comparison::GreaterOrEqual, 2),
        (Some('<'), Some('=')) => (Comparison::LessOrEqual, 2),
        (Some('>'), _) => (Comparison::Greater, 1),
        (Some('<'), _) => (Comparison::Less, 1),
        (Some('='), _) => (Comparison::Equal, 1),
        _ => {
            let message = format!("expected a comparison (>, >=, <, <=, =) after '{word}'");
            return Err(ParseError { column: start_column, message });
        }
    };
    cursor.skip(length);
    Ok((comparison, parse_duration(cursor, comparison)?))
}

/// Parses a duration and returns seconds. Examples: `90`, `90 sec`, `1 min 30 sec`, `2 hours`.
fn parse_duration(cursor: &mut Cursor, after: Comparison) -> Result<u32, ParseError> {
    cursor.skip_whitespace();
    let start_column = cursor.column();
    let mut total = 0_u64;
    let mut smallest_unit = None;
    while let Some((number, digits, column)) = parse_number(cursor)? {
        let unit_seconds = parse_unit(cursor);
        if unit_seconds.is_none() {
            check_missing_unit(cursor, &digits, smallest_unit.is_none())?;
        }
        let seconds = unit_seconds.unwrap_or(1);
        if smallest_unit.is_some_and(|smallest| smallest <= seconds) {
            let message = "expected hours before minutes before seconds, each at most once";
            return Err(ParseError { column, message: message.to_owned() });
        }
        smallest_unit = Some(seconds);
        total = total.saturating_add(number.saturating_mul(seconds));
        if unit_seconds.is_none() {
            break;
        }
    }
    if smallest_unit.is_none() {
        let expected = format!("expected a time (90, 90 sec, 1 min 30 sec) after '{after}'");
        return Err(cursor.error(expected));
    }
    match u32::try_from(total) {
        Ok(total) if total <= MAX_DURATION_SECONDS => Ok(total),
        _ => {
            let message =
                format!("expected a time of at most 31 days ({MAX_DURATION_SECONDS} seconds)");
            Err(ParseError { column: start_column, message })
        }
    }
}

/// Parses a whole number. Returns its value, its digits and its column.
fn parse_number(cursor: &mut Cursor) -> Result<Option<(u64, String, usize)>, ParseError> {
    cursor.skip_whitespace();
    let column = cursor.column();
    let digits = cursor.peek_while(|c| c.is_ascii_digit());
    if digits.is_empty() {
        return Ok(None);
    }
    cursor.skip(digits.len());
    if cursor.peek() == Some('.') && cursor.peek_at(1).is_some_and(|c| c.is_ascii_digit()) {
        return Err(cursor.error("expected a whole number, found a fraction"));
    }
    // Parsing fails only on overflow; the limit on durations rejects `u64::MAX`.
    Ok(Some((digits.parse().unwrap_or(u64::MAX), digits, column)))
}

/// Consumes a unit of time and returns its length in seconds.
fn parse_unit(cursor: &mut Cursor) -> Option<u64> {
    cursor.skip_whitespace();
    // Letters only, so that `1min30sec` is accepted.
    let word = cursor.peek_while(char::is_alphabetic);
    let seconds = match word.to_ascii_lowercase().as_str() {
        "sec" | "secs" | "second" | "seconds" => 1,
        "min" | "mins" | "minute" | "minutes" => 60,
        "hr" | "hrs" | "hour" | "hours" => 3_600,
        _ => return None,
    };
    cursor.skip(word.chars().count());
    Some(seconds)
}

/// Checks a number without a unit: it must be the only number of the duration, and a token that
/// may follow a term must follow it.
fn check_missing_unit(cursor: &Cursor, digits: &str, is_only: bool) -> Result<(), ParseError> {
    let word = cursor.peek_word();
    if !is_only {
        let quoted: String = digits.chars().take(12).collect();
        return Err(cursor.error(format!("expected a unit (sec, min or hour) after '{quoted}'")));
    }
    if word.is_empty() || word == "and" || word == "or" {
        return Ok(());
    }
    Err(cursor.unexpected_token_error("expected a unit (sec, min or hour), 'and' or 'or'"))
}

fn parse_region(cursor: &mut Cursor) -> Result<Term, ParseError> {
    cursor.skip_whitespace();
    if !cursor.eat('[') {
        return Ok(Term::InRegion(None));
    }
    Ok(Term::InRegion(Some(parse_bracketed_name(cursor, "the name of a region")?)))
}

fn expect_open_bracket(cursor: &mut Cursor, word: &str) -> Result<(), ParseError> {
    cursor.skip_whitespace();
    if cursor.eat('[') {
        return Ok(());
    }
    Err(cursor.error(format!("expected '[' after '{word}'")))
}

/// Parses the text up to the closing bracket and trims it. `expected` names it in errors.
fn parse_bracketed_name(cursor: &mut Cursor, expected: &str) -> Result<String, ParseError> {
    cursor.skip_whitespace();
    let name = cursor.peek_while(|c| c != ']');
    if name.is_empty() {
        return Err(cursor.error(format!("expected {expected} after '['")));
    }
    cursor.skip(name.chars().count());
    if !cursor.eat(']') {
        return Err(cursor.error(format!("expected ']' after {expected}")));
    }
    Ok(name.trim().to_owned())
}

fn parse_pressed(cursor: &mut Cursor) -> Result<Term, ParseError> {
    expect_open_bracket(cursor, "pressed")?;
    let (characters, end_column) = read_bracketed_characters(cursor)?;
    let mut entries: Vec<(u8, Key)> = Vec::new();
    let mut index = 0;
    while let Some((letter, column)) = characters.get(index).copied() {
        let (level, key) = match key_at(&characters, index) {
            Some(key) => (entries.last().map_or(0, |(level, _)| level + 1), key),
            None if letter.is_ascii_lowercase() => {
                index += 1;
                let Some(key) = key_at(&characters, index) else {
                    let column = characters.get(index).map_or(end_column, |(_, column)| *column);
                    return error_at(column, format!("expected {EXPECTED_KEY} after '{letter}'"));
                };
                (letter as u8 - b'a', key)
            }
            None => {
                let expected =
                    format!("expected {EXPECTED_KEY} or a level (a-z), found '{letter}'");
                return error_at(column, expected);
            }
        };
        if entries.iter().any(|(other, _)| *other == level) {
            let letter = level_letter(level);
            return error_at(column, format!("expected each level once, found '{letter}' again"));
        }
        if level > 25 {
            return error_at(column, "expected ']': no level comes after 'z'".to_owned());
        }
        if entries.len() == MAX_PRESSED_KEYS {
            return error_at(column, format!("expected at most {MAX_PRESSED_KEYS} keys"));
        }
        entries.push((level, key));
        index += 1;
    }
    if entries.is_empty() {
        return error_at(end_column, format!("expected {EXPECTED_KEY} after '['"));
    }
    Ok(Term::Pressed(entries))
}

fn error_at<T>(column: usize, message: String) -> Result<T, ParseError> {
    Err(ParseError { column, message })
}

/// Consumes the text up to the closing bracket. Returns its significant characters with their
/// columns, and the column of the bracket.
fn read_bracketed_characters(
    cursor: &mut Cursor,
) -> Result<(Vec<(char, usize)>, usize), ParseError> {
    let mut characters = Vec::new();
    loop {
        let column = cursor.column();
        match cursor.next() {
            Some(']') => return Ok((characters, column)),
            Some(c) if c.is_whitespace() || c == ',' => {}
            Some(c) => {
                characters.push((c, column));
                if cursor.peek().is_some_and(is_word_character) {
                    let expected = format!("expected a space, a comma or ']' after '{c}'");
                    return Err(cursor.error(expected));
                }
            }
            None => return Err(cursor.error("expected ']' after the keys of 'pressed'")),
        }
    }
}

/// Returns the key at an index. A lower-case `w` or `n` is a key, unless a key follows it; then it
/// is a level.
fn key_at(characters: &[(char, usize)], index: usize) -> Option<Key> {
    let unambiguous_key = |index: usize| match characters.get(index)?.0 {
        digit @ '1'..='9' => Some(Key::Digit(digit as u8 - b'0')),
        'W' => Some(Key::Wrong),
        'N' => Some(Key::None),
        _ => None,
    };
    unambiguous_key(index).or_else(|| match characters.get(index)?.0 {
        'w' if unambiguous_key(index + 1).is_none() => Some(Key::Wrong),
        'n' if unambiguous_key(index + 1).is_none() => Some(Key::None),
        _ => None,
    })
}

fn parse_text_test(cursor: &mut Cursor, fact: TextFact) -> Result<Term, ParseError> {
    cursor.skip_whitespace();
    let test = if cursor.eat('=') {
        TextTest::Equals(parse_quoted(cursor, "=")?)
    } else if cursor.peek() == Some('!') && cursor.peek_at(1) == Some('=') {
        cursor.skip(2);
        TextTest::Differs(parse_quoted(cursor, "!=")?)
    } else if cursor.eat_word("contains") {
        TextTest::Contains(parse_quoted(cursor, "contains")?)
    } else if cursor.eat_word("present") {
        TextTest::Present
    } else {
        let expected = format!("expected =, !=, contains or present after '{fact}'");
        return Err(cursor.error(expected));
    };
    Ok(Term::Text(fact, test))
}

/// Parses a quoted string. A plain quote closes a plain one and a typographic quote a typographic
/// one, so that either kind can be nested in the other.
fn parse_quoted(cursor: &mut Cursor, after: &str) -> Result<String, ParseError> {
    cursor.skip_whitespace();
    let start_column = cursor.column();
    let is_closing_quote: fn(char) -> bool = match cursor.peek() {
        Some('"') => |c| c == '"',
        Some('\u{201c}' | '\u{201d}') => |c| matches!(c, '\u{201c}' | '\u{201d}'),
        _ => return Err(cursor.error(format!("expected a text in double quotes after '{after}'"))),
    };
    cursor.next();
    let mut text = String::new();
    while let Some(c) = cursor.next() {
        if is_closing_quote(c) {
            return Ok(text);
        }
        if c != '\\' {
            text.push(c);
            continue;
        }
        match cursor.peek() {
            Some(escaped @ ('"' | '\\' | '\u{201c}' | '\u{201d}')) => text.push(escaped),
            Some(_) => return Err(cursor.error(r#"expected '"' or '\' after '\'"#)),
            None => break,
        }
        cursor.next();
    }
    Err(cursor.error(format!("expected a double quote to close the one at column {start_column}")))
}
