//! Who does things to containers: random verbs over the API, with what each answer promises.

use super::truth::Truth;
use serde_json::json;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tests::random::Random;
use tests::{Response, TestEngine};

/// Containers of one actor.
const SLOTS: u64 = 3;

/// Whether a container has to be there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Listed {
    /// Its creation was answered.
    Yes,
    /// Its removal was answered, or it never was.
    No,
    /// The engine died meanwhile.
    Perhaps,
}

/// A container, as far as answers promised something.
#[derive(Debug, Clone)]
pub(super) struct Slot {
    pub(super) name: String,
    /// With which it ends, left alone.
    pub(super) code: u32,
    pub(super) listed: Listed,
    /// Whether it goes with its end.
    pub(super) auto_remove: bool,
    /// Whether a start of it was tried.
    pub(super) was_run: bool,
    /// Whether a start of it was answered.
    pub(super) started: bool,
    /// Whether anything was done that ends a run of it, or may have been.
    pub(super) meddled: bool,
    /// Whether anything was done to it in this round.
    pub(super) touched: bool,
    /// Process and start of the run that the last check saw.
    pub(super) run: Option<(u32, String)>,
}

#[derive(Debug)]
pub(super) struct Actor {
    number: u64,
    random: Random,
    truth: Truth,
    made: u64,
    pub(super) slots: Vec<Slot>,
    /// Answers that no engine should give.
    pub(super) failures: Vec<String>,
}

impl Actor {
    pub(super) fn new(number: u64, seed: u64, truth: &Truth) -> Self {
        let random = Random::new(seed ^ (number + 1).wrapping_mul(0x1234_5678_9abc_def1));
        let slots = Vec::new();
        let mut actor = Self { number, random, truth: truth.clone(), made: 0, slots, failures: Vec::new() };
        actor.slots = (0..SLOTS).map(|_| actor.fresh()).collect();
        actor
    }

    /// A container that is to be made.
    fn fresh(&mut self) -> Slot {
        self.made += 1;
        Slot {
            name: format!("a{}-{}", self.number, self.made),
            code: 1 + u32::try_from(self.random.below(100)).unwrap_or_default(),
            listed: Listed::No,
            auto_remove: self.random.below(5) == 0,
            was_run: false,
            started: false,
            meddled: false,
            touched: false,
            run: None,
        }
    }

    /// Does things until the engine is gone.
    pub(super) fn act(&mut self, engine: &TestEngine, over: &AtomicBool) {
        for slot in &mut self.slots {
            slot.touched = false;
        }
        while !over.load(Ordering::Relaxed) {
            let place = usize::try_from(self.random.below(SLOTS)).unwrap_or_default();
            let deed = self.random.below(100);
            if self.do_to(place, deed, engine).is_err() {
                return;
            }
            // Some time to run undisturbed.
            std::thread::park_timeout(Duration::from_millis(self.random.below(30)));
        }
    }

    fn do_to(&mut self, place: usize, deed: u64, engine: &TestEngine) -> std::io::Result<()> {
        if self.slots[place].listed == Listed::No {
            return self.create(place, engine);
        }

        let name = self.slots[place].name.clone();
        let slot = &mut self.slots[place];
        slot.touched = true;
        let path = |verb: &str| format!("/containers/{name}/{verb}");
        let answer = match deed {
            0..40 => {
                // Should the engine die meanwhile, what has begun is taken back.
                slot.was_run = true;
                let before = std::mem::replace(&mut slot.meddled, true);
                let answer = engine.try_api("POST", &path("start"), None)?;
                slot.meddled = before;
                slot.started |= answer.status == 204;
                answer
            }
            40..50 => {
                slot.meddled = true;
                engine.try_api("POST", &path("stop?t=0"), None)?
            }
            50..60 => {
                slot.meddled = true;
                engine.try_api("POST", &path("kill"), None)?
            }
            60..68 => {
                (slot.meddled, slot.was_run) = (true, true);
                engine.try_api("POST", &path("restart?t=0"), None)?
            }
            68..76 => engine.try_api("POST", &path("pause"), None)?,
            76..84 => engine.try_api("POST", &path("unpause"), None)?,
            84..92 => self.exec(&name, engine)?,
            _ => self.remove(place, engine)?,
        };
        self.judge(&name, deed, &answer);
        Ok(())
    }

    fn create(&mut self, place: usize, engine: &TestEngine) -> std::io::Result<()> {
        let lines = 1 + self.random.below(40);
        let slot = &mut self.slots[place];
        (slot.touched, slot.listed) = (true, Listed::Perhaps);
        let body = json!({
            "Image": "busybox",
            "Cmd": self.truth.command(&slot.name, lines, slot.code),
            "HostConfig": { "Binds": [self.truth.bind()], "AutoRemove": slot.auto_remove },
        });
        let answer =
            engine.try_api("POST", &format!("/containers/create?name={}", slot.name), Some(&body))?;
        slot.listed = if answer.status == 201 { Listed::Yes } else { Listed::No };
        let name = slot.name.clone();
        self.judge(&name, 100, &answer);
        Ok(())
    }

    fn exec(&self, name: &str, engine: &TestEngine) -> std::io::Result<Response> {
        let body = json!({ "Cmd": ["sh", "-c", "echo x; sleep 0.05"], "AttachStdout": true });
        let made = engine.try_api("POST", &format!("/containers/{name}/exec"), Some(&body))?;
        if made.status != 201 {
            return Ok(made);
        }
        let path = format!("/exec/{}/start", made.json()["Id"].as_str().unwrap_or_default());
        engine.try_api("POST", &path, Some(&json!({ "Detach": true })))
    }

    fn remove(&mut self, place: usize, engine: &TestEngine) -> std::io::Result<Response> {
        let slot = &mut self.slots[place];
        (slot.meddled, slot.listed) = (true, Listed::Perhaps);
        let answer = engine.try_api("DELETE", &format!("/containers/{}?force=1", slot.name), None)?;
        if matches!(answer.status, 204 | 404) {
            self.slots[place] = self.fresh();
        }
        Ok(answer)
    }

    /// Another container takes the place of one that is gone.
    pub(super) fn replace(&mut self, place: usize) {
        self.slots[place] = self.fresh();
    }

    fn judge(&mut self, name: &str, deed: u64, answer: &Response) {
        if answer.status >= 500 || answer.status == 400 {
            self.failures.push(format!("{name}, deed {deed}: {} {}", answer.status, answer.text()));
        }
    }
}
