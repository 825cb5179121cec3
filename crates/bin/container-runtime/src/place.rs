//! Which engine a verb means that needs no daemon.

use crate::own::told;
use anyhow::Result;
use clap::Args;
use config::Settings;
use engine::settings::Sources;
use std::path::PathBuf;

/// Which engine is meant, where its daemon is not asked.
#[derive(Debug, Args)]
pub(crate) struct Place {
    /// The daemon's root directory, if its flags name one
    #[arg(long, visible_alias = "data-root", value_name = "DIR")]
    root: Option<PathBuf>,
    /// The daemon's settings file [default: /etc/container-runtime/container-runtime.yaml, if there is one]
    #[arg(long = "config-file", value_name = "FILE")]
    config_file: Option<PathBuf>,
}

impl Place {
    /// Whether it is said; else it is the usual one.
    pub(crate) fn is_named(&self) -> bool {
        self.root.is_some() || self.config_file.is_some()
    }

    /// The settings that a daemon would have there.
    ///
    /// # Errors
    /// For settings that can't be read.
    pub(crate) fn settings(&self) -> Result<Settings> {
        let mut sources = Sources::of(self.config_file.as_deref());
        if let Some(root) = &self.root {
            let root = std::path::absolute(root)?.display().to_string();
            sources.flags.push(("runtime.root_dir", root, "--root"));
        }
        Ok(told(sources.load())?.settings)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_settings_of_the_documentation_are_understood() {
        let page = include_str!("../../../../docs/state.md");
        let blocks: Vec<_> =
            page.split("```yaml\n").skip(1).map(|rest| rest.split("```").next().unwrap()).collect();
        assert!(!blocks.is_empty());
        for block in blocks {
            let dir = tempfile::tempdir().unwrap();
            let file = dir.path().join("settings.yaml");
            std::fs::write(&file, block).unwrap();
            let settings = Place { root: None, config_file: Some(file) }.settings().unwrap();
            assert_ne!(settings.state, config::State::default(), "{block}");
        }
    }
}
