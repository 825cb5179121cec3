//! Streams: each side's bytes go through a pipe of the kernel's to the other (`splice(2)`).

use rustix::pipe::{PipeFlags, SpliceFlags, pipe_with, splice};
use std::io;
use std::net::SocketAddr;
use std::os::fd::OwnedFd;
use std::time::Duration;
use tokio::io::Interest;
use tokio::net::{TcpListener, TcpSocket, TcpStream};

/// So many wait until they are met.
const BACKLOG: u32 = 1024;
/// What a pipe holds.
const PIECE: usize = 64 * 1024;
/// How long nobody is met after the kernel refused something that others may give back.
const PAUSE: Duration = Duration::from_millis(50);

/// Listens, at once again where connections of the past linger.
pub(super) fn listen(own: SocketAddr) -> io::Result<TcpListener> {
    let socket = TcpSocket::new_v6()?;
    socket.set_reuseaddr(true)?;
    socket.bind(own)?;
    socket.listen(BACKLOG)
}

/// Meets whoever comes, until it is dropped.
pub(super) async fn serve(listener: TcpListener, target: SocketAddr) {
    loop {
        match listener.accept().await {
            Ok((client, _)) => drop(tokio::spawn(carry(client, target))),
            Err(error) => {
                tracing::debug!(%error, %target, "nobody is met for a moment");
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
}

/// Carries one connection to its end. A container that refuses it, or breaks off, has the client see the same.
async fn carry(client: TcpStream, target: SocketAddr) {
    let carried = async {
        let server = TcpStream::connect(target).await?;
        client.set_nodelay(true)?;
        server.set_nodelay(true)?;
        tokio::try_join!(pass(&client, &server), pass(&server, &client))
    };
    if let Err(error) = carried.await {
        tracing::debug!(%error, %target, "a carried connection broke off");
        // Without this the client would take it for an orderly end.
        let _ = rustix::net::sockopt::set_socket_linger(&client, Some(Duration::ZERO));
    }
}

/// Passes on what one side says until it has said everything, and then that.
async fn pass(from: &TcpStream, to: &TcpStream) -> io::Result<()> {
    let (reader, writer) = pipe_with(PipeFlags::CLOEXEC | PipeFlags::NONBLOCK)?;
    loop {
        let mut held = from.async_io(Interest::READABLE, || move_bytes(from, &writer, PIECE)).await?;
        if held == 0 {
            rustix::net::shutdown(to, rustix::net::Shutdown::Write)?;
            return Ok(());
        }
        while held > 0 {
            held -= to.async_io(Interest::WRITABLE, || move_bytes_out(&reader, to, held)).await?;
        }
    }
}

/// The pipe is empty, so it is the socket that has nothing.
fn move_bytes(from: &TcpStream, pipe: &OwnedFd, most: usize) -> io::Result<usize> {
    Ok(splice(from, None, pipe, None, most, SpliceFlags::NONBLOCK | SpliceFlags::MOVE)?)
}

/// The pipe holds something, so it is the socket that is full.
fn move_bytes_out(pipe: &OwnedFd, to: &TcpStream, most: usize) -> io::Result<usize> {
    Ok(splice(pipe, None, to, None, most, SpliceFlags::NONBLOCK | SpliceFlags::MOVE)?)
}
