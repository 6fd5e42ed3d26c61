//! Warnings about writes that are carried out, which the API reports in a header.

use std::sync::{Arc, Mutex, PoisonError};

/// Maximum number of warnings of a request. Further ones are dropped.
const MAX_WARNINGS: usize = 20;

/// Warnings of one request, each as `<place>: <text>`. Clones share one list.
#[derive(Debug, Clone, Default)]
pub struct Warnings(Arc<Mutex<Vec<String>>>);

impl Warnings {
    /// Adds a warning about a place in the request, such as `users[0]`.
    pub fn add(&self, place: &str, text: &str) {
        let mut warnings = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if warnings.len() < MAX_WARNINGS {
            warnings.push(format!("{place}: {text}"));
        }
    }

    /// Returns the warnings in the order in which they were added.
    pub fn to_vec(&self) -> Vec<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
