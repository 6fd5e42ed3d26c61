//! Unit tests of campaigns, one file per module.

mod go_live;
mod pricing;
mod required_resources;
mod status;
