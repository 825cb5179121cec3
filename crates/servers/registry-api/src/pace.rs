//! How slow a client may be.
//!
//! Each request that is waited for holds a file, an upload's lock and a connection. So whoever keeps us waiting has to move something
//! meanwhile: 100 bytes a second, which the worst telephone line does, over each minute. Only time in which we wait for the client
//! counts: a slow disk of ours is not its fault.

use std::time::Duration;

/// Over so much waiting the rate is reckoned: nobody is cut off for a shorter silence.
pub(crate) const WINDOW: Duration = Duration::from_secs(60);

/// Bytes a second, at least.
pub(crate) const LEAST_RATE: u64 = 100;

/// How one direction of one client has done in the present window.
#[derive(Debug, Default)]
pub(crate) struct Pace {
    waited: Duration,
    moved: u64,
}

impl Pace {
    /// What is left of the window.
    pub(crate) fn left(&self) -> Duration {
        WINDOW.saturating_sub(self.waited)
    }

    /// Counts what came of a wait, and says whether it is fast enough: always, until the window is over and the next one begins.
    pub(crate) fn keeps_up(&mut self, waited: Duration, moved: u64) -> bool {
        self.waited += waited;
        self.moved = self.moved.saturating_add(moved);
        if self.waited < WINDOW {
            return true;
        }
        let all = std::mem::take(self);
        all.moved >= LEAST_RATE * WINDOW.as_secs()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_window_needs_its_bytes() {
        let second = Duration::from_secs(1);
        let mut pace = Pace::default();
        assert!((0..600).all(|_| pace.keeps_up(second, LEAST_RATE)));
        assert!((0..59).all(|_| pace.keeps_up(second, LEAST_RATE - 1)));
        assert_eq!(pace.left(), second);
        assert!(!pace.keeps_up(second, LEAST_RATE - 1));
        // What one window had too much does not count for the next.
        assert!(pace.keeps_up(WINDOW, 1 << 20) && !pace.keeps_up(WINDOW, 0));
    }

    #[test]
    fn who_does_not_keep_us_waiting_may_send_little() {
        let mut pace = Pace::default();
        assert!((0..100_000).all(|_| pace.keeps_up(Duration::ZERO, 1)));
    }
}
