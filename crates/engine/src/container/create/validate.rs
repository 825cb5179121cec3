//! Refusing what cannot be, before anything is made.

mod dns;
mod mounts;
mod namespaces;

use crate::Services;
use crate::container::{apparmor, invalid, limits, sysctls};
use errors::{Class, Error, Result};
use spec::{ContainerSpec, LogConfig, NetworkMode, Process, RestartPolicy};

/// Checks a container's wishes, drops what this host can't limit, and answers warnings about that.
///
/// # Errors
/// `Invalid` with docker's words where it has some.
pub(super) fn validate(services: &Services, spec: &mut ContainerSpec) -> Result<Vec<String>> {
    process(&spec.process)?;
    if spec.auto_remove && spec.restart != RestartPolicy::No {
        return Err(invalid("can't create 'AutoRemove' container with restart policy"));
    }
    namespaces::check(services, spec)?;
    mounts::check(spec)?;
    sysctls::check_namespaces(spec)?;
    if let Some(parent) = &spec.cgroup_parent {
        crate::system::check_cgroup_parent(parent, services.cgroup_driver)?;
    }
    apparmor::check(services, &spec.security)?;
    runtime::bundle::check_rlimits(&spec.process.rlimits)?;
    let settings = services.settings();
    services.runtimes.check(Some(spec.runtime.as_ref().unwrap_or(&settings.runtime.default_runtime)))?;
    default_log(&settings.logging, &mut spec.log);
    dns::default(services, &settings, &mut spec.network);
    logs::validate(&spec.log.driver, &spec.log.options)?;
    if settings.runtime.no_new_privileges {
        spec.security.no_new_privileges = true;
    }
    if let Some(option) = spec.filesystem.storage_options.keys().next() {
        return Err(Error::new(
            Class::Unsupported,
            format!("storage option {option}: this host's file system has no project quota"),
        ));
    }
    let mut warnings = limits::check(services, &mut spec.resources)?;
    let profile = spec.security.apparmor.as_deref().filter(|profile| *profile != "unconfined");
    if let Some(profile) = profile.filter(|_| !services.host.apparmor) {
        warnings.push(format!("Your kernel does not support AppArmor. Profile {profile} discarded."));
    }
    if matches!(spec.network.mode, NetworkMode::Host) && !spec.network.published.is_empty() {
        warnings.push("Published ports are discarded when using host network mode".into());
    }
    Ok(warnings)
}

fn process(process: &Process) -> Result<()> {
    if process.args().is_empty() {
        return Err(invalid("no command specified").hint("Name one after the image, or set an entry point"));
    }
    if !process.working_dir.is_empty() && !process.working_dir.starts_with('/') {
        return Err(invalid(format!(
            "the working directory '{}' is invalid, it needs to be an absolute path",
            process.working_dir
        )));
    }
    if let Some(pair) = process.env.iter().find(|pair| !spec::is_variable(pair)) {
        return Err(invalid(format!("invalid environment variable: {pair}")));
    }
    if let Some(signal) = &process.stop_signal {
        crate::container::kill::signal_number(signal)?;
    }
    if let Some(score) = process.oom_score_adj.filter(|score| !(-1000..=1000).contains(score)) {
        return Err(invalid(format!("Invalid value {score}, range for oom score adj is [-1000, 1000]")));
    }
    Ok(())
}

/// What the client leaves open of driver and options is the daemon's choice.
fn default_log(default: &config::Logging, log: &mut LogConfig) {
    if log.driver.is_empty() {
        log.driver.clone_from(&default.driver);
    }
    if log.driver == default.driver {
        for (name, value) in &default.options {
            log.options.entry(name.clone()).or_insert_with(|| value.clone());
        }
    }
}

/// Something that a new container names is missing. Not as `NotFound`: clients would take that for the image's.
pub(super) fn not_the_image(error: Error) -> Error {
    if error.class() == Class::NotFound { error.with_class(Class::Invalid) } else { error }
}
