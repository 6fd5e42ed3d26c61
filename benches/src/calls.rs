//! Generates calls to campaign 1 and reports them to a server as NDJSON in one request.

use crate::server::Server;
use memchr::memmem;
use std::error::Error;
use std::io::{BufWriter, Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

/// Start of the first call (seconds since 1970): 2100-01-01, when the campaign is live.
const FIRST_START_TIME: u64 = 4_102_444_800;

/// Writes the JSON of a call that is determined by its number; each number gives another call.
pub(crate) fn write_call(out: &mut impl Write, number: u64) -> std::io::Result<()> {
    let area_code = ["213", "415", "503", "206", "212", "305", "773", "214"][number as usize % 8];
    // A third of the calls are from repeat callers.
    let caller = number * 2 / 3 % 1_000_000;
    let keys = [r#"["1","2"]"#, r#"["2"]"#, r#"["1","1"]"#, "[]"][number as usize % 4];
    let duration = 20 + number * 37 % 400;
    let phone_type = if number.is_multiple_of(3) { "landline" } else { "mobile" };
    let start_time = FIRST_START_TIME + number * 30;
    let connect_duration = duration - 15;
    let exchange = 200 + caller / 10_000;
    let line = caller % 10_000;
    write!(
        out,
        r#"{{"call":{{"external_call_unique_id":"{number}","start_time":{start_time},"advertiser_campaign_id_from_network":"1","affiliate_id_from_network":"1","calling_phone_number":"{area_code}{exchange:03}{line:04}","duration_in_seconds":{duration},"connect_duration_in_seconds":{connect_duration},"phone_type":"{phone_type}","keypresses":{keys}}}}}"#
    )
}

/// Reports calls in one request, reads the results concurrently, and returns the number of calls. A result
/// other than 201 is an error.
///
/// At most twice `max_unanswered` calls are sent ahead of their results. This is enough to keep the
/// server busy, which stores hundreds of calls together, and it bounds the data in socket buffers that
/// is still processed after a measurement.
pub(crate) fn report(
    server: &Server,
    numbers: impl Iterator<Item = u64> + Send + 'static,
    max_unanswered: u64,
) -> Result<u64, Box<dyn Error>> {
    let stream = TcpStream::connect(server.address())?;
    let host = server.address().to_owned();
    let token = server.token.clone();
    let write_half = stream.try_clone()?;
    let result_count = Arc::new(AtomicU64::new(0));
    let results = Arc::clone(&result_count);
    let writer = thread::spawn(move || -> std::io::Result<u64> {
        let mut out = BufWriter::with_capacity(1 << 16, &write_half);
        write!(
            out,
            "POST /api/2022-08-01/1/calls.json HTTP/1.1\r\nHost: {host}\r\nAuthorization: {token}\r\nContent-Type: application/x-ndjson\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
        )?;
        let mut sent = 0;
        let mut lines = Vec::new();
        for number in numbers {
            write_call(&mut lines, number)?;
            lines.push(b'\n');
            sent += 1;
            if lines.len() > 1 << 15 || sent % max_unanswered == 0 {
                write_chunk(&mut out, &mut lines)?;
                out.flush()?;
            }
            while sent > results.load(Ordering::Relaxed).saturating_add(2 * max_unanswered) {
                thread::sleep(Duration::from_millis(1));
            }
        }
        if !lines.is_empty() {
            write_chunk(&mut out, &mut lines)?;
        }
        out.write_all(b"0\r\n\r\n")?;
        out.flush()?;
        Ok(sent)
    });
    let stored = count_matches(&stream, b"\"status\":201", &result_count)?;
    let sent = writer.join().map_err(|_| "the writer panicked")??;
    if stored != sent {
        return Err(format!("{stored} of {sent} calls were stored").into());
    }
    Ok(stored)
}

/// Writes lines as one chunk and clears them.
fn write_chunk(out: &mut impl Write, lines: &mut Vec<u8>) -> std::io::Result<()> {
    write!(out, "{:x}\r\n", lines.len())?;
    out.write_all(lines)?;
    out.write_all(b"\r\n")?;
    lines.clear();
    Ok(())
}

/// Reads a stream to its end and counts the occurrences of `needle`, also in `count` while it reads.
fn count_matches(
    mut stream: &TcpStream,
    needle: &[u8],
    count: &AtomicU64,
) -> Result<u64, Box<dyn Error>> {
    let finder = memmem::Finder::new(needle);
    let mut matches = 0;
    let mut unread = Vec::new();
    let mut buffer = vec![0; 1 << 16];
    loop {
        let read = stream.read(&mut buffer)?;
        if read == 0 {
            // No further result will arrive, so the writer must not wait for one.
            count.store(u64::MAX, Ordering::Relaxed);
            return Ok(matches);
        }
        unread.extend_from_slice(buffer.get(..read).unwrap_or_default());
        matches += finder.find_iter(&unread).count() as u64;
        count.store(matches, Ordering::Relaxed);
        // The end may be the beginning of a match.
        let searched = unread.len().saturating_sub(needle.len() - 1);
        unread.drain(..searched);
    }
}
