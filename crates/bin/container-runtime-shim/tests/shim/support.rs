//! A shim of its own for each test, with a bundle and a cgroup of its own, all gone at the end.

use containerd_shim_protos::TaskClient;
use containerd_shim_protos::api::{
    CreateTaskRequest, DeleteRequest, DeleteResponse, ExecProcessRequest, ForwardRequest, KillRequest, Mount,
    StartRequest, StateRequest, StateResponse, WaitRequest, WaitResponse,
};
use containerd_shim_protos::protobuf::Message;
use containerd_shim_protos::protobuf::well_known_types::any::Any;
use containerd_shim_protos::ttrpc::context::{Context, with_timeout};
use containerd_shim_protos::ttrpc::{self, Client, Code};
use serde_json::{Value, json};
use shim_protocol::{ATTACH_STREAM, Exit, Hello, Log, Options, Runtime, Welcome, file};
use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::io::{BufRead, BufReader, Read, Write};
use std::os::fd::AsFd;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

const EVENTS: &str = "containerd.services.events.ttrpc.v1.Events";
pub(crate) const SHIM: &str = env!("CARGO_BIN_EXE_container-runtime-shim");
const PATIENCE: Duration = Duration::from_secs(20);
static COUNT: AtomicU32 = AtomicU32::new(0);

/// What this host lacks, printed; the test then returns.
#[expect(clippy::print_stderr, reason = "a test that skips says why")]
pub(crate) fn lacks() -> bool {
    let lacking = [
        (!rustix::process::geteuid().is_root(), "root"),
        (!Path::new("/bin/busybox").exists(), "/bin/busybox (package busybox-static)"),
    ];
    for (lacks, what) in lacking {
        if lacks {
            eprintln!("skipped: this test needs {what}");
            return true;
        }
    }
    false
}

/// A container to be, and the shim that serves it.
pub(crate) struct Fixture {
    pub(crate) id: String,
    pub(crate) directory: tempfile::TempDir,
    pub(crate) config: Value,
    pub(crate) options: Options,
    pub(crate) task: TaskClient,
    pub(crate) shim_pid: u32,
    shim: Option<sys::spawn::Child>,
    streams: [String; 3],
}

impl Fixture {
    /// For a container that runs `arguments`, with all streams to attach clients.
    pub(crate) fn new(arguments: &[&str]) -> Self {
        let directory = tempfile::Builder::new().prefix("shim-").tempdir_in(fast_directory()).unwrap();
        std::fs::set_permissions(directory.path(), PermissionsExt::from_mode(0o755)).unwrap();
        let id = format!("c{}", COUNT.fetch_add(1, Ordering::Relaxed));
        prepare_root(&directory.path().join("lower"));
        for name in ["upper", "work", "rootfs"] {
            std::fs::create_dir(directory.path().join(name)).unwrap();
        }
        let log = directory.path().join("log.json");
        let options = Options {
            runtime: Runtime::Libcontainer,
            log: Log::JsonFile { path: log, options: BTreeMap::new() },
            stdin_once: true,
            private_mounts: true,
            systemd_cgroup: false,
            events_address: None,
            filters: Some(std::env::temp_dir().join("container-runtime-test-filters")),
            spool: Some(directory.path().to_owned()),
        };
        let socket = directory.path().join(file::SOCKET);
        let listener = UnixListener::bind(&socket).unwrap();
        let shim = serve(&listener);
        let client = Client::connect(&format!("unix://{}", socket.display())).unwrap();
        let config = config(arguments, &cgroup_path(&id));
        let streams = [ATTACH_STREAM; 3].map(str::to_owned);
        let task = TaskClient::new(client);
        Self { id, directory, config, options, task, shim_pid: shim.pid, shim: Some(shim), streams }
    }

    /// With a terminal.
    pub(crate) fn with_terminal(mut self) -> Self {
        self.config["process"]["terminal"] = true.into();
        self
    }

    /// Over a program with the OCI command line.
    pub(crate) fn with_command(mut self, path: &str) -> Self {
        self.options.runtime = Runtime::Command { path: path.into(), args: Vec::new() };
        self
    }

    /// Puts a file into the root file system.
    pub(crate) fn with_file(self, path: &str, content: &[u8], mode: u32) -> Self {
        let path = self.bundle().join("lower").join(path.trim_start_matches('/'));
        std::fs::write(&path, content).unwrap();
        std::fs::set_permissions(&path, PermissionsExt::from_mode(mode)).unwrap();
        self
    }

