//! The command line alone, named `docker`, for comparing it with the original: `tests/compare.py`.

use std::process::ExitCode;

fn main() -> ExitCode {
    let environment = docker_cli::Environment {
        program: "docker",
        version: "28.2.2",
        commit: "e6534b4",
        default_host: "unix:///var/run/docker.sock".to_owned(),
        verbs: Vec::new(),
        groups: Vec::new(),
        words: |_| Vec::new(),
        autostart: None,
    };
    docker_cli::run(std::env::args_os(), environment)
}
