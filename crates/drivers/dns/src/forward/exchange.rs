//! One question to one server: by datagram, again if nothing comes, by TCP if the answer is too long.

use crate::message::{Query, Response, code, flag};
use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpStream, UdpSocket};
use tokio::time::{Instant, timeout, timeout_at};

/// A question, and what stands for it in a packet: the client's header and the name as the client writes it.
#[derive(Debug)]
pub(super) struct Question {
    pub(super) query: Query,
    pub(super) question: Box<[u8]>,
}

/// How long an answer is waited for before the question is sent again; the last one takes the time that is left.
const PATIENCE: [Duration; 3] =
    [Duration::from_millis(1000), Duration::from_millis(1500), Duration::from_secs(60)];

/// Bytes of the longest answer by datagram that we ask for: what passes everywhere in one piece.
const SIZE: u16 = 1232;

/// Asks until there is an answer, or the time is over.
pub(super) async fn exchange(
    question: impl AsRef<Question>,
    server: SocketAddr,
    deadline: Instant,
) -> io::Result<Response> {
    let question = question.as_ref();
    let asking = async {
        let response = by_datagrams(question, server, true).await?;
        match response.code {
            // So do servers answer that do not know EDNS.
            code::FORMERR | code::NOTIMP | code::BADVERS => by_datagrams(question, server, false).await,
            _ => Ok(response),
        }
    };
    timeout_at(deadline, asking).await.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
}

async fn by_datagrams(question: &Question, server: SocketAddr, edns: bool) -> io::Result<Response> {
    for patience in PATIENCE {
        if let Ok(answer) = timeout(patience, by_datagram(question, server, edns)).await {
            let answer = answer?;
            if !answer.truncated() {
                return Ok(answer);
            }
            // Without TCP the short answer is better than none: the client learns that there is more.
            return Ok(by_tcp(question, server, edns).await.unwrap_or(answer));
        }
    }
    Err(io::ErrorKind::TimedOut.into())
}

/// Each time from another port and under another id, so that who wants to answer in the server's place has to guess both.
async fn by_datagram(question: &Question, server: SocketAddr, edns: bool) -> io::Result<Response> {
    let any: SocketAddr = match server {
        SocketAddr::V4(_) => (Ipv4Addr::UNSPECIFIED, 0).into(),
        SocketAddr::V6(_) => (Ipv6Addr::UNSPECIFIED, 0).into(),
    };
    let socket = UdpSocket::bind(any).await?;
    socket.connect(server).await?; // the kernel drops what comes from elsewhere
    let id = random_id()?;
    socket.send(&packet(question, id, edns)).await?;
    let mut buffer = vec![0; 4096];
    loop {
        let length = socket.recv(&mut buffer).await?;
        if let Some(response) = Response::read(&buffer[..length], id, &question.query) {
            return Ok(response);
        }
        tracing::debug!(%server, "a packet that answers nothing is dropped");
    }
}

async fn by_tcp(question: &Question, server: SocketAddr, edns: bool) -> io::Result<Response> {
    let mut stream = TcpStream::connect(server).await?;
    let id = random_id()?;
    let packet = packet(question, id, edns);
    let length = u16::try_from(packet.len()).map_err(io::Error::other)?;
    stream.write_all(&[&length.to_be_bytes(), &packet[..]].concat()).await?;
    let mut answer = vec![0; stream.read_u16().await?.into()];
    stream.read_exact(&mut answer).await?;
    Response::read(&answer, id, &question.query).ok_or_else(|| io::ErrorKind::InvalidData.into())
}

fn random_id() -> io::Result<u16> {
    let mut bytes = [0; 2];
    rustix::rand::getrandom(&mut bytes, rustix::rand::GetRandomFlags::empty())?;
    Ok(u16::from_ne_bytes(bytes))
}

/// Our own header, the client's question, and EDNS of our own: what the client says there is for us.
fn packet(question: &Question, id: u16, edns: bool) -> Vec<u8> {
    let query = &question.query;
    let flags = query.flags & (flag::RECURSION_DESIRED | flag::CHECKING_DISABLED | flag::AUTHENTIC);
    let mut packet = question.question.to_vec();
    packet[0..2].copy_from_slice(&id.to_be_bytes());
    packet[2..4].copy_from_slice(&flags.to_be_bytes());
    packet[4..12].copy_from_slice(&[0, 1, 0, 0, 0, 0, 0, u8::from(edns)]);
    if edns {
        let [high, low] = SIZE.to_be_bytes();
        let signatures = if query.edns.is_some_and(|edns| edns.signatures) { 0x80 } else { 0 };
        packet.extend([0, 0, 41, high, low, 0, 0, signatures, 0, 0, 0]);
    }
    packet
}
