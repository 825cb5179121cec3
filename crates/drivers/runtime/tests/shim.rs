//! Containers through the real shim: needs root, the built `container-runtime-shim` and a static busybox. What is
//! missing is printed, and the test passes without having tested anything.

#[path = "shim/slow.rs"]
mod slow;

use ids::{ContainerId, ExecId};
use runtime::bundle::{NetworkNamespace, Resolved, Shm, exec_process, oci_spec};
use runtime::user::User;
use runtime::{
    Adopted, Attachment, Config, CreateTask, ExecIo, RuntimeKind, Runtimes, Task, TaskEventKind, WaitOutcome,
};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// A state directory with a root file system, and the runtimes on it.
struct Scratch {
    directory: tempfile::TempDir,
    runtimes: Arc<Runtimes>,
}

/// Longer than anything here may take.
const LIMIT: Duration = Duration::from_secs(20);

fn shim() -> Option<PathBuf> {
    if let Some(path) = std::env::var_os("CONTAINER_RUNTIME_SHIM") {
        return Some(PathBuf::from(path));
    }
    let tests = std::env::current_exe().ok()?;
    let built = tests.parent()?.parent()?.join("container-runtime-shim");
    built.exists().then_some(built)
}

fn config(state: &Path, shim: PathBuf) -> Config {
    let command = |path: &str| RuntimeKind::Command { path: path.into(), args: Vec::new() };
    Config {
        state_dir: state.to_path_buf(),
        namespace: "runtime-test".into(),
        shim,
        runtimes: BTreeMap::from([
            ("libcontainer".into(), RuntimeKind::Builtin),
            ("runc".into(), command("runc")),
            ("crun".into(), command("crun")),
        ]),
        default: "libcontainer".into(),
        systemd_cgroup: false,
        idle_shims: 1,
        patience: runtime::PATIENCE,
        kill_cgroup: Arc::new(kill_cgroup),
    }
}

/// Every mounted hierarchy's directory of a cgroup. (crun makes plain directories where none is mounted.)
fn cgroup_directories(path: &Path) -> Vec<PathBuf> {
    let below = path.strip_prefix("/").unwrap();
    let mounts = std::fs::read_to_string("/proc/self/mounts").unwrap();
    let hierarchies = mounts.lines().map(|line| line.split(' ').collect::<Vec<_>>());
    let hierarchies = hierarchies.filter(|fields| fields[2].starts_with("cgroup"));
    let directories = hierarchies.map(|fields| Path::new(fields[1]).join(below));
    directories.filter(|directory| directory.is_dir()).collect()
}

fn kill_cgroup(path: &Path) -> std::io::Result<()> {
    let until = std::time::Instant::now() + LIMIT;
    while !cgroup_directories(path).is_empty() && std::time::Instant::now() < until {
        for directory in cgroup_directories(path) {
            for pid in std::fs::read_to_string(directory.join("cgroup.procs")).unwrap_or_default().lines() {
                let pid = pid.parse().ok().and_then(rustix::process::Pid::from_raw).unwrap();
                let _ = rustix::process::kill_process(pid, rustix::process::Signal::KILL);
            }
            let _ = std::fs::remove_dir(directory);
        }
        std::thread::yield_now();
    }
    Ok(())
}

impl Scratch {
    async fn new() -> Option<Self> {
        Self::with_patience(runtime::PATIENCE).await
    }

