//! Stopping and restarting what is frozen, asked wrongly, or can't start again.

use tests::{wait_until, with_engine};

#[test]
fn a_signal_that_does_not_exist_changes_nothing() {
    with_engine(|engine| {
        let script = "trap 'exit 0' USR1; while :; do sleep 0.05; done";
        let run = ["run", "-d", "--name", "s1", "--restart", "always", "busybox", "sh", "-c", script];
        engine.docker(&run).ok();
        engine.docker(&["stop", "--signal", "FOO", "s1"]).fails(1, "invalid signal: FOO");
        engine.docker(&["restart", "--signal", "FOO", "s1"]).fails(1, "invalid signal: FOO");
        engine.docker(&["kill", "--signal", "USR1", "s1"]).ok();
        wait_until("the restart by policy", || engine.inspect("s1", "{{.RestartCount}}") == "1");
        engine.docker(&["rm", "-f", "s1"]).ok();
    });
}

#[test]
fn what_is_frozen_stops_and_restarts_by_any_signal() {
    with_engine(|engine| {
        engine.docker(&["run", "-d", "--name", "f1", "busybox", "sleep", "600"]).ok();
        for (verb, signal, state) in
            [("restart", "KILL", "running"), ("restart", "TERM", "running"), ("stop", "KILL", "exited")]
        {
            engine.docker(&["pause", "f1"]).ok();
            engine.docker(&[verb, "--time", "1", "--signal", signal, "f1"]).ok();
            assert_eq!(engine.inspect("f1", "{{.State.Status}}"), state, "{verb} {signal}");
        }
        engine.docker(&["rm", "f1"]).ok();
    });
}

#[test]
fn one_that_goes_with_its_end_goes_when_it_cant_restart() {
    with_engine(|engine| {
        engine.docker(&["run", "-d", "--rm", "--name", "r1", "busybox", "sleep", "600"]).ok();
        engine.docker(&["restart", "--time", "0", "r1"]).ok();
        engine.docker(&["exec", "r1", "rm", "/bin/sleep"]).ok();
        engine.docker(&["restart", "--time", "0", "r1"]).fails(1, "executable file not found");
        assert_eq!(engine.docker(&["ps", "--all", "--quiet"]).ok(), "");
    });
}
