//! A private engine: its own directories, socket and names, and nothing of it left at the end.

use crate::daemon::{beside, program, spawn};
use crate::http::{self, Response};
use crate::lacking::Lack;
use crate::leaks::{self, Snapshot};
use crate::need::{self, Need};
use crate::{Pty, Run, fixtures, wait_until};
use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Mutex, PoisonError};

/// How a test's engine differs from the usual.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    /// Further arguments of `container-runtime daemon`.
    pub flags: Vec<String>,
    /// Its environment, beside the test's.
    pub environment: Vec<(String, String)>,
    /// What the daemon's `container-runtime.yaml` holds; empty: there is none.
    pub config: String,
    /// Files that the daemon has in `/etc` in place of the host's, which must be there: name and content.
    pub etc: Vec<(String, String)>,
    /// Whether the daemon is in a chroot: in a mere directory, upon whose entries the host's are mounted.
    pub chroot: bool,
    /// The process whose network the daemon has: a [`crate::lan::Host`]'s; none: the test's.
    pub network: Option<u32>,
    /// What its host lacks.
    pub lacks: Vec<Lack>,
}

/// An engine that serves one test.
#[derive(Debug)]
pub struct TestEngine {
    directory: tempfile::TempDir,
    /// `unix://…`
    host: String,
    /// None: an engine that was there before us.
    own: Option<Own>,
}

#[derive(Debug)]
struct Own {
    settings: Settings,
    daemon: Mutex<Child>,
    before: Snapshot,
    /// What the names of its links and its table hold.
    mark: String,
    /// Whether other engines come and go on the same host.
    shared: bool,
}

/// Runs a test with an engine that has `busybox:latest`, and checks that nothing is left of it.
#[track_caller]
pub fn with_engine(test: impl FnOnce(&TestEngine)) {
    with_engine_of(Settings::default(), test);
}

/// The same for a test that only a private engine can serve: it kills the daemon, or looks into its directories.
#[track_caller]
pub fn with_private_engine(settings: Settings, test: impl FnOnce(&TestEngine)) {
    if std::env::var_os("TESTS_DOCKER_HOST").is_some() {
        return need::skip("an engine of its own");
    }
    with_engine_of(settings, test);
}

/// The same with settings.
#[track_caller]
pub fn with_engine_of(settings: Settings, test: impl FnOnce(&TestEngine)) {
    if let Some(lacking) = need::lacks(&[Need::Root, Need::Path(fixtures::BUSYBOX), Need::Program("nft")]) {
        return need::skip(&lacking);
    }
    let engine = TestEngine::start(settings);
    let strangers = engine.containers();
    let result = catch_unwind(AssertUnwindSafe(|| {
        engine.docker(&["load", "--input", &fixtures::busybox().display().to_string()]).ok();
        test(&engine);
    }));
    match (&engine.own, result) {
        (Some(own), Ok(())) => engine.purge_and_check(own),
        (Some(own), Err(panic)) => {
            engine.abandon(own);
            resume_unwind(panic);
        }
        (None, result) => {
            let ours: Vec<_> = engine.containers().into_iter().filter(|id| !strangers.contains(id)).collect();
            for id in ours {
                engine.docker(&["rm", "--force", "--volumes", &id]);
            }
            result.unwrap_or_else(|panic| resume_unwind(panic));
        }
    }
}

impl TestEngine {
    fn start(settings: Settings) -> Self {
        // Short, since a socket's path may have 107 bytes only. `TESTS_DIR`: what a foreign engine sees too.
        let place = std::env::var_os("TESTS_DIR").unwrap_or_else(|| "/tmp".into());
        // Containers with ids of their own have to pass through.
        let open = fs::Permissions::from_mode(0o711);
        let directory = tempfile::Builder::new().prefix("cr-").permissions(open).tempdir_in(place).unwrap();
        if let Ok(host) = std::env::var("TESTS_DOCKER_HOST") {
            return Self { directory, host, own: None };
        }
        let before = leaks::snapshot(directory.path());
        let host = format!("unix://{}/engine.sock", directory.path().display());
        if !settings.config.is_empty() {
            fs::write(directory.path().join("container-runtime.yaml"), &settings.config).unwrap();
        }
        let daemon = Mutex::new(spawn(directory.path(), &host, &settings));
        let shared = std::env::var_os("TESTS_SHARED_HOST").is_some();
        let mut engine = Self {
            directory,
            host,
            own: Some(Own { settings, daemon, before, mark: String::new(), shared }),
        };
        engine.wait_for_ping();
        let mark = engine.mark();
        if let Some(own) = &mut engine.own {
            own.mark = mark;
        }
        engine
    }

