//! The condition parser: any text is read or refused at a column inside it; what is read prints as
//! text that reads as the same tree; and the algebra ends.
#![no_main]

use libfuzzer_sys::fuzz_target;
use trunkline_domain::condition::Condition;

fuzz_target!(|text: &str| {
    match Condition::parse(text) {
        Ok(condition) => {
            let printed = condition.expr().to_string();
            if printed.chars().count() <= 5_000 {
                let again = Condition::parse(&printed).expect("what is printed reads");
                assert_eq!(again.expr(), condition.expr());
            }
            let _words = condition.expr().in_words();
            let (always, never) = (condition.expr().always_true(), condition.expr().never_true());
            assert!(always != Some(true) || never != Some(true));
        }
        Err(error) => {
            assert!(error.column >= 1 && error.column <= text.chars().count() + 1);
            assert!(!error.message.is_empty());
        }
    }
});
