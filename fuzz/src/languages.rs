//! Readers of the condition language and of IVR trees.

use trunkline_api::validate_body;
use trunkline_api::versions::{ResourceKind, Version};
use trunkline_domain::condition::{Condition, SearchBudget};

/// Longest printed condition that is parsed again, in characters: the limit of the parser.
const MAX_CONDITION_CHARACTERS: usize = 5_000;

/// Condition parser: any text is parsed, or rejected with a column inside it; a printed condition parses
/// to the same tree; and the analysis of its satisfiability terminates.
pub fn check_condition(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    match Condition::parse(text) {
        Ok(condition) => {
            let printed = condition.expr().to_string();
            if printed.chars().count() <= MAX_CONDITION_CHARACTERS {
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
}

/// IVR checker: any JSON is parsed and checked as a tree without a panic, in bounded time.
pub fn check_ivr_tree(bytes: &[u8]) {
    let Ok(root) = std::str::from_utf8(bytes) else { return };
    let body = format!("{{\"ivr_tree\": {{\"root\": {root}}}}}");
    // Only the absence of panics is checked.
    let _ = validate_body(Version::newest(), ResourceKind::Campaign, body.as_bytes());
}
