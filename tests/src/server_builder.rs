//! Configuration of a [`Server`] before it starts.

use crate::binary::{create_network, spawn_server};
use crate::{Proxy, Server, TestDatabase, WallClock};
use std::sync::atomic::AtomicU8;
use trunkline_domain::id::NetworkId;
use trunkline_network::Store;

/// `--base-url` of the source documents' examples.
const DOCUMENT_BASE_URL: &str = "https://invoca.net";
/// First byte of the tokens that a sibling server issues: different from those of the first server.
const SIBLING_TOKEN_SEED: u8 = 128;

/// A server to start. The default is an empty network on an empty database of its own.
#[derive(Debug, Default)]
pub struct ServerBuilder {
    database: Option<TestDatabase>,
    database_url: Option<String>,
    proxy_address: Option<String>,
    is_sandbox: bool,
    arguments: Vec<String>,
    environment: Vec<(String, String)>,
    /// Network id and token of another server, whose database this one shares or has a copy of.
    existing_network: Option<(NetworkId, String)>,
}

impl ServerBuilder {
    /// Adds arguments to the command line of `trunkline serve`.
    pub fn arguments(mut self, arguments: &[&str]) -> Self {
        self.arguments.extend(arguments.iter().map(|argument| (*argument).to_owned()));
        self
    }

    /// Runs the server by a wall clock of the test.
    pub fn wall_clock(mut self, clock: &WallClock) -> Self {
        self.environment = clock.environment();
        self
    }

    /// Sets the base URL of the source documents' examples, `https://invoca.net`.
    pub fn document_base_url(self) -> Self {
        self.arguments(&["--base-url", DOCUMENT_BASE_URL])
    }

    /// Makes the network a sandbox.
    pub fn sandbox(mut self) -> Self {
        self.is_sandbox = true;
        self
    }

    /// Stores the database as a file on a disk of this size, in KiB. Needs root.
    pub fn disk_size(mut self, kibibytes: u32) -> Self {
        self.database = Some(TestDatabase::on_disk_of_size(kibibytes));
        self
    }

    /// Uses a database that is owned elsewhere and outlives the server.
    pub fn database_url(mut self, url: &str) -> Self {
        self.database_url = Some(url.to_owned());
        self
    }

    /// Connects the server to its PostgreSQL server through a proxy.
    pub fn via_proxy(mut self, proxy: &Proxy) -> Self {
        self.proxy_address = Some(proxy.address());
        self
    }

    /// Shares the database, the network and the token of another server, which must outlive this one.
    pub fn same_database(self, server: &Server) -> Self {
        let url = server.database().to_owned();
        self.same_network(server).database_url(&url)
    }

    /// Uses the network and the token of another server: the database is a copy of that server's.
    pub fn same_network(mut self, server: &Server) -> Self {
        self.existing_network = Some((server.network, server.token.clone()));
        self
    }

    /// Creates the network and starts the server.
    pub fn start(self) -> Server {
        let owned = match &self.database_url {
            Some(_) => None,
            None => Some(self.database.unwrap_or_else(TestDatabase::new)),
        };
        let url = self.database_url.or_else(|| owned.as_ref().map(TestDatabase::url));
        let url = url.expect("a database has a URL");
        let server_url = match (&self.proxy_address, &owned) {
            (Some(address), Some(database)) => database.url_via(address),
            _ => url.clone(),
        };
        let first_token_seed = if self.existing_network.is_some() { SIBLING_TOKEN_SEED } else { 1 };
        let (network, token) = self.existing_network.unwrap_or_else(|| {
            let flags: &[&str] = if self.is_sandbox { &["--sandbox"] } else { &[] };
            create_network(&url, "Demo", flags)
        });
        let (process, address) = spawn_server(&server_url, &self.arguments, &self.environment);
        Server {
            process,
            address,
            network,
            token,
            store: Store::open(&url).expect("the server's database opens"),
            database_url: url,
            server_url,
            next_token_seed: AtomicU8::new(first_token_seed),
            arguments: self.arguments,
            environment: self.environment,
            owned_database: owned,
        }
    }
}
