//! Bytes between a client and a process, both ways, until one of them has enough.

use crate::http::detach_keys::{DetachKeys, Scanned, Scanner};
use std::io;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio_util::sync::CancellationToken;

/// One large read is cheaper than many small ones, and `docker exec … cat` moves gigabytes.
const BUFFER: usize = 128 << 10;

/// How long a client may take to close its side after the end.
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(5);

/// Why the pumping ended.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Ended {
    /// The process ended and all of its output was delivered.
    Output,
    /// The client typed the detach sequence.
    Detached,
    /// The client no longer takes output.
    ClientGone,
    /// The engine shuts down.
    Shutdown,
}

/// Pumps until the process's side ends, the client goes or detaches, or the engine shuts down. The end of the
/// client's input ends the process's input, and output goes on.
///
/// `keys` are looked for in the client's input; none: it is passed on unseen. Between the end of the output and the end of
/// the client's stream `settled` is awaited.
pub(crate) async fn pump<C, P>(
    client: C,
    process: P,
    keys: Option<DetachKeys>,
    shutdown: CancellationToken,
    settled: impl Future<Output = ()>,
) -> Ended
where
    C: AsyncRead + AsyncWrite,
    P: AsyncRead + AsyncWrite,
{
    let (mut client_reader, mut client_writer) = tokio::io::split(client);
    let (process_reader, process_writer) = tokio::io::split(process);
    let input = input(&mut client_reader, process_writer, keys);
    let output = output(process_reader, &mut client_writer);
    let ended = tokio::select! {
        ended = output => ended,
        () = detached(input) => Ended::Detached,
        () = shutdown.cancelled() => Ended::Shutdown,
    };
    if ended == Ended::Output {
        settled.await;
    }
    // The end of the stream is what clients wait for; one that is gone can't be told.
    let _ = client_writer.shutdown().await;
    if matches!(ended, Ended::Output | Ended::Detached) {
        discard(client_reader).await;
    }
    ended
}

/// Reads what the client still sends, until it has seen the end: closing a socket with unread bytes in it would reset
/// it, and the client would miss the end of the output, or take it for a failure.
async fn discard(mut client: impl AsyncRead + Unpin) {
    let _ = tokio::time::timeout(PATIENCE, tokio::io::copy(&mut client, &mut tokio::io::sink())).await;
}

async fn output(mut process: impl AsyncRead + Unpin, client: &mut (impl AsyncWrite + Unpin)) -> Ended {
    let mut buffer = vec![0; BUFFER];
    loop {
        // A process side that breaks (its shim was killed) is an end like any other: `wait` tells the truth.
        let length = process.read(&mut buffer).await.unwrap_or(0);
        if length == 0 {
            return Ended::Output;
        }
        if write(client, &buffer[..length]).await.is_err() {
            return Ended::ClientGone;
        }
    }
}

async fn write(client: &mut (impl AsyncWrite + Unpin), bytes: &[u8]) -> io::Result<()> {
    client.write_all(bytes).await?;
    client.flush().await
}

/// Returns only when the client detached: the end of its input is not the end of its interest.
async fn detached(input: impl Future<Output = bool>) {
    if !input.await {
        std::future::pending::<()>().await;
    }
}