    pub(crate) fn bundle(&self) -> &Path {
        self.directory.path()
    }

    /// Writes the documents of the bundle.
    pub(crate) fn write_bundle(&self) {
        let write = |name: &str, text: String| std::fs::write(self.bundle().join(name), text).unwrap();
        write(file::CONFIG, self.config.to_string());
        write(file::OPTIONS, serde_json::to_string(&self.options).unwrap());
    }

    /// Writes the bundle and creates the container.
    pub(crate) fn try_create(&self) -> ttrpc::Result<u32> {
        self.write_bundle();
        let bundle = self.bundle().display();
        let options = ["lower", "upper", "work"].map(|name| format!("{name}dir={bundle}/{name}"));
        let root = Mount {
            type_: "overlay".to_owned(),
            source: "overlay".to_owned(),
            options: options.to_vec(),
            ..Mount::default()
        };
        let [stdin, stdout, stderr] = self.streams.clone();
        let request = CreateTaskRequest {
            id: self.id.clone(),
            bundle: bundle.to_string(),
            rootfs: vec![root],
            terminal: self.config["process"]["terminal"] == true,
            stdin,
            stdout,
            stderr,
            ..CreateTaskRequest::default()
        };
        self.task.create(context(), &request).map(|response| response.pid)
    }

    pub(crate) fn create(&self) -> u32 {
        self.try_create().unwrap()
    }

    pub(crate) fn try_start(&self, exec: &str) -> ttrpc::Result<u32> {
        let request =
            StartRequest { id: self.id.clone(), exec_id: exec.to_owned(), ..StartRequest::default() };
        self.task.start(context(), &request).map(|response| response.pid)
    }

    pub(crate) fn start(&self) {
        self.try_start("").unwrap();
    }

    /// Creates and starts the container.
    pub(crate) fn run(&self) {
        self.create();
        self.start();
    }

    pub(crate) fn wait(&self, exec: &str) -> WaitResponse {
        let request = WaitRequest { id: self.id.clone(), exec_id: exec.to_owned(), ..WaitRequest::default() };
        self.task.wait(context(), &request).unwrap()
    }

    pub(crate) fn kill(&self, exec: &str, signal: u32, all: bool) -> ttrpc::Result<()> {
        let (id, exec_id) = (self.id.clone(), exec.to_owned());
        let request = KillRequest { id, exec_id, signal, all, ..KillRequest::default() };
        self.task.kill(context(), &request).map(drop)
    }

    pub(crate) fn state(&self, exec: &str) -> StateResponse {
        let request =
            StateRequest { id: self.id.clone(), exec_id: exec.to_owned(), ..StateRequest::default() };
        self.task.state(context(), &request).unwrap()
    }

    pub(crate) fn delete(&self, exec: &str) -> ttrpc::Result<DeleteResponse> {
        let request =
            DeleteRequest { id: self.id.clone(), exec_id: exec.to_owned(), ..DeleteRequest::default() };
        self.task.delete(context(), &request)
    }

    /// Records an exec with all streams to attach clients; `process` overrides what the container's process has.
    pub(crate) fn exec(&self, exec: &str, arguments: &[&str], process: &Value) {
        let mut document = self.config["process"].clone();
        document["args"] = json!(arguments);
        document["terminal"] = false.into();
        for (key, value) in process.as_object().unwrap() {
            document[key] = value.clone();
        }
        let [stdin, stdout, stderr] = [ATTACH_STREAM; 3].map(str::to_owned);
        let request = ExecProcessRequest {
            id: self.id.clone(),
            exec_id: exec.to_owned(),
            terminal: document["terminal"] == true,
            stdin,
            stdout,
            stderr,
            spec: Some(Any { value: document.to_string().into_bytes(), ..Any::default() }).into(),
            ..ExecProcessRequest::default()
        };
        self.task.exec(context(), &request).unwrap();
    }

    /// Attaches to everything.
    pub(crate) fn attach(&self, exec: Option<&str>) -> Attachment {
        let hello = Hello { exec: exec.map(str::to_owned), stdin: true, stdout: true, stderr: true };
        self.attach_with(&hello).unwrap()
    }

