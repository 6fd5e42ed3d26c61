//! A server, started as a user starts it.

use crate::rows::rows;
use crate::{Client, Place, Proxy};
use jiff::Timestamp;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, Command, Output, Stdio};
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::mpsc;
use std::time::Duration;
use trunkline_domain::party::{PartyKind, Role};
use trunkline_domain::phone::PhoneNumber;
use trunkline_network::{
    Actor, Caller, Context, Error, Grant, Page, Scope, Session, Store, credentials,
};

/// How long a server may take to start, on a machine with much else to do.
const START: Duration = Duration::from_secs(60);

/// A running server on a database of its own, with one network. It is stopped when it is dropped.
#[derive(Debug)]
pub struct Server {
    process: Child,
    address: String,
    network: i64,
    token: String,
    database: String,
    /// How the server reaches its database, if that is not how we do.
    reaches: String,
    store: Store,
    issued: AtomicU8,
    arguments: Vec<String>,
    /// Its database's place, unless that is another server's.
    _place: Option<Place>,
}

impl Server {
    /// A server with an empty network.
    pub fn start() -> Self {
        Self::start_with(&[])
    }

    /// A server that says `https://invoca.net` of itself, as the seeds do.
    pub fn of_the_seeds() -> Self {
        Self::start_with(&["--base-url", "https://invoca.net"])
    }

    /// A server whose network is a sandbox.
    pub fn of_a_sandbox() -> Self {
        Self::of_a_sandbox_with(&[])
    }

    /// The same, with more on its command line.
    pub fn of_a_sandbox_with(arguments: &[&str]) -> Self {
        Self::start_on(Place::new(), None, &["--sandbox"], arguments)
    }

    /// A server with more on its command line.
    pub fn start_with(arguments: &[&str]) -> Self {
        Self::start_on(Place::new(), None, &[], arguments)
    }

    /// A server on somebody else's place.
    pub fn start_in(place: Place, arguments: &[&str]) -> Self {
        Self::start_on(place, None, &[], arguments)
    }

    /// A server that reaches its PostgreSQL server through a proxy.
    pub fn behind(proxy: &Proxy, arguments: &[&str]) -> Self {
        let place = Place::new();
        let reaches = place.url_by(&proxy.address());
        Self::start_on(place, Some(reaches), &[], arguments)
    }

    /// A server whose database is a file on a disk of so many KiB; returns the disk's folder too.
    pub fn on_a_disk_of(kibibytes: u32, arguments: &[&str]) -> (Self, PathBuf) {
        let place = Place::of_size(kibibytes);
        let folder = place.folder().to_owned();
        (Self::start_on(place, None, &[], arguments), folder)
    }

    /// A server with an empty network, on a database that is somebody else's.
    pub fn on(database: &str, arguments: &[&str]) -> Self {
        Self::start_at(database.to_owned(), None, None, &[], arguments)
    }

    fn start_on(
        place: Place,
        reaches: Option<String>,
        network: &[&str],
        arguments: &[&str],
    ) -> Self {
        Self::start_at(place.url(), Some(place), reaches, network, arguments)
    }

    fn start_at(
        database: String,
        place: Option<Place>,
        reaches: Option<String>,
        network: &[&str],
        arguments: &[&str],
    ) -> Self {
        let reaches = reaches.unwrap_or_else(|| database.clone());
        let (network, token) = create_network(&database, "Demo", network);
        let arguments: Vec<String> = arguments.iter().map(|it| (*it).to_owned()).collect();
        let (process, address) = serve(&reaches, &arguments);
        let store = Store::open(&database).expect("the server's database opens");
        let issued = AtomicU8::new(1);
        Self {
            process,
            address,
            network,
            token,
            database,
            reaches,
            store,
            issued,
            arguments,
            _place: place,
        }
    }

    /// Another server on the same database, for as long as this one is there.
    pub fn beside(&self) -> Self {
        let arguments: Vec<&str> = self.arguments.iter().map(String::as_str).collect();
        self.beside_with(&arguments)
    }

    /// The same, with another command line.
    pub fn beside_with(&self, arguments: &[&str]) -> Self {
        self.at_database(&self.database, arguments)
    }

    /// A server on a copy of this one's database, for as long as that is there.
    pub fn on_copy(&self, database: &str) -> Self {
        let arguments: Vec<&str> = self.arguments.iter().map(String::as_str).collect();
        self.at_database(database, &arguments)
    }

    fn at_database(&self, database: &str, arguments: &[&str]) -> Self {
        let arguments: Vec<String> = arguments.iter().map(|it| (*it).to_owned()).collect();
        let (process, address) = serve(database, &arguments);
        Self {
            process,
            address,
            network: self.network,
            token: self.token.clone(),
            database: database.to_owned(),
            reaches: database.to_owned(),
            store: Store::open(database).expect("the server's database opens"),
            issued: AtomicU8::new(128),
            arguments,
            _place: None,
        }
    }

