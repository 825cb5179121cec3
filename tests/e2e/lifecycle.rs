//! A container's life: create, start, stop, kill, restart, pause, rename, wait, remove, and the events of it.

use serde_json::json;
use std::time::{Duration, Instant};
use tests::{TestEngine, eventually, wait_until, with_engine};

/// Ends at once when asked to.
const OBEDIENT: &str = "trap 'exit 9' TERM; while :; do sleep 0.05; done";

#[track_caller]
fn detached(engine: &TestEngine, name: &str, script: &str) -> String {
    engine.docker(&["run", "-d", "--name", name, "busybox", "sh", "-c", script]).line()
}

#[test]
fn stop_asks_then_kills() {
    with_engine(|engine| {
        detached(engine, "polite", OBEDIENT);
        engine.docker(&["stop", "polite"]).ok();
        assert_eq!(engine.inspect("polite", "{{.State.Status}} {{.State.ExitCode}}"), "exited 9");
        // An argument-less sleep as pid 1 does not hear TERM.
        engine.docker(&["run", "-d", "--name", "deaf", "busybox", "sleep", "600"]).ok();
        let begun = Instant::now();
        engine.docker(&["stop", "-t", "1", "deaf"]).ok();
        let took = begun.elapsed();
        assert!((Duration::from_millis(900)..Duration::from_secs(5)).contains(&took), "{took:?}");
        assert_eq!(engine.inspect("deaf", "{{.State.ExitCode}}"), "137");
        // Stopping what is stopped is no error.
        engine.docker(&["stop", "deaf"]).ok();
        engine.docker(&["rm", "polite", "deaf"]).ok();
    });
}

#[test]
fn stop_uses_the_containers_signal_and_time() {
    with_engine(|engine| {
        let script = "trap 'exit 33' USR1; while :; do sleep 0.05; done";
        let options = ["--stop-signal", "SIGUSR1", "--stop-timeout", "30"];
        engine
            .docker(
                &[&["run", "-d", "--name", "u1"][..], &options, &["busybox", "sh", "-c", script]].concat(),
            )
            .ok();
        engine.docker(&["stop", "u1"]).ok();
        assert_eq!(
            engine.inspect("u1", "{{.State.ExitCode}} {{.Config.StopSignal}} {{.Config.StopTimeout}}"),
            "33 SIGUSR1 30"
        );
        engine.docker(&["rm", "u1"]).ok();
    });
}

#[test]
fn kill_sends_the_signal_it_is_told() {
    with_engine(|engine| {
        let id = detached(engine, "k1", "trap 'echo usr1' USR1; echo ready; while :; do sleep 0.05; done");
        wait_until("ready", || engine.docker(&["logs", "k1"]).stdout.contains("ready"));
        engine.docker(&["kill", "-s", "USR1", "k1"]).ok();
        wait_until("usr1", || engine.docker(&["logs", "k1"]).stdout.contains("usr1"));
        engine.docker(&["kill", "-s", "NOPE", "k1"]).fails(1, "invalid signal: NOPE");
        engine.docker(&["kill", "k1"]).ok();
        assert_eq!(engine.docker(&["wait", "k1"]).line(), "137");
        engine.docker(&["kill", "k1"]).fails(1, &format!("container {id} is not running"));
        engine.docker(&["rm", "k1"]).ok();
    });
}

#[test]
fn restart_gives_a_new_process() {
    with_engine(|engine| {
        detached(engine, "r1", OBEDIENT);
        let pid = engine.inspect("r1", "{{.State.Pid}}");
        engine.docker(&["restart", "r1"]).ok();
        assert_ne!(engine.inspect("r1", "{{.State.Pid}}"), pid);
        assert_eq!(engine.inspect("r1", "{{.State.Status}} {{.RestartCount}}"), "running 0");
        engine.docker(&["rm", "-f", "r1"]).ok();
    });
}

#[test]
fn restart_policies_start_again() {
    with_engine(|engine| {
        engine
            .docker(&[
                "run",
                "-d",
                "--name",
                "f1",
                "--restart",
                "on-failure:2",
                "busybox",
                "sh",
                "-c",
                "echo x; exit 1",
            ])
            .ok();
        eventually("two restarts", || {
            (engine.inspect("f1", "{{.State.Status}} {{.RestartCount}}") == "exited 2").then_some(())
        });
        assert_eq!(engine.docker(&["logs", "f1"]).ok(), "x\nx\nx\n");
        engine.docker(&["rm", "f1"]).ok();
    });
}

