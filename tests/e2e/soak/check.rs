//! Looking at everything after a restart: what the engine says against what the kernel and the containers say.

use super::actor::{Actor, Listed, Slot};
use super::truth::Truth;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};
use tests::{Freezer, TestEngine, eventually, wait_until};

const WITNESS: &str = "witness";
const KILLED: u64 = 137;

#[derive(Debug)]
pub(super) struct Checker<'a> {
    engine: &'a TestEngine,
    truth: &'a Truth,
}

/// What the engine says of a container.
#[derive(Debug)]
struct Said {
    status: String,
    pid: u32,
    started_at: String,
    code: u64,
}

impl<'a> Checker<'a> {
    pub(super) fn new(engine: &'a TestEngine, truth: &'a Truth) -> Self {
        Self { engine, truth }
    }

    /// The first processes of containers that run now.
    pub(super) fn alive(&self) -> BTreeMap<String, u32> {
        self.truth.alive()
    }

    /// Starts the container that lives through everything.
    pub(super) fn start_witness(&self) {
        let command = self.truth.command(WITNESS, u64::from(u32::MAX), 1);
        let bind = self.truth.bind();
        let mut arguments = vec!["run", "-d", "--name", WITNESS, "-v", &bind, "busybox"];
        arguments.extend(command.iter().map(String::as_str));
        self.engine.docker(&arguments).ok();
        wait_until("the witness", || self.alive().contains_key(WITNESS));
    }

    /// It is the same process as ever, and is listed so.
    pub(super) fn check_witness_lives(&self) {
        let said = self.said(WITNESS).expect("the witness is listed");
        assert_eq!((said.status.as_str(), Some(&said.pid)), ("running", self.alive().get(WITNESS)));
    }

    /// Its one run is in the log, every line of it.
    pub(super) fn check_witness(&self) {
        let slot = Slot {
            name: WITNESS.to_owned(),
            code: 1,
            listed: Listed::Yes,
            auto_remove: false,
            was_run: true,
            started: true,
            meddled: false,
            touched: false,
            run: None,
        };
        self.check_log(&slot, false);
        self.engine.docker(&["rm", "-f", WITNESS]).ok();
    }

    /// Checks all containers of an actor. `alive`: the processes at the moment of the kill.
    pub(super) fn check(&self, actor: &mut Actor, alive: &BTreeMap<String, u32>) {
        assert!(actor.failures.is_empty(), "{:#?}", actor.failures);
        for place in 0..actor.slots.len() {
            let slot = actor.slots[place].clone();
            match self.said(&slot.name) {
                None => {
                    let may_be_gone = slot.listed != Listed::Yes || slot.auto_remove && slot.was_run;
                    assert!(may_be_gone, "{slot:?} is not listed");
                    if slot.listed != Listed::No {
                        actor.replace(place);
                    }
                }
                // It may go at any moment, with its log.
                Some(_) if slot.auto_remove && slot.was_run => actor.slots[place].listed = Listed::Perhaps,
                Some(said) => {
                    assert_ne!(slot.listed, Listed::No, "{slot:?} is listed: {said:?}");
                    actor.slots[place].listed = Listed::Yes;
                    actor.slots[place].run = self.check_one(&slot, &said, alive);
                }
            }
        }
    }

    /// Answers which run there is.
    fn check_one(&self, slot: &Slot, first: &Said, alive: &BTreeMap<String, u32>) -> Option<(u32, String)> {
        if !slot.touched {
            self.check_undisturbed(slot, first, alive);
        }
        let said = self.settled(slot);
        let live = matches!(said.status.as_str(), "running" | "paused");
        assert!(said.status != "created" || !slot.started, "{slot:?} was started: {said:?}");
        if said.status == "exited" {
            let (_, done) = self.truth.printed(&slot.name);
            let known = said.code == u64::from(slot.code) || (slot.meddled && said.code == KILLED);
            assert!(known, "{slot:?}: {said:?}");
            assert!(done || slot.meddled, "{slot:?} did not come to its end: {said:?}");
        }
        self.check_log(slot, !live);
        live.then_some((said.pid, said.started_at))
    }

