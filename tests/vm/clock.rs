//! A clock that is set back an hour while containers run: only what tells the time tells another one.

use crate::{SYSTEMD, needs};
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use tests::{Run, Settings, TestEngine, wait_until, with_private_engine};

const HOUR: Duration = Duration::from_secs(3600);

/// The machine's clock, an hour behind until this is dropped.
struct Behind {
    set: Instant,
    then: SystemTime,
}

impl Behind {
    fn new() -> Self {
        let then = SystemTime::now();
        set(then - HOUR);
        Self { set: Instant::now(), then }
    }
}

impl Drop for Behind {
    fn drop(&mut self) {
        set(self.then + self.set.elapsed());
    }
}

fn set(time: SystemTime) {
    let since = time.duration_since(UNIX_EPOCH).unwrap();
    Run::of(Command::new("date").arg("--set").arg(format!(
        "@{}.{:09}",
        since.as_secs(),
        since.subsec_nanos()
    )))
    .ok();
}

/// Actions and names of all that containers did, as far as the engine remembers, in the order in which it tells them.
fn events(engine: &TestEngine, last: &str) -> Vec<String> {
    engine.docker(&["volume", "create", last]).ok();
    let mut all = follow(
        engine,
        &["--since", "1", "--format", "{{.Type}} {{.Action}} {{.Actor.ID}} {{.Actor.Attributes.name}}"],
    );
    let mut told = Vec::new();
    for line in BufReader::new(all.stdout.take().unwrap()).lines() {
        match line.unwrap().split(' ').collect::<Vec<_>>()[..] {
            ["volume", "create", volume, ..] if volume == last => break,
            ["container", action, .., name] => told.push(format!("{action} {name}")),
            _ => {}
        }
    }
    all.kill().unwrap();
    all.wait().unwrap();
    told
}

fn follow(engine: &TestEngine, words: &[&str]) -> Child {
    let mut command = engine.docker_command(&["events"]);
    command.args(words).stdout(Stdio::piped()).spawn().unwrap()
}

fn restarts(engine: &TestEngine) -> u32 {
    engine.inspect("again", "{{.RestartCount}}").parse().unwrap()
}

#[test]
fn a_clock_that_is_set_back_an_hour_changes_no_state() {
    needs(&[SYSTEMD]);
    with_private_engine(Settings::default(), |engine| {
        let ticks = "i=0; while :; do echo $i; i=$((i+1)); sleep 0.2; done";
        engine.docker(&["run", "-d", "--name", "ticks", "busybox", "sh", "-c", ticks]).ok();
        engine.docker(&["run", "-d", "--name", "ends", "busybox", "sleep", "600"]).ok();
        engine.docker(&["run", "--name", "ended", "busybox", "sh", "-c", "exit 5"]);
        let again = [
            "run",
            "-d",
            "--name",
            "again",
            "--restart",
            "always",
            "busybox",
            "sh",
            "-c",
            "sleep 0.1; exit 3",
        ];
        engine.docker(&again).ok();
        wait_until("a restart", || restarts(engine) > 0);
        let run = engine.inspect("ticks", "{{.State.Pid}} {{.State.StartedAt}}");
        let mut told = follow(engine, &["--format", "{{.Action}}", "--filter", "container=made"]);
        let before = events(engine, "before");

        let behind = Behind::new();
        // Who follows hears of what comes, and who asks later does, in the order in which it came.
        engine.docker(&["create", "--name", "made", "busybox", "true"]).ok();
        engine.docker(&["rename", "made", "renamed"]).ok();
        let mut lines = BufReader::new(told.stdout.take().unwrap()).lines();
        assert_eq!(lines.next().unwrap().unwrap(), "create");
        told.kill().unwrap();
        told.wait().unwrap();
        let now = events(engine, "now");
        assert_eq!(now[..before.len()], before, "nothing of the past is lost");
        assert!(now[before.len()..].contains(&"create made".to_owned()), "{now:?}");
        // What waits goes on waiting as long as it would have.
        let count = restarts(engine);
        wait_until("another restart", || restarts(engine) > count);
        let begun = Instant::now();
        engine.docker(&["stop", "-t", "2", "ends"]).ok();
        assert!(begun.elapsed() < Duration::from_secs(20), "{:?}", begun.elapsed());
        let all = |engine: &TestEngine| {
            assert_eq!(engine.inspect("ticks", "{{.State.Pid}} {{.State.StartedAt}}"), run);
            assert_eq!(engine.inspect("ended", "{{.State.Status}} {{.State.ExitCode}}"), "exited 5");
            assert_eq!(engine.inspect("ends", "{{.State.Status}} {{.State.ExitCode}}"), "exited 137");
            assert_eq!(engine.inspect("renamed", "{{.State.Status}}"), "created");
            let lines: Vec<_> = engine.docker(&["logs", "ticks"]).ok().lines().map(str::to_owned).collect();
            assert!(lines.iter().enumerate().all(|(place, line)| *line == place.to_string()), "{lines:?}");
            engine.docker(&["ps", "-a"]).ok();
            engine.docker(&["stats", "--no-stream", "ticks"]).ok();
            engine.docker(&["run", "--rm", "busybox", "true"]).ok();
        };
        all(engine);
        // A daemon that begins in the past of its predecessor.
        engine.kill_daemon();
        engine.restart_daemon(&[]);
        all(engine);
        let later = events(engine, "later");
        assert_eq!(later[..now.len()], now, "the journal keeps their order");
        engine.docker(&["exec", "ticks", "true"]).ok();
        let clean = engine.cr(&["system", "check"]).ok();
        assert!(clean.contains("nothing is wrong"), "{clean}");
        // And one that begins an hour later.
        engine.kill_daemon();
        drop(behind);
        engine.restart_daemon(&[]);
        all(engine);
        engine.docker(&["rm", "-f", "ticks", "again", "ends", "ended", "renamed"]);
    });
}
