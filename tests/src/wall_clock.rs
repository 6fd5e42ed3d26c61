//! Wall clock of a server process, which a test can set. The monotonic clock goes on as it is.

use std::path::{Path, PathBuf};
use std::process::Command;
use tempfile::TempDir;

/// Directories of the libraries of an architecture.
const LIBRARIES: &str = "/usr/lib";

/// A wall clock that differs from the system's by a number of seconds, by means of libfaketime. It is
/// installed from Debian's packages where it is missing.
#[derive(Debug)]
pub struct WallClock {
    directory: TempDir,
    library: PathBuf,
}

impl WallClock {
    /// Creates a clock with an offset in seconds.
    pub fn with_offset(seconds: i64) -> Self {
        let library = find_library().unwrap_or_else(|| {
            install();
            find_library().expect("the package has the library")
        });
        let directory = TempDir::new().expect("a temporary directory can be made");
        let clock = Self { directory, library };
        clock.set_offset(seconds);
        clock
    }

    /// Sets the clock: a step for the processes that run by it.
    pub fn set_offset(&self, seconds: i64) {
        let new = self.directory.path().join("new");
        std::fs::write(&new, format!("{seconds:+}s")).expect("a file can be written");
        std::fs::rename(new, self.file()).expect("a file can be renamed");
    }

    /// Environment of a process that runs by the clock.
    pub(crate) fn environment(&self) -> Vec<(String, String)> {
        let variables = [
            ("LD_PRELOAD", self.library.display().to_string()),
            ("FAKETIME_TIMESTAMP_FILE", self.file().display().to_string()),
            ("FAKETIME_NO_CACHE", "1".to_owned()),
            ("FAKETIME_DONT_FAKE_MONOTONIC", "1".to_owned()),
            ("NO_FAKE_STAT", "1".to_owned()),
        ];
        variables.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
    }

    fn file(&self) -> PathBuf {
        self.directory.path().join("offset")
    }
}

fn find_library() -> Option<PathBuf> {
    let directories = std::fs::read_dir(LIBRARIES).ok()?;
    let file = |entry: std::fs::DirEntry| entry.path().join("faketime/libfaketimeMT.so.1");
    directories.filter_map(Result::ok).map(file).find(|path| path.exists())
}

/// Installs the package. A lock keeps tests in other processes from installing at the same time.
fn install() {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("install-packages");
    let lock = std::env::temp_dir().join("trunkline-install-packages.lock");
    let status = Command::new("flock").arg(lock).arg(script).arg("faketime:faketime").status();
    assert!(status.is_ok_and(|status| status.success()), "libfaketime can be installed");
}
