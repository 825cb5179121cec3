//! From the kernel's files to [`crate::stats`], for both versions.

use crate::error::Result;
use crate::files;
use crate::stats::{BlockIoEntry, BlockIoStats, CpuStats, MemoryStats, PidsStats, Throttling};
use std::collections::BTreeMap;
use std::path::Path;

/// v1 writes limits as bytes rounded down to pages; anything from here on means none.
const V1_UNLIMITED: u64 = 0x7fff_ffff_ffff_0000;

/// Nanoseconds of a clock tick of `cpuacct.stat` (`USER_HZ` is 100 everywhere).
const TICK: u64 = 10_000_000;

/// Documentation/admin-guide/cgroup-v1/cpuacct.rst. `cpu` has the throttling, `cpuacct` the times.
pub(crate) fn cpu_v1(cpu: Option<&Path>, cpuacct: &Path) -> Result<CpuStats> {
    let ticks = files::flat_keyed(&cpuacct.join("cpuacct.stat"))?;
    let precise = |file: &str, tick: &str| {
        let number = files::number_if_there(&cpuacct.join(file))?;
        Ok(number.unwrap_or_else(|| ticks.get(tick).copied().unwrap_or(0) * TICK))
    };
    let per_cpu = files::read_if_there(&cpuacct.join("cpuacct.usage_percpu"))?.unwrap_or_default();
    let throttling = match cpu {
        Some(cpu) => files::read_if_there(&cpu.join("cpu.stat"))?.unwrap_or_default(),
        None => String::new(),
    };
    Ok(CpuStats {
        total: files::number(&cpuacct.join("cpuacct.usage"))?,
        user: precise("cpuacct.usage_user", "user")?,
        system: precise("cpuacct.usage_sys", "system")?,
        per_cpu: per_cpu.split_whitespace().filter_map(files::parse_number).collect(),
        throttling: throttling_from(&files::parse_flat_keyed(&throttling), "throttled_time", 1),
    })
}

/// Documentation/admin-guide/cgroup-v2.rst, `cpu.stat`.
pub(crate) fn cpu_v2(directory: &Path) -> Result<CpuStats> {
    let stat = files::flat_keyed(&directory.join("cpu.stat"))?;
    let nanoseconds = |name: &str| stat.get(name).copied().unwrap_or(0) * 1000;
    Ok(CpuStats {
        total: nanoseconds("usage_usec"),
        user: nanoseconds("user_usec"),
        system: nanoseconds("system_usec"),
        per_cpu: Vec::new(),
        throttling: throttling_from(&stat, "throttled_usec", 1000),
    })
}

fn throttling_from(stat: &BTreeMap<String, u64>, time: &str, unit: u64) -> Throttling {
    let value = |name: &str| stat.get(name).copied().unwrap_or(0);
    Throttling {
        periods: value("nr_periods"),
        throttled_periods: value("nr_throttled"),
        throttled_time: value(time) * unit,
    }
}

/// Documentation/admin-guide/cgroup-v1/memory.rst.
pub(crate) fn memory_v1(directory: &Path) -> Result<MemoryStats> {
    let limit = files::number(&directory.join("memory.limit_in_bytes"))?;
    Ok(MemoryStats {
        usage: files::number(&directory.join("memory.usage_in_bytes"))?,
        max_usage: files::number_if_there(&directory.join("memory.max_usage_in_bytes"))?.unwrap_or(0),
        limit: if limit >= V1_UNLIMITED { u64::MAX } else { limit },
        failures: files::number_if_there(&directory.join("memory.failcnt"))?.unwrap_or(0),
        stat: files::flat_keyed(&directory.join("memory.stat"))?,
    })
}

/// Documentation/admin-guide/cgroup-v2.rst, Memory Interface Files.
pub(crate) fn memory_v2(directory: &Path) -> Result<MemoryStats> {
    let events = files::flat_keyed(&directory.join("memory.events"))?;
    Ok(MemoryStats {
        usage: files::number(&directory.join("memory.current"))?,
        max_usage: files::number_if_there(&directory.join("memory.peak"))?.unwrap_or(0),
        limit: files::number(&directory.join("memory.max"))?,
        failures: events.get("max").copied().unwrap_or(0),
        stat: files::flat_keyed(&directory.join("memory.stat"))?,
    })
}

/// Documentation/admin-guide/cgroup-v1/blkio-controller.rst. Kernels before 5.0 counted in other files.
pub(crate) fn block_io_v1(directory: &Path) -> Result<BlockIoStats> {
    let first_of = |names: [&str; 2]| {
        for name in names {
            if let Some(text) = files::read_if_there(&directory.join(name))? {
                return Ok(parse_blkio(&text));
            }
        }
        Ok(Vec::new())
    };
    Ok(BlockIoStats {
        service_bytes: first_of([
            "blkio.throttle.io_service_bytes_recursive",
            "blkio.io_service_bytes_recursive",
        ])?,
        serviced: first_of(["blkio.throttle.io_serviced_recursive", "blkio.io_serviced_recursive"])?,
    })
}

/// Lines `8:0 Read 4096`; the last one is a total over all devices.
fn parse_blkio(text: &str) -> Vec<BlockIoEntry> {
    let entry = |line: &str| {
        let mut words = line.split(' ');
        let (device, operation, value) = (words.next()?, words.next()?, words.next()?);
        let (major, minor) = device.split_once(':')?;
        Some(BlockIoEntry {
            major: major.parse().ok()?,
            minor: minor.parse().ok()?,
            operation: operation.to_ascii_lowercase(),
            value: value.parse().ok()?,
        })
    };
    text.lines().filter_map(entry).collect()
}

