//! Medians and their like.

use serde::Serialize;
use std::time::Duration;

/// What a series of durations comes to, in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub(crate) struct Summary {
    pub(crate) median: f64,
    pub(crate) p90: f64,
    pub(crate) p99: f64,
    pub(crate) least: f64,
    pub(crate) count: usize,
}

impl Summary {
    /// None for an empty series.
    pub(crate) fn of(series: &[Duration]) -> Option<Self> {
        let mut sorted: Vec<f64> = series.iter().map(|duration| duration.as_secs_f64() * 1e3).collect();
        sorted.sort_by(f64::total_cmp);
        let at = |quantile: usize| {
            sorted.get((sorted.len() * quantile / 100).min(sorted.len().saturating_sub(1))).copied()
        };
        Some(Self {
            median: at(50)?,
            p90: at(90)?,
            p99: at(99)?,
            least: *sorted.first()?,
            count: sorted.len(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_the_middle_one() {
        let series: Vec<Duration> = [5, 1, 3].map(Duration::from_millis).to_vec();
        let summary = Summary::of(&series).unwrap();
        assert!((summary.median - 3.0).abs() < 1e-9);
        assert!((summary.least - 1.0).abs() < 1e-9);
        assert!(Summary::of(&[]).is_none());
    }
}
