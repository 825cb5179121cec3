//! The program that a container's process becomes: found, understood and executed inside the container.
//!
//! Errors keep Docker's words where Docker has some, since its clients derive exit codes from them: 127 for
//! "executable file not found in $PATH" and "no such file or directory", 126 for the rest.

mod devices;
mod executor;
mod format;
mod home;
mod identity;
mod limits;
mod lookup;

pub(crate) use devices::{BoundDevices, PLACE};
pub(crate) use executor::{Confinement, Kind, ProgramExecutor};
pub(crate) use identity::Identity;
