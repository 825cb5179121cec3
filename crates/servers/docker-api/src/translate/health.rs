//! Health checks: nanoseconds on the wire, durations within.

use super::Refused;
use crate::wire::config::HealthConfig;
use spec::Healthcheck;
use std::time::Duration;

const MILLISECOND: i64 = 1_000_000;

pub(super) fn healthcheck(wire: &HealthConfig) -> Result<Healthcheck, Refused> {
    Ok(Healthcheck {
        test: wire.test.clone(),
        interval: duration("Interval", wire.interval)?,
        timeout: duration("Timeout", wire.timeout)?,
        start_period: duration("StartPeriod", wire.start_period)?,
        start_interval: duration("StartInterval", wire.start_interval)?,
        retries: u32::try_from(wire.retries)
            .map_err(|_| Refused::Health { field: "Retries", problem: "negative" })?,
    })
}

fn duration(field: &'static str, nanoseconds: i64) -> Result<Duration, Refused> {
    match u64::try_from(nanoseconds) {
        Ok(0) => Ok(Duration::ZERO),
        Ok(given) if nanoseconds >= MILLISECOND => Ok(Duration::from_nanos(given)),
        _ => Err(Refused::Health { field, problem: "less than 1ms" }),
    }
}

pub(super) fn wire_healthcheck(health: &Healthcheck) -> HealthConfig {
    let nanoseconds = |duration: Duration| i64::try_from(duration.as_nanos()).unwrap_or(i64::MAX);
    HealthConfig {
        test: health.test.clone(),
        interval: nanoseconds(health.interval),
        timeout: nanoseconds(health.timeout),
        start_period: nanoseconds(health.start_period),
        start_interval: nanoseconds(health.start_interval),
        retries: i64::from(health.retries),
    }
}