    /// The docker command line, run to its end.
    #[track_caller]
    pub fn docker(&self, arguments: &[&str]) -> Run {
        Run::of(&mut self.docker_command(arguments))
    }

    /// Our own command line, run to its end.
    #[track_caller]
    pub fn cr(&self, arguments: &[&str]) -> Run {
        Run::of(&mut self.cr_command(arguments))
    }

    /// The docker command line, to be run.
    pub fn docker_command(&self, arguments: &[&str]) -> Command {
        let mut command = need::docker_cli();
        command.args(arguments).env("DOCKER_HOST", &self.host).env("DOCKER_CONFIG", self.directory.path());
        command.env_remove("DOCKER_CONTEXT");
        command
    }

    /// Our own command line, to be run.
    pub fn cr_command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(program());
        command.args(["-H", &self.host]).args(arguments);
        command
    }

    /// Our own command line where the daemon is: on the same host, which lacks the same.
    #[track_caller]
    pub fn cr_beside_daemon(&self, arguments: &[&str]) -> Run {
        let mut command = beside(self.directory(), &self.own().settings);
        Run::of(command.args(["-H", &self.host]).args(arguments))
    }

    /// The docker command line on a terminal.
    #[track_caller]
    pub fn docker_pty(&self, arguments: &[&str]) -> Pty {
        Pty::spawn(&self.docker_command(arguments))
    }

    /// `docker inspect --format`.
    #[track_caller]
    pub fn inspect(&self, name: &str, format: &str) -> String {
        self.docker(&["inspect", "--format", format, name]).line()
    }

    /// Waits until `docker inspect` says that the container is in this state.
    #[track_caller]
    pub fn wait_for_state(&self, name: &str, state: &str) {
        wait_until(&format!("{name} {state}"), || {
            let run = self.docker(&["inspect", "--format", "{{.State.Status}}", name]);
            run.stdout.trim() == state
        });
    }

    /// A request to the Engine API, with a JSON body or none.
    #[track_caller]
    pub fn api(&self, method: &str, path: &str, body: Option<&serde_json::Value>) -> Response {
        let bytes = body.map(serde_json::Value::to_string);
        self.api_raw(method, path, bytes.as_deref().map(|bytes| ("application/json", bytes.as_bytes())))
    }

    /// The same for a request whose answer the engine may not live to give.
    pub fn try_api(
        &self,
        method: &str,
        path: &str,
        body: Option<&serde_json::Value>,
    ) -> io::Result<Response> {
        let bytes = body.map(serde_json::Value::to_string);
        let body = bytes.as_deref().map(|bytes| ("application/json", bytes.as_bytes()));
        self.try_api_raw(method, path, body)
    }

    /// The same with any body.
    pub fn try_api_raw(&self, method: &str, path: &str, body: Option<(&str, &[u8])>) -> io::Result<Response> {
        http::request(&self.socket(), method, path, body)
    }

    /// A request to the Engine API with any body.
    #[track_caller]
    pub fn api_raw(&self, method: &str, path: &str, body: Option<(&str, &[u8])>) -> Response {
        http::request(&self.socket(), method, path, body)
            .unwrap_or_else(|error| panic!("{method} {path}: {error}"))
    }

    /// `unix://…`, as `DOCKER_HOST` has it.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The socket's path.
    pub fn socket(&self) -> PathBuf {
        self.host.trim_start_matches("unix://").into()
    }

    /// A directory of the test's own, removed at the end. The engine's are `root` and `state` in it.
    pub fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// Process id of the daemon.
    pub fn daemon_pid(&self) -> u32 {
        self.own().daemon.lock().unwrap_or_else(PoisonError::into_inner).id()
    }

    /// `kill -9` of the daemon.
    pub fn kill_daemon(&self) {
        let mut daemon = self.own().daemon.lock().unwrap_or_else(PoisonError::into_inner);
        daemon.kill().unwrap();
        daemon.wait().unwrap();
    }

    /// Waits until the daemon ended by itself.
    #[track_caller]
    pub fn wait_for_daemons_end(&self) {
        wait_until("the daemon's end", || self.has_daemon_ended());
    }

    /// Starts the daemon again, after it ended, with other variables than before.
    #[track_caller]
    pub fn restart_daemon(&self, environment: &[(&str, &str)]) {
        self.spawn_again(environment);
        self.wait_for_ping();
    }

    /// The same for one that may end before it answers: whether it did not.
    #[track_caller]
    pub fn try_restart_daemon(&self, environment: &[(&str, &str)]) -> bool {
        self.spawn_again(environment);
        self.answers_or_ends().is_none()
    }

    /// Whether the daemon has ended, by itself or killed.
    pub fn has_daemon_ended(&self) -> bool {
        self.end_of_daemon().is_some()
    }

    /// The same without waiting until it answers.
    pub fn start_daemon(&self) {
        self.spawn_again(&[]);
    }

    /// Starts the daemon again, after it ended, on a host that lacks something else than before.
    #[track_caller]
    pub fn restart_daemon_without(&self, lacks: &[Lack]) {
        self.spawn_as(&Settings { lacks: lacks.to_vec(), ..self.own().settings.clone() });
        self.wait_for_ping();
    }

    fn spawn_again(&self, environment: &[(&str, &str)]) {
        let mut settings = self.own().settings.clone();
        settings.environment = environment.iter().map(|(k, v)| (k.to_string(), v.to_string())).collect();
        self.spawn_as(&settings);
    }

    fn spawn_as(&self, settings: &Settings) {
        *self.own().daemon.lock().unwrap_or_else(PoisonError::into_inner) =
            spawn(self.directory(), &self.host, settings);
    }

    /// Loads an image of `cargo xtask fixtures`, which is made if it is missing; what the client said.
    #[track_caller]
    pub fn load(&self, name: &str) -> String {
        let archive = tempfile::NamedTempFile::new().unwrap();
        let layout = fixtures::layout(name);
        Run::of(Command::new("tar").arg("-C").arg(layout).arg("-cf").arg(archive.path()).arg(".")).ok();
        self.docker(&["load", "--input", archive.path().to_str().unwrap()]).ok()
    }

    /// What the daemon printed.
    pub fn daemon_log(&self) -> String {
        fs::read_to_string(self.directory().join("daemon.log")).unwrap_or_default()
    }

    /// What is on the host now that was not before the engine was started, its own base (bridge, table, daemon)
    /// included: for tests that compare two moments.
    pub fn footprint(&self) -> Vec<String> {
        let own = self.own();
        leaks::added(&own.before, self.directory(), &own.mark, own.shared)
    }

    /// The digits that tell this engine's names from others', read off its bridge's.
    fn mark(&self) -> String {
        let bridge = self.api("GET", "/networks/bridge", None).json();
        let name =
            bridge["Options"]["com.docker.network.bridge.name"].as_str().unwrap_or_default().to_owned();
        // `ctr` and eight digits.
        name[name.len().saturating_sub(8)..].to_owned()
    }

    fn own(&self) -> &Own {
        self.own.as_ref().expect("a private engine")
    }

    #[track_caller]
    fn wait_for_ping(&self) {
        let ended = self.answers_or_ends();
        assert!(ended.is_none(), "the daemon ended, {ended:?}:\n{}", self.daemon_log());
    }

    /// Waits until the daemon answers, or has ended: how.
    #[track_caller]
    fn answers_or_ends(&self) -> Option<ExitStatus> {
        let mut ended = None;
        wait_until("the daemon's _ping", || {
            ended = self.end_of_daemon();
            ended.is_some()
                || http::request(&self.socket(), "GET", "/_ping", None).is_ok_and(|pong| pong.status == 200)
        });
        ended
    }

    /// How the daemon has ended, if it has.
    pub fn end_of_daemon(&self) -> Option<ExitStatus> {
        let own = self.own.as_ref()?;
        own.daemon.lock().unwrap_or_else(PoisonError::into_inner).try_wait().unwrap()
    }

    fn containers(&self) -> Vec<String> {
        self.docker(&["ps", "--all", "--quiet", "--no-trunc"]).stdout.lines().map(str::to_owned).collect()
    }

    /// Takes the engine off the host and fails if anything stays.
    #[track_caller]
    fn purge_and_check(&self, own: &Own) {
        self.cr(&["system", "shutdown", "--purge"]).ok();
        self.wait_for_daemons_end();
        let left = leaks::left(&own.before, self.directory(), &own.mark, own.shared);
        assert!(left.is_empty(), "left after the purge:\n{}\n{}", left.join("\n"), self.daemon_log());
    }

    /// After a failed test: shows the daemon's log and cleans up as far as possible.
    fn abandon(&self, own: &Own) {
        let log = self.daemon_log();
        let tail: Vec<_> = log.lines().rev().take(60).collect();
        eprintln!("the daemon's log ends:\n{}", tail.into_iter().rev().collect::<Vec<_>>().join("\n"));
        let _ = self.cr_command(&["system", "shutdown", "--purge"]).stdin(Stdio::null()).output();
        let mut daemon = own.daemon.lock().unwrap_or_else(PoisonError::into_inner);
        let _ = daemon.kill();
        let _ = daemon.wait();
        let here = self.directory().display().to_string();
        for mount in leaks::mounts().iter().rev().filter(|mount| mount.starts_with(&here)) {
            let _ = rustix::mount::unmount(mount.as_str(), rustix::mount::UnmountFlags::DETACH);
        }
    }
}
