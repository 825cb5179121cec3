//! `system doctor`: what a host lacks is named, with what does not work and what to do; the host is left as it is.

use serde_json::Value;
use std::process::Command;
use tests::lan::Lan;
use tests::{Lack, Run, Settings, TestEngine, with_private_engine};

/// The report, by subject, and the exit code.
#[track_caller]
fn doctor(engine: &TestEngine) -> (Vec<Value>, i32) {
    let root = engine.directory().join("root").display().to_string();
    let run = engine.cr_beside_daemon(&["system", "doctor", "--root", &root, "--format", "json"]);
    let report: Value = serde_json::from_str(&run.stdout).unwrap_or_else(|_| panic!("{run:?}"));
    assert_eq!(report["Sound"], run.code == 0);
    (report["Lines"].as_array().unwrap().clone(), run.code)
}

#[track_caller]
fn line<'a>(lines: &'a [Value], subject: &str) -> &'a Value {
    lines.iter().find(|line| line["Subject"] == subject).unwrap_or_else(|| panic!("{subject}: {lines:?}"))
}

/// Whether it is said of a subject that it is degraded, what does not work, and what to do.
#[track_caller]
fn is_degraded(lines: &[Value], subject: &str, finding: &str, next: &str) {
    let line = line(lines, subject);
    assert_eq!(line["Verdict"], "degraded", "{line}");
    assert!(line["Finding"].as_str().unwrap().contains(finding), "{line}");
    assert!(line["Next"].as_str().unwrap().contains(next), "{line}");
}

fn with_host(lacks: &[Lack], test: impl FnOnce(&Lan, &TestEngine)) {
    let lan = Lan::new();
    let settings = Settings { network: Some(lan.host().pid()), lacks: lacks.to_vec(), ..Settings::default() };
    with_private_engine(settings, |engine| test(&lan, engine));
    lan.is_as_before();
}

#[test]
fn a_sound_host_is_told_to_be_so_and_left_as_it_is() {
    with_host(&[], |lan, engine| {
        let kernel = || {
            let links = lan.host().run(&["ip", "-o", "link"]).ok();
            (links, lan.host().run(&["nft", "list", "ruleset"]).ok(), engine.footprint())
        };
        let before = kernel();
        let (lines, code) = doctor(engine);
        assert_eq!(code, 0, "{lines:?}");
        for subject in
            ["user", "kernel", "shim", "root directory", "devices", "packet filter", "nft", "clock"]
        {
            assert_eq!(line(&lines, subject)["Verdict"], "ok", "{lines:?}");
        }
        assert!(line(&lines, "nft")["Finding"].as_str().unwrap().starts_with("nftables v"));
        assert_eq!(kernel(), before);
        assert!(
            !engine
                .directory()
                .join("root")
                .read_dir()
                .unwrap()
                .flatten()
                .any(|entry| { entry.file_name().to_string_lossy().starts_with(".doctor") })
        );
        let text = engine.cr_beside_daemon(&["system", "doctor"]);
        assert!(text.stdout.contains("ok        kernel: "), "{text:?}");
    });
}

#[test]
fn what_a_host_lacks_is_named_with_what_does_not_work() {
    with_host(&[Lack::Nft, Lack::Ipv6], |_, engine| {
        let (lines, code) = doctor(engine);
        assert_eq!(code, 0, "degraded is not broken: {lines:?}");
        is_degraded(&lines, "nft", "no port can be published", "install nftables");
        is_degraded(&lines, "IPv6", "this kernel has no IPv6", "turn it on");
        // The daemon says so, too.
        assert!(line(&lines, "daemon")["Verdict"] == "degraded");
    });
    with_host(&[Lack::NfTables], |_, engine| {
        let (lines, code) = doctor(engine);
        assert_eq!(code, 0, "{lines:?}");
        is_degraded(&lines, "packet filter", "do not reach the world", "nf_tables");
        assert_eq!(line(&lines, "IPv6")["Verdict"], "ok");
    });
}

#[test]
fn without_a_daemon_and_on_a_file_system_without_overlays() {
    with_private_engine(Settings::default(), |engine| {
        // An overlay can't be made upon an overlay.
        let place = engine.directory().join("place");
        let below = |name: &str| place.join(name).display().to_string();
        std::fs::create_dir(&place).unwrap();
        let options =
            format!("lowerdir={},upperdir={},workdir={}", below("lower"), below("upper"), below("work"));
        let mut tmpfs = Command::new("unshare");
        let script = "mount -t tmpfs none $1 && mkdir $1/lower $1/upper $1/work $1/merged && \
            mount -t overlay overlay -o $2 $1/merged && exec $3 -H unix:///nowhere.sock system doctor --root $1/merged";
        let program = engine.cr_command(&[]).get_program().to_owned();
        tmpfs.args(["--mount", "sh", "-c", script, "sh"]).arg(&place).arg(options).arg(program);
        let run = Run::of(&mut tmpfs);
        assert_eq!(run.code, 1, "{run:?}");
        assert!(run.stdout.contains("broken    root directory: no container can have layers on"), "{run:?}");
        assert!(run.stdout.contains("next: put runtime.root_dir on ext4"), "{run:?}");
        assert!(run.stdout.contains("ok        daemon: none answers here"), "{run:?}");
        std::fs::remove_dir_all(&place).unwrap();
    });
}
