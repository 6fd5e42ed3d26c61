//! Detection of a database file that is replaced or deleted while it is open. SQLite would go on
//! writing to the old file, which is lost when it is closed.

use super::files::companion;
use crate::Error;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Device and inode of the database file and its log at the time they were opened.
#[derive(Debug)]
pub(crate) struct FileWatch {
    file: PathBuf,
    /// Paths with their devices and inodes.
    opened: Vec<(PathBuf, (u64, u64))>,
    /// True while a file is missing or another one, so that it is logged once.
    is_replaced: AtomicBool,
}

impl FileWatch {
    /// Remembers the files that are at the paths now.
    pub(super) fn new(file: &Path) -> Arc<Self> {
        let paths = [file.to_owned(), companion(file, "-wal")];
        let opened = paths.into_iter().filter_map(|path| {
            let identity = identity(&path)?;
            Some((path, identity))
        });
        Arc::new(Self {
            file: file.to_owned(),
            opened: opened.collect(),
            is_replaced: AtomicBool::new(false),
        })
    }

    /// Checks that the files at the paths are those that were opened.
    ///
    /// # Errors
    ///
    /// [`Error::Replaced`]; logged when it begins.
    pub(crate) fn verify(&self) -> Result<(), Error> {
        let is_same = |(path, opened): &(PathBuf, _)| identity(path).as_ref() == Some(opened);
        let replaced = self.opened.iter().find(|opened| !is_same(opened));
        let was_replaced = self.is_replaced.swap(replaced.is_some(), Ordering::Relaxed);
        match replaced {
            Some((path, _)) => {
                if !was_replaced {
                    let path = path.display();
                    tracing::error!(
                        "the database file '{path}' was replaced or deleted while this server has it \
                         open: writes are rejected until the server is restarted"
                    );
                }
                Err(Error::Replaced)
            }
            None => {
                if was_replaced {
                    let file = self.file.display();
                    tracing::info!("the database file '{file}' is back: writes are accepted again");
                }
                Ok(())
            }
        }
    }
}

fn identity(path: &Path) -> Option<(u64, u64)> {
    path.metadata().ok().map(|metadata| (metadata.dev(), metadata.ino()))
}
