//! TLS to PostgreSQL with libpq's parameters: `./test --postgres tls`.

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa,
    KeyPair,
};
use serde_json::json;
use std::fs;
use tempfile::TempDir;
use trunkline_tests::{PostgresCluster, Proxy, Server, run};

/// `pg_hba.conf`: the users and their authentication methods.
const HBA_RULES: &str = "local all all trust
host all trunkline all trust
hostssl all secured all scram-sha-256
hostssl all certified all cert
hostnossl all clear all trust";

/// A cluster with a certificate for `localhost`. `ca.pem` is its authority, `other.pem` another authority,
/// `server.pem` the server's certificate and `client.pem` a client's.
struct World {
    cluster: PostgresCluster,
    files: TempDir,
}

type Authority = CertifiedIssuer<'static, KeyPair>;

fn new_authority(name: &str) -> Authority {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.distinguished_name.push(DnType::CommonName, name);
    CertifiedIssuer::self_signed(params, KeyPair::generate().expect("a key")).expect("an authority")
}

/// Issues a certificate. Returns it and its key as PEM.
fn issue_certificate(
    by: &Authority,
    name: &str,
    usage: ExtendedKeyUsagePurpose,
) -> (String, String) {
    let mut params = CertificateParams::new([name.to_owned()]).expect("a name");
    params.distinguished_name.push(DnType::CommonName, name);
    params.extended_key_usages = vec![usage];
    let key = KeyPair::generate().expect("a key");
    let created = params.signed_by(&key, by).expect("a certificate");
    (created.pem(), key.serialize_pem())
}

impl World {
    fn new() -> Self {
        let cluster = PostgresCluster::start();
        let files = TempDir::new().expect("a folder");
        let ca = new_authority("An authority");
        let other = new_authority("Another authority");
        let (certificate, key) =
            issue_certificate(&ca, "localhost", ExtendedKeyUsagePurpose::ServerAuth);
        let (client, client_key) =
            issue_certificate(&ca, "certified", ExtendedKeyUsagePurpose::ClientAuth);
        cluster.write_file("server.crt", &certificate);
        cluster.write_file("server.key", &key);
        cluster.write_file("root.crt", &ca.pem());
        cluster.write_file("pg_hba.conf", HBA_RULES);
        for (name, text) in [
            ("ca.pem", ca.pem()),
            ("other.pem", other.pem()),
            ("server.pem", certificate),
            ("client.pem", client),
            ("client.key", client_key),
        ] {
            fs::write(files.path().join(name), text).expect("a file");
        }
        let mut admin = cluster.admin();
        for setting in ["ssl = on", "ssl_ca_file = 'root.crt'"] {
            admin.execute(&format!("ALTER SYSTEM SET {setting}"), &[]).expect("it is set");
        }
        for user in ["secured", "certified", "clear"] {
            let role = format!("CREATE ROLE {user} SUPERUSER LOGIN PASSWORD 'hidden'");
            admin.batch_execute(&role).expect("a role");
            admin.batch_execute(&format!("CREATE DATABASE {user}")).expect("a database");
        }
        admin.batch_execute("SELECT pg_reload_conf()").expect("it is read again");
        let world = Self { cluster, files };
        // PostgreSQL reloads its configuration asynchronously.
        while world.open_error("secured", "sslmode=require").contains("does not support TLS") {}
        world
    }

    fn port(&self) -> &str {
        let (_, port) = self.cluster.address().rsplit_once(':').expect("a port");
        port
    }

    /// URL of a user's database. `<name>` in the TLS parameters stands for a file.
    fn url_at(&self, host: &str, user: &str, tls: &str) -> String {
        let folder = self.files.path().display().to_string();
        let tls = tls.replace('<', &format!("{folder}/")).replace('>', "");
        format!("postgres://{user}:hidden@{host}:{}/{user}?{tls}", self.port())
    }

    fn url(&self, user: &str, tls: &str) -> String {
        self.url_at("localhost", user, tls)
    }

