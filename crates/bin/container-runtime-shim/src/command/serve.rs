//! `serve`: a shim that answers on a socket which it has inherited.

use crate::error::{Error, Result};
use crate::shim::{Setting, Shim};
use crate::trace;
use rustix::fs::{Mode, OFlags};
use rustix::process::{Pid, Signal};
use rustix::stdio::{dup2_stderr, dup2_stdin, dup2_stdout};
use std::path::Path;
use sys::thread::SingleThread;

/// The listening socket.
const LISTENER: i32 = 3;

/// Serves until there is nothing left to serve.
pub(crate) fn serve(namespace: String, parent: Option<i32>) -> Result<()> {
    let parent = parent.and_then(Pid::from_raw);
    trace::enable(std::env::var_os("CONTAINER_RUNTIME_SHIM_TRACE").is_some());
    let containerd = std::env::var("TTRPC_ADDRESS").ok();
    sys::fds::close_from(LISTENER.cast_unsigned() + 1, alone()?);
    let listener =
        sys::fds::inherit(LISTENER).map_err(Error::kernel("take the ttrpc socket as descriptor 3"))?;
    leave_caller()?;
    rustix::process::set_child_subreaper(Some(rustix::process::getpid()))
        .map_err(Error::kernel("become the subreaper"))?;
    sys::heap::keep_small();
    let setting = Setting { containerd, namespace, private: false, parent };
    Shim::new(listener, setting)?.run()
}

/// The shim never has a second thread.
pub(super) fn alone() -> Result<SingleThread> {
    SingleThread::check().map_err(Error::kernel("find this process to have one thread"))
}

/// Leaves everything behind that belongs to who started it, so that none of it gets into a container.
pub(super) fn leave_caller() -> Result<()> {
    sys::env::clear(alone()?);
    // Fails for who leads a session already.
    let _ = rustix::process::setsid();
    let _ = std::env::set_current_dir("/");
    let null = rustix::fs::open("/dev/null", OFlags::RDWR | OFlags::CLOEXEC, Mode::empty())
        .map_err(|cause| Error::file("open", Path::new("/dev/null"), cause))?;
    dup2_stdin(&null)
        .and_then(|()| dup2_stdout(&null))
        .and_then(|()| dup2_stderr(&null))
        .map_err(Error::kernel("leave the caller's streams"))?;
    // What a program expects that nobody told otherwise, and what a runtime gives it.
    rustix::process::umask(Mode::from_raw_mode(0o022));
    // A kernel without keys has none to find.
    let _ = sys::keyring::join_new_session();
    rustix::thread::set_thread_groups(&[]).map_err(Error::kernel("leave the caller's groups"))?;
    let harmless = [Signal::PIPE, Signal::HUP, Signal::INT, Signal::TERM].map(Signal::as_raw);
    sys::signals::disregard(&harmless).map_err(Error::kernel("disregard signals"))
}
