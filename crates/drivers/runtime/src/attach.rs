//! Connecting to the streams of a process: the first two lines of `shim_protocol`'s attach socket.

use crate::error::{Error, Result};
use crate::rpc::Rpc;
use crate::socket;
use shim_protocol::{Hello, Welcome};
use std::io;
use std::path::Path;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;

/// Streams of a process. Without a terminal output comes in frames, see `shim_protocol`.
#[derive(Debug)]
pub struct Attachment {
    /// Whether the process has a terminal and output comes without frames.
    pub terminal: bool,
    /// Reading: output until the process has ended. Writing: its input; half-close ends it.
    pub stream: UnixStream,
}

/// A welcome is a short line; anything longer is not one.
const LONGEST_WELCOME: usize = 4096;

/// Connects, says what is wanted, and hears whether it is granted.
pub(crate) async fn attach(rpc: &Rpc, bundle: &Path, hello: &Hello) -> Result<Attachment> {
    let path = bundle.join(shim_protocol::file::ATTACH);
    let failed = |cause| Error::File { action: "attach through", path: path.clone(), cause };
    let exchange = async {
        let mut stream = socket::connect_in_line(&path).await?;
        let mut line = serde_json::to_vec(hello)?;
        line.push(b'\n');
        stream.write_all(&line).await?;
        let welcome = read_line(&mut stream).await?;
        Ok::<_, io::Error>((stream, serde_json::from_slice(&welcome)?))
    };
    match rpc.short("attach", exchange).await? {
        Err(error) => Err(failed(error)),
        Ok((stream, Welcome::Attached { terminal })) => Ok(Attachment { terminal, stream }),
        Ok((_, Welcome::Refused { reason })) => {
            Err(Error::AttachRefused { container: rpc.container.to_string(), reason })
        }
    }
}

/// Byte by byte: what comes after the line belongs to whoever gets the stream.
async fn read_line(stream: &mut UnixStream) -> io::Result<Vec<u8>> {
    let mut line = Vec::with_capacity(64);
    loop {
        match stream.read_u8().await? {
            b'\n' => return Ok(line),
            _ if line.len() == LONGEST_WELCOME => return Err(io::ErrorKind::InvalidData.into()),
            byte => line.push(byte),
        }
    }
}
