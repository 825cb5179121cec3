//! Users of our registry, by password and by token, as the docker command line logs them in.

use std::path::Path;
use tests::{OwnRegistry, TestEngine, with_engine};

/// A file of two users, of whom `bob` may only read.
fn users(directory: &Path) -> String {
    let file = directory.join("users");
    OwnRegistry::add_user(&file, "ada", "secret");
    OwnRegistry::add_user(&file, "bob", "reads");
    file.display().to_string()
}

fn login(engine: &TestEngine, registry: &OwnRegistry, user: &str, password: &str) -> tests::Run {
    engine.docker(&["login", "--username", user, "--password", password, &registry.host()])
}

/// The same story whichever way the registry asks.
fn asks(engine: &TestEngine, registry: &OwnRegistry) {
    let name = registry.name("team/app:1");
    engine.docker(&["tag", "busybox", &name]).ok();
    let stranger = engine.docker(&["push", &name]);
    assert_ne!(stranger.code, 0, "{stranger:?}");
    let wrong = login(engine, registry, "ada", "wrong").fails(1, "unauthorized: wrong name or password");
    assert!(!wrong.contains("unauthorized: unauthorized"), "told once: {wrong}");
    let given = serde_json::json!({"username": "ada", "password": "wrong", "serveraddress": registry.host()});
    // Docker's status: the caller may use the engine, the registry does not know who that is.
    assert_eq!(engine.api("POST", "/auth", Some(&given)).status, 401);
    login(engine, registry, "ada", "secret").ok();
    engine.docker(&["push", &name]).ok();
    engine.docker(&["rmi", &name]).ok();
    engine.docker(&["pull", &name]).ok();
    engine.docker(&["logout", &registry.host()]).ok();
    login(engine, registry, "bob", "reads").ok();
    engine.docker(&["pull", &name]).ok();
    let other = registry.name("team/other:1");
    engine.docker(&["tag", "busybox", &other]).ok();
    let refused = engine.docker(&["push", &other]);
    assert!(refused.code == 1 && refused.stderr.contains("denied"), "{refused:?}");
    engine.docker(&["logout", &registry.host()]).ok();
    let stranger = engine.docker(&["pull", &name]);
    assert_ne!(stranger.code, 0, "{stranger:?}");
}

#[test]
fn a_registry_that_asks_for_passwords() {
    with_engine(|engine| {
        let users = users(engine.directory());
        let flags = ["--htpasswd", &users, "--read-only", "bob"];
        asks(engine, &OwnRegistry::start(&engine.directory().join("storage"), &flags));
    });
}

#[test]
fn a_registry_that_gives_tokens() {
    with_engine(|engine| {
        let users = users(engine.directory());
        let flags = ["--htpasswd", &users, "--read-only", "bob", "--token"];
        asks(engine, &OwnRegistry::start(&engine.directory().join("storage"), &flags));
    });
}

#[test]
fn strangers_pull_where_they_may_and_push_nowhere() {
    with_engine(|engine| {
        let users = users(engine.directory());
        for (place, token) in [("password", None), ("token", Some("--token"))] {
            let flags: Vec<&str> =
                ["--htpasswd", &users, "--anonymous-pull"].into_iter().chain(token).collect();
            let registry = OwnRegistry::start(&engine.directory().join(place), &flags);
            let name = registry.name("app:1");
            engine.docker(&["tag", "busybox", &name]).ok();
            assert_ne!(engine.docker(&["push", &name]).code, 0, "{place}");
            login(engine, &registry, "ada", "secret").ok();
            engine.docker(&["push", &name]).ok();
            engine.docker(&["logout", &registry.host()]).ok();
            engine.docker(&["pull", &name]).ok();
        }
    });
}
