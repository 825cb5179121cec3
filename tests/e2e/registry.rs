//! Registries through the docker command line: pull, push, `run --pull`, search, manifests, events, a kill in the middle.

use std::fs;
use std::io::Write;
use std::time::SystemTime;
use tests::fixtures::{self, Archive};
use tests::registry::{Registry, SlowPort, skopeo};
use tests::{Need, Settings, TestEngine, lacks, skip, wait_until, with_engine, with_private_engine};

/// Runs a test with an engine and a registry that asks for nothing.
#[track_caller]
fn with_registry(test: impl FnOnce(&TestEngine, &Registry)) {
    if let Some(lacking) = lacks(&[Need::Program("docker-registry")]) {
        return skip(&lacking);
    }
    with_engine(|engine| test(engine, &Registry::start(engine.directory(), false)));
}

/// Puts busybox there under a name.
#[track_caller]
fn push(engine: &TestEngine, name: &str) -> String {
    engine.docker(&["tag", "busybox", name]).ok();
    engine.docker(&["push", name]).ok()
}

/// The digest in the line of a push or a pull.
fn digest(text: &str) -> String {
    let at = text.find("sha256:").unwrap_or_else(|| panic!("no digest: {text}"));
    text[at..at + 71].to_owned()
}

#[test]
fn a_push_and_a_pull_tell_what_docker_tells() {
    with_registry(|engine, registry| {
        let name = registry.name("team/app:1");
        let pushed = push(engine, &name);
        let first = pushed.lines().next().unwrap();
        assert_eq!(first, format!("The push refers to repository [{}]", registry.name("team/app")));
        let last = pushed.lines().last().unwrap();
        let digest = digest(last);
        assert!(last.starts_with(&format!("1: digest: {digest} size: ")), "{pushed}");
        assert!(pushed.contains(": Preparing\n") && pushed.contains(": Pushed\n"), "{pushed}");
        let again = engine.docker(&["push", &name]).ok();
        assert!(again.contains(": Layer already exists\n"), "{again}");
        assert_eq!(engine.docker(&["push", "--quiet", &name]).ok(), format!("{name}\n"));
        engine.docker(&["rmi", &name, "busybox"]).ok();
        let pulled = engine.docker(&["pull", &name]).ok();
        assert!(pulled.starts_with("1: Pulling from team/app\n"), "{pulled}");
        let end = format!("Digest: {digest}\nStatus: Downloaded newer image for {name}\n{name}\n");
        assert!(pulled.ends_with(&end) && pulled.contains(": Pull complete\n"), "{pulled}");
        let again = engine.docker(&["pull", &name]).ok();
        let expected = format!(
            "1: Pulling from team/app\nDigest: {digest}\nStatus: Image is up to date for {name}\n{name}\n"
        );
        assert_eq!(again, expected);
        let by_digest = format!("{}@{digest}", registry.name("team/app"));
        assert_eq!(engine.docker(&["pull", "--quiet", &by_digest]).ok(), format!("{by_digest}\n"));
        assert_eq!(engine.docker(&["run", "--rm", &by_digest, "echo", "ok"]).ok(), "ok\n");
        assert_eq!(engine.inspect(&name, "{{index .RepoDigests 0}}"), by_digest);
        // A layer that the registry has elsewhere is not sent again.
        let other = push(engine_with(engine, &name), &registry.name("other:1"));
        assert!(other.contains(": Mounted from team/app\n"), "{other}");
    });
}

/// Gives what was pulled its old name again.
fn engine_with<'a>(engine: &'a TestEngine, name: &str) -> &'a TestEngine {
    engine.docker(&["tag", name, "busybox"]).ok();
    engine
}

#[test]
fn all_tags_go_and_come() {
    with_registry(|engine, registry| {
        for tag in ["1", "2"] {
            engine.docker(&["tag", "busybox", &registry.name(&format!("app:{tag}"))]).ok();
        }
        let pushed = engine.docker(&["push", "--all-tags", &registry.name("app")]).ok();
        assert!(pushed.contains("1: digest: sha256:") && pushed.contains("2: digest: sha256:"), "{pushed}");
        engine.docker(&["rmi", &registry.name("app:1"), &registry.name("app:2")]).ok();
        let pulled = engine.docker(&["pull", "--all-tags", &registry.name("app")]).ok();
        assert!(pulled.ends_with(&format!("{}\n", registry.name("app"))), "{pulled}");
        let here = engine.docker(&["images", "--format", "{{.Tag}}", &registry.name("app")]).ok();
        assert_eq!(here.lines().filter(|tag| ["1", "2"].contains(tag)).count(), 2, "{here}");
    });
}

