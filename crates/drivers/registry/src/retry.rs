//! When to try again, and after what time.

use crate::RegistryError;
use std::time::Duration;

/// How often a request that failed for a passing reason is made again, and how long to wait between.
#[derive(Debug, Clone, Copy)]
pub struct RetryPolicy {
    /// Tries in all.
    pub attempts: u32,
    /// Before the second try; doubled before each further one.
    pub first_wait: Duration,
    /// No wait is longer, but for those that a registry asks for.
    pub longest_wait: Duration,
    /// Until a connection stands.
    pub connect: Duration,
    /// Between two pieces of an answer, and of what is sent.
    pub silence: Duration,
}

impl Default for RetryPolicy {
    /// Five tries within about 8 seconds.
    fn default() -> Self {
        Self {
            attempts: 5,
            first_wait: Duration::from_millis(500),
            longest_wait: Duration::from_secs(10),
            connect: Duration::from_secs(15),
            silence: Duration::from_secs(60),
        }
    }
}

impl RetryPolicy {
    /// The wait before try `attempt` after an error, which may say how long it should be at least.
    pub(crate) fn wait_after(&self, error: Option<&RegistryError>, attempt: u32) -> Duration {
        let asked = match error {
            Some(RegistryError::RateLimited { wait: Some(wait), .. }) => *wait,
            _ => Duration::ZERO,
        };
        self.wait(attempt).max(asked)
    }

    /// The wait before try `attempt` (the second is 1), spread so that clients do not come all at once.
    fn wait(&self, attempt: u32) -> Duration {
        let doubled = self.first_wait.saturating_mul(1 << attempt.saturating_sub(1).min(16));
        let nanos = std::time::SystemTime::UNIX_EPOCH.elapsed().map_or(0, |now| now.subsec_nanos());
        let spread = 0.75 + f64::from(nanos % 1000) / 2000.0;
        doubled.min(self.longest_wait).mul_f64(spread)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_up_to_the_limit() {
        let policy = RetryPolicy::default();
        assert!(policy.wait(1) <= Duration::from_millis(625));
        assert!(policy.wait(3) >= Duration::from_millis(1500));
        assert!(policy.wait(60) <= Duration::from_millis(12_500));
    }
}
