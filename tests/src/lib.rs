//! Test support: a real server on a fresh database, clients of every kind, and the bodies that
//! stories start from.
//!
//! ```no_run
//! use trunkline_tests::{Server, body};
//!
//! let server = Server::start();
//! let network = server.network();
//! network.post("/affiliates/222", body::affiliate("Surf Oz")).expect(201);
//! server.anon().get("/affiliates/222").expect(401);
//! ```

mod answer;
pub mod body;
mod calls;
mod client;
mod cluster;
mod compare;
mod dump;
mod fixture;
mod mailbox;
mod place;
mod proxy;
mod receiver;
mod report;
mod rows;
mod server;
mod stream;
mod wire;
mod world;

pub use answer::Answer;
pub use client::{Client, Request};
pub use cluster::Cluster;
pub use compare::{assert_same, patched};
pub use dump::dump;
pub use fixture::fixture;
pub use mailbox::{Mail, Mailbox};
pub use place::{Place, postgres_address};
pub use proxy::{Lost, Proxy, Then};
pub use receiver::{Delivered, Receiver, Reply};
pub use report::{Report, is_full};
pub use rows::rows;
pub use server::{Server, run};
pub use stream::{Stream, Told};
pub use wire::{attempt, exchange, exchange_half};
