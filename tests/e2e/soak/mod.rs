//! The soak: the daemon is killed at random moments while containers run, start, stop and die. After each restart every
//! container is listed with its true state, its exit code and its complete log, and none was disturbed.
//!
//! Bounded in time in an ordinary run; `TESTS_SOAK_ROUNDS=500` runs that many rounds however long they take. The seed is
//! printed, and `TESTS_SOAK_SEED` takes it: the same moments and deeds, though not the same races.

mod actor;
mod check;
mod images;
mod truth;

use actor::Actor;
use check::Checker;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use tests::random::{self, Random};
use tests::{Settings, TestEngine, with_private_engine};
use truth::Truth;

/// How long an ordinary run may take.
const LIMIT: Duration = Duration::from_secs(35);
/// Rounds of an ordinary run, if they fit.
const ROUNDS: u64 = 60;
/// Who does things at the same time, each to containers of its own.
const ACTORS: u64 = 3;

#[test]
fn kills_of_the_daemon_at_random_moments_disturb_nothing_and_hide_nothing() {
    let seed = number("TESTS_SOAK_SEED").unwrap_or_else(random::fresh_seed);
    let wanted = number("TESTS_SOAK_ROUNDS");
    with_private_engine(Settings::default(), |engine| {
        let begun = Instant::now();
        let truth = Truth::new(engine.directory());
        let checker = Checker::new(engine, &truth);
        let mut random = Random::new(seed);
        let mut actors: Vec<_> = (0..ACTORS).map(|number| Actor::new(number, seed, &truth)).collect();
        checker.start_witness();
        let mut rounds = 0;
        while rounds < wanted.unwrap_or(ROUNDS) && (wanted.is_some() || begun.elapsed() < LIMIT) {
            rounds += 1;
            tell(&format!("seed {seed}, round {rounds}"));
            round(engine, &mut actors, &mut random, &checker);
        }
        checker.check_witness();
        tell(&format!("seed {seed}: {rounds} rounds in {:?}", begun.elapsed()));
    });
}

/// Deeds, a kill in the midst of them, perhaps another in the midst of the recovery; then everything is looked at.
fn round(engine: &TestEngine, actors: &mut [Actor], random: &mut Random, checker: &Checker<'_>) {
    let over = AtomicBool::new(false);
    let moment = Duration::from_millis(random.below(250));
    std::thread::scope(|scope| {
        for actor in &mut *actors {
            scope.spawn(|| actor.act(engine, &over));
        }
        std::thread::park_timeout(moment);
        engine.kill_daemon();
        over.store(true, Ordering::Relaxed);
    });
    let alive = checker.alive();
    while random.below(4) == 0 {
        engine.start_daemon();
        std::thread::park_timeout(Duration::from_millis(random.below(150)));
        engine.kill_daemon();
    }
    engine.restart_daemon(&[]);
    checker.check_witness_lives();
    for actor in &mut *actors {
        checker.check(actor, &alive);
    }
    checker.check_nothing_else_runs(actors);
}

fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok().map(|text| text.parse().unwrap_or_else(|_| panic!("{variable}: {text}")))
}

#[expect(clippy::print_stderr, reason = "tells the seed, and how much was covered")]
fn tell(line: &str) {
    eprintln!("{line}");
}
