//! The user's terminal and the streams of an attached container.

mod detach;
mod input;
mod raw;
mod session;
mod signals;
mod sink;

pub(crate) use raw::{check_tty, read_password, size, stdin_is_terminal};
pub(crate) use session::{End, Resize, Session, copy_frames};
pub(crate) use signals::OnSignal;
pub(crate) use sink::Sink;
