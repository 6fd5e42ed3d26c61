//! Calls to campaign 1, and telling a server of them, a line each, in one request.

use crate::server::Server;
use memchr::memmem;
use std::error::Error;
use std::io::{BufWriter, Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

/// The first call's start (seconds since 1970): 2100-01-01, when the campaign is live.
const START: u64 = 4_102_444_800;

/// Writes one call's JSON: numbers make calls, no two the same.
pub(crate) fn write(out: &mut impl Write, number: u64) -> std::io::Result<()> {
    let area = ["213", "415", "503", "206", "212", "305", "773", "214"][number as usize % 8];
    // A third of the callers call again.
    let caller = number * 2 / 3 % 1_000_000;
    let keys = [r#"["1","2"]"#, r#"["2"]"#, r#"["1","1"]"#, "[]"][number as usize % 4];
    let duration = 20 + number * 37 % 400;
    let phone_type = if number.is_multiple_of(3) { "landline" } else { "mobile" };
    let (start, connected) = (START + number * 30, duration - 15);
    let (exchange, line) = (200 + caller / 10_000, caller % 10_000);
    write!(
        out,
        r#"{{"call":{{"external_call_unique_id":"{number}","start_time":{start},"advertiser_campaign_id_from_network":"1","affiliate_id_from_network":"1","calling_phone_number":"{area}{exchange:03}{line:04}","duration_in_seconds":{duration},"connect_duration_in_seconds":{connected},"phone_type":"{phone_type}","keypresses":{keys}}}}}"#
    )
}

/// Tells of calls in one request, reading the answers meanwhile; how many were taken. Any other answer
/// is an error. It is never more than twice so many calls `ahead` of the answers: enough that the server need
/// not wait (it may take hundreds together), and few enough that what sockets hold does not outlast a measurement by much.
pub(crate) fn tell(
    server: &Server,
    numbers: impl Iterator<Item = u64> + Send + 'static,
    ahead: u64,
) -> Result<u64, Box<dyn Error>> {
    let stream = TcpStream::connect(server.address())?;
    let (host, token) = (server.address().to_owned(), server.token.clone());
    let writing = stream.try_clone()?;
    let answered = Arc::new(AtomicU64::new(0));
    let taken = Arc::clone(&answered);
    let writer = thread::spawn(move || -> std::io::Result<u64> {
        let mut out = BufWriter::with_capacity(1 << 16, &writing);
        write!(
            out,
            "POST /api/2022-08-01/1/calls.json HTTP/1.1\r\nHost: {host}\r\nAuthorization: {token}\r\nContent-Type: application/x-ndjson\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
        )?;
        let (mut told, mut lines) = (0, Vec::new());
        for number in numbers {
            write(&mut lines, number)?;
            lines.push(b'\n');
            told += 1;
            if lines.len() > 1 << 15 || told % ahead == 0 {
                chunk(&mut out, &mut lines)?;
                out.flush()?;
            }
            while told > taken.load(Ordering::Relaxed).saturating_add(2 * ahead) {
                thread::sleep(Duration::from_millis(1));
            }
        }
        if !lines.is_empty() {
            chunk(&mut out, &mut lines)?;
        }
        out.write_all(b"0\r\n\r\n")?;
        out.flush()?;
        Ok(told)
    });
    let taken = count(&stream, b"\"status\":201", &answered)?;
    let told = writer.join().map_err(|_| "the writer panicked")??;
    if taken != told {
        return Err(format!("{taken} of {told} calls were taken").into());
    }
    Ok(taken)
}

fn chunk(out: &mut impl Write, lines: &mut Vec<u8>) -> std::io::Result<()> {
    write!(out, "{:x}\r\n", lines.len())?;
    out.write_all(lines)?;
    out.write_all(b"\r\n")?;
    lines.clear();
    Ok(())
}

/// Reads to the end, and counts a mark; in `so_far` too, while it reads.
fn count(mut stream: &TcpStream, mark: &[u8], so_far: &AtomicU64) -> Result<u64, Box<dyn Error>> {
    let finder = memmem::Finder::new(mark);
    let (mut found, mut kept, mut buffer) = (0, Vec::new(), vec![0; 1 << 16]);
    loop {
        let read = stream.read(&mut buffer)?;
        if read == 0 {
            // Whatever is not answered now never will be.
            so_far.store(u64::MAX, Ordering::Relaxed);
            return Ok(found);
        }
        kept.extend_from_slice(buffer.get(..read).unwrap_or_default());
        found += finder.find_iter(&kept).count() as u64;
        so_far.store(found, Ordering::Relaxed);
        let tail = kept.len().saturating_sub(mark.len() - 1);
        kept.drain(..tail);
    }
}
