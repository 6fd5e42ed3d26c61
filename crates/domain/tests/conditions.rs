//! Runs the test cases of the condition language in `tests/conditions`.
//!
//! Cases are separated by empty lines. Lines that start with `#` are comments. A case is a
//! condition on one line, followed by the expected result:
//!
//! - `= ` and its canonical text, then `~ ` and its description for people; or
//! - a caret under the column of the error, and the message.

use std::path::Path;
use trunkline_domain::condition::Condition;

#[test]
fn conditions_are_parsed_as_the_case_files_say() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/conditions");
    let mut cases = 0;
    for file in std::fs::read_dir(folder).unwrap() {
        let path = file.unwrap().path();
        let text = std::fs::read_to_string(&path).unwrap();
        for case in text.split("\n\n") {
            let lines = case.lines().filter(|line| !line.starts_with('#'));
            let lines: Vec<&str> = lines.collect();
            let Some((condition, expected)) = lines.split_first() else { continue };
            assert_eq!(render_result(condition), expected.join("\n"), "{condition} in {path:?}");
            cases += 1;
        }
    }
    assert!(cases > 50, "only {cases} cases were found");
}

fn render_result(text: &str) -> String {
    match Condition::parse(text) {
        Ok(condition) => {
            format!("= {}\n~ {}", condition.expr(), condition.expr().describe())
        }
        Err(error) => format!("{}^ {}", " ".repeat(error.column - 1), error.message),
    }
}
