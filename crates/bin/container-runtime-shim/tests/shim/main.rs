//! Drives the built shim through its protocol, with busybox in real containers.
//!
//! Needs root, `/bin/busybox` (package busybox-static) and a kernel with overlay; what is missing is printed.

mod attach;
mod commands;
mod errors;
mod exec;
mod lifecycle;
mod runtimes;
mod support;
