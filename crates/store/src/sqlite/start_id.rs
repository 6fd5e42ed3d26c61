//! Start id of a database file: a number that every start of a server sets anew, in the header of the
//! file (`PRAGMA application_id`) and in `<file>-start`.
//!
//! A `-wal` file belongs to one state of its database file. SQLite cannot tell if an operator has put
//! another copy of the file beside it, and would damage that copy. A log with content is therefore
//! used only if the header has a start id that `<file>-start` contains. The header is read from the
//! file itself, without the log.

use super::connection::file_error;
use super::files::{companion, create_private_for};
use crate::OpenError;
use rusqlite::Connection;
use std::fs::File;
use std::io::{self, Read, Write};
use std::path::Path;

/// Bytes of a SQLite header that are read.
const HEADER_BYTES: usize = 100;
/// First bytes of every SQLite file.
const MAGIC: &[u8] = b"SQLite format 3\0";
/// Size of the header of a `-wal` file; one that is not larger has no content.
const LOG_HEADER_BYTES: u64 = 32;

/// Start id; 0 for a file that no server has used yet.
pub(crate) type StartId = i32;

/// Fields of a file's header.
#[derive(Debug, PartialEq, Eq)]
struct Header {
    start_id: StartId,
    /// Size of the database in bytes, if the header knows it.
    bytes: Option<u64>,
}

/// Makes a start id of random bytes. It is not 0.
pub(crate) fn from_entropy(entropy: &[u8; 32]) -> StartId {
    let words = entropy.chunks_exact(4).filter_map(|word| word.try_into().ok());
    words.map(i32::from_be_bytes).find(|id| *id != 0).unwrap_or(1)
}

/// Checks that a database file is complete and that its log belongs to it. Called before SQLite opens
/// the file, because SQLite would apply a foreign log.
///
/// # Errors
///
/// [`OpenError::File`] with the way out.
pub(crate) fn check_files(file: &Path) -> Result<(), OpenError> {
    let header = read_header(file).map_err(|error| file_error(file, &error))?;
    let log = companion(file, "-wal");
    let has_log = log.metadata().is_ok_and(|log| log.len() > LOG_HEADER_BYTES);
    let Some(header) = header else {
        return match has_log {
            true => Err(file_error(file, &missing_file_text(file))),
            false => Ok(()),
        };
    };
    if !has_log {
        return check_size(file, &header);
    }
    let starts = read_start_ids(file).map_err(|error| file_error(file, &error))?;
    if starts.contains(&header.start_id) {
        return Ok(());
    }
    Err(file_error(file, &foreign_log_text(file, header.start_id, &starts)))
}

fn missing_file_text(file: &Path) -> String {
    let file = file.display();
    format!(
        "it is missing or empty, but its log '{file}-wal' is there: put the file back; if it is to be \
         created anew, delete '{file}-wal' and '{file}-shm' first"
    )
}

fn foreign_log_text(file: &Path, found: StartId, starts: &[StartId]) -> String {
    let file = file.display();
    let starts: Vec<String> = starts.iter().map(|start| format!("{start:08x}")).collect();
    let starts = starts.join(", ");
    format!(
        "'{file}-wal' is the log of another copy of it (start {starts}; the file has start \
         {found:08x}) and would damage it. If the file was restored from a backup, delete \
         '{file}-wal', '{file}-shm' and '{file}-start', or use `trunkline database restore`. If the \
         file and its log were copied together, copy '{file}-start' too"
    )
}

fn check_size(file: &Path, header: &Header) -> Result<(), OpenError> {
    let found = file.metadata().map_err(|error| file_error(file, &error))?.len();
    match header.bytes {
        Some(expected) if found < expected => {
            let reason = format!("it is truncated: it has {found} of {expected} bytes");
            Err(file_error(file, &reason))
        }
        _ => Ok(()),
    }
}

