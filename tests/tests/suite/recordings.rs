//! Recordings: fetched from the reported address, heard by right, linked to, and deleted.

use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tempfile::TempDir;
use trunkline_tests::{Client, Response, Server};

/// Server of sounds on 127.0.0.1, which counts the requests.
struct SoundServer {
    port: u16,
    requests: Arc<AtomicUsize>,
}

impl SoundServer {
    /// Starts a server that answers every request with one body of a media type.
    fn start(media_type: &'static str, body: Vec<u8>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
        let port = listener.local_addr().expect("an address").port();
        let requests = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&requests);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let Ok(mut stream) = stream else { return };
                let lines = BufReader::new(stream.try_clone().expect("a stream")).lines();
                let head: Vec<String> =
                    lines.map_while(Result::ok).take_while(|line| !line.is_empty()).collect();
                counter.fetch_add(usize::from(!head.is_empty()), Ordering::SeqCst);
                let length = body.len();
                let answer = format!(
                    "HTTP/1.1 200 x\r\nContent-Type: {media_type}\r\nContent-Length: {length}\r\n\r\n"
                );
                stream.write_all(answer.as_bytes()).ok();
                stream.write_all(&body).ok();
            }
        });
        Self { port, requests }
    }

    fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}/{path}", self.port)
    }
}

/// A WAV file of 3 seconds.
fn wav() -> Vec<u8> {
    let mut file = b"RIFF\0\0\0\0WAVEfmt \x10\0\0\0\x01\0\x01\0".to_vec();
    file.extend(8_000_u32.to_le_bytes());
    file.extend(16_000_u32.to_le_bytes());
    file.extend(b"\x02\0\x10\0data");
    file.extend(48_000_u32.to_le_bytes());
    file.extend((0..48_000_u32).map(|index| index as u8));
    file
}

/// A live campaign 12 of advertiser 354 with an approved affiliate 976, on a server that may fetch from
/// this machine, and the directory of its recordings.
fn world() -> (Server, Client, TempDir) {
    let directory = TempDir::new().expect("a directory");
    let path = directory.path().to_str().expect("a path").to_owned();
    let arguments = ["--webhook-allow-private", "--recordings", &path];
    let server = Server::builder().arguments(&arguments).sandbox().start();
    let network = server.network();
    let clock = json!({"now": "2099-06-01T12:00:00Z"});
    network.extensions().post("/sandbox/clock", clock).expect(200);
    network.has_live_campaign("354", "12", json!({"auto_approve": "All", "timezone": "UTC"}));
    network.has_applied("354", "12", "976");
    network.has_advertiser("355");
    network.has_affiliate("977");
    (server, network, directory)
}

fn call_body(url: &str) -> Value {
    json!({"call": {
        "external_call_unique_id": "call-1",
        "start_time": "2099-06-01 12:00:00 +0000",
        "advertiser_campaign_id_from_network": "12",
        "affiliate_id_from_network": "976",
        "duration_in_seconds": 90,
        "recording_url": url,
    }})
}

fn report(client: &Client, url: &str) -> String {
    let answer = client.post("/calls", call_body(url)).body(201);
    answer["cuid"].as_str().expect("an id").to_owned()
}

fn get_recording(client: &Client, call: &str) -> Response {
    client.extensions().get(&format!("/calls/{call}/recording"))
}

/// Polls until there is a value. The number of polls is bounded, not their time.
#[track_caller]
fn wait_for<T>(mut poll: impl FnMut() -> Option<T>) -> T {
    (0..100_000).find_map(|_| poll()).expect("it happens")
}

#[track_caller]
fn wait_for_status(client: &Client, call: &str, status: u16) -> Response {
    wait_for(|| Some(get_recording(client, call)).filter(|response| response.status == status))
}

fn recording_events(server: &Server) -> Vec<(String, Value)> {
    let is_recording = |(kind, _): &(String, Value)| kind.starts_with("recording.");
    server.events().into_iter().filter(is_recording).collect()
}

/// The columns with the address of the first row's recording.
fn columns(client: &Client, path: &str) -> [String; 2] {
    let names = ["recording", "recording_download_url"];
    let rows = client.get(&format!("{path}?include_columns={}", names.join(","))).body(200);
    names.map(|name| rows[0][name].as_str().expect("a text").to_owned())
}

