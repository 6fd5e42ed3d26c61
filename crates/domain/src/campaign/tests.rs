//! Unit tests of campaigns, one file per module.

mod live;
mod pricing;
mod status;
mod uses;
