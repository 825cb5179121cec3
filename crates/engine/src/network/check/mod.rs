//! `network check`: what a packet from one place to another meets, in words.
//!
//! The facts are gathered first, from the engine's records and from the kernel in the namespaces of both ends; what follows from them
//! is concluded by a function of those alone.

mod facts;
mod gather;
mod judge;
mod place;
#[cfg(test)]
mod tests;

use crate::Services;
use errors::Result;
use std::sync::Arc;

/// What a packet meets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checked {
    /// In its order, up to what stops it.
    pub steps: Vec<Step>,
    /// Whether nothing stops it, as far as this host can tell.
    pub reachable: bool,
    /// The same as a sentence.
    pub verdict: String,
    /// What to do, if something stops it.
    pub next: Option<String>,
}

/// One thing that a packet meets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// A sentence.
    pub finding: String,
    /// Whether the packet goes on.
    pub passes: bool,
}

/// Tells what a packet from `from` to `to` meets: each a container's name, id or address, another address, `host` or `world`; `to` with
/// `:PORT` or `:PORT/PROTOCOL` where a program is to be reached. No packet is sent.
///
/// # Errors
/// `NotFound` for a name that nothing has, `Invalid` for a text that is no place.
pub async fn check(services: &Arc<Services>, from: &str, to: &str) -> Result<Checked> {
    let from = place::sender(services, from).await?;
    let to = place::receiver(services, to, &from).await?;
    Ok(judge::judge(&gather::gather(services, &from, &to).await?))
}