    #[expect(clippy::print_stdout, reason = "a test that skips says what is missing")]
    async fn with_patience(patience: Duration) -> Option<Self> {
        let Some(shim) = shim() else {
            println!("skipped: container-runtime-shim is not built");
            return None;
        };
        let busybox =
            ["/bin/busybox", "/usr/bin/busybox"].map(Path::new).into_iter().find(|path| path.exists());
        let Some(busybox) = busybox else {
            println!("skipped: no busybox (Debian: busybox-static)");
            return None;
        };
        if !rustix::process::geteuid().is_root() {
            println!("skipped: not root");
            return None;
        }
        let directory = tempfile::tempdir().unwrap();
        let bin = directory.path().join("root/bin");
        std::fs::create_dir_all(&bin).unwrap();
        for name in ["proc", "sys", "dev", "tmp", "etc"] {
            std::fs::create_dir(directory.path().join("root").join(name)).unwrap();
        }
        std::fs::copy(busybox, bin.join("busybox")).unwrap();
        std::os::unix::fs::symlink("busybox", bin.join("sh")).unwrap();
        let runtimes = Runtimes::open(Config { patience, ..config(directory.path(), shim) }).await.unwrap();
        Some(Self { directory, runtimes })
    }

    fn bundle(&self, id: &ContainerId) -> PathBuf {
        self.directory.path().join("containers").join(id.as_str())
    }

    async fn create(&self, script: &str, change: impl FnOnce(&mut Wishes)) -> runtime::Result<Task> {
        let mut wishes = Wishes::default();
        change(&mut wishes);
        let id = new_id();
        let bundle = self.bundle(&id);
        std::fs::create_dir_all(&bundle).unwrap();
        let mut spec = spec::ContainerSpec::default();
        spec.process.tty = wishes.terminal;
        spec.security.seccomp = wishes.seccomp;
        spec.resources.memory = wishes.memory;
        let document = oci_spec(&spec, &resolved(&id, &self.directory.path().join("root"), script)).unwrap();
        self.runtimes
            .create(CreateTask {
                id,
                runtime: wishes.runtime,
                bundle,
                spec: document,
                rootfs: Vec::new(),
                options: shim_protocol::Options {
                    runtime: shim_protocol::Runtime::Libcontainer,
                    log: shim_protocol::Log::None,
                    stdin_once: wishes.open_stdin,
                    private_mounts: true,
                    systemd_cgroup: false,
                    events_address: None,
                    filters: None,
                    spool: None,
                },
                terminal: wishes.terminal,
                open_stdin: wishes.open_stdin,
            })
            .await
    }

    /// Nothing of a container may be left but its bundle directory with plain files.
    fn assert_clean(&self, id: &ContainerId) {
        assert_eq!(cgroup_directories(&cgroup_path(id)), Vec::<PathBuf>::new());
        let mounts = std::fs::read_to_string("/proc/self/mounts").unwrap();
        assert!(!mounts.contains(self.directory.path().to_str().unwrap()), "{mounts}");
    }
}

/// Its command line has the container's id.
fn kill_foreign_shim(id: &str) {
    for process in std::fs::read_dir("/proc").unwrap().flatten() {
        let command = std::fs::read_to_string(process.path().join("cmdline")).unwrap_or_default();
        let pid = process.file_name().to_str().and_then(|name| name.parse().ok());
        if let Some(pid) = pid.and_then(rustix::process::Pid::from_raw).filter(|_| command.contains(id)) {
            let _ = rustix::process::kill_process(pid, rustix::process::Signal::KILL);
        }
    }
}

/// A failed test leaves no process behind.
impl Drop for Scratch {
    fn drop(&mut self) {
        let bundles = std::fs::read_dir(self.directory.path().join("containers"));
        for bundle in bundles.into_iter().flatten().flatten() {
            kill_cgroup(&Path::new("/runtime-test").join(bundle.file_name())).unwrap();
            kill_foreign_shim(bundle.file_name().to_str().unwrap());
        }
        // Succeeds for the last test that runs.
        for parent in cgroup_directories(Path::new("/runtime-test")) {
            let _ = std::fs::remove_dir(parent);
        }
    }
}

#[derive(Default)]
struct Wishes {
    runtime: Option<String>,
    terminal: bool,
    open_stdin: bool,
    seccomp: spec::Seccomp,
    memory: Option<i64>,
}

fn new_id() -> ContainerId {
    static COUNT: AtomicU64 = AtomicU64::new(1);
    let mut bytes = [0; 32];
    bytes[..4].copy_from_slice(&std::process::id().to_be_bytes());
    bytes[4..12].copy_from_slice(&COUNT.fetch_add(1, Ordering::Relaxed).to_be_bytes());
    ContainerId::from_bytes(bytes)
}

