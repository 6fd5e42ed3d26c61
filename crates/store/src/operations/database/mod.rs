//! A database as a whole: whether everything in it agrees, and all of it moved elsewhere.

mod bodies;
mod books;
mod check;
mod copy;
mod references;
mod rules;
mod snapshot;
mod tables;
mod target;

pub use check::{Finding, Watch, check};
pub use copy::{Copied, CopyError, copy};
