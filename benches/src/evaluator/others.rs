//! The same condition in other crates, each at its best: parsed once, with a context for each call
//! made beforehand and used again and again, and without what it can do without.
//!
//! They are timed a second time on the answers to the terms instead of the facts (whether the
//! caller is in the region, whether the keys were pressed), where nothing is left to them but three
//! operators and a comparison.

use super::clock::Contestant;
use super::question::{CALLS, Call, calls};
use cel_interpreter::{Context, Program, Value as CelValue};
use evalexpr::{EvalexprError, EvalexprResult, Value};
use rhai::packages::{LogicPackage, Package};
use rhai::{Engine, OptimizationLevel, Scope};
use std::error::Error;
use std::hint::black_box;

const FACTS: &str = r#"duration >= 90 && (region == "CA" || region == "OR" || region == "WA" || key_1 == 1 && key_2 == 2) && !repeat"#;
const ANSWERS: &str = "duration >= 90 && (west_coast || pressed_1_2) && !repeat";

type All = Result<Vec<Contestant<'static>>, Box<dyn Error>>;

pub(super) fn on_facts() -> All {
    Ok(vec![cel(FACTS)?, evalexpr(FACTS)?, rhai(FACTS)?])
}

pub(super) fn on_answers() -> All {
    Ok(vec![cel(ANSWERS)?, evalexpr(ANSWERS)?, rhai(ANSWERS)?])
}

fn check(name: &str, call: &Call, said: Option<bool>) -> Result<(), Box<dyn Error>> {
    if said == Some(call.answer) {
        return Ok(());
    }
    Err(format!("{name} says {said:?} of {call:?}").into())
}

/// A context without functions: none is called.
fn cel(text: &str) -> Result<Contestant<'static>, Box<dyn Error>> {
    let program = Program::compile(text).map_err(|error| error.to_string())?;
    let mut contexts = Vec::new();
    for call in calls() {
        let (plain, answers) = (call.plain, call.plain.answers());
        let mut context = Context::empty();
        context.add_variable_from_value("duration", i64::from(plain.duration));
        context.add_variable_from_value("region", plain.region);
        context.add_variable_from_value("key_1", i64::from(plain.keys[0]));
        context.add_variable_from_value("key_2", i64::from(plain.keys[1]));
        context.add_variable_from_value("west_coast", answers.west_coast);
        context.add_variable_from_value("pressed_1_2", answers.pressed);
        context.add_variable_from_value("repeat", plain.repeat);
        let said = match program.execute(&context) {
            Ok(CelValue::Bool(said)) => Some(said),
            _ => None,
        };
        check("cel-interpreter", &call, said)?;
        contexts.push(context);
    }
    Ok(Contestant::new("cel-interpreter", move |turn| {
        let context = &contexts[turn % CALLS];
        let _said = black_box(program.execute(black_box(context)));
    }))
}

/// Values found by name without a hash map.
struct Facts {
    duration: Value,
    region: Value,
    keys: [Value; 2],
    west_coast: Value,
    pressed: Value,
    repeat: Value,
}

impl evalexpr::Context for Facts {
    fn get_value(&self, identifier: &str) -> Option<&Value> {
        match identifier {
            "duration" => Some(&self.duration),
            "region" => Some(&self.region),
            "key_1" => Some(&self.keys[0]),
            "key_2" => Some(&self.keys[1]),
            "west_coast" => Some(&self.west_coast),
            "pressed_1_2" => Some(&self.pressed),
            "repeat" => Some(&self.repeat),
            _ => None,
        }
    }

    fn call_function(&self, identifier: &str, _: &Value) -> EvalexprResult<Value> {
        Err(EvalexprError::FunctionIdentifierNotFound(identifier.to_owned()))
    }

    fn are_builtin_functions_disabled(&self) -> bool {
        true
    }

    fn set_builtin_functions_disabled(&mut self, _: bool) -> EvalexprResult<()> {
        Ok(())
    }
}

fn evalexpr(text: &str) -> Result<Contestant<'static>, Box<dyn Error>> {
    let tree = evalexpr::build_operator_tree(text)?;
    let mut contexts = Vec::new();
    for call in calls() {
        let (plain, answers) = (call.plain, call.plain.answers());
        let context = Facts {
            duration: Value::Int(plain.duration.into()),
            region: Value::String(plain.region.to_owned()),
            keys: plain.keys.map(|key| Value::Int(key.into())),
            west_coast: Value::Boolean(answers.west_coast),
            pressed: Value::Boolean(answers.pressed),
            repeat: Value::Boolean(plain.repeat),
        };
        check("evalexpr", &call, tree.eval_boolean_with_context(&context).ok())?;
        contexts.push(context);
    }
    Ok(Contestant::new("evalexpr", move |turn| {
        let context = &contexts[turn % CALLS];
        let _said = black_box(tree.eval_boolean_with_context(black_box(context)));
    }))
}

/// A raw engine with fast operators and full optimization; the crate is built `unchecked` and
/// without what expressions do not need.
fn rhai(text: &str) -> Result<Contestant<'static>, Box<dyn Error>> {
    let mut engine = Engine::new_raw();
    LogicPackage::new().register_into_engine(&mut engine);
    engine.set_fast_operators(true);
    engine.set_optimization_level(OptimizationLevel::Full);
    let mut scopes: Vec<Scope<'static>> = Vec::new();
    let tree = engine.compile_expression(text)?;
    for call in calls() {
        let (plain, answers) = (call.plain, call.plain.answers());
        let mut scope = Scope::new();
        scope.push("region", plain.region.to_owned());
        scope.push("key_1", i64::from(plain.keys[0]));
        scope.push("key_2", i64::from(plain.keys[1]));
        scope.push("west_coast", answers.west_coast);
        scope.push("pressed_1_2", answers.pressed);
        scope.push("repeat", plain.repeat);
        scope.push("duration", i64::from(plain.duration));
        check("rhai", &call, engine.eval_ast_with_scope(&mut scope, &tree).ok())?;
        scopes.push(scope);
    }
    Ok(Contestant::new("rhai", move |turn| {
        let at = turn % CALLS;
        let scope = black_box(&mut scopes[at]);
        let _said = black_box(engine.eval_ast_with_scope::<bool>(scope, &tree));
    }))
}
