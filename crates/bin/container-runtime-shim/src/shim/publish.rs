//! Telling the daemon what happens by itself: containerd's events, as far as they can be delivered at once.

use super::Shim;
use super::respond::encode;
use super::state::timestamp;
use crate::log::note;
use crate::poll::{Interest, Token, Watch};
use crate::ttrpc::{Kind, encode as frame};
use containerd_shim_protos::api::ForwardRequest;
use containerd_shim_protos::events::task::{TaskExit, TaskOOM};
use containerd_shim_protos::protobuf::well_known_types::any::Any;
use containerd_shim_protos::shim::event::Envelope;
use containerd_shim_protos::ttrpc::Request;
use containerd_shim_protos::ttrpc::proto::KeyValue;
use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType, connect, socket_with};
use shim_protocol::Exit;
use std::os::fd::{AsRawFd, OwnedFd};
use std::path::Path;

/// What happened.
pub(super) enum Topic {
    OutOfMemory { id: String },
    Exit { container: String, exec: String, pid: i32, exit: Exit },
}

impl Shim {
    /// Sends an event to whom it concerns; a lost one is noted.
    pub(super) fn publish(&mut self, topic: &Topic) {
        let Some(address) = self.address(topic) else { return };
        match send(&address, &self.request(topic)) {
            Ok(socket) => {
                let number = self.next_number();
                let mut socket = Watch::new(socket, Token::Publication(number));
                socket.set(&self.poll, Interest::READ);
                self.publications.insert(number, socket);
            }
            Err(error) => note(format_args!("publish an event to {address}: {error}")),
        }
    }

    /// Our own daemon learns of exits by Wait; a containerd wants the event as well.
    fn address(&self, topic: &Topic) -> Option<String> {
        let ours = self.container.as_ref().and_then(|container| container.options.events_address.clone());
        match topic {
            Topic::OutOfMemory { .. } => ours.or_else(|| self.containerd.clone()),
            Topic::Exit { .. } => self.containerd.clone(),
        }
    }

    fn request(&self, topic: &Topic) -> Request {
        let (path, event) = topic.event();
        let envelope = Envelope {
            timestamp: Some(timestamp(Exit { status: 0, at: sys::clock::now(), oom_killed: false })).into(),
            namespace: self.namespace.clone(),
            topic: path.to_owned(),
            event: Some(event).into(),
            ..Envelope::default()
        };
        let forward = ForwardRequest { envelope: Some(envelope).into(), ..ForwardRequest::default() };
        let namespace = KeyValue {
            key: "containerd-namespace-ttrpc".to_owned(),
            value: self.namespace.clone(),
            ..KeyValue::default()
        };
        Request {
            service: "containerd.services.events.ttrpc.v1.Events".to_owned(),
            method: "Forward".to_owned(),
            payload: encode(&forward),
            metadata: vec![namespace],
            ..Request::default()
        }
    }
}

impl Topic {
    fn event(&self) -> (&'static str, Any) {
        match self {
            Self::OutOfMemory { id } => {
                let event = TaskOOM { container_id: id.clone(), ..TaskOOM::default() };
                ("/tasks/oom", any("containerd.events.TaskOOM", encode(&event)))
            }
            Self::Exit { container, exec, pid, exit } => {
                let event = TaskExit {
                    container_id: container.clone(),
                    id: if exec.is_empty() { container.clone() } else { exec.clone() },
                    pid: pid.cast_unsigned(),
                    exit_status: exit.status,
                    exited_at: Some(timestamp(*exit)).into(),
                    ..TaskExit::default()
                };
                ("/tasks/exit", any("containerd.events.TaskExit", encode(&event)))
            }
        }
    }
}

fn any(kind: &str, value: Vec<u8>) -> Any {
    Any { type_url: kind.to_owned(), value, ..Any::default() }
}

/// Connects, hands the kernel the whole message, and never waits.
fn send(address: &str, request: &Request) -> rustix::io::Result<OwnedFd> {
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    let socket = socket_with(AddressFamily::UNIX, SocketType::STREAM, flags, None)?;
    let path = Path::new(address.strip_prefix("unix://").unwrap_or(address));
    let (directory, name) = (path.parent().ok_or(Errno::INVAL)?, path.file_name().ok_or(Errno::INVAL)?);
    // By way of its directory, since the kernel takes paths of 107 bytes.
    let directory = rustix::fs::open(directory, OFlags::PATH | OFlags::CLOEXEC, Mode::empty())?;
    let path = Path::new("/proc/self/fd").join(directory.as_raw_fd().to_string()).join(name);
    connect(&socket, &SocketAddrUnix::new(path)?)?;
    let message = frame(Kind::Request, 1, &encode(request));
    match rustix::io::write(&socket, &message)? {
        written if written == message.len() => Ok(socket),
        _ => Err(Errno::AGAIN),
    }
}
