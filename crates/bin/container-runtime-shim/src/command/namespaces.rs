//! `namespaces`: makes namespaces for the engine, which has too many threads to do so, and holds them until it has them.
//!
//! Descriptor 3 is a stream socket: one zero byte says that they are there, anything else why not; its end says that
//! this program is not needed any more.

use crate::error::{Error, Result};
use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};
use std::io::{Read, Write};
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::path::Path;

/// The socket.
const SOCKET: i32 = 3;
/// A user namespace that exists, for `network`.
const USER: i32 = 4;

/// `user`: a user namespace and a network namespace in it. `network`: a network namespace in the user namespace that is
/// descriptor 4.
pub(crate) fn namespaces(wanted: Option<&Path>) -> Result<()> {
    let socket = sys::fds::inherit(SOCKET).map_err(Error::kernel("take the socket as descriptor 3"))?;
    let mut socket = UnixStream::from(socket);
    let made = make(wanted);
    let answer = made.as_ref().map_or_else(|error| errors::chain(error).into_bytes(), |()| vec![0]);
    let hold = |mut socket: UnixStream| socket.read_to_end(&mut Vec::new());
    socket.write_all(&answer).and_then(|()| hold(socket)).map_err(Error::kernel("answer the engine"))?;
    made
}

fn make(wanted: Option<&Path>) -> Result<()> {
    match wanted.and_then(Path::to_str) {
        Some("user") => sys::namespaces::unshare_user_and_network()
            .map_err(Error::kernel("make a user namespace with a network namespace")),
        Some("network") => {
            let user = sys::fds::inherit(USER).map_err(Error::kernel("take descriptor 4"))?;
            move_into_link_name_space(user.as_fd(), Some(LinkNameSpaceType::User))
                .map_err(Error::kernel("join the user namespace"))?;
            sys::netns::unshare().map_err(Error::kernel("make a network namespace in the user namespace"))
        }
        _ => Err(Error::invalid("namespaces: one of user, network")),
    }
}
