//! Devices of containers that are over: cut off at once, deleted if they do not go by themselves.
//!
//! Deleting a device takes the kernel 18 ms; dropping the last reference of its namespace 0.3 ms, and the device
//! goes in the background. So nobody waits for a deletion, unless something else still holds the namespace.

use crate::link;
use crate::socket::Socket;
use crate::{Error, Result};
use parking_lot::Mutex;
use std::collections::{HashSet, VecDeque};
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::thread;
use std::time::{Duration, Instant};

/// How long the kernel may take to reap a namespace; under load it does several at once.
const PATIENCE: Duration = Duration::from_secs(3);

/// The thread that sees devices off. It ends with this value; devices that are left then are found at the next start.
#[derive(Debug)]
pub struct Reaper {
    devices: Sender<String>,
    /// Those that are on their way out.
    going: Going,
}

type Going = Arc<Mutex<HashSet<String>>>;

impl Reaper {
    /// Starts the thread, for the calling thread's network namespace.
    pub fn start() -> Result<Self> {
        let socket = Socket::open()?;
        let (devices, received) = mpsc::channel();
        let name = "net-reaper";
        let going = Going::default();
        let known = Arc::clone(&going);
        let spawned =
            thread::Builder::new().name(name.to_owned()).spawn(move || run(socket, &received, &known));
        spawned.map_err(|cause| Error::Thread { name, cause })?;
        Ok(Self { devices, going })
    }

    /// Cuts a device off from its bridge and sees to it that it goes. Never blocks.
    pub fn reap(&self, device: impl Into<String>) {
        let device = device.into();
        self.going.lock().insert(device.clone());
        if self.devices.send(device).is_err() {
            tracing::warn!("the thread that removes network devices is gone");
        }
    }

    /// Whether it still sees to a device's end: nobody need wonder that it is there.
    pub fn has(&self, device: &str) -> bool {
        self.going.lock().contains(device)
    }
}

fn run(mut socket: Socket, received: &Receiver<String>, going: &Going) {
    let mut waiting: VecDeque<(Instant, String)> = VecDeque::new();
    loop {
        let next = match waiting.front() {
            Some((due, _)) => received.recv_timeout(due.saturating_duration_since(Instant::now())),
            None => received.recv().map_err(|_| RecvTimeoutError::Disconnected),
        };
        match next {
            Ok(device) => {
                fence(&mut socket, &device);
                waiting.push_back((Instant::now() + PATIENCE, device));
            }
            Err(RecvTimeoutError::Timeout) => {
                if let Some((_, device)) = waiting.pop_front() {
                    delete(&mut socket, &device);
                    going.lock().remove(&device);
                }
            }
            Err(RecvTimeoutError::Disconnected) => return,
        }
    }
}

fn fence(socket: &mut Socket, device: &str) {
    match socket.batch(vec![link::fence(device)]) {
        Err(error) if !error.is_gone() => {
            tracing::debug!(device, error = %errors::chain(&error), "a device was not cut off");
        }
        _ => {}
    }
}

fn delete(socket: &mut Socket, device: &str) {
    if let Err(error) = link::delete(socket, device) {
        tracing::warn!(device, error = %errors::chain(&error), "a network device is left over");
    }
}
