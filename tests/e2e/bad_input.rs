//! Requests that no well-behaved client sends: each gets a status that fits and a message that says what is wrong.

use serde_json::json;
use tests::{Settings, TestEngine, with_engine, with_private_engine};

#[track_caller]
fn refused(engine: &TestEngine, method: &str, path: &str, body: Option<&str>, status: u16, words: &str) {
    let kind = "application/json";
    let answer = engine.api_raw(method, path, body.map(|body| (kind, body.as_bytes())));
    assert_eq!(answer.status, status, "{method} {path}: {}", answer.text());
    assert!(answer.message().contains(words), "{method} {path}: {}", answer.message());
}

#[test]
fn requests_that_make_no_sense() {
    with_engine(|engine| {
        let create = "/v1.47/containers/create";
        refused(engine, "POST", create, Some("{"), 400, "");
        refused(engine, "POST", create, Some("[]"), 400, "");
        refused(engine, "POST", create, Some(r#"{"Image": 5}"#), 400, "");
        refused(engine, "POST", create, Some(r#"{"Image": "busybox", "Cmd": {"a": 1}}"#), 400, "");
        refused(engine, "POST", create, Some("{}"), 400, "");
        refused(engine, "POST", create, Some(r#"{"Image": "no-such:1"}"#), 404, "No such image: no-such:1");
        refused(
            engine,
            "POST",
            "/v1.47/containers/create?name=a/b",
            Some(r#"{"Image": "busybox"}"#),
            400,
            "Invalid container name",
        );
        for (method, path) in [
            ("GET", "/v1.47/containers/nobody/json"),
            ("POST", "/v1.47/containers/nobody/start"),
            ("POST", "/v1.47/containers/nobody/stop"),
            ("POST", "/v1.47/containers/nobody/kill"),
            ("POST", "/v1.47/containers/nobody/pause"),
            ("POST", "/v1.47/containers/nobody/resize?h=1&w=1"),
            ("GET", "/v1.47/containers/nobody/logs?stdout=1"),
            ("GET", "/v1.47/containers/nobody/top"),
            ("DELETE", "/v1.47/containers/nobody"),
        ] {
            refused(engine, method, path, None, 404, "No such container: nobody");
        }
        refused(engine, "GET", "/v1.47/images/nothing/json", None, 404, "No such image: nothing");
        refused(engine, "POST", "/v1.47/exec/nothing/start", Some("{}"), 404, "nothing");
        refused(engine, "GET", "/v1.47/containers/json?filters=%7B", None, 400, "");
        // Docker blames itself: 500.
        let limit = engine.api("GET", "/v1.47/containers/json?limit=x", None);
        assert!([400, 500].contains(&limit.status), "{}", limit.text());
    });
}

#[test]
fn unknown_fields_are_ignored_as_newer_clients_send_them() {
    with_engine(|engine| {
        let body = json!({"Image": "busybox", "Cmd": ["true"], "FromTheFuture": {"x": 1}, "HostConfig": {"Newer": true}});
        let answer = engine.api("POST", "/v1.47/containers/create?name=future", Some(&body));
        assert_eq!(answer.status, 201, "{}", answer.text());
        engine.docker(&["rm", "future"]).ok();
    });
}

#[test]
fn logs_without_a_stream_are_refused() {
    with_engine(|engine| {
        engine.docker(&["create", "--name", "x1", "busybox"]).ok();
        refused(engine, "GET", "/v1.47/containers/x1/logs", None, 400, "you must choose at least one stream");
        engine.docker(&["rm", "x1"]).ok();
    });
}

#[test]
fn states_that_forbid_the_request() {
    with_engine(|engine| {
        let id = engine.docker(&["run", "-d", "--name", "r1", "busybox", "sleep", "600"]).line();
        assert_eq!(engine.api("POST", "/v1.47/containers/r1/start", None).status, 304);
        refused(engine, "DELETE", "/v1.47/containers/r1", None, 409, "container is running");
        // A conflict; Docker blames itself: 500.
        let unpause = engine.api("POST", "/v1.47/containers/r1/unpause", None);
        assert!(
            [409, 500].contains(&unpause.status) && unpause.message().contains("is not paused"),
            "{unpause:?}"
        );
        engine.docker(&["kill", "r1"]).ok();
        engine.docker(&["wait", "r1"]).ok();
        assert_eq!(engine.api("POST", "/v1.47/containers/r1/stop", None).status, 304);
        refused(
            engine,
            "POST",
            "/v1.47/containers/r1/kill",
            None,
            409,
            &format!("container {id} is not running"),
        );
        refused(engine, "POST", "/v1.47/containers/r1/pause", None, 409, "is not running");
        refused(
            engine,
            "POST",
            "/v1.47/containers/r1/exec",
            Some(r#"{"Cmd": ["true"]}"#),
            409,
            "is not running",
        );
        refused(engine, "POST", "/v1.47/containers/r1/rename", None, 400, "");
        engine.docker(&["rm", "r1"]).ok();
    });
}

#[test]
fn a_second_daemon_on_the_same_root_is_refused() {
    with_private_engine(Settings::default(), |engine| {
        let root = engine.directory().join("root");
        let state = engine.directory().join("state2");
        let socket = format!("unix://{}/second.sock", engine.directory().display());
        let mut second = engine.cr_command(&[]);
        second = {
            let mut command = std::process::Command::new(second.get_program());
            command.args([
                "daemon",
                "--root",
                root.to_str().unwrap(),
                "--state",
                state.to_str().unwrap(),
                "-H",
                &socket,
            ]);
            command
        };
        let run = tests::Run::of(&mut second);
        assert_ne!(run.code, 0);
        let said = format!("{}{}", run.stdout, run.stderr);
        assert!(
            said.contains(root.to_str().unwrap()) && said.contains(&engine.daemon_pid().to_string()),
            "{said}"
        );
        engine.docker(&["run", "--rm", "busybox", "true"]).ok();
        let _ = std::fs::remove_dir_all(state);
    });
}
