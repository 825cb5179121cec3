//! Many datagrams with one system call: `recvmmsg(2)` and `sendmmsg(2)`, over buffers that are allocated once.

use std::io;
use std::mem::MaybeUninit;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV6};
use std::os::fd::{AsRawFd, BorrowedFd};

/// Buffers for a number of datagrams that came together, each of which may be answered in place.
///
/// Stays on the thread that made it.
pub struct Batch {
    size: usize,
    // What the headers point to. The slices are never moved or resized after `new`, and only `&mut self` reaches them.
    buffers: Box<[u8]>,
    names: Box<[libc::sockaddr_in6]>,
    _vectors: Box<[libc::iovec]>,
    received: Box<[libc::mmsghdr]>,
    answer_vectors: Box<[libc::iovec]>,
    answers: Box<[libc::mmsghdr]>,
    answered: usize,
}

impl std::fmt::Debug for Batch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Batch").field("count", &self.received.len()).field("size", &self.size).finish()
    }
}

impl Batch {
    /// For `count` datagrams of at most `size` bytes each; what is longer is cut.
    pub fn new(count: usize, size: usize) -> Self {
        let mut buffers = vec![0_u8; count * size].into_boxed_slice();
        // SAFETY: all of these are plain numbers and pointers, for which zeros are valid values.
        let (name, vector, header) = unsafe {
            (
                MaybeUninit::<libc::sockaddr_in6>::zeroed().assume_init(),
                MaybeUninit::<libc::iovec>::zeroed().assume_init(),
                MaybeUninit::<libc::mmsghdr>::zeroed().assume_init(),
            )
        };
        let mut names = vec![name; count].into_boxed_slice();
        let mut vectors = vec![vector; count].into_boxed_slice();
        let mut received = vec![header; count].into_boxed_slice();
        let parts = buffers.chunks_exact_mut(size).zip(&mut names).zip(&mut vectors).zip(&mut received);
        for (((buffer, name), vector), header) in parts {
            *vector = libc::iovec { iov_base: buffer.as_mut_ptr().cast(), iov_len: size };
            header.msg_hdr.msg_name = (&raw mut *name).cast();
            header.msg_hdr.msg_namelen = NAME_LENGTH;
            header.msg_hdr.msg_iov = &raw mut *vector;
            header.msg_hdr.msg_iovlen = 1;
        }
        let answer_vectors = vec![vector; count].into_boxed_slice();
        let answers = vec![header; count].into_boxed_slice();
        Self { size, buffers, names, _vectors: vectors, received, answer_vectors, answers, answered: 0 }
    }

    /// Takes what waits at a socket, without waiting itself; says how many. The datagrams before are forgotten.
    ///
    /// # Errors
    /// Those of `recvmmsg(2)`; `EAGAIN` when nothing waits.
    pub fn receive(&mut self, socket: BorrowedFd<'_>) -> io::Result<usize> {
        self.answered = 0;
        let count = libc::c_uint::try_from(self.received.len()).unwrap_or(libc::c_uint::MAX);
        // SAFETY: every header points to a name, a vector and through it a buffer that this value owns and that nobody
        // else uses during the call, with their true lengths.
        let got = unsafe {
            libc::recvmmsg(
                socket.as_raw_fd(),
                self.received.as_mut_ptr(),
                count,
                libc::MSG_DONTWAIT,
                std::ptr::null_mut(),
            )
        };
        usize::try_from(got).map_err(|_| io::Error::last_os_error())
    }

    /// Datagram `index` of those just received: a buffer of full size, how much of it came, and from where. None if it came
    /// from no internet address.
    ///
    /// # Panics
    /// For an index beyond the batch.
    pub fn datagram(&mut self, index: usize) -> Option<(&mut [u8], usize, SocketAddr)> {
        let header = &mut self.received[index];
        let length = (header.msg_len as usize).min(self.size);
        // The kernel wrote the true length there; the next call reads how much room there is.
        header.msg_hdr.msg_namelen = NAME_LENGTH;
        let from = address(&self.names[index])?;
        Some((&mut self.buffers[index * self.size..][..self.size], length, from))
    }

    /// The first `length` bytes of datagram `index` go back to where it came from with the next [`Batch::send`].
    ///
    /// # Panics
    /// For an index beyond the batch, or a second answer to one datagram.
    pub fn answer(&mut self, index: usize, length: usize) {
        let buffer = &mut self.buffers[index * self.size..][..self.size];
        let vector = &mut self.answer_vectors[self.answered];
        *vector = libc::iovec { iov_base: buffer.as_mut_ptr().cast(), iov_len: length.min(self.size) };
        let header = &mut self.answers[self.answered].msg_hdr;
        let name = &mut self.names[index];
        header.msg_namelen = name_length(name);
        header.msg_name = (&raw mut *name).cast();
        header.msg_iov = &raw mut *vector;
        header.msg_iovlen = 1;
        self.answered += 1;
    }

