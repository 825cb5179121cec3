//! Other clients than the command line: docker-py, with a script of the same things.

use std::path::Path;
use std::process::Command;
use tests::{Need, OwnRegistry, Run, Settings, fixtures, lacks, skip, with_engine, with_private_engine};

#[test]
fn docker_py_does_it_all() {
    let python = fixtures::cache().join("venv/bin/python");
    if let Some(lacking) = lacks(&[Need::Path(python.to_str().unwrap())]) {
        return skip(&format!("{lacking} (scripts/setup makes it)"));
    }
    with_engine(|engine| {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("clients/docker_py.py");
        let mut command = Command::new(&python);
        command.arg("-B").arg(script).arg(fixtures::busybox()).arg(fixtures::busybox_root());
        let said = Run::of(command.env("DOCKER_HOST", engine.host())).ok();
        assert!(said.ends_with("all done\n"), "{said}");
    });
}

/// The docker command line, docker-py, skopeo, podman and curl, with our engine and our registry. What Docker 28.5 and Debian's
/// docker-registry made of the same lines is recorded. One case after the other: all have names for the same image.
#[test]
fn images_move_between_clients_engine_and_registry_as_with_docker() {
    let python = fixtures::cache().join("venv/bin/python");
    let needs = ["skopeo", "podman", "curl"].map(Need::Program);
    if let Some(lacking) = lacks(&needs).or_else(|| lacks(&[Need::Path(python.to_str().unwrap())])) {
        return skip(&format!("{lacking} (scripts/setup brings it)"));
    }
    with_private_engine(Settings::default(), |engine| {
        let registry = OwnRegistry::start(&engine.directory().join("registry"), &[]);
        let here = Path::new(env!("CARGO_MANIFEST_DIR")).join("clients");
        let recorded = format!("recorded:{}", here.join("recorded_registry.json").display());
        let mut command = Command::new("python3");
        command.arg("-B").arg(here.join("side_by_side.py")).args([engine.host(), &recorded]);
        command.args(["--registries", &registry.host(), "none", "--only", "registry*", "--jobs", "1"]);
        command.arg("--root").arg(fixtures::busybox_root()).arg("--python").arg(&python);
        Run::of(&mut command).ok();
    });
}

#[test]
fn the_list_of_differences_from_docker_is_the_one_that_is_checked() {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut command = Command::new("python3");
    let printed = Run::of(command.arg("-B").arg(here.join("clients/side_by_side_kept.py"))).ok();
    let kept = std::fs::read_to_string(here.join("../docs/docker-differences.md")).unwrap();
    assert_eq!(
        kept, printed,
        "write it anew: python3 tests/clients/side_by_side_kept.py > docs/docker-differences.md"
    );
}
