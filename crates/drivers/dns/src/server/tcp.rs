//! Questions by TCP: two bytes of length before each packet (RFC 1035 §4.2.2, RFC 7766).

use super::Resolver;
use super::socket::Asker;
use std::io;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::timeout;

/// Connections to one address at a time; the next one has to wait until one ends.
const CONNECTIONS: usize = 64;

/// How long a client may be silent, or take no answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// Bytes of the longest question: nobody's name is longer, whatever options EDNS brings.
const QUESTION: usize = 4096;

/// Serves until it is aborted, and then all connections end too.
pub(super) async fn serve(listener: TcpListener, asker: Asker, resolver: Arc<Resolver>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept(), if connections.len() < CONNECTIONS => match accepted {
                Ok((stream, _)) => drop(connections.spawn(talk(stream, asker.clone(), Arc::clone(&resolver)))),
                Err(error) => {
                    tracing::debug!(%error, "a connection can't be accepted");
                    // Without free descriptors it would fail again at once.
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
            },
            Some(_) = connections.join_next() => {}
        }
    }
}

async fn talk(mut stream: TcpStream, asker: Asker, resolver: Arc<Resolver>) {
    // Whatever fails, the connection ends; the client asks anew.
    while let Ok(Ok(true)) = timeout(PATIENCE, answer_one(&mut stream, &asker, &resolver)).await {}
}

/// Says whether there may be another.
async fn answer_one(stream: &mut TcpStream, asker: &Asker, resolver: &Arc<Resolver>) -> io::Result<bool> {
    let from = stream.peer_addr()?;
    let length = usize::from(stream.read_u16().await?);
    if length > QUESTION {
        return Ok(false);
    }
    let mut packet = vec![0; usize::from(u16::MAX)];
    stream.read_exact(&mut packet[..length]).await?;
    let who = asker.who(from.ip());
    let Some(length) = resolver.answer(who.as_deref(), &mut packet, length).await else { return Ok(false) };
    let prefix = u16::try_from(length).map_err(io::Error::other)?;
    stream.write_all(&[&prefix.to_be_bytes(), &packet[..length]].concat()).await?;
    Ok(true)
}