/// Whether the client detached.
async fn input(
    mut client: impl AsyncRead + Unpin,
    mut process: impl AsyncWrite + Unpin,
    keys: Option<DetachKeys>,
) -> bool {
    let mut scanner = keys.map(Scanner::new);
    let mut buffer = vec![0; BUFFER];
    loop {
        let length = client.read(&mut buffer).await.unwrap_or(0);
        if length == 0 {
            let _ = process.shutdown().await; // a process that is gone needs no end of input
            return false;
        }
        let chunk = &buffer[..length];
        let (bytes, detach) = match &mut scanner {
            None => (std::borrow::Cow::Borrowed(chunk), false),
            Some(scanner) => match scanner.feed(chunk) {
                Scanned::Input(bytes) => (bytes.into(), false),
                Scanned::Detach(bytes) => (bytes.into(), true),
            },
        };
        // Input that nobody reads is lost, as in a closed pipe; the output still counts.
        if process.write_all(&bytes).await.is_err() {
            return detach;
        }
        if detach {
            return true;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{DuplexStream, duplex};
    use tokio::task::JoinHandle;

    struct Rig {
        client: DuplexStream,
        process: DuplexStream,
        pump: JoinHandle<Ended>,
        shutdown: CancellationToken,
    }

    fn rig(keys: Option<DetachKeys>) -> Rig {
        let (client, client_end) = duplex(1024);
        let (process, process_end) = duplex(1024);
        let shutdown = CancellationToken::new();
        let pump =
            tokio::spawn(pump(client_end, process_end, keys, shutdown.clone(), std::future::ready(())));
        Rig { client, process, pump, shutdown }
    }

    async fn read(stream: &mut DuplexStream, length: usize) -> Vec<u8> {
        let mut bytes = vec![0; length];
        stream.read_exact(&mut bytes).await.unwrap();
        bytes
    }

    #[tokio::test]
    async fn the_end_of_input_reaches_the_process_and_output_goes_on() {
        let mut rig = rig(None);
        rig.client.write_all(b"in").await.unwrap();
        rig.client.shutdown().await.unwrap();
        let mut input = Vec::new();
        rig.process.read_to_end(&mut input).await.unwrap();
        assert_eq!(input, b"in");
        rig.process.write_all(b"late output").await.unwrap();
        assert_eq!(read(&mut rig.client, 11).await, b"late output");
        drop(rig.process);
        assert_eq!(rig.pump.await.unwrap(), Ended::Output);
        assert_eq!(rig.client.read(&mut [0; 1]).await.unwrap(), 0);
    }

    #[tokio::test]
    async fn the_detach_keys_end_the_stream_but_not_the_process() {
        let mut rig = rig(Some(DetachKeys::default()));
        rig.client.write_all(b"ls\x10\x11").await.unwrap();
        assert_eq!(read(&mut rig.process, 2).await, b"ls");
        assert_eq!(rig.client.read(&mut [0; 1]).await.unwrap(), 0);
        drop(rig.client);
        assert_eq!(rig.pump.await.unwrap(), Ended::Detached);
    }

    #[tokio::test]
    async fn a_client_that_is_gone_ends_the_pump_at_the_next_output() {
        let mut rig = rig(None);
        drop(rig.client);
        rig.process.write_all(b"x").await.unwrap();
        assert_eq!(rig.pump.await.unwrap(), Ended::ClientGone);
    }

    #[tokio::test]
    async fn input_that_nobody_read_is_taken_off_the_client_after_the_end() {
        let mut rig = rig(None);
        drop(rig.process);
        assert_eq!(rig.client.read(&mut [0; 1]).await.unwrap(), 0);
        rig.client.write_all(&[0; 5000]).await.unwrap();
        drop(rig.client);
        assert_eq!(rig.pump.await.unwrap(), Ended::Output);
    }

    #[tokio::test]
    async fn shutdown_ends_the_stream() {
        let mut rig = rig(None);
        rig.shutdown.cancel();
        assert_eq!(rig.pump.await.unwrap(), Ended::Shutdown);
        assert_eq!(rig.client.read(&mut [0; 1]).await.unwrap(), 0);
    }

    #[tokio::test]
    async fn more_than_the_pipes_hold_passes_both_ways() {
        let rig = rig(None);
        let bytes = vec![7_u8; 1 << 20];
        let (mut client_reader, mut client_writer) = tokio::io::split(rig.client);
        let (mut process_reader, mut process_writer) = tokio::io::split(rig.process);
        let expected = bytes.clone();
        let echo = async {
            let mut buffer = vec![0; 4096];
            loop {
                let length = process_reader.read(&mut buffer).await.unwrap();
                if length == 0 {
                    break;
                }
                process_writer.write_all(&buffer[..length]).await.unwrap();
            }
            process_writer.shutdown().await.unwrap();
        };
        let send = async {
            client_writer.write_all(&bytes).await.unwrap();
            client_writer.shutdown().await.unwrap();
        };
        let mut received = Vec::new();
        let (_, _, result) = tokio::join!(echo, send, client_reader.read_to_end(&mut received));
        result.unwrap();
        assert_eq!(received, expected);
    }
}
