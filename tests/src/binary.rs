//! The `trunkline` binary as a child process.

use serde_json::Value;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, Command, Output, Stdio};
use std::sync::mpsc;
use std::time::Duration;
use trunkline_domain::id::NetworkId;

/// Time limit for a server to start listening, on a loaded machine.
const START_TIMEOUT: Duration = Duration::from_secs(60);

/// Runs the binary with these arguments until it exits.
pub fn run(arguments: &[&str]) -> Output {
    Command::new(binary_path()).args(arguments).output().expect("the binary starts")
}

/// Starts a server on a database. Returns the process and its address as `host:port`.
pub(crate) fn spawn_server(
    database: &str,
    arguments: &[String],
    environment: &[(String, String)],
) -> (Child, String) {
    let mut command = Command::new(binary_path());
    command.envs(environment.iter().map(|(name, value)| (name, value)));
    command.args(["serve", "--listen", "127.0.0.1:0", "--database", database]);
    // The same text as for --listen: /metrics is served by the main listener.
    command.args(["--metrics-listen", "127.0.0.1:0"]);
    // Most tests report calls of the far future: a campaign pays for calls after its first go_live only.
    if !arguments.iter().any(|argument| argument == "--clock-tolerance") {
        command.args(["--clock-tolerance", "100000000000"]);
    }
    command.args(arguments).stderr(Stdio::piped()).stdin(Stdio::null()).stdout(Stdio::null());
    let mut process = command.spawn().expect("the server starts");
    let address = read_listen_address(process.stderr.take().expect("standard error is piped"));
    (process, address)
}

/// Creates a network with `trunkline network create`. Returns its id and a Super token.
pub(crate) fn create_network(database: &str, name: &str, more: &[&str]) -> (NetworkId, String) {
    let arguments = ["network", "create", "--name", name, "--database", database];
    let output = run(&[&arguments[..], more].concat());
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "network create: {stderr}");
    let network: Value = serde_json::from_slice(&output.stdout).expect("one line of JSON");
    let token = network["token"].as_str().expect("a token");
    (NetworkId::new(network["id"].as_i64().expect("an id")), token.to_owned())
}

/// Reads the address from the first `http://…` on standard error, in any log format. A thread
/// drains the rest, so that the server never blocks on a full pipe. The log is printed with
/// `TRUNKLINE_TEST_LOG=1`.
fn read_listen_address(stderr: ChildStderr) -> String {
    let prints_log = std::env::var_os("TRUNKLINE_TEST_LOG").is_some();
    let (send, receive) = mpsc::channel();
    std::thread::spawn(move || {
        for line in BufReader::new(stderr).lines() {
            let Ok(line) = line else { return };
            if prints_log {
                eprintln!("{line}");
            }
            // The receiver is dropped once the address is known.
            send.send(line).ok();
        }
    });
    let mut log = Vec::new();
    loop {
        let line = receive.recv_timeout(START_TIMEOUT);
        let line = line.unwrap_or_else(|_| panic!("the server does not listen; its log: {log:?}"));
        if let Some((_, rest)) = line.split_once("http://") {
            let is_end = |c: char| !(c.is_ascii_alphanumeric() || ".:-[]".contains(c));
            return rest.split(is_end).next().unwrap_or_default().to_owned();
        }
        log.push(line);
    }
}

/// Path of the binary in the tests' target directory. Builds the binary if it is missing.
fn binary_path() -> PathBuf {
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
