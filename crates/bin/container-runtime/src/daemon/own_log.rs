//! The daemon's own log: what the settings say of it, and as somebody who hears of their changes.

use crate::log::{Level, LevelControl, LogFormat};
use config::{LogLevel, Settings};
use engine::Services;
use engine::settings::{Applied, Subscriber};
use errors::{Class, Error};
use std::sync::Arc;

/// The level of the daemon's own log.
pub(super) fn level(settings: &Settings) -> Level {
    match settings.logging.level {
        LogLevel::Trace => Level::Trace,
        LogLevel::Debug => Level::Debug,
        LogLevel::Info => Level::Info,
        LogLevel::Warn => Level::Warn,
        LogLevel::Error => Level::Error,
    }
}

/// The form of the daemon's own log.
pub(super) fn format(settings: &Settings) -> LogFormat {
    match settings.logging.format {
        config::LogFormat::Text => LogFormat::Text,
        config::LogFormat::Json => LogFormat::Json,
    }
}

/// The daemon's own log.
#[derive(Debug)]
pub(super) struct OwnLog(pub(super) LevelControl);

impl Subscriber<Services> for OwnLog {
    fn component(&self) -> &'static str {
        "the daemon's log"
    }

    fn keys(&self) -> &'static [&'static str] {
        &["logging.level"]
    }

    fn apply<'a>(&'a self, _: &'a Arc<Services>, _: &'a Settings, to: &'a Settings) -> Applied<'a> {
        Box::pin(async move {
            self.0.set(level(to)).map_err(|error| Error::new(Class::Internal, error.to_string()))?;
            Ok(Vec::new())
        })
    }
}