    /// Nobody did anything to it: the same run goes on, or came to its end.
    fn check_undisturbed(&self, slot: &Slot, said: &Said, alive: &BTreeMap<String, u32>) {
        let live = matches!(said.status.as_str(), "running" | "paused");
        let Some((pid, started_at)) = &slot.run else {
            assert!(!live, "{slot:?} started by itself: {said:?}");
            return;
        };
        if live {
            assert_eq!((said.pid, &said.started_at), (*pid, started_at), "{slot:?}: {said:?}");
            assert!(alive.contains_key(&slot.name), "{slot:?} was dead already: {said:?}");
        } else {
            let (_, done) = self.truth.printed(&slot.name);
            assert!(done && said.code == u64::from(slot.code), "{slot:?} was disturbed: {said:?}");
        }
    }

    /// What is said of it once that agrees with the kernel: a container may end, or be ended, at this very moment.
    fn settled(&self, slot: &Slot) -> Said {
        let end = Instant::now() + Duration::from_secs(10);
        loop {
            let process = self.alive().get(&slot.name).copied();
            let said = self.said(&slot.name).unwrap_or_else(|| panic!("{slot:?} vanished"));
            let agrees = match said.status.as_str() {
                "running" => process == Some(said.pid) && !is_frozen(said.pid),
                // It may have been frozen before it became the container's program.
                "paused" => process.is_none_or(|pid| pid == said.pid) && is_frozen(said.pid),
                _ => process.is_none(),
            };
            if agrees {
                return said;
            }
            assert!(Instant::now() < end, "{slot:?}: its process is {process:?}, told is {said:?}");
            std::thread::park_timeout(Duration::from_millis(10));
        }
    }

    /// Every line that a container printed is in its log, in order, once; of each run that was killed, perhaps one more,
    /// that it did not live to tell of.
    fn check_log(&self, slot: &Slot, ended: bool) {
        let (printed, _) = self.truth.printed(&slot.name);
        let logged = eventually(&format!("the whole log of {}", slot.name), || {
            let logged = self.log(&slot.name);
            (logged.len() >= printed.len()).then_some(logged)
        });
        let untold: Vec<_> = logged.iter().filter(|line| !printed.contains(line)).collect();
        let told: Vec<_> = logged.iter().filter(|line| printed.contains(line)).collect();
        assert!(told.into_iter().eq(&printed), "{slot:?}: printed {printed:?}, logged {logged:?}");
        let runs = printed.last().map_or(1, |line| 1 + run_of(line));
        assert!(!ended || untold.len() <= runs, "{slot:?}: printed {printed:?}, logged {logged:?}");
    }

    /// Lines of standard output, without their frames.
    fn log(&self, name: &str) -> Vec<String> {
        let body = self.engine.api("GET", &format!("/containers/{name}/logs?stdout=1"), None).body;
        let mut rest = body.as_slice();
        let mut text = Vec::new();
        while let Some((head, after)) = rest.split_first_chunk::<8>() {
            let length = u32::from_be_bytes([head[4], head[5], head[6], head[7]]) as usize;
            text.extend_from_slice(&after[..length]);
            rest = &after[length..];
        }
        String::from_utf8(text).unwrap().lines().map(str::to_owned).collect()
    }

    /// No process of a container that is not listed.
    pub(super) fn check_nothing_else_runs(&self, actors: &[Actor]) {
        let slots = || actors.iter().flat_map(|actor| &actor.slots);
        wait_until("the end of what is not listed", || {
            let listed = |slot: &Slot| slot.listed == Listed::Yes || self.said(&slot.name).is_some();
            let known =
                |name: &String| name == WITNESS || slots().any(|slot| slot.name == *name && listed(slot));
            self.alive().keys().all(known)
        });
    }

    fn said(&self, name: &str) -> Option<Said> {
        let answer = self.engine.api("GET", &format!("/containers/{name}/json"), None);
        if answer.status == 404 {
            return None;
        }
        let state = &answer.json()["State"];
        let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
        Some(Said {
            status: text(&state["Status"]),
            pid: state["Pid"].as_u64().and_then(|pid| u32::try_from(pid).ok()).unwrap_or_default(),
            started_at: text(&state["StartedAt"]),
            code: state["ExitCode"].as_u64().unwrap_or(u64::MAX),
        })
    }
}

fn run_of(line: &str) -> usize {
    line.split(' ').next().and_then(|run| run.parse().ok()).unwrap_or_default()
}

/// Not, once it has ended.
fn is_frozen(pid: u32) -> bool {
    std::path::Path::new(&format!("/proc/{pid}/cgroup")).exists() && Freezer::of(pid).is_frozen()
}
