//! The soak of the store of images: the daemon is killed at random moments while images are pulled, pushed, committed,
//! loaded, saved, tagged and removed. After each restart every name means what was answered last, or what was going on;
//! at the end every image holds what it should, a check finds nothing wrong, and without the names nothing is left.

mod actor;
mod check;
mod names;
mod sources;

use super::{number, tell};
use actor::Actor;
use check::Checker;
use sources::Sources;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use tests::random::{self, Random};
use tests::{Settings, TestEngine, with_private_engine};

/// How long an ordinary run may take.
const LIMIT: Duration = Duration::from_secs(30);
/// Rounds of an ordinary run, if they fit.
const ROUNDS: u64 = 40;
/// Who does things at the same time, each to names of its own.
const ACTORS: u64 = 3;
/// Milliseconds; half as long as the longest deeds take, and several times what the shortest take.
const MOMENTS: u64 = 400;
/// Every so many rounds all bytes are looked at.
const THOROUGH: u64 = 8;

#[test]
fn kills_of_the_daemon_at_random_moments_lose_no_image_and_leave_no_rest() {
    let seed = number("TESTS_SOAK_SEED").unwrap_or_else(random::fresh_seed);
    let wanted = number("TESTS_SOAK_ROUNDS");
    with_private_engine(Settings::default(), |engine| {
        let begun = Instant::now();
        let sources = Sources::make(engine, ACTORS);
        let checker = Checker::new(engine, &sources);
        let mut random = Random::new(seed);
        let mut actors: Vec<_> =
            (0..ACTORS).map(|number| Actor::new(number, seed, engine, &sources)).collect();
        let mut rounds = 0;
        while rounds < wanted.unwrap_or(ROUNDS) && (wanted.is_some() || begun.elapsed() < LIMIT) {
            rounds += 1;
            tell(&format!("seed {seed}, round {rounds}"));
            round(engine, &mut actors, &mut random, &checker);
            if rounds % THOROUGH == 0 {
                checker.check_bytes();
            }
        }
        checker.check_bytes();
        checker.check_registry(&mut actors);
        checker.check_contents(&actors);
        checker.check_nothing_is_left(&actors);
        let done: u64 = actors.iter().map(|actor| actor.answered).sum();
        tell(&format!("seed {seed}: {rounds} rounds, {done} deeds answered, in {:?}", begun.elapsed()));
    });
}

/// Deeds, a kill in the midst of them, perhaps another in the midst of the recovery; then the names are looked at.
fn round(engine: &TestEngine, actors: &mut [Actor<'_>], random: &mut Random, checker: &Checker<'_>) {
    let over = AtomicBool::new(false);
    let moment = Duration::from_millis(random.below(MOMENTS));
    std::thread::scope(|scope| {
        for actor in &mut *actors {
            scope.spawn(|| actor.act(&over));
        }
        std::thread::park_timeout(moment);
        engine.kill_daemon();
        over.store(true, Ordering::Relaxed);
    });
    while random.below(4) == 0 {
        engine.start_daemon();
        std::thread::park_timeout(Duration::from_millis(random.below(150)));
        engine.kill_daemon();
    }
    engine.restart_daemon(&[]);
    checker.check(actors);
}
