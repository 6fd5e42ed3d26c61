//! Strict JSON parser. Duplicate names, U+0000, lone surrogates and nesting deeper than 128 levels
//! are errors, with their position.

use serde::de::{self, Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};
use std::fmt;

/// Name under which serde_json passes a number's exact text (feature `arbitrary_precision`).
const NUMBER: &str = "$serde_json::private::Number";

/// UTF-8 encoding of the byte-order mark, which some clients write before a text.
const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();

/// Parses one JSON value. A byte-order mark before it is ignored. The error contains line and column.
pub(crate) fn parse(bytes: &[u8]) -> Result<Value, serde_json::Error> {
    let bytes = strip_byte_order_mark(bytes);
    serde_json::from_slice::<Strict>(bytes).map(|Strict(value)| value)
}

/// Returns a text without the byte-order mark before it.
pub(crate) fn strip_byte_order_mark(bytes: &[u8]) -> &[u8] {
    bytes.strip_prefix(BYTE_ORDER_MARK).unwrap_or(bytes)
}

/// Tests if a media type, in lower case and without parameters, is one of JSON.
pub(crate) fn is_json_media_type(media_type: &str) -> bool {
    media_type == "application/json" || media_type == "text/json" || media_type.ends_with("+json")
}

/// Serializes a JSON value.
pub(crate) fn to_string(value: &Value) -> String {
    serde_json::to_string(value).expect("a value's names are strings")
}

struct Strict(Value);

impl<'de> Deserialize<'de> for Strict {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(StrictVisitor).map(Strict)
    }
}

struct StrictVisitor;

fn check_text<E: de::Error>(text: &str) -> Result<String, E> {
    if text.contains('\0') {
        return Err(E::custom("U+0000 is not allowed"));
    }
    Ok(text.to_owned())
}

impl<'de> Visitor<'de> for StrictVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(Number::from_f64(value).map_or(Value::Null, Value::Number))
    }

    fn visit_str<E: de::Error>(self, value: &str) -> Result<Value, E> {
        check_text(value).map(Value::String)
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut values = Vec::new();
        while let Some(Strict(value)) = items.next_element()? {
            values.push(value);
        }
        Ok(Value::Array(values))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let mut map = Map::new();
        while let Some(name) = entries.next_key::<String>()? {
            if map.is_empty() && name == NUMBER {
                let number: String = entries.next_value()?;
                return number.parse().map(Value::Number).map_err(de::Error::custom);
            }
            let name = check_text(&name)?;
            if map.contains_key(&name) {
                return Err(de::Error::custom(format_args!("the name \"{name}\" is given twice")));
            }
            let Strict(value) = entries.next_value()?;
            map.insert(name, value);
        }
        Ok(Value::Object(map))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn parse_error(text: &str) -> String {
        parse(text.as_bytes()).expect_err(text).to_string()
    }

    #[test]
    fn numbers_keep_their_exact_text() {
        let value = parse(br#"{"a": [4.50, 1e400, -0, null, true, "x"]}"#).unwrap();
        assert_eq!(value.to_string(), r#"{"a":[4.50,1e+400,-0,null,true,"x"]}"#);
        assert_eq!(parse(b" {} ").unwrap(), json!({}));
    }

    #[test]
    fn errors_contain_line_and_column() {
        let duplicate = "the name \"a\" is given twice at line 2 column 12";
        assert_eq!(parse_error("{\"a\": 1,\n \"b\": 2, \"a\": 3}"), duplicate);
        assert!(parse_error("{\"a\": \"\\u0000\"}").contains("U+0000 is not allowed at line 1"));
        assert!(parse_error("{\"\\u0000\": 1}").contains("U+0000 is not allowed at line 1"));
        assert!(parse_error("{\"a\": \"\\ud800\"}").contains("at line 1 column"));
        assert!(parse_error(&"[".repeat(10_000)).contains("recursion limit"));
        assert!(parse_error("{\"a\": 1} x").contains("trailing characters"));
        assert!(parse_error("").contains("line 1 column 0"));
    }
}
