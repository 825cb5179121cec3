//! Settings: defaults, then the file, then the flags.

use super::options::{CgroupDriver, Options};
use anyhow::{Context, Result, bail};
use config::Settings;
use std::path::Path;

/// Where settings are that no flag names. It need not exist.
const DEFAULT_FILE: &str = "/etc/container-runtime/container-runtime.yaml";

/// The effective settings.
pub(super) fn load(options: &Options) -> Result<Settings> {
    let path = options.config_file.as_deref().unwrap_or_else(|| Path::new(DEFAULT_FILE));
    let mut settings = match durable::read_optional(path)? {
        Some(bytes) => parse(&bytes).with_context(|| format!("settings file {}", path.display()))?,
        None if options.config_file.is_some() => bail!("there is no settings file {}", path.display()),
        None => Settings::default(),
    };
    apply(&mut settings, options)?;
    if settings.storage.driver != "overlay2" {
        bail!("storage.driver: {} is not supported, only overlay2 is", settings.storage.driver);
    }
    Ok(settings)
}

fn parse(bytes: &[u8]) -> Result<Settings> {
    let text = std::str::from_utf8(bytes).context("it is not UTF-8 text")?;
    if text.trim().is_empty() {
        return Ok(Settings::default());
    }
    Ok(serde_saphyr::from_str(text)?)
}

fn apply(settings: &mut Settings, options: &Options) -> Result<()> {
    let runtime = &mut settings.runtime;
    if let Some(root) = &options.root {
        runtime.root_dir = std::path::absolute(root)?;
    }
    if let Some(state) = &options.state {
        runtime.state_dir = std::path::absolute(state)?;
    }
    if let Some(name) = &options.default_runtime {
        runtime.default_runtime.clone_from(name);
    }
    if let Some(driver) = options.cgroup_driver {
        runtime.cgroup_driver = match driver {
            CgroupDriver::Auto => config::CgroupDriver::Auto,
            CgroupDriver::Cgroupfs => config::CgroupDriver::Cgroupfs,
            CgroupDriver::Systemd => config::CgroupDriver::Systemd,
        };
    }
    if let Some(parent) = &options.cgroup_parent {
        runtime.cgroup_parent.clone_from(parent);
    }
    if options.userns_remap.is_some() {
        runtime.userns_remap.clone_from(&options.userns_remap);
    }
    if let Some(number) = options.idle_shims {
        runtime.idle_shims = number;
    }
    if options.bridge.is_some() {
        settings.network.default_bridge.clone_from(&options.bridge);
    }
    if options.ip_range.is_some() {
        settings.network.ip_range.clone_from(&options.ip_range);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_misspelt_key_is_named() {
        let error = parse(b"runtime:\n  root_dri: /x\n").unwrap_err().to_string();
        assert!(error.contains("root_dri"), "{error}");
    }

    #[test]
    fn what_the_file_leaves_out_has_its_default() {
        let settings = parse(b"runtime:\n  max_containers: 7\n").unwrap();
        assert_eq!(settings.runtime.max_containers, 7);
        assert_eq!(settings.network, config::Network::default());
    }

    #[test]
    fn times_and_addresses_tell_what_to_write() {
        for (text, said) in [
            ("storage: {gc: {partials_after: 5x}}", "seconds, as 3600"),
            ("storage: {gc: {images: {min_age: -1}}}", "seconds, as 3600"),
            ("registry: {serve: {gc_interval: 1.5}}", "seconds, as 3600"),
            ("registry: {serve: {listen: 'localhost:5000'}}", "write 127.0.0.1:5000"),
        ] {
            let error = parse(text.as_bytes()).unwrap_err().to_string();
            assert!(error.contains(said), "{error}");
        }
        let settings =
            parse(b"{storage: {gc: {partials_after: 7}}, registry: {serve: {listen: '[::1]:1'}}}").unwrap();
        assert_eq!(settings.storage.gc.partials_after, 7);
        assert_eq!(settings.registry.serve.listen.unwrap().port(), 1);
    }

    #[test]
    fn the_settings_of_the_documentation_are_understood() {
        let page = include_str!("../../../../../docs/registries.md");
        let blocks: Vec<_> =
            page.split("```yaml\n").skip(1).map(|rest| rest.split("```").next().unwrap()).collect();
        assert!(blocks.len() > 3);
        for block in blocks {
            let settings = parse(block.as_bytes()).unwrap_or_else(|error| panic!("{block}: {error}"));
            assert_ne!(settings.registry, config::Registry::default(), "{block}");
        }
    }
}
