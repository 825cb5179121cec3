//! A client on a terminal of its own: typing, reading, resizing.

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Winsize, tcsetwinsize};
use std::fs::OpenOptions;
use std::os::fd::OwnedFd;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// How long a test waits for a client to print or to end.
const LIMIT: Duration = Duration::from_secs(20);

/// A running client whose terminal we hold the other end of.
#[derive(Debug)]
pub struct Pty {
    master: OwnedFd,
    child: Child,
    /// Everything it printed so far.
    seen: String,
}

impl Pty {
    /// Starts the command with a terminal of 24 rows and 80 columns as its controlling one.
    #[track_caller]
    pub fn spawn(command: &Command) -> Self {
        let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC).unwrap();
        grantpt(&master).unwrap();
        unlockpt(&master).unwrap();
        let name = ptsname(&master, Vec::new()).unwrap().into_string().unwrap();
        let slave = OpenOptions::new().read(true).write(true).open(name).unwrap();
        resize(&master, 24, 80);
        let end = || Stdio::from(slave.try_clone().unwrap());
        // `setsid -c` makes the terminal the controlling one without any `unsafe` here.
        let mut wrapped = Command::new("setsid");
        wrapped.arg("-c").arg(command.get_program()).args(command.get_args());
        for (name, value) in command.get_envs() {
            wrapped.env(name, value.unwrap_or_default());
        }
        let child = wrapped.env("TERM", "xterm").stdin(end()).stdout(end()).stderr(end()).spawn().unwrap();
        Self { master, child, seen: String::new() }
    }

    /// Types the text.
    pub fn send(&mut self, text: &str) {
        rustix::io::write(&self.master, text.as_bytes()).unwrap();
    }

    /// Changes the size of the terminal.
    pub fn resize(&self, rows: u16, columns: u16) {
        resize(&self.master, rows, columns);
    }

    /// Reads until the text was printed; returns everything up to and with it, and forgets that.
    #[track_caller]
    pub fn expect(&mut self, text: &str) -> String {
        let end = Instant::now() + LIMIT;
        loop {
            if let Some(at) = self.seen.find(text) {
                let rest = self.seen.split_off(at + text.len());
                return std::mem::replace(&mut self.seen, rest);
            }
            let more = Instant::now() < end && self.read();
            assert!(more, "expected '{text}', the terminal shows: {:?}", self.seen);
        }
    }

    /// Whether the text was printed, after reading what there is for up to a second.
    pub fn shows(&mut self, text: &str) -> bool {
        self.seen.contains(text) || (self.read() && self.seen.contains(text))
    }

    /// Waits for the client's end; returns its exit code and what else it printed.
    #[track_caller]
    pub fn wait(mut self) -> (i32, String) {
        let end = Instant::now() + LIMIT;
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                while self.readable(Duration::ZERO) && self.read() {}
                return (status.code().unwrap_or(-1), std::mem::take(&mut self.seen));
            }
            assert!(Instant::now() < end, "does not end; the terminal shows: {:?}", self.seen);
            if self.readable(Duration::from_millis(50)) {
                self.read();
            }
        }
    }

    fn readable(&self, limit: Duration) -> bool {
        let limit = Timespec::try_from(limit).unwrap();
        poll(&mut [PollFd::new(&self.master, PollFlags::IN)], Some(&limit)).is_ok_and(|ready| ready > 0)
    }

    /// Takes what is there within a second; `false`: the other side is closed.
    fn read(&mut self) -> bool {
        if !self.readable(Duration::from_secs(1)) {
            return true;
        }
        let mut buffer = [0; 4096];
        match rustix::io::read(&self.master, &mut buffer) {
            Ok(0) | Err(_) => false,
            Ok(count) => {
                self.seen.push_str(&String::from_utf8_lossy(&buffer[..count]));
                true
            }
        }
    }
}

impl Drop for Pty {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn resize(master: &OwnedFd, rows: u16, columns: u16) {
    let size = Winsize { ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 };
    tcsetwinsize(master, size).unwrap();
}
