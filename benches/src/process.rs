//! Child process that serves HTTP, with its memory and CPU time.

use std::error::Error;
use std::fs::{File, read_to_string, write};
use std::path::Path;
use std::process::{Child, Command};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// Longest time for a process to start.
const START_TIMEOUT: Duration = Duration::from_secs(120);
/// Unit of CPU time in `/proc` (`USER_HZ`), the same on every Linux.
const TICKS_PER_SECOND: f64 = 100.0;

/// Child process that serves HTTP; killed when dropped.
#[derive(Debug)]
pub(crate) struct Process {
    child: Child,
    /// `host:port`.
    pub(crate) address: String,
}

impl Process {
    /// Starts a command and waits until it prints its address to standard error, which goes to `log`.
    pub(crate) fn start(command: &mut Command, log: &Path) -> Result<Self, Box<dyn Error>> {
        let child = command.stderr(File::create(log)?).spawn()?;
        let mut process = Self { child, address: String::new() };
        let started = Instant::now();
        while started.elapsed() < START_TIMEOUT {
            let output = read_to_string(log)?;
            if let Some((_, rest)) = output.split_once("http://") {
                let end = rest.find(|c: char| !(c.is_ascii_alphanumeric() || ".:".contains(c)));
                if let Some(address) = end.and_then(|end| rest.get(..end)) {
                    process.address = address.to_owned();
                    return Ok(process);
                }
            }
            if process.child.try_wait()?.is_some() {
                return Err(format!("{command:?} ended: {output}").into());
            }
            sleep(Duration::from_millis(2));
        }
        Err(format!("{command:?} did not start").into())
    }

    /// Reads a figure of `/proc/<pid>/status` in KiB: `VmRSS` (current), `VmHWM` (peak).
    pub(crate) fn memory(&self, name: &str) -> Result<u64, Box<dyn Error>> {
        let status = read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = status.lines().find(|line| line.starts_with(name)).ok_or("no such figure")?;
        let figure = line.split_whitespace().nth(1).ok_or("no figure")?;
        Ok(figure.parse()?)
    }

    /// Resets `VmHWM` to the current memory. Without the permission it stays.
    pub(crate) fn reset_peak_memory(&self) {
        write(format!("/proc/{}/clear_refs", self.child.id()), "5").ok();
    }

    /// CPU time so far.
    pub(crate) fn cpu_seconds(&self) -> Result<f64, Box<dyn Error>> {
        cpu_seconds(&self.child.id().to_string())
    }
}

/// CPU time of a process so far, by its id or `self`.
pub(crate) fn cpu_seconds(id: &str) -> Result<f64, Box<dyn Error>> {
    let stat = read_to_string(format!("/proc/{id}/stat"))?;
    let (_, figures) = stat.rsplit_once(')').ok_or("no name")?;
    let figures: Vec<&str> = figures.split_whitespace().collect();
    let figure = |index: usize| figures.get(index).and_then(|text| text.parse::<u64>().ok());
    let [user, system] = [11, 12].map(figure);
    let ticks = user.zip(system).map(|(user, system)| user + system).ok_or("no times")?;
    Ok(ticks as f64 / TICKS_PER_SECOND)
}

impl Drop for Process {
    fn drop(&mut self) {
        // Both fail if the process has ended already.
        self.child.kill().ok();
        self.child.wait().ok();
    }
}
