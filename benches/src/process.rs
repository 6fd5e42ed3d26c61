//! A process that answers HTTP, and what it takes of the machine.

use std::error::Error;
use std::fs::{File, read_to_string, write};
use std::path::Path;
use std::process::{Child, Command};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// How long it may take to start.
const START: Duration = Duration::from_secs(120);
/// What `/proc` counts processors' time in, a second: the same on every Linux.
const TICKS: f64 = 100.0;

/// Killed when dropped.
#[derive(Debug)]
pub(crate) struct Process {
    child: Child,
    /// `host:port`.
    pub(crate) address: String,
}

impl Process {
    /// Starts a command that says on its standard error, which goes to a file, where it listens.
    pub(crate) fn start(command: &mut Command, log: &Path) -> Result<Self, Box<dyn Error>> {
        let child = command.stderr(File::create(log)?).spawn()?;
        let mut process = Self { child, address: String::new() };
        let begun = Instant::now();
        while begun.elapsed() < START {
            let said = read_to_string(log)?;
            if let Some((_, rest)) = said.split_once("http://") {
                let end = rest.find(|c: char| !(c.is_ascii_alphanumeric() || ".:".contains(c)));
                if let Some(address) = end.and_then(|end| rest.get(..end)) {
                    process.address = address.to_owned();
                    return Ok(process);
                }
            }
            if process.child.try_wait()?.is_some() {
                return Err(format!("{command:?} ended: {said}").into());
            }
            sleep(Duration::from_millis(2));
        }
        Err(format!("{command:?} did not start").into())
    }

    /// A figure of `/proc/<pid>/status` in KiB: `VmRSS` now, `VmHWM` at most so far.
    pub(crate) fn memory(&self, name: &str) -> Result<u64, Box<dyn Error>> {
        let status = read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = status.lines().find(|line| line.starts_with(name)).ok_or("no such figure")?;
        let figure = line.split_whitespace().nth(1).ok_or("no figure")?;
        Ok(figure.parse()?)
    }

    /// Lets `VmHWM` begin again at what there is now; where that is not allowed it goes on.
    pub(crate) fn forget_peak(&self) {
        let _allowed = write(format!("/proc/{}/clear_refs", self.child.id()), "5");
    }

    /// Processors' time so far (seconds).
    pub(crate) fn cpu(&self) -> Result<f64, Box<dyn Error>> {
        cpu(&self.child.id().to_string())
    }
}

/// Processors' time of a process so far (seconds), by its id; `self` is this one.
pub(crate) fn cpu(id: &str) -> Result<f64, Box<dyn Error>> {
    let stat = read_to_string(format!("/proc/{id}/stat"))?;
    let (_, figures) = stat.rsplit_once(')').ok_or("no name")?;
    let figures: Vec<&str> = figures.split_whitespace().collect();
    let [user, system] = [11, 12].map(|at| figures.get(at).and_then(|it| it.parse::<u64>().ok()));
    let ticks = user.zip(system).map(|(user, system)| user + system).ok_or("no times")?;
    Ok(ticks as f64 / TICKS)
}

impl Drop for Process {
    fn drop(&mut self) {
        let _killed = self.child.kill();
        let _ended = self.child.wait();
    }
}
