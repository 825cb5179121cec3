//! The commands beside `serve`.

use crate::support::{Fixture, SHIM, context, eventually, lacks, serve};
use containerd_shim_protos::TaskClient;
use containerd_shim_protos::api::{ConnectRequest, DeleteResponse};
use containerd_shim_protos::protobuf::Message;
use containerd_shim_protos::ttrpc::Client;
use shim_protocol::{Exit, Hello, file};
use std::os::fd::AsFd;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::process::{Command, Stdio};

fn delete_command(container: &Fixture) -> DeleteResponse {
    let bundle = container.bundle();
    let mut command = Command::new(SHIM);
    command.args(["-namespace", "test", "-id", &container.id, "-bundle"]).arg(bundle).arg("delete");
    let output = command.stderr(Stdio::inherit()).output().unwrap();
    assert!(output.status.success(), "{}", container.complaints());
    DeleteResponse::parse_from_bytes(&output.stdout).unwrap()
}

#[test]
fn a_shim_whose_daemon_died_before_it_was_ready_ends() {
    let directory = tempfile::tempdir().unwrap();
    let listener = UnixListener::bind(directory.path().join(file::SOCKET)).unwrap();
    // Whoever its parent is by now, it is not this process.
    let child = sys::spawn::spawn(&sys::spawn::Program {
        path: Path::new(SHIM),
        arguments: &["-parent", "1", "serve", "--idle"].map(std::ffi::OsStr::new),
        environment: &[],
        descriptors: &[(listener.as_fd(), 3)],
    });
    let pid = child.unwrap().pid;
    eventually("it ends", || !is_running(pid));
}

#[test]
fn delete_cleans_up_after_a_shim_that_was_killed() {
    if lacks() {
        return;
    }
    for private_mounts in [true, false] {
        let mut container = Fixture::new(&["sleep", "1000"]);
        container.options.private_mounts = private_mounts;
        let pid = container.create();
        container.start();
        container.kill_shim();
        assert_eq!(delete_command(&container).exit_status, 137);
        eventually("the process is gone", || !is_running(pid));
        // Once more is harmless; the fixture checks that nothing is left.
        delete_command(&container);
    }
}

#[test]
fn delete_repeats_the_exit_that_the_shim_wrote() {
    if lacks() {
        return;
    }
    let container = Fixture::new(&["sh", "-c", "exit 7"]);
    container.run_to_end();
    container.kill_shim();
    let deleted = delete_command(&container);
    assert_eq!(deleted.exit_status, 7);
    let Exit { at, .. } = container.exit_file();
    assert_eq!(deleted.exited_at.seconds, at / 1_000_000_000);
}

#[test]
fn start_prints_the_address_of_a_shim_that_serves() {
    if lacks() {
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let address = directory.path().join("containerd.sock");
    let start = || {
        let flags = ["-namespace", "test", "-id", "x", "-publish-binary", "/bin/false", "-address"];
        let mut command = Command::new(SHIM);
        command.args(flags).arg(&address).arg("start").current_dir(&directory);
        let output = command.stderr(Stdio::inherit()).output().unwrap();
        (output.status.success(), String::from_utf8(output.stdout).unwrap())
    };
    let (started, printed) = start();
    assert!(started && printed.starts_with("unix://"), "{printed}");
    assert_eq!(std::fs::read_to_string(directory.path().join("address")).unwrap(), printed);
    let (connection, pid) = connect(&printed);
    assert!(!start().0, "the address is in use");
    // Its last connection closes without a container: it goes, and leaves the place to another.
    drop(connection);
    eventually("the shim goes", || !is_running(pid));
    let (started, printed) = start();
    assert!(started);
    let (connection, pid) = connect(&printed);
    drop(connection);
    eventually("the shim goes", || !is_running(pid));
}

/// A connection, and the number of the shim that answers it.
fn connect(address: &str) -> (TaskClient, u32) {
    let client = TaskClient::new(Client::connect(address).unwrap());
    let pid = client.connect(context(), &ConnectRequest::default()).unwrap().shim_pid;
    (client, pid)
}

fn is_running(pid: u32) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    !stat.is_empty() && !stat.contains(") Z")
}

#[test]
fn an_idle_shim_goes_with_its_last_connection() {
    let directory = tempfile::tempdir().unwrap();
    let socket = directory.path().join("s");
    let listener = UnixListener::bind(&socket).unwrap();
    let shim = serve(&listener);
    drop(listener);
    let (one, two) = (UnixStream::connect(&socket).unwrap(), UnixStream::connect(&socket).unwrap());
    drop(one);
    let pid = rustix::process::Pid::from_raw(shim.pid.cast_signed());
    let running = || rustix::process::waitpid(pid, rustix::process::WaitOptions::NOHANG).unwrap().is_none();
    assert!(running());
    drop(two);
    eventually("the shim goes", || !running());
}

#[test]
fn log_keeps_the_streams_of_foreign_shims() {
    if lacks() {
        return;
    }
    let container = Fixture::new(&[]);
    container.write_bundle();
    std::fs::remove_file(container.bundle().join(file::CONFIG)).unwrap();
    let (stdout, out) = std::io::pipe().unwrap();
    let (stderr, err) = std::io::pipe().unwrap();
    let (ready, signal) = std::io::pipe().unwrap();
    let logger = sys::spawn::spawn(&sys::spawn::Program {
        path: Path::new(SHIM),
        arguments: &["log".as_ref(), container.bundle().as_os_str()],
        environment: &[],
        descriptors: &[(stdout.as_fd(), 3), (stderr.as_fd(), 4), (signal.as_fd(), 5)],
    })
    .unwrap();
    drop((stdout, stderr, signal));
    assert_eq!(std::io::Read::read(&mut &ready, &mut [0]).unwrap(), 0, "it says that it is ready");
    let hello = Hello { exec: None, stdin: false, stdout: true, stderr: true };
    let mut client = container.attach_with(&hello).unwrap();
    std::io::Write::write_all(&mut &out, b"printed\n").unwrap();
    std::io::Write::write_all(&mut &err, b"complained\nunended").unwrap();
    drop((out, err));
    assert_eq!(client.read_frames(), ("printed\n".to_owned(), "complained\nunended".to_owned()));
    let pid = rustix::process::Pid::from_raw(logger.pid.cast_signed());
    let (_, status) = rustix::process::waitpid(pid, rustix::process::WaitOptions::empty()).unwrap().unwrap();
    assert_eq!(status.exit_status(), Some(0), "{}", container.complaints());
    let mut log = container.log();
    log.sort();
    let texts: Vec<_> = log.iter().map(|(_, text)| text.as_str()).collect();
    assert_eq!(texts, ["complained\n", "unended", "printed\n"]);
    std::fs::remove_file(container.bundle().join(file::ATTACH)).unwrap();
}
