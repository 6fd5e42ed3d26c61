//! What the figures were taken on.

use super::figures::Spread;
use std::fs::{File, read_to_string};
use std::io::Write;
use std::path::Path;
use std::process::Command;
use std::time::Instant;

/// How often 4 KiB are written, to see how long that takes.
const FLUSHES: usize = 200;

/// Names of things, and what they are here.
#[derive(Debug)]
pub(crate) struct Machine {
    lines: Vec<(&'static str, String)>,
}

impl Machine {
    /// Looks at the machine; `folder` is where databases are.
    pub(crate) fn look(folder: &Path, postgres: Option<String>) -> Self {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let memory = field("/proc/meminfo", "MemTotal:").and_then(|said| {
            let kibibytes: f64 = said.split_whitespace().next()?.parse().ok()?;
            Some(format!("{:.1} GiB", kibibytes / 1024.0 / 1024.0))
        });
        let processor = field("/proc/cpuinfo", "model name").unwrap_or_else(unknown);
        let processor = processor.trim_start_matches([':', ' ']).to_owned();
        let load = read_to_string("/proc/loadavg").unwrap_or_default();
        let load: Vec<&str> = load.split_whitespace().take(3).collect();
        let mut lines = vec![
            ("processor", format!("{processor}, {cores} cores")),
            ("memory", memory.unwrap_or_else(unknown)),
            ("kernel", said("uname", &["-srm"])),
            ("file system", file_system(folder)),
            ("4 KiB to disk", flush(folder).unwrap_or_else(|error| error.to_string())),
            ("compiler", format!("{}, {} build", said("rustc", &["--version"]), profile())),
            ("SQLite", format!("{}, WAL, synchronous=FULL", rusqlite::version())),
        ];
        lines.extend(postgres.map(|version| ("PostgreSQL", version)));
        lines.push(("revision", said("git", &["describe", "--always", "--dirty", "--abbrev=12"])));
        lines.push(("load before", load.join(" ")));
        Self { lines }
    }

    /// As a table.
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
    "not known".to_owned()
}

/// The rest of a file's first line that starts so.
fn field(file: &str, name: &str) -> Option<String> {
    let text = read_to_string(file).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    Some(line.trim().to_owned())
}

fn said(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output().ok();
    let output = output.filter(|output| output.status.success());
    let text = output.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned());
    text.filter(|text| !text.is_empty()).unwrap_or_else(unknown)
}

/// How long it takes until 4 KiB at a file's end are on disk, as `fdatasync` has it.
fn flush(folder: &Path) -> std::io::Result<String> {
    let mut file = File::create(folder.join("flushed"))?;
    let mut took = Vec::new();
    for _ in 0..FLUSHES {
        file.write_all(&[1; 4096])?;
        let begun = Instant::now();
        file.sync_data()?;
        took.push(begun.elapsed().as_secs_f64() * 1e6);
    }
    let spread = Spread::of(took).map(|it| {
        format!("{:.0} µs in the middle, {:.0} – {:.0} µs", it.median, it.least, it.most)
    });
    Ok(spread.unwrap_or_default())
}

/// The file system that a folder is on, by the mounts.
fn file_system(folder: &Path) -> String {
    let mounts = read_to_string("/proc/mounts").unwrap_or_default();
    let mut found = (0, unknown());
    for line in mounts.lines() {
        let words: Vec<&str> = line.split_whitespace().collect();
        let [device, place, kind, ..] = words.as_slice() else { continue };
        if folder.starts_with(place) && place.len() >= found.0 {
            found = (place.len(), format!("{kind} ({device})"));
        }
    }
    found.1
}
