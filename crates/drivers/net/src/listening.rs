//! Which ports of the host its own programs have.

use rustix::net::sockopt::set_socket_reuseaddr;
use rustix::net::{AddressFamily, SocketFlags, SocketType, bind, ipproto, socket_with};
use std::collections::BTreeSet;
use std::fs;
use std::net::{IpAddr, SocketAddr};
use std::ops::RangeInclusive;
use std::path::Path;

const TCP: u8 = 6;
const UDP: u8 = 17;
/// So many ports are tried one by one; of more only those that `/proc` names.
const FEW: usize = 16;

/// The first port of the range that a program of this host has at the address, or something else that keeps it from being used.
/// Ports of transports that are neither TCP nor UDP are not looked at.
/// Nor those that only processes hold of which `is_ours` says so.
pub fn first_taken(
    host: IpAddr,
    protocol: u8,
    ports: RangeInclusive<u16>,
    is_ours: &dyn Fn(u32) -> bool,
) -> Option<(u16, std::io::Error)> {
    if !matches!(protocol, TCP | UDP) {
        return None;
    }
    let mut tried: Vec<u16> = if ports.len() <= FEW {
        ports.collect()
    } else {
        mentioned(protocol).into_iter().filter(|port| ports.contains(port)).collect()
    };
    tried.sort_unstable();
    tried.into_iter().find_map(|port| {
        let error = occupy(host, protocol, port).err()?;
        let in_use = error.kind() == std::io::ErrorKind::AddrInUse;
        let ours = in_use && {
            let mut holders = holders(protocol, port).peekable();
            holders.peek().is_some() && holders.all(is_ours)
        };
        (!ours).then_some((port, error))
    })
}

/// Takes a port and lets go of it.
fn occupy(host: IpAddr, protocol: u8, port: u16) -> std::io::Result<()> {
    let family = if host.is_ipv4() { AddressFamily::INET } else { AddressFamily::INET6 };
    let (kind, transport) =
        if protocol == TCP { (SocketType::STREAM, ipproto::TCP) } else { (SocketType::DGRAM, ipproto::UDP) };
    let socket = socket_with(family, kind, SocketFlags::CLOEXEC, Some(transport))?;
    if protocol == TCP {
        // Connections of the past don't count, who listens does.
        set_socket_reuseaddr(&socket, true)?;
    }
    if host.is_ipv6() {
        // Whoever has the same port for IPv4 has nothing to do with it.
        rustix::net::sockopt::set_ipv6_v6only(&socket, true)?;
    }
    Ok(bind(&socket, &SocketAddr::new(host, port))?)
}

/// The program that has a port, as `nginx (pid 12)`.
pub fn holder(protocol: u8, port: u16) -> Option<String> {
    let pid = holders(protocol, port).next()?;
    let name = fs::read_to_string(Path::new("/proc").join(pid.to_string()).join("comm")).unwrap_or_default();
    Some(format!("{} (pid {pid})", name.trim()))
}

/// The processes that have a port.
fn holders(protocol: u8, port: u16) -> impl Iterator<Item = u32> {
    let inodes: BTreeSet<String> = sockets(protocol)
        .into_iter()
        .filter(|socket| socket.port == port)
        .map(|socket| format!("socket:[{}]", socket.inode))
        .collect();
    let processes = fs::read_dir("/proc").into_iter().flatten().flatten();
    let pids = processes.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    let has = move |pid: &u32| {
        let descriptors = fs::read_dir(format!("/proc/{pid}/fd")).into_iter().flatten().flatten();
        let mut targets = descriptors.filter_map(|entry| fs::read_link(entry.path()).ok());
        targets.any(|target| target.to_str().is_some_and(|target| inodes.contains(target)))
    };
    pids.filter(has)
}