    /// Attaches, or is refused.
    pub(crate) fn attach_with(&self, hello: &Hello) -> Result<Attachment, String> {
        let mut stream = UnixStream::connect(self.bundle().join(file::ATTACH)).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let mut line = serde_json::to_vec(hello).unwrap();
        line.push(b'\n');
        stream.write_all(&line).unwrap();
        let mut reader = BufReader::new(stream);
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        match serde_json::from_str(&line).unwrap() {
            Welcome::Attached { terminal } => Ok(Attachment { reader, terminal }),
            Welcome::Refused { reason } => Err(reason),
        }
    }

    /// The log's lines: stream and text.
    pub(crate) fn log(&self) -> Vec<(String, String)> {
        let text = std::fs::read_to_string(self.bundle().join("log.json")).unwrap();
        let line = |line: &str| {
            let line: Value = serde_json::from_str(line).unwrap();
            let field = |name: &str| line[name].as_str().unwrap().to_owned();
            (field("stream"), field("log"))
        };
        text.lines().map(line).collect()
    }

    /// Standard output's part of the log.
    pub(crate) fn logged(&self) -> String {
        self.log().into_iter().map(|(_, text)| text).collect()
    }

    pub(crate) fn exit_file(&self) -> Exit {
        serde_json::from_slice(&std::fs::read(self.bundle().join(file::EXIT)).unwrap()).unwrap()
    }

    /// What the shim complained of.
    pub(crate) fn complaints(&self) -> String {
        std::fs::read_to_string(self.bundle().join(file::LOG)).unwrap_or_default()
    }

    /// Runs to the end and returns the exit status.
    pub(crate) fn run_to_end(&self) -> u32 {
        self.run();
        self.wait("").exit_status
    }

    /// Kills the shim, as an accident would.
    pub(crate) fn kill_shim(&self) {
        let pid = rustix::process::Pid::from_raw(self.shim_pid.cast_signed()).unwrap();
        rustix::process::kill_process(pid, rustix::process::Signal::KILL).unwrap();
        assert!(readable(&self.shim.as_ref().unwrap().pidfd, PATIENCE));
    }

    /// Whether a cgroup of this container's is left in any hierarchy.
    pub(crate) fn has_cgroup(&self) -> bool {
        let Ok(hierarchies) = std::fs::read_dir("/sys/fs/cgroup") else { return false };
        hierarchies
            .flatten()
            .any(|hierarchy| is_cgroup(&hierarchy.path().join(cgroup_path(&self.id).trim_start_matches('/'))))
    }

    /// A file of the container's cgroup, of version 1 or 2.
    pub(crate) fn cgroup_file(&self, controller: &str, name: &str) -> String {
        let path = cgroup_path(&self.id);
        let below = |root: &str| std::fs::read_to_string(format!("{root}{path}/{name}"));
        below(&format!("/sys/fs/cgroup/{controller}")).or_else(|_| below("/sys/fs/cgroup")).unwrap()
    }

    /// Makes this test the one that is told of events.
    pub(crate) fn take_events(&mut self) -> Events {
        let path = self.bundle().join("events.sock");
        let listener = UnixListener::bind(&path).unwrap();
        self.options.events_address = Some(format!("unix://{}", path.display()));
        Events { listener }
    }

    fn is_clean(&self) -> Result<(), String> {
        let bundle = self.bundle().to_string_lossy();
        let mounts = std::fs::read_to_string("/proc/self/mountinfo").unwrap();
        if let Some(mount) = mounts.lines().find(|line| line.contains(&*bundle)) {
            return Err(format!("a mount is left: {mount}"));
        }
        if self.has_cgroup() {
            return Err("a cgroup is left".to_owned());
        }
        if self.bundle().join(file::ATTACH).exists() || self.bundle().join("libcontainer").exists() {
            return Err("a file is left in the bundle".to_owned());
        }
        Ok(())
    }
}

impl Drop for Fixture {
    /// Kills and deletes what the test has left, then checks that nothing remains and the shim goes by itself.
    fn drop(&mut self) {
        let _ = self.kill("", 9, true);
        let deadline = Instant::now() + PATIENCE;
        let busy = |error: &ttrpc::Error| is(error, Code::FAILED_PRECONDITION);
        while self.delete("").is_err_and(|error| busy(&error)) && Instant::now() < deadline {
            std::thread::yield_now();
        }
        let clean = self.is_clean();
        let _ = self.task.shutdown(context(), &Default::default());
        let shim = self.shim.take().unwrap();
        let pid = rustix::process::Pid::from_raw(shim.pid.cast_signed());
        let gone = readable(&shim.pidfd, PATIENCE);
        if !gone {
            let _ = rustix::process::kill_process(pid.unwrap(), rustix::process::Signal::KILL);
        }
        let _ = rustix::process::waitpid(pid, rustix::process::WaitOptions::empty());
        remove_parent_cgroups();
        if !std::thread::panicking() {
            assert_eq!(clean, Ok(()), "{}", self.complaints());
            assert!(gone, "the shim does not end: {}", self.complaints());
        }
    }
}

