//! Other runtimes by name: runc and crun by the OCI command line, and containerd's own shim.

use tests::{Need, Settings, lacks, skip, with_private_engine};

const CONFIG: &str = "runtime:
  runtimes:
    runc:
      path: runc
    crun:
      path: crun
    foreign:
      shim: io.containerd.runc.v2
";

fn with_runtimes(test: impl FnOnce(&tests::TestEngine)) {
    let settings = Settings { config: CONFIG.to_owned(), ..Settings::default() };
    with_private_engine(settings, test);
}

/// The main things, once around.
fn works(name: &str, program: &str) {
    if let Some(lacking) = lacks(&[Need::Program(program)]) {
        return skip(&lacking);
    }
    with_runtimes(|engine| {
        let options = ["--runtime", name];
        let run =
            |rest: &[&str]| engine.docker(&[&["run", "--rm"], &options[..], &["busybox"], rest].concat());
        assert_eq!(run(&["echo", "hi"]).ok(), "hi\n");
        assert_eq!(run(&["sh", "-c", "exit 8"]).code, 8);
        run(&["/no/such"]).fails(127, "");
        engine
            .docker(&[&["run", "-d", "--name", "r1"], &options[..], &["busybox", "sleep", "600"]].concat())
            .ok();
        assert_eq!(engine.inspect("r1", "{{.HostConfig.Runtime}}"), name);
        assert_eq!(engine.docker(&["exec", "r1", "echo", "inside"]).ok(), "inside\n");
        assert_eq!(engine.docker(&["exec", "r1", "sh", "-c", "exit 6"]).code, 6);
        engine.docker(&["pause", "r1"]).ok();
        engine.docker(&["unpause", "r1"]).ok();
        engine.kill_daemon();
        engine.restart_daemon(&[]);
        assert_eq!(engine.inspect("r1", "{{.State.Status}}"), "running");
        engine.docker(&["stop", "-t", "0", "r1"]).ok();
        assert_eq!(engine.inspect("r1", "{{.State.ExitCode}}"), "137");
        engine.docker(&["rm", "r1"]).ok();
    });
}

#[test]
fn runc_works() {
    works("runc", "runc");
}

#[test]
fn crun_works() {
    works("crun", "crun");
}

#[test]
fn containerds_own_shim_works() {
    works("foreign", "containerd-shim-runc-v2");
}

#[test]
fn info_names_the_runtimes_and_the_default() {
    with_runtimes(|engine| {
        let info = engine.api("GET", "/v1.47/info", None).json();
        for name in ["runc", "crun", "foreign"] {
            assert!(info["Runtimes"].get(name).is_some(), "{info}");
        }
    });
}
