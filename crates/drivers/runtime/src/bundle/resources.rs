//! cgroup limits in the OCI document.

use super::error::BundleError;
use super::resolved::DeviceNumber;
use oci_spec::runtime::{
    LinuxBlockIo, LinuxBlockIoBuilder, LinuxCpu, LinuxCpuBuilder, LinuxMemory, LinuxMemoryBuilder, LinuxPids,
    LinuxPidsBuilder, LinuxResources, LinuxResourcesBuilder, LinuxThrottleDevice, LinuxThrottleDeviceBuilder,
    LinuxWeightDevice, LinuxWeightDeviceBuilder,
};
use spec::{BlkioThrottle, BlkioWeight, Resources};
use std::collections::BTreeMap;

/// Microseconds: the period that `--cpus` implies.
const CPU_PERIOD: u64 = 100_000;

/// Numbers of block devices by host path.
type Numbers = BTreeMap<String, DeviceNumber>;

/// The cgroup limits alone, as `update` sends them to a running container. `devices` holds the numbers of the block
/// devices named in them.
pub fn linux_resources(
    resources: &Resources,
    devices: &BTreeMap<String, DeviceNumber>,
) -> Result<LinuxResources, BundleError> {
    let mut linux = LinuxResourcesBuilder::default().build().expect(super::ALL_SET);
    linux.set_devices(None);
    linux.set_memory(memory(resources));
    linux.set_cpu(cpu(resources)?);
    linux.set_pids(resources.pids_limit.map(pids));
    linux.set_block_io(block_io(resources, devices)?);
    Ok(linux)
}

/// Limits of a new container. Unlimited swap is what it has anyway, and saying so fails on kernels that do not
/// account swap.
pub(super) fn of_container(resources: &Resources, devices: &Numbers) -> Result<LinuxResources, BundleError> {
    let mut resources = resources.clone();
    resources.memory_swap = resources.memory_swap.filter(|swap| *swap > 0);
    resources.pids_limit = resources.pids_limit.filter(|limit| *limit > 0);
    linux_resources(&resources, devices)
}

fn memory(resources: &Resources) -> Option<LinuxMemory> {
    let mut memory = LinuxMemoryBuilder::default().build().expect(super::ALL_SET);
    memory.set_limit(resources.memory.filter(|limit| *limit != 0));
    memory.set_reservation(resources.memory_reservation.filter(|limit| *limit != 0));
    memory.set_swap(resources.memory_swap.filter(|limit| *limit != 0));
    memory.set_swappiness(resources.memory_swappiness.and_then(|value| u64::try_from(value).ok()));
    memory.set_disable_oom_killer(resources.oom_kill_disable);
    (memory != LinuxMemory::default()).then_some(memory)
}

fn cpu(resources: &Resources) -> Result<Option<LinuxCpu>, BundleError> {
    let mut cpu = LinuxCpuBuilder::default().build().expect(super::ALL_SET);
    cpu.set_shares(positive(resources.cpu_shares));
    cpu.set_period(positive(resources.cpu_period));
    cpu.set_quota(resources.cpu_quota.filter(|quota| *quota != 0));
    cpu.set_realtime_period(positive(resources.cpu_realtime_period));
    cpu.set_realtime_runtime(resources.cpu_realtime_runtime.filter(|runtime| *runtime != 0));
    cpu.set_cpus(resources.cpuset_cpus.clone().filter(|set| !set.is_empty()));
    cpu.set_mems(resources.cpuset_mems.clone().filter(|set| !set.is_empty()));
    if let Some(nano_cpus) = resources.nano_cpus.filter(|cpus| *cpus > 0) {
        if cpu.period().is_some() {
            return Err(BundleError::NanoCpusWith { option: "Period" });
        }
        if cpu.quota().is_some() {
            return Err(BundleError::NanoCpusWith { option: "Quota" });
        }
        cpu.set_period(Some(CPU_PERIOD));
        cpu.set_quota(Some(nano_cpus / (1_000_000_000 / CPU_PERIOD as i64)));
    }
    Ok((cpu != LinuxCpu::default()).then_some(cpu))
}

fn positive(value: Option<i64>) -> Option<u64> {
    value.and_then(|value| u64::try_from(value).ok()).filter(|value| *value != 0)
}

/// 0 and negative: no limit.
fn pids(limit: i64) -> LinuxPids {
    let limit = if limit > 0 { limit } else { -1 };
    LinuxPidsBuilder::default().limit(limit).build().expect(super::ALL_SET)
}

fn block_io(resources: &Resources, devices: &Numbers) -> Result<Option<LinuxBlockIo>, BundleError> {
    let mut block_io = LinuxBlockIoBuilder::default().build().expect(super::ALL_SET);
    block_io.set_weight(resources.blkio_weight.filter(|weight| *weight != 0));
    block_io.set_weight_device(weights(&resources.blkio_weight_device, devices)?);
    block_io.set_throttle_read_bps_device(throttles(&resources.blkio_read_bps, devices)?);
    block_io.set_throttle_write_bps_device(throttles(&resources.blkio_write_bps, devices)?);
    block_io.set_throttle_read_iops_device(throttles(&resources.blkio_read_iops, devices)?);
    block_io.set_throttle_write_iops_device(throttles(&resources.blkio_write_iops, devices)?);
    Ok((block_io != LinuxBlockIo::default()).then_some(block_io))
}

fn weights(list: &[BlkioWeight], devices: &Numbers) -> Result<Option<Vec<LinuxWeightDevice>>, BundleError> {
    let weights = list.iter().map(|entry| {
        let number = number(&entry.path, devices)?;
        Ok(LinuxWeightDeviceBuilder::default()
            .major(i64::from(number.major))
            .minor(i64::from(number.minor))
            .weight(entry.weight)
            .build()
            .expect(super::ALL_SET))
    });
    some_if_any(weights.collect::<Result<_, BundleError>>()?)
}

fn throttles(
    list: &[BlkioThrottle],
    devices: &Numbers,
) -> Result<Option<Vec<LinuxThrottleDevice>>, BundleError> {
    let throttles = list.iter().map(|entry| {
        let number = number(&entry.path, devices)?;
        Ok(LinuxThrottleDeviceBuilder::default()
            .major(i64::from(number.major))
            .minor(i64::from(number.minor))
            .rate(entry.rate)
            .build()
            .expect(super::ALL_SET))
    });
    some_if_any(throttles.collect::<Result<_, BundleError>>()?)
}

fn some_if_any<T>(list: Vec<T>) -> Result<Option<Vec<T>>, BundleError> {
    Ok((!list.is_empty()).then_some(list))
}

fn number(path: &str, devices: &Numbers) -> Result<DeviceNumber, BundleError> {
    devices.get(path).copied().ok_or_else(|| BundleError::NoBlockDevice { path: path.to_owned() })
}
