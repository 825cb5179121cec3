//! Connections that stopped being HTTP: attach and exec.

use crate::connection::Connection;
use crate::error::{Error, Result};
use bytes::{Buf, Bytes};
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use std::io;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// A raw connection to the daemon.
#[derive(Debug)]
pub struct Hijacked {
    /// From the container.
    pub reader: ReadHalf,
    /// To the container.
    pub writer: WriteHalf,
    /// Whether output comes in frames, if the daemon said so by its content type.
    pub multiplexed: Option<bool>,
}

/// The container's output.
#[derive(Debug)]
pub struct ReadHalf {
    // What arrived in one packet with the response's header.
    early: Bytes,
    inner: tokio::io::ReadHalf<Connection>,
}

/// The container's input.
#[derive(Debug)]
pub struct WriteHalf(tokio::io::WriteHalf<Connection>);

impl Hijacked {
    pub(crate) fn new(upgraded: Upgraded, content_type: Option<&str>) -> Result<Self> {
        let parts = upgraded.downcast::<TokioIo<Connection>>().map_err(|_| {
            Error::Stream(io::Error::other("the upgraded connection is not the one that was opened"))
        })?;
        let (reader, writer) = tokio::io::split(parts.io.into_inner());
        let multiplexed = match content_type {
            Some("application/vnd.docker.multiplexed-stream") => Some(true),
            Some("application/vnd.docker.raw-stream") => None, // older daemons send it for both kinds
            _ => None,
        };
        Ok(Self {
            reader: ReadHalf { early: parts.read_buf, inner: reader },
            writer: WriteHalf(writer),
            multiplexed,
        })
    }
}

impl ReadHalf {
    /// Reads what there is; 0 at the end.
    pub async fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.early.is_empty() {
            return self.inner.read(buffer).await;
        }
        let length = self.early.len().min(buffer.len());
        self.early.copy_to_slice(&mut buffer[..length]);
        Ok(length)
    }
}

impl WriteHalf {
    /// Writes everything.
    pub async fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.0.write_all(bytes).await
    }

    /// Tells the container that its input has ended; its output goes on.
    pub async fn close(&mut self) -> io::Result<()> {
        self.0.shutdown().await
    }
}