#[test]
fn pause_freezes_and_unpause_goes_on() {
    with_engine(|engine| {
        let id = detached(engine, "p1", "while :; do echo x; sleep 0.02; done");
        engine.docker(&["pause", "p1"]).ok();
        assert_eq!(
            engine.inspect("p1", "{{.State.Status}} {{.State.Paused}} {{.State.Running}}"),
            "paused true true"
        );
        let frozen = engine.docker(&["logs", "p1"]).ok().len();
        engine.docker(&["pause", "p1"]).fails(1, &format!("Container {id} is already paused"));
        assert_eq!(engine.docker(&["logs", "p1"]).ok().len(), frozen);
        engine.docker(&["unpause", "p1"]).ok();
        wait_until("output", || engine.docker(&["logs", "p1"]).stdout.len() > frozen);
        engine.docker(&["unpause", "p1"]).fails(1, "is not paused");
        // A paused container can be removed by force.
        engine.docker(&["pause", "p1"]).ok();
        engine.docker(&["rm", "-f", "p1"]).ok();
    });
}

#[test]
fn rename_moves_the_name() {
    with_engine(|engine| {
        let id = detached(engine, "old", OBEDIENT);
        engine.docker(&["create", "--name", "taken", "busybox"]).ok();
        engine.docker(&["rename", "old", "taken"]).fails(1, "Conflict");
        engine.docker(&["rename", "old", "new"]).ok();
        assert_eq!(engine.inspect("new", "{{.Id}} {{.Name}}"), format!("{id} /new"));
        engine.docker(&["inspect", "old"]).fails(1, "No such object: old");
        engine.docker(&["run", "--rm", "--name", "old", "busybox", "true"]).ok();
        engine.docker(&["rm", "-f", "new", "taken"]).ok();
    });
}

#[test]
fn wait_answers_each_condition() {
    with_engine(|engine| {
        let id = engine.docker(&["create", "--name", "w1", "busybox", "sh", "-c", "exit 21"]).line();
        std::thread::scope(|scope| {
            let path = format!("/v1.47/containers/{id}/wait?condition=next-exit");
            let next = scope.spawn(move || engine.api("POST", &path, None).json());
            // The request must be there before the start; it is answered by nothing but the exit.
            std::thread::park_timeout(Duration::from_millis(300));
            engine.docker(&["start", "w1"]).ok();
            assert_eq!(next.join().unwrap()["StatusCode"], 21);
        });
        assert_eq!(engine.docker(&["wait", "w1"]).line(), "21");
        let not_running =
            engine.api("POST", &format!("/v1.47/containers/{id}/wait?condition=not-running"), None);
        assert_eq!(not_running.json()["StatusCode"], 21);
        std::thread::scope(|scope| {
            let path = format!("/v1.47/containers/{id}/wait?condition=removed");
            let removed = scope.spawn(move || engine.api("POST", &path, None).json());
            std::thread::park_timeout(Duration::from_millis(300));
            engine.docker(&["rm", "w1"]).ok();
            assert_eq!(removed.join().unwrap()["StatusCode"], 21);
        });
        assert_eq!(
            engine.api("POST", &format!("/v1.47/containers/{id}/wait?condition=bogus"), None).status,
            400
        );
        engine.docker(&["wait", "nobody"]).fails(1, "No such container: nobody");
    });
}

#[test]
fn a_running_container_is_removed_by_force_only() {
    with_engine(|engine| {
        let id = detached(engine, "x1", "sleep 600");
        let message =
            engine.docker(&["rm", "x1"]).fails(1, "cannot remove container \"x1\": container is running");
        assert!(message.contains("stop the container before removing or force remove"), "{message}");
        engine.docker(&["rm", "-f", "x1"]).ok();
        assert_eq!(engine.api("DELETE", &format!("/v1.47/containers/{id}"), None).status, 404);
        // By force, what does not exist is no failure for the command line.
        engine.docker(&["rm", "-f", "x1"]).ok();
    });
}

#[test]
fn top_shows_the_containers_processes() {
    with_engine(|engine| {
        detached(engine, "t1", "sleep 601 & sleep 602; true");
        let top = eventually("three processes", || {
            let top = engine.docker(&["top", "t1"]).ok();
            (top.lines().count() == 4).then_some(top)
        });
        assert!(top.starts_with("UID"), "{top}");
        assert!(top.contains("sleep 601") && top.contains("sleep 602"), "{top}");
        let top = engine.docker(&["top", "t1", "-o", "pid,comm"]).ok();
        assert_eq!(top.lines().next().unwrap().split_whitespace().collect::<Vec<_>>(), ["PID", "COMMAND"]);
        engine.docker(&["rm", "-f", "t1"]).ok();
        assert!(events(engine, &json!({"container": ["t1"], "event": ["top"]})).len() >= 2);
        engine.docker(&["create", "--name", "t1", "busybox"]).ok();
        engine.docker(&["top", "t1"]).fails(1, "is not running");
        engine.docker(&["rm", "t1"]).ok();
    });
}

