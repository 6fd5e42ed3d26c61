//! Fuzz target: see [`trunkline_fuzz::check_request`].
#![cfg_attr(fuzzing, no_main)]

#[cfg(fuzzing)]
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| trunkline_fuzz::check_request(bytes));

#[cfg(not(fuzzing))]
fn main() -> std::io::Result<()> {
    trunkline_fuzz::check_files(trunkline_fuzz::check_request)
}
