//! A conversation with systemd over the socket that it keeps for root.

use super::message::{self, Kind, Message, Reader, START};
use super::writer::{self, Writer};
use crate::error::{Error, Result};
use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

const SOCKET: &str = "/run/systemd/private";

/// How long systemd may take for one thing: nothing else is served meanwhile, and the daemon gives up on the shim itself
/// after 10 s.
const LIMIT: Duration = Duration::from_secs(5);

/// A connection; systemd sends its signals over it too.
#[derive(Debug)]
pub(super) struct Bus {
    stream: UnixStream,
    serial: u32,
    end: Instant,
}

impl Bus {
    pub(super) fn connect() -> Result<Self> {
        let end = Instant::now() + LIMIT;
        let mut bus = Self { stream: UnixStream::connect(SOCKET).map_err(failed)?, serial: 0, end };
        bus.stream.set_write_timeout(Some(LIMIT)).map_err(failed)?;
        // D-Bus Specification, "Authentication Protocol": who we are the kernel says; 30 is "0" in hexadecimal.
        bus.stream.write_all(b"\0AUTH EXTERNAL 30\r\nBEGIN\r\n").map_err(failed)?;
        let mut line = Vec::new();
        while !line.ends_with(b"\r\n") {
            let mut byte = [0];
            bus.read(&mut byte)?;
            line.push(byte[0]);
        }
        if line.starts_with(b"OK ") {
            return Ok(bus);
        }
        Err(failed(io::Error::new(io::ErrorKind::PermissionDenied, String::from_utf8_lossy(&line).trim())))
    }

    /// Calls a method of systemd's manager and returns its answer's body.
    pub(super) fn call(&mut self, method: &'static str, signature: &str, body: Writer) -> Result<Vec<u8>> {
        self.serial += 1;
        let bytes = writer::call(self.serial, method, signature, body);
        self.stream.write_all(&bytes).map_err(failed)?;
        loop {
            let answer = self.receive()?;
            match answer.kind {
                _ if answer.answers != Some(self.serial) => {}
                Kind::Error => {
                    let message = Reader::new(&answer.body).string().unwrap_or_default().to_owned();
                    return Err(Error::Systemd { method, name: answer.name, message });
                }
                _ => return Ok(answer.body),
            }
        }
    }

    /// Waits until the job that a call has answered is done.
    pub(super) fn wait_for_job(&mut self, reply: &[u8]) -> Result<()> {
        let job = Reader::new(reply).string().ok_or_else(garbled)?;
        loop {
            let signal = self.receive()?;
            if signal.kind != Kind::Other || signal.name != "JobRemoved" {
                continue;
            }
            // uoss: number, job, unit, result
            let mut body = Reader::new(&signal.body);
            body.number().ok_or_else(garbled)?;
            if body.string() != Some(job) {
                continue;
            }
            let unit = body.string().unwrap_or_default().to_owned();
            return match body.string() {
                // A unit that ended meanwhile needs no more stopping.
                Some("done" | "skipped") => Ok(()),
                result => Err(Error::Job { unit, result: result.unwrap_or_default().to_owned() }),
            };
        }
    }

    fn receive(&mut self) -> Result<Message> {
        let mut start = [0; START];
        self.read(&mut start)?;
        let mut bytes = start.to_vec();
        bytes.resize(START + message::rest(&start).ok_or_else(garbled)?, 0);
        self.read(&mut bytes[START..])?;
        Message::parse(&bytes).ok_or_else(garbled)
    }

    fn read(&mut self, buffer: &mut [u8]) -> Result<()> {
        let left = self.end.saturating_duration_since(Instant::now()).max(Duration::from_millis(1));
        self.stream.set_read_timeout(Some(left)).map_err(failed)?;
        self.stream.read_exact(buffer).map_err(failed)
    }
}

fn failed(cause: io::Error) -> Error {
    Error::File { action: "talk with systemd over", path: SOCKET.into(), cause }
}

fn garbled() -> Error {
    failed(io::ErrorKind::InvalidData.into())
}
