//! Test support: a running server on an empty database, clients with every kind of credential, and
//! request bodies.
//!
//! ```no_run
//! use trunkline_tests::{Server, body};
//!
//! let server = Server::start();
//! let network = server.network();
//! network.post("/affiliates/222", body::affiliate("Surf Oz")).expect(201);
//! server.anon().get("/affiliates/222").expect(401);
//! ```

mod binary;
pub mod body;
mod client;
mod client_calls;
mod client_objects;
mod dump;
mod event_stream;
mod fault_report;
mod fixture;
mod json_compare;
mod mailbox;
pub mod openapi_check;
mod postgres_cluster;
mod proxy;
mod raw_http;
mod response;
mod server;
mod server_builder;
mod table_rows;
mod test_database;
mod wall_clock;
mod webhook_receiver;

pub use binary::run;
pub use client::{Client, Request};
pub use dump::dump;
pub use event_stream::{EventStream, StreamEvent};
pub use fault_report::{FaultReport, runs_all_faults};
pub use fixture::fixture;
pub use json_compare::{assert_json_eq, with_values_from};
pub use mailbox::{Mail, Mailbox};
pub use postgres_cluster::PostgresCluster;
pub use proxy::{AfterLoss, CommitLoss, Proxy};
pub use raw_http::{send_raw, send_raw_and_half_close, try_send_raw};
pub use response::Response;
pub use server::Server;
pub use server_builder::ServerBuilder;
pub use table_rows::{execute_sql, table_rows};
pub use test_database::{TestDatabase, postgres_address};
pub use wall_clock::WallClock;
pub use webhook_receiver::{Delivery, WebhookReceiver, WebhookReply};
