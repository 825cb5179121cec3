//! Shims that are slow, stopped or out of reach, and live: nothing of their containers may be touched.

use super::*;
use errors::{Class, Classified};
use runtime::ExecTask;
use rustix::process::{Pid, Signal, kill_process};
use tokio::net::{UnixListener, UnixStream};
use tokio::task::JoinSet;

/// Stopped, until it is dropped.
struct Stopped(Pid);

impl Stopped {
    fn new(pid: Pid) -> Self {
        kill_process(pid, Signal::STOP).unwrap();
        Self(pid)
    }
}

impl Drop for Stopped {
    fn drop(&mut self) {
        let _ = kill_process(self.0, Signal::CONT);
    }
}

impl Scratch {
    async fn exec(&self, task: &Task, number: u8, script: &str, ballast: usize) -> runtime::Result<ExecTask> {
        let document = oci_spec::runtime::Spec::load(self.bundle(task.id()).join("config.json")).unwrap();
        let wish = spec::ExecSpec {
            args: ["sh", "-c", script].map(str::to_owned).to_vec(),
            env: vec![format!("BALLAST={}", "x".repeat(ballast))],
            ..Default::default()
        };
        let process = exec_process(&document, &wish, None, &[]).unwrap();
        let io = ExecIo { stdin: true, stdout: true, stderr: true, terminal: false };
        task.exec(&ExecId::from_bytes([number; 32]), process, io).await
    }

    /// Runs to the end: what it printed, and its exit status.
    async fn run(&self, task: &Task, number: u8, script: &str) -> (String, u32) {
        let exec = self.exec(task, number, script, 0).await.unwrap();
        let attachment = exec.attach(false, true, false).await.unwrap();
        exec.start().await.unwrap();
        let output = frames(attachment).await.0;
        let status = exec.wait().await.exit().status;
        assert_eq!(exec.delete().await.unwrap().status, status);
        (output, status)
    }
}

#[tokio::test]
async fn a_stopped_shim_is_waited_for_and_its_container_goes_on() {
    let Some(scratch) = Scratch::with_patience(Duration::from_millis(300)).await else { return };
    let task = scratch.create("exec busybox sleep 1000", |_| {}).await.unwrap();
    task.start().await.unwrap();
    let waiter = tokio::spawn({
        let task = task.clone();
        async move { task.wait().await }
    });
    let stopped = Stopped::new(parent_of(task.pid()));
    // More than its socket holds: one request stays half written, and those after it are not begun.
    for number in 1..=5 {
        let error = scratch.exec(&task, number, "exit", 100 << 10).await.expect_err("nobody answers");
        assert_eq!(error.class(), Class::Unavailable, "{error}");
        let text = error.to_string();
        assert!(
            text.contains("Exec") && text.contains("300ms") && text.contains(task.id().as_str()),
            "{text}"
        );
    }
    assert!(!waiter.is_finished());
    drop(stopped);
    assert_eq!(scratch.run(&task, 50, "echo here; exit 4").await, ("here\n".to_owned(), 4));
    assert!(task.is_alive().await.unwrap() && !waiter.is_finished());
    task.kill(9, false).await.unwrap();
    let outcome = tokio::time::timeout(LIMIT, waiter).await.unwrap().unwrap();
    assert!(matches!(outcome, WaitOutcome::Exited(exit) if exit.status == 137), "{outcome:?}");
    task.delete().await.unwrap();
    scratch.assert_clean(task.id());
}

#[tokio::test]
async fn an_exec_that_started_too_late_is_ended() {
    let Some(scratch) = Scratch::with_patience(Duration::from_millis(300)).await else { return };
    let task = scratch.create("exec busybox sleep 1000", |_| {}).await.unwrap();
    task.start().await.unwrap();
    let exec = scratch.exec(&task, 1, "exec busybox sleep 1000", 0).await.unwrap();
    let stopped = Stopped::new(parent_of(task.pid()));
    let error = exec.start().await.expect_err("nobody answers");
    assert_eq!(error.class(), Class::Unavailable, "{error}");
    drop(stopped);
    let outcome = tokio::time::timeout(LIMIT, exec.wait()).await.unwrap();
    assert!(matches!(outcome, WaitOutcome::Exited(exit) if exit.status == 137), "{outcome:?}");
    assert!(task.is_alive().await.unwrap());
    task.kill(9, false).await.unwrap();
    ended(&task).await;
    task.delete().await.unwrap();
    scratch.assert_clean(task.id());
}

