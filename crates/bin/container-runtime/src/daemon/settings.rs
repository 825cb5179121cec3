//! Where the daemon's settings come from.

use super::options::{CgroupDriver, Options};
use crate::log::{Level, LogFormat};
use anyhow::Result;
use clap::ValueEnum;
use engine::settings::Sources;

/// The file, the environment, and what the flags say.
pub(super) fn sources(options: &Options, debug: bool) -> Result<Sources> {
    let mut sources = Sources::of(options.config_file.as_deref());
    let flags = &mut sources.flags;
    let mut say = |key: &'static str, value: Option<String>, flag: &'static str| {
        flags.extend(value.map(|value| (key, value, flag)));
    };
    let absolute = |path: &Option<std::path::PathBuf>| -> Result<Option<String>> {
        let path = path.as_ref().map(std::path::absolute).transpose()?;
        Ok(path.map(|path| path.display().to_string()))
    };
    say("runtime.root_dir", absolute(&options.root)?, "--root");
    say("runtime.state_dir", absolute(&options.state)?, "--state");
    say("runtime.default_runtime", options.default_runtime.clone(), "--default-runtime");
    say("runtime.cgroup_driver", options.cgroup_driver.as_ref().map(word::<CgroupDriver>), "--cgroup-driver");
    say("runtime.cgroup_parent", options.cgroup_parent.clone(), "--cgroup-parent");
    say("runtime.userns_remap", options.userns_remap.clone(), "--userns-remap");
    say("runtime.idle_shims", options.idle_shims.map(|number| number.to_string()), "--idle-shims");
    say("network.default_bridge", options.bridge.clone(), "--bridge");
    say("network.ip_range", options.ip_range.clone(), "--ip-range");
    say("logging.format", options.log_format.as_ref().map(word::<LogFormat>), "--log-format");
    if debug {
        say("logging.level", Some(word(&Level::Debug)), "--debug");
    } else {
        say("logging.level", options.log_level.as_ref().map(word::<Level>), "--log-level");
    }
    Ok(sources)
}

/// The word for a choice, which flags and settings have in common.
fn word<T: ValueEnum>(choice: &T) -> String {
    choice.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::super::own_log::{format, level};
    use super::*;
    use clap::Parser;

    fn sources_of(arguments: &[&str]) -> Sources {
        let arguments = std::iter::once("daemon").chain(arguments.iter().copied());
        let mut sources = sources(&Options::try_parse_from(arguments).unwrap(), false).unwrap();
        sources.environment.clear();
        sources
    }

    #[test]
    fn every_flag_says_what_its_key_takes() {
        let all = [
            "--root=/r",
            "--state=/s",
            "--default-runtime=crun",
            "--cgroup-driver=systemd",
            "--cgroup-parent=p",
            "--userns-remap=u",
            "--idle-shims=3",
            "--bridge=b",
            "--ip-range=10.0.0.0/8",
            "--log-format=json",
            "--log-level=warn",
        ];
        let sources = sources_of(&all);
        assert_eq!(sources.flags.len(), all.len());
        let effective = sources.load_with("").unwrap();
        let settings = &effective.settings;
        assert_eq!(settings.runtime.cgroup_driver, config::CgroupDriver::Systemd);
        assert_eq!((level(settings), format(settings)), (Level::Warn, LogFormat::Json));
        assert_eq!(settings.network.ip_range, Some("10.0.0.0/8".parse().unwrap()));
        let said = sources_of(&["--ip-range=10.0.0.1/8"]).load_with("").unwrap_err().to_string();
        assert_eq!(
            said,
            "flag --ip-range: network.ip_range: 10.0.0.1/8 is an address in a subnet: that is 10.0.0.0/8"
        );
    }

    #[test]
    fn the_settings_of_the_documentation_are_understood() {
        let page = include_str!("../../../../../docs/registries.md");
        let blocks: Vec<_> =
            page.split("```yaml\n").skip(1).map(|rest| rest.split("```").next().unwrap()).collect();
        assert!(blocks.len() > 3);
        for block in blocks {
            let read = sources_of(&[]).load_with(block);
            let read = read.unwrap_or_else(|error| panic!("{block}: {error}"));
            assert_ne!(read.settings.registry, config::Registry::default(), "{block}");
        }
    }
}
