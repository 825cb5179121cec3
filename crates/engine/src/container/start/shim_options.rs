//! What our shim is told beside the OCI document.

use crate::Services;
use crate::container::log_path;
use containers::Record;
use errors::Result;
use shim_protocol::{Log, Options, Runtime};
use spec::{MountKind, Propagation};

/// The options of a container. Runtime, cgroup manager and events address are filled in by the runtime driver.
pub(super) fn shim_options(services: &Services, record: &Record) -> Result<Options> {
    let shares = |propagation| matches!(propagation, Some(Propagation::Shared | Propagation::RShared));
    let shared = record
        .spec
        .filesystem
        .mounts
        .iter()
        .any(|mount| matches!(&mount.kind, MountKind::Bind(bind) if shares(bind.propagation)));
    Ok(Options {
        runtime: Runtime::Libcontainer,
        log: log(services, record)?,
        stdin_once: record.spec.process.stdin_once,
        private_mounts: !shared,
        systemd_cgroup: false,
        events_address: None,
        filters: None,
        spool: Some(services.container_dir(&record.id)),
    })
}

fn log(services: &Services, record: &Record) -> Result<Log> {
    let log = &record.spec.log;
    let subject = logs::Subject {
        id: record.id.as_str(),
        name: record.name.as_str(),
        image_id: &record.image.id,
        image_name: &record.spec.image,
        command: &record.spec.process.args().join(" "),
        labels: &record.spec.labels,
        env: &record.spec.process.env,
    };
    let options = logs::resolve(&log.driver, &log.options, &subject)?;
    Ok(match logs::Driver::named(&log.driver)? {
        logs::Driver::None => Log::None,
        logs::Driver::JsonFile => Log::JsonFile { path: log_path(services, &record.id), options },
    })
}
