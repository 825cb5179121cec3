//! A registry of its own for each case.

use super::client::Client;
use registry_api::{Access, DEFAULT_CONNECTIONS, Registry, bind, serve};
use repositories::{Directory, Repositories};
use std::path::Path;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

pub(super) struct Server {
    pub(super) client: Client,
    pub(super) dir: tempfile::TempDir,
}

/// The registry under test, if one is named; else one of our own that lets everybody in.
pub(super) async fn any() -> (Client, Option<Server>) {
    match std::env::var("REGISTRY_UNDER_TEST") {
        Ok(address) => (Client(address.parse().unwrap()), None),
        Err(_) => {
            let server = with(|_| Access::Open).await;
            (server.client, Some(server))
        }
    }
}

pub(super) async fn with(access: impl FnOnce(&Path) -> Access) -> Server {
    let dir = tempfile::tempdir().unwrap();
    let access = access(dir.path());
    let client = over(dir.path(), access).await;
    Server { client, dir }
}

pub(super) async fn over(dir: &Path, access: Access) -> Client {
    over_at_most(dir, access, DEFAULT_CONNECTIONS).await
}

/// The same for at most so many connections at a time.
pub(super) async fn over_at_most(dir: &Path, access: Access, connections: usize) -> Client {
    let repositories = Repositories::new(Arc::new(Directory::open(dir).unwrap()));
    let listener = bind("127.0.0.1:0".parse().unwrap(), None).await.unwrap().at_most(connections);
    let client = Client(listener.address().unwrap());
    let registry = Registry { repositories, mirror: None, access, secure: false };
    tokio::spawn(serve(listener, Arc::new(registry), CancellationToken::new()));
    client
}

/// A name that no other case has: the registry under test may be shared.
pub(super) fn name(case: &str) -> String {
    format!("cases/{case}-{}", std::process::id())
}
