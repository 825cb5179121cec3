//! Against the kernel, on this host's loopback.

use super::*;
use std::net::Ipv4Addr;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, UdpSocket};

/// A port that was free a moment ago, of both transports.
fn free() -> u16 {
    std::net::TcpListener::bind("[::1]:0").unwrap().local_addr().unwrap().port()
}

fn port(protocol: u8, own: u16, target: SocketAddr) -> Port {
    Port { host: LOOPBACK, protocol, first: own, last: own, target: target.ip(), target_port: target.port() }
}

#[tokio::test]
async fn each_side_may_end_before_the_other() {
    let server = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let mut carrier = Carrier::default();
    let own = free();
    assert_eq!(carrier.put("c", &[port(Port::TCP, own, server.local_addr().unwrap())]).await, [""; 0]);
    let client = async {
        let mut client = TcpStream::connect((LOOPBACK, own)).await.unwrap();
        client.write_all(&vec![7; 1 << 20]).await.unwrap();
        client.shutdown().await.unwrap();
        let mut answer = String::new();
        client.read_to_string(&mut answer).await.unwrap();
        answer
    };
    let serve = async {
        let (mut stream, _) = server.accept().await.unwrap();
        let mut all = Vec::new();
        stream.read_to_end(&mut all).await.unwrap();
        stream.write_all(all.len().to_string().as_bytes()).await.unwrap();
    };
    assert_eq!(tokio::join!(client, serve).0, (1 << 20).to_string());
}

#[tokio::test]
async fn many_connections_are_carried_at_once() {
    let server = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let mut carrier = Carrier::default();
    let own = free();
    carrier.put("c", &[port(Port::TCP, own, server.local_addr().unwrap())]).await;
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = server.accept().await {
            tokio::spawn(async move {
                let mut said = [0; 4];
                stream.read_exact(&mut said).await.unwrap();
                stream.write_all(&said).await.unwrap();
            });
        }
    });
    let mut clients = Vec::new();
    for _ in 0..60 {
        clients.push(TcpStream::connect((LOOPBACK, own)).await.unwrap());
    }
    for client in &mut clients {
        client.write_all(b"ping").await.unwrap();
        let mut answer = [0; 4];
        client.read_exact(&mut answer).await.unwrap();
        assert_eq!(&answer, b"ping");
    }
}

#[tokio::test]
async fn who_refuses_breaks_the_connection_off() {
    let mut carrier = Carrier::default();
    let (own, nobody) = (free(), free());
    carrier.put("c", &[port(Port::TCP, own, SocketAddr::new(LOOPBACK, nobody))]).await;
    let mut client = TcpStream::connect((LOOPBACK, own)).await.unwrap();
    let error = client.read(&mut [0; 1]).await.unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset);
}

#[tokio::test]
async fn datagrams_have_their_answers() {
    let server = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let mut carrier = Carrier::default();
    let own = free();
    assert_eq!(carrier.put("c", &[port(Port::UDP, own, server.local_addr().unwrap())]).await, [""; 0]);
    for name in ["one", "two"] {
        let client = UdpSocket::bind((LOOPBACK, 0)).await.unwrap();
        client.send_to(name.as_bytes(), (LOOPBACK, own)).await.unwrap();
        let mut buffer = [0; 16];
        let (length, peer) = server.recv_from(&mut buffer).await.unwrap();
        server.send_to(&buffer[..length], peer).await.unwrap();
        let (length, peer) = client.recv_from(&mut buffer).await.unwrap();
        assert_eq!((&buffer[..length], peer), (name.as_bytes(), SocketAddr::new(LOOPBACK, own)));
    }
}

#[tokio::test]
async fn ports_come_stay_and_go_with_what_is_put() {
    let server = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let target = server.local_addr().unwrap();
    let mut carrier = Carrier::default();
    let (first, second) = (free(), free());
    let everywhere = Port { host: Ipv6Addr::UNSPECIFIED.into(), ..port(Port::TCP, first, target) };
    let elsewhere = Port { host: "2001:db8::1".parse().unwrap(), ..port(Port::TCP, second, target) };
    assert_eq!(carrier.put("c", &[everywhere, elsewhere]).await, [""; 0]);
    assert!(TcpStream::connect((LOOPBACK, first)).await.is_ok());
    assert!(TcpStream::connect((LOOPBACK, second)).await.is_err());
    let taken = carrier.put("d", &[everywhere]).await;
    assert!(taken[0].starts_with(&format!("[::1]:{first} leads to no container")), "{taken:?}");
    carrier.put("c", &[port(Port::TCP, second, target)]).await;
    assert!(TcpStream::connect((LOOPBACK, second)).await.is_ok());
    assert!(TcpStream::connect((LOOPBACK, first)).await.is_err());
    carrier.remove("c").await;
    assert!(TcpStream::connect((LOOPBACK, second)).await.is_err());
    let wide = Port { last: u16::MAX, ..port(Port::TCP, 2000, target) };
    assert_eq!(carrier.put("c", &[wide]).await.len(), 1);
}
