//! The execs that the engine remembers: those of running containers, and ended ones for as long as somebody may ask.
//!
//! In memory only: an exec is a conversation with a client, and ends with its container.

use errors::{Class, Error, Result};
use ids::{ContainerId, ExecId};
use parking_lot::Mutex;
use spec::ExecSpec;
use std::collections::HashMap;
use std::sync::Arc;

/// How many ended execs are remembered; beyond that the oldest are forgotten.
const ENDED_LIMIT: usize = 1000;

/// One exec.
#[derive(Debug)]
pub struct Exec {
    /// Its id.
    pub id: ExecId,
    /// The container it runs in.
    pub container: ContainerId,
    /// What it was asked to be.
    pub spec: ExecSpec,
    /// Whom it runs as; none: as the container's own process.
    pub(super) user: Option<runtime::user::User>,
    /// Where it is in its life.
    pub state: Mutex<ExecState>,
    /// Notified when it ends.
    pub(super) end: tokio::sync::Notify,
}

/// Where an exec is in its life.
#[derive(Debug, Clone)]
pub enum ExecState {
    /// Never started.
    Created,
    /// Being started: nobody else may.
    Starting,
    /// It runs.
    Running(runtime::ExecTask, u32),
    /// It ended, or could not be started.
    Ended {
        /// Exit code, or 128 plus a signal.
        code: u32,
        /// Its process id, if it ran.
        pid: Option<u32>,
    },
}

/// All execs.
#[derive(Debug, Default)]
pub struct Execs {
    table: Mutex<Table>,
}

#[derive(Debug, Default)]
struct Table {
    by_id: HashMap<ExecId, Arc<Exec>>,
    ended: std::collections::VecDeque<ExecId>,
}

impl Execs {
    pub(super) fn insert(&self, exec: Exec) {
        self.table.lock().by_id.insert(exec.id.clone(), Arc::new(exec));
    }

    /// By id, or an unambiguous beginning of it.
    pub(super) fn find(&self, reference: &str) -> Result<Arc<Exec>> {
        let table = self.table.lock();
        let mut matching = table.by_id.values().filter(|exec| exec.id.as_str().starts_with(reference));
        match (matching.next(), matching.next()) {
            (Some(exec), None) if !reference.is_empty() => Ok(Arc::clone(exec)),
            _ => Err(Error::new(Class::NotFound, format!("No such exec instance: {reference}"))),
        }
    }

    pub(super) fn ended(&self, exec: &Exec, code: u32, pid: Option<u32>) {
        *exec.state.lock() = ExecState::Ended { code, pid };
        exec.end.notify_waiters();
        let mut table = self.table.lock();
        table.ended.push_back(exec.id.clone());
        while table.ended.len() > ENDED_LIMIT {
            if let Some(oldest) = table.ended.pop_front() {
                table.by_id.remove(&oldest);
            }
        }
    }

    /// Ids of a container's execs that have not ended.
    pub(crate) fn of_container(&self, container: &ContainerId) -> Vec<ExecId> {
        let table = self.table.lock();
        let live = |exec: &&Arc<Exec>| !matches!(*exec.state.lock(), ExecState::Ended { .. });
        let of_it = table.by_id.values().filter(|exec| exec.container == *container).filter(live);
        of_it.map(|exec| exec.id.clone()).collect()
    }

    /// Forgets the execs of a container that were never started; the others end by themselves.
    pub(crate) fn forget_container(&self, container: &ContainerId) {
        self.table.lock().by_id.retain(|_, exec| {
            exec.container != *container || !matches!(*exec.state.lock(), ExecState::Created)
        });
    }
}