/// In the place of a shim's socket, so that connections to it can be cut.
struct Proxy {
    path: PathBuf,
    behind: PathBuf,
    connections: JoinSet<()>,
}

impl Proxy {
    fn before(path: PathBuf) -> Self {
        let behind = path.with_extension("behind");
        std::fs::rename(&path, &behind).unwrap();
        let mut proxy = Self { path, behind, connections: JoinSet::new() };
        proxy.open();
        proxy
    }

    fn open(&mut self) {
        let listener = UnixListener::bind(&self.path).unwrap();
        let behind = self.behind.clone();
        self.connections.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((mut client, _)) = listener.accept().await {
                let mut shim = UnixStream::connect(&behind).await.unwrap();
                connections.spawn(async move {
                    let _ = tokio::io::copy_bidirectional(&mut client, &mut shim).await;
                });
            }
        });
    }

    /// Cuts all connections and takes no more.
    async fn close(&mut self) {
        self.connections.shutdown().await;
        std::fs::remove_file(&self.path).unwrap();
    }
}

/// Where a container's shim listens, by a name short enough for anybody.
fn socket_of(scratch: &Scratch, id: &ContainerId) -> PathBuf {
    let record = std::fs::read(scratch.bundle(id).join("runtime.json")).unwrap();
    let record: serde_json::Value = serde_json::from_slice(&record).unwrap();
    let socket = PathBuf::from(record["socket"].as_str().unwrap());
    let short = scratch.directory.path().join("s");
    std::os::unix::fs::symlink(socket.parent().unwrap(), &short).unwrap();
    short.join(socket.file_name().unwrap())
}

#[expect(clippy::print_stdout, reason = "a test that skips says what is missing")]
async fn survives_a_broken_connection(runtime: &str) {
    let Some(scratch) = Scratch::new().await else { return };
    if let Err(error) = scratch.runtimes.check(Some(runtime)) {
        println!("skipped: {error} (Debian: containerd)");
        return;
    }
    let choose = |wishes: &mut Wishes| wishes.runtime = Some(runtime.into());
    let first = scratch.create("exec busybox sleep 1000", choose).await.unwrap();
    first.start().await.unwrap();
    let (id, bundle) = (first.id().clone(), scratch.bundle(first.id()));
    drop(first);
    let mut proxy = Proxy::before(socket_of(&scratch, &id));
    let Adopted::Running { task, .. } = scratch.runtimes.adopt(&id, &bundle).await.unwrap() else {
        panic!("it runs")
    };
    let exec = scratch.exec(&task, 1, "read line; exit 7", 0).await.unwrap();
    let mut streams = exec.attach(true, true, false).await.unwrap();
    exec.start().await.unwrap();
    let (of_init, of_exec) = (task.clone(), exec.clone());
    let of_init = tokio::spawn(async move { of_init.wait().await });
    let of_exec = tokio::spawn(async move { of_exec.wait().await });
    // Answered after the waits were sent.
    assert!(task.is_alive().await.unwrap());
    proxy.close().await;
    // It ends while nobody is connected to its shim.
    streams.stream.write_all(b"\n").await.unwrap();
    frames(streams).await;
    assert!(!of_init.is_finished() && !of_exec.is_finished());
    proxy.open();
    let outcome = tokio::time::timeout(LIMIT, of_exec).await.unwrap().unwrap();
    assert!(matches!(outcome, WaitOutcome::Exited(exit) if exit.status == 7), "{outcome:?}");
    assert_eq!(exec.delete().await.unwrap().status, 7);
    assert_eq!(scratch.run(&task, 2, "echo here; exit 4").await, ("here\n".to_owned(), 4));
    assert!(!of_init.is_finished());
    task.kill(9, false).await.unwrap();
    let outcome = tokio::time::timeout(LIMIT, of_init).await.unwrap().unwrap();
    assert!(matches!(outcome, WaitOutcome::Exited(exit) if exit.status == 137), "{outcome:?}");
    task.delete().await.unwrap();
    scratch.assert_clean(&id);
}

#[tokio::test]
async fn a_broken_connection_is_made_again() {
    survives_a_broken_connection("libcontainer").await;
}

#[tokio::test]
async fn a_broken_connection_to_a_foreign_shim_is_made_again() {
    survives_a_broken_connection("io.containerd.runc.v2").await;
}
