//! HTTP interface: the Network Integration API in every dated version, and Trunkline's extensions.
//!
//! A request passes through these modules in order. `path_prefix` removes the version, the
//! network and the suffix from the path. `api_request` authenticates the principal and reads the
//! body. A file of `resources` parses the request object, calls one use case and renders the
//! response object. [`versions`] converts both objects to the shape that was in force on the
//! request's date. `object_response` serializes the response.

mod api_request;
mod app;
mod auth;
mod body_memory;
mod credential_guard;
mod errors;
mod json;
mod list_response;
mod object_reader;
mod object_response;
mod openapi;
mod path_prefix;
mod rate_limit;
mod recording_files;
mod recording_links;
mod request_body;
mod request_id;
mod resources;
mod route_table;
mod router;
mod routes;
mod streams;
mod table;
mod table_response;
mod validate;
pub mod versions;

pub use app::{App, Clock, Limits, Random};
pub use body_memory::BodyMemory;
pub use openapi::openapi_document;
pub use rate_limit::{BucketKey, RateLimits};
pub use recording_files::RecordingFiles;
pub use request_id::RequestId;
pub use resources::events::render_event;
pub use route_table::route_table;
pub use router::{router, service};
pub use streams::{ShutdownSignal, StreamLimiter};
pub use validate::{ReadHead, ReadParameter, read_head, validate_body};
