//! One list of very many affiliates: what it costs the server in memory.

use crate::server::Server;
use std::error::Error;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::time::Instant;
use trunkline_domain::party::{AdvertiserProfile, CustomData, Party, PartyKind, PartyStatus, Site};
use trunkline_store::{Error as StoreError, Store};

/// Affiliates stored in one unit of work.
const BATCH: u64 = 10_000;

pub(crate) fn run(affiliates: u64) -> Result<(), Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    let database = folder.path().join("bench.db");
    let token = Server::make_network(&database)?;
    fill(&database, affiliates)?;
    let server = Server::start(&database, token)?;
    let idle = server.memory("VmRSS")?;
    let started = Instant::now();
    let (bytes, objects) = read_list(&server)?;
    let seconds = started.elapsed().as_secs_f64();
    let peak = server.memory("VmHWM")?;
    if objects != affiliates {
        return Err(format!("{objects} of {affiliates} affiliates came").into());
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

/// Puts affiliates into the file directly: a million requests are not what is measured.
fn fill(database: &Path, affiliates: u64) -> Result<(), Box<dyn Error>> {
    let store = Store::open(&format!("sqlite://{}", database.display()))?;
    let mut next = 1;
    while next <= affiliates {
        let last = affiliates.min(next + BATCH - 1);
        store.write_blocking(move |session| {
            for number in next..=last {
                session.insert_party(&affiliate(number))?;
            }
            Ok::<_, StoreError>(())
        })?;
        next = last + 1;
    }
    store.close();
    Ok(())
}

fn affiliate(number: u64) -> Party {
    Party {
        id: 0,
        network_id: 1,
        kind: PartyKind::Affiliate,
        id_from_network: number.to_string(),
        name: format!("Affiliate {number}"),
        status: PartyStatus::Approved,
        sites: vec![Site {
            id_from_network: number.to_string(),
            name: Some(format!("http://www.example.com/{number}")),
        }],
        profile: AdvertiserProfile::default(),
        custom_data: CustomData::from_iter([("channel".to_owned(), "Online lead".to_owned())]),
        members: Vec::new(),
        created_at: jiff::Timestamp::UNIX_EPOCH,
        updated_at: jiff::Timestamp::UNIX_EPOCH,
    }
}

/// Reads the whole list over a socket; counts its bytes and, by a property each has once, its
/// objects.
fn read_list(server: &Server) -> Result<(u64, u64), Box<dyn Error>> {
    let mut stream = TcpStream::connect(&server.address)?;
    let token = &server.token;
    let host = &server.address;
    write!(
        stream,
        "GET /api/2018-11-01/1/affiliates.json HTTP/1.1\r\nHost: {host}\r\nAuthorization: {token}\r\nConnection: close\r\n\r\n"
    )?;
    const MARK: &[u8] = b"\"object_url\"";
    let (mut bytes, mut objects) = (0, 0);
    let mut kept: Vec<u8> = Vec::new();
    let mut buffer = vec![0; 1 << 16];
    loop {
        let read = stream.read(&mut buffer)?;
        if read == 0 {
            break;
        }
        bytes += read as u64;
        kept.extend_from_slice(buffer.get(..read).unwrap_or_default());
        objects += kept.windows(MARK.len()).filter(|window| *window == MARK).count() as u64;
        let tail = kept.len().saturating_sub(MARK.len() - 1);
        kept.drain(..tail);
    }
    Ok((bytes, objects))
}
