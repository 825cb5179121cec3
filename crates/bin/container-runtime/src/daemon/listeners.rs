//! Binding the addresses of the API.

use super::options::Options;
use anyhow::{Context, Result, bail};
use docker_api::{Listener, TlsFiles};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

/// The group that may use the unix sockets, if no flag names one. It need not exist.
const DEFAULT_GROUP: &str = "docker";

/// Bound listeners, and the sockets to remove at the end.
pub(super) struct Listeners {
    pub(super) bound: Vec<Listener>,
    sockets: Vec<PathBuf>,
}

impl Listeners {
    /// The paths of the sockets that were made elsewhere, and stay.
    pub(super) fn inherited(&self) -> Vec<PathBuf> {
        let path = |listener: &Listener| match listener {
            Listener::Unix(_, path) if !self.sockets.contains(path) => Some(path.clone()),
            _ => None,
        };
        self.bound.iter().filter_map(path).collect()
    }

    /// Removes the sockets that were made here.
    pub(super) fn remove(&self) {
        for socket in &self.sockets {
            // One that is gone already is no matter.
            let _ = std::fs::remove_file(socket);
        }
    }
}

/// Binds what the flags name: by default `engine.sock` in the state directory.
pub(super) async fn bind(options: &Options, state: &Path) -> Result<Listeners> {
    let mut listeners = Listeners { bound: Vec::new(), sockets: Vec::new() };
    let default = [format!("unix://{}", state.join("engine.sock").display())];
    let hosts = if options.hosts.is_empty() { &default[..] } else { &options.hosts[..] };
    for host in hosts {
        one(host, options, &mut listeners).await.with_context(|| format!("listen on {host}"))?;
    }
    Ok(listeners)
}

async fn one(host: &str, options: &Options, into: &mut Listeners) -> Result<()> {
    if let Some(path) = host.strip_prefix("unix://") {
        let path = std::path::absolute(path)?;
        if let Some(dir) = path.parent() {
            durable::create_dir_all(dir, 0o711)?;
        }
        let group = match &options.group {
            Some(name) => Some(group_id(name)?.with_context(|| format!("there is no group {name}"))?),
            None => group_id(DEFAULT_GROUP)?,
        };
        into.bound.push(docker_api::unix(&path, group)?);
        into.sockets.push(path);
    } else if let Some(address) = host.strip_prefix("tcp://") {
        let address: SocketAddr = address
            .parse()
            .context("an address is ADDRESS:PORT with a numeric address, as in tcp://127.0.0.1:2376")?;
        into.bound.push(if options.tls || options.tlsverify {
            let files = TlsFiles {
                certificate: options.tlscert.clone(),
                key: options.tlskey.clone(),
                client_authority: options.tlsverify.then(|| options.tlscacert.clone()),
            };
            docker_api::tls(address, files).await?
        } else {
            if !address.ip().is_loopback() {
                tracing::warn!(%address, "without --tlsverify everybody who reaches this port is root on this host");
            }
            docker_api::tcp(address).await?
        });
    } else if host == "fd://" {
        into.bound.extend(inherited()?);
    } else {
        bail!("use unix://PATH, tcp://ADDRESS:PORT or fd://");
    }
    Ok(())
}

/// Sockets passed by systemd (`sd_listen_fds(3)`): unix sockets from descriptor 3 on.
fn inherited() -> Result<Vec<Listener>> {
    let number = |name| std::env::var(name).ok().and_then(|text| text.parse::<i32>().ok());
    if number("LISTEN_PID") != i32::try_from(std::process::id()).ok() {
        bail!("no socket was passed to this process: fd:// is for socket activation");
    }
    let count = number("LISTEN_FDS").unwrap_or(0);
    (3..3 + count)
        .map(|fd| docker_api::inherited(sys::fds::inherit(fd)?).context("take a passed socket"))
        .collect()
}

/// The number of a group of this host; none where it does not exist: then only root may use the socket.
fn group_id(name: &str) -> Result<Option<u32>> {
    if let Ok(number) = name.parse() {
        return Ok(Some(number));
    }
    let text = durable::read_optional(Path::new("/etc/group"))?.unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let mut groups = text.lines().map(|line| line.split(':').collect::<Vec<_>>());
    Ok(groups.find(|fields| fields.first() == Some(&name)).and_then(|fields| fields.get(2)?.parse().ok()))
}
