//! Test support: runs the binary in a temporary directory.

#![allow(dead_code, reason = "each test file uses a part of this")]
#![expect(clippy::unwrap_used, reason = "a test ends where it fails")]

use serde_json::Value;
use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// Temporary working directory of the binary, with its database.
pub(crate) struct TestDir {
    pub(crate) dir: TempDir,
}

impl TestDir {
    pub(crate) fn new() -> Self {
        Self { dir: tempfile::tempdir().unwrap() }
    }

    pub(crate) fn path(&self, name: &str) -> String {
        self.dir.path().join(name).to_str().unwrap().to_owned()
    }

    /// Builds a command in this directory, without `TRUNKLINE_…` variables.
    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_trunkline"));
        command.args(args).current_dir(&self.dir);
        for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("TRUNKLINE_")) {
            command.env_remove(name);
        }
        command
    }

    pub(crate) fn run(&self, args: &[&str]) -> Output {
        self.command(args).stdin(Stdio::null()).output().unwrap()
    }

    pub(crate) fn run_with_stdin(&self, args: &[&str], stdin: &str) -> Output {
        let mut command = self.command(args);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        // A command that fails at once may end without reading its input.
        let written = child.stdin.take().unwrap().write_all(stdin.as_bytes());
        if let Err(error) = written {
            assert_eq!(error.kind(), ErrorKind::BrokenPipe, "{args:?}");
        }
        child.wait_with_output().unwrap()
    }

    /// Runs a command that must succeed and returns the JSON lines it prints.
    pub(crate) fn run_json(&self, args: &[&str]) -> Vec<Value> {
        json_lines(&self.run(args))
    }

    /// Runs a command that must fail; returns its line on standard error and its exit code.
    pub(crate) fn expect_failure(&self, args: &[&str]) -> (String, i32) {
        expect_failure(&self.run(args))
    }

    /// Creates network 1 and returns its token.
    pub(crate) fn create_network(&self) -> String {
        let created = self.run_json(&["network", "create", "--name", "A"]);
        created[0]["token"].as_str().unwrap().to_owned()
    }

    /// Starts a server, on a free port unless `args` contain `--listen`.
    pub(crate) fn serve(&self, args: &[&str]) -> Server {
        let mut all = vec!["serve"];
        if !args.contains(&"--listen") {
            all.extend(["--listen", "127.0.0.1:0"]);
        }
        all.extend(args);
        Server::start(self.command(&all))
    }
}

pub(crate) fn json_lines(output: &Output) -> Vec<Value> {
    assert!(output.status.success(), "{output:?}");
    let text = std::str::from_utf8(&output.stdout).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

pub(crate) fn expect_failure(output: &Output) -> (String, i32) {
    assert!(output.stdout.is_empty(), "{output:?}");
    let text = String::from_utf8(output.stderr.clone()).unwrap();
    let lines: Vec<&str> = text.lines().filter(|line| !line.starts_with('{')).collect();
    assert_eq!(lines.len(), 1, "{text}");
    let line = lines[0].strip_prefix("trunkline: ").expect("errors begin with the program's name");
    (line.to_owned(), output.status.code().unwrap())
}

/// Running server; killed when dropped.
pub(crate) struct Server {
    pub(crate) child: Child,
    pub(crate) url: String,
    pub(crate) address: String,
    /// Log up to the line with the address.
    pub(crate) startup_log: String,
    log: std::thread::JoinHandle<String>,
}

impl Server {
    pub(crate) fn start(mut command: Command) -> Self {
        let mut child = command.stderr(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap());
        let mut log = String::new();
        let url = loop {
            let mut line = String::new();
            assert!(lines.read_line(&mut line).unwrap() > 0, "the server ended: {log}");
            log.push_str(&line);
            if let Some((_, rest)) = line.split_once("listening on ") {
                break rest.split(['"', '\n']).next().unwrap().to_owned();
            }
        };
        let startup_log = log.clone();
        let log = std::thread::spawn(move || {
            lines.read_to_string(&mut log).unwrap();
            log
        });
        let address = url.split("//").nth(1).unwrap().to_owned();
        Self { child, url, address, startup_log, log }
    }

    pub(crate) fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(&self.address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        stream
    }

    /// Sends a request on a new connection and reads the response. `head` is method and path.
    pub(crate) fn request(&self, head: &str, token: &str, body: &str) -> Response {
        let mut stream = self.connect();
        let length = body.len();
        let auth =
            if token.is_empty() { String::new() } else { format!("Authorization: {token}\r\n") };
        let request = format!(
            "{head} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{auth}Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}"
        );
        stream.write_all(request.as_bytes()).unwrap();
        Response::read(&mut stream)
    }

    /// Sends a request with the given header lines and without a body.
    pub(crate) fn request_with_headers(&self, head: &str, headers: &str) -> Response {
        let mut stream = self.connect();
        let request = format!("{head} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{headers}\r\n");
        stream.write_all(request.as_bytes()).unwrap();
        Response::read(&mut stream)
    }

    /// Sends SIGTERM.
    pub(crate) fn terminate(&self) {
        let killed = Command::new("kill").arg(self.child.id().to_string()).status().unwrap();
        assert!(killed.success());
    }

    /// Waits until the server exits; returns its exit code and its log.
    pub(crate) fn wait(mut self) -> (i32, String) {
        let started = Instant::now();
        let status = self.child.wait().unwrap();
        assert!(started.elapsed() < Duration::from_secs(12), "the server took too long to stop");
        let log = std::mem::replace(&mut self.log, std::thread::spawn(String::new));
        (status.code().unwrap(), log.join().unwrap())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Both fail if the server has exited already.
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// HTTP response as text.
#[derive(Debug)]
pub(crate) struct Response {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Response {
    pub(crate) fn read(stream: &mut impl Read) -> Self {
        let mut text = Vec::new();
        // A reset connection ends the response.
        stream.read_to_end(&mut text).ok();
        let text = String::from_utf8(text).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0);
        Self { status, head: head.to_owned(), body: body.to_owned() }
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }
}
