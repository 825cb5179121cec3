//! The small service that shims publish events to: containerd's `Events/Forward`. Only running out of memory is
//! listened to; exits are known better from waiting.

use crate::error::{Error, Result};
use crate::runtimes::{TaskEvent, TaskEventKind};
use crate::socket;
use async_trait::async_trait;
use containerd_shim_protos::api::{Empty, ForwardRequest};
use containerd_shim_protos::events::task::TaskOOM;
use containerd_shim_protos::shim_async::{Events, create_events};
use ids::ContainerId;
use protobuf::Message;
use std::collections::HashSet;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::broadcast;
use ttrpc::asynchronous::{Server, TtrpcContext, transport::Listener};

/// Events that a slow reader may lag behind.
const BACKLOG: usize = 256;

/// What shims reported.
#[derive(Debug, Clone)]
pub(crate) struct EventHub {
    reports: broadcast::Sender<TaskEvent>,
    /// Containers in which the kernel killed for lack of memory, until they are forgotten.
    out_of_memory: Arc<Mutex<HashSet<ContainerId>>>,
}

impl EventHub {
    pub(crate) fn new() -> Self {
        Self { reports: broadcast::Sender::new(BACKLOG), out_of_memory: Arc::default() }
    }

    pub(crate) fn subscribe(&self) -> broadcast::Receiver<TaskEvent> {
        self.reports.subscribe()
    }

    /// Whether the container ran out of memory; forgets it.
    pub(crate) fn take_out_of_memory(&self, id: &ContainerId) -> bool {
        self.lock().remove(id)
    }

    fn report(&self, container: &str) {
        let Ok(id) = container.parse::<ContainerId>() else { return };
        self.lock().insert(id.clone());
        // Nobody listening is fine.
        let _ = self.reports.send(TaskEvent { id, kind: TaskEventKind::Oom });
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashSet<ContainerId>> {
        self.out_of_memory.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Listens at a socket. The server ends when it is dropped or shut down.
pub(crate) async fn serve(path: &Path, namespace: String, hub: EventHub) -> Result<Server> {
    let failed = |cause| Error::File { action: "listen on", path: path.to_path_buf(), cause };
    let socket = socket::bind(path).map_err(failed)?;
    let listener = Listener::try_from(socket).map_err(failed)?;
    let service = create_events(Arc::new(Service { namespace, hub }));
    let mut server = Server::new().add_listener(listener).register_service(service);
    server.start().await.map_err(|error| failed(std::io::Error::other(error)))?;
    Ok(server)
}

struct Service {
    namespace: String,
    hub: EventHub,
}

#[async_trait]
impl Events for Service {
    async fn forward(&self, _: &TtrpcContext, request: ForwardRequest) -> ttrpc::Result<Empty> {
        let envelope = request.envelope.unwrap_or_default();
        if envelope.topic == "/tasks/oom" && envelope.namespace == self.namespace {
            let event = envelope.event.unwrap_or_default();
            match TaskOOM::parse_from_bytes(&event.value) {
                Ok(event) => self.hub.report(&event.container_id),
                Err(error) => tracing::warn!(%error, "an unintelligible event of a shim"),
            }
        }
        Ok(Empty::new())
    }
}
