//! Waiting for a condition: asked again and again, never for an edge, and never longer than a limit.

use std::time::{Duration, Instant};

/// How long a test waits for what should take milliseconds.
const LIMIT: Duration = Duration::from_secs(20);

/// Waits until the condition holds; panics after 20 s, saying what was waited for.
#[track_caller]
pub fn wait_until(what: &str, mut holds: impl FnMut() -> bool) {
    eventually(what, || holds().then_some(()));
}

/// Waits until the condition holds, for what is promised within a time; panics when that is over, saying what was waited for.
#[track_caller]
pub fn wait_within(limit: Duration, what: &str, mut holds: impl FnMut() -> bool) {
    answer_within(limit, what, || holds().then_some(()));
}

/// Waits until there is an answer; panics after 20 s, saying what was waited for.
#[track_caller]
pub fn eventually<T>(what: &str, answer: impl FnMut() -> Option<T>) -> T {
    answer_within(LIMIT, what, answer)
}

#[track_caller]
fn answer_within<T>(limit: Duration, what: &str, mut answer: impl FnMut() -> Option<T>) -> T {
    let end = Instant::now() + limit;
    loop {
        if let Some(answer) = answer() {
            return answer;
        }
        assert!(Instant::now() < end, "waited {limit:?} in vain for {what}");
        std::thread::park_timeout(Duration::from_millis(10));
    }
}
