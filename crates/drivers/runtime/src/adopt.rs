//! Finding a container again that a previous engine created.

use crate::error::{Error, Result};
use crate::rpc::{self, Rpc};
use crate::runtimes::{Adopted, Runtimes};
use crate::shim::log::LogCopier;
use crate::shim::record::{ShimRecord, read_exit};
use crate::socket;
use crate::task::{Holds, Task, is_not_found};
use crate::wait::nanoseconds;
use containerd_shim_protos::api::{StateRequest, StateResponse, Status};
use ids::ContainerId;
use shim_protocol::Exit;
use std::path::Path;
use std::time::Duration;

/// A living shim answers at once, also on a busy host.
const LIMIT: Duration = Duration::from_secs(5);

/// Asks the container's shim how it is; without one, what it wrote down.
pub(crate) async fn adopt(runtimes: &Runtimes, id: &ContainerId, bundle: &Path) -> Result<Adopted> {
    let Some(record) = ShimRecord::read(bundle)? else {
        return Ok(read_exit(bundle).map_or(Adopted::Lost, |exit| Adopted::Exited(exit, None)));
    };
    let cleanup = runtimes.cleanup(id.clone(), bundle.to_path_buf(), record);
    let record = &cleanup.record;
    if let Ok(stream) = socket::connect(&record.socket) {
        let rpc = Rpc::new(rpc::client(stream), record.version, id.clone());
        let request = StateRequest { id: id.to_string(), ..StateRequest::default() };
        match rpc.call::<StateResponse>("State", &request, LIMIT).await {
            Ok(state) => {
                let log = if record.own { None } else { Some(LogCopier::start(bundle)?) };
                let mut holds = Holds { _log: log, ..Holds::default() };
                holds.know_process(&rpc, id).await;
                let task = Task::new(cleanup, rpc, state.pid, runtimes.hub.clone(), holds);
                let paused = state.status.enum_value() == Ok(Status::PAUSED);
                return Ok(match exit(&state, bundle, task.shared.cleanup.record.own) {
                    Some(exit) => Adopted::Exited(exit, Some(task)),
                    None => Adopted::Running { task, paused },
                });
            }
            // It lives, but has no container (any more), or died while it was asked.
            Err(Error::ShimGone { .. }) => {}
            Err(error) if is_not_found(&error) => {}
            Err(error) => return Err(error),
        }
    }
    let own = record.own;
    cleanup.run().await?;
    let exit = read_exit(bundle).filter(|_| own);
    Ok(exit.map_or(Adopted::Lost, |exit| Adopted::Exited(exit, None)))
}

/// None: it has not ended.
fn exit(state: &StateResponse, bundle: &Path, own: bool) -> Option<Exit> {
    let stopped = state.status.enum_value() == Ok(Status::STOPPED);
    let seen =
        || Exit { status: state.exit_status, at: nanoseconds(state.exited_at.as_ref()), oom_killed: false };
    stopped.then(|| read_exit(bundle).filter(|_| own).unwrap_or_else(seen))
}