/// The addresses and ports at which programs of the calling thread's namespace are listening, or take datagrams from anybody.
/// None of transports that are neither TCP nor UDP.
pub fn listeners(protocol: u8) -> Vec<SocketAddr> {
    if !matches!(protocol, TCP | UDP) {
        return Vec::new();
    }
    sockets(protocol).into_iter().map(|socket| SocketAddr::new(socket.address, socket.port)).collect()
}

/// Ports that some socket of this namespace has.
fn mentioned(protocol: u8) -> BTreeSet<u16> {
    sockets(protocol).into_iter().map(|socket| socket.port).collect()
}

struct Socket {
    address: IpAddr,
    port: u16,
    inode: u64,
}

/// Sockets that listen, or take datagrams from anybody (`proc_net_tcp`: the fields are local address, remote address, state, …).
fn sockets(protocol: u8) -> Vec<Socket> {
    let (files, state) = if protocol == TCP { (["tcp", "tcp6"], "0A") } else { (["udp", "udp6"], "07") };
    let texts = files
        .iter()
        .map(|file| fs::read_to_string(format!("/proc/thread-self/net/{file}")).unwrap_or_default());
    let read = |line: &str| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let (address, port) = fields.get(1)?.rsplit_once(':')?;
        let (address, port) = (read_address(address)?, u16::from_str_radix(port, 16).ok()?);
        (*fields.get(3)? == state).then_some(())?;
        Some(Socket { address, port, inode: fields.get(9)?.parse().ok()? })
    };
    texts.flat_map(|text| text.lines().skip(1).filter_map(read).collect::<Vec<_>>()).collect()
}

/// Words of four bytes, each as the processor keeps it.
fn read_address(text: &str) -> Option<IpAddr> {
    let words = (0..text.len()).step_by(8).map(|at| u32::from_str_radix(text.get(at..at + 8)?, 16).ok());
    let words: Vec<u32> = words.collect::<Option<_>>()?;
    let bytes: Vec<u8> = words.into_iter().flat_map(u32::to_ne_bytes).collect();
    match bytes.len() {
        4 => Some(<[u8; 4]>::try_from(bytes).ok()?.into()),
        16 => Some(<[u8; 16]>::try_from(bytes).ok()?.into()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::{Ipv4Addr, TcpListener, UdpSocket};

    const ANY: IpAddr = IpAddr::V4(Ipv4Addr::UNSPECIFIED);

    #[test]
    fn who_listens_is_found_and_named() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let (taken, error) = first_taken(ANY, TCP, port..=port, &|_| false).unwrap();
        assert_eq!((taken, error.kind()), (port, std::io::ErrorKind::AddrInUse));
        let wide = port.saturating_sub(500)..=port;
        assert!(first_taken(ANY, TCP, wide, &|_| false).is_some(), "in a wide range too");
        assert!(
            first_taken("::".parse().unwrap(), TCP, port..=port, &|_| false).is_none(),
            "the other family is free"
        );
        assert!(listeners(TCP).contains(&listener.local_addr().unwrap()));
        let six = TcpListener::bind("[::1]:0").unwrap();
        assert!(listeners(TCP).contains(&six.local_addr().unwrap()));
        let name = holder(TCP, port).unwrap();
        assert!(name.ends_with(&format!("(pid {})", std::process::id())), "{name}");
        drop(listener);
        assert!(first_taken(ANY, TCP, port..=port, &|_| false).is_none());
        let socket = UdpSocket::bind("0.0.0.0:0").unwrap();
        let port = socket.local_addr().unwrap().port();
        assert!(first_taken(ANY, UDP, port..=port, &|_| false).is_some());
        assert!(holder(UDP, port).is_some());
    }

    #[test]
    fn an_address_that_the_host_does_not_have_is_refused() {
        let (_, error) = first_taken("203.0.113.77".parse().unwrap(), TCP, 80..=80, &|_| false).unwrap();
        assert_eq!(error.kind(), std::io::ErrorKind::AddrNotAvailable);
    }
}
