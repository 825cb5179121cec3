//! Datagrams: for each client a socket of its own to the container, as long as something comes or goes.

use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;
use tokio::net::UdpSocket;
use tokio::sync::mpsc;
use tokio::time::timeout;

/// How long a client is known without a word of either side: what the kernel gives a stream of datagrams
/// (`nf_conntrack_udp_timeout_stream`).
const IDLE: Duration = Duration::from_secs(120);
/// So many clients of one port are known at a time.
const CLIENTS: usize = 4096;
/// So many datagrams of a client wait.
const WAITING: usize = 64;
/// The longest datagram.
const LONGEST: usize = 65_535;

pub(super) fn listen(own: SocketAddr) -> io::Result<UdpSocket> {
    let socket = std::net::UdpSocket::bind(own)?;
    socket.set_nonblocking(true)?;
    UdpSocket::from_std(socket)
}

/// Takes what comes, until it is dropped.
pub(super) async fn serve(own: UdpSocket, target: SocketAddr) {
    let own = Arc::new(own);
    let mut clients: HashMap<SocketAddr, mpsc::Sender<Vec<u8>>> = HashMap::new();
    let mut buffer = vec![0; LONGEST];
    loop {
        // An error is an answer to what was sent before.
        let Ok((length, client)) = own.recv_from(&mut buffer).await else { continue };
        let datagram = buffer[..length].to_vec();
        let known = clients.get(&client).filter(|known| !known.is_closed());
        if let Some(known) = known {
            // What does not fit is lost, as datagrams may be.
            let _ = known.try_send(datagram);
            continue;
        }
        clients.retain(|_, known| !known.is_closed());
        if clients.len() >= CLIENTS {
            tracing::debug!(%target, "too many clients of a carried port");
            continue;
        }
        let (sender, receiver) = mpsc::channel(WAITING);
        let _ = sender.try_send(datagram);
        clients.insert(client, sender);
        tokio::spawn(carry(Arc::clone(&own), client, target, receiver));
    }
}

/// Carries one client's datagrams and the answers.
async fn carry(
    own: Arc<UdpSocket>,
    client: SocketAddr,
    target: SocketAddr,
    mut said: mpsc::Receiver<Vec<u8>>,
) {
    let carried = async {
        let any = if target.is_ipv6() { IpAddr::V6(Ipv6Addr::UNSPECIFIED) } else { [0, 0, 0, 0].into() };
        let socket = UdpSocket::bind(SocketAddr::new(any, 0)).await?;
        socket.connect(target).await?;
        let mut buffer = vec![0; LONGEST];
        loop {
            let next = async {
                tokio::select! {
                    datagram = said.recv() => Ok::<_, io::Error>(datagram.map(Some)),
                    length = socket.recv(&mut buffer) => {
                        own.send_to(&buffer[..length?], client).await?;
                        Ok(Some(None))
                    }
                }
            };
            match timeout(IDLE, next).await {
                Ok(Ok(Some(Some(datagram)))) => drop(socket.send(&datagram).await?),
                Ok(Ok(Some(None))) => {}
                Ok(Err(error)) => return Err(error),
                Ok(Ok(None)) | Err(_) => return Ok(()),
            }
        }
    };
    if let Err(error) = carried.await {
        tracing::debug!(%error, %target, "carried datagrams");
    }
}
