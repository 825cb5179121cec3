//! `container-runtime-shim`: holds one container. It creates its processes, keeps their streams, writes the log and
//! the exit status, and answers containerd's Task API, however often the daemon comes and goes.
//!
//! It has one thread and never gets a second: libcontainer clones the process, and a lock that another thread held
//! at that moment (the allocator's, say) would be held in the child for ever.

mod arguments;
mod bundle;
mod cgroup;
mod command;
mod container;
mod devices;
mod error;
mod kernel_log;
mod log;
mod poll;
mod process;
mod program;
mod queue;
mod rootfs;
mod runtime;
mod seccomp;
mod shim;
mod streams;
mod trace;
mod ttrpc;

use arguments::Command;
use std::process::ExitCode;

fn main() -> ExitCode {
    let mut arguments = std::env::args();
    if arguments.next().is_some_and(|name| name.ends_with(command::init::NAME)) {
        return command::init::init(arguments);
    }
    let (command, flags) = match arguments::parse(arguments) {
        Ok(parsed) => parsed,
        Err(problem) => {
            log::note(format_args!("container-runtime-shim: {problem}"));
            return ExitCode::from(2);
        }
    };
    let done = match command {
        Command::Serve => command::serve(flags.namespace, flags.parent),
        Command::Start => command::start(&flags),
        Command::Delete => command::delete(&flags),
        Command::Compress => command::compress(flags.operand.as_deref()),
        Command::Log => command::log(flags.operand.as_deref()),
        Command::Namespaces => command::namespaces(flags.operand.as_deref()),
        Command::Hold => command::hold(),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            log::note(format_args!("container-runtime-shim: {}", errors::chain(&error)));
            ExitCode::FAILURE
        }
    }
}
