//! `container-runtime registry …`: a registry of images, without the engine; and the one that the daemon serves.

mod access;
pub(crate) mod beside_engine;
pub(crate) mod collect;
mod mirror;
mod options;
pub(crate) mod serve;
mod serving;
mod storage;
pub(crate) mod user;

pub(crate) use serving::Serving;

use errors::Classified;

/// An async runtime for servers: requests mostly wait, and what blocks has its own threads.
fn runtime() -> anyhow::Result<tokio::runtime::Runtime> {
    Ok(tokio::runtime::Builder::new_multi_thread()
        .max_blocking_threads(64)
        .thread_keep_alive(std::time::Duration::from_secs(10))
        .thread_name("registry")
        .enable_all()
        .build()?)
}

/// A classified error with its chain, for `anyhow`. By value, so that it fits `map_err`.
#[expect(clippy::needless_pass_by_value, reason = "map_err gives the error away")]
fn told(error: impl Classified + Send + Sync + 'static) -> anyhow::Error {
    anyhow::anyhow!("{}", errors::chain(&error))
}
