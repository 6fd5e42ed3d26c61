//! Which months are known to have partitions, so that nobody asks twice.

/// What one connection knows of the partitions that calls are in.
///
/// A month that was made is gone when its transaction, or the unit of work that made it, is rolled
/// back; so once a transaction has made one, every rollback in it makes all of them unknown.
#[derive(Debug, Default)]
pub(crate) struct Months {
    /// From when on, and before when (milliseconds).
    known: Vec<(i64, i64)>,
    /// Whether the transaction that is under way has made one.
    made: bool,
}

impl Months {
    /// Whether there is a partition for a moment, as far as is known.
    pub(crate) fn has(&self, moment: i64) -> bool {
        self.known.iter().rev().any(|(since, before)| (*since..*before).contains(&moment))
    }

    /// There is one from `since` on and before `before`; `made` in this transaction.
    pub(crate) fn learn(&mut self, (since, before): (i64, i64), made: bool) {
        self.known.push((since, before));
        self.made |= made;
    }

    /// Some of them may not be there.
    pub(crate) fn forget(&mut self) {
        self.known.clear();
    }

    /// Follows what becomes of a transaction; a commit that fails is a rollback.
    pub(super) fn follow(&mut self, sql: &str, done: bool) {
        if self.made && (!done || sql.contains("ROLLBACK")) {
            self.known.clear();
        }
        if sql == "ROLLBACK" || sql.ends_with("COMMIT") {
            self.made = false;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Months;

    /// What was made and done since, and whether the month is known then.
    #[test]
    fn what_was_rolled_back_is_not_known() {
        let undone = "ROLLBACK TO work; RELEASE work";
        for (made, since, known) in [
            (true, &["COMMIT"][..], true),
            (true, &["NOTIFY trunkline; COMMIT"], true),
            (true, &["RELEASE work", "COMMIT"], true),
            (true, &["COMMIT", "ROLLBACK"], true),
            (true, &["failed COMMIT", "ROLLBACK"], false),
            (true, &[undone], false),
            (true, &["RELEASE work", "SAVEPOINT work", undone, "COMMIT"], false),
            (true, &["RELEASE work", "ROLLBACK"], false),
            (false, &[undone, "COMMIT"], true),
            (false, &["ROLLBACK"], true),
        ] {
            let mut months = Months::default();
            months.learn((0, 10), made);
            since.iter().for_each(|sql| months.follow(sql, *sql != "failed COMMIT"));
            assert_eq!(months.has(5), known, "{made} {since:?}");
        }
    }

    /// What a rollback to a savepoint left may still go with its transaction.
    #[test]
    fn what_was_found_in_a_transaction_that_made_months_goes_with_it() {
        let mut months = Months::default();
        months.learn((0, 10), true);
        months.follow("ROLLBACK TO work; RELEASE work", true);
        months.learn((0, 10), false);
        assert!(months.has(0) && months.has(9) && !months.has(10) && !months.has(-1));
        months.follow("ROLLBACK", true);
        assert!(!months.has(5));
    }
}
