//! Reading one term: times, keys, names in brackets and quoted texts.

use super::cursor::{Cursor, is_word_character};
use super::tree::{Comparison, Key, Term, TextFact, TextTest, level_letter};
use super::{MAX_PRESSED, MAX_SECONDS, ParseError};

const KEYS: &str = "a key (1-9, W or N)";

/// Reads what follows a term's word; `word` is in lower case and one of the language's, and stands
/// at column `start`.
pub(super) fn term(cursor: &mut Cursor, word: &str, start: usize) -> Result<Term, ParseError> {
    match word {
        "duration" => comparison(cursor, word, start).map(|(is, time)| Term::Duration(is, time)),
        "connect_duration" => {
            comparison(cursor, word, start).map(|(is, time)| Term::ConnectDuration(is, time))
        }
        "repeat" => Ok(Term::Repeat),
        "mobile" => Ok(Term::Mobile),
        "landline" => Ok(Term::Landline),
        "sms_sent" => Ok(Term::SmsSent),
        "during_hours" => Ok(Term::DuringHours),
        "in_region" => region(cursor),
        "pressed" => pressed(cursor),
        "custom_data" => {
            open(cursor, word)?;
            let field = name(cursor, "the name of a field")?;
            text(cursor, TextFact::CustomData(field))
        }
        "affiliate_name" => text(cursor, TextFact::AffiliateName),
        "media_type" => text(cursor, TextFact::MediaType),
        "promo_number_description" => text(cursor, TextFact::PromoNumberDescription),
        _ => Err(cursor.error("expected a condition")),
    }
}

/// A word that lacks its comparison is itself what is wrong: the error is at the word.
fn comparison(
    cursor: &mut Cursor,
    word: &str,
    start: usize,
) -> Result<(Comparison, u32), ParseError> {
    cursor.skip_space();
    let (comparison, length) = match (cursor.peek(), cursor.peek_at(1)) {
        (Some('>'), Some('=')) => (Comparison::GreaterOrEqual, 2),
        (Some('<'), Some('=')) => (Comparison::LessOrEqual, 2),
        (Some('>'), _) => (Comparison::Greater, 1),
        (Some('<'), _) => (Comparison::Less, 1),
        (Some('='), _) => (Comparison::Equal, 1),
        _ => {
            let message = format!("expected a comparison (>, >=, <, <=, =) after '{word}'");
            return Err(ParseError { column: start, message });
        }
    };
    cursor.skip(length);
    Ok((comparison, time(cursor, comparison)?))
}

/// Reads `90`, `90 sec`, `1 min 30 sec`, `2 hours`, in seconds.
fn time(cursor: &mut Cursor, after: Comparison) -> Result<u32, ParseError> {
    cursor.skip_space();
    let start = cursor.column();
    let mut total = 0_u64;
    let mut smallest = None;
    while let Some((number, digits, column)) = number(cursor)? {
        let unit = unit(cursor);
        if unit.is_none() {
            no_unit(cursor, &digits, smallest.is_none())?;
        }
        let seconds = unit.unwrap_or(1);
        if smallest.is_some_and(|smallest| smallest <= seconds) {
            let message = "expected hours before minutes before seconds, each at most once";
            return Err(ParseError { column, message: message.to_owned() });
        }
        smallest = Some(seconds);
        total = total.saturating_add(number.saturating_mul(seconds));
        if unit.is_none() {
            break;
        }
    }
    if smallest.is_none() {
        let expected = format!("expected a time (90, 90 sec, 1 min 30 sec) after '{after}'");
        return Err(cursor.error(expected));
    }
    match u32::try_from(total) {
        Ok(total) if total <= MAX_SECONDS => Ok(total),
        _ => {
            let message = format!("expected a time of at most 31 days ({MAX_SECONDS} seconds)");
            Err(ParseError { column: start, message })
        }
    }
}

/// A number, its digits and its column.
fn number(cursor: &mut Cursor) -> Result<Option<(u64, String, usize)>, ParseError> {
    cursor.skip_space();
    let column = cursor.column();
    let digits = cursor.run(|c| c.is_ascii_digit());
    if digits.is_empty() {
        return Ok(None);
    }
    cursor.skip(digits.len());
    if cursor.peek() == Some('.') && cursor.peek_at(1).is_some_and(|c| c.is_ascii_digit()) {
        return Err(cursor.error("expected a whole number, found a fraction"));
    }
    // Only a number that is far too large fails to parse; the limit on times catches it.
    Ok(Some((digits.parse().unwrap_or(u64::MAX), digits, column)))
}

/// Takes a unit of time and gives its length in seconds.
fn unit(cursor: &mut Cursor) -> Option<u64> {
    cursor.skip_space();
    // Letters only, so that `1min30sec` is read too.
    let word = cursor.run(char::is_alphabetic);
    let seconds = match word.to_ascii_lowercase().as_str() {
        "sec" | "secs" | "second" | "seconds" => 1,
        "min" | "mins" | "minute" | "minutes" => 60,
        "hr" | "hrs" | "hour" | "hours" => 3_600,
        _ => return None,
    };
    cursor.skip(word.chars().count());
    Some(seconds)
}

/// A number without a unit must stand alone, and be followed by what may follow a term.
fn no_unit(cursor: &Cursor, digits: &str, alone: bool) -> Result<(), ParseError> {
    let word = cursor.word();
    if !alone {
        let shown: String = digits.chars().take(12).collect();
        return Err(cursor.error(format!("expected a unit (sec, min or hour) after '{shown}'")));
    }
    if word.is_empty() || word == "and" || word == "or" {
        return Ok(());
    }
    Err(cursor.error_found("expected a unit (sec, min or hour), 'and' or 'or'"))
}