    /// Opens an existing database by URL. Returns the error message.
    fn try_open(&self, url: &str) -> Result<(), String> {
        let done = run(&["database", "migrate", "--database", url, "--log", "off"]);
        let message = String::from_utf8_lossy(&done.stderr).into_owned();
        assert!(!message.contains("hidden"), "{message}");
        if done.status.success() { Ok(()) } else { Err(message) }
    }

    fn open_error(&self, user: &str, tls: &str) -> String {
        self.try_open(&self.url(user, tls)).err().unwrap_or_default()
    }
}

/// TLS parameters, user, host, and the expected error message or `None`.
const CASES: &[(&str, &str, &str, Option<&str>)] = &[
    ("", "secured", "localhost", None),
    ("sslmode=prefer", "secured", "localhost", None),
    ("sslmode=require", "secured", "localhost", None),
    ("sslmode=require&channel_binding=require", "secured", "localhost", None),
    ("sslmode=require&sslrootcert=<ca.pem>", "secured", "127.0.0.1", None),
    ("sslmode=verify-ca&sslrootcert=<ca.pem>", "secured", "127.0.0.1", None),
    ("sslmode=verify-full&sslrootcert=<ca.pem>", "secured", "localhost", None),
    ("sslmode=verify-full&sslrootcert=<server.pem>", "secured", "localhost", None),
    ("sslmode=verify-ca&sslrootcert=<server.pem>", "secured", "127.0.0.1", None),
    (
        "sslmode=verify-full&sslrootcert=<ca.pem>&sslcert=<client.pem>&sslkey=<client.key>",
        "certified",
        "localhost",
        None,
    ),
    ("sslmode=disable", "clear", "localhost", None),
    // The server denies this user TLS, and requires it of the other one.
    ("sslmode=prefer", "clear", "localhost", None),
    ("sslmode=require", "clear", "localhost", Some("no pg_hba.conf entry")),
    ("sslmode=disable", "secured", "localhost", Some("no pg_hba.conf entry")),
    (
        "sslmode=verify-full&sslrootcert=<ca.pem>",
        "secured",
        "127.0.0.1",
        Some("the server's certificate is not for '127.0.0.1'"),
    ),
    (
        "sslmode=verify-full&sslrootcert=<server.pem>",
        "secured",
        "127.0.0.1",
        Some("the server's certificate is not for '127.0.0.1'"),
    ),
    (
        "sslmode=verify-full&sslrootcert=<other.pem>",
        "secured",
        "localhost",
        Some(
            "the authority of the server's certificate is not trusted: add its certificate with sslrootcert=<file>",
        ),
    ),
    (
        "sslmode=verify-ca&sslrootcert=<other.pem>",
        "secured",
        "localhost",
        Some("the authority of the server's certificate is not trusted"),
    ),
    (
        "sslmode=require&sslrootcert=<other.pem>",
        "secured",
        "localhost",
        Some("the authority of the server's certificate is not trusted"),
    ),
    (
        "sslmode=verify-full",
        "secured",
        "localhost",
        Some("the authority of the server's certificate is not trusted"),
    ),
    ("sslmode=require", "certified", "localhost", Some("requires a valid client certificate")),
    ("sslmode=on", "secured", "localhost", Some("sslmode=on is not one of disable, prefer,")),
    ("sslrootcert=<none.pem>", "secured", "localhost", Some("cannot read the certificates in '")),
    ("sslrootcert=<client.key>", "secured", "localhost", Some("there is no certificate in '")),
    (
        "sslcert=<client.pem>&sslkey=<ca.pem>",
        "secured",
        "localhost",
        Some("cannot read the key in '"),
    ),
];