/// Documentation/admin-guide/cgroup-v2.rst, `io.stat`.
pub(crate) fn block_io_v2(directory: &Path) -> Result<BlockIoStats> {
    Ok(parse_io_stat(&files::read(&directory.join("io.stat"))?))
}

/// Lines `8:0 rbytes=1 wbytes=2 rios=3 wios=4 dbytes=5 dios=6`.
fn parse_io_stat(text: &str) -> BlockIoStats {
    let mut stats = BlockIoStats::default();
    for line in text.lines() {
        let mut words = line.split(' ');
        let device = words.next().and_then(|device| device.split_once(':'));
        let device = device.and_then(|(major, minor)| Some((major.parse().ok()?, minor.parse().ok()?)));
        let Some((major, minor)) = device else { continue };
        for (name, value) in words.filter_map(|word| word.split_once('=')) {
            let Ok(value) = value.parse() else { continue };
            let (list, operation) = match name {
                "rbytes" => (&mut stats.service_bytes, "read"),
                "wbytes" => (&mut stats.service_bytes, "write"),
                "dbytes" => (&mut stats.service_bytes, "discard"),
                "rios" => (&mut stats.serviced, "read"),
                "wios" => (&mut stats.serviced, "write"),
                "dios" => (&mut stats.serviced, "discard"),
                _ => continue,
            };
            list.push(BlockIoEntry { major, minor, operation: operation.to_owned(), value });
        }
    }
    stats
}

/// The same files on both versions.
pub(crate) fn pids(directory: &Path) -> Result<PidsStats> {
    let limit = files::number_if_there(&directory.join("pids.max"))?;
    Ok(PidsStats {
        current: files::number(&directory.join("pids.current"))?,
        limit: limit.filter(|limit| *limit != u64::MAX),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn directory(entries: &[(&str, &str)]) -> tempfile::TempDir {
        let directory = tempfile::tempdir().unwrap();
        for (name, text) in entries {
            std::fs::write(directory.path().join(name), text).unwrap();
        }
        directory
    }

    #[test]
    fn version_2_counts_in_microseconds_and_says_max() {
        let cgroup = directory(&[
            (
                "cpu.stat",
                "usage_usec 7\nuser_usec 4\nsystem_usec 3\nnr_periods 2\nnr_throttled 1\nthrottled_usec 9\n",
            ),
            ("memory.current", "4096\n"),
            ("memory.max", "max\n"),
            ("memory.events", "low 0\nhigh 0\nmax 5\noom 1\noom_kill 1\n"),
            ("memory.stat", "anon 1\nfile 2\n"),
            ("pids.current", "3\n"),
            ("pids.max", "max\n"),
            ("io.stat", "8:0 rbytes=10 wbytes=20 rios=1 wios=2 dbytes=0 dios=0\n253:1 \n"),
        ]);
        let cpu = cpu_v2(cgroup.path()).unwrap();
        assert_eq!((cpu.total, cpu.user, cpu.system), (7000, 4000, 3000));
        let throttling = Throttling { periods: 2, throttled_periods: 1, throttled_time: 9000 };
        assert_eq!(cpu.throttling, throttling);
        let memory = memory_v2(cgroup.path()).unwrap();
        assert_eq!((memory.usage, memory.limit, memory.failures), (4096, u64::MAX, 5));
        assert_eq!(memory.stat["file"], 2);
        assert_eq!(pids(cgroup.path()).unwrap(), PidsStats { current: 3, limit: None });
        let io = block_io_v2(cgroup.path()).unwrap();
        assert_eq!(io.service_bytes.len(), 3);
        assert_eq!((io.serviced[1].operation.as_str(), io.serviced[1].value), ("write", 2));
    }

    #[test]
    fn version_1_counts_in_nanoseconds_and_per_processor() {
        let cgroup = directory(&[
            ("cpuacct.usage", "700\n"),
            ("cpuacct.stat", "user 4\nsystem 3\n"),
            ("cpuacct.usage_percpu", "300 400 \n"),
            ("cpu.stat", "nr_periods 2\nnr_throttled 1\nthrottled_time 9\n"),
            ("memory.usage_in_bytes", "4096\n"),
            ("memory.limit_in_bytes", "9223372036854771712\n"),
            ("memory.failcnt", "5\n"),
            ("memory.stat", "cache 1\nrss 2\n"),
            ("blkio.throttle.io_service_bytes_recursive", "8:0 Read 10\n8:0 Total 10\nTotal 10\n"),
        ]);
        let cpu = cpu_v1(Some(cgroup.path()), cgroup.path()).unwrap();
        assert_eq!((cpu.total, cpu.user, cpu.per_cpu.len()), (700, 40_000_000, 2));
        assert_eq!(cpu.throttling.throttled_time, 9);
        let memory = memory_v1(cgroup.path()).unwrap();
        assert_eq!((memory.usage, memory.limit, memory.failures), (4096, u64::MAX, 5));
        let io = block_io_v1(cgroup.path()).unwrap();
        let operations: Vec<&str> = io.service_bytes.iter().map(|entry| entry.operation.as_str()).collect();
        assert_eq!(operations, ["read", "total"]);
        assert!(io.serviced.is_empty());
    }

    #[test]
    fn a_missing_cgroup_says_so() {
        let error = memory_v1(Path::new("/nowhere")).unwrap_err();
        assert!(error.is_missing());
    }
}
