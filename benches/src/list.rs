//! Memory of the server while it sends a list of very many affiliates.

use crate::fill;
use crate::server::{Server, sqlite_url};
use memchr::memmem;
use std::error::Error;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Instant;

pub(crate) fn run(affiliates: u64) -> Result<(), Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    let database = folder.path().join("bench.db");
    let url = sqlite_url(&database);
    let token = Server::create_network(&url)?;
    fill::insert_affiliates(&database, affiliates)?;
    let server = Server::start(&url, &token, &folder.path().join("log"))?;
    let idle = server.process.memory("VmRSS")?;
    let started = Instant::now();
    let (bytes, objects) = read_list(&server)?;
    let seconds = started.elapsed().as_secs_f64();
    let peak = server.process.memory("VmHWM")?;
    if objects != affiliates {
        return Err(format!("{objects} of {affiliates} affiliates were listed").into());
    }
    println!("| affiliates | bytes sent | seconds | idle memory | peak memory |");
    println!("|---|---|---|---|---|");
    let mib = |kib: u64| kib as f64 / 1024.0;
    println!(
        "| {affiliates} | {bytes} | {seconds:.1} | {:.1} MiB | {:.1} MiB |",
        mib(idle),
        mib(peak)
    );
    if peak > 100 * 1024 {
        return Err("the list took more than 100 MiB".into());
    }
    Ok(())
}

/// Reads the whole list; returns its bytes and its objects, counted by a property that each has once.
pub(crate) fn read_list(server: &Server) -> Result<(u64, u64), Box<dyn Error>> {
    let mut stream = TcpStream::connect(server.address())?;
    let token = &server.token;
    let host = server.address();
    write!(
        stream,
        "GET /api/2018-11-01/1/affiliates.json HTTP/1.1\r\nHost: {host}\r\nAuthorization: {token}\r\nConnection: close\r\n\r\n"
    )?;
    const PROPERTY: &[u8] = b"\"object_url\"";
    let finder = memmem::Finder::new(PROPERTY);
    let mut bytes = 0;
    let mut objects = 0;
    let mut unread: Vec<u8> = Vec::new();
    let mut buffer = vec![0; 1 << 16];
    loop {
        let read = stream.read(&mut buffer)?;
        if read == 0 {
            break;
        }
        bytes += read as u64;
        unread.extend_from_slice(buffer.get(..read).unwrap_or_default());
        objects += finder.find_iter(&unread).count() as u64;
        // The end may be the beginning of a match.
        let searched = unread.len().saturating_sub(PROPERTY.len() - 1);
        unread.drain(..searched);
    }
    Ok((bytes, objects))
}
