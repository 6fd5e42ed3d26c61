//! Semaphores by key, which bound what each owner holds at a time.

use std::collections::HashMap;
use std::fmt;
use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use tokio::sync::Semaphore;

/// Number of semaphores from which on those that nobody holds are dropped.
const MIN_PRUNED: usize = 64;

/// One semaphore for each key, with the same number of permits. A semaphore exists while it or one of its
/// owned permits is held.
pub struct KeyedSemaphores<K> {
    permits: usize,
    table: Mutex<Table<K>>,
}

struct Table<K> {
    semaphores: HashMap<K, Weak<Semaphore>>,
    /// Number of entries at which the unused ones are removed.
    prune_at: usize,
}

impl<K: Eq + Hash> KeyedSemaphores<K> {
    /// Creates semaphores with a number of permits each.
    pub fn new(permits: usize) -> Self {
        let table = Table { semaphores: HashMap::new(), prune_at: MIN_PRUNED };
        Self { permits, table: Mutex::new(table) }
    }

    /// Returns the semaphore of a key.
    pub fn get(&self, key: K) -> Arc<Semaphore> {
        let mut table = self.table();
        if let Some(semaphore) = table.semaphores.get(&key).and_then(Weak::upgrade) {
            return semaphore;
        }
        if table.semaphores.len() >= table.prune_at {
            table.semaphores.retain(|_, semaphore| semaphore.strong_count() > 0);
            table.prune_at = MIN_PRUNED.max(2 * table.semaphores.len());
        }
        let semaphore = Arc::new(Semaphore::new(self.permits));
        table.semaphores.insert(key, Arc::downgrade(&semaphore));
        semaphore
    }

    fn table(&self) -> MutexGuard<'_, Table<K>> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<K> fmt::Debug for KeyedSemaphores<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyedSemaphores").field("permits", &self.permits).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_have_permits_of_their_own() {
        let semaphores = KeyedSemaphores::new(2);
        let permits: Vec<_> = (0..2).map(|_| semaphores.get("a").try_acquire_owned()).collect();
        assert!(permits.iter().all(Result::is_ok));
        assert!(semaphores.get("a").try_acquire().is_err());
        assert!(semaphores.get("b").try_acquire().is_ok());
        drop(permits);
        assert_eq!(semaphores.get("a").available_permits(), 2);
    }

    #[test]
    fn unused_semaphores_are_dropped() {
        let semaphores = KeyedSemaphores::new(1);
        let held = semaphores.get(0);
        for key in 1..10 * MIN_PRUNED {
            semaphores.get(key);
        }
        assert!(semaphores.table().semaphores.len() <= MIN_PRUNED);
        assert!(Arc::ptr_eq(&held, &semaphores.get(0)));
    }
}
