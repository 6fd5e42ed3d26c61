//! Record of a request that names objects by the ids of the server.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Record of a request: true once an object was found by the id that the server assigned. Clones
/// share one record.
#[derive(Debug, Clone, Default)]
pub struct InternalIdUse(Arc<AtomicBool>);

impl InternalIdUse {
    /// Records that an object was found by its id.
    pub(crate) fn set(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Returns true if an object was found by its id.
    pub fn get(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}
