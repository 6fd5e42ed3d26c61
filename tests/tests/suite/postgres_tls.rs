//! TLS to PostgreSQL, by libpq's words: `./test --postgres tls`.

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa,
    KeyPair,
};
use serde_json::json;
use std::fs;
use tempfile::TempDir;
use trunkline_tests::{Cluster, Proxy, Server, run};

/// Who may come in how.
const RULES: &str = "local all all trust
host all trunkline all trust
hostssl all secured all scram-sha-256
hostssl all certified all cert
hostnossl all clear all trust";

/// A server with a certificate for `localhost`, by an authority whose own is in `ca.pem`; another
/// authority's is in `other.pem`, the server's in `server.pem`, and a client's in `client.pem`.
struct World {
    cluster: Cluster,
    files: TempDir,
}

type Authority = CertifiedIssuer<'static, KeyPair>;

fn authority(name: &str) -> Authority {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.distinguished_name.push(DnType::CommonName, name);
    CertifiedIssuer::self_signed(params, KeyPair::generate().expect("a key")).expect("an authority")
}

/// A certificate and its key, as PEM.
fn issued(by: &Authority, name: &str, usage: ExtendedKeyUsagePurpose) -> (String, String) {
    let mut params = CertificateParams::new([name.to_owned()]).expect("a name");
    params.distinguished_name.push(DnType::CommonName, name);
    params.extended_key_usages = vec![usage];
    let key = KeyPair::generate().expect("a key");
    let made = params.signed_by(&key, by).expect("a certificate");
    (made.pem(), key.serialize_pem())
}

impl World {
    fn new() -> Self {
        let (cluster, files) = (Cluster::new(), TempDir::new().expect("a folder"));
        let (ca, other) = (authority("An authority"), authority("Another authority"));
        let (certificate, key) = issued(&ca, "localhost", ExtendedKeyUsagePurpose::ServerAuth);
        let (client, client_key) = issued(&ca, "certified", ExtendedKeyUsagePurpose::ClientAuth);
        cluster.write("server.crt", &certificate);
        cluster.write("server.key", &key);
        cluster.write("root.crt", &ca.pem());
        cluster.write("pg_hba.conf", RULES);
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
        // It reads it when it gets to it.
        while world.refused("secured", "sslmode=require").contains("does not support TLS") {}
        world
    }

    fn port(&self) -> &str {
        let (_, port) = self.cluster.address().rsplit_once(':').expect("a port");
        port
    }

    /// A user's own database; `<name>` in what is said of TLS is a file.
    fn url_at(&self, host: &str, user: &str, tls: &str) -> String {
        let folder = self.files.path().display().to_string();
        let tls = tls.replace('<', &format!("{folder}/")).replace('>', "");
        format!("postgres://{user}:hidden@{host}:{}/{user}?{tls}", self.port())
    }

    fn url(&self, user: &str, tls: &str) -> String {
        self.url_at("localhost", user, tls)
    }

    /// What a user is told who looks at a database that was made before.
    fn asked(&self, url: &str) -> Result<(), String> {
        let done = run(&["network", "list", "--database", url, "--log", "off"]);
        let said = String::from_utf8_lossy(&done.stderr).into_owned();
        assert!(!said.contains("hidden"), "{said}");
        if done.status.success() { Ok(()) } else { Err(said) }
    }

    fn refused(&self, user: &str, tls: &str) -> String {
        self.asked(&self.url(user, tls)).err().unwrap_or_default()
    }
}

/// What is said of TLS, who says it, at which host, and what they are told, or nothing.
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
    // The server refuses this user TLS, and the other one anything else.
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
        Some("of no authority that is trusted: sslrootcert=<file> names others"),
    ),
    (
        "sslmode=verify-ca&sslrootcert=<other.pem>",
        "secured",
        "localhost",
        Some("of no authority that is trusted"),
    ),
    (
        "sslmode=require&sslrootcert=<other.pem>",
        "secured",
        "localhost",
        Some("of no authority that is trusted"),
    ),
    ("sslmode=verify-full", "secured", "localhost", Some("of no authority that is trusted")),
    ("sslmode=require", "certified", "localhost", Some("requires a valid client certificate")),
    ("sslmode=on", "secured", "localhost", Some("sslmode=on is none of disable, prefer,")),
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
fn on_postgres_tls_is_as_it_is_asked_for() {
    let world = World::new();
    for (tls, user, host, told) in CASES {
        let url = world.url_at(host, user, tls);
        match (world.asked(&url), told) {
            (Ok(()), None) => {}
            (Err(said), Some(told)) => {
                assert!(said.contains(told), "{tls} of {user} at {host}: {said}");
                assert_eq!(said.lines().count(), 1, "{said}");
            }
            (found, _) => panic!("{tls} of {user} at {host}: {found:?}"),
        }
    }
}

