//! The daemon's own log, on standard error.

use super::options::{LogFormat, Options};
use std::io::IsTerminal;
use tracing_subscriber::EnvFilter;

/// Starts logging.
pub(super) fn start(options: &Options, debug: bool) {
    let level = if options.debug || debug { "debug" } else { &options.log_level };
    let filter = EnvFilter::try_new(level).unwrap_or_else(|_| EnvFilter::new("info"));
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    match options.log_format {
        LogFormat::Text => log.with_ansi(std::io::stderr().is_terminal()).with_target(false).init(),
        LogFormat::Json => log.json().init(),
    }
}