#[test]
fn on_postgres_tls_parameters_are_honoured() {
    let world = World::new();
    for (tls, user, host, event) in CASES {
        let url = world.url_at(host, user, tls);
        match (world.try_open(&url), event) {
            (Ok(()), None) => {}
            (Err(error), Some(event)) => {
                assert!(error.contains(event), "{tls} of {user} at {host}: {error}");
                assert_eq!(error.lines().count(), 1, "{error}");
            }
            (found, _) => panic!("{tls} of {user} at {host}: {found:?}"),
        }
    }
}

#[test]
fn on_postgres_required_tls_must_be_offered() {
    let cluster = PostgresCluster::start();
    let try_open = |tls: &str| {
        let url = format!("postgres://trunkline@{}/postgres?{tls}", cluster.address());
        let done = run(&["database", "migrate", "--database", &url, "--log", "off"]);
        (done.status.success(), String::from_utf8_lossy(&done.stderr).into_owned())
    };
    for tls in ["", "sslmode=prefer", "sslmode=disable"] {
        assert!(try_open(tls).0, "{tls}: {}", try_open(tls).1);
    }
    for tls in ["sslmode=require", "sslmode=verify-ca", "sslmode=verify-full"] {
        let (done, message) = try_open(tls);
        assert!(!done && message.contains("server does not support TLS"), "{tls}: {message}");
    }
}

/// All connections use TLS: those that write, read and listen, and those of copy and check. They are
/// established again after the database was unavailable.
#[test]
fn on_postgres_every_connection_uses_tls() {
    let world = World::new();
    let proxy = Proxy::to(world.cluster.address());
    let tls = "sslmode=verify-full&sslrootcert=<ca.pem>&channel_binding=require";
    let direct = world.url("secured", tls);
    let url = direct.replace(
        &format!("localhost:{}", world.port()),
        &proxy.address().replace("127.0.0.1", "localhost"),
    );
    let server = Server::builder().database_url(&url).arguments(&["--rate-limit", "0"]).start();
    let network = server.network();
    network.has_live_campaign("354", "12", json!({}));
    let mut stream = network.open_event_stream("", &[]);
    network.report_call("1", json!({}));
    while stream.expect_event().kind != "transaction.created" {}
    assert_eq!(network.ledger().len(), 1);
    let mut admin = world.cluster.admin();
    let visible = "SELECT COUNT(*), COUNT(*) FILTER (WHERE NOT ssl) FROM pg_stat_ssl
        JOIN pg_stat_activity USING (pid) WHERE usename = 'secured'";
    let row = admin.query_one(visible, &[]).expect("a row");
    let (all, clear): (i64, i64) = (row.get(0), row.get(1));
    assert!(all >= 3 && clear == 0, "{clear} of {all} connections are in the clear");
    let done = run(&["database", "check", "--database", &direct]);
    assert!(done.status.success(), "{done:?}");
    let copy = world.files.path().join("copy.db");
    let copy = format!("sqlite://{}", copy.display());
    let done = run(&["database", "copy", "--from", &direct, "--to", &copy]);
    assert!(done.status.success(), "{done:?}");

    proxy.hang();
    let stopped_at = std::time::Instant::now();
    network.get("/network").assert_error(503, "ServiceUnavailable");
    network.request("PUT", "/affiliates/1").json(&json!({"name": "x"})).send().expect(503);
    assert!(stopped_at.elapsed() < std::time::Duration::from_secs(4), "{:?}", stopped_at.elapsed());
    proxy.restore();
    while network.absolute_paths().get("/readyz").status != 200 {}
    network.report_call("2", json!({}));
    assert_eq!(network.ledger().len(), 2);
}

#[test]
fn on_postgres_tls_files_are_read_once() {
    let world = World::new();
    let url = world.url("secured", "sslmode=verify-full&sslrootcert=<ca.pem>");
    let server = Server::builder().database_url(&url).start();
    fs::remove_file(world.files.path().join("ca.pem")).expect("it was there");
    server.network().has_affiliate("1");
    assert!(world.open_error("secured", "sslrootcert=<ca.pem>").contains("cannot read"));
}