#[test]
fn recording_is_fetched_heard_by_right_and_deleted() {
    let (server, network, directory) = world();
    let sounds = SoundServer::start("audio/x-wav; codecs=1", wav());
    let call = report(&network, &sounds.url("a.wav?key=secret"));
    let answer = wait_for_status(&network, &call, 200);
    assert_eq!(answer.body_bytes(), wav());
    assert_eq!(answer.header("content-type"), Some("audio/x-wav"));
    assert_eq!(answer.header("accept-ranges"), Some("bytes"));
    let data = json!({"complete_call_id": call, "seconds": 3, "bytes": wav().len()});
    assert_eq!(recording_events(&server), [("recording.available".to_owned(), data.clone())]);
    let path = format!("/calls/{call}/recording");
    let url = columns(&network, &format!("/networks/transactions/{}", network.network_id()));
    assert!(url[0].ends_with(&network.extensions().path(&path)), "{url:?}");
    assert_eq!(columns(&server.advertiser("354"), "/advertisers/transactions/354"), url);
    let of_affiliate = |client: &Client| columns(client, "/affiliates/transactions/976");
    assert_eq!(of_affiliate(&server.affiliate("976")), ["", ""]);
    let range =
        |range: &str| network.extensions().request("GET", &path).header("Range", range).send();
    let part = range("bytes=10-19").expect(206);
    assert_eq!(part.body_bytes(), &wav()[10..20]);
    assert_eq!(part.header("content-range"), Some("bytes 10-19/48044"));
    assert_eq!(range("bytes=-4").expect(206).body_bytes(), &wav()[48_040..]);
    assert_eq!(range("bytes=48044-").expect(416).header("content-range"), Some("bytes */48044"));
    get_recording(&server.advertiser("354"), &call).expect(200);
    get_recording(&server.advertiser("355"), &call).assert_error(404, "RecordNotFound");
    get_recording(&server.anon(), &call).expect(401);
    // An affiliate hears the recordings of its calls where a setting allows it.
    let affiliate = server.affiliate("976");
    get_recording(&affiliate, &call).assert_error(404, "RecordNotFound");
    let setting = json!({"affiliates_hear_recordings": true});
    network.extensions().put("/settings", setting).expect(200);
    get_recording(&affiliate, &call).expect(200);
    assert_eq!(of_affiliate(&affiliate), url);
    get_recording(&server.affiliate("977"), &call).assert_error(404, "RecordNotFound");
    // The network's Managers delete it.
    for client in [&affiliate, &server.advertiser("354"), &server.observer()] {
        client.extensions().delete(&path).assert_error(403, "UnauthorizedOperation");
    }
    network.extensions().delete(&path).assert_json(200, &json!({}));
    network.extensions().delete(&path).assert_json(200, &json!({}));
    get_recording(&network, &call).assert_error(410, "Gone");
    assert_eq!(of_affiliate(&affiliate), ["", ""]);
    let deleted = ("recording.deleted".to_owned(), data);
    assert_eq!(recording_events(&server).last(), Some(&deleted));
    let file = directory.path().join(network.network_id().to_string()).join(&call);
    wait_for(|| {
        get_recording(&network, &call);
        (!file.exists()).then_some(())
    });
    // Its address is not fetched again.
    network.post("/calls", call_body(&sounds.url("b.wav"))).expect(202);
    get_recording(&network, &call).assert_error(410, "Gone");
    assert_eq!(sounds.requests.load(Ordering::SeqCst), 1);
}

#[test]
fn recordings_of_live_and_of_ended_calls_are_fetched() {
    let (_server, network, _directory) = world();
    let sounds = SoundServer::start("audio/x-wav", wav());
    let send = |id: &str, event: Value| {
        let path = format!("/calls/by_external_id/{id}/events");
        network.extensions().post(&path, event).expect(200);
    };
    for id in ["live", "ended"] {
        let start = json!({"advertiser_campaign": "12", "external_call_unique_id": id});
        let call = network.extensions().post("/calls", start).body(201)["id"].to_string();
        if id == "ended" {
            send(id, json!({"event": "hung_up"}));
        }
        send(id, json!({"event": "recording", "url": sounds.url(id), "seconds": 3}));
        assert_eq!(wait_for_status(&network, &call, 200).body_bytes(), wav(), "{id}");
    }
}

#[test]
fn address_is_kept_never_shown_and_no_part_of_the_sameness() {
    let (server, network, _directory) = world();
    let sounds = SoundServer::start("audio/mpeg", b"ID3 sound".to_vec());
    let first = network.post("/calls", call_body(&sounds.url("secret-1.mp3")));
    assert_eq!(first.header("trunkline-ignored"), None);
    let call = first.body(201)["cuid"].as_str().expect("an id").to_owned();
    wait_for_status(&network, &call, 200);
    assert_eq!(
        network.post("/calls", call_body(&sounds.url("secret-2.mp3"))).body(202)["cuid"],
        call
    );
    wait_for(|| {
        get_recording(&network, &call);
        (sounds.requests.load(Ordering::SeqCst) == 2).then_some(())
    });
    wait_for_status(&network, &call, 200);
    network.post("/calls", call_body(&sounds.url("secret-2.mp3"))).expect(202);
    let mut other = call_body(&sounds.url("secret-2.mp3"));
    other["call"]["duration_in_seconds"] = json!(91);
    network.post("/calls", other).assert_error(409, "Conflict");
    let network_id = network.network_id();
    let shown = [
        network.extensions().get("/calls").text(),
        network.get(&format!("/networks/transactions/{network_id}")).text(),
        server.events().into_iter().map(|(_, data)| data.to_string()).collect(),
    ];
    assert!(shown.iter().all(|text| !text.contains("secret-")), "{shown:?}");
    for wrong in [json!(7), json!(["x"])] {
        let body = json!({"call": {"recording_url": wrong}});
        let problems = network.post("/calls", body).body(403);
        assert_eq!(problems["errors"]["call"]["recording_url"], json!(["is invalid"]));
    }
}