/// Where the shim publishes.
pub(crate) struct Events {
    listener: UnixListener,
}

impl Events {
    /// The topic of the next event.
    pub(crate) fn next_topic(&self) -> String {
        assert!(readable(&self.listener, PATIENCE), "no event");
        let (mut stream, _) = self.listener.accept().unwrap();
        let mut header = [0; 10];
        stream.read_exact(&mut header).unwrap();
        let length = u32::from_be_bytes([header[0], header[1], header[2], header[3]]);
        let mut payload = Vec::new();
        stream.take(length.into()).read_to_end(&mut payload).unwrap();
        let request = ttrpc::Request::parse_from_bytes(&payload).unwrap();
        assert_eq!((request.service.as_str(), request.method.as_str()), (EVENTS, "Forward"));
        let forward = ForwardRequest::parse_from_bytes(&request.payload).unwrap();
        forward.envelope.topic.clone()
    }
}

/// A connection to a process's streams.
pub(crate) struct Attachment {
    pub(crate) reader: BufReader<UnixStream>,
    pub(crate) terminal: bool,
}

impl Attachment {
    pub(crate) fn send(&mut self, text: &str) {
        self.reader.get_mut().write_all(text.as_bytes()).unwrap();
    }

    /// Half-closes.
    pub(crate) fn end_input(&mut self) {
        self.reader.get_ref().shutdown(std::net::Shutdown::Write).unwrap();
    }

    /// Everything up to the end, by stream.
    pub(crate) fn read_frames(&mut self) -> (String, String) {
        let mut streams = [Vec::new(), Vec::new()];
        let mut header = [0; 8];
        while self.reader.read_exact(&mut header).is_ok() {
            let length = u32::from_be_bytes([header[4], header[5], header[6], header[7]]);
            let stream = &mut streams[usize::from(header[0] - 1)];
            (&mut self.reader).take(length.into()).read_to_end(stream).unwrap();
        }
        let [stdout, stderr] = streams.map(|bytes| String::from_utf8(bytes).unwrap());
        (stdout, stderr)
    }

    /// Of a terminal, up to a text.
    pub(crate) fn read_until(&mut self, text: &str) -> String {
        let mut seen = Vec::new();
        let mut byte = [0];
        while !String::from_utf8_lossy(&seen).contains(text) {
            let read = self.reader.read(&mut byte).unwrap_or_else(|error| {
                panic!("{error}, waiting for {text:?} after {:?}", String::from_utf8_lossy(&seen))
            });
            assert_eq!(read, 1, "ended before {text:?}: {:?}", String::from_utf8_lossy(&seen));
            seen.extend(byte);
        }
        String::from_utf8_lossy(&seen).into_owned()
    }
}

/// Whether it is that error.
pub(crate) fn is(error: &ttrpc::Error, code: Code) -> bool {
    matches!(error, ttrpc::Error::RpcStatus(status) if status.code == code.into())
}

/// The error's message.
pub(crate) fn message(error: &ttrpc::Error) -> String {
    match error {
        ttrpc::Error::RpcStatus(status) => status.message.clone(),
        other => other.to_string(),
    }
}

pub(crate) fn context() -> Context {
    with_timeout(PATIENCE.as_nanos().try_into().unwrap())
}

/// Waits for a condition.
pub(crate) fn eventually(what: &str, mut condition: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !condition() {
        assert!(Instant::now() < deadline, "not within {PATIENCE:?}: {what}");
        std::thread::yield_now();
    }
}

/// Starts a shim on a listening socket.
pub(crate) fn serve(listener: &UnixListener) -> sys::spawn::Child {
    let trace = std::env::var_os("CONTAINER_RUNTIME_SHIM_TRACE");
    let environment: Vec<_> =
        trace.as_deref().map(|value| ("CONTAINER_RUNTIME_SHIM_TRACE", value)).into_iter().collect();
    sys::spawn::spawn(&sys::spawn::Program {
        path: Path::new(SHIM),
        arguments: &[OsStr::new("serve"), OsStr::new("--idle")],
        environment: &environment,
        descriptors: &[(listener.as_fd(), 3)],
    })
    .unwrap()
}

