//! How a test's daemon is started: with which words, and in which namespaces.

use crate::engine::Settings;
use crate::lacking;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// Starts the daemon of a test.
pub(crate) fn spawn(directory: &Path, host: &str, settings: &Settings) -> Child {
    let log = File::options().create(true).append(true).open(directory.join("daemon.log")).unwrap();
    let mut command = daemon_command(directory, settings);
    command.arg("daemon").arg("--root").arg(directory.join("root"));
    command.arg("--state").arg(directory.join("state")).args(["-H", host]).args(&settings.flags);
    let cgroupfs = settings.flags.iter().any(|flag| flag == "--cgroup-driver=cgroupfs");
    if cgroupfs || !Path::new("/run/systemd/system").exists() {
        // With the test's name in it, to be found by the leak check.
        let name = directory.file_name().unwrap_or_default().to_string_lossy();
        command.arg("--cgroup-parent").arg(format!("/container-runtime-{name}"));
    }
    let config = directory.join("container-runtime.yaml");
    if config.exists() {
        command.arg("--config-file").arg(config);
    }
    command.envs(settings.environment.iter().map(|(name, value)| (name, value)));
    command.stdin(Stdio::null()).stdout(log.try_clone().unwrap()).stderr(log);
    command.spawn().unwrap_or_else(|error: io::Error| {
        panic!("cannot start {}: {error}; build it first: cargo build", program().display())
    })
}

/// Our program where a test's daemon is: on the same host, which lacks the same.
pub(crate) fn beside(directory: &Path, settings: &Settings) -> Command {
    daemon_command(directory, settings)
}

/// Our program, where the settings want it: in another's network; in a mount namespace of its own where it shall see other files
/// than the host's; without what the host is to lack.
fn daemon_command(directory: &Path, settings: &Settings) -> Command {
    let mut words: Vec<String> = Vec::new();
    if let Some(pid) = settings.network {
        words.extend(["nsenter", "--target", &pid.to_string(), "--net"].map(str::to_owned));
    }
    let script = script(directory, settings);
    if !script.is_empty() {
        let script = format!("set -e; {script}exec $enter \"$0\" \"$@\"");
        words.extend(["unshare", "--mount", "sh", "-c", &script].map(str::to_owned));
    }
    words.extend(lacking::launcher(&settings.lacks));
    words.push(program().display().to_string());
    let mut command = Command::new(&words[0]);
    command.args(&words[1..]);
    command
}

/// What is done in the daemon's mount namespace before it is started.
fn script(directory: &Path, settings: &Settings) -> String {
    let mut script = lacking::script(&settings.lacks);
    for (name, content) in &settings.etc {
        let file = directory.join(name);
        fs::write(&file, content).unwrap();
        script.push_str(&format!("mount --bind {} /etc/{name}; ", file.display()));
    }
    if settings.chroot {
        script.push_str(&format!("root={}; {CHROOT}", directory.join("chroot").display()));
    }
    script
}

/// Puts the host's directories into `$root`.
const CHROOT: &str = "enter=\"chroot $root\"; mkdir -p $root; for entry in /*; do \
    if [ -L $entry ]; then cp -Pf $entry $root/; \
    elif [ -d $entry ]; then mkdir -p $root$entry; mount --rbind $entry $root$entry; fi; done; ";

/// Our program: `CONTAINER_RUNTIME`, or the one that was built beside this test.
pub(crate) fn program() -> PathBuf {
    std::env::var_os("CONTAINER_RUNTIME").map(PathBuf::from).unwrap_or_else(|| {
        let test = std::env::current_exe().unwrap();
        let profile = test.ancestors().nth(2).expect("tests lie in target/<profile>/deps");
        profile.join("container-runtime")
    })
}
