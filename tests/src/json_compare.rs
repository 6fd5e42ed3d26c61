//! Comparison of JSON bodies. The numbers `7`, `7.0` and `7.00` are equal.

use serde_json::{Map, Number, Value};

/// Asserts that two bodies are equal, except for the order of names and the spelling of numbers. Prints
/// both on failure.
#[track_caller]
pub fn assert_json_eq(actual: &Value, expected: &Value) {
    let actual = normalize(actual);
    let expected = normalize(expected);
    assert_eq!(
        actual,
        expected,
        "\nactual: {}\nexpected: {}",
        serde_json::to_string_pretty(&actual).unwrap_or_default(),
        serde_json::to_string_pretty(&expected).unwrap_or_default()
    );
}

/// Normalizes the spelling of numbers and sorts names, so that equal bodies print alike.
fn normalize(value: &Value) -> Value {
    match value {
        Value::Number(number) => {
            let number = number.as_f64().and_then(Number::from_f64);
            number.map_or_else(|| value.clone(), Value::Number)
        }
        Value::Array(items) => items.iter().map(normalize).collect(),
        Value::Object(map) => {
            let mut names: Vec<&String> = map.keys().collect();
            names.sort();
            let sorted = names.into_iter().map(|name| (name.clone(), normalize(&map[name])));
            Value::Object(sorted.collect::<Map<_, _>>())
        }
        _ => value.clone(),
    }
}

/// Copy of `expected` with the values at some JSON pointers taken from another body. For values that the
/// server chooses, such as ids and times.
#[track_caller]
pub fn with_values_from(expected: &Value, from: &Value, pointers: &[&str]) -> Value {
    let mut expected = expected.clone();
    for pointer in pointers {
        let value = from.pointer(pointer).unwrap_or_else(|| panic!("no {pointer} in {from}"));
        let target = expected.pointer_mut(pointer);
        *target.unwrap_or_else(|| panic!("no {pointer} in the expected body")) = value.clone();
    }
    expected
}
