//! The socket by which netd is told what is so.

use super::state::Task;
use crate::watched::{connected, watched};
use anyhow::{Context, Result};
use netd_protocol::{MAX_DESCRIPTORS, MAX_MESSAGE, Request, Response, file};
use rustix::fs::{Mode, OFlags};
use rustix::net::{
    AddressFamily, RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, ReturnFlags, SendFlags,
    SocketAddrUnix, SocketFlags, SocketType,
};
use std::io::{self, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{AsRawFd, OwnedFd};
use std::path::Path;
use tokio::io::unix::AsyncFd;
use tokio::sync::{mpsc, oneshot};

/// Listens in the state directory, in the place of who did before.
pub(super) fn listen(state: &Path) -> Result<OwnedFd> {
    let path = state.join(file::SOCKET);
    let listen = || -> io::Result<OwnedFd> {
        durable::remove_optional(&path).map_err(|error| error.source)?;
        // A socket's path may have 107 bytes and the directory's be longer.
        let directory =
            rustix::fs::open(state, OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())?;
        let short = format!("/proc/self/fd/{}/{}", directory.as_raw_fd(), file::SOCKET);
        let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
        let socket = rustix::net::socket_with(AddressFamily::UNIX, SocketType::SEQPACKET, flags, None)?;
        // Nobody connects before the permissions are right, as it does not listen yet.
        rustix::net::bind(&socket, &SocketAddrUnix::new(&*short)?)?;
        rustix::fs::chmod(&path, Mode::RUSR | Mode::WUSR)?;
        rustix::net::listen(&socket, 16)?;
        Ok(socket)
    };
    listen().with_context(|| format!("listen on {}", path.display()))
}

/// Serves who connects.
pub(super) async fn accept(listener: OwnedFd, tasks: mpsc::Sender<Task>) {
    let Ok(listener) = watched(listener) else { return };
    while let Ok(mut ready) = listener.readable().await {
        let accepted = ready.try_io(|listener| {
            let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
            Ok(rustix::net::accept_with(listener.get_ref(), flags)?)
        });
        match accepted {
            Ok(Ok(connection)) => drop(tokio::spawn(serve(connection, tasks.clone()))),
            Ok(Err(error)) => {
                tracing::warn!(%error, "a connection can't be accepted");
                // Without free descriptors it would fail again at once.
                tokio::time::sleep(std::time::Duration::from_millis(100)).await;
            }
            Err(_) => {}
        }
    }
}

async fn serve(connection: OwnedFd, tasks: mpsc::Sender<Task>) {
    // Both fail when this process ends too.
    let _ = tasks.send(Task::Came).await;
    if let Err(error) = answer_all(connection, &tasks).await {
        tracing::debug!(%error, "a connection broke off");
    }
    let _ = tasks.send(Task::Went).await;
}

async fn answer_all(connection: OwnedFd, tasks: &mpsc::Sender<Task>) -> io::Result<()> {
    let connection = connected(connection)?;
    while let Some((message, descriptors)) = receive(&connection).await? {
        let mut last = false;
        let response = match serde_json::from_slice(&message) {
            Ok(request) => {
                last = request == Request::Stop;
                let (sender, receiver) = oneshot::channel();
                if tasks.send(Task::Request(request, descriptors, sender)).await.is_err() {
                    return Ok(());
                }
                receiver.await.unwrap_or_default()
            }
            Err(error) => Response { error: Some(format!("no request: {error}")), ..Response::default() },
        };
        let bytes = serde_json::to_vec(&response).map_err(io::Error::other)?;
        loop {
            let mut ready = connection.writable().await?;
            let sent = ready.try_io(|connection| {
                Ok(rustix::net::send(connection.get_ref(), &bytes, SendFlags::NOSIGNAL)?)
            });
            if let Ok(sent) = sent {
                sent?;
                break;
            }
        }
        if last {
            // It fails where the end has come by another way.
            let _ = tasks.send(Task::End).await;
        }
    }
    Ok(())
}

/// One message, with what came along; none at the end.
async fn receive(connection: &AsyncFd<OwnedFd>) -> io::Result<Option<(Vec<u8>, Vec<OwnedFd>)>> {
    loop {
        let mut ready = connection.readable().await?;
        if let Ok(received) = ready.try_io(|connection| receive_now(connection.get_ref())) {
            return received;
        }
    }
}

fn receive_now(connection: &OwnedFd) -> io::Result<Option<(Vec<u8>, Vec<OwnedFd>)>> {
    let mut message = vec![0; MAX_MESSAGE];
    let mut room = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(MAX_DESCRIPTORS))];
    let mut ancillary = RecvAncillaryBuffer::new(&mut room);
    let flags = RecvFlags::CMSG_CLOEXEC;
    let mut parts = [IoSliceMut::new(&mut message)];
    let received = rustix::net::recvmsg(connection, &mut parts, &mut ancillary, flags)?;
    let mut descriptors = Vec::new();
    for one in ancillary.drain() {
        if let RecvAncillaryMessage::ScmRights(several) = one {
            descriptors.extend(several);
        }
    }
    if received.flags.intersects(ReturnFlags::TRUNC | ReturnFlags::CTRUNC) {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "a message is too long"));
    }
    message.truncate(received.bytes);
    message.shrink_to_fit();
    Ok((received.bytes > 0).then_some((message, descriptors)))
}
