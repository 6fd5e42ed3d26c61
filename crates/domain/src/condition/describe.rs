//! English description of a condition, for readers who do not know the language.

use super::tree::{Comparison, Expr, Key, Term, TextFact, TextTest};

/// Prefix of a negated part that has no verb to negate. It extends to the end of the phrase, so a
/// phrase that starts with it needs parentheses.
const NEGATION_PREFIX: &str = "it is not true that";

impl Expr {
    /// Describes the condition in English, without a full stop: `the caller is on a mobile phone
    /// and the call lasts longer than 1 minute`. Nested operators are parenthesized so that the
    /// reader need not know their precedence. The empty condition is `always`.
    pub fn describe(&self) -> String {
        match self {
            Expr::Always => "always".to_owned(),
            Expr::Term(term) => describe_term(term, true),
            Expr::Not(inner) => match inner.as_ref() {
                Expr::Always => "never".to_owned(),
                Expr::Term(term) => describe_term(term, false),
                other => format!("{NEGATION_PREFIX} {}", other.describe_operand()),
            },
            Expr::And(members) => describe_operands(members, " and "),
            Expr::Or(members) => describe_operands(members, " or "),
        }
    }

    fn describe_operand(&self) -> String {
        let phrase = self.describe();
        let needs_parentheses =
            matches!(self, Expr::And(_) | Expr::Or(_)) || phrase.starts_with(NEGATION_PREFIX);
        if needs_parentheses { format!("({phrase})") } else { phrase }
    }
}

fn describe_operands(members: &[Expr], joiner: &str) -> String {
    let parts: Vec<String> = members.iter().map(Expr::describe_operand).collect();
    parts.join(joiner)
}

/// Describes a term, or its negation if `holds` is false.
fn describe_term(term: &Term, holds: bool) -> String {
    let is = if holds { "is" } else { "is not" };
    match term {
        Term::Duration(comparison, seconds) => {
            let lasts = if holds { "lasts" } else { "does not last" };
            format!("the call {lasts} {}", describe_comparison(*comparison, *seconds))
        }
        Term::ConnectDuration(comparison, seconds) => {
            format!("the caller {is} connected for {}", describe_comparison(*comparison, *seconds))
        }
        Term::Repeat => {
            let has = if holds { "has" } else { "has not" };
            format!("the caller {has} called before")
        }
        Term::Mobile => format!("the caller {is} on a mobile phone"),
        Term::Landline => format!("the caller {is} on a landline"),
        Term::SmsSent => {
            let was = if holds { "was" } else { "was not" };
            format!("the caller {was} sent a text message")
        }
        Term::DuringHours if holds => "the call comes during the campaign's hours".to_owned(),
        Term::DuringHours => "the call comes outside the campaign's hours".to_owned(),
        Term::InRegion(None) => format!("the caller {is} in one of the campaign's regions"),
        Term::InRegion(Some(name)) => format!("the caller {is} in the region \"{name}\""),
        Term::Pressed(entries) => describe_pressed(entries, holds),
        Term::Text(fact, test) => {
            let fact = match fact {
                TextFact::CustomData(field) => format!("the custom data field \"{field}\""),
                TextFact::AffiliateName => "the affiliate's name".to_owned(),
                TextFact::MediaType => "the media type".to_owned(),
                TextFact::PromoNumberDescription => "the promo number's description".to_owned(),
            };
            format!("{fact} {}", describe_text_test(test, holds))
        }
    }
}

fn describe_comparison(comparison: Comparison, seconds: u32) -> String {
    let time = format_duration(seconds);
    match comparison {
        Comparison::Greater => format!("longer than {time}"),
        Comparison::GreaterOrEqual => format!("at least {time}"),
        Comparison::Less => format!("less than {time}"),
        Comparison::LessOrEqual => format!("at most {time}"),
        Comparison::Equal => format!("exactly {time}"),
    }
}

fn format_duration(seconds: u32) -> String {
    let units = [(seconds / 3600, "hour"), (seconds / 60 % 60, "minute"), (seconds % 60, "second")];
    let parts: Vec<String> = units
        .into_iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, unit)| format!("{count} {unit}{}", if count == 1 { "" } else { "s" }))
        .collect();
    if parts.is_empty() { "0 seconds".to_owned() } else { parts.join(" ") }
}

fn describe_pressed(entries: &[(u8, Key)], holds: bool) -> String {
    let mut sorted = entries.to_vec();
    sorted.sort_by_key(|(level, _)| *level);
    let at_menus: Vec<String> = sorted
        .iter()
        .map(|(level, key)| {
            let key = match key {
                Key::Digit(digit) => digit.to_string(),
                Key::Wrong => "a wrong key".to_owned(),
                Key::None => "no key".to_owned(),
            };
            format!("{key} at the {} menu", ordinal(*level))
        })
        .collect();
    // "then" instead of "and" keeps the keys of one term together next to an "or".
    let keys = at_menus.join(", then ");
    match entries {
        _ if holds => format!("the caller pressed {keys}"),
        [(_, Key::Digit(_) | Key::Wrong)] => format!("the caller did not press {keys}"),
        _ => format!("{NEGATION_PREFIX} the caller pressed {keys}"),
    }
}

/// Returns the English ordinal of a menu level (0-based).
fn ordinal(level: u8) -> String {
    let number = u32::from(level) + 1;
    match number {
        1 => "first".to_owned(),
        2 => "second".to_owned(),
        3 => "third".to_owned(),
        4 => "fourth".to_owned(),
        5 => "fifth".to_owned(),
        21 => "21st".to_owned(),
        22 => "22nd".to_owned(),
        23 => "23rd".to_owned(),
        _ => format!("{number}th"),
    }
}

fn describe_text_test(test: &TextTest, holds: bool) -> String {
    match (test, holds) {
        (TextTest::Equals(text), true) | (TextTest::Differs(text), false) => {
            format!("is \"{text}\"")
        }
        (TextTest::Equals(text), false) | (TextTest::Differs(text), true) => {
            format!("is not \"{text}\"")
        }
        (TextTest::Contains(text), true) => format!("contains \"{text}\""),
        (TextTest::Contains(text), false) => format!("does not contain \"{text}\""),
        (TextTest::Present, true) => "is given".to_owned(),
        (TextTest::Present, false) => "is not given".to_owned(),
    }
}
