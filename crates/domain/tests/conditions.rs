//! Walks the language cases in `tests/conditions`.
//!
//! A file's cases are separated by empty lines; lines that start with `#` are remarks. A case is
//! the condition, on one line, and what comes of it:
//!
//! - `= ` its normal text, then `~ ` its words; or
//! - a caret under the column of the error, and the message.

use std::path::Path;
use trunkline_domain::condition::Condition;

#[test]
fn every_case_comes_out_as_its_file_says() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/conditions");
    let mut cases = 0;
    for file in std::fs::read_dir(folder).unwrap() {
        let path = file.unwrap().path();
        let text = std::fs::read_to_string(&path).unwrap();
        for case in text.split("\n\n") {
            let lines = case.lines().filter(|line| !line.starts_with('#'));
            let lines: Vec<&str> = lines.collect();
            let Some((condition, expected)) = lines.split_first() else { continue };
            assert_eq!(rendered(condition), expected.join("\n"), "{condition} in {path:?}");
            cases += 1;
        }
    }
    assert!(cases > 50, "only {cases} cases were found");
}

fn rendered(text: &str) -> String {
    match Condition::parse(text) {
        Ok(condition) => {
            format!("= {}\n~ {}", condition.expr(), condition.expr().in_words())
        }
        Err(error) => format!("{}^ {}", " ".repeat(error.column - 1), error.message),
    }
}
