//! What every verb works with: the global flags, the client, the configuration files, the outputs.

use crate::config::{ConfigFile, Contexts, Endpoints};
use crate::environment::Environment;
use crate::failure::{Failure, Outcome};
use crate::globals::Globals;
use engine_client::{Client, Endpoint, Options, Revive};
use std::cell::OnceCell;
use std::path::PathBuf;
use std::sync::Arc;

/// The state of one invocation. Files are read and connections opened when first asked for.
#[derive(Debug)]
pub(crate) struct App {
    /// The name the user called: `docker` or the program's own.
    pub(crate) program: String,
    /// The path of the verb being run: `docker container ls`.
    pub(crate) path: String,
    pub(crate) globals: Globals,
    pub(crate) environment: Environment,
    config: OnceCell<ConfigFile>,
    client: OnceCell<Client>,
}

impl App {
    pub(crate) fn new(program: String, path: String, globals: Globals, environment: Environment) -> Self {
        Self { program, path, globals, environment, config: OnceCell::new(), client: OnceCell::new() }
    }

    /// Docker's `config.json`; a missing file is an empty one, a broken one is told about once.
    pub(crate) fn config(&self) -> &ConfigFile {
        self.config.get_or_init(|| {
            let (config, warning) = ConfigFile::load(&self.config_dir());
            if let Some(warning) = warning {
                crate::output::warn(&warning);
            }
            config
        })
    }

    /// `--config`, `DOCKER_CONFIG` or `~/.docker`.
    pub(crate) fn config_dir(&self) -> PathBuf {
        crate::config::directory(self.globals.config.as_deref())
    }

    /// The stored contexts.
    pub(crate) fn contexts(&self) -> Contexts {
        Contexts::new(&self.config_dir())
    }

    /// The name of the context in force.
    pub(crate) fn context_name(&self) -> String {
        self.endpoints().context_name()
    }

    /// Where the daemon is.
    pub(crate) fn endpoint(&self) -> Outcome<Endpoint> {
        self.endpoints().resolve()
    }

    fn endpoints(&self) -> Endpoints<'_> {
        Endpoints {
            globals: &self.globals,
            default_host: &self.environment.default_host,
            config_dir: self.config_dir(),
            current_context: Box::new(|| self.config().current_context.clone()),
        }
    }

    /// The client of the daemon.
    pub(crate) fn client(&self) -> Outcome<&Client> {
        if let Some(client) = self.client.get() {
            return Ok(client);
        }
        let endpoint = self.endpoint()?;
        let revive = self.reviver(&endpoint);
        let version = match std::env::var("DOCKER_API_VERSION") {
            Ok(text) if !text.is_empty() => {
                let bad = || Failure::new(format!("DOCKER_API_VERSION: {text:?} is not an API version"));
                Some(text.parse().map_err(|()| bad())?)
            }
            _ => None,
        };
        let user_agent = format!("Docker-Client/{} (linux)", self.environment.version);
        let headers = self.config().http_headers.clone().into_iter().collect();
        let options =
            Options { endpoint, version, user_agent, headers, start_hint: self.start_hint(), revive };
        Ok(self.client.get_or_init(|| Client::new(options)))
    }

    /// How to start a daemon, when this program has one.
    fn start_hint(&self) -> String {
        let own = self.environment.verbs.iter().any(|verb| verb.path == ["daemon"]);
        if own { format!(" Start it with '{} daemon'.", self.environment.program) } else { String::new() }
    }

    /// A daemon is started only where the program's own daemon belongs.
    fn reviver(&self, endpoint: &Endpoint) -> Option<Revive> {
        let start = self.environment.autostart?;
        if endpoint.to_string() != self.environment.default_host {
            return None;
        }
        Some(Arc::new(move |endpoint: &Endpoint| {
            let result = match &endpoint.transport {
                engine_client::Transport::Unix(path) => start(path),
                engine_client::Transport::Tcp { .. } => Ok(()),
            };
            Box::pin(std::future::ready(result))
        }))
    }
}
