//! PostgreSQL itself is killed under load, and recovers from its log: a server of the test's own, with
//! `fsync` on. It needs PostgreSQL's programs.

use serde_json::json;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use tempfile::TempDir;
use trunkline_tests::{Client, Place, Report, Server, is_full};

const CLIENTS: usize = 8;

/// A PostgreSQL server of one's own.
struct Cluster {
    programs: PathBuf,
    folder: TempDir,
    port: u16,
}

fn programs() -> PathBuf {
    let versions = std::fs::read_dir("/usr/lib/postgresql").expect("PostgreSQL's programs");
    let bins = versions.flatten().map(|version| version.path().join("bin"));
    bins.filter(|bin| bin.join("pg_ctl").exists()).max().expect("PostgreSQL's programs")
}

impl Cluster {
    fn start() -> Self {
        let folder = TempDir::new().expect("a temporary directory");
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = listener.local_addr().expect("an address").port();
        drop(listener);
        let cluster = Self { programs: programs(), folder, port };
        if is_root() {
            run(Command::new("chown").arg("postgres").arg(cluster.folder.path()));
        }
        let data = cluster.data();
        run(cluster.program("initdb").arg("-D").arg(&data).args([
            "-U",
            "trunkline",
            "-A",
            "trust",
        ]));
        cluster.control(&["start"]);
        cluster
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// PostgreSQL refuses to run as root.
    fn program(&self, name: &str) -> Command {
        let program = self.programs.join(name);
        let mut command = match is_root() {
            true => {
                let mut command = Command::new("runuser");
                command.args(["-u", "postgres", "--"]).arg(program);
                command
            }
            false => Command::new(program),
        };
        command.current_dir(self.folder.path());
        command
    }

    fn control(&self, what: &[&str]) {
        let folder = self.folder.path().display().to_string();
        let options =
            format!("-p {} -k {folder} -c listen_addresses=127.0.0.1 -c fsync=on", self.port);
        let mut command = self.program("pg_ctl");
        command.arg("-D").arg(self.data()).args(["-w", "-o", &options, "-l"]);
        command.arg(Path::new(&folder).join("log")).args(what);
        run(&mut command);
    }

    fn url(&self) -> String {
        format!("postgres://trunkline@127.0.0.1:{}/postgres", self.port)
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        let mut command = self.program("pg_ctl");
        command.arg("-D").arg(self.data()).args(["-m", "immediate", "stop"]);
        let _gone = command.stdout(Stdio::null()).stderr(Stdio::null()).status();
    }
}

fn is_root() -> bool {
    Command::new("id").arg("-u").output().is_ok_and(|id| id.stdout == b"0\n")
}

fn run(command: &mut Command) {
    let status = command.stdout(Stdio::null()).status();
    assert!(status.is_ok_and(|it| it.success()), "{command:?}");
}

/// Tells of a call until it is taken.
fn take(network: &Client, id: &str) {
    let call = json!({"call": {"external_call_unique_id": id, "start_time": "2200-01-01",
        "advertiser_campaign_id_from_network": "12"}});
    loop {
        let begun = Instant::now();
        let answer = network.post("/calls", call.clone());
        match answer.status {
            201 | 202 => return,
            503 => assert!(begun.elapsed() < Duration::from_secs(2), "{:?}", begun.elapsed()),
            _ => panic!("{}", answer.text()),
        }
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn on_postgres_that_is_killed_and_recovers_nothing_is_lost() {
    let cluster = Cluster::start();
    let server = Server::start_in(Place::at(&cluster.url()), &["--rate-limit", "0"]);
    let network = server.network();
    network.has_live_campaign("354", "12", json!({}));
    let (over, taken) = (AtomicBool::new(false), Mutex::new(0_usize));
    let mut report = Report { tried: if is_full() { 20 } else { 2 }, ..Report::default() };
    std::thread::scope(|scope| {
        for client in 0..CLIENTS {
            let (network, over, taken) = (&network, &over, &taken);
            scope.spawn(move || {
                for number in 0.. {
                    take(network, &format!("{client}-{number}"));
                    *taken.lock().unwrap() += 1;
                    if over.load(Ordering::Relaxed) {
                        return;
                    }
                }
            });
        }
        let taken = || *taken.lock().unwrap();
        for _ in 0..report.tried {
            let enough = taken() + 40;
            while taken() < enough {
                std::thread::yield_now();
            }
            cluster.control(&["-m", "immediate", "restart"]);
            let (back, so_far) = (Instant::now(), taken());
            while taken() == so_far {
                std::thread::yield_now();
            }
            report.recovery.push(back.elapsed());
        }
        over.store(true, Ordering::Relaxed);
    });
    let calls = network.extensions().get("/calls").body(200);
    let there = calls.as_array().expect("a list").len();
    report.acknowledged = taken.into_inner().unwrap();
    report.lost = report.acknowledged.saturating_sub(there);
    report.doubled = there.saturating_sub(report.acknowledged);
    report.conclude("PostgreSQL killed, recovers from its log (fsync on)", server.database());
}
