//! Which daemon is meant: flags, then environment, then contexts, then the program's own.

use super::Contexts;
use crate::failure::{Failure, Outcome};
use crate::globals::Globals;
use engine_client::{Endpoint, TlsFiles};
use std::path::PathBuf;

/// What the choice depends on.
pub(crate) struct Endpoints<'a> {
    pub(crate) globals: &'a Globals,
    pub(crate) default_host: &'a str,
    pub(crate) config_dir: PathBuf,
    /// The `currentContext` of the configuration file, read only when needed.
    pub(crate) current_context: Box<dyn Fn() -> String + 'a>,
}

/// The context that is no stored one.
const DEFAULT: &str = "default";

fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

impl Endpoints<'_> {
    /// The host that flags or environment name outright. Our own variable wins over docker's.
    fn named_host(&self) -> Option<String> {
        let flag = self.globals.host.first().cloned();
        flag.or_else(|| variable("CONTAINER_RUNTIME_HOST")).or_else(|| variable("DOCKER_HOST"))
    }

    /// The context in force.
    pub(crate) fn context_name(&self) -> String {
        if let Some(name) = &self.globals.context {
            return name.clone();
        }
        if self.named_host().is_some() {
            return DEFAULT.to_owned();
        }
        let name = variable("DOCKER_CONTEXT").unwrap_or_else(|| (self.current_context)());
        if name.is_empty() { DEFAULT.to_owned() } else { name }
    }

    /// The daemon's endpoint.
    pub(crate) fn resolve(&self) -> Outcome<Endpoint> {
        if !self.globals.host.is_empty() && self.globals.context.is_some() {
            return Err(Failure::new("conflicting options: cannot specify both --host and --context"));
        }
        self.find().map_err(|failure| {
            Failure::new(format!(
                "Failed to initialize: unable to resolve docker endpoint: {}",
                failure.message
            ))
        })
    }

    fn find(&self) -> Outcome<Endpoint> {
        if self.globals.host.len() > 1 {
            return Err(Failure::new("Specify only one -H"));
        }
        let context = self.context_name();
        if context == DEFAULT {
            let host = self.named_host().unwrap_or_else(|| self.default_host.to_owned());
            return Ok(Endpoint::parse(&host, self.tls())?);
        }
        let context = Contexts::new(&self.config_dir).get(&context)?;
        Ok(Endpoint::parse(&context.host, context.tls_files())?)
    }

    /// `--tls*`, `DOCKER_TLS*` and the three files in `DOCKER_CERT_PATH` or the configuration directory.
    fn tls(&self) -> Option<TlsFiles> {
        let globals = self.globals;
        let verify = globals.tlsverify.unwrap_or_else(|| variable("DOCKER_TLS_VERIFY").is_some());
        // A file named by a flag asks for TLS, and so does `--tlsverify=false`, only without the check.
        let asked = globals.tls || globals.tlsverify.is_some() || variable("DOCKER_TLS").is_some();
        if !verify && !asked {
            return None;
        }
        let directory = variable("DOCKER_CERT_PATH").map_or_else(|| self.config_dir.clone(), PathBuf::from);
        let file = |flag: &Option<String>, name: &str, needed: bool| match flag {
            Some(path) => Some(PathBuf::from(path)).filter(|path| !path.as_os_str().is_empty()),
            None => Some(directory.join(name)).filter(|path| needed || path.exists()),
        };
        Some(TlsFiles {
            ca: if verify { file(&globals.tlscacert, "ca.pem", true) } else { None },
            cert: file(&globals.tlscert, "cert.pem", false),
            key: file(&globals.tlskey, "key.pem", false),
            verify,
        })
    }
}