fn cgroup_path(id: &ContainerId) -> PathBuf {
    Path::new("/runtime-test").join(id.as_str())
}

fn resolved(id: &ContainerId, root: &Path, script: &str) -> Resolved {
    Resolved {
        id: id.clone(),
        hostname: "box".into(),
        user: User { additional_gids: vec![0], home: "/".into(), ..User::default() },
        working_dir: String::new(),
        args: ["sh", "-c", script].map(str::to_owned).to_vec(),
        env: vec!["PATH=/bin".into()],
        rootfs: root.to_path_buf(),
        mounts: Vec::new(),
        shm: Shm::Private,
        network: NetworkNamespace::New,
        pid_namespace: None,
        ipc_namespace: None,
        uts_namespace: None,
        user_namespace: None,
        cgroup_path: cgroup_path(id),
        private_cgroup: false,
        devices: Vec::new(),
        block_devices: BTreeMap::new(),
        id_maps: None,
        default_rlimits: Vec::new(),
        seccomp: true,
        apparmor: None,
        selinux: None,
        init: None,
        kernel: (6, 1),
        oom_score_adj: None,
    }
}

/// Reads frames until the end: (stdout, stderr).
async fn frames(mut attachment: Attachment) -> (String, String) {
    let mut bytes = Vec::new();
    tokio::time::timeout(LIMIT, attachment.stream.read_to_end(&mut bytes)).await.unwrap().unwrap();
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let mut rest = bytes.as_slice();
    while !rest.is_empty() {
        let length = u32::from_be_bytes(rest[4..8].try_into().unwrap()) as usize;
        let stream = if rest[0] == 2 { &mut err } else { &mut out };
        stream.extend_from_slice(&rest[8..8 + length]);
        rest = &rest[8 + length..];
    }
    (String::from_utf8(out).unwrap(), String::from_utf8(err).unwrap())
}

async fn ended(task: &Task) -> WaitOutcome {
    tokio::time::timeout(LIMIT, task.wait()).await.expect("the container ends")
}

#[tokio::test]
async fn a_container_runs_and_leaves_nothing() {
    let Some(scratch) = Scratch::new().await else { return };
    for runtime in ["libcontainer", "runc", "crun"] {
        let choose = |wishes: &mut Wishes| wishes.runtime = Some(runtime.into());
        if let Err(error) = scratch.runtimes.check(Some(runtime)) {
            println!("skipped: {error}");
            continue;
        }
        let script = "echo hi from $(busybox hostname); echo oh >&2; exit 3";
        let task = scratch.create(script, choose).await.unwrap();
        assert!(task.pid() > 0);
        let attachment = task.attach(None, false, true, true).await.unwrap();
        task.start().await.unwrap();
        assert_eq!(frames(attachment).await, ("hi from box\n".into(), "oh\n".into()), "{runtime}");
        let WaitOutcome::Exited(exit) = ended(&task).await else { panic!("{runtime}: the shim is there") };
        assert_eq!(exit.status, 3, "{runtime}");
        assert_eq!(task.delete().await.unwrap().status, 3, "{runtime}");
        scratch.assert_clean(task.id());
    }
    scratch.runtimes.close().await;
}

