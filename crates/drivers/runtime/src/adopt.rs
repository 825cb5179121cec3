//! Finding a container again that a previous engine created.

use crate::error::{Error, Result};
use crate::rpc::Rpc;
use crate::rpc::connection::Connection;
use crate::rpc::link::{Link, is_nobody};
use crate::runtimes::{Adopted, Runtimes};
use crate::shim::log::LogCopier;
use crate::shim::lost::Cleanup;
use crate::shim::record::{ShimRecord, read_exit};
use crate::socket;
use crate::task::{Task, is_not_found};
use crate::wait::nanoseconds;
use containerd_shim_protos::api::{StateRequest, StateResponse, Status};
use ids::ContainerId;
use shim_protocol::Exit;
use std::path::Path;
use std::time::Duration;
use tokio::net::UnixStream;

/// A living shim answers at once; of one that does not, the caller may try again later.
const LIMIT: Duration = Duration::from_secs(5);

/// Asks the container's shim how it is; without one, what it wrote down.
pub(crate) async fn adopt(runtimes: &Runtimes, id: &ContainerId, bundle: &Path) -> Result<Adopted> {
    let Some(record) = ShimRecord::read(bundle)? else {
        return Ok(read_exit(bundle).map_or(Adopted::Lost, |exit| Adopted::Exited(exit, None)));
    };
    let cleanup = runtimes.cleanup(id.clone(), bundle.to_path_buf(), record);
    let record = &cleanup.record;
    match socket::connect(&record.socket) {
        Ok(stream) => {
            if let Some(adopted) = ask(runtimes, &cleanup, stream).await? {
                return Ok(adopted);
            }
        }
        Err(error) if is_nobody(&error) => {}
        // It lives; so many wait for it already that it accepts nobody else for now.
        Err(cause) => {
            return Err(Error::File { action: "connect to", path: record.socket.clone(), cause });
        }
    }
    let own = record.own;
    cleanup.run().await?;
    let exit = read_exit(bundle).filter(|_| own);
    Ok(exit.map_or(Adopted::Lost, |exit| Adopted::Exited(exit, None)))
}

/// None: it has ended, or it lives and has no container (any more).
async fn ask(runtimes: &Runtimes, cleanup: &Cleanup, stream: UnixStream) -> Result<Option<Adopted>> {
    let (id, record) = (&cleanup.id, &cleanup.record);
    let link = Link::new(record.socket.clone(), Connection::new(stream), None);
    let rpc = Rpc::new(link, record.version, id.clone(), runtimes.config.patience);
    let request = StateRequest { id: id.to_string(), ..StateRequest::default() };
    let state = match rpc.call::<StateResponse>("State", &request, LIMIT).await {
        Ok(state) => state,
        Err(Error::ShimGone { .. }) => return Ok(None),
        Err(error) if is_not_found(&error) => return Ok(None),
        Err(error) => return Err(error),
    };
    rpc.know_process().await;
    let log = if record.own { None } else { Some(LogCopier::start(&cleanup.bundle)?) };
    let exit = exit(&state, &cleanup.bundle, record.own);
    let task = Task::new(cleanup.clone(), rpc, state.pid, runtimes.hub.clone(), log);
    let paused = state.status.enum_value() == Ok(Status::PAUSED);
    Ok(Some(match exit {
        Some(exit) => Adopted::Exited(exit, Some(task)),
        None => Adopted::Running { task, paused },
    }))
}

/// None: it has not ended.
fn exit(state: &StateResponse, bundle: &Path, own: bool) -> Option<Exit> {
    let stopped = state.status.enum_value() == Ok(Status::STOPPED);
    let seen =
        || Exit { status: state.exit_status, at: nanoseconds(state.exited_at.as_ref()), oom_killed: false };
    stopped.then(|| read_exit(bundle).filter(|_| own).unwrap_or_else(seen))
}
