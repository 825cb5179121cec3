//! `start`: how containerd starts a shim. It binds a socket, leaves a serving process behind and prints its address.

use crate::arguments::Flags;
use crate::error::{Error, Result};
use std::ffi::OsStr;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::{ErrorKind, Write};
use std::os::fd::AsFd;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};

/// Where sockets go when no containerd says where it lives.
const DIRECTORY: &str = "/run/container-runtime";

/// Starts a serving shim for the bundle in the working directory.
pub(crate) fn start(flags: &Flags) -> Result<()> {
    if flags.id.is_empty() {
        return Err(Error::invalid("start needs -id"));
    }
    let socket = socket_path(flags);
    let listener = bind(&socket)?;
    serve(&listener, flags)?;
    let address = format!("unix://{}", socket.display());
    // Where containerd looks for it after a restart of its own.
    std::fs::write("address", &address).map_err(|cause| Error::file("write", Path::new("address"), cause))?;
    let mut stdout = std::io::stdout().lock();
    stdout
        .write_all(address.as_bytes())
        .and_then(|()| stdout.flush())
        .map_err(Error::kernel("print the address"))
}

/// A short one: a bundle's would not fit into a socket's address.
fn socket_path(flags: &Flags) -> PathBuf {
    let home = Path::new(&flags.address).parent().filter(|home| home.is_absolute());
    let mut hasher = DefaultHasher::new();
    (&flags.address, &flags.namespace, &flags.id).hash(&mut hasher);
    home.unwrap_or_else(|| Path::new(DIRECTORY)).join("s").join(format!("{:016x}", hasher.finish()))
}

fn bind(path: &Path) -> Result<UnixListener> {
    let directory = path.parent().unwrap_or_else(|| Path::new("/"));
    std::fs::create_dir_all(directory).map_err(|cause| Error::file("make", directory, cause))?;
    match UnixListener::bind(path) {
        Err(error) if error.kind() == ErrorKind::AddrInUse && UnixStream::connect(path).is_err() => {
            // Of a shim that is gone.
            std::fs::remove_file(path).map_err(|cause| Error::file("remove", path, cause))?;
            UnixListener::bind(path)
        }
        bound => bound,
    }
    .map_err(|cause| Error::file("bind", path, cause))
}

fn serve(listener: &UnixListener, flags: &Flags) -> Result<()> {
    let program = std::env::current_exe().map_err(Error::kernel("find the shim's own program"))?;
    let names = ["TTRPC_ADDRESS", "CONTAINER_RUNTIME_SHIM_TRACE"];
    let values = names.map(|name| (name, std::env::var_os(name)));
    let environment: Vec<_> =
        values.iter().filter_map(|(name, value)| Some((*name, value.as_deref()?))).collect();
    sys::spawn::spawn(&sys::spawn::Program {
        path: &program,
        arguments: &["-namespace", flags.namespace.as_str(), "serve"].map(OsStr::new),
        environment: &environment,
        descriptors: &[(listener.as_fd(), 3)],
    })
    .map(drop)
    .map_err(|cause| Error::file("execute", &program, cause))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_socket_is_short_and_belongs_to_one_container() {
        let flags = |id: &str| Flags {
            address: "/run/containerd/containerd.sock".to_owned(),
            id: id.repeat(64),
            ..Flags::default()
        };
        let path = socket_path(&flags("a"));
        assert!(path.starts_with("/run/containerd/s") && path.as_os_str().len() < 107, "{path:?}");
        assert_ne!(path, socket_path(&flags("b")));
        assert!(socket_path(&Flags::default()).starts_with(DIRECTORY));
    }
}
