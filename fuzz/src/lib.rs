//! Fuzz targets: one function for each reader of bytes that clients choose.
//!
//! A target panics if the reader does, or if its result contradicts the input. The programs in
//! `fuzz_targets` run a target under libFuzzer, or, built without the cfg `fuzzing`, on the files that
//! are named on the command line. The unit tests run each target on generated input.

mod bodies;
mod heads;
mod languages;
#[cfg(test)]
mod tests;

pub use bodies::{check_form, check_request};
pub use heads::{check_cookies, check_head, check_query};
pub use languages::{check_condition, check_ivr_tree};

/// Runs a target on the files that are named on the command line, such as those of a corpus, or the
/// input of a failure.
///
/// # Errors
///
/// A file cannot be read.
pub fn check_files(target: fn(&[u8])) -> std::io::Result<()> {
    for file in std::env::args_os().skip(1) {
        target(&std::fs::read(file)?);
    }
    Ok(())
}
