//! Containers with a terminal: `-it`, its size, and the keys that detach.

use tests::with_engine;

#[test]
fn run_gives_the_process_a_terminal_of_the_clients_size() {
    with_engine(|engine| {
        let mut pty = engine.docker_pty(&["run", "-it", "--rm", "--name", "tty", "busybox", "sh"]);
        pty.expect("/ # ");
        pty.send("tty; stty size\n");
        pty.expect("/dev/pts/0");
        pty.expect("24 80");
        pty.resize(40, 132);
        tests::wait_until("the new size", || {
            engine.docker(&["exec", "tty", "sh", "-c", "stty size </proc/1/fd/0"]).stdout.trim() == "40 132"
        });
        pty.send("exit 7\n");
        assert_eq!(pty.wait().0, 7);
    });
}

#[test]
fn the_terminal_is_cooked_by_the_container_not_by_the_client() {
    with_engine(|engine| {
        let mut pty = engine.docker_pty(&["run", "-it", "--rm", "busybox", "cat"]);
        pty.send("abc\n");
        // Once as the echo, once as cat's output, each with the carriage return that the terminal adds.
        pty.expect("abc\r\nabc\r\n");
        pty.send("\x04");
        assert_eq!(pty.wait().0, 0);
        let mut pty = engine.docker_pty(&["run", "-it", "--rm", "busybox", "sleep", "60"]);
        tests::wait_until("sleep", || engine.docker(&["ps", "--quiet"]).stdout.lines().count() == 1);
        // Interrupt goes to the process, whose parent is nobody: pid 1 ignores it, so stop it from outside.
        pty.send("\x03");
        let id = engine.docker(&["ps", "--quiet"]).line();
        engine.docker(&["kill", &id]).ok();
        assert_eq!(pty.wait().0, 137);
    });
}

#[test]
fn detach_keys_leave_the_container_running_and_attach_comes_back() {
    with_engine(|engine| {
        let mut pty = engine.docker_pty(&["run", "-it", "--name", "shell", "busybox", "sh"]);
        pty.expect("/ # ");
        pty.send("x=kept\n");
        pty.expect("/ # ");
        pty.send("\x10\x11");
        assert_eq!(pty.wait().0, 0);
        assert_eq!(engine.inspect("shell", "{{.State.Running}}"), "true");

        let mut pty = engine.docker_pty(&["attach", "--detach-keys", "ctrl-a,d", "shell"]);
        pty.send("echo is-$x\n");
        pty.expect("is-kept");
        pty.send("\x01d");
        pty.wait();
        assert_eq!(engine.inspect("shell", "{{.State.Running}}"), "true");

        let mut pty = engine.docker_pty(&["attach", "shell"]);
        pty.send("exit 3\n");
        assert_eq!(pty.wait().0, 3);
        engine.docker(&["rm", "shell"]).ok();
    });
}

#[test]
fn exec_has_a_terminal_of_its_own() {
    with_engine(|engine| {
        engine.docker(&["run", "--detach", "--name", "host", "busybox", "sleep", "600"]).ok();
        let mut pty = engine.docker_pty(&["exec", "-it", "host", "sh"]);
        pty.expect("/ # ");
        pty.send("tty; while [ \"$(stty size)\" != '50 100' ]; do :; done; echo resized-$?\n");
        pty.expect("/dev/pts/");
        // Again and again, since a client that only just started may not listen for it yet.
        tests::wait_until("the new size", || {
            pty.resize(50, 99);
            pty.resize(50, 100);
            pty.shows("resized-0")
        });
        pty.send("exit 9\n");
        assert_eq!(pty.wait().0, 9);
        let mut pty = engine.docker_pty(&["exec", "-it", "host", "sh"]);
        pty.expect("/ # ");
        pty.send("\x10\x11");
        pty.wait();
        engine.docker(&["rm", "--force", "host"]).ok();
    });
}

#[test]
fn a_terminal_needs_one_on_the_clients_side() {
    with_engine(|engine| {
        engine.docker(&["run", "-it", "--rm", "busybox", "true"]).fails(1, "the input device is not a TTY");
        assert_eq!(engine.docker(&["run", "-t", "--rm", "busybox", "echo", "hi"]).ok(), "hi\r\n");
    });
}
