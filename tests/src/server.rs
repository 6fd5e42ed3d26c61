//! A running server with one network, and clients for it.

use crate::binary::{create_network, spawn_server};
use crate::{Client, ServerBuilder, TestDatabase, table_rows};
use jiff::Timestamp;
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Child, Command};
use std::sync::atomic::{AtomicU8, Ordering};
use trunkline_domain::id::NetworkId;
use trunkline_domain::party::{PartyKind, Role};
use trunkline_domain::phone::PhoneNumber;
use trunkline_network::{
    Actor, Context, Error, Grant, Page, Principal, Scope, Store, UnitOfWork, credentials,
};

/// Length limit of [`Server::events`].
const MAX_EVENTS: u32 = 10_000;

/// A running server process with one network. The process is killed when this is dropped.
#[derive(Debug)]
pub struct Server {
    pub(crate) process: Child,
    pub(crate) address: String,
    pub(crate) network: NetworkId,
    pub(crate) token: String,
    /// URL by which the tests reach the database.
    pub(crate) database_url: String,
    /// URL by which the server reaches the database: another one if there is a proxy between them.
    pub(crate) server_url: String,
    pub(crate) store: Store,
    /// Entropy byte of the next token that the tests issue.
    pub(crate) next_token_seed: AtomicU8,
    pub(crate) arguments: Vec<String>,
    /// Variables of the process.
    pub(crate) environment: Vec<(String, String)>,
    /// The database, unless it is owned elsewhere.
    pub(crate) owned_database: Option<TestDatabase>,
}

impl Server {
    /// Starts a server with an empty network on a database of its own.
    pub fn start() -> Self {
        Self::builder().start()
    }

    /// Configures a server before it starts.
    pub fn builder() -> ServerBuilder {
        ServerBuilder::default()
    }

    /// Starts another server on the same database with the same arguments. This server must outlive it.
    pub fn start_sibling(&self) -> Self {
        let arguments: Vec<&str> = self.arguments.iter().map(String::as_str).collect();
        Self::builder().same_database(self).arguments(&arguments).start()
    }

    /// Starts a server on a copy of this server's database, with the same arguments.
    pub fn start_on_copy(&self, database_url: &str) -> Self {
        let arguments: Vec<&str> = self.arguments.iter().map(String::as_str).collect();
        let builder = Self::builder().same_network(self).database_url(database_url);
        builder.arguments(&arguments).start()
    }

    /// Kills the process with SIGKILL.
    pub fn kill(&mut self) {
        self.process.kill().expect("the server can be killed");
        self.process.wait().expect("the server ends");
    }

    /// Stops the process with SIGTERM and waits for its end. Returns `true` for exit status 0.
    pub fn stop(&mut self) -> bool {
        let id = self.process.id().to_string();
        let kill = Command::new("kill").args(["-TERM", &id]).status().expect("kill is installed");
        assert!(kill.success(), "the server runs");
        self.process.wait().expect("the server ends").success()
    }

    /// Starts a stopped or killed server again on the same database. The address changes, so clients
    /// have to be created again.
    pub fn restart(&mut self) {
        (self.process, self.address) =
            spawn_server(&self.server_url, &self.arguments, &self.environment);
    }

    /// Starts a stopped or killed server again with other arguments.
    pub fn restart_with(&mut self, arguments: &[&str]) {
        self.arguments = arguments.iter().map(|argument| (*argument).to_owned()).collect();
        self.restart();
    }

    /// Kind and data of the network's stored events, oldest first, at most `MAX_EVENTS`.
    pub fn events(&self) -> Vec<(String, Value)> {
        let page = Page::new(0, MAX_EVENTS);
        let events = self.read(|unit| unit.events(self.network, page));
        events.into_iter().map(|event| (event.kind, event.data)).collect()
    }

    /// Id of the network.
    pub fn network_id(&self) -> NetworkId {
        self.network
    }

    /// Resident memory of the process in bytes, from `/metrics`. Linux only.
    pub fn resident_memory_bytes(&self) -> u64 {
        let metrics = self.anon().absolute_paths().get("/metrics").text();
        let name = "process_resident_memory_bytes ";
        let value = metrics.lines().find_map(|line| line.strip_prefix(name));
        value.expect("Linux reports the memory of a process").parse().expect("a number")
    }

    /// URL of the database.
    pub fn database(&self) -> &str {
        &self.database_url
    }

    /// Directory of the SQLite file.
    ///
    /// # Panics
    /// If the database is on PostgreSQL or owned elsewhere.
    pub fn database_directory(&self) -> &Path {
        self.owned_database.as_ref().expect("the server owns its database").directory()
    }

    /// Address of the server as `host:port`.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Rows of every table of the database: see [`table_rows()`].
    pub fn table_rows(&self) -> BTreeMap<String, Vec<String>> {
        table_rows(&self.database_url)
    }

    /// Creates another network in the same database. Returns a client with a Super token for it.
    pub fn create_another_network(&self) -> Client {
        let (network, token) = create_network(&self.database_url, "Another", &[]);
        Client::new(&self.address, network, Some(token))
    }