fn readable(fd: impl AsFd, limit: Duration) -> bool {
    use rustix::event::{PollFd, PollFlags, Timespec, poll};
    let limit = Timespec { tv_sec: limit.as_secs().cast_signed(), tv_nsec: 0 };
    poll(&mut [PollFd::new(&fd, PollFlags::IN)], Some(&limit)).is_ok_and(|ready| ready == 1)
}

fn is_cgroup(directory: &Path) -> bool {
    const MAGIC: [i64; 2] = [0x27_e0eb, 0x6367_7270];
    rustix::fs::statfs(directory).is_ok_and(|system| MAGIC.contains(&system.f_type))
}

/// Where a daemon keeps its bundles: in memory.
fn fast_directory() -> PathBuf {
    let memory = PathBuf::from("/dev/shm");
    if memory.is_dir() { memory } else { std::env::temp_dir() }
}

fn cgroup_parent() -> String {
    format!("/container-runtime-test-{}", std::process::id())
}

fn cgroup_path(id: &str) -> String {
    format!("{}/{id}", cgroup_parent())
}

fn remove_parent_cgroups() {
    for hierarchy in std::fs::read_dir("/sys/fs/cgroup").into_iter().flatten().flatten() {
        // Other tests of this process may still have theirs in it.
        let parent = hierarchy.path().join(cgroup_parent().trim_start_matches('/'));
        // crun makes plain directories for hierarchies that are not mounted, and leaves them.
        let _ =
            if is_cgroup(&parent) { std::fs::remove_dir(parent) } else { std::fs::remove_dir_all(parent) };
    }
}

fn prepare_root(root: &Path) {
    const APPLETS: [&str; 19] = [
        "sh", "true", "false", "echo", "cat", "sleep", "id", "env", "ls", "stty", "head", "yes", "dd",
        "mkdir", "kill", "tty", "wc", "pwd", "tail",
    ];
    for directory in ["bin", "proc", "sys", "dev", "etc", "tmp", "root"] {
        std::fs::create_dir_all(root.join(directory)).unwrap();
    }
    std::fs::copy("/bin/busybox", root.join("bin/busybox")).unwrap();
    for applet in APPLETS {
        symlink("busybox", root.join("bin").join(applet)).unwrap();
    }
}

fn config(arguments: &[&str], cgroup: &str) -> Value {
    let capabilities = ["CAP_CHOWN", "CAP_KILL", "CAP_SETUID", "CAP_SETGID", "CAP_MKNOD", "CAP_DAC_OVERRIDE"];
    let mount = |destination: &str, kind: &str, options: &[&str]| json!({"destination": destination, "type": kind, "source": kind, "options": options});
    json!({
        "ociVersion": "1.0.2",
        "process": {
            "terminal": false,
            "user": {"uid": 0, "gid": 0},
            "args": arguments,
            "env": ["PATH=/bin", "B=2", "A=1"],
            "cwd": "/",
            "capabilities": {"bounding": capabilities, "effective": capabilities, "permitted": capabilities},
        },
        "root": {"path": "rootfs"},
        "hostname": "box",
        "mounts": [
            mount("/proc", "proc", &["nosuid", "noexec", "nodev"]),
            mount("/dev", "tmpfs", &["nosuid", "strictatime", "mode=755", "size=65536k"]),
            mount("/dev/pts", "devpts", &["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5"]),
            mount("/dev/shm", "tmpfs", &["nosuid", "noexec", "nodev", "mode=1777", "size=65536k"]),
            mount("/dev/mqueue", "mqueue", &["nosuid", "noexec", "nodev"]),
            mount("/sys", "sysfs", &["nosuid", "noexec", "nodev", "ro"]),
        ],
        "linux": {
            "cgroupsPath": cgroup,
            "namespaces": [{"type": "pid"}, {"type": "mount"}, {"type": "ipc"}, {"type": "uts"}, {"type": "network"}],
            "maskedPaths": ["/proc/kcore", "/proc/keys"],
            "readonlyPaths": ["/proc/sys", "/proc/bus"],
            "resources": {"devices": [{"allow": false, "access": "rwm"}]},
        },
    })
}

/// Of a shim's or a container's process.
pub(crate) fn open_files(pid: u32) -> Vec<PathBuf> {
    let directory = std::fs::read_dir(format!("/proc/{pid}/fd")).unwrap();
    directory.flatten().filter_map(|entry| std::fs::read_link(entry.path()).ok()).collect()
}
