//! The protocol from the outside: requests over a socket, in the categories of the OCI's own conformance program.
//!
//! With `REGISTRY_UNDER_TEST=ADDRESS:PORT` the cases of `conformance` run against a registry that is already
//! there, Debian's `docker-registry` for one: that proves the cases.

mod access;
mod client;
mod conformance;
mod faults;
mod foreign_tokens;
mod reference;
mod server;
