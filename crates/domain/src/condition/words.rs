//! A condition in words, for people who do not write conditions.

use super::tree::{Comparison, Expr, Key, Term, TextFact, TextTest};

/// How the opposite of what has no verb of its own to negate begins; it would take in all that
/// follows.
const NOT_TRUE: &str = "it is not true that";

impl Expr {
    /// The condition as a sentence without its full stop: `the caller is on a mobile phone and the
    /// call lasts longer than 1 minute`. Parts of parts are in parentheses, because few readers
    /// know what binds tighter. `always` for the empty condition.
    pub fn in_words(&self) -> String {
        match self {
            Expr::Always => "always".to_owned(),
            Expr::Term(term) => words(term, true),
            Expr::Not(inner) => match inner.as_ref() {
                Expr::Always => "never".to_owned(),
                Expr::Term(term) => words(term, false),
                other => format!("{NOT_TRUE} {}", other.as_part()),
            },
            Expr::And(members) => joined(members, " and "),
            Expr::Or(members) => joined(members, " or "),
        }
    }

    fn as_part(&self) -> String {
        let words = self.in_words();
        let open_ended = matches!(self, Expr::And(_) | Expr::Or(_)) || words.starts_with(NOT_TRUE);
        if open_ended { format!("({words})") } else { words }
    }
}

fn joined(members: &[Expr], joiner: &str) -> String {
    let parts: Vec<String> = members.iter().map(Expr::as_part).collect();
    parts.join(joiner)
}

/// A term, or its opposite.
fn words(term: &Term, holds: bool) -> String {
    let is = if holds { "is" } else { "is not" };
    match term {
        Term::Duration(comparison, seconds) => {
            let lasts = if holds { "lasts" } else { "does not last" };
            format!("the call {lasts} {}", compared(*comparison, *seconds))
        }
        Term::ConnectDuration(comparison, seconds) => {
            format!("the caller {is} connected for {}", compared(*comparison, *seconds))
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
        Term::Pressed(entries) => pressed(entries, holds),
        Term::Text(fact, test) => {
            let fact = match fact {
                TextFact::CustomData(field) => format!("the custom data field \"{field}\""),
                TextFact::AffiliateName => "the affiliate's name".to_owned(),
                TextFact::MediaType => "the media type".to_owned(),
                TextFact::PromoNumberDescription => "the promo number's description".to_owned(),
            };
            format!("{fact} {}", tested(test, holds))
        }
    }
}

fn compared(comparison: Comparison, seconds: u32) -> String {
    let time = time(seconds);
    match comparison {
        Comparison::Greater => format!("longer than {time}"),
        Comparison::GreaterOrEqual => format!("at least {time}"),
        Comparison::Less => format!("less than {time}"),
        Comparison::LessOrEqual => format!("at most {time}"),
        Comparison::Equal => format!("exactly {time}"),
    }
}

fn time(seconds: u32) -> String {
    let units = [(seconds / 3600, "hour"), (seconds / 60 % 60, "minute"), (seconds % 60, "second")];
    let parts: Vec<String> = units
        .into_iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, unit)| format!("{count} {unit}{}", if count == 1 { "" } else { "s" }))
        .collect();
    if parts.is_empty() { "0 seconds".to_owned() } else { parts.join(" ") }
}

fn pressed(entries: &[(u8, Key)], holds: bool) -> String {
    let mut in_order = entries.to_vec();
    in_order.sort_by_key(|(level, _)| *level);
    let at_menus: Vec<String> = in_order
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
    // "then" and not "and", so that the parts of one term stay together between "or"s.
    let keys = at_menus.join(", then ");
    match entries {
        _ if holds => format!("the caller pressed {keys}"),
        [(_, Key::Digit(_) | Key::Wrong)] => format!("the caller did not press {keys}"),
        _ => format!("{NOT_TRUE} the caller pressed {keys}"),
    }
}

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

fn tested(test: &TextTest, holds: bool) -> String {
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