#[tokio::test]
async fn input_reaches_the_process_and_terminals_are_one_stream() {
    let Some(scratch) = Scratch::new().await else { return };
    let task = scratch.create("busybox cat; echo end", |wishes| wishes.open_stdin = true).await.unwrap();
    let mut attachment = task.attach(None, true, true, true).await.unwrap();
    task.start().await.unwrap();
    attachment.stream.write_all(b"line\n").await.unwrap();
    attachment.stream.shutdown().await.unwrap();
    assert_eq!(frames(attachment).await.0, "line\nend\n");
    assert_eq!(ended(&task).await.exit().status, 0);
    task.delete().await.unwrap();

    let task = scratch.create("busybox stty size; echo x >&2", |w| w.terminal = true).await.unwrap();
    let mut attachment = task.attach(None, false, true, true).await.unwrap();
    assert!(attachment.terminal);
    task.resize(11, 33).await.unwrap();
    task.start().await.unwrap();
    let mut text = String::new();
    tokio::time::timeout(LIMIT, attachment.stream.read_to_string(&mut text)).await.unwrap().unwrap();
    assert_eq!(text, "11 33\r\nx\r\n");
    ended(&task).await;
    task.delete().await.unwrap();
    scratch.assert_clean(task.id());
}

#[tokio::test]
async fn execs_run_beside_the_init_process() {
    let Some(scratch) = Scratch::new().await else { return };
    let task = scratch.create("exec busybox sleep 1000", |_| {}).await.unwrap();
    task.start().await.unwrap();
    let document = oci_spec::runtime::Spec::load(scratch.bundle(task.id()).join("config.json")).unwrap();
    let wish = spec::ExecSpec {
        args: ["sh", "-c", "echo $A; exit 4"].map(str::to_owned).to_vec(),
        env: vec!["A=b".into()],
        ..Default::default()
    };
    let process = exec_process(&document, &wish, None, &[]).unwrap();
    let id = ExecId::from_bytes([5; 32]);
    let io = ExecIo { stdout: true, stderr: true, ..ExecIo::default() };
    let exec = task.exec(&id, process, io).await.unwrap();
    let attachment = exec.attach(false, true, true).await.unwrap();
    assert!(exec.start().await.unwrap() > 0);
    assert_eq!(frames(attachment).await.0, "b\n");
    assert_eq!(exec.wait().await.exit().status, 4);
    assert_eq!(exec.delete().await.unwrap().status, 4);
    assert_eq!(task.pids().await.unwrap().len(), 1);
    task.pause().await.unwrap();
    task.resume().await.unwrap();
    task.kill(15, false).await.unwrap();
    task.kill(9, true).await.unwrap();
    assert_eq!(ended(&task).await.exit().status, 137);
    let error = task.kill(9, false).await.unwrap_err();
    assert_eq!(errors::Classified::class(&error), errors::Class::NotFound, "{error}");
    task.delete().await.unwrap();
    scratch.assert_clean(task.id());
}

#[tokio::test]
async fn a_container_outlives_its_engine() {
    let Some(scratch) = Scratch::new().await else { return };
    let task = scratch.create("exec busybox sleep 1000", |_| {}).await.unwrap();
    task.start().await.unwrap();
    let (id, pid, bundle) = (task.id().clone(), task.pid(), scratch.bundle(task.id()));
    drop(task);
    scratch.runtimes.close().await;

    let next = Runtimes::open(config(scratch.directory.path(), shim().unwrap())).await.unwrap();
    let Adopted::Running { task, .. } = next.adopt(&id, &bundle).await.unwrap() else { panic!("it runs") };
    assert_eq!(task.pid(), pid);
    task.kill(9, false).await.unwrap();
    assert_eq!(ended(&task).await.exit().status, 137);
    let Adopted::Exited(exit, Some(again)) = next.adopt(&id, &bundle).await.unwrap() else {
        panic!("it ended")
    };
    assert_eq!(exit.status, 137);
    again.delete().await.unwrap();
    scratch.assert_clean(&id);
}

