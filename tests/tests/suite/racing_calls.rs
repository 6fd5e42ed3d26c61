//! Two hundred callers race for the last calls of a cap that is enforced: never one too many gets
//! through, however many servers there are and whatever becomes of them.

use serde_json::{Value, json};
use std::sync::{Barrier, mpsc};
use trunkline_tests::{Answer, Client, Server};

const CALLERS: usize = 200;
/// Calls that are let in before the race.
const BEFORE: usize = 5;
/// Calls that are left for it.
const LEFT: usize = 10;

/// A live campaign 12 with a cap that leaves some calls for the race.
fn world(cap: &str) -> (Server, Client) {
    let server = Server::start();
    let network = server.network();
    let mut budget = json!({"budget_amount": BEFORE + LEFT, "enforce": true});
    if cap == "periodic_call_cap_alert" {
        for (name, value) in [
            ("reset_period", "Ongoing"),
            ("starts_at", "2020-01-01"),
            ("budget_currency", "USD"),
            ("time_zone", "UTC"),
        ] {
            budget[name] = value.into();
        }
    }
    network.has_live_campaign("354", "12", json!({"budget_activities": {cap: budget}}));
    for number in 0..BEFORE {
        start(&network, CALLERS + number).expect("an answer").expect(201);
    }
    (server, network)
}

/// Starts a live call, which can be told again.
fn start(client: &Client, number: usize) -> Option<Answer> {
    let request = client.extensions().request("POST", "/calls");
    let request = request.header("Idempotency-Key", &format!("caller {number}"));
    request.json(&json!({"advertiser_campaign": "12"})).attempt()
}

/// Tells of a call that is over, which can be told again.
fn take(client: &Client, number: usize) -> Option<Answer> {
    let call = json!({"call": {"external_call_unique_id": format!("caller {number}"),
        "start_time": "2200-01-01", "advertiser_campaign_id_from_network": "12"}});
    client.request("POST", "/calls").json(&call).attempt()
}

type Ask = fn(&Client, usize) -> Option<Answer>;

/// Everyone asks at once; answers in the order of `callers`. `heard` is told of each answer.
fn race(
    clients: &[Client],
    callers: &[usize],
    ask: Ask,
    mut heard: impl FnMut(),
) -> Vec<Option<Answer>> {
    let ready = &Barrier::new(callers.len());
    let (send, receive) = mpsc::channel();
    let mut answers: Vec<Option<Answer>> = vec![None; callers.len()];
    std::thread::scope(|scope| {
        for (place, number) in callers.iter().copied().enumerate() {
            let (send, client) = (send.clone(), &clients[place % clients.len()]);
            scope.spawn(move || {
                ready.wait();
                send.send((place, ask(client, number))).expect("the race is on");
            });
        }
        drop(send);
        for (place, answer) in receive {
            let is_answer = answer.is_some();
            answers[place] = answer;
            if is_answer {
                heard();
            }
        }
    });
    answers
}

/// Every call that there is, by how it went: those that were let in, and how many there are.
fn admitted(network: &Client) -> (usize, usize) {
    let calls = network.extensions().get("/calls").body(200);
    let calls = calls.as_array().expect("a list");
    (calls.iter().filter(|it| it["outcome"] != "turned_away").count(), calls.len())
}

#[track_caller]
fn all_are_taken(answers: Vec<Option<Answer>>) -> Vec<Value> {
    let taken = |answer: Option<Answer>| {
        let answer = answer.expect("an answer");
        assert!([201, 202].contains(&answer.status), "{}", answer.text());
        answer.json()
    };
    answers.into_iter().map(taken).collect()
}

/// One server for all of them.
fn alone(network: &Client) -> &[Client] {
    std::slice::from_ref(network)
}

fn everyone() -> Vec<usize> {
    (0..CALLERS).collect()
}

#[test]
fn of_two_hundred_live_calls_ten_get_the_last_ten_places() {
    let (server, network) = world("periodic_call_cap_alert");
    let answers = all_are_taken(race(alone(&network), &everyone(), start, || ()));
    let through = answers.iter().filter(|answer| answer["outcome"].is_null()).count();
    assert_eq!(through, LEFT);
    assert!(answers.iter().all(|it| it["outcome"].is_null() || it["reason"] == "over_cap"));
    assert_eq!(admitted(&network), (BEFORE + LEFT, BEFORE + CALLERS));
    let alerts = server.told().into_iter().filter(|(kind, _)| kind == "budget.alert");
    let percents: Vec<Value> = alerts.map(|(_, data)| data["percent"].clone()).collect();
    assert_eq!(percents, [75, 90, 100]);
}

