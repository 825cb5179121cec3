//! Clients of the attach socket, as they come and go.

use super::Shim;
use crate::error::{Error, Result};
use crate::poll::{Interest, Number, Ready, Token, Watch};
use crate::streams::{Attached, Client, Endpoint, Greeting};
use logs::Stream;
use rustix::net::{SocketFlags, accept_with};
use shim_protocol::{Hello, Welcome};

impl Shim {
    pub(super) fn accept_clients(&mut self) {
        let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
        loop {
            let Some(container) = &self.container else { return };
            let Ok(fd) = accept_with(&container.attach.of, flags) else { return };
            let client = Client::new(fd, container.options.spool.as_deref());
            let number = self.next_number();
            let mut client = Watch::new(client, Token::Client(number));
            client.set(&self.poll, Interest::READ);
            self.clients.insert(number, client);
        }
    }

    pub(super) fn serve_client(&mut self, number: Number, ready: Ready) {
        let Some(client) = self.clients.get_mut(&number) else { return };
        if ready.writable && !client.of.flush() {
            return self.drop_client(number);
        }
        match &client.of.attached {
            _ if client.of.closing => {}
            None => return self.greet(number),
            Some(attached) if attached.stdin => self.read_client_input(number),
            Some(_) if ready.hung_up => return self.drop_client(number),
            Some(_) => {}
        }
        self.watch_client(number);
    }

    fn greet(&mut self, number: Number) {
        let Some(client) = self.clients.get_mut(&number) else { return };
        let answer = match client.of.read_greeting() {
            Greeting::Incomplete => return,
            Greeting::Gone => return self.drop_client(number),
            Greeting::Broken(reason) => Err(Error::invalid(reason)),
            Greeting::Complete(hello) => self.attach(&hello),
        };
        let Some(client) = self.clients.get_mut(&number) else { return };
        match answer {
            Ok(attached) => {
                client.of.welcome(&Welcome::Attached { terminal: attached.terminal });
                client.of.attached = Some(attached);
            }
            Err(error) => {
                client.of.welcome(&Welcome::Refused { reason: errors::chain(&error) });
                client.of.closing = true;
            }
        }
        self.flush_client(number);
    }

    fn attach(&mut self, hello: &Hello) -> Result<Attached> {
        let exec = hello.exec.as_deref().unwrap_or_default();
        let gone = || Error::invalid("the container is deleted");
        let container = self.container.as_mut().ok_or_else(gone)?;
        let number = container.find(exec)?;
        let process = container.process(exec)?;
        if process.exit().is_some() {
            return Err(Error::State { verb: "attach to", process: process.name(), state: process.state() });
        }
        let offered = |endpoint: &Endpoint| *endpoint == Endpoint::Attach;
        Ok(Attached {
            process: number,
            terminal: process.terminal,
            stdin: hello.stdin && offered(&process.endpoints.stdin),
            stdout: hello.stdout && offered(&process.endpoints.stdout),
            stderr: hello.stderr && offered(&process.endpoints.stderr),
        })
    }

    pub(super) fn push_to_client(&mut self, number: Number, stream: Stream, bytes: &[u8]) {
        let Some(client) = self.clients.get_mut(&number) else { return };
        client.of.push(stream, bytes);
        self.flush_client(number);
    }

    /// Ends the connections of a process's clients, once they have all output.
    pub(super) fn close_clients(&mut self, process: Number) {
        self.close_clients_that(|attached| attached.process == process);
    }

    /// Of all processes.
    pub(super) fn close_all_clients(&mut self) {
        self.close_clients_that(|_| true);
    }

    fn close_clients_that(&mut self, condition: impl Fn(&Attached) -> bool) {
        let matching = |client: &Watch<Client>| client.of.attached.as_ref().is_some_and(&condition);
        let numbers: Vec<_> =
            self.clients.iter().filter(|(_, client)| matching(client)).map(|(&n, _)| n).collect();
        for number in numbers {
            if let Some(client) = self.clients.get_mut(&number) {
                client.of.closing = true;
            }
            self.flush_client(number);
        }
    }

    fn flush_client(&mut self, number: Number) {
        let Some(client) = self.clients.get_mut(&number) else { return };
        if client.of.flush() {
            self.watch_client(number);
        } else {
            self.drop_client(number);
        }
    }

    pub(super) fn watch_client(&mut self, number: Number) {
        let Some(client) = self.clients.get(&number) else { return };
        let write = client.of.is_behind();
        let interest = match &client.of.attached {
            None => Interest::of(!client.of.closing, write),
            Some(attached) if attached.stdin && !client.of.closing => {
                match self.takes_input(attached.process) {
                    true => Interest::of(true, write),
                    // Its input waits, also behind a hang-up that would be told again and again.
                    false if write => Interest::WRITE,
                    false => Interest::NONE,
                }
            }
            Some(_) => Interest::of(false, write),
        };
        if let Some(client) = self.clients.get_mut(&number) {
            client.set(&self.poll, interest);
        }
    }

    fn drop_client(&mut self, number: Number) {
        self.client_input_ended(number);
        self.clients.remove(&number);
    }
}
