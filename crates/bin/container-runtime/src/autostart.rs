//! A command that finds no daemon starts one: systemd's unit where there is one, else a process of its own.

use std::fs::File;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// How long a new daemon may take to answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// Starts the host's daemon in a session of its own and returns once it listens on `socket`.
pub(crate) fn start(socket: &Path) -> Result<(), String> {
    if !rustix::process::geteuid().is_root() {
        return Err(
            "only root can start it: run `sudo container-runtime daemon`, or enable its service".into()
        );
    }
    // Settings that can't be read are the daemon's to complain of.
    if engine::settings::Sources::of(None).load().is_ok_and(|read| !read.settings.runtime.autostart) {
        return Err("runtime.autostart forbids commands to start it: run `container-runtime daemon`".into());
    }
    if unit_is_installed() {
        return start_unit();
    }
    let program =
        std::env::current_exe().map_err(|error| format!("find this program's own file: {error}"))?;
    let log_path = Path::new("/var/log/container-runtime.log");
    let log = File::options().create(true).append(true).open(log_path);
    let (out, err) = match log.and_then(|log| Ok((log.try_clone()?, log))) {
        Ok((out, err)) => (Stdio::from(out), Stdio::from(err)),
        Err(_) => (Stdio::null(), Stdio::null()),
    };
    let mut child = Command::new(program)
        .args(["daemon", "--host", &format!("unix://{}", socket.display())])
        .current_dir("/")
        .stdin(Stdio::null())
        .stdout(out)
        .stderr(err)
        .process_group(0)
        .spawn()
        .map_err(|error| format!("start the daemon: {error}"))?;
    let begin = Instant::now();
    loop {
        if std::os::unix::net::UnixStream::connect(socket).is_ok() {
            return Ok(());
        }
        if let Ok(Some(status)) = child.try_wait() {
            return Err(format!("the daemon ended at once ({status}): see {}", log_path.display()));
        }
        if begin.elapsed() > PATIENCE {
            return Err(format!("the daemon does not answer after {PATIENCE:?}: see {}", log_path.display()));
        }
        std::thread::sleep(Duration::from_millis(2));
    }
}

const UNIT: &str = "container-runtime.service";

/// `systemd.unit(5)`: where units lie that an administrator or a package has put there.
fn unit_is_installed() -> bool {
    const PLACES: [&str; 4] = [
        "/etc/systemd/system",
        "/usr/local/lib/systemd/system",
        "/usr/lib/systemd/system",
        "/lib/systemd/system",
    ];
    Path::new("/run/systemd/system").exists()
        && PLACES.iter().any(|place| Path::new(place).join(UNIT).exists())
}

/// A daemon beside its unit would keep the unit from ever starting.
fn start_unit() -> Result<(), String> {
    let output = Command::new("systemctl")
        .args(["start", UNIT])
        .stdin(Stdio::null())
        .output()
        .map_err(|error| format!("run systemctl start {UNIT}: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    let complaint = String::from_utf8_lossy(&output.stderr);
    Err(format!("systemctl start {UNIT}: {}", complaint.trim()))
}