/// Reads the header of a file. Returns `None` if the file is missing or empty.
fn read_header(file: &Path) -> io::Result<Option<Header>> {
    let mut bytes = Vec::with_capacity(HEADER_BYTES);
    match File::open(file) {
        Ok(opened) => opened.take(HEADER_BYTES as u64).read_to_end(&mut bytes)?,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    if bytes.is_empty() {
        return Ok(None);
    }
    let header = parse_header(&bytes);
    header.map(Some).ok_or_else(|| io::Error::other("it is not a SQLite database"))
}

fn parse_header(bytes: &[u8]) -> Option<Header> {
    let word = |offset: usize| {
        let word = bytes.get(offset..offset + 4)?.try_into().ok()?;
        Some(u32::from_be_bytes(word))
    };
    if !bytes.starts_with(MAGIC) || bytes.len() < HEADER_BYTES {
        return None;
    }
    let page_bytes = match word(16)? >> 16 {
        1 => 65_536,
        bytes => u64::from(bytes),
    };
    // The number of pages is valid if the last writer of the header also wrote the change counter.
    let is_valid = word(24)? == word(92)?;
    let pages = Some(word(28)?).filter(|_| is_valid);
    Some(Header {
        start_id: word(68)?.cast_signed(),
        bytes: pages.map(|pages| u64::from(pages) * page_bytes),
    })
}

/// Start ids that `<file>-start` contains: one, or two while a server starts. Without the file, 0.
fn read_start_ids(file: &Path) -> io::Result<Vec<StartId>> {
    match std::fs::read_to_string(companion(file, "-start")) {
        Ok(text) => {
            let ids = text.split_whitespace().filter_map(|id| u32::from_str_radix(id, 16).ok());
            Ok(ids.map(u32::cast_signed).collect())
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(vec![0]),
        Err(error) => Err(error),
    }
}

/// Replaces `<file>-start` durably.
pub(crate) fn write_start_ids(file: &Path, ids: &[StartId]) -> io::Result<()> {
    let path = companion(file, "-start");
    let new = companion(file, "-start.new");
    create_private_for(&new, file)?;
    let mut opened = File::options().write(true).truncate(true).open(&new)?;
    for id in ids {
        writeln!(opened, "{id:08x}")?;
    }
    opened.sync_all()?;
    std::fs::rename(&new, &path)?;
    super::files::sync_directory(&path)
}

/// Makes `<file>-start` match the header of a file without a log: the file was replaced while no
/// process had it open.
pub(super) fn adopt(file: &Path) -> io::Result<()> {
    let has_log = companion(file, "-wal").metadata().is_ok_and(|log| log.len() > LOG_HEADER_BYTES);
    let Some(header) = read_header(file)? else { return Ok(()) };
    if has_log || read_start_ids(file)?.contains(&header.start_id) {
        return Ok(());
    }
    write_start_ids(file, &[header.start_id])
}

/// Sets a new start id, in the file itself and in `<file>-start`. Between the two steps
/// `<file>-start` contains both ids, so that a crash at any point leaves a usable log.
pub(super) fn set(connection: &Connection, file: &Path, new: StartId) -> Result<(), OpenError> {
    let error = |error: &dyn std::fmt::Display| file_error(file, error);
    let old = read_header(file).map_err(|reason| error(&reason))?;
    let old = old.map_or(0, |header| header.start_id);
    write_start_ids(file, &[old, new]).map_err(|reason| error(&reason))?;
    let write = || -> rusqlite::Result<i64> {
        connection.pragma_update(None, "application_id", new)?;
        connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0))
    };
    match write().map_err(|reason| error(&reason))? {
        0 => write_start_ids(file, &[new]).map_err(|reason| error(&reason)),
        // Another program has the file open. The log is usable with either id.
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn header_fields_are_read_from_the_file() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("a.db");
        assert_eq!(read_header(&file).unwrap(), None);
        let connection = Connection::open(&file).unwrap();
        connection.execute_batch("CREATE TABLE a (b); PRAGMA application_id = -5").unwrap();
        drop(connection);
        let bytes = file.metadata().unwrap().len();
        let header = Header { start_id: -5, bytes: Some(bytes) };
        assert_eq!(read_header(&file).unwrap(), Some(header));
        std::fs::write(&file, "no database").unwrap();
        assert!(read_header(&file).is_err());
    }

    #[test]
    fn start_ids_are_not_zero() {
        assert_eq!(from_entropy(&[0; 32]), 1);
        assert_eq!(from_entropy(&[1; 32]), 0x0101_0101);
    }
}
