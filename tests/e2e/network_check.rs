//! `network check`: what is said is what then happens.

use tests::{TestEngine, eventually, wait_until, with_engine};

const SERVE: &str = "while true; do echo page | nc -l -p 80; done";

/// What the check says, and whether it says that the packet arrives.
#[track_caller]
fn check(engine: &TestEngine, from: &str, to: &str) -> (String, bool) {
    let run = engine.cr(&["network", "check", from, to]);
    assert!(matches!(run.code, 0 | 1), "{}", run.stderr);
    let reachable = run.code == 0;
    (run.stdout, reachable)
}

/// The same, and that a connection of the container agrees.
#[track_caller]
fn proved(engine: &TestEngine, from: &str, to: &str, words: &str) {
    // The server is away for a moment after each connection.
    let (said, reachable) =
        eventually(words, || Some(check(engine, from, to)).filter(|(said, _)| said.contains(words)));
    let (host, port) = to.rsplit_once(':').unwrap();
    let fetch =
        format!("for i in 1 2 3 4 5; do nc -w 1 {host} {port} </dev/null && exit; sleep 0.1; done; exit 1");
    let answer = engine.docker(&["exec", from, "sh", "-c", &fetch]);
    assert_eq!(reachable, answer.stdout == "page\n", "{said}\n{}{}", answer.stdout, answer.stderr);
}

#[test]
fn neighbours_strangers_the_world_and_published_ports() {
    with_engine(|engine| {
        engine.docker(&["network", "create", "front"]).ok();
        engine.docker(&["network", "create", "--internal", "back"]).ok();
        let run = |name: &str, options: &[&str]| {
            let all = [&["run", "-d", "--name", name], options, &["busybox", "sh", "-c", SERVE]].concat();
            engine.docker(&all).ok();
        };
        run("web", &["--network", "front", "-p", "127.0.0.1:18480:80"]);
        run("app", &["--network", "front"]);
        run("db", &["--network", "back"]);
        let address = |name: &str, network: &str| {
            engine.inspect(name, &format!("{{{{.NetworkSettings.Networks.{network}.IPAddress}}}}"))
        };
        let (web, db) = (address("web", "front"), address("db", "back"));
        wait_until("the servers", || {
            ["web", "app"].iter().all(|name| check(engine, name, &format!("{name}:80")).1)
        });
        proved(engine, "app", "web:80", "A program listens on the port.");
        proved(engine, "app", &format!("{web}:80"), "Both are on the network front");
        proved(engine, "app", "web:81", "there are some on 80");
        proved(engine, "app", &format!("{db}:80"), "Next: docker network connect back app");
        proved(
            engine,
            "db",
            &format!("{web}:80"),
            "they have no network in common, and different networks are kept apart",
        );
        assert!(!check(engine, "db", "world").1);
        assert!(check(engine, "db", "world").0.contains("back is internal"));
        wait_until("the published port is reached", || {
            let (said, reachable) = check(engine, "host", "127.0.0.1:18480");
            reachable && said.contains("leads to port 80 of container web")
        });
        let (said, reachable) = check(engine, "world", "host:18480");
        assert!(!reachable && said.contains("on loopback only"), "{said}");
        let (said, reachable) = check(engine, "world", "web:80");
        assert!(!reachable && said.contains("Next: use 127.0.0.1:18480"), "{said}");
        wait_until("web is reached", || check(engine, "host", "web:80").1);
        engine.cr(&["network", "check", "app", "nobody:80"]).fails(1, "nobody");
        engine.cr(&["network", "check", "app", "web:x"]).fails(1, "is not a place");
        engine.docker(&["stop", "-t", "0", "web"]).ok();
        assert!(check(engine, "app", "web:80").0.contains("Next: docker start web"));
        let json = engine.cr(&["network", "check", "--format", "json", "app", "web"]).stdout;
        let report: serde_json::Value = serde_json::from_str(&json).unwrap();
        assert_eq!((&report["Reachable"], &report["Steps"][0]["Passes"]), (&false.into(), &false.into()));
        engine.docker(&["rm", "-f", "web", "app", "db"]).ok();
        engine.docker(&["network", "rm", "front", "back"]).ok();
    });
}
