//! Options of sockets that no safe library has.

use std::io;
use std::os::fd::{AsFd, AsRawFd};

/// At most so many bytes wait in a TCP socket to be sent for the first time (`TCP_NOTSENT_LOWAT`). Whoever writes then sees soon
/// whether the other side takes anything: without it the socket reports room for more only when a third of its buffer is free.
///
/// # Errors
/// When it is no TCP socket.
pub fn limit_unsent(socket: &impl AsFd, bytes: u32) -> io::Result<()> {
    let size = libc::socklen_t::try_from(size_of::<u32>()).map_err(io::Error::other)?;
    // SAFETY: the value is an initialized u32 that outlives the call, and its size is what is passed.
    let set = unsafe {
        libc::setsockopt(
            socket.as_fd().as_raw_fd(),
            libc::IPPROTO_TCP,
            libc::TCP_NOTSENT_LOWAT,
            (&raw const bytes).cast(),
            size,
        )
    };
    if set == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;
    use std::net::{TcpListener, TcpStream};

    #[test]
    fn only_tcp_has_it_and_there_it_limits() {
        let (unix, _other) = std::os::unix::net::UnixStream::pair().unwrap();
        assert!(limit_unsent(&unix, 1 << 16).is_err());
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let mut written = [0; 2];
        for (limit, written) in [None, Some(4096)].into_iter().zip(&mut written) {
            let mut stream = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
            let _unread = listener.accept().unwrap();
            stream.set_nonblocking(true).unwrap();
            if let Some(limit) = limit {
                limit_unsent(&stream, limit).unwrap();
            }
            while let Ok(size) = stream.write(&[0; 4096]) {
                *written += size;
            }
        }
        assert!(written[1] < written[0], "{written:?}");
    }
}
