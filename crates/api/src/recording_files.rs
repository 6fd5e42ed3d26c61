//! Files of recordings: their place on the disk, and responses with a file or a part of it.

use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, HeaderValue, Response, StatusCode, header};
use futures_util::stream;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::ops::Range;
use std::path::{Path, PathBuf};
use tokio::task::spawn_blocking;
use trunkline_network::{Recording, StoredSound};

/// Bytes of a file that are read at a time.
const CHUNK_BYTES: u64 = 64 * 1024;

/// Directory in which the server keeps recordings, one file for each call.
#[derive(Debug, Clone)]
pub struct RecordingFiles(PathBuf);

impl RecordingFiles {
    /// Keeps recordings in a directory, which need not exist yet.
    pub fn new(directory: PathBuf) -> Self {
        Self(directory)
    }

    /// Directory of a network's recordings.
    pub fn directory(&self, recording: &Recording) -> PathBuf {
        self.0.join(recording.network_id.to_string())
    }

    /// Path of a recording's file. A `complete_call_id` has letters and digits only.
    pub fn path(&self, recording: &Recording) -> PathBuf {
        self.directory(recording).join(&recording.complete_call_id)
    }
}

/// Part of a file that a request asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
enum RequestedPart {
    Whole,
    Bytes(Range<u64>),
    Unsatisfiable,
}

/// Parses a `Range` header of one range of bytes. Another header is ignored (RFC 9110, 14.2).
fn parse_range(headers: &HeaderMap, tag: &str, bytes: u64) -> RequestedPart {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    if text(header::IF_RANGE).is_some_and(|condition| condition != tag) {
        return RequestedPart::Whole;
    }
    let range = text(header::RANGE).and_then(|range| range.strip_prefix("bytes="));
    let Some((first, last)) = range.and_then(|range| range.split_once('-')) else {
        return RequestedPart::Whole;
    };
    let number = |text: &str| -> Option<u64> {
        let digits = text.bytes().all(|byte| byte.is_ascii_digit());
        text.parse().ok().filter(|_| digits)
    };
    let part = match (number(first.trim()), number(last.trim())) {
        (Some(first), Some(last)) if first <= last => first..last.saturating_add(1).min(bytes),
        (Some(first), None) if last.trim().is_empty() => first..bytes,
        (None, Some(length)) if first.trim().is_empty() => bytes.saturating_sub(length)..bytes,
        _ => return RequestedPart::Whole,
    };
    if part.is_empty() { RequestedPart::Unsatisfiable } else { RequestedPart::Bytes(part) }
}

/// Returns a response with a recording, or with the part that the request asks for.
///
/// # Errors
///
/// If the file cannot be opened.
pub(crate) async fn respond(
    path: &Path,
    sound: &StoredSound,
    headers: &HeaderMap,
) -> io::Result<Response<Body>> {
    let path = path.to_owned();
    let mut file = spawn_blocking(move || File::open(path)).await.map_err(io::Error::other)??;
    let bytes = sound.bytes;
    let tag = format!("\"{}\"", sound.sha256);
    let requested = parse_range(headers, &tag, bytes);
    let (status, part) = match &requested {
        RequestedPart::Whole => (StatusCode::OK, 0..bytes),
        RequestedPart::Bytes(part) => (StatusCode::PARTIAL_CONTENT, part.clone()),
        RequestedPart::Unsatisfiable => (StatusCode::RANGE_NOT_SATISFIABLE, 0..0),
    };
    let length = part.end - part.start;
    file.seek(SeekFrom::Start(part.start))?;
    let mut response = Response::new(Body::from_stream(read_chunks(file, length)));
    *response.status_mut() = status;
    let content_range = match requested {
        RequestedPart::Whole => None,
        RequestedPart::Bytes(part) => {
            Some(format!("bytes {}-{}/{bytes}", part.start, part.end.saturating_sub(1)))
        }
        RequestedPart::Unsatisfiable => Some(format!("bytes */{bytes}")),
    };
    let headers = response.headers_mut();
    let texts = [
        (header::CONTENT_TYPE, Some(sound.media_type.clone())),
        (header::CONTENT_LENGTH, Some(length.to_string())),
        (header::ETAG, Some(tag)),
        (header::CONTENT_RANGE, content_range),
    ];
    for (name, text) in texts {
        if let Some(value) = text.and_then(|text| HeaderValue::from_str(&text).ok()) {
            headers.insert(name, value);
        }
    }
    headers.insert(header::ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    Ok(response)
}

/// Reads the next `length` bytes of a file in chunks.
fn read_chunks(file: File, length: u64) -> impl stream::Stream<Item = io::Result<Bytes>> {
    stream::try_unfold((file, length), |(mut file, remaining)| async move {
        if remaining == 0 {
            return Ok(None);
        }
        let count = remaining.min(CHUNK_BYTES);
        let read = move || {
            let mut chunk = vec![0; usize::try_from(count).unwrap_or_default()];
            file.read_exact(&mut chunk)?;
            Ok::<_, io::Error>((file, chunk))
        };
        let (file, chunk) = spawn_blocking(read).await.map_err(io::Error::other)??;
        Ok(Some((Bytes::from(chunk), (file, remaining - count))))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn requested(range: &str) -> RequestedPart {
        let mut headers = HeaderMap::new();
        headers.insert(header::RANGE, HeaderValue::from_str(range).unwrap());
        parse_range(&headers, "\"tag\"", 100)
    }

    #[test]
    fn one_range_of_bytes_is_parsed() {
        use RequestedPart::{Bytes, Unsatisfiable, Whole};
        for (range, expected) in [
            ("bytes=0-", Bytes(0..100)),
            ("bytes=0-0", Bytes(0..1)),
            ("bytes=10-19", Bytes(10..20)),
            ("bytes=90-1000", Bytes(90..100)),
            ("bytes=-10", Bytes(90..100)),
            ("bytes=-1000", Bytes(0..100)),
            ("bytes=100-", Unsatisfiable),
            ("bytes=-0", Unsatisfiable),
            ("bytes=20-10", Whole),
            ("bytes=0-1,5-6", Whole),
            ("bytes=a-b", Whole),
            ("lines=0-1", Whole),
            ("bytes=", Whole),
        ] {
            assert_eq!(requested(range), expected, "{range}");
        }
    }

    #[test]
    fn range_of_another_version_is_ignored() {
        let mut headers = HeaderMap::new();
        headers.insert(header::RANGE, HeaderValue::from_static("bytes=0-1"));
        headers.insert(header::IF_RANGE, HeaderValue::from_static("\"other\""));
        assert_eq!(parse_range(&headers, "\"tag\"", 100), RequestedPart::Whole);
        headers.insert(header::IF_RANGE, HeaderValue::from_static("\"tag\""));
        assert_eq!(parse_range(&headers, "\"tag\"", 100), RequestedPart::Bytes(0..2));
    }
}
