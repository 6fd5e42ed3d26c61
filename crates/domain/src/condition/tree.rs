//! What a condition means: a tree of terms, and the tree's normal text.

use serde::{Deserialize, Serialize};
use std::fmt::{self, Display, Formatter};

/// A condition's meaning.
///
/// [`Expr::and`], [`Expr::or`] and [`Expr::not`] keep the tree normal, and parsing makes no other:
/// `And` and `Or` have at least two members, none of their own kind; `Not` holds no `Not`; `Always`
/// stands only at the top. The text that `Display` prints of a normal tree is parsed into the same
/// tree again.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Expr {
    /// The empty condition.
    Always,
    /// One question about the call.
    Term(Term),
    /// True when the inner one is false.
    Not(Box<Expr>),
    /// True when every member is.
    And(Vec<Expr>),
    /// True when a member is.
    Or(Vec<Expr>),
}

impl Expr {
    /// All of the members: flattened, without `Always`. Of none, `Always`.
    pub fn and(members: Vec<Expr>) -> Expr {
        let mut flat = Vec::with_capacity(members.len());
        for member in members {
            match member {
                Expr::Always => {}
                Expr::And(inner) => flat.extend(inner),
                other => flat.push(other),
            }
        }
        match flat.len() {
            0 => Expr::Always,
            1 => flat.remove(0),
            _ => Expr::And(flat),
        }
    }

    /// Any of the members: flattened; `Always` if one of them is. Of none, never true: `Not` of
    /// `Always`, which has no text in the language.
    pub fn or(members: Vec<Expr>) -> Expr {
        let mut flat = Vec::with_capacity(members.len());
        for member in members {
            match member {
                Expr::Always => return Expr::Always,
                Expr::Or(inner) => flat.extend(inner),
                other => flat.push(other),
            }
        }
        match flat.len() {
            0 => Expr::not(Expr::Always),
            1 => flat.remove(0),
            _ => Expr::Or(flat),
        }
    }

    /// The opposite; the opposite of an opposite is the thing itself.
    #[expect(clippy::should_implement_trait, reason = "it is named beside `and` and `or`")]
    pub fn not(inner: Expr) -> Expr {
        match inner {
            Expr::Not(inner) => *inner,
            other => Expr::Not(Box::new(other)),
        }
    }

    /// Every term, left to right, as often as it is written.
    pub fn terms(&self) -> Vec<&Term> {
        match self {
            Expr::Always => Vec::new(),
            Expr::Term(term) => vec![term],
            Expr::Not(inner) => inner.terms(),
            Expr::And(members) | Expr::Or(members) => {
                members.iter().flat_map(Expr::terms).collect()
            }
        }
    }

    /// How tightly its parts hold together: what is looser than its place needs parentheses.
    fn tightness(&self) -> u8 {
        match self {
            Expr::Or(_) => 0,
            Expr::And(_) => 1,
            Expr::Always | Expr::Term(_) | Expr::Not(_) => 2,
        }
    }

    fn print(&self, f: &mut Formatter<'_>, place: u8) -> fmt::Result {
        if self.tightness() < place {
            f.write_str("(")?;
            self.print(f, 0)?;
            return f.write_str(")");
        }
        let (members, joiner) = match self {
            Expr::Always => return Ok(()),
            Expr::Term(term) => return term.fmt(f),
            Expr::Not(inner) => {
                f.write_str("not ")?;
                return inner.print(f, 2);
            }
            Expr::And(members) => (members, " and "),
            Expr::Or(members) => (members, " or "),
        };
        for (index, member) in members.iter().enumerate() {
            f.write_str(if index == 0 { "" } else { joiner })?;
            member.print(f, self.tightness())?;
        }
        Ok(())
    }
}

impl Display for Expr {
    /// The normal text: words in lower case, times in seconds, no more parentheses than needed.
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.print(f, 0)
    }
}

/// One question about a call.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Term {
    /// `duration > 60`: how long the whole call lasts, in seconds.
    Duration(Comparison, u32),
    /// `connect_duration > 60`: how long caller and destination are connected, in seconds; never
    /// longer than the call.
    ConnectDuration(Comparison, u32),
    /// `repeat`: the caller has called before.
    Repeat,
    /// `mobile`: the caller is on a mobile phone.
    Mobile,
    /// `landline`: the caller is on a landline; never together with `mobile`.
    Landline,
    /// `sms_sent`: the caller was sent a text message.
    SmsSent,
    /// `during_hours`: the call comes in the campaign's hours.
    DuringHours,
    /// `in_region` (any of the campaign's named regions) or `in_region[West Coast]` (that one).
    InRegion(Option<String>),
    /// `pressed[1 2]`: the key pressed in each of these menus; level 0 is the first menu, 25 the
    /// last that can be named. At least one, each level once.
    Pressed(Vec<(u8, Key)>),
    /// `media_type = "Online"`: a text that came with the call.
    Text(TextFact, TextTest),
}

