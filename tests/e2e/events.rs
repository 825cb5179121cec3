//! What happened, over the daemon's end too, and by the names that this engine gives it.

use tests::{Settings, TestEngine, wait_until, with_private_engine};

/// Names of the events that this filter lets through, from the beginning until now.
fn past(engine: &TestEngine, filter: &str) -> Vec<String> {
    let words =
        ["system", "events", "--since", "1", "--until", "0s", "--format", "{{.Name}}", "--filter", filter];
    engine.cr(&words).ok().lines().map(str::to_owned).collect()
}

#[test]
fn what_happened_is_known_after_a_kill() {
    with_private_engine(Settings::default(), |engine| {
        let mut follower =
            engine.cr_command(&["system", "events", "--follow", "--format", "{{.Name}} {{.Actor.ID}}"]);
        let out = engine.directory().join("followed");
        let mut follower = follower.stdout(std::fs::File::create(&out).unwrap()).spawn().unwrap();
        let followed = || std::fs::read_to_string(&out).unwrap();
        wait_until("the follower sees events", || {
            engine.docker(&["volume", "create", "probe"]).ok();
            engine.docker(&["volume", "rm", "probe"]).ok();
            followed().contains("volume.created probe")
        });
        let id = engine.docker(&["run", "-d", "--name", "web", "busybox", "true"]).line();
        wait_until("both are told of", || {
            let text = followed();
            ["container.created", "container.started", "container.died"]
                .iter()
                .all(|name| text.contains(&format!("{name} {id}")))
        });
        follower.kill().unwrap();
        follower.wait().unwrap();
        assert_eq!(past(engine, "event=container.started"), ["container.started"]);
        for _ in 0..2 {
            engine.kill_daemon();
            engine.restart_daemon(&[]);
            assert_eq!(past(engine, "event=container.created"), ["container.created"]);
            let of_web = past(engine, "container=web");
            assert_eq!(of_web, ["container.created", "container.started", "container.died"]);
        }
        // Damage costs the lines that it is in.
        engine.kill_daemon();
        let journal = engine.directory().join("root/events/events.jsonl");
        let text = std::fs::read_to_string(&journal).unwrap();
        std::fs::write(&journal, text.replacen("\"start\"", "\"st\0rt\"", 1)).unwrap();
        engine.restart_daemon(&[]);
        assert_eq!(past(engine, "container=web"), ["container.created", "container.died"]);
    });
}
