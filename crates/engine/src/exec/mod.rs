//! The verbs on processes that are added to running containers.

mod create;
mod inspect;
mod resize;
mod start;
mod table;
mod wait;

pub use create::create;
pub use inspect::{Inspection, inspect};
pub use resize::resize;
pub use start::{Start, start};
pub use table::{Exec, ExecState, Execs};
pub use wait::wait;
