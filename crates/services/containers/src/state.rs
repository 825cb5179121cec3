//! The life of a container, as one pure function.
//!
//! ```text
//!             Started             Exited            Started
//!   Created ──────────► Running ──────────► Exited ──────────► Running
//!      │ ▲               │   ▲                │ ▲
//!      └─┘ StartFailed   │   │ Unpaused       │ │ (no policy, or its retries used up)
//!                 Paused ▼   │                ▼ │
//!                       Paused           Restarting ──────────► Running
//!                                                     Started
//! ```
//!
//! "Removing" is not a state: it is a verb in progress, and those are never persisted.

use serde::{Deserialize, Serialize};

/// Where a container is in its life. Times are nanoseconds since 1970.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "status")]
pub enum State {
    /// Never ran.
    Created {
        /// Why its last start failed, with the code that stands for it (126, 127, 128).
        failure: Option<(u8, String)>,
    },
    /// Its init process runs.
    Running {
        /// In the host's pid namespace.
        pid: u32,
        /// When it started.
        started_at: i64,
    },
    /// Its processes are frozen.
    Paused {
        /// In the host's pid namespace.
        pid: u32,
        /// When it started.
        started_at: i64,
    },
    /// Its init process ended, and the restart policy will start it again.
    Restarting {
        /// Of the last run.
        exit: ExitRecord,
    },
    /// Its init process ended.
    Exited {
        /// Of the last run.
        exit: ExitRecord,
    },
}

/// How a run ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ExitRecord {
    /// Exit code, or 128 plus a signal.
    pub code: u32,
    /// When the run began.
    pub started_at: i64,
    /// When it ended.
    pub finished_at: i64,
    /// Whether the kernel killed it for lack of memory.
    pub oom_killed: bool,
    /// What went wrong beside the exit itself; empty: nothing.
    pub error: String,
}

/// What can happen to a container.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// The init process runs.
    Started {
        /// In the host's pid namespace.
        pid: u32,
        /// When.
        at: i64,
    },
    /// A start did not succeed.
    StartFailed {
        /// 126, 127 or 128.
        code: u8,
        /// Why.
        message: String,
    },
    /// The processes are frozen.
    Paused,
    /// The processes run again.
    Unpaused,
    /// The init process ended.
    Exited {
        /// How. `started_at` is taken from the state.
        exit: ExitRecord,
        /// Whether the restart policy will start it again.
        restarting: bool,
    },
    /// A pending restart was called off.
    RestartCancelled,
}

/// The answer of [`next`].
pub type Transition = Option<State>;

/// The state that follows; none where the event cannot happen in this state.
pub fn next(state: &State, event: Event) -> Transition {
    use State as S;
    Some(match (state, event) {
        (S::Created { .. } | S::Exited { .. } | S::Restarting { .. }, Event::Started { pid, at }) => {
            S::Running { pid, started_at: at }
        }
        (S::Created { .. }, Event::StartFailed { code, message }) => {
            S::Created { failure: Some((code, message)) }
        }
        (S::Exited { exit } | S::Restarting { exit }, Event::StartFailed { code, message }) => {
            S::Exited { exit: ExitRecord { code: code.into(), error: message, ..exit.clone() } }
        }
        (S::Running { pid, started_at }, Event::Paused) => S::Paused { pid: *pid, started_at: *started_at },
        (S::Paused { pid, started_at }, Event::Unpaused) => S::Running { pid: *pid, started_at: *started_at },
        (
            S::Running { started_at, .. } | S::Paused { started_at, .. },
            Event::Exited { exit, restarting },
        ) => {
            let exit = ExitRecord { started_at: *started_at, ..exit };
            if restarting { S::Restarting { exit } } else { S::Exited { exit } }
        }
        (S::Restarting { exit }, Event::RestartCancelled) => S::Exited { exit: exit.clone() },
        _ => return None,
    })
}

impl State {
    /// Docker's word for it.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Created { .. } => "created",
            Self::Running { .. } => "running",
            Self::Paused { .. } => "paused",
            Self::Restarting { .. } => "restarting",
            Self::Exited { .. } => "exited",
        }
    }

    /// The init process's id while there is one.
    pub fn pid(&self) -> Option<u32> {
        match self {
            Self::Running { pid, .. } | Self::Paused { pid, .. } => Some(*pid),
            _ => None,
        }
    }

    /// When the present or last run began.
    pub fn started_at(&self) -> Option<i64> {
        match self {
            Self::Running { started_at, .. } | Self::Paused { started_at, .. } => Some(*started_at),
            Self::Restarting { exit } | Self::Exited { exit } => Some(exit.started_at),
            Self::Created { .. } => None,
        }
    }

    /// How the last run ended, if the container is not running.
    pub fn exit(&self) -> Option<&ExitRecord> {
        match self {
            Self::Restarting { exit } | Self::Exited { exit } => Some(exit),
            _ => None,
        }
    }

    /// Whether a process of it exists, frozen or not.
    pub fn is_live(&self) -> bool {
        self.pid().is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn exit(code: u32) -> ExitRecord {
        ExitRecord { code, started_at: 0, finished_at: 9, oom_killed: false, error: String::new() }
    }

    fn running() -> State {
        State::Running { pid: 7, started_at: 5 }
    }

    #[test]
    fn a_run_from_create_to_exit_and_again() {
        let created = State::Created { failure: None };
        let running = next(&created, Event::Started { pid: 7, at: 5 }).unwrap();
        let exited = next(&running, Event::Exited { exit: exit(3), restarting: false }).unwrap();
        assert_eq!(exited.exit().unwrap().code, 3);
        assert_eq!(exited.started_at(), Some(5), "the run's start is kept");
        assert!(next(&exited, Event::Started { pid: 8, at: 10 }).unwrap().is_live());
    }

    #[test]
    fn a_frozen_container_can_be_killed_but_not_started() {
        let paused = next(&running(), Event::Paused).unwrap();
        assert!(next(&paused, Event::Started { pid: 8, at: 1 }).is_none());
        assert!(next(&paused, Event::Exited { exit: exit(137), restarting: false }).is_some());
        assert_eq!(next(&paused, Event::Unpaused).unwrap(), running());
    }

    #[test]
    fn a_failed_start_leaves_the_code_that_stands_for_it() {
        let failed = Event::StartFailed { code: 127, message: "no such file".into() };
        let created = next(&State::Created { failure: None }, failed.clone()).unwrap();
        assert_eq!(created, State::Created { failure: Some((127, "no such file".into())) });
        let exited = next(&State::Exited { exit: exit(0) }, failed).unwrap();
        assert_eq!(exited.exit().unwrap().code, 127);
    }
}
