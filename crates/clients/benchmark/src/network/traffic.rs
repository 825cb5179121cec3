//! A stream of TCP from one place to another, as fast as it goes.

use super::namespace::inside;
use anyhow::{Context, Result};
use std::io::{Read, Write};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

/// The server's port.
const PORT: u16 = 5201;
/// The same in the API's words.
pub(super) const PORT_TEXT: &str = "5201/tcp";
/// How long one is measured.
const TIME: Duration = Duration::from_millis(700);
const PIECE: usize = 256 << 10;

/// Two containers.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ends {
    /// A process of the one.
    pub(super) client: u32,
    /// A process of the other.
    pub(super) server: u32,
    /// The other's address.
    pub(super) address: IpAddr,
    /// The host's port that leads to the other's; none: there is nothing that publishes.
    pub(super) published: Option<u16>,
}

/// Gbit/s from one container to the other.
pub(super) fn container_to_container(ends: Ends) -> Result<f64> {
    let target = SocketAddr::new(ends.address, PORT);
    stream(ends.server, || inside(ends.client, move || connect(target)))
}

/// Gbit/s from the host to the container's own address.
pub(super) fn host_to_container(ends: Ends) -> Result<f64> {
    stream(ends.server, || connect(SocketAddr::new(ends.address, PORT)))
}

/// Gbit/s from the host to the published port, or to the container where there is none.
pub(super) fn host_to_port(ends: Ends) -> Result<f64> {
    let loopback = IpAddr::V4(Ipv4Addr::LOCALHOST);
    let target = match ends.published {
        Some(port) => SocketAddr::new(loopback, port),
        None => SocketAddr::new(ends.address, PORT),
    };
    stream(ends.server, || connect(target))
}

fn connect(target: SocketAddr) -> Result<TcpStream> {
    TcpStream::connect_timeout(&target, Duration::from_secs(5))
        .with_context(|| format!("connect to {target}"))
}

fn stream(server: u32, connect: impl FnOnce() -> Result<TcpStream>) -> Result<f64> {
    let listener = inside(server, || Ok(TcpListener::bind((Ipv4Addr::UNSPECIFIED, PORT))?))?;
    let receiver = thread::spawn(move || -> Result<u64> {
        let (mut stream, _) = listener.accept()?;
        let (mut buffer, mut total) = (vec![0; PIECE], 0);
        loop {
            match stream.read(&mut buffer)? {
                0 => return Ok(total),
                length => total += length as u64,
            }
        }
    });
    let mut sender = connect()?;
    let piece = vec![0x5a; PIECE];
    let begin = Instant::now();
    while begin.elapsed() < TIME {
        sender.write_all(&piece)?;
    }
    drop(sender);
    let received = receiver.join().map_err(|_| anyhow::anyhow!("the receiver panicked"))??;
    #[expect(clippy::cast_precision_loss, reason = "a rate has few digits")]
    let bits = received as f64 * 8.0;
    Ok(bits / begin.elapsed().as_secs_f64() / 1e9)
}