/// Here: since the container runs.
#[tokio::test]
async fn a_shim_that_refuses_to_delete_is_ended_with_what_it_holds() {
    let Some(scratch) = Scratch::new().await else { return };
    for adopted in [false, true] {
        let mut task = scratch.create("exec busybox sleep 1000", |_| {}).await.unwrap();
        task.start().await.unwrap();
        if adopted {
            let bundle = scratch.bundle(task.id());
            let Adopted::Running { task: again, .. } =
                scratch.runtimes.adopt(task.id(), &bundle).await.unwrap()
            else {
                panic!("it runs")
            };
            task = again;
        }
        let shim = parent_of(task.pid());
        let shim = rustix::process::pidfd_open(shim, rustix::process::PidfdFlags::empty()).unwrap();
        assert_eq!(task.delete().await.unwrap().status, 137);
        let mut fds = [rustix::event::PollFd::new(&shim, rustix::event::PollFlags::IN)];
        let at_once = rustix::event::Timespec::default();
        assert_eq!(rustix::event::poll(&mut fds, Some(&at_once)).unwrap(), 1, "it has ended");
        assert_eq!(ended(&task).await.exit().status, 137);
        scratch.assert_clean(task.id());
    }
}

#[tokio::test]
async fn a_dead_shim_is_noticed_and_cleaned_up_after() {
    let Some(scratch) = Scratch::new().await else { return };
    let task = scratch.create("exec busybox sleep 1000", |_| {}).await.unwrap();
    task.start().await.unwrap();
    let init = rustix::process::Pid::from_raw(i32::try_from(task.pid()).unwrap()).unwrap();
    let init = rustix::process::pidfd_open(init, rustix::process::PidfdFlags::empty()).unwrap();
    let waiter = tokio::spawn({
        let task = task.clone();
        async move { task.wait().await }
    });
    kill_parent(task.pid());
    let outcome = tokio::time::timeout(LIMIT, waiter).await.unwrap().unwrap();
    let WaitOutcome::ShimLost(exit) = outcome else { panic!("{outcome:?}") };
    assert_eq!(exit.status, 137);
    // Readable: it has ended.
    let mut fds = [rustix::event::PollFd::new(&init, rustix::event::PollFlags::IN)];
    let limit = rustix::event::Timespec { tv_sec: 10, tv_nsec: 0 };
    assert_eq!(rustix::event::poll(&mut fds, Some(&limit)).unwrap(), 1);
    assert_eq!(task.delete().await.unwrap().status, 137);
    assert!(matches!(
        scratch.runtimes.adopt(task.id(), &scratch.bundle(task.id())).await.unwrap(),
        Adopted::Lost
    ));
    scratch.assert_clean(task.id());
}

#[tokio::test]
async fn running_out_of_memory_is_told() {
    let Some(scratch) = Scratch::new().await else { return };
    let mut reports = scratch.runtimes.events();
    // `tail` keeps an endless line in memory.
    let script = "busybox tail /dev/zero";
    let task = scratch.create(script, |wishes| wishes.memory = Some(16 << 20)).await.unwrap();
    task.start().await.unwrap();
    let exit = ended(&task).await.exit();
    assert_eq!((exit.status, exit.oom_killed), (137, true));
    let report = tokio::time::timeout(LIMIT, reports.recv()).await.unwrap().unwrap();
    assert_eq!((&report.id, report.kind), (task.id(), TaskEventKind::Oom));
    task.delete().await.unwrap();
}

#[tokio::test]
async fn failures_to_create_leave_nothing() {
    let Some(scratch) = Scratch::new().await else { return };
    let unknown = scratch.create("true", |wishes| wishes.runtime = Some("nope".into())).await.unwrap_err();
    assert_eq!(unknown.to_string(), "unknown or invalid runtime name: nope");
    std::fs::remove_dir_all(scratch.directory.path().join("root")).unwrap();
    let error = scratch.create("true", |_| {}).await.unwrap_err();
    assert!(matches!(error, runtime::Error::Refused { .. }), "{error:?}");
    let bundles = std::fs::read_dir(scratch.directory.path().join("containers")).unwrap();
    for bundle in bundles.flatten() {
        let id = bundle.file_name().to_str().unwrap().parse().unwrap();
        scratch.assert_clean(&id);
        assert!(!bundle.path().join("shim.sock").exists());
    }
}

