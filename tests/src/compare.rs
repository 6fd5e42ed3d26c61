//! Comparing bodies: `7`, `7.0` and `7.00` are equal numbers.

use serde_json::{Map, Number, Value};

/// Fails, with both bodies printed, unless they are the same; the order of names and the way
/// numbers are written aside.
#[track_caller]
pub fn assert_same(actual: &Value, expected: &Value) {
    let (actual, expected) = (plain(actual), plain(expected));
    assert_eq!(
        actual,
        expected,
        "\nactual: {}\nexpected: {}",
        serde_json::to_string_pretty(&actual).unwrap_or_default(),
        serde_json::to_string_pretty(&expected).unwrap_or_default()
    );
}

/// Numbers in one spelling, and names in order so that two bodies print alike.
fn plain(value: &Value) -> Value {
    match value {
        Value::Number(number) => {
            let number = number.as_f64().and_then(Number::from_f64);
            number.map_or_else(|| value.clone(), Value::Number)
        }
        Value::Array(items) => items.iter().map(plain).collect(),
        Value::Object(map) => {
            let mut names: Vec<&String> = map.keys().collect();
            names.sort();
            let sorted = names.into_iter().map(|name| (name.clone(), plain(&map[name])));
            Value::Object(sorted.collect::<Map<_, _>>())
        }
        _ => value.clone(),
    }
}

/// A body with some places (JSON pointers) taken over from another: what nobody can know before,
/// such as ids and times.
#[track_caller]
pub fn patched(expected: &Value, from: &Value, pointers: &[&str]) -> Value {
    let mut expected = expected.clone();
    for pointer in pointers {
        let value = from.pointer(pointer).unwrap_or_else(|| panic!("no {pointer} in {from}"));
        let place = expected.pointer_mut(pointer);
        *place.unwrap_or_else(|| panic!("no {pointer} in what is expected")) = value.clone();
    }
    expected
}
