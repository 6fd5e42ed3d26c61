//! Condition parser: any text is parsed, or rejected with a column inside it; a printed condition parses
//! to the same tree; and the analysis of its satisfiability terminates.
#![no_main]

use libfuzzer_sys::fuzz_target;
use trunkline_domain::condition::{Condition, SearchBudget};

fuzz_target!(|text: &str| {
    match Condition::parse(text) {
        Ok(condition) => {
            let printed = condition.expr().to_string();
            if printed.chars().count() <= 5_000 {
                let again = Condition::parse(&printed).expect("a printed condition parses");
                assert_eq!(again.expr(), condition.expr());
            }
            drop(condition.expr().describe());
            let always_true = condition.expr().is_always_true(&SearchBudget::default());
            let never_true = condition.expr().is_never_true(&SearchBudget::default());
            assert!(always_true != Some(true) || never_true != Some(true));
        }
        Err(error) => {
            assert!(error.column >= 1 && error.column <= text.chars().count() + 1);
            assert!(!error.message.is_empty());
        }
    }
});
