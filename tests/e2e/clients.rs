//! Other clients than the command line: docker-py, with a script of the same things.

use std::path::Path;
use std::process::Command;
use tests::{Need, Run, fixtures, lacks, skip, with_engine};

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