#[test]
fn every_step_is_an_event() {
    with_engine(|engine| {
        let id = engine
            .docker(&["create", "--name", "e1", "--label", "k=v", "busybox", "sh", "-c", "sleep 600"])
            .line();
        for step in [
            &["start", "e1"][..],
            &["pause", "e1"],
            &["unpause", "e1"],
            &["rename", "e1", "e2"],
            &["kill", "e2"],
        ] {
            engine.docker(step).ok();
        }
        engine.docker(&["wait", "e2"]).ok();
        engine.docker(&["rm", "e2"]).ok();
        let events = events(engine, &json!({"container": [id], "type": ["container"]}));
        let actions: Vec<_> = events.iter().map(|event| event["Action"].as_str().unwrap()).collect();
        let expected = ["create", "start", "pause", "unpause", "rename", "kill", "die", "destroy"];
        assert_eq!(actions, expected);
        let die = &events[6]["Actor"];
        assert_eq!(die["ID"], id);
        assert_eq!((&die["Attributes"]["exitCode"], &die["Attributes"]["k"]), (&json!("137"), &json!("v")));
        assert_eq!(die["Attributes"]["image"], "busybox");
    });
}

#[test]
fn networks_and_volumes_tell_who_uses_them() {
    with_engine(|engine| {
        engine.docker(&["run", "--rm", "--name", "u1", "-v", "u1-data:/data:ro", "busybox", "true"]).ok();
        let used = |kind: &str, actions: [&str; 2]| {
            wait_until("both events", || {
                events(engine, &json!({"type": [kind], "event": actions})).len() == 2
            });
            events(engine, &json!({"type": [kind], "event": actions}))
        };
        let connections = used("network", ["connect", "disconnect"]);
        let id = connections[0]["Actor"]["Attributes"]["container"].clone();
        for (event, action) in connections.iter().zip(["connect", "disconnect"]) {
            assert_eq!(event["Action"], action);
            let attributes = json!({"container": id, "name": "bridge", "type": "bridge"});
            assert_eq!(event["Actor"]["Attributes"], attributes);
        }
        let mounts = used("volume", ["mount", "unmount"]);
        let mounted = json!({
            "container": id, "destination": "/data", "driver": "local", "propagation": "", "read/write": "false",
        });
        assert_eq!(mounts[0]["Actor"], json!({"ID": "u1-data", "Attributes": mounted}));
        let attributes = json!({"container": id, "driver": "local"});
        assert_eq!(mounts[1]["Actor"], json!({"ID": "u1-data", "Attributes": attributes}));
        engine.docker(&["volume", "rm", "u1-data"]).ok();
    });
}

#[test]
fn even_without_patience_stop_asks_first() {
    with_engine(|engine| {
        engine.docker(&["run", "-d", "--name", "p1", "busybox", "sleep", "600"]).ok();
        engine.docker(&["stop", "-t", "0", "p1"]).ok();
        let kills = events(engine, &json!({"container": ["p1"], "event": ["kill"]}));
        let signals: Vec<_> = kills.iter().map(|event| &event["Actor"]["Attributes"]["signal"]).collect();
        assert_eq!(signals, ["15", "9"]);
        engine.docker(&["rm", "p1"]).ok();
    });
}

/// What happened so far.
fn events(engine: &TestEngine, filters: &serde_json::Value) -> Vec<serde_json::Value> {
    let query = format!("/v1.47/events?since=1&until={}&filters={}", now(), escape(&filters.to_string()));
    let text = engine.api("GET", &query, None).text();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Seconds since 1970, with what follows the point.
fn now() -> String {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    format!("{}.{:09}", since.as_secs(), since.subsec_nanos())
}

fn escape(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

#[test]
fn all_of_a_pod_of_fifty_start_and_go() {
    with_engine(|engine| {
        std::thread::scope(|scope| {
            let runs: Vec<_> = (0..50)
                .map(|number| {
                    scope.spawn(move || {
                        engine.docker(&["run", "--rm", "busybox", "echo", &number.to_string()]).line()
                    })
                })
                .collect();
            for (number, run) in runs.into_iter().enumerate() {
                assert_eq!(run.join().unwrap(), number.to_string());
            }
        });
        assert_eq!(engine.docker(&["ps", "-aq"]).ok(), "");
    });
}
