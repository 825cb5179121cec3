//! The test kit: a private engine for each test, the real clients, waits with a limit, and the leak check.
//!
//! ```no_run
//! use tests::with_engine;
//! with_engine(|engine| {
//!     let said = engine.docker(&["run", "--rm", "busybox", "echo", "hi"]).ok();
//!     assert_eq!(said, "hi\n");
//! });
//! ```
//!
//! With `TESTS_DOCKER_HOST=unix://…` the same tests run against an engine that is already there, Docker's for one:
//! that proves the tests. With `TESTS_SHARED_HOST=1` other engines may come and go meanwhile: the leak check looks only at
//! what bears the tested engine's names.
#![expect(clippy::print_stderr, reason = "a test says why it skips, and what a failing engine logged")]

mod containers;
mod daemon;
pub mod debian;
pub mod degraded;
mod engine;
mod etcd;
pub mod fixtures;
mod freezer;
mod http;
pub mod inventory;
mod lacking;
pub mod lan;
mod leaks;
mod moto;
mod need;
mod output;
mod own_registry;
mod pty;
pub mod random;
pub mod registry;
mod tree;
mod wait;

pub use engine::{Settings, TestEngine, with_engine, with_engine_of, with_private_engine};
pub use etcd::Etcd;
pub use freezer::Freezer;
pub use http::Response;
pub use lacking::Lack;
pub use moto::Moto;
pub use need::{Need, lacks, skip};
pub use output::Run;
pub use own_registry::OwnRegistry;
pub use pty::Pty;
pub use tree::Tree;
pub use wait::{eventually, wait_until, wait_within};
