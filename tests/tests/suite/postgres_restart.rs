//! PostgreSQL is killed under load and recovers from its write-ahead log. The test starts a cluster of its
//! own with `fsync` on and needs PostgreSQL's programs.

use serde_json::json;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use tempfile::TempDir;
use trunkline_tests::{Client, FaultReport, Server, runs_all_faults};

const CLIENTS: usize = 8;

/// A PostgreSQL cluster with `fsync` on.
struct DurableCluster {
    programs: PathBuf,
    folder: TempDir,
    port: u16,
}

fn programs() -> PathBuf {
    let versions = std::fs::read_dir("/usr/lib/postgresql").expect("PostgreSQL's programs");
    let bins = versions.flatten().map(|version| version.path().join("bin"));
    bins.filter(|bin| bin.join("pg_ctl").exists()).max().expect("PostgreSQL's programs")
}

impl DurableCluster {
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

    /// Command that runs a program as the user postgres, because PostgreSQL refuses to run as root.
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

impl Drop for DurableCluster {
    fn drop(&mut self) {
        let mut command = self.program("pg_ctl");
        command.arg("-D").arg(self.data()).args(["-m", "immediate", "stop"]);
        // The cluster may have ended.
        command.stdout(Stdio::null()).stderr(Stdio::null()).status().ok();
    }
}

fn is_root() -> bool {
    Command::new("id").arg("-u").output().is_ok_and(|id| id.stdout == b"0\n")
}

fn run(command: &mut Command) {
    let status = command.stdout(Stdio::null()).status();
    assert!(status.is_ok_and(|item| item.success()), "{command:?}");
}

/// Repeats a call until it is accepted.
fn report_until_accepted(network: &Client, id: &str) {
    let call = json!({"call": {"external_call_unique_id": id, "start_time": "2200-01-01",
        "advertiser_campaign_id_from_network": "12"}});
    loop {
        let started = Instant::now();
        let response = network.post("/calls", call.clone());
        match response.status {
            201 | 202 => return,
            503 => assert!(started.elapsed() < Duration::from_secs(2), "{:?}", started.elapsed()),
            _ => panic!("{}", response.text()),
        }
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn on_postgres_killed_database_loses_no_acknowledged_write() {
    let cluster = DurableCluster::start();
    let server =
        Server::builder().database_url(&cluster.url()).arguments(&["--rate-limit", "0"]).start();
    let network = server.network();
    network.has_live_campaign("354", "12", json!({}));
    let over = AtomicBool::new(false);
    let accepted = Mutex::new(0_usize);
    let mut report =
        FaultReport { attempts: if runs_all_faults() { 20 } else { 2 }, ..FaultReport::default() };
    std::thread::scope(|scope| {
        for client in 0..CLIENTS {
            let network = &network;
            let over = &over;
            let accepted = &accepted;
            scope.spawn(move || {
                for number in 0.. {
                    report_until_accepted(network, &format!("{client}-{number}"));
                    *accepted.lock().unwrap() += 1;
                    if over.load(Ordering::Relaxed) {
                        return;
                    }
                }
            });
        }
        let accepted = || *accepted.lock().unwrap();
        for _ in 0..report.attempts {
            let enough = accepted() + 40;
            while accepted() < enough {
                std::thread::yield_now();
            }
            cluster.control(&["-m", "immediate", "restart"]);
            let recovered_at = Instant::now();
            let count_before = accepted();
            while accepted() == count_before {
                std::thread::yield_now();
            }
            report.recovery.push(recovered_at.elapsed());
        }
        over.store(true, Ordering::Relaxed);
    });
    let calls = network.extensions().get("/calls").body(200);
    let stored_count = calls.as_array().expect("a list").len();
    report.acknowledged = accepted.into_inner().unwrap();
    report.lost = report.acknowledged.saturating_sub(stored_count);
    report.duplicated = stored_count.saturating_sub(report.acknowledged);
    report
        .print_and_assert("PostgreSQL killed, recovers from its log (fsync on)", server.database());
}
