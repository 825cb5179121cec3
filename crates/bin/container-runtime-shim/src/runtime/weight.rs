//! The weight of a container's block I/O on cgroup v2. libcontainer calculates it in 16 bits, which do not hold it.

use super::derive::{Object, field, put};
use crate::bundle::parse;
use crate::cgroup::Cgroup;
use crate::error::{Error, Result};
use libcontainer::oci_spec::runtime::LinuxResources;
use std::path::Path;

/// Where only version 2 has it.
const UNIFIED: &str = "/sys/fs/cgroup/cgroup.controllers";

/// Takes it out of a `config.json`; none: libcontainer may see what there is.
pub(super) fn take(path: &Path, text: &mut Vec<u8>) -> Result<Option<u16>> {
    if !Path::new(UNIFIED).exists() {
        return Ok(None);
    }
    let mut config: Object = parse(path, text)?;
    let mut linux: Object = field(path, &config, "linux")?.unwrap_or_default();
    let mut resources: Object = field(path, &linux, "resources")?.unwrap_or_default();
    let mut io: Object = field(path, &resources, "blockIO")?.unwrap_or_default();
    let Some(weight) = field(path, &io, "weight")? else { return Ok(None) };
    io.remove("weight");
    put(path, &mut resources, "blockIO", &io)?;
    put(path, &mut linux, "resources", &resources)?;
    put(path, &mut config, "linux", &linux)?;
    *text = serde_json::to_vec(&config).map_err(|cause| Error::Document { path: path.to_owned(), cause })?;
    Ok(Some(weight))
}

/// Takes it out of other limits for a running container.
pub(super) fn take_update(resources: &mut LinuxResources) -> Option<u16> {
    let io = resources.block_io_mut().as_mut()?;
    let weight = io.weight().filter(|_| Path::new(UNIFIED).exists());
    if weight.is_some() {
        io.set_weight(None);
    }
    weight
}

/// Sets it in the cgroup of a process.
pub(super) fn give(pid: i32, weight: u16) -> Result<()> {
    if weight == 0 {
        return Ok(());
    }
    let group = Cgroup::of(pid).map_err(Error::kernel("find the container's cgroup"))?;
    let Some(directory) = group.as_ref().and_then(Cgroup::unified_directory) else { return Ok(()) };
    let bfq = directory.join("io.bfq.weight");
    let (file, text) = match bfq.exists() {
        true => (bfq, weight.to_string()),
        false => (directory.join("io.weight"), format!("default {}", converted(weight))),
    };
    std::fs::write(&file, text).map_err(|cause| Error::file("write", &file, cause))
}

/// From 10…1000 to 1…10000, as every runtime does.
fn converted(weight: u16) -> u32 {
    1 + u32::from(weight.saturating_sub(10)) * 9999 / 990
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_whole_range_is_converted() {
        assert_eq!([10, 500, 1000].map(converted), [1, 4950, 10_000]);
    }

    #[test]
    fn a_document_without_a_weight_stays() {
        let mut text = br#"{"linux":{"resources":{"blockIO":{"throttleReadBpsDevice":[]}}}}"#.to_vec();
        let before = text.clone();
        assert_eq!(take(Path::new("config.json"), &mut text).unwrap(), None);
        assert_eq!(text, before);
    }
}
