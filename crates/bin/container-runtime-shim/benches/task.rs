//! How long the shim takes for each call, and how much memory it then has: `cargo bench -p container-runtime-shim
//! --profile shim`. `CONTAINER_RUNTIME_SHIM_TRACE=1` adds the steps; `SECCOMP=FILE` an OCI seccomp document.

#[path = "../tests/shim/support.rs"]
#[allow(dead_code, reason = "tests use more of it")]
mod support;

use std::time::{Duration, Instant};
use support::{Fixture, lacks};

const ROUNDS: usize = 50;

#[expect(clippy::print_stdout, reason = "the result")]
fn main() {
    if lacks() {
        return;
    }
    let rounds: Vec<_> = (0..ROUNDS).map(|_| round(&["true"])).collect();
    let names = ["create", "start", "wait", "delete"];
    for (n, name) in names.iter().enumerate() {
        println!("{name:8} {:6} us", median(rounds.iter().map(|round| round[n])).as_micros());
    }
    println!("all      {:6} us", median(rounds.iter().map(|round| round.iter().sum())).as_micros());
    exec();
    memory();
}

fn fixture(arguments: &[&str]) -> Fixture {
    let mut container = Fixture::new(arguments);
    if let Some(path) = std::env::var_os("SECCOMP") {
        let text = std::fs::read(path).unwrap();
        container.config["linux"]["seccomp"] = serde_json::from_slice(&text).unwrap();
    }
    container
}

fn round(arguments: &[&str]) -> [Duration; 4] {
    let container = fixture(arguments);
    if let Some(path) = std::env::var_os("WARM") {
        std::fs::write(path, "0").unwrap();
    }
    let times = [
        time(|| _ = container.create()),
        time(|| container.start()),
        time(|| drop(container.wait(""))),
        time(|| drop(container.delete("").unwrap())),
    ];
    report(&container);
    times
}

#[expect(clippy::print_stdout, reason = "the result")]
fn exec() {
    let container = fixture(&["sleep", "1000"]);
    container.run();
    let times = (0..ROUNDS).map(|n| {
        let id = format!("e{n}");
        time(|| {
            container.exec(&id, &["true"], &serde_json::json!({}));
            container.try_start(&id).unwrap();
            container.wait(&id);
            container.delete(&id).unwrap();
        })
    });
    println!("exec     {:6} us", median(times.collect::<Vec<_>>().into_iter()).as_micros());
    report(&container);
}

#[expect(clippy::print_stdout, reason = "the result")]
fn memory() {
    let idle = Fixture::new(&["true"]);
    print_memory("idle", &idle);
    let containers: Vec<_> = (0..10).map(|_| fixture(&["sleep", "1000"])).collect();
    for container in &containers {
        container.run();
    }
    for container in containers.iter().take(2) {
        print_memory("running", container);
    }
    println!(
        "{}",
        std::fs::read_to_string(format!("/proc/{}/smaps_rollup", containers[0].shim_pid)).unwrap()
    );
}

#[expect(clippy::print_stdout, reason = "the result")]
fn print_memory(what: &str, container: &Fixture) {
    let rollup = std::fs::read_to_string(format!("/proc/{}/smaps_rollup", container.shim_pid)).unwrap();
    let field = |name: &str| {
        rollup.lines().find(|line| line.starts_with(name)).unwrap().split_whitespace().nth(1).unwrap()
    };
    println!("{what:8} PSS {} kB, private dirty {} kB", field("Pss:"), field("Private_Dirty:"));
}

#[expect(clippy::print_stdout, reason = "the result")]
fn report(container: &Fixture) {
    if std::env::var_os("CONTAINER_RUNTIME_SHIM_TRACE").is_some() {
        println!("{}", container.complaints());
    }
}

fn time(run: impl FnOnce()) -> Duration {
    let start = Instant::now();
    run();
    start.elapsed()
}

fn median(times: impl Iterator<Item = Duration>) -> Duration {
    let mut times: Vec<_> = times.collect();
    times.sort();
    times[times.len() / 2]
}