    /// Client without a credential.
    pub fn anon(&self) -> Client {
        Client::new(&self.address, self.network, None)
    }

    /// Client with a Super token of the network.
    pub fn network(&self) -> Client {
        Client::new(&self.address, self.network, Some(self.token.clone()))
    }

    /// Client with an Observer token of the network.
    pub fn observer(&self) -> Client {
        self.network_with_role(Role::Observer)
    }

    /// Client with a token of the network that has this role.
    pub fn network_with_role(&self, role: Role) -> Client {
        self.issue_token(Scope::Network, role)
    }

    /// Client with a Super token of an advertiser, which is named by its external id.
    pub fn advertiser(&self, id: &str) -> Client {
        self.party(PartyKind::Advertiser, id, Role::Super)
    }

    /// Client with a Super token of an affiliate, which is named by its external id.
    pub fn affiliate(&self, id: &str) -> Client {
        self.party(PartyKind::Affiliate, id, Role::Super)
    }

    /// Client with a token of one advertiser or affiliate that has this role.
    pub fn party(&self, kind: PartyKind, id: &str, role: Role) -> Client {
        let matches = self.read(|unit| unit.party(self.network, kind, id));
        let party = matches.unwrap_or_else(|| panic!("there is no {} {id}", kind.as_str()));
        self.issue_token(Scope::Party(kind, party.id), role)
    }

    fn issue_token(&self, scope: Scope, role: Role) -> Client {
        let entropy = [self.next_token_seed.fetch_add(1, Ordering::Relaxed); 32];
        let record =
            credentials::new_token(self.network, scope, role, None, Timestamp::UNIX_EPOCH, None);
        let issued = self.write(move |unit| credentials::issue_token(unit, record, &entropy));
        Client::new(&self.address, self.network, Some(issued.secret))
    }

    /// Client with an expired Super token of the network.
    pub fn with_expired_token(&self) -> Client {
        let past = Timestamp::UNIX_EPOCH;
        let record = credentials::new_token(
            self.network,
            Scope::Network,
            Role::Super,
            None,
            past,
            Some(past),
        );
        let issued = self.write(move |unit| credentials::issue_token(unit, record, &[255; 32]));
        Client::new(&self.address, self.network, Some(issued.secret))
    }

    /// Sets the password of the users with this e-mail address.
    pub fn set_password(&self, email: &str, password: &str) {
        let hash = credentials::hash_password(password, &[7; 32]).expect("a password hashes");
        let (network, email) = (self.network, email.to_owned());
        let matches =
            self.write(move |unit| credentials::set_password(unit, network, &email, None, &hash));
        assert!(matches.is_some(), "no user has the address");
    }

    /// Signs a user in to the console. Returns the session cookie as `name=value`.
    pub fn sign_in(&self, email: &str) -> String {
        let email = email.to_owned();
        let now = Timestamp::from_second(4_000_000_000).expect("a valid time");
        let unit = self.write(move |unit| {
            let users = unit.users_by_email(&email)?;
            let found = users.first().expect("a user has the address");
            credentials::start_session(unit, found.user.id, &[9; 32], now)
        });
        let base_url = self.arguments.iter().find(|argument| argument.contains("://"));
        let name = credentials::session_cookie_name(base_url.map_or("http://", String::as_str));
        format!("{name}={}", unit.secret)
    }

    /// Adds phone numbers to the network's inventory.
    pub fn add_numbers(&self, numbers: &[&str]) {
        let parse = |number: &&str| PhoneNumber::parse(number).expect("a phone number");
        let numbers: Vec<PhoneNumber> = numbers.iter().map(parse).collect();
        let network = self.network;
        self.write(move |unit| {
            for number in &numbers {
                unit.insert_number(network, number)?;
            }
            Ok::<_, Error>(())
        });
    }

    /// Runs a use case on the server's database, as the network with the Super role, at this time.
    pub fn run_use_case<T: Send + 'static>(
        &self,
        now: Timestamp,
        work: impl FnOnce(&mut UnitOfWork<'_>, &Context) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let grants = vec![Grant { scope: Scope::Network, role: Role::Super }];
        let caller = Principal { network_id: self.network, actor: Actor::CommandLine, grants };
        let context = Context {
            principal: caller,
            now,
            system_now: now,
            request_id: "a test".to_owned(),
            warnings: trunkline_network::Warnings::default(),
            internal_id_use: Default::default(),
        };
        self.store.write_blocking(move |unit| work(unit, &context))
    }

    fn read<T>(
        &self,
        work: impl FnOnce(&mut UnitOfWork<'_>) -> Result<T, trunkline_store::Error>,
    ) -> T {
        self.store.read(work).expect("the database reads")
    }

    fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut UnitOfWork<'_>) -> Result<T, Error> + Send + 'static,
    ) -> T {
        self.store.write_blocking(work).expect("the database writes")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // The test may have ended the process.
        self.process.kill().ok();
        self.process.wait().ok();
    }
}
