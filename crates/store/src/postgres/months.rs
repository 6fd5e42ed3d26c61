//! Which months are known to have partitions, so that nobody asks twice.

/// What one connection knows of the partitions that calls are in.
///
/// A month that was made is gone when its transaction, or the unit of work that made it, is rolled
/// back; so once a transaction has made one, every rollback in it makes all of them unknown.
#[derive(Debug, Default)]
pub(crate) struct Months {
    known: Vec<Month>,
    /// Whether the transaction that is under way has made one.
    made: bool,
}

/// A partition of calls, and one of the ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Month {
    /// What stands behind `calls_` and `transactions_`.
    pub(crate) name: String,
    /// From when on (milliseconds).
    pub(crate) since: i64,
    /// Before when.
    pub(crate) before: i64,
}

impl Months {
    /// The one that a moment is in, as far as is known.
    pub(crate) fn at(&self, moment: i64) -> Option<&Month> {
        self.known.iter().rev().find(|it| (it.since..it.before).contains(&moment))
    }

    /// There is one; `made` in this transaction.
    pub(crate) fn learn(&mut self, month: Month, made: bool) {
        self.known.push(month);
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
    use super::{Month, Months};

    fn month() -> Month {
        Month { name: String::new(), since: 0, before: 10 }
    }

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
            months.learn(month(), made);
            since.iter().for_each(|sql| months.follow(sql, *sql != "failed COMMIT"));
            assert_eq!(months.at(5).is_some(), known, "{made} {since:?}");
        }
    }

    /// What a rollback to a savepoint left may still go with its transaction.
    #[test]
    fn what_was_found_in_a_transaction_that_made_months_goes_with_it() {
        let mut months = Months::default();
        months.learn(month(), true);
        months.follow("ROLLBACK TO work; RELEASE work", true);
        months.learn(month(), false);
        assert_eq!([0, 9, 10, -1].map(|at| months.at(at).is_some()), [true, true, false, false]);
        months.follow("ROLLBACK", true);
        assert_eq!(months.at(5), None);
    }
}