#[test]
fn only_sounds_are_kept_and_a_call_without_one_is_404() {
    let (server, network, _directory) = world();
    let pages = SoundServer::start("text/html", b"<p>sign in</p>".to_vec());
    let call = report(&network, &pages.url("a.html"));
    let is_failed = || {
        let rows = server.table_rows();
        rows["recordings"].iter().any(|row| row.contains("failed")).then_some(())
    };
    wait_for(is_failed);
    get_recording(&network, &call).assert_error(404, "RecordNotFound");
    assert_eq!(pages.requests.load(Ordering::SeqCst), 1);
    get_recording(&network, "nothing").assert_error(404, "RecordNotFound");
    let path = "/calls/nothing/recording";
    network.extensions().delete(path).assert_error(404, "RecordNotFound");
    assert_eq!(recording_events(&server), []);
}

#[test]
fn address_inside_the_servers_own_network_is_not_asked() {
    let directory = TempDir::new().expect("a directory");
    let path = directory.path().to_str().expect("a path");
    let server = Server::builder().arguments(&["--recordings", path]).start();
    let network = server.network();
    network.has_live_campaign("354", "12", json!({"timezone": "UTC", "auto_approve": "All"}));
    network.has_applied("354", "12", "976");
    let sounds = SoundServer::start("audio/mpeg", b"ID3".to_vec());
    let call = report(&network, &sounds.url("a.mp3"));
    wait_for(|| {
        let rows = server.table_rows();
        rows["recordings"].iter().any(|row| row.contains("failed")).then_some(())
    });
    get_recording(&network, &call).assert_error(404, "RecordNotFound");
    assert_eq!(sounds.requests.load(Ordering::SeqCst), 0);
}

#[test]
fn link_needs_no_credential_until_it_ends() {
    let (server, network, _directory) = world();
    let sounds = SoundServer::start("audio/mpeg", b"ID3 sound".to_vec());
    let call = report(&network, &sounds.url("a.mp3"));
    wait_for_status(&network, &call, 200);
    let path = format!("/calls/{call}/recording/links");
    let create = |client: &Client, seconds: Value| {
        client.extensions().post(&path, json!({"seconds": seconds}))
    };
    let blank = json!({"seconds": ["can't be blank"]});
    network.extensions().post(&path, json!({})).assert_invalid(&blank);
    create(&network, json!(59))
        .assert_invalid(&json!({"seconds": ["must be greater than or equal to 60"]}));
    create(&network, json!(604_801))
        .assert_invalid(&json!({"seconds": ["must be less than or equal to 604800"]}));
    create(&server.observer(), json!(60)).assert_error(403, "UnauthorizedOperation");
    create(&server.affiliate("976"), json!(60)).assert_error(404, "RecordNotFound");
    let link = create(&server.advertiser("354"), json!(604_800)).body(201);
    let url = link["url"].as_str().expect("a URL");
    let local = url.split_once("/trunkline/").map(|(_, path)| format!("/trunkline/{path}"));
    let local = local.expect("a path");
    let anyone = server.anon().absolute_paths();
    assert_eq!(anyone.get(&local).expect(200).body_bytes(), b"ID3 sound");
    let part = anyone.request("GET", &local).header("Range", "bytes=0-2").send();
    assert_eq!(part.expect(206).body_bytes(), b"ID3");
    for changed in [&local[..local.len() - 1], &local.replace("recordings/", "recordings/x")] {
        anyone.get(changed).assert_error(404, "RecordNotFound");
    }
    network.extensions().delete(&format!("/calls/{call}/recording")).expect(200);
    anyone.get(&local).assert_error(410, "Gone");
    create(&network, json!(60)).assert_error(410, "Gone");
}

#[test]
fn recordings_are_deleted_after_their_days() {
    let (mut server, network, _directory) = world();
    let sounds = SoundServer::start("audio/mpeg", b"ID3 sound".to_vec());
    let call = report(&network, &sounds.url("a.mp3"));
    wait_for_status(&network, &call, 200);
    network.extensions().put("/settings", json!({"recording_days": 7})).expect(200);
    let clock = json!({"now": "2099-06-09T12:00:00Z"});
    network.extensions().post("/sandbox/clock", clock).expect(200);
    // Each server looks at its start, and then once a minute.
    server.stop();
    server.restart();
    wait_for_status(&server.network(), &call, 410);
    assert_eq!(recording_events(&server).last().expect("an event").0, "recording.deleted");
}
