//! Explanation of the value of a condition, node by node.

use super::evaluate::{Facts, MenuInput, kleene_and, kleene_or};
use super::tree::{Expr, Term, level_letter};
use serde::Serialize;
use serde_json::{Map, Value};

/// Condition node with its value, the explanations of its children and the fact of a term.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Explanation {
    /// Normalized text of the node; empty for the empty condition.
    pub text: String,
    /// Value; `None` is unknown.
    pub value: Option<bool>,
    /// Operator: `and`, `or`, `not` or `term`.
    pub op: &'static str,
    /// Operands of an `and`, `or` or `not`.
    pub terms: Vec<Explanation>,
    /// Fact that a term tests, keyed by its name in the language: `{"duration": 75}`. `null` is
    /// unknown. `false` is a text that is known to be absent, or a menu that was never reached:
    /// `{"pressed[a]": "1", "pressed[b]": false}`.
    pub fact: Option<Value>,
}

impl Expr {
    /// Evaluates the condition and explains it. The value of each node equals that of
    /// [`Expr::evaluate`].
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
            Expr::And(_) => ("and", kleene_and(values)),
            Expr::Or(_) => ("or", kleene_or(values)),
        };
        let fact = match self {
            Expr::Term(term) => Some(Value::Object(tested_facts(term, facts))),
            _ => None,
        };
        Explanation { text: self.to_string(), value, op, terms, fact }
    }
}

/// Returns the facts that a term tests, keyed by their names in the language.
fn tested_facts<F: Facts + ?Sized>(term: &Term, facts: &F) -> Map<String, Value> {
    let flag = match term {
        Term::Duration(..) => return single_entry("duration", facts.duration()),
        Term::ConnectDuration(..) => {
            return single_entry("connect_duration", facts.connect_duration());
        }
        Term::Repeat => facts.repeat(),
        Term::Mobile => facts.mobile(),
        Term::Landline => facts.landline(),
        Term::SmsSent => facts.sms_sent(),
        Term::DuringHours => facts.during_hours(),
        Term::InRegion(name) => facts.in_region(name.as_deref()),
        Term::Pressed(entries) => {
            let menus = entries.iter().map(|(level, _)| {
                let name = format!("pressed[{}]", level_letter(*level));
                (name, facts.pressed(*level).map_or(Value::Null, menu_input_to_json))
            });
            return menus.collect();
        }
        Term::Text(fact, _) => {
            let text = facts.text(fact).map(|text| text.map_or(Value::Bool(false), Value::from));
            return single_entry(&fact.to_string(), text);
        }
    };
    single_entry(&term.to_string(), flag)
}

fn single_entry(name: &str, value: Option<impl Into<Value>>) -> Map<String, Value> {
    Map::from_iter([(name.to_owned(), value.map_or(Value::Null, Into::into))])
}

fn menu_input_to_json(input: MenuInput) -> Value {
    match input {
        MenuInput::Key(key) => Value::String(key.to_string()),
        MenuInput::NeverReached => Value::Bool(false),
    }
}
