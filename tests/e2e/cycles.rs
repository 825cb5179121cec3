//! Containers and networks come and go, and leave nothing in the engine that goes on.
//!
//! `TESTS_CYCLES=10000` goes that many rounds; usually they are few, since what a thousand leave, a hundred leave too.

use serde_json::json;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use tests::inventory::{self, Inventory};
use tests::lan::{Host, Lan};
use tests::{Settings, TestEngine, with_private_engine};

const USUAL: usize = 200;
/// So many at a time.
const ACTORS: usize = 4;
/// One round in so many makes a network too.
const NETWORK_EVERY: usize = 8;
/// Threads for what may block end when they had nothing to do for ten seconds.
const LIMIT: Duration = Duration::from_secs(40);

#[test]
fn containers_with_networks_and_ports_leave_nothing_behind() {
    // A host of its own, on which nobody else's links and rules come and go.
    let lan = Lan::new();
    let settings = Settings { network: Some(lan.host().pid()), ..Settings::default() };
    with_private_engine(settings, |engine| {
        let rounds = std::env::var("TESTS_CYCLES").map_or(USUAL, |text| text.parse().unwrap());
        engine.docker(&["network", "create", "web"]).ok();
        let stays =
            ["run", "-d", "--name", "stays", "--network", "web", "-p", "80", "busybox", "sleep", "9999"];
        engine.docker(&stays).ok();
        // What the first ones leave for those that follow is no leak: a started netd, a filled pool.
        turns(engine, 0, 4 * ACTORS);
        let before = settled(engine, lan.host());
        turns(engine, 1, rounds);
        let end = Instant::now() + LIMIT;
        loop {
            let differs = inventory::difference(&before, &inventory::take(engine, lan.host()));
            if differs.is_empty() {
                break;
            }
            assert!(Instant::now() < end, "after {rounds} rounds:\n{}", differs.join("\n"));
            std::thread::park_timeout(Duration::from_millis(200));
        }
        engine.docker(&["rm", "-f", "stays"]).ok();
        engine.docker(&["network", "rm", "web"]).ok();
    });
    lan.is_as_before();
}

/// What is there once it has not changed for longer than an idle thread lives.
fn settled(engine: &TestEngine, host: &Host) -> Inventory {
    let (mut found, mut since) = (inventory::take(engine, host), Instant::now());
    while since.elapsed() < Duration::from_secs(12) {
        std::thread::park_timeout(Duration::from_millis(500));
        let now = inventory::take(engine, host);
        if now != found {
            (found, since) = (now, Instant::now());
        }
    }
    found
}

/// So many rounds, several at a time.
fn turns(engine: &TestEngine, part: usize, rounds: usize) {
    let next = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..ACTORS {
            scope.spawn(|| {
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number >= rounds {
                        return;
                    }
                    turn(engine, &format!("c{part}-{number}"), number);
                }
            });
        }
    });
}

/// A container of two networks with ports of both families; now and then a network that another container comes to and goes from.
fn turn(engine: &TestEngine, name: &str, number: usize) {
    let answered = |method: &str, path: &str, body: Option<&serde_json::Value>| {
        let answer = engine.api(method, path, body);
        assert!(answer.status < 300, "{method} {path}: {} {}", answer.status, answer.text());
    };
    let body = json!({
        "Image": "busybox", "Cmd": ["sleep", "999"],
        "ExposedPorts": {"80/tcp": {}, "53/udp": {}},
        "HostConfig": {"NetworkMode": "web", "PortBindings": {"80/tcp": [{}], "53/udp": [{}]}},
        "NetworkingConfig": {"EndpointsConfig": {"web": {}, "bridge": {}}},
    });
    answered("POST", &format!("/containers/create?name={name}"), Some(&body));
    answered("POST", &format!("/containers/{name}/start"), None);
    if number.is_multiple_of(NETWORK_EVERY) {
        let network = format!("{name}-net");
        answered("POST", "/networks/create", Some(&json!({"Name": network})));
        for container in [name, "stays"] {
            answered("POST", &format!("/networks/{network}/connect"), Some(&json!({"Container": container})));
            answered(
                "POST",
                &format!("/networks/{network}/disconnect"),
                Some(&json!({"Container": container})),
            );
        }
        answered("DELETE", &format!("/networks/{network}"), None);
    }
    answered("DELETE", &format!("/containers/{name}?force=true"), None);
}
