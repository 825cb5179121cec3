//! Against the kernel, in network namespaces that play the host, containers and the world.

mod bridges;
mod filter;
mod pools;
mod published;
mod sockets;

use crate::{Attachment, Bridge, BridgeConfig, Mac, Namespace, Result, Settings, Socket, link};
use ipnet::IpNet;
use rustix::net::sockopt::{Timeout, set_socket_timeout};
use std::io::{Read, Write};
use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

const LIMIT: Duration = Duration::from_secs(10);

/// A namespace that plays a host; none where this process may not make one, which the test says and ends.
fn namespace() -> Option<Namespace> {
    match Namespace::make(Settings { ipv6: true }) {
        Ok(namespace) => Some(namespace),
        Err(error) => {
            eprintln!("skipped: {}", errors::chain(&error));
            None
        }
    }
}

fn net(text: &str) -> IpNet {
    text.parse().unwrap()
}

fn config(name: &str, addresses: &[&str]) -> BridgeConfig {
    let addresses = addresses.iter().map(|text| net(text)).collect();
    BridgeConfig { name: name.into(), owner: "test".into(), addresses, mtu: 1400, isolated: false }
}

fn mac() -> Mac {
    static COUNT: AtomicU32 = AtomicU32::new(1);
    let [a, b, c, d] = COUNT.fetch_add(1, Ordering::Relaxed).to_be_bytes();
    Mac::local([0, 0, a, b, c, d])
}

/// A host with a bridge, and a container on it.
struct Site {
    host: Namespace,
    bridge: Bridge,
}

impl Site {
    fn new(name: &str, addresses: &[&str]) -> Option<Self> {
        let host = namespace()?;
        let bridge = ensure(&host, &config(name, addresses)).unwrap();
        Some(Self { host, bridge })
    }

    fn container(&self, outer: &str, addresses: &[&str], gateways: &[&str]) -> Namespace {
        let container = Namespace::make(Settings { ipv6: true }).unwrap();
        attach(&self.host, &self.bridge, &container, outer, addresses, gateways).unwrap();
        container
    }
}

fn ensure(host: &Namespace, config: &BridgeConfig) -> Result<Bridge> {
    host.run(|| Bridge::ensure(&mut Socket::open()?, config, mac()))
}

fn attach(
    host: &Namespace,
    bridge: &Bridge,
    container: &Namespace,
    outer: &str,
    addresses: &[&str],
    gateways: &[&str],
) -> Result<()> {
    let addresses: Vec<IpNet> = addresses.iter().map(|text| net(text)).collect();
    let gateways: Vec<IpAddr> = gateways.iter().map(|text| text.parse().unwrap()).collect();
    let attachment = Attachment {
        outer,
        inner: "eth0",
        mac: mac(),
        announced: false,
        mtu: None,
        ipv6: None,
        addresses: &addresses,
        gateways: &gateways,
    };
    host.with_socket(|socket| bridge.attach(socket, container, &attachment))
}

/// Sends a line from one namespace to a listener in another; answers whom the listener saw, or nothing.
fn reach(from: &Namespace, to: &Namespace, address: &str) -> Option<IpAddr> {
    let listener = to.run(|| Ok(TcpListener::bind((address, 0)).unwrap())).unwrap();
    // Of a connection cut off half-way only one side may know. What is accepted inherits the limit.
    set_socket_timeout(&listener, Timeout::Recv, Some(Duration::from_secs(1))).unwrap();
    let target: SocketAddr = listener.local_addr().unwrap();
    let connect = || Ok(TcpStream::connect_timeout(&target, Duration::from_secs(1)).ok());
    // The kernel accepts connections for the listener until somebody asks for them.
    let mut sent = from.run(connect).unwrap()?;
    sent.write_all(b"hello").unwrap();
    drop(sent);
    let (mut received, peer) = listener.accept().ok()?;
    let mut text = String::new();
    received.read_to_string(&mut text).ok()?;
    assert_eq!(text, "hello");
    Some(peer.ip())
}

/// Asks until there is an answer, for a limited time.
fn eventually<T>(mut ask: impl FnMut() -> Option<T>) -> Option<T> {
    let deadline = Instant::now() + LIMIT;
    while Instant::now() < deadline {
        if let Some(answer) = ask() {
            return Some(answer);
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    None
}

fn devices(host: &Namespace) -> Vec<String> {
    let links = host.with_socket(|socket| link::list(socket, None)).unwrap();
    links.into_iter().map(|link| link.name).collect()
}
