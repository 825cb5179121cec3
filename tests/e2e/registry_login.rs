//! Registries that ask who one is: login, logout, helpers, with docker's command line and with our own.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};
use tests::registry::{PASSWORD, Registry, USER};
use tests::{Need, Run, TestEngine, lacks, skip, with_engine};

#[track_caller]
fn with_registry(test: impl FnOnce(&TestEngine, &Registry)) {
    if let Some(lacking) = lacks(&[Need::Program("docker-registry")]) {
        return skip(&lacking);
    }
    with_engine(|engine| test(engine, &Registry::start(engine.directory(), true)));
}

/// A command line, to be run with these arguments.
type Client<'a> = Box<dyn Fn(&[&str]) -> Command + 'a>;

/// Both command lines, by name, with the engine's directory for their configuration.
fn clients(engine: &TestEngine) -> [(&'static str, Client<'_>); 2] {
    let ours = |arguments: &[&str]| {
        let mut command = engine.cr_command(arguments);
        command.env("DOCKER_CONFIG", engine.directory());
        command
    };
    [("docker", Box::new(|arguments: &[&str]| engine.docker_command(arguments))), ("ours", Box::new(ours))]
}

#[test]
fn a_login_is_kept_until_the_logout() {
    with_registry(|engine, registry| {
        let (host, name) = (registry.host(), registry.name("app:1"));
        engine.docker(&["tag", "busybox", &name]).ok();
        for (client, command) in clients(engine) {
            let run = |arguments: &[&str]| Run::of(&mut command(arguments));
            run(&["push", &name]).fails(1, "no basic auth credentials");
            run(&["pull", &name]).fails(1, "no basic auth credentials");
            let wrong = run(&["login", "--username", USER, "--password", "wrong", &host]);
            wrong.fails(1, "unauthorized");
            let right = run(&["login", "--username", USER, "--password", PASSWORD, &host]);
            assert!(
                right.stderr.contains("--password"),
                "{client} warns of passwords in command lines: {right:?}"
            );
            assert!(right.clone().ok().contains("Login Succeeded"), "{right:?}");
            run(&["push", "--quiet", &name]).ok();
            run(&["pull", "--quiet", &name]).ok();
            let out = run(&["logout", &host]).ok();
            assert_eq!(out, format!("Removing login credentials for {host}\n"), "{client}");
            run(&["push", &name]).fails(1, "no basic auth credentials");
        }
        assert!(!fs::read_to_string(engine.directory().join("config.json")).unwrap().contains(&host));
    });
}

#[test]
fn a_password_comes_from_standard_input() {
    with_registry(|engine, registry| {
        for (client, command) in clients(engine) {
            let mut login = command(&["login", "--username", USER, "--password-stdin", &registry.host()]);
            let password = engine.directory().join("password");
            fs::write(&password, format!("{PASSWORD}\n")).unwrap();
            let done =
                login.stdin(fs::File::open(&password).unwrap()).stderr(Stdio::piped()).output().unwrap();
            assert!(done.status.success(), "{client}: {done:?}");
            Run::of(&mut command(&["logout", &registry.host()])).ok();
        }
    });
}

/// A helper that knows one password and keeps none.
fn helper(directory: &Path, host: &str) {
    let script = format!(
        "#!/bin/sh\nread -r host\n[ \"$1\" = get ] && [ \"$host\" = '{host}' ] || {{ echo 'credentials not found in native keychain'; exit 1; }}\n\
         echo '{{\"ServerURL\":\"{host}\",\"Username\":\"{USER}\",\"Secret\":\"{PASSWORD}\"}}'\n"
    );
    let path = directory.join("docker-credential-fromtests");
    fs::write(&path, script).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
}

#[test]
fn a_helper_knows_the_password() {
    with_registry(|engine, registry| {
        let host = registry.host();
        helper(engine.directory(), &host);
        let config = serde_json::json!({"credHelpers": {&host: "fromtests"}}).to_string();
        fs::write(engine.directory().join("config.json"), config).unwrap();
        let path = format!("{}:{}", engine.directory().display(), std::env::var("PATH").unwrap());
        for (client, command) in clients(engine) {
            let name = registry.name(&format!("{client}:1"));
            engine.docker(&["tag", "busybox", &name]).ok();
            Run::of(command(&["push", "--quiet", &name]).env("PATH", &path)).ok();
            Run::of(command(&["pull", "--quiet", &name]).env("PATH", &path)).ok();
        }
    });
}
