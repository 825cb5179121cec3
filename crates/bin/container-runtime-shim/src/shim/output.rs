//! Output: from the process to its log, its clients and its FIFOs.

use super::Shim;
use crate::log::note;
use crate::poll::{Interest, Number};
use crate::process::{INIT, Streams};
use logs::Stream;
use rustix::io::Errno;
use sys::clock::now;

/// As much as a pipe holds.
const CHUNK: usize = 64 << 10;
/// After so many chunks the others have their turn.
const TURN: usize = 16;
/// After so many chunks everything is read that a process can have left in a pipe, which holds 1 MiB at most.
const LAST_CHUNKS: usize = 32;
/// Beyond this many bytes that a FIFO does not take, the process waits: nothing else keeps its output.
const SINK_BACKLOG: usize = 1 << 20;

impl Shim {
    pub(super) fn streams(&mut self, number: Number) -> Option<&mut Streams> {
        self.container.as_mut()?.processes.get_mut(&number).map(|process| &mut process.streams)
    }

    /// Reads what a process has printed.
    pub(super) fn read_output(&mut self, number: Number, stream: Stream) {
        for _ in 0..TURN {
            if !self.read_chunk(number, stream) {
                break;
            }
        }
        self.finish_if_silent(number);
        self.end_adopted();
    }

    /// Reads what a process that has ended left in its streams. Not to their end: what survived it may go on printing
    /// for ever, faster than it is read.
    pub(super) fn drain(&mut self, number: Number) {
        for _ in 0..LAST_CHUNKS {
            if !(self.read_chunk(number, Stream::Stdout) | self.read_chunk(number, Stream::Stderr)) {
                break;
            }
        }
    }

    /// False: there is no more at present, or for ever.
    fn read_chunk(&mut self, number: Number, stream: Stream) -> bool {
        let Some(output) = self.streams(number).and_then(|streams| streams.output(stream).as_ref()) else {
            return false;
        };
        let mut bytes = Vec::with_capacity(CHUNK);
        match rustix::io::read(&output.of.fd, rustix::buffer::spare_capacity(&mut bytes)) {
            Ok(read) if read > 0 => {
                self.deliver(number, stream, &bytes);
                true
            }
            Err(Errno::INTR) => true,
            Err(Errno::AGAIN) => false,
            // The end; of a terminal, EIO.
            _ => {
                if let Some(streams) = self.streams(number) {
                    *streams.output(stream) = None;
                }
                false
            }
        }
    }

    fn deliver(&mut self, number: Number, stream: Stream, bytes: &[u8]) {
        if let Some(log) =
            self.container.as_mut().and_then(|container| container.log.as_mut()).filter(|_| number == INIT)
            && let Err(error) = log.write(stream, now(), bytes)
        {
            note(format_args!("output is lost: {}", errors::chain(&error)));
        }
        self.compress_log();
        self.push_to_sink(number, stream, bytes);
        let attached: Vec<_> = self
            .clients
            .iter()
            .filter(|(_, client)| {
                client.of.attached.as_ref().is_some_and(|attached| attached.process == number)
            })
            .map(|(&client, _)| client)
            .collect();
        for client in attached {
            self.push_to_client(client, stream, bytes);
        }
    }

    fn push_to_sink(&mut self, number: Number, stream: Stream, bytes: &[u8]) {
        let Some(sink) = self.streams(number).and_then(|streams| streams.sink(stream).as_mut()) else {
            return;
        };
        sink.of.queue.push(bytes);
        self.flush_sink(number, stream);
    }

    /// Writes to a FIFO, and lets the process wait, or go on, by what is left.
    pub(super) fn flush_sink(&mut self, number: Number, stream: Stream) {
        let Self { container: Some(container), poll, .. } = self else { return };
        let Some(process) = container.processes.get_mut(&number) else { return };
        let streams = &mut process.streams;
        let Some(sink) = streams.sink(stream) else { return };
        if let Err(error) = sink.of.queue.flush(&sink.of.fd) {
            note(format_args!("output is lost: write to a FIFO: {error}"));
            *streams.sink(stream) = None;
        }
        let waiting = streams.sink(stream).as_ref().map_or(0, |sink| sink.of.queue.len());
        if let Some(sink) = streams.sink(stream) {
            sink.set(poll, if waiting > 0 { Interest::WRITE } else { Interest::NONE });
        }
        if let Some(output) = streams.output(stream) {
            output.set(poll, if waiting > SINK_BACKLOG { Interest::NONE } else { Interest::READ });
        }
        self.finish_if_silent(number);
    }
}
