//! Description of the machine.

use super::figures::Spread;
use std::fs::{File, read_to_string};
use std::io::Write;
use std::path::Path;
use std::process::Command;
use std::time::Instant;

/// Writes of 4 KiB that are timed.
const FLUSHES: usize = 200;

/// Properties of the machine, as names and values.
#[derive(Debug)]
pub(crate) struct Machine {
    lines: Vec<(&'static str, String)>,
}

impl Machine {
    /// Collects the properties; `folder` contains the databases.
    pub(crate) fn inspect(folder: &Path, postgres: Option<String>) -> Self {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let memory = field("/proc/meminfo", "MemTotal:").and_then(|value| {
            let kibibytes: f64 = value.split_whitespace().next()?.parse().ok()?;
            Some(format!("{:.1} GiB", kibibytes / 1024.0 / 1024.0))
        });
        let processor = field("/proc/cpuinfo", "model name").unwrap_or_else(unknown);
        let processor = processor.trim_start_matches([':', ' ']).to_owned();
        let load = read_to_string("/proc/loadavg").unwrap_or_default();
        let load: Vec<&str> = load.split_whitespace().take(3).collect();
        let mut lines = vec![
            ("processor", format!("{processor}, {cores} cores")),
            ("memory", memory.unwrap_or_else(unknown)),
            ("kernel", command_output("uname", &["-srm"])),
            ("file system", file_system(folder)),
            ("4 KiB to disk", sync_latency(folder).unwrap_or_else(|error| error.to_string())),
            (
                "compiler",
                format!("{}, {} build", command_output("rustc", &["--version"]), profile()),
            ),
            ("SQLite", format!("{}, WAL, synchronous=FULL", rusqlite::version())),
        ];
        lines.extend(postgres.map(|version| ("PostgreSQL", version)));
        let revision = command_output("git", &["describe", "--always", "--dirty", "--abbrev=12"]);
        lines.push(("revision", revision));
        lines.push(("load before", load.join(" ")));
        Self { lines }
    }

    /// Renders the properties as a table.
    pub(crate) fn markdown(&self) -> String {
        let rows: String =
            self.lines.iter().map(|(name, value)| format!("| {name} | {value} |\n")).collect();
        format!("| | |\n|---|---|\n{rows}")
    }
}

fn profile() -> &'static str {
    if cfg!(debug_assertions) { "debug" } else { "release" }
}

fn unknown() -> String {
    "unknown".to_owned()
}

/// Returns the rest of the first line of a file that starts with `name`.
fn field(file: &str, name: &str) -> Option<String> {
    let text = read_to_string(file).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    Some(line.trim().to_owned())
}

/// Runs a program and returns its output.
fn command_output(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output().ok();
    let output = output.filter(|output| output.status.success());
    let text = output.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned());
    text.filter(|text| !text.is_empty()).unwrap_or_else(unknown)
}

/// Measures an append of 4 KiB followed by `fdatasync`.
fn sync_latency(folder: &Path) -> std::io::Result<String> {
    let mut file = File::create(folder.join("flushed"))?;
    let mut microseconds = Vec::new();
    for _ in 0..FLUSHES {
        file.write_all(&[1; 4096])?;
        let started = Instant::now();
        file.sync_data()?;
        microseconds.push(started.elapsed().as_secs_f64() * 1e6);
    }
    let spread = Spread::from_figures(microseconds).map(|spread| {
        let Spread { median, min, max } = spread;
        format!("median {median:.0} µs, {min:.0} – {max:.0} µs")
    });
    Ok(spread.unwrap_or_default())
}

/// File system of a folder, from `/proc/mounts`.
fn file_system(folder: &Path) -> String {
    let mounts = read_to_string("/proc/mounts").unwrap_or_default();
    let mut longest_prefix = 0;
    let mut file_system = unknown();
    for line in mounts.lines() {
        let columns: Vec<&str> = line.split_whitespace().collect();
        let [device, mount_point, kind, ..] = columns.as_slice() else { continue };
        if folder.starts_with(mount_point) && mount_point.len() >= longest_prefix {
            longest_prefix = mount_point.len();
            file_system = format!("{kind} ({device})");
        }
    }
    file_system
}
