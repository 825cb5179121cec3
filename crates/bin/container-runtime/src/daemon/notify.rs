//! Telling a service manager how it stands (`sd_notify(3)`).

use rustix::net::{AddressFamily, SendFlags, SocketAddrUnix, SocketFlags, SocketType};

/// The API is served.
pub(super) fn ready() {
    send("READY=1\nSTATUS=Serving");
}

/// The end has begun.
pub(super) fn stopping() {
    send("STOPPING=1\nSTATUS=Ending");
}

fn send(message: &str) {
    let Ok(socket) = std::env::var("NOTIFY_SOCKET") else { return };
    if let Err(error) = try_send(&socket, message) {
        tracing::debug!(%error, socket, "notify the service manager");
    }
}

fn try_send(socket: &str, message: &str) -> rustix::io::Result<()> {
    let address = match socket.strip_prefix('@') {
        Some(name) => SocketAddrUnix::new_abstract_name(name.as_bytes())?,
        None => SocketAddrUnix::new(socket)?,
    };
    let fd = rustix::net::socket_with(AddressFamily::UNIX, SocketType::DGRAM, SocketFlags::CLOEXEC, None)?;
    rustix::net::sendto(&fd, message.as_bytes(), SendFlags::empty(), &address)?;
    Ok(())
}
