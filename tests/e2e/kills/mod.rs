//! `kill -9` of the daemon at every step of every verb: at each of the steps that a verb can be made to fail at, and before and after
//! each transaction. What was answered is there, what was cut off happened or did not, nothing lies about, and another try
//! succeeds.
//!
//! An ordinary run lets every daemon die after a few random steps, for forty seconds. `TESTS_KILLS=all` lets the deeds be done once for each
//! step, at which one daemon dies; that takes a quarter of an hour. The seed is printed, and `TESTS_KILLS_SEED` takes it.

mod deeds;
mod world;

use deeds::{DEEDS, Deed};
use std::os::unix::process::ExitStatusExt;
use std::time::{Duration, Instant};
use tests::random::{self, Random};
use tests::{Settings, TestEngine, with_private_engine};
use world::{World, look};

/// How long an ordinary run may take.
const LIMIT: Duration = Duration::from_secs(40);
/// How long an engine may take to come to rest.
const PATIENCE: Duration = Duration::from_secs(10);
/// Steps of a daemon in an ordinary run; its start has some.
const MOST: u64 = 24;

#[test]
fn every_step_of_every_verb_may_be_the_daemons_last() {
    let seed =
        std::env::var("TESTS_KILLS_SEED").map_or_else(|_| random::fresh_seed(), |seed| seed.parse().unwrap());
    let all = std::env::var("TESTS_KILLS").is_ok_and(|which| which == "all");
    with_private_engine(Settings::default(), |engine| {
        let begun = Instant::now();
        let worlds = without_kills(engine);
        let (mut deaths, mut rounds) = (0, 0);
        let mut random = Random::new(seed);
        while all || begun.elapsed() < LIMIT {
            rounds += 1;
            let mut once = Some(rounds);
            let next: Box<dyn FnMut() -> Option<u64>> =
                if all { Box::new(|| once.take()) } else { Box::new(|| Some(1 + random.below(MOST))) };
            let said = format!("seed {seed}, round {rounds}\n");
            let mut round = Round { engine, worlds: &worlds, next, is_armed: false, deaths: 0, said };
            round.do_all();
            let died = round.deaths;
            deaths += died;
            if all && died == 0 {
                break;
            }
        }
        assert!(deaths > 0, "no daemon died of {} rounds", rounds);
        tell(&format!("seed {seed}: {deaths} daemons died in {rounds} rounds, {:?}", begun.elapsed()));
    });
}

/// What there is before the deeds and after each of them.
fn without_kills(engine: &TestEngine) -> Vec<World> {
    let mut worlds = vec![look(engine).unwrap()];
    for deed in DEEDS {
        for line in deed.lines {
            engine.docker(&words(line)).ok();
        }
        worlds.push(look(engine).unwrap());
    }
    assert_eq!(worlds.first(), worlds.last(), "the deeds come back to where they began");
    worlds
}

/// Daemons one after the other, until all deeds are done.
struct Round<'a> {
    engine: &'a TestEngine,
    /// Before the deeds, and after each of them.
    worlds: &'a [World],
    /// After how many steps the next daemon dies.
    next: Box<dyn FnMut() -> Option<u64> + 'a>,
    /// Whether the present daemon is to die at all.
    is_armed: bool,
    deaths: u64,
    /// What led here.
    said: String,
}

impl Round<'_> {
    fn do_all(&mut self) {
        self.engine.kill_daemon();
        self.begin();
        for (number, deed) in DEEDS.iter().enumerate() {
            while !self.is_done(number, deed) {
                for line in deed.before_again {
                    self.engine.docker(&words(line));
                }
            }
        }
    }

    /// A daemon that may die; one that does not live to answer has a successor that lives.
    fn begin(&mut self) {
        let steps = (self.next)();
        self.is_armed = steps.is_some();
        let Some(steps) = steps else { return self.engine.restart_daemon(&[]) };
        self.said.push_str(&format!("  dies at step {steps}\n"));
        let inject = [("CONTAINER_RUNTIME_INJECT", format!("*={steps}:kill"))];
        if !self.engine.try_restart_daemon(&inject.each_ref().map(|(name, spec)| (*name, spec.as_str()))) {
            assert!(self.ends(), "{}", self.said);
            self.deaths += 1;
            self.said.push_str("  died in its start\n");
            self.is_armed = false;
            self.engine.restart_daemon(&[]);
        }
    }

    /// Asks for a deed. False: it was cut off, and nothing of it is left, or half of it.
    fn is_done(&mut self, number: usize, deed: &Deed) -> bool {
        let deaths = self.deaths;
        let mut refused = None;
        for line in deed.lines {
            self.said.push_str(&format!("{line}\n"));
            let run = self.engine.docker(&words(line));
            if run.code != 0 {
                refused = Some(run);
                break;
            }
        }
        if let Some(refused) = &refused {
            assert!(self.ends(), "{}refused, but not cut off: {refused:#?}", self.said);
        }
        let [before, after] = [&self.worlds[number], &self.worlds[number + 1]];
        let is_there = |found: &World| match refused {
            None => found == after,
            Some(_) => deed.may_leave(found, before, after),
        };
        let found = self.see(is_there, before, after);
        if self.deaths != deaths {
            self.check();
        }
        found == *after
    }

    /// What there is, once it is as it has to be.
    fn see(&mut self, is_right: impl Fn(&World) -> bool, before: &World, after: &World) -> World {
        let begun = Instant::now();
        loop {
            match look(self.engine) {
                Ok(found) if is_right(&found) => return found,
                Ok(found) if begun.elapsed() > PATIENCE => {
                    panic!("{}this is there: {found:#?}\nbefore: {before:#?}\nafter: {after:#?}", self.said)
                }
                Ok(_) => std::thread::park_timeout(Duration::from_millis(20)),
                Err(error) => self.died(&error.to_string()),
            }
        }
    }

    /// Nothing lies about.
    fn check(&mut self) {
        let begun = Instant::now();
        loop {
            let check = self.engine.cr(&["system", "check"]);
            if check.code == 0 {
                return;
            }
            if self.engine.has_daemon_ended() || check.stdout.is_empty() {
                self.died(&check.stderr);
            }
            assert!(begun.elapsed() < PATIENCE, "{}{check:#?}", self.said);
            std::thread::park_timeout(Duration::from_millis(50));
        }
    }

    /// Whether the daemon dies as it was to: it is dead, or about to be.
    fn ends(&self) -> bool {
        let ended = (0..100).find_map(|_| {
            std::thread::park_timeout(Duration::from_millis(10));
            self.engine.end_of_daemon()
        });
        let killed = ended.is_some_and(|how| how.signal() == Some(9));
        assert!(ended.is_none() || (killed && self.is_armed), "{}ended by itself, {ended:?}", self.said);
        killed
    }

    fn died(&mut self, why: &str) {
        assert!(self.ends(), "{}no answer, but it lives: {why}", self.said);
        self.deaths += 1;
        self.said.push_str("  died\n");
        self.begin();
    }
}

fn words(line: &str) -> Vec<&str> {
    line.split(' ').collect()
}

#[expect(clippy::print_stderr, reason = "tells the seed, and how much was covered")]
fn tell(line: &str) {
    eprintln!("{line}");
}
