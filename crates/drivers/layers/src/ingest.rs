//! From a compressed stream to a directory: decompressing and hashing here, writing files in another thread.

use crate::archive::{Archive, ArchiveError};
use crate::error::at;
use crate::pipe::{Sending, pipe};
use crate::reserve::Reserve;
use crate::unpack::{Contents, Limits, unpack};
use crate::{LayerError, Result, decompress};
use oci::Digest;
use rustix::fd::OwnedFd;
use sha2::Digest as _;
use std::io::{self, BufRead, Read};
use std::path::Path;
use std::thread;

/// Unpacks `input`, plain or compressed, into `root` and says the diff id: the digest of the uncompressed stream.
pub(crate) fn ingest(
    input: impl BufRead + Send,
    root: OwnedFd,
    aside: OwnedFd,
    limits: Limits,
) -> Result<(Digest, Contents)> {
    let mut plain = decompress(input)?;
    let of_root = root.try_clone().map_err(at("open again", Path::new("the layer's root")))?;
    let mut reserve = Reserve::of(of_root)?;
    let (sending, receiving) = pipe();
    thread::scope(|scope| {
        let write = move || unpack(Archive::new(receiving), root, aside, limits);
        let writer = thread::Builder::new().name("unpack".to_owned()).spawn_scoped(scope, write);
        let writer = writer.map_err(|source| LayerError::Io {
            action: "start a thread for",
            path: "unpacking".into(),
            source,
        })?;
        let read = feed(&mut plain, sending, limits, &mut reserve);
        // The writer's error is the cause when both fail: the feeder only notices that nobody listens.
        let written = writer.join().map_err(|_| LayerError::Crashed)?;
        match (read, written) {
            (Err(LayerError::Archive(ArchiveError::Read(error))), _) => Err(ArchiveError::Read(error).into()),
            (Err(error @ (LayerError::Limit { .. } | LayerError::Reserve { .. })), _) | (_, Err(error)) => {
                Err(error)
            }
            (digest, Ok(contents)) => Ok((digest?, contents)),
        }
    })
}

/// Sends everything that `plain` yields down the pipe.
fn feed(plain: &mut dyn Read, sending: Sending, limits: Limits, reserve: &mut Reserve) -> Result<Digest> {
    let (mut hash, mut total) = (sha2::Sha256::new(), 0);
    loop {
        let mut buffer = sending.buffer();
        let count = fill(plain, &mut buffer).map_err(ArchiveError::from)?;
        buffer.truncate(count);
        if count == 0 {
            break;
        }
        total += count as u64;
        if total > limits.bytes {
            return Err(LayerError::Limit { what: "bytes", limit: limits.bytes });
        }
        reserve.check(total)?;
        hash.update(&buffer);
        sending.send(buffer).map_err(|_| LayerError::Crashed)?;
    }
    sending.finish().map_err(|_| LayerError::Crashed)?;
    Ok(Digest::sha256(hash.finalize().into()))
}

/// Fills the buffer as far as the stream goes.
fn fill(input: &mut dyn Read, buffer: &mut [u8]) -> io::Result<usize> {
    let mut length = 0;
    while length < buffer.len() {
        match input.read(&mut buffer[length..]) {
            Ok(0) => break,
            Ok(count) => length += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(length)
}