#[tokio::test]
async fn the_default_filter_refuses_and_lets_libraries_fall_back() {
    let Some(scratch) = Scratch::new().await else { return };
    let script = "busybox unshare -m true; echo $?; busybox mount -t tmpfs x /tmp; echo $?; busybox setarch -R true; echo $?";
    let task = scratch.create(script, |_| {}).await.unwrap();
    let attachment = task.attach(None, false, true, true).await.unwrap();
    task.start().await.unwrap();
    let (out, err) = frames(attachment).await;
    assert!(err.contains("unshare: unshare(0x20000): Operation not permitted"), "{out} {err}");
    assert!(err.contains("mount: permission denied"), "{out} {err}");
    ended(&task).await;
    task.delete().await.unwrap();
}

#[tokio::test]
async fn a_foreign_shim_runs_a_container() {
    let Some(scratch) = Scratch::new().await else { return };
    let name = "io.containerd.runc.v2";
    if let Err(error) = scratch.runtimes.check(Some(name)) {
        println!("skipped: {error} (Debian: containerd)");
        return;
    }
    let choose = |wishes: &mut Wishes| wishes.runtime = Some(name.into());
    let script = "echo hi; echo oh >&2; trap 'exit 5' TERM; busybox sleep 1000 & wait";
    let task = scratch.create(script, choose).await.unwrap();
    let attachment = task.attach(None, false, true, true).await.unwrap();
    task.start().await.unwrap();
    let bundle = scratch.bundle(task.id());
    let document = oci_spec::runtime::Spec::load(bundle.join("config.json")).unwrap();
    let args = ["sh", "-c", "busybox cat; echo err >&2; exit 6"].map(str::to_owned).to_vec();
    let wish = spec::ExecSpec { args, ..Default::default() };
    let process = exec_process(&document, &wish, None, &[]).unwrap();
    let io = ExecIo { stdin: true, stdout: true, stderr: true, terminal: false };
    let exec = task.exec(&ExecId::from_bytes([9; 32]), process, io).await.unwrap();
    let mut streams = exec.attach(true, true, true).await.unwrap();
    let Adopted::Running { task: again, .. } = scratch.runtimes.adopt(task.id(), &bundle).await.unwrap()
    else {
        panic!("it runs");
    };
    assert_eq!(again.pid(), task.pid());
    exec.start().await.unwrap();
    streams.stream.write_all(b"in").await.unwrap();
    streams.stream.shutdown().await.unwrap();
    assert_eq!(frames(streams).await, ("in".into(), "err\n".into()));
    assert_eq!(exec.wait().await.exit().status, 6);
    exec.delete().await.unwrap();
    task.kill(15, false).await.unwrap();
    assert_eq!(ended(&task).await, WaitOutcome::Exited(ended(&again).await.exit()));
    // This shim closes the logger's pipes when it deletes the container.
    assert_eq!(task.delete().await.unwrap().status, 5);
    assert_eq!(frames(attachment).await, ("hi\n".into(), "oh\n".into()));
    scratch.assert_clean(task.id());
}

#[tokio::test]
async fn a_dead_foreign_shim_is_cleaned_up_after_by_its_program() {
    let Some(scratch) = Scratch::new().await else { return };
    let name = "io.containerd.runc.v2";
    if scratch.runtimes.check(Some(name)).is_err() {
        return; // said by the test above
    }
    let choose = |wishes: &mut Wishes| wishes.runtime = Some(name.into());
    let task = scratch.create("exec busybox sleep 1000", choose).await.unwrap();
    task.start().await.unwrap();
    kill_parent(task.pid());
    assert!(matches!(ended(&task).await, WaitOutcome::ShimLost(_)));
    scratch.assert_clean(task.id());
}

/// Kills the shim of a container by its init process.
fn kill_parent(pid: u32) {
    rustix::process::kill_process(parent_of(pid), rustix::process::Signal::KILL).unwrap();
}

fn parent_of(pid: u32) -> rustix::process::Pid {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let parent = status.lines().find_map(|line| line.strip_prefix("PPid:")).unwrap().trim().parse().unwrap();
    rustix::process::Pid::from_raw(parent).unwrap()
}