#[test]
fn on_postgres_tls_has_to_be_offered_where_it_is_required() {
    let cluster = Cluster::new();
    let asked = |tls: &str| {
        let url = format!("postgres://trunkline@{}/postgres?{tls}", cluster.address());
        let done = run(&["network", "list", "--database", &url, "--log", "off"]);
        (done.status.success(), String::from_utf8_lossy(&done.stderr).into_owned())
    };
    for tls in ["", "sslmode=prefer", "sslmode=disable"] {
        assert!(asked(tls).0, "{tls}: {}", asked(tls).1);
    }
    for tls in ["sslmode=require", "sslmode=verify-ca", "sslmode=verify-full"] {
        let (done, said) = asked(tls);
        assert!(!done && said.contains("server does not support TLS"), "{tls}: {said}");
    }
}

/// Every connection of a server: those that write, read and listen, and those of a copy and a check. The
/// database goes and comes back meanwhile, as it does without TLS.
#[test]
fn on_postgres_tls_is_on_every_connection() {
    let world = World::new();
    let proxy = Proxy::to(world.cluster.address());
    let tls = "sslmode=verify-full&sslrootcert=<ca.pem>&channel_binding=require";
    let direct = world.url("secured", tls);
    let url = direct.replace(
        &format!("localhost:{}", world.port()),
        &proxy.address().replace("127.0.0.1", "localhost"),
    );
    let server = Server::on(&url, &["--rate-limit", "0"]);
    let network = server.network();
    network.has_live_campaign("354", "12", json!({}));
    let mut stream = network.listen("", &[]);
    network.calls("1", json!({}));
    while stream.hears().kind != "transaction.created" {}
    assert_eq!(network.ledger().len(), 1);
    let mut admin = world.cluster.admin();
    let seen = "SELECT COUNT(*), COUNT(*) FILTER (WHERE NOT ssl) FROM pg_stat_ssl
        JOIN pg_stat_activity USING (pid) WHERE usename = 'secured'";
    let row = admin.query_one(seen, &[]).expect("a row");
    let (all, clear): (i64, i64) = (row.get(0), row.get(1));
    assert!(all >= 3 && clear == 0, "{clear} of {all} connections are in the clear");
    let done = run(&["database", "check", "--database", &direct]);
    assert!(done.status.success(), "{done:?}");
    let copy = world.files.path().join("copy.db");
    let copy = format!("sqlite://{}", copy.display());
    let done = run(&["database", "copy", "--from", &direct, "--to", &copy]);
    assert!(done.status.success(), "{done:?}");

    proxy.swallow();
    let gone = std::time::Instant::now();
    network.get("/network").refused(503, "ServiceUnavailable");
    network.request("PUT", "/affiliates/1").json(&json!({"name": "x"})).send().expect(503);
    assert!(gone.elapsed() < std::time::Duration::from_secs(4), "{:?}", gone.elapsed());
    proxy.heal();
    while network.anywhere().get("/readyz").status != 200 {}
    network.calls("2", json!({}));
    assert_eq!(network.ledger().len(), 2);
}

#[test]
fn on_postgres_files_of_tls_are_read_once() {
    let world = World::new();
    let url = world.url("secured", "sslmode=verify-full&sslrootcert=<ca.pem>");
    let server = Server::on(&url, &[]);
    fs::remove_file(world.files.path().join("ca.pem")).expect("it was there");
    server.network().has_affiliate("1");
    assert!(world.refused("secured", "sslrootcert=<ca.pem>").contains("cannot read"));
}
