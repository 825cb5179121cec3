//! Mutual exclusion between the engines that share a network namespace.

use crate::{Error, Result};
use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType};
use std::os::fd::OwnedFd;
use std::thread;
use std::time::{Duration, Instant};

const RETRY: Duration = Duration::from_millis(2);

/// Held while ranges of addresses are chosen and taken into use.
///
/// It is the name of an abstract unix socket: exactly as wide as the network namespace whose ranges it guards, and
/// gone with its holder, however that one ends.
#[derive(Debug)]
pub struct NamespaceLock {
    _socket: OwnedFd,
}

impl NamespaceLock {
    /// Takes the lock called `name`, waiting up to `limit` for another process to let go of it.
    ///
    /// # Errors
    /// [`Error::LockHeld`] after that time.
    pub fn acquire(name: &'static str, limit: Duration) -> Result<Self> {
        let socket_error = |action| move |cause: Errno| Error::Socket { action, cause: cause.into() };
        let address = SocketAddrUnix::new_abstract_name(name.as_bytes()).map_err(socket_error("name"))?;
        let socket =
            rustix::net::socket_with(AddressFamily::UNIX, SocketType::DGRAM, SocketFlags::CLOEXEC, None)
                .map_err(socket_error("open"))?;
        let deadline = Instant::now() + limit;
        loop {
            match rustix::net::bind(&socket, &address) {
                Ok(()) => return Ok(Self { _socket: socket }),
                Err(Errno::ADDRINUSE) if Instant::now() < deadline => thread::sleep(RETRY),
                Err(Errno::ADDRINUSE) => return Err(Error::LockHeld { name, limit }),
                Err(cause) => return Err(socket_error("bind")(cause)),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lock_excludes_and_ends_with_its_holder() {
        let name = "container-runtime/test/lock";
        let held = NamespaceLock::acquire(name, Duration::ZERO).unwrap();
        let refused = NamespaceLock::acquire(name, Duration::from_millis(5));
        assert!(matches!(refused, Err(Error::LockHeld { .. })));
        drop(held);
        NamespaceLock::acquire(name, Duration::ZERO).unwrap();
    }
}
