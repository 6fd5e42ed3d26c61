//! By the rules that they test.

mod live;
mod pricing;
mod status;
mod uses;