    /// Kills the server as `kill -9` does, whatever it is doing.
    pub fn kill(&mut self) {
        self.process.kill().expect("the server can be killed");
        self.process.wait().expect("the server ends");
    }

    /// Asks it to stop, and waits until it has; returns whether it ended well.
    pub fn stop(&mut self) -> bool {
        let id = self.process.id().to_string();
        let told = Command::new("kill").args(["-TERM", &id]).status().expect("kill is there");
        assert!(told.success(), "the server runs");
        self.process.wait().expect("the server ends").success()
    }

    /// Starts the server again, on the database that it left behind; it listens somewhere else, so
    /// clients have to be made anew.
    pub fn start_again(&mut self) {
        (self.process, self.address) = serve(&self.reaches, &self.arguments);
    }

    /// The same, with another command line.
    pub fn start_again_with(&mut self, arguments: &[&str]) {
        self.arguments = arguments.iter().map(|it| (*it).to_owned()).collect();
        self.start_again();
    }

    /// Kinds and data of what was told of the network, oldest first.
    pub fn told(&self) -> Vec<(String, Value)> {
        let page = Page::of(0, 10_000);
        let events = self.read(|session| session.events(self.network, page));
        events.into_iter().map(|event| (event.kind, event.data)).collect()
    }

    /// The network's id.
    pub fn network_id(&self) -> i64 {
        self.network
    }

    /// Memory that the server holds, in bytes, as it says itself.
    pub fn memory(&self) -> u64 {
        let metrics = self.anon().anywhere().get("/metrics").text();
        let line = metrics.lines().find_map(|it| it.strip_prefix("process_resident_memory_bytes "));
        line.expect("Linux").parse().expect("a number")
    }

    /// Its database's URL.
    pub fn database(&self) -> &str {
        &self.database
    }

    /// Where the server listens, as `host:port`.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Rows of every table of its database: the columns, joined by `|`, with `Null` for what is not
    /// there.
    pub fn rows(&self) -> BTreeMap<String, Vec<String>> {
        rows(&self.database)
    }

    /// Another network on the same server.
    pub fn another_network(&self) -> Client {
        let (network, token) = create_network(&self.database, "Another", &[]);
        Client::new(&self.address, network, Some(token))
    }

    /// Somebody without a credential.
    pub fn anon(&self) -> Client {
        Client::new(&self.address, self.network, None)
    }

    /// The network's own system, with a Super token.
    pub fn network(&self) -> Client {
        Client::new(&self.address, self.network, Some(self.token.clone()))
    }

    /// Somebody who may read the whole network.
    pub fn observer(&self) -> Client {
        self.network_as(Role::Observer)
    }

    /// Somebody with a role in the whole network.
    pub fn network_as(&self, role: Role) -> Client {
        self.issue(Scope::Network, role)
    }

    /// An advertiser, by the network's id for it.
    pub fn advertiser(&self, id: &str) -> Client {
        self.party(PartyKind::Advertiser, id, Role::Super)
    }

    /// An affiliate, by the network's id for it.
    pub fn affiliate(&self, id: &str) -> Client {
        self.party(PartyKind::Affiliate, id, Role::Super)
    }

    /// Somebody with a role in one advertiser or affiliate.
    pub fn party(&self, kind: PartyKind, id: &str, role: Role) -> Client {
        let found = self.read(|session| session.party(self.network, kind, id));
        let party = found.unwrap_or_else(|| panic!("there is no {} {id}", kind.word()));
        self.issue(Scope::Party(kind, party.id), role)
    }

    fn issue(&self, scope: Scope, role: Role) -> Client {
        let entropy = [self.issued.fetch_add(1, Ordering::Relaxed); 32];
        let record =
            credentials::new_token(self.network, scope, role, None, Timestamp::UNIX_EPOCH, None);
        let issued = self.write(move |session| credentials::issue_token(session, record, &entropy));
        Client::new(&self.address, self.network, Some(issued.secret))
    }

    /// A token of the whole network that stopped working when it expired.
    pub fn expired(&self) -> Client {
        let past = Timestamp::UNIX_EPOCH;
        let record = credentials::new_token(
            self.network,
            Scope::Network,
            Role::Super,
            None,
            past,
            Some(past),
        );
        let issued =
            self.write(move |session| credentials::issue_token(session, record, &[255; 32]));
        Client::new(&self.address, self.network, Some(issued.secret))
    }

    /// Gives everyone with an address a password.
    pub fn set_password(&self, email: &str, password: &str) {
        let hash = credentials::hash_password(password, &[7; 32]).expect("a password hashes");
        let (network, email) = (self.network, email.to_owned());
        let found = self
            .write(move |session| credentials::set_password(session, network, &email, None, &hash));
        assert!(found.is_some(), "nobody has that address");
    }

