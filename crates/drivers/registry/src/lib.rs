//! The client side of registries: the OCI distribution specification 1.1, and what registries in use do beside it.
//!
//! A [`Client`] holds what lasts: connections, tokens, the user's wishes about hosts. A [`Repository`] is one repository
//! for one user; it finds out by itself where to ask (mirrors first) and how to authenticate. What comes is handed on
//! as it arrives: whoever stores a blob compares it with its digest.

mod answer;
mod auth;
mod blob;
mod broken;
mod client;
mod elsewhere;
mod error;
mod hosts;
mod http;
mod login;
mod manifest;
mod origin;
mod pages;
mod places;
mod proxies;
mod redirects;
mod repository;
mod retry;
mod search;
mod tags;
mod trust;
mod upload;

pub use auth::Credentials;
pub use blob::Download;
pub use broken::Broken;
pub use client::Client;
pub use error::{RegistryError, Result};
pub use hosts::{HostsConfig, Purpose};
pub use login::LoggedIn;
pub use manifest::{Manifest, Target};
pub use proxies::Proxies;
pub use repository::Repository;
pub use retry::RetryPolicy;
pub use search::{Found, Search};
pub use upload::{Source, Uploaded};