    /// Sends the answers, without waiting. One that can't be sent is dropped, as a network would.
    pub fn send(&mut self, socket: BorrowedFd<'_>) {
        let mut sent = 0;
        while sent < self.answered {
            let rest = &mut self.answers[sent..self.answered];
            let count = libc::c_uint::try_from(rest.len()).unwrap_or(libc::c_uint::MAX);
            // SAFETY: as in `receive`; `answer` set each of these headers since, to a name, a vector and a buffer that
            // this value owns.
            let done = unsafe {
                libc::sendmmsg(
                    socket.as_raw_fd(),
                    rest.as_mut_ptr(),
                    count,
                    libc::MSG_DONTWAIT | libc::MSG_NOSIGNAL,
                )
            };
            // The kernel stops before the one that it can't send, and says why only if that is the first.
            sent += usize::try_from(done).unwrap_or(1).max(1);
        }
        self.answered = 0;
    }
}

const NAME_LENGTH: libc::socklen_t = size_of_32::<libc::sockaddr_in6>();

const fn size_of_32<T>() -> libc::socklen_t {
    let size = size_of::<T>();
    assert!(size < 1024);
    #[expect(clippy::cast_possible_truncation, reason = "checked in the line above")]
    {
        size as libc::socklen_t
    }
}

fn name_length(name: &libc::sockaddr_in6) -> libc::socklen_t {
    match i32::from(name.sin6_family) {
        libc::AF_INET => size_of_32::<libc::sockaddr_in>(),
        _ => NAME_LENGTH,
    }
}

fn address(name: &libc::sockaddr_in6) -> Option<SocketAddr> {
    match i32::from(name.sin6_family) {
        libc::AF_INET => {
            // SAFETY: the kernel wrote a `sockaddr_in` there, which is smaller and wants no stricter alignment.
            let name = unsafe { &*(&raw const *name).cast::<libc::sockaddr_in>() };
            let ip = Ipv4Addr::from(u32::from_be(name.sin_addr.s_addr));
            Some(SocketAddr::new(IpAddr::V4(ip), u16::from_be(name.sin_port)))
        }
        libc::AF_INET6 => {
            let ip = Ipv6Addr::from(name.sin6_addr.s6_addr);
            let port = u16::from_be(name.sin6_port);
            Some(SocketAddr::V6(SocketAddrV6::new(ip, port, name.sin6_flowinfo, name.sin6_scope_id)))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::UdpSocket;
    use std::os::fd::AsFd;

    fn echo_through(bind: &str) {
        let server = UdpSocket::bind(bind).unwrap();
        let clients = [UdpSocket::bind(bind).unwrap(), UdpSocket::bind(bind).unwrap()];
        let mut batch = Batch::new(4, 16);
        assert_eq!(batch.receive(server.as_fd()).unwrap_err().kind(), io::ErrorKind::WouldBlock);
        for round in 0..3_u8 {
            for (number, client) in clients.iter().enumerate() {
                client.connect(server.local_addr().unwrap()).unwrap();
                client.send(&[round, u8::try_from(number).unwrap(), 7]).unwrap();
            }
            assert_eq!(batch.receive(server.as_fd()).unwrap(), 2);
            for (index, client) in clients.iter().enumerate() {
                let (buffer, length, from) = batch.datagram(index).unwrap();
                assert_eq!((length, from), (3, client.local_addr().unwrap()));
                buffer[3] = 9;
                batch.answer(index, 4);
            }
            batch.send(server.as_fd());
            for (number, client) in clients.iter().enumerate() {
                let mut answer = [0; 8];
                assert_eq!(client.recv(&mut answer).unwrap(), 4);
                assert_eq!(answer[..4], [round, u8::try_from(number).unwrap(), 7, 9]);
            }
        }
    }

    #[test]
    fn datagrams_are_answered_where_they_came_from() {
        echo_through("127.0.0.1:0");
        echo_through("[::1]:0");
    }

    #[test]
    fn one_that_cannot_be_sent_does_not_hold_up_the_next() {
        let server = UdpSocket::bind("127.0.0.1:0").unwrap();
        let client = UdpSocket::bind("127.0.0.1:0").unwrap();
        client.connect(server.local_addr().unwrap()).unwrap();
        client.send(b"first").unwrap();
        client.send(b"second").unwrap();
        let mut batch = Batch::new(2, 70_000);
        assert_eq!(batch.receive(server.as_fd()).unwrap(), 2);
        batch.answer(0, 70_000); // more than a datagram holds
        batch.answer(1, 6);
        batch.send(server.as_fd());
        let mut answer = [0; 16];
        assert_eq!(client.recv(&mut answer).unwrap(), 6);
        assert_eq!(&answer[..6], b"second");
    }
}
