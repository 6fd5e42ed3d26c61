//! `trunkline openapi`.

use crate::cli_error::CliError;

const EXAMPLE: &str = "\
Example:
  trunkline openapi > openapi.json";

/// Print the API's description, an OpenAPI 3.1 document
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLE)]
pub(crate) struct Args {}

/// Prints the document that a server serves at `/openapi.json`.
pub(super) fn run() -> Result<(), CliError> {
    super::print(&format!("{:#}\n", trunkline_api::openapi_document()))
}
