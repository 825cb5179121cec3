//! Sending answers.

use super::Shim;
use crate::error::Result;
use crate::process::ReplyTo;
use containerd_shim_protos::ttrpc::{Response, Status};
use protobuf::Message;

impl Shim {
    /// Sends an encoded message, or the error.
    pub(super) fn respond(&mut self, to: ReplyTo, answer: Result<Vec<u8>>) {
        let response = match answer {
            Ok(payload) => Response { payload, ..Response::default() },
            Err(error) => Response { status: Some(error.to_status()).into(), ..Response::default() },
        };
        self.send(to, &response);
    }

    /// Sends a message.
    pub(super) fn respond_message(&mut self, to: ReplyTo, message: &impl Message) {
        self.respond(to, Ok(encode(message)));
    }

    /// Sends an error that came out of the protocol itself.
    pub(super) fn respond_status(&mut self, to: ReplyTo, status: Status) {
        self.send(to, &Response { status: Some(status).into(), ..Response::default() });
    }

    fn send(&mut self, to: ReplyTo, response: &Response) {
        let Some(connection) = self.connections.get_mut(&to.connection) else { return };
        if connection.of.send(to.stream, response) {
            self.watch_connection(to.connection);
        } else {
            self.drop_connection(to.connection);
        }
    }
}

/// Messages without required fields always encode.
pub(super) fn encode(message: &impl Message) -> Vec<u8> {
    message.write_to_bytes().unwrap_or_default()
}
