//! The registry that the daemon serves: settings `registry.serve`.

use super::serving::{Plan, Serving};
use super::{access, mirror, options, storage};
use anyhow::{Context, Result};
use config::{Serve, Settings};
use registry_api::TlsFiles;

/// Begins to serve, if an address is set.
pub(crate) async fn start(settings: &Settings) -> Result<Option<Serving>> {
    let serve = &settings.registry.serve;
    let Some(listen) = serve.listen else { return Ok(None) };
    let served = async {
        let directory = engine::system::registry_dir(settings);
        let opened = storage::open_beside(&directory, &engine::system::blobs_dir(settings))?;
        let (certificates, insecure) = (&settings.registry.config_dirs, &settings.registry.insecure);
        let flags = mirror_flags(serve);
        let mirror = mirror::from(&flags, &opened.repositories, certificates.clone(), insecure.clone())?;
        let plan = Plan {
            mirror,
            listen,
            tls: tls(serve),
            behind_tls: false,
            access: access::from(&access_flags(serve), &opened.directory)?,
            gc_interval: serve.gc_interval(),
            gc_untagged: serve.gc_untagged,
            max_connections: serve.max_connections,
        };
        Serving::start(opened, plan).await
    };
    let serving = served.await.context("serve the registry of registry.serve")?;
    tracing::info!(address = %serving.address, "serving a registry");
    Ok(Some(serving))
}

fn tls(serve: &Serve) -> Option<TlsFiles> {
    serve.tls.clone().map(|tls| TlsFiles {
        certificate: tls.certificate,
        key: tls.key,
        client_authority: tls.client_authority,
    })
}

fn access_flags(serve: &Serve) -> options::Access {
    options::Access {
        htpasswd: serve.htpasswd.clone(),
        anonymous_pull: serve.anonymous_pull,
        read_only: serve.read_only.clone(),
        token: serve.token,
        ..options::Access::default()
    }
}

fn mirror_flags(serve: &Serve) -> options::Mirror {
    options::Mirror {
        mirror_of: serve.mirror_of.clone(),
        mirror_ttl: serve.mirror_ttl(),
        mirror_credentials: serve.mirror_credentials.clone(),
    }
}
