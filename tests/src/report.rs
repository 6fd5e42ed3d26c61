//! What became of acknowledged writes, as a row of the table in `docs/reliability.md`.

use crate::run;
use std::time::Duration;

/// Whether to try everything as often as `docs/reliability.md` says: `TRUNKLINE_FAULTS=full`.
pub fn is_full() -> bool {
    std::env::var("TRUNKLINE_FAULTS").is_ok_and(|value| value == "full")
}

/// What was counted while something went wrong, some number of times.
#[derive(Debug, Default)]
pub struct Report {
    /// Times tried.
    pub tried: usize,
    /// Writes that a client was told are stored.
    pub acknowledged: usize,
    /// Of them, those that were not there afterwards.
    pub lost: usize,
    /// What was there more than once.
    pub doubled: usize,
    /// How long it took, each time, until a write was answered well again.
    pub recovery: Vec<Duration>,
}

impl Report {
    /// Prints the row, on standard error, and fails if a write was lost or doubled, or if anything in
    /// the database does not agree (`trunkline database check`).
    #[track_caller]
    pub fn conclude(&self, fault: &str, database: &str) {
        let looked = run(&["database", "check", "--database", database]);
        let found = String::from_utf8_lossy(&looked.stdout);
        assert!(looked.status.success(), "{fault}: {found}");
        let on = match std::env::var("TRUNKLINE_TEST_DATABASE") {
            Ok(_) => "PostgreSQL",
            Err(_) => "SQLite",
        };
        let Self { tried, acknowledged, lost, doubled, recovery } = self;
        let mut times = recovery.clone();
        times.sort();
        let time = |at: Option<&Duration>| at.map_or("–".to_owned(), |it| format!("{it:.1?}"));
        let (middle, most) = (time(times.get(times.len() / 2)), time(times.last()));
        eprintln!(
            "| {fault} | {on} | {tried} | {acknowledged} | {lost} | {doubled} | {middle} | {most} |"
        );
        assert_eq!((*lost, *doubled), (0, 0), "lost and doubled: {fault} on {on}");
        assert!(*acknowledged > 0, "nothing was written: {fault}");
    }
}