#[test]
fn of_two_hundred_calls_told_whole_ten_get_the_last_ten_places() {
    let (_server, network) = world("periodic_call_cap_alert");
    all_are_taken(race(alone(&network), &everyone(), take, || ()));
    assert_eq!(admitted(&network), (BEFORE + LEFT, BEFORE + CALLERS));
}

#[test]
fn two_servers_on_one_database_share_a_cap() {
    for ask in [start, take] {
        let (server, network) = world("periodic_call_cap_alert");
        let beside = server.beside();
        all_are_taken(race(&[network.clone(), beside.network()], &everyone(), ask, || ()));
        assert_eq!(admitted(&network), (BEFORE + LEFT, BEFORE + CALLERS));
        assert_eq!(admitted(&beside.network()), (BEFORE + LEFT, BEFORE + CALLERS));
    }
}

/// The server is killed while it answers the first hundred; those without an answer ask again with
/// the other hundred, once it is back.
fn survives_a_kill(ask: Ask) {
    let (mut server, network) = world("periodic_call_cap_alert");
    let first: Vec<usize> = (0..CALLERS / 2).collect();
    let mut killed = false;
    let answers = race(alone(&network), &first, ask, || {
        if !killed {
            server.kill();
            killed = true;
        }
    });
    assert!(killed, "somebody was answered");
    server.start_again();
    let network = server.network();
    let (before, all) = admitted(&network);
    assert!(before <= BEFORE + LEFT, "{before} of {all} got through");
    let answered = answers.iter().flatten().count();
    assert!(all >= BEFORE + answered, "what was answered is kept: {answered}, {all}");
    let lost = first.iter().copied().zip(&answers).filter(|(_, answer)| answer.is_none());
    let rest: Vec<usize> = lost.map(|(number, _)| number).chain(CALLERS / 2..CALLERS).collect();
    all_are_taken(race(alone(&network), &rest, ask, || ()));
    assert_eq!(admitted(&network), (BEFORE + LEFT, BEFORE + CALLERS));
    // Everyone once more: the same calls.
    all_are_taken(race(alone(&network), &everyone(), ask, || ()));
    assert_eq!(admitted(&network), (BEFORE + LEFT, BEFORE + CALLERS));
}

#[test]
fn live_calls_keep_to_their_cap_through_a_kill() {
    survives_a_kill(start);
}

#[test]
fn calls_told_whole_keep_to_their_cap_through_a_kill() {
    survives_a_kill(take);
}

#[test]
fn no_more_calls_are_under_way_at_once_than_may_be() {
    let (_server, network) = world("concurrent_call_cap_alert");
    let hang_up = |id: &Value| {
        let path = format!("/calls/{id}/events");
        network.extensions().post(&path, json!({"event": "hung_up"})).expect(200);
    };
    let live = || {
        let calls = network.extensions().get("/calls?live=true").body(200);
        let ids = calls.as_array().expect("a list").iter().map(|it| it["id"].clone());
        ids.collect::<Vec<Value>>()
    };
    let answers = all_are_taken(race(alone(&network), &everyone(), start, || ()));
    assert_eq!(answers.iter().filter(|answer| answer["outcome"].is_null()).count(), LEFT);
    let under_way = live();
    assert_eq!(under_way.len(), BEFORE + LEFT);
    // A call that is told whole is over: it takes no place.
    take(&network, 0).expect("an answer").expect(201);
    assert_eq!(live(), under_way);
    // For each that hangs up another one gets in.
    for id in under_way.iter().take(3) {
        hang_up(id);
    }
    let later: Vec<usize> = (CALLERS * 2..CALLERS * 2 + 50).collect();
    let answers = all_are_taken(race(alone(&network), &later, start, || ()));
    assert_eq!(answers.iter().filter(|answer| answer["outcome"].is_null()).count(), 3);
    assert_eq!(live().len(), BEFORE + LEFT);
}