    /// Signs someone in to the console, and returns the cookie that says so.
    pub fn sign_in(&self, email: &str) -> String {
        let email = email.to_owned();
        let now = Timestamp::from_second(4_000_000_000).expect("a moment far from now");
        let session = self.write(move |session| {
            let users = session.users_by_email(&email)?;
            let (_, user, _) = users.first().expect("somebody has that address");
            credentials::start_session(session, user.id, &[9; 32], now)
        });
        format!("{}={}", credentials::SESSION_COOKIE, session.secret)
    }

    /// Puts numbers into the network's inventory.
    pub fn stock(&self, numbers: &[&str]) {
        let parse = |said: &&str| PhoneNumber::parse(said).expect("a phone number");
        let numbers: Vec<PhoneNumber> = numbers.iter().map(parse).collect();
        let network = self.network;
        self.write(move |session| {
            for number in &numbers {
                session.add_number(network, number)?;
            }
            Ok::<_, Error>(())
        });
    }

    /// What has happened in the network, as it is kept for those who listen: `kind` and `data`.
    pub fn events(&self) -> Vec<Value> {
        let page = Page::of(0, 10_000);
        let events = self.read(|session| session.events(self.network, page));
        events.into_iter().map(|it| json!({"kind": it.kind, "data": it.data})).collect()
    }

    /// Runs a use case as the whole network, at a moment, on the server's own database.
    pub fn at<T: Send + 'static>(
        &self,
        now: Timestamp,
        work: impl FnOnce(&mut Session<'_>, &Context) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let grants = vec![Grant { scope: Scope::Network, role: Role::Super }];
        let caller = Caller { network_id: self.network, actor: Actor::CommandLine, grants };
        let context = Context { caller, now, system_now: now, request_id: "a test".to_owned() };
        self.store.write_blocking(move |session| work(session, &context))
    }

    fn read<T>(
        &self,
        work: impl FnOnce(&mut Session<'_>) -> Result<T, trunkline_store::Error>,
    ) -> T {
        self.store.read(work).expect("the database reads")
    }

    fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Session<'_>) -> Result<T, Error> + Send + 'static,
    ) -> T {
        self.store.write_blocking(work).expect("the database writes")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _gone = self.process.kill();
        let _status = self.process.wait();
    }
}

/// Runs the binary with a command line, to its end.
pub fn run(arguments: &[&str]) -> Output {
    Command::new(binary()).args(arguments).output().expect("the binary starts")
}

/// Starts a server on a database, and returns where it listens.
fn serve(database: &str, arguments: &[String]) -> (Child, String) {
    let mut command = Command::new(binary());
    command.args(["serve", "--listen", "127.0.0.1:0", "--database", database]);
    command.args(arguments).stderr(Stdio::piped()).stdin(Stdio::null()).stdout(Stdio::null());
    let mut process = command.spawn().expect("the server starts");
    let address = listening(process.stderr.take().expect("standard error is piped"));
    (process, address)
}

fn create_network(database: &str, name: &str, more: &[&str]) -> (i64, String) {
    let mut command = Command::new(binary());
    command.args(["network", "create", "--name", name, "--database", database]);
    command.args(more);
    let output = command.output().expect("the binary starts");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "network create: {said}");
    let made: Value = serde_json::from_slice(&output.stdout).expect("one line of JSON");
    let token = made["token"].as_str().expect("a token");
    (made["id"].as_i64().expect("an id"), token.to_owned())
}

/// The address in the first `http://…` that the server says, whatever its log looks like. The
/// rest of what it says is read, so that it never waits for a reader.
fn listening(stderr: ChildStderr) -> String {
    let (send, receive) = mpsc::channel();
    std::thread::spawn(move || {
        for line in BufReader::new(stderr).lines() {
            let Ok(line) = line else { return };
            let _nobody_listens = send.send(line);
        }
    });
    let mut said = Vec::new();
    loop {
        let line = receive.recv_timeout(START);
        let line = line.unwrap_or_else(|_| panic!("the server does not listen: {said:?}"));
        if let Some((_, rest)) = line.split_once("http://") {
            let ends = |c: char| !(c.is_ascii_alphanumeric() || ".:-[]".contains(c));
            return rest.split(ends).next().unwrap_or_default().to_owned();
        }
        said.push(line);
    }
}

/// The binary beside the tests, built if it isn't there.
fn binary() -> PathBuf {
    let name = format!("trunkline{}", std::env::consts::EXE_SUFFIX);
    let test = std::env::current_exe().expect("a test knows its own path");
    let profile = test.ancestors().find(|path| path.ends_with("deps")).and_then(Path::parent);
    let binary = profile.expect("tests are built into a profile's directory").join(name);
    if !binary.exists() {
        let mut build = Command::new(env!("CARGO"));
        build.args(["build", "--package", "trunkline"]);
        build.current_dir(env!("CARGO_MANIFEST_DIR"));
        assert!(build.status().is_ok_and(|status| status.success()), "trunkline does not build");
    }
    binary
}
