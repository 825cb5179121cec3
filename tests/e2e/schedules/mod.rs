//! Random verbs at the same time, of clients that know nothing of each other, on the same few things: what they are answered could
//! have been answered one after the other, by a model of the engine.
//!
//! Bounded in time in an ordinary run; `TESTS_SCHEDULES=1000` goes that many. The seed is printed, and `TESTS_SCHEDULES_SEED` takes
//! it: the same deeds, though not the same races.

mod history;
mod model;

use history::{Call, has_an_order};
use model::{Answer, NAMES, VOLUME, Verb, other};
use serde_json::json;
use std::time::{Duration, Instant};
use tests::random::{self, Random};
use tests::{Settings, TestEngine, with_private_engine};

/// How long an ordinary run may take.
const LIMIT: Duration = Duration::from_secs(30);
/// Clients, and what each asks for.
const CLIENTS: u64 = 3;
const DEEDS: u64 = 4;

/// Verbs, those several times that lead further.
const VERBS: [Verb; 20] = [
    Verb::Create,
    Verb::Create,
    Verb::Create,
    Verb::Create,
    Verb::Start,
    Verb::Start,
    Verb::Start,
    Verb::Start,
    Verb::Stop,
    Verb::Kill,
    Verb::Pause,
    Verb::Unpause,
    Verb::Restart,
    Verb::Remove,
    Verb::RemoveByForce,
    Verb::RenameToOther,
    Verb::Inspect,
    Verb::MakeVolume,
    Verb::RemoveVolume,
    Verb::InspectVolume,
];

#[test]
fn answers_at_the_same_time_are_those_of_some_order() {
    let number = |variable| std::env::var(variable).ok().map(|text| text.parse::<u64>().unwrap());
    let seed = number("TESTS_SCHEDULES_SEED").unwrap_or_else(random::fresh_seed);
    let wanted = number("TESTS_SCHEDULES");
    with_private_engine(Settings::default(), |engine| {
        let begun = Instant::now();
        let mut done = 0;
        while wanted.map_or_else(|| begun.elapsed() < LIMIT, |wanted| done < wanted) {
            done += 1;
            schedule(engine, seed, done);
        }
        tell(&format!("seed {seed}: {done} schedules in {:?}", begun.elapsed()));
    });
}

fn schedule(engine: &TestEngine, seed: u64, number: u64) {
    let client = |which: u64| {
        let mut random = Random::new(seed ^ (number * CLIENTS + which).wrapping_mul(0x1234_5678_9abc_def1));
        let deeds = (0..DEEDS).map(|_| deed(engine, &mut random));
        deeds.collect::<Vec<Call>>()
    };
    let mut calls: Vec<Call> = std::thread::scope(|scope| {
        let clients: Vec<_> = (0..CLIENTS).map(|which| scope.spawn(move || client(which))).collect();
        clients.into_iter().flat_map(|client| client.join().unwrap()).collect()
    });
    // What is there in the end, and that it can be cleared away, is part of it.
    for verb in [Verb::Inspect, Verb::RemoveByForce] {
        calls.extend(NAMES.map(|name| call(engine, verb, name)));
    }
    calls.extend([Verb::InspectVolume, Verb::RemoveVolume].map(|verb| call(engine, verb, NAMES[0])));
    if !has_an_order(&calls) {
        calls.sort_by_key(|call| call.begin);
        let begin = calls[0].begin;
        let lines = calls.iter().map(|call| {
            let Call { verb, name, answer, .. } = call;
            let [from, to] = [call.begin, call.end].map(|at| (at - begin).as_micros());
            format!("{from:>8} to {to:>8} us  {verb:?} {name}: {answer:?}\n")
        });
        let lines: String = lines.collect();
        panic!("seed {seed}, schedule {number}: no order explains these answers\n{lines}");
    }
}

fn deed(engine: &TestEngine, random: &mut Random) -> Call {
    let mut choose = |limit: usize| usize::try_from(random.below(limit as u64)).unwrap_or_default();
    let (verb, name) = (VERBS[choose(VERBS.len())], NAMES[choose(NAMES.len())]);
    call(engine, verb, name)
}

fn call(engine: &TestEngine, verb: Verb, name: &'static str) -> Call {
    let container = |rest: &str| format!("/containers/{name}{rest}");
    let volume = format!("/volumes/{VOLUME}");
    let (method, path, body) = match verb {
        Verb::Create => {
            let mounts = json!({ "Binds": [format!("{VOLUME}:/data")], "NetworkMode": "none" });
            let body = json!({ "Image": "busybox", "Cmd": ["sleep", "600"], "HostConfig": mounts });
            ("POST", format!("/containers/create?name={name}"), Some(body))
        }
        Verb::Start => ("POST", container("/start"), None),
        Verb::Stop => ("POST", container("/stop?t=0"), None),
        Verb::Kill => ("POST", container("/kill"), None),
        Verb::Pause => ("POST", container("/pause"), None),
        Verb::Unpause => ("POST", container("/unpause"), None),
        Verb::Restart | Verb::RestartsStart => ("POST", container("/restart?t=0"), None),
        Verb::Remove => ("DELETE", container(""), None),
        Verb::RemoveByForce => ("DELETE", container("?force=1"), None),
        Verb::RenameToOther => ("POST", container(&format!("/rename?name={}", other(name))), None),
        Verb::Inspect => ("GET", container("/json"), None),
        Verb::MakeVolume => ("POST", "/volumes/create".to_owned(), Some(json!({ "Name": VOLUME }))),
        Verb::RemoveVolume => ("DELETE", volume, None),
        Verb::InspectVolume => ("GET", volume, None),
    };
    let begin = Instant::now();
    let response = engine.api(method, &path, body.as_ref());
    let end = Instant::now();
    let state = (verb == Verb::Inspect && response.status == 200)
        .then(|| response.json()["State"]["Status"].as_str().unwrap_or_default().to_owned());
    Call { verb, name, answer: Answer { status: response.status, state }, begin, end }
}

#[expect(clippy::print_stderr, reason = "tells the seed, and how much was covered")]
fn tell(line: &str) {
    eprintln!("{line}");
}
