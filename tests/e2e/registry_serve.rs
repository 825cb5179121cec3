//! Our registry through real clients: beside an engine, by itself, with users, with TLS, killed and on a full disk;
//! in a bucket, and as a mirror.

mod beside_engine;
mod bucket;
mod clients;
mod faults;
mod mirror;
mod tls;
mod users;
