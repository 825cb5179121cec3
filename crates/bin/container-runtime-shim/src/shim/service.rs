//! containerd's Task service: from a request to the method that answers it.

use super::Shim;
use super::respond::encode;
use crate::error::{Error, Result};
use crate::process::ReplyTo;
use containerd_shim_protos::api::WaitRequest;
use containerd_shim_protos::ttrpc::Request;
use protobuf::Message;

/// Both versions have the same messages.
const SERVICES: [&str; 2] = ["containerd.task.v2.Task", "containerd.task.v3.Task"];

impl Shim {
    /// The answer; none: it follows later.
    pub(super) fn dispatch(&mut self, to: ReplyTo, request: &Request) -> Option<Result<Vec<u8>>> {
        if !SERVICES.contains(&request.service.as_str()) {
            return Some(Err(Error::Unsupported { what: format!("the service {}", request.service) }));
        }
        let payload = request.payload.as_slice();
        Some(match request.method.as_str() {
            "Create" => self.call(payload, Self::create),
            "Start" => self.call(payload, Self::start),
            "State" => self.call(payload, Self::state),
            "Delete" => self.call(payload, Self::delete),
            "Pids" => self.call(payload, Self::pids),
            "Pause" => self.call(payload, Self::pause),
            "Resume" => self.call(payload, Self::resume),
            "Kill" => self.call(payload, Self::kill),
            "Exec" => self.call(payload, Self::exec),
            "ResizePty" => self.call(payload, Self::resize),
            "CloseIO" => self.call(payload, Self::close_io),
            "Update" => self.call(payload, Self::update),
            "Connect" => self.call(payload, Self::connect),
            "Shutdown" => self.call(payload, Self::shutdown),
            "Wait" => return self.wait(to, payload),
            method => Err(Error::Unsupported { what: format!("the method {method}") }),
        })
    }

    fn call<Q: Message, R: Message>(
        &mut self,
        payload: &[u8],
        method: fn(&mut Self, &Q) -> Result<R>,
    ) -> Result<Vec<u8>> {
        Ok(encode(&method(self, &decode(payload)?)?))
    }

    fn wait(&mut self, to: ReplyTo, payload: &[u8]) -> Option<Result<Vec<u8>>> {
        let result = decode(payload).and_then(|request: WaitRequest| self.wait_for(to, &request));
        result.map(|exit| exit.map(|exit| encode(&exit))).transpose()
    }
}

fn decode<Q: Message>(payload: &[u8]) -> Result<Q> {
    Q::parse_from_bytes(payload).map_err(|error| Error::invalid(format!("malformed request: {error}")))
}
