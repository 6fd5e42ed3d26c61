//! Why a condition came out as it did.

use super::evaluate::{Facts, Pressed, all, any};
use super::tree::{Expr, Term, level_letter};
use serde::Serialize;
use serde_json::{Map, Value};

/// A node of a condition with its value, those of its parts and the fact behind a term.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Explanation {
    /// The node's normal text; empty for the condition that is always true.
    pub text: String,
    /// What it came out as; `None` is unknown.
    pub value: Option<bool>,
    /// `and`, `or`, `not` or `term`.
    pub op: &'static str,
    /// The parts of an `and`, `or` or `not`.
    pub terms: Vec<Explanation>,
    /// The fact behind a term, by its name in the language: `{"duration": 75}`. `null` is unknown;
    /// `false` is a text that is known not to be there, or a menu that was never reached
    /// (`{"pressed[a]": "1", "pressed[b]": false}`).
    pub fact: Option<Value>,
}

impl Expr {
    /// Evaluates and says why: at every node the value is what [`Expr::evaluate`] gives there.
    pub fn explain<F: Facts + ?Sized>(&self, facts: &F) -> Explanation {
        let terms: Vec<Explanation> = match self {
            Expr::Always | Expr::Term(_) => Vec::new(),
            Expr::Not(inner) => vec![inner.explain(facts)],
            Expr::And(members) | Expr::Or(members) => {
                members.iter().map(|member| member.explain(facts)).collect()
            }
        };
        let mut values = terms.iter().map(|term| term.value);
        let (op, value) = match self {
            Expr::Always => ("term", Some(true)),
            Expr::Term(term) => ("term", term.evaluate(facts)),
            Expr::Not(_) => ("not", values.next().flatten().map(|value| !value)),
            Expr::And(_) => ("and", all(values)),
            Expr::Or(_) => ("or", any(values)),
        };
        let fact = match self {
            Expr::Term(term) => Some(Value::Object(fact(term, facts))),
            _ => None,
        };
        Explanation { text: self.to_string(), value, op, terms, fact }
    }
}

fn fact<F: Facts + ?Sized>(term: &Term, facts: &F) -> Map<String, Value> {
    let known = match term {
        Term::Duration(..) => return one("duration", facts.duration()),
        Term::ConnectDuration(..) => return one("connect_duration", facts.connect_duration()),
        Term::Repeat => facts.repeat(),
        Term::Mobile => facts.mobile(),
        Term::Landline => facts.landline(),
        Term::SmsSent => facts.sms_sent(),
        Term::DuringHours => facts.during_hours(),
        Term::InRegion(name) => facts.in_region(name.as_deref()),
        Term::Pressed(entries) => {
            let named = entries.iter().map(|(level, _)| {
                let name = format!("pressed[{}]", level_letter(*level));
                (name, facts.pressed(*level).map_or(Value::Null, pressed))
            });
            return named.collect();
        }
        Term::Text(fact, _) => {
            let text = facts.text(fact).map(|text| text.map_or(Value::Bool(false), Value::from));
            return one(&fact.to_string(), text);
        }
    };
    one(&term.to_string(), known)
}

fn one(name: &str, value: Option<impl Into<Value>>) -> Map<String, Value> {
    Map::from_iter([(name.to_owned(), value.map_or(Value::Null, Into::into))])
}

fn pressed(pressed: Pressed) -> Value {
    match pressed {
        Pressed::Key(key) => Value::String(key.to_string()),
        Pressed::NeverReached => Value::Bool(false),
    }
}
