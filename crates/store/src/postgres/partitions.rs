//! Cache of the partitions that are known to exist, so that they are not looked up again.

/// Partitions that one connection knows.
///
/// A partition that was created no longer exists when its transaction, or the unit of work that created it,
/// is rolled back. Once a transaction has created one, every rollback in it therefore invalidates
/// the whole cache.
#[derive(Debug, Default)]
pub(crate) struct Partitions {
    known: Vec<PartitionMonth>,
    /// True if the current transaction has created a partition.
    created: bool,
}

/// One partition of `calls` with the one of `transactions` for the same month.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PartitionMonth {
    /// Suffix of the table names after `calls_` and `transactions_`.
    pub(crate) name: String,
    /// First start time in it (milliseconds since 1970).
    pub(crate) start: i64,
    /// First start time after it.
    pub(crate) end: i64,
}

impl Partitions {
    /// The known partition that contains a moment.
    pub(crate) fn find(&self, moment: i64) -> Option<&PartitionMonth> {
        self.known.iter().rev().find(|partition| (partition.start..partition.end).contains(&moment))
    }

    /// Adds a partition; `created` if the current transaction created it.
    pub(crate) fn insert(&mut self, partition: PartitionMonth, created: bool) {
        self.known.push(partition);
        self.created |= created;
    }

    /// Removes all partitions from the cache.
    pub(crate) fn invalidate(&mut self) {
        self.known.clear();
    }

    /// Applies the effect of a transaction statement; a failed commit counts as a rollback.
    pub(super) fn apply_statement(&mut self, sql: &str, succeeded: bool) {
        if self.created && (!succeeded || sql.contains("ROLLBACK")) {
            self.known.clear();
        }
        if sql == "ROLLBACK" || sql.ends_with("COMMIT") {
            self.created = false;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{PartitionMonth, Partitions};

    fn partition() -> PartitionMonth {
        PartitionMonth { name: String::new(), start: 0, end: 10 }
    }

    /// Each case: whether the transaction created the partition, the statements run since, and
    /// whether the partition is still known.
    #[test]
    fn rollback_invalidates_created_partitions() {
        const ROLLBACK_TO_SAVEPOINT: &str = "ROLLBACK TO work; RELEASE work";
        for (created, statements, known) in [
            (true, &["COMMIT"][..], true),
            (true, &["NOTIFY trunkline; COMMIT"], true),
            (true, &["RELEASE work", "COMMIT"], true),
            (true, &["COMMIT", "ROLLBACK"], true),
            (true, &["failed COMMIT", "ROLLBACK"], false),
            (true, &[ROLLBACK_TO_SAVEPOINT], false),
            (true, &["RELEASE work", "SAVEPOINT work", ROLLBACK_TO_SAVEPOINT, "COMMIT"], false),
            (true, &["RELEASE work", "ROLLBACK"], false),
            (false, &[ROLLBACK_TO_SAVEPOINT, "COMMIT"], true),
            (false, &["ROLLBACK"], true),
        ] {
            let mut partitions = Partitions::default();
            partitions.insert(partition(), created);
            statements
                .iter()
                .for_each(|sql| partitions.apply_statement(sql, *sql != "failed COMMIT"));
            assert_eq!(partitions.find(5).is_some(), known, "{created} {statements:?}");
        }
    }

    /// A partition found after a rollback to a savepoint can still disappear with its transaction.
    #[test]
    fn partition_found_in_a_transaction_that_created_one_is_forgotten_on_rollback() {
        let mut partitions = Partitions::default();
        partitions.insert(partition(), true);
        partitions.apply_statement("ROLLBACK TO work; RELEASE work", true);
        partitions.insert(partition(), false);
        assert_eq!(
            [0, 9, 10, -1].map(|at| partitions.find(at).is_some()),
            [true, true, false, false]
        );
        partitions.apply_statement("ROLLBACK", true);
        assert_eq!(partitions.find(5), None);
    }
}
