//! What the kernel offers and no safe library wraps: the one crate that may hold `unsafe`.
//!
//! One module a subject. Everything here is safe to call; what a caller has to keep (such as "only in a program
//! with one thread") stands in the item's documentation.

pub mod bpf;
pub mod clock;
pub mod datagrams;
pub mod env;
pub mod exec;
pub mod fds;
pub mod heap;
pub mod kernel;
pub mod keyring;
pub mod mountinfo;
pub mod mounts;
pub mod namespaces;
pub mod netlink;
pub mod netns;
pub mod priority;
pub mod process;
pub mod seccomp;
pub mod signals;
pub mod sockets;
pub mod spawn;
pub mod thread;
pub mod writeback;