fn region(cursor: &mut Cursor) -> Result<Term, ParseError> {
    cursor.skip_space();
    if !cursor.eat('[') {
        return Ok(Term::InRegion(None));
    }
    Ok(Term::InRegion(Some(name(cursor, "the name of a region")?)))
}

fn open(cursor: &mut Cursor, word: &str) -> Result<(), ParseError> {
    cursor.skip_space();
    if cursor.eat('[') {
        return Ok(());
    }
    Err(cursor.error(format!("expected '[' after '{word}'")))
}

/// What stands before the closing bracket, trimmed.
fn name(cursor: &mut Cursor, what: &str) -> Result<String, ParseError> {
    cursor.skip_space();
    let name = cursor.run(|c| c != ']');
    if name.is_empty() {
        return Err(cursor.error(format!("expected {what} after '['")));
    }
    cursor.skip(name.chars().count());
    if !cursor.eat(']') {
        return Err(cursor.error(format!("expected ']' after {what}")));
    }
    Ok(name.trim().to_owned())
}

fn pressed(cursor: &mut Cursor) -> Result<Term, ParseError> {
    open(cursor, "pressed")?;
    let (letters, end) = letters(cursor)?;
    let mut entries: Vec<(u8, Key)> = Vec::new();
    let mut index = 0;
    while let Some((letter, column)) = letters.get(index).copied() {
        let next = match key(&letters, index) {
            Some(key) => (entries.last().map_or(0, |(level, _)| level + 1), key),
            None if letter.is_ascii_lowercase() => {
                index += 1;
                let Some(key) = key(&letters, index) else {
                    let column = letters.get(index).map_or(end, |(_, column)| *column);
                    return problem(column, format!("expected {KEYS} after '{letter}'"));
                };
                (letter as u8 - b'a', key)
            }
            None => {
                let expected = format!("expected {KEYS} or a level (a-z), found '{letter}'");
                return problem(column, expected);
            }
        };
        if entries.iter().any(|(level, _)| *level == next.0) {
            let level = level_letter(next.0);
            return problem(column, format!("expected each level once, found '{level}' again"));
        }
        if next.0 > 25 {
            return problem(column, "expected ']': no level comes after 'z'".to_owned());
        }
        if entries.len() == MAX_PRESSED {
            return problem(column, format!("expected at most {MAX_PRESSED} keys"));
        }
        entries.push(next);
        index += 1;
    }
    if entries.is_empty() {
        return problem(end, format!("expected {KEYS} after '['"));
    }
    Ok(Term::Pressed(entries))
}

fn problem<T>(column: usize, message: String) -> Result<T, ParseError> {
    Err(ParseError { column, message })
}

/// The characters between the brackets with their columns, and the closing bracket's column.
fn letters(cursor: &mut Cursor) -> Result<(Vec<(char, usize)>, usize), ParseError> {
    let mut letters = Vec::new();
    loop {
        let column = cursor.column();
        match cursor.next() {
            Some(']') => return Ok((letters, column)),
            Some(c) if c.is_whitespace() || c == ',' => {}
            Some(c) => {
                letters.push((c, column));
                if cursor.peek().is_some_and(is_word_character) {
                    let expected = format!("expected a space, a comma or ']' after '{c}'");
                    return Err(cursor.error(expected));
                }
            }
            None => return Err(cursor.error("expected ']' after the keys of 'pressed'")),
        }
    }
}

/// The key at an index. A lower-case `w` or `n` is one unless a key follows it: then it is a level.
fn key(letters: &[(char, usize)], index: usize) -> Option<Key> {
    let certain = |index: usize| match letters.get(index)?.0 {
        digit @ '1'..='9' => Some(Key::Digit(digit as u8 - b'0')),
        'W' => Some(Key::Wrong),
        'N' => Some(Key::None),
        _ => None,
    };
    certain(index).or_else(|| match letters.get(index)?.0 {
        'w' if certain(index + 1).is_none() => Some(Key::Wrong),
        'n' if certain(index + 1).is_none() => Some(Key::None),
        _ => None,
    })
}

fn text(cursor: &mut Cursor, fact: TextFact) -> Result<Term, ParseError> {
    cursor.skip_space();
    let test = if cursor.eat('=') {
        TextTest::Equals(quoted(cursor, "=")?)
    } else if cursor.peek() == Some('!') && cursor.peek_at(1) == Some('=') {
        cursor.skip(2);
        TextTest::Differs(quoted(cursor, "!=")?)
    } else if cursor.eat_word("contains") {
        TextTest::Contains(quoted(cursor, "contains")?)
    } else if cursor.eat_word("present") {
        TextTest::Present
    } else {
        let expected = format!("expected =, !=, contains or present after '{fact}'");
        return Err(cursor.error(expected));
    };
    Ok(Term::Text(fact, test))
}

/// Reads a quoted text. A plain quote is closed by a plain one and a typographic one by a
/// typographic one, so that each kind can stand inside the other.
fn quoted(cursor: &mut Cursor, after: &str) -> Result<String, ParseError> {
    cursor.skip_space();
    let start = cursor.column();
    let closes: fn(char) -> bool = match cursor.peek() {
        Some('"') => |c| c == '"',
        Some('\u{201c}' | '\u{201d}') => |c| matches!(c, '\u{201c}' | '\u{201d}'),
        _ => return Err(cursor.error(format!("expected a text in double quotes after '{after}'"))),
    };
    cursor.next();
    let mut text = String::new();
    while let Some(c) = cursor.next() {
        if closes(c) {
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
    Err(cursor.error(format!("expected a double quote to close the one at column {start}")))
}
