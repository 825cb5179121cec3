//! Containers: their records, their state machine, their names.
//!
//! A [`Container`] is one container's live handle: the record that lists read without waiting, the lock that
//! lets one verb at a time change it, the task while it runs, and what waits for its next exit. [`Containers`] is
//! the table of them, kept in the state store under `containers/<id>`.

mod container;
mod progress;
mod record;
mod state;
mod table;

pub use container::{Container, ExitNotice, PendingAttach};
pub use progress::InProgress;
pub use record::{ImageUse, MountPoint, MountPointKind, Record, SCHEMA};
pub use state::{Event, ExitRecord, State, Transition, next};
pub use table::{Containers, NameReservation, TableError};
