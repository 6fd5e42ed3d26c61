//! The same condition in other crates, in their fastest configuration: parsed once, with a prepared and
//! reused context for each call, and without unused features.
//!
//! A second timing replaces the facts by precomputed values of the terms (is the caller in the region,
//! were the keys pressed), which leaves three operators and a comparison.

use super::condition_calls::{CALLS, Call, calls};
use super::timing::Candidate;
use cel_interpreter::{Context, Program, Value as CelValue};
use evalexpr::{EvalexprError, EvalexprResult, Value};
use rhai::packages::{LogicPackage, Package};
use rhai::{Engine, OptimizationLevel, Scope};
use std::error::Error;
use std::hint::black_box;

const FACTS: &str = r#"duration >= 90 && (region == "CA" || region == "OR" || region == "WA" || key_1 == 1 && key_2 == 2) && !repeat"#;
const ANSWERS: &str = "duration >= 90 && (west_coast || pressed_1_2) && !repeat";

type Candidates = Result<Vec<Candidate<'static>>, Box<dyn Error>>;

pub(super) fn on_facts() -> Candidates {
    Ok(vec![cel(FACTS)?, evalexpr(FACTS)?, rhai(FACTS)?])
}

pub(super) fn on_answers() -> Candidates {
    Ok(vec![cel(ANSWERS)?, evalexpr(ANSWERS)?, rhai(ANSWERS)?])
}

/// Checks that a crate computes the expected value.
fn check(name: &str, call: &Call, result: Option<bool>) -> Result<(), Box<dyn Error>> {
    if result == Some(call.expected) {
        return Ok(());
    }
    Err(format!("{name} evaluates {call:?} to {result:?}").into())
}

/// `cel-interpreter` with contexts without functions, because the condition calls none.
fn cel(text: &str) -> Result<Candidate<'static>, Box<dyn Error>> {
    let program = Program::compile(text).map_err(|error| error.to_string())?;
    let mut contexts = Vec::new();
    for call in calls() {
        let plain = call.plain;
        let answers = call.plain.answers();
        let mut context = Context::empty();
        context.add_variable_from_value("duration", i64::from(plain.duration));
        context.add_variable_from_value("region", plain.region);
        context.add_variable_from_value("key_1", i64::from(plain.keys[0]));
        context.add_variable_from_value("key_2", i64::from(plain.keys[1]));
        context.add_variable_from_value("west_coast", answers.west_coast);
        context.add_variable_from_value("pressed_1_2", answers.pressed);
        context.add_variable_from_value("repeat", plain.repeat);
        let result = match program.execute(&context) {
            Ok(CelValue::Bool(value)) => Some(value),
            _ => None,
        };
        check("cel-interpreter", &call, result)?;
        contexts.push(context);
    }
    Ok(Candidate::new("cel-interpreter", move |iteration| {
        let context = &contexts[iteration % CALLS];
        black_box(program.execute(black_box(context))).ok();
    }))
}

/// Context that looks values up by name without a hash map.
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

fn evalexpr(text: &str) -> Result<Candidate<'static>, Box<dyn Error>> {
    let tree = evalexpr::build_operator_tree(text)?;
    let mut contexts = Vec::new();
    for call in calls() {
        let plain = call.plain;
        let answers = call.plain.answers();
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
    Ok(Candidate::new("evalexpr", move |iteration| {
        let context = &contexts[iteration % CALLS];
        black_box(tree.eval_boolean_with_context(black_box(context))).ok();
    }))
}

/// `rhai` with a raw engine, fast operators and full optimization; the crate is built `unchecked` and
/// without features that expressions do not need.
fn rhai(text: &str) -> Result<Candidate<'static>, Box<dyn Error>> {
    let mut engine = Engine::new_raw();
    LogicPackage::new().register_into_engine(&mut engine);
    engine.set_fast_operators(true);
    engine.set_optimization_level(OptimizationLevel::Full);
    let mut scopes: Vec<Scope<'static>> = Vec::new();
    let tree = engine.compile_expression(text)?;
    for call in calls() {
        let plain = call.plain;
        let answers = call.plain.answers();
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
    Ok(Candidate::new("rhai", move |iteration| {
        let at = iteration % CALLS;
        let scope = black_box(&mut scopes[at]);
        black_box(engine.eval_ast_with_scope::<bool>(scope, &tree)).ok();
    }))
}
