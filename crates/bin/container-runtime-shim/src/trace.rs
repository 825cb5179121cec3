//! The time of each step of a verb, written to `shim.log` with `$CONTAINER_RUNTIME_SHIM_TRACE`.

use crate::log::note;
use std::sync::OnceLock;
use std::time::Instant;

static TRACING: OnceLock<bool> = OnceLock::new();

/// Says whether steps are timed.
pub(crate) fn enable(on: bool) {
    let _ = TRACING.set(on);
}

/// Measures the steps of one verb.
#[derive(Debug)]
pub(crate) struct Steps {
    verb: &'static str,
    last: Instant,
    line: Option<String>,
}

impl Steps {
    /// Starts the clock.
    pub(crate) fn of(verb: &'static str) -> Self {
        let tracing = TRACING.get().copied().unwrap_or_default();
        Self { verb, last: Instant::now(), line: tracing.then(String::new) }
    }

    /// A step has ended.
    pub(crate) fn done(&mut self, step: &str) {
        if let Some(line) = &mut self.line {
            let now = Instant::now();
            line.push_str(&format!(" {step}={}us", (now - self.last).as_micros()));
            self.last = now;
        }
    }
}

impl Drop for Steps {
    fn drop(&mut self) {
        if let Some(line) = self.line.take() {
            note(format_args!("trace {}:{line}", self.verb));
        }
    }
}