#[test]
fn run_pulls_what_it_is_told_to() {
    with_registry(|engine, registry| {
        let name = registry.name("app:1");
        push(engine, &name);
        engine.docker(&["rmi", &name]).ok();
        let run = |policy: &str| engine.docker(&["run", "--rm", "--pull", policy, &name, "echo", "ok"]);
        run("never").fails(125, &format!("No such image: {name}"));
        let missing = run("missing");
        assert!(missing.stderr.contains(&format!("Unable to find image '{name}' locally")), "{missing:?}");
        assert_eq!(missing.ok(), "ok\n");
        let here = run("missing");
        assert_eq!((here.stdout.as_str(), here.stderr.as_str()), ("ok\n", ""));
        let always = run("always");
        assert!(always.stderr.contains("Image is up to date"), "{always:?}");
        assert_eq!(run("never").ok(), "ok\n");
    });
}

#[test]
fn what_is_not_there_is_told_in_dockers_words() {
    with_registry(|engine, registry| {
        push(engine, &registry.name("app:1"));
        let tag = engine.docker(&["pull", &registry.name("app:none")]);
        let words = format!(
            "manifest for {} not found: manifest unknown: manifest unknown",
            registry.name("app:none")
        );
        tag.fails(1, &words);
        let name = engine.docker(&["pull", &registry.name("none")]);
        name.fails(1, "not found");
        let here = engine.docker(&["push", &registry.name("none")]);
        here.fails(1, &format!("An image does not exist locally with the tag: {}", registry.name("none")));
        engine.docker(&["pull", "127.0.0.1:1/none"]).fails(1, "onnection refused");
        engine.docker(&["pull", "Bad/Name"]).fails(1, "must be lowercase");
    });
}

#[test]
fn manifests_are_inspected() {
    with_registry(|engine, registry| {
        let name = registry.name("app:1");
        let digest = digest(push(engine, &name).lines().last().unwrap());
        let manifest = engine.docker(&["manifest", "inspect", "--insecure", &name]).ok();
        let manifest: serde_json::Value = serde_json::from_str(&manifest).unwrap();
        assert_eq!(manifest["schemaVersion"], 2, "{manifest}");
        let said = engine.api("GET", &format!("/distribution/{name}/json"), None).json();
        assert_eq!(said["Descriptor"]["digest"], digest, "{said}");
        assert_eq!(said["Platforms"][0]["os"], "linux", "{said}");
        assert_eq!(engine.api("GET", "/distribution/127.0.0.1:1/x/json", None).status / 100, 5);
    });
}

#[test]
fn every_transfer_is_an_event() {
    with_registry(|engine, registry| {
        let name = registry.name("app:1");
        let archive = engine.directory().join("saved.tar");
        push(engine, &name);
        engine.docker(&["save", "--output", archive.to_str().unwrap(), &name]).ok();
        engine.docker(&["rmi", &name]).ok();
        engine.docker(&["pull", &name]).ok();
        engine.docker(&["rmi", "--force", &name, "busybox"]).ok();
        engine.docker(&["load", "--input", archive.to_str().unwrap()]).ok();
        let now = SystemTime::UNIX_EPOCH.elapsed().unwrap();
        let until = format!("{}.{:09}", now.as_secs(), now.subsec_nanos());
        let wanted = ["--since", "1", "--until", &until, "--filter", "type=image", "--format", "{{.Action}}"];
        let events = engine.docker(&[&["events"], &wanted[..]].concat()).ok();
        let events: Vec<&str> = events.lines().collect();
        for action in ["tag", "push", "save", "untag", "pull", "delete", "load"] {
            assert!(events.contains(&action), "no {action}: {events:?}");
        }
    });
}

