//! The engines that are measured.

use crate::api;
use crate::options::Options;
use anyhow::{Context, Result, bail, ensure};
use engine_client::{Client, Transport, Upload};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// How long a daemon may take to answer.
const PATIENCE: Duration = Duration::from_secs(30);

/// What our own engine is called in reports.
const OURS: &str = "container-runtime";

/// An engine.
#[derive(Debug)]
pub(crate) struct Target {
    pub(crate) name: String,
    pub(crate) address: String,
    pub(crate) client: Client,
    private: Option<Private>,
}

/// An engine of our own, made for this run.
#[derive(Debug)]
struct Private {
    dir: PathBuf,
    daemon: Child,
}

impl Target {
    /// Our own engine first, then the peers.
    pub(crate) async fn all(options: &Options) -> Result<Vec<Self>> {
        let own = match &options.target {
            Some(address) => Self::existing(OURS, address)?,
            None => Self::private().await?,
        };
        let mut targets = vec![own];
        for peer in &options.peers {
            let (name, address) = peer.split_once('=').context("a peer is NAME=ADDRESS")?;
            targets.push(Self::existing(name, address)?);
        }
        for target in &targets {
            target
                .client
                .ping()
                .await
                .with_context(|| format!("{} at {} does not answer", target.name, target.address))?;
        }
        Ok(targets)
    }

    fn existing(name: &str, address: &str) -> Result<Self> {
        Ok(Self { name: name.into(), address: address.into(), client: api::client(address)?, private: None })
    }

    async fn private() -> Result<Self> {
        let dir = std::env::temp_dir().join(format!("container-runtime-benchmark-{}", std::process::id()));
        std::fs::create_dir_all(&dir).with_context(|| format!("make {}", dir.display()))?;
        let address = format!("unix://{}", dir.join("engine.sock").display());
        let daemon = spawn(&dir)?;
        let target = Self {
            name: OURS.into(),
            client: api::client(&address)?,
            address,
            private: Some(Private { dir, daemon }),
        };
        target.answers().await?;
        Ok(target)
    }

    /// Whether it is this program's, private or not.
    pub(crate) fn is_ours(&self) -> bool {
        self.name == OURS
    }

    pub(crate) fn is_private(&self) -> bool {
        self.private.is_some()
    }

    /// Waits until the daemon answers; how long that took.
    pub(crate) async fn answers(&self) -> Result<Duration> {
        let begin = Instant::now();
        loop {
            // A new client each time: the first answer is what counts, not a connection from before.
            if api::client(&self.address)?.ping().await.is_ok() {
                return Ok(begin.elapsed());
            }
            ensure!(begin.elapsed() < PATIENCE, "{} does not answer within {PATIENCE:?}", self.name);
            tokio::time::sleep(Duration::from_micros(200)).await;
        }
    }

    /// Kills our daemon and starts it again; how long until it answers.
    pub(crate) async fn restart(&mut self) -> Result<Duration> {
        let private = self.private.as_mut().context("only a private engine can be restarted")?;
        private.daemon.kill()?;
        private.daemon.wait()?;
        private.daemon = spawn(&private.dir)?;
        self.client = api::client(&self.address)?;
        self.answers().await
    }

    /// Process id of the daemon: who listens on its socket.
    pub(crate) fn daemon_pid(&self) -> Result<i32> {
        let Transport::Unix(path) = &self.client.endpoint().transport else {
            bail!("{} is not on a unix socket", self.name);
        };
        let stream = std::os::unix::net::UnixStream::connect(path)?;
        Ok(rustix::net::sockopt::socket_peercred(&stream)?.pid.as_raw_nonzero().get())
    }

    /// Makes sure that the engine has the image.
    pub(crate) async fn prepare(&self, image: &str) -> Result<()> {
        if self.client.get(format!("/images/{image}/json")).bytes().await.is_ok() {
            return Ok(());
        }
        let archive = busybox()?;
        let (repository, tag) = image.rsplit_once(':').unwrap_or((image, "latest"));
        self.client
            .post("/images/create")
            .query("fromSrc", "-")
            .query("repo", repository)
            .query("tag", tag)
            .query("changes", "ENV PATH=/bin")
            .upload(Upload::from_reader(std::io::Cursor::new(archive)), "application/x-tar")
            .bytes()
            .await
            .context("import the host's busybox")?;
        Ok(())
    }

    /// Purges an engine that was made for this run.
    pub(crate) async fn close(self) -> Result<()> {
        let Some(Private { dir, mut daemon }) = self.private else { return Ok(()) };
        let program = std::env::current_exe()?;
        let status =
            Command::new(program).args(["-H", &self.address, "system", "shutdown", "--purge"]).status()?;
        daemon.wait()?;
        std::fs::remove_dir_all(&dir).with_context(|| format!("remove {}", dir.display()))?;
        ensure!(status.success(), "the private engine could not be purged");
        Ok(())
    }
}

fn spawn(dir: &Path) -> Result<Child> {
    let log = std::fs::File::options().create(true).append(true).open(dir.join("daemon.log"))?;
    Command::new(std::env::current_exe()?)
        .arg("daemon")
        .args([
            "--root".as_ref(),
            dir.join("root").as_os_str(),
            "--state".as_ref(),
            dir.join("state").as_os_str(),
        ])
        .args(["-H", &format!("unix://{}", dir.join("engine.sock").display()), "--log-level", "warn"])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(log)
        .spawn()
        .context("start a private daemon")
}

/// A root file system with busybox and the names that are measured with.
fn busybox() -> Result<Vec<u8>> {
    let found = ["/bin/busybox", "/usr/bin/busybox"].iter().find_map(|path| std::fs::read(path).ok());
    let program = found.context("this host has no busybox: install the package busybox-static")?;
    let mut archive = tar::Builder::new(Vec::new());
    let mut header = tar::Header::new_gnu();
    header.set_entry_type(tar::EntryType::Directory);
    header.set_mode(0o755);
    header.set_size(0);
    for dir in ["bin/", "tmp/", "proc/", "sys/", "dev/", "etc/"] {
        archive.append_data(&mut header.clone(), dir, std::io::empty())?;
    }
    let mut header = tar::Header::new_gnu();
    header.set_mode(0o755);
    header.set_size(program.len() as u64);
    archive.append_data(&mut header, "bin/busybox", &program[..])?;
    for name in ["sh", "true", "sleep", "cat", "echo"] {
        let mut header = tar::Header::new_gnu();
        header.set_entry_type(tar::EntryType::Symlink);
        header.set_mode(0o777);
        header.set_size(0);
        archive.append_link(&mut header, format!("bin/{name}"), "busybox")?;
    }
    Ok(archive.into_inner()?)
}
