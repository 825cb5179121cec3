//! Our registry through real clients: beside an engine, by itself, with users, with TLS, killed and on a full disk;
//! in a bucket, and as a mirror; and what it says to whoever made a mistake.

mod beside_engine;
mod bucket;
mod clients;
mod faults;
mod mirror;
mod tls;
mod users;
mod words;