impl Display for Term {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Term::Duration(is, seconds) => write!(f, "duration {is} {seconds}"),
            Term::ConnectDuration(is, seconds) => write!(f, "connect_duration {is} {seconds}"),
            Term::Repeat => f.write_str("repeat"),
            Term::Mobile => f.write_str("mobile"),
            Term::Landline => f.write_str("landline"),
            Term::SmsSent => f.write_str("sms_sent"),
            Term::DuringHours => f.write_str("during_hours"),
            Term::InRegion(None) => f.write_str("in_region"),
            Term::InRegion(Some(name)) => write!(f, "in_region[{name}]"),
            Term::Pressed(entries) => print_pressed(f, entries),
            Term::Text(fact, test) => write!(f, "{fact} {test}"),
        }
    }
}

/// Keys of the menus from the first on go without letters.
fn print_pressed(f: &mut Formatter<'_>, entries: &[(u8, Key)]) -> fmt::Result {
    let in_order = entries.iter().zip(0_u8..).all(|((level, _), index)| *level == index);
    f.write_str("pressed[")?;
    for (index, (level, key)) in entries.iter().enumerate() {
        f.write_str(if index == 0 { "" } else { " " })?;
        if !in_order {
            write!(f, "{} ", level_letter(*level))?;
        }
        write!(f, "{key}")?;
    }
    f.write_str("]")
}

/// How a time is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Comparison {
    /// `>`
    Greater,
    /// `>=`
    GreaterOrEqual,
    /// `<`
    Less,
    /// `<=`
    LessOrEqual,
    /// `=`
    Equal,
}

impl Comparison {
    /// Whether it holds between two numbers of seconds.
    pub fn holds(self, left: u32, right: u32) -> bool {
        match self {
            Comparison::Greater => left > right,
            Comparison::GreaterOrEqual => left >= right,
            Comparison::Less => left < right,
            Comparison::LessOrEqual => left <= right,
            Comparison::Equal => left == right,
        }
    }
}

impl Display for Comparison {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Comparison::Greater => ">",
            Comparison::GreaterOrEqual => ">=",
            Comparison::Less => "<",
            Comparison::LessOrEqual => "<=",
            Comparison::Equal => "=",
        })
    }
}

/// What a caller can do at a menu.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Key {
    /// One of the keys 1–9.
    Digit(u8),
    /// `W`: a key that the menu does not have.
    Wrong,
    /// `N`: no key at all.
    None,
}

/// The letter that names a level: `a` for 0, the first menu, to `z` for 25.
pub(super) fn level_letter(level: u8) -> char {
    char::from(b'a' + level.min(25))
}

impl Display for Key {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Key::Digit(digit) => write!(f, "{digit}"),
            Key::Wrong => f.write_str("W"),
            Key::None => f.write_str("N"),
        }
    }
}

/// A text that comes with a call.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum TextFact {
    /// `custom_data[field]`: that field of the call's custom data.
    CustomData(String),
    /// `affiliate_name`: the name of the affiliate who brought the call.
    AffiliateName,
    /// `media_type`: the media type of the affiliate's campaign or promo number.
    MediaType,
    /// `promo_number_description`: the description of the promo number called.
    PromoNumberDescription,
}

impl Display for TextFact {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            TextFact::CustomData(field) => write!(f, "custom_data[{field}]"),
            TextFact::AffiliateName => f.write_str("affiliate_name"),
            TextFact::MediaType => f.write_str("media_type"),
            TextFact::PromoNumberDescription => f.write_str("promo_number_description"),
        }
    }
}

/// What is asked of a text. A text that the call is known not to have differs from every other and
/// is nothing else.
///
/// Typographic hyphens and spaces of the call's text count as plain ones, as they do in the
/// condition ([`crate::text::plain`]); otherwise `=` and `!=` are exact, capitals and spaces
/// included. `contains` takes no notice of capitals.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum TextTest {
    /// `= "…"`: it is there and exactly this.
    Equals(String),
    /// `!= "…"`: the opposite of `=`.
    Differs(String),
    /// `contains "…"`: it is there and has this in it, in capitals or not.
    Contains(String),
    /// `present`: it is there, even if empty.
    Present,
}

impl Display for TextTest {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let (word, text) = match self {
            TextTest::Equals(text) => ("=", text),
            TextTest::Differs(text) => ("!=", text),
            TextTest::Contains(text) => ("contains", text),
            TextTest::Present => return f.write_str("present"),
        };
        write!(f, "{word} \"{}\"", text.replace('\\', r"\\").replace('"', r#"\""#))
    }
}
