//! Results of a fault test, as a row of the table in `docs/reliability.md`.

use crate::run;
use std::time::Duration;

/// `true` if `TRUNKLINE_FAULTS=full`: each fault is repeated as often as `docs/reliability.md` says.
pub fn runs_all_faults() -> bool {
    std::env::var("TRUNKLINE_FAULTS").is_ok_and(|value| value == "full")
}

/// Counts of one fault that was injected a number of times.
#[derive(Debug, Default)]
pub struct FaultReport {
    /// Number of injected faults.
    pub attempts: usize,
    /// Acknowledged writes.
    pub acknowledged: usize,
    /// Acknowledged writes that are missing afterwards.
    pub lost: usize,
    /// Objects that are stored more than once.
    pub duplicated: usize,
    /// Time of each fault until a write succeeded again.
    pub recovery: Vec<Duration>,
}

impl FaultReport {
    /// Prints the row on standard error. Fails if a write is lost or duplicated, or if `trunkline database
    /// check` reports an inconsistency.
    #[track_caller]
    pub fn print_and_assert(&self, fault: &str, database: &str) {
        let check = run(&["database", "check", "--database", database]);
        let findings = String::from_utf8_lossy(&check.stdout);
        assert!(check.status.success(), "{fault}: {findings}");
        let backend = match std::env::var("TRUNKLINE_TEST_DATABASE") {
            Ok(_) => "PostgreSQL",
            Err(_) => "SQLite",
        };
        let Self { attempts, acknowledged, lost, duplicated, recovery } = self;
        let mut times = recovery.clone();
        times.sort();
        let format =
            |time: Option<&Duration>| time.map_or("–".to_owned(), |time| format!("{time:.1?}"));
        let median = format(times.get(times.len() / 2));
        let longest = format(times.last());
        eprintln!(
            "| {fault} | {backend} | {attempts} | {acknowledged} | {lost} | {duplicated} | {median} | {longest} |"
        );
        assert_eq!(
            (*lost, *duplicated),
            (0, 0),
            "lost and duplicated writes: {fault} on {backend}"
        );
        assert!(*acknowledged > 0, "no write was acknowledged: {fault}");
    }
}
