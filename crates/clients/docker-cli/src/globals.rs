//! The flags before the verb.

/// Docker's global options.
#[derive(Debug, Default, Clone, clap::Args)]
pub(crate) struct Globals {
    /// Location of client config files
    #[arg(long)]
    pub(crate) config: Option<String>,
    /// Name of the context to use to connect to the daemon (overrides DOCKER_HOST env var and default context
    /// set with "docker context use")
    #[arg(
        short,
        long,
        help = "Name of the context to use to connect to the daemon (overrides DOCKER_HOST env var and \
                default context set with \"docker context use\")"
    )]
    pub(crate) context: Option<String>,
    /// Enable debug mode
    #[arg(short = 'D', long)]
    pub(crate) debug: bool,
    /// Daemon socket to connect to
    #[arg(short = 'H', long)]
    pub(crate) host: Vec<String>,
    #[arg(
        short,
        long,
        default_value = "info",
        help = "Set the logging level (\"debug\", \"info\", \"warn\", \"error\", \"fatal\")"
    )]
    pub(crate) log_level: String,
    /// Use TLS; implied by --tlsverify
    #[arg(long)]
    pub(crate) tls: bool,
    /// Trust certs signed only by this CA
    #[arg(long)]
    pub(crate) tlscacert: Option<String>,
    /// Path to TLS certificate file
    #[arg(long)]
    pub(crate) tlscert: Option<String>,
    /// Path to TLS key file
    #[arg(long)]
    pub(crate) tlskey: Option<String>,
    /// Use TLS and verify the remote
    #[arg(long)]
    pub(crate) tlsverify: Option<bool>,
    /// Print version information and quit
    #[arg(short, long)]
    pub(crate) version: bool,
}