#[test]
fn what_is_saved_is_copied_by_skopeo_and_comes_back() {
    if let Some(lacking) = lacks(&[Need::Program("skopeo")]) {
        return skip(&lacking);
    }
    with_registry(|engine, registry| {
        let (name, archive) = (registry.name("app:1"), engine.directory().join("saved.tar"));
        engine.docker(&["tag", "busybox", &name]).ok();
        engine.docker(&["save", "--output", archive.to_str().unwrap(), &name]).ok();
        let from = format!("docker-archive:{}", archive.display());
        let to = format!("docker://{}", registry.name("copied:1"));
        skopeo(&["copy", "--quiet", "--dest-tls-verify=false", &from, &to]).ok();
        let id = engine.inspect(&name, "{{.Id}}");
        engine.docker(&["rmi", &name, "busybox"]).ok();
        engine.docker(&["pull", "--quiet", &registry.name("copied:1")]).ok();
        assert_eq!(engine.inspect(&registry.name("copied:1"), "{{.Id}}"), id);
        // Our own registry of content is an OCI layout: what another tool pushed as OCI comes as such.
        let to = format!("docker://{}", registry.name("oci:1"));
        skopeo(&["copy", "--quiet", "--format=oci", "--dest-tls-verify=false", &from, &to]).ok();
        engine.docker(&["pull", "--quiet", &registry.name("oci:1")]).ok();
        assert_eq!(engine.docker(&["run", "--rm", &registry.name("oci:1"), "echo", "ok"]).ok(), "ok\n");
    });
}

/// An image whose one layer is this long, however it is compressed.
fn noise(engine: &TestEngine, name: &str, length: usize) {
    let mut bytes = vec![0; length];
    std::io::Read::read_exact(&mut fs::File::open("/dev/urandom").unwrap(), &mut bytes).unwrap();
    let mut layer = Archive::default();
    layer.file("noise", 0o644, &bytes);
    let archive = fixtures::docker_archive(name, &layer.finish(), &serde_json::json!({"Cmd": ["sh"]}));
    let path = engine.directory().join("noise.tar");
    fs::File::create(&path).unwrap().write_all(&archive).unwrap();
    engine.docker(&["load", "--input", path.to_str().unwrap()]).ok();
    fs::remove_file(path).unwrap();
}

const NOISE: usize = 6 << 20;

/// With an engine of its own, and a slow way to a registry that has the image `noise:1`.
#[track_caller]
fn with_noise(test: impl FnOnce(&TestEngine, &SlowPort)) {
    if let Some(lacking) = lacks(&[Need::Program("docker-registry")]) {
        return skip(&lacking);
    }
    with_private_engine(Settings::default(), |engine| {
        let registry = Registry::start(engine.directory(), false);
        let slow = SlowPort::to(&registry, 3 << 20);
        noise(engine, &registry.name("noise:1"), NOISE);
        engine.docker(&["push", "--quiet", &registry.name("noise:1")]).ok();
        engine.docker(&["rmi", "--force", &registry.name("noise:1")]).ok();
        test(engine, &slow);
    });
}

#[test]
fn a_killed_daemon_fetches_only_the_rest() {
    with_noise(|engine, slow| {
        let mut pull = engine.docker_command(&["pull", &slow.name("noise:1")]);
        let mut pull =
            pull.stdout(std::process::Stdio::null()).stderr(std::process::Stdio::null()).spawn().unwrap();
        wait_until("half of it", || slow.passed() > NOISE as u64 / 2);
        engine.kill_daemon();
        assert!(!pull.wait().unwrap().success());
        engine.restart_daemon(&[]);
        engine.docker(&["pull", "--quiet", &slow.name("noise:1")]).ok();
        // What was on its way when the daemon died comes again: the buffers between.
        let limit = (NOISE + NOISE / 3) as u64;
        assert!(slow.passed() < limit, "{} of {NOISE} bytes came", slow.passed());
        let size = engine.docker(&[
            "run",
            "--rm",
            "-v",
            "/bin:/bin:ro",
            "-v",
            "/lib:/lib:ro",
            "-v",
            "/lib64:/lib64:ro",
            &slow.name("noise:1"),
            "/bin/busybox",
            "stat",
            "-c",
            "%s",
            "/noise",
        ]);
        assert_eq!(size.line(), NOISE.to_string());
    });
}

#[test]
fn on_a_terminal_there_are_bars_with_a_rate_and_the_time_left() {
    with_noise(|engine, slow| {
        let mut terminal = tests::Pty::spawn(&engine.cr_command(&["pull", &slow.name("noise:1")]));
        terminal.expect("Downloading [");
        terminal.expect("MB/s");
        terminal.expect("Status: Downloaded newer image");
        assert_eq!(terminal.wait().0, 0);
    });
}
