//! A container's state: as `inspect` has it, and as the words of `ps`.

use crate::http::timestamp;
use crate::present::duration;
use crate::wire::inspect::ContainerState;
use containers::State;

const SECOND: i64 = 1_000_000_000;

/// Docker's word for the state.
pub(crate) fn word(state: &State, removing: bool) -> &'static str {
    if removing { "removing" } else { state.word() }
}

/// `State` of `inspect`.
pub(crate) fn inspect(state: &State, removing: bool) -> ContainerState {
    let exit = state.exit();
    let (exit_code, error) = match state {
        State::Created { failure: Some((code, message)) } => (u32::from(*code), message.clone()),
        _ => exit.map_or((0, String::new()), |exit| (exit.code, exit.error.clone())),
    };
    let restarting = matches!(state, State::Restarting { .. });
    ContainerState {
        status: word(state, removing),
        // Docker counts one that waits for its restart as running.
        running: state.is_live() || restarting,
        paused: matches!(state, State::Paused { .. }),
        restarting,
        oom_killed: exit.is_some_and(|exit| exit.oom_killed),
        // Docker's: of a removal that stopped half-way. Here one has happened or has not.
        dead: false,
        pid: state.pid().unwrap_or(0),
        exit_code,
        error,
        started_at: timestamp::format(state.started_at()),
        finished_at: timestamp::format(exit.map(|exit| exit.finished_at)),
    }
}

/// The column STATUS of `ps`.
pub(crate) fn status(state: &State, now: i64) -> String {
    let since = |then: i64| duration::words(now.saturating_sub(then) / SECOND);
    match state {
        State::Created { .. } => "Created".into(),
        State::Running { started_at, .. } => format!("Up {}", since(*started_at)),
        State::Paused { started_at, .. } => format!("Up {} (Paused)", since(*started_at)),
        State::Restarting { exit } => format!("Restarting ({}) {} ago", exit.code, since(exit.finished_at)),
        State::Exited { exit } => format!("Exited ({}) {} ago", exit.code, since(exit.finished_at)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use containers::ExitRecord;

    fn exit(code: u32) -> ExitRecord {
        ExitRecord {
            code,
            started_at: SECOND,
            finished_at: 10 * SECOND,
            oom_killed: code == 137,
            error: String::new(),
        }
    }

    #[test]
    fn states_have_dockers_words() {
        let now = 70 * SECOND;
        let running = State::Running { pid: 7, started_at: 65 * SECOND };
        let paused = State::Paused { pid: 7, started_at: 65 * SECOND };
        for (state, expected) in [
            (State::Created { failure: None }, "Created"),
            (running, "Up 5 seconds"),
            (paused, "Up 5 seconds (Paused)"),
            (State::Exited { exit: exit(3) }, "Exited (3) About a minute ago"),
            (State::Restarting { exit: exit(1) }, "Restarting (1) About a minute ago"),
        ] {
            assert_eq!(status(&state, now), expected);
        }
    }

    #[test]
    fn inspect_tells_the_last_exit_and_a_failed_start() {
        let shown = inspect(&State::Exited { exit: exit(137) }, false);
        assert_eq!((shown.status, shown.exit_code, shown.oom_killed), ("exited", 137, true));
        assert_eq!(shown.finished_at, "1970-01-01T00:00:10Z");
        let failed = State::Created { failure: Some((127, "no such file".into())) };
        let shown = inspect(&failed, true);
        assert_eq!((shown.status, shown.exit_code, shown.error.as_str()), ("removing", 127, "no such file"));
        assert_eq!(shown.started_at, "0001-01-01T00:00:00Z");
        assert!(inspect(&State::Restarting { exit: exit(1) }, false).running);
    }
}
