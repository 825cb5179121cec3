//! cgroup limits. On the wire a zero means "not given".

use crate::translate::some;
use crate::wire::host_config::{HostConfig, ThrottleDevice, WeightDevice};
use spec::{BlkioThrottle, BlkioWeight, Resources};

/// The limits in a host config, also those of an update.
pub(crate) fn resources(host: &HostConfig) -> Resources {
    Resources {
        memory: given(host.memory),
        memory_reservation: given(host.memory_reservation),
        memory_swap: given(host.memory_swap),
        // Old clients say -1 for "not given".
        memory_swappiness: host.memory_swappiness.filter(|value| *value != -1),
        oom_kill_disable: host.oom_kill_disable,
        nano_cpus: given(host.nano_cpus),
        cpu_shares: given(host.cpu_shares),
        cpu_period: given(host.cpu_period),
        cpu_quota: given(host.cpu_quota),
        cpu_realtime_period: given(host.cpu_realtime_period),
        cpu_realtime_runtime: given(host.cpu_realtime_runtime),
        cpuset_cpus: some(&host.cpuset_cpus),
        cpuset_mems: some(&host.cpuset_mems),
        pids_limit: host.pids_limit,
        blkio_weight: (host.blkio_weight != 0).then_some(host.blkio_weight),
        blkio_weight_device: host.blkio_weight_device.iter().map(weight).collect(),
        blkio_read_bps: throttles(&host.blkio_device_read_bps),
        blkio_write_bps: throttles(&host.blkio_device_write_bps),
        blkio_read_iops: throttles(&host.blkio_device_read_iops),
        blkio_write_iops: throttles(&host.blkio_device_write_iops),
    }
}

fn given(value: i64) -> Option<i64> {
    (value != 0).then_some(value)
}

fn weight(wire: &WeightDevice) -> BlkioWeight {
    BlkioWeight { path: wire.path.clone(), weight: wire.weight }
}

fn throttles(wire: &[ThrottleDevice]) -> Vec<BlkioThrottle> {
    wire.iter().map(|device| BlkioThrottle { path: device.path.clone(), rate: device.rate }).collect()
}

pub(super) fn into_host(resources: &Resources, host: &mut HostConfig) {
    host.memory = resources.memory.unwrap_or(0);
    host.memory_reservation = resources.memory_reservation.unwrap_or(0);
    host.memory_swap = resources.memory_swap.unwrap_or(0);
    host.memory_swappiness = resources.memory_swappiness;
    host.oom_kill_disable = Some(resources.oom_kill_disable.unwrap_or(false));
    host.nano_cpus = resources.nano_cpus.unwrap_or(0);
    host.cpu_shares = resources.cpu_shares.unwrap_or(0);
    host.cpu_period = resources.cpu_period.unwrap_or(0);
    host.cpu_quota = resources.cpu_quota.unwrap_or(0);
    host.cpu_realtime_period = resources.cpu_realtime_period.unwrap_or(0);
    host.cpu_realtime_runtime = resources.cpu_realtime_runtime.unwrap_or(0);
    host.cpuset_cpus = resources.cpuset_cpus.clone().unwrap_or_default();
    host.cpuset_mems = resources.cpuset_mems.clone().unwrap_or_default();
    host.pids_limit = resources.pids_limit;
    host.blkio_weight = resources.blkio_weight.unwrap_or(0);
    host.blkio_weight_device = resources
        .blkio_weight_device
        .iter()
        .map(|device| WeightDevice { path: device.path.clone(), weight: device.weight })
        .collect();
    host.blkio_device_read_bps = wire_throttles(&resources.blkio_read_bps);
    host.blkio_device_write_bps = wire_throttles(&resources.blkio_write_bps);
    host.blkio_device_read_iops = wire_throttles(&resources.blkio_read_iops);
    host.blkio_device_write_iops = wire_throttles(&resources.blkio_write_iops);
}

fn wire_throttles(throttles: &[BlkioThrottle]) -> Vec<ThrottleDevice> {
    throttles
        .iter()
        .map(|throttle| ThrottleDevice { path: throttle.path.clone(), rate: throttle.rate })
        .collect()
}
