//! How far over its budget the store is.

use config::ImageBudget;
use errors::Result;

/// The file system that the store is on, in bytes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Disk {
    /// Its size.
    pub(super) all: u64,
    /// What of it anybody may still write.
    pub(super) free: u64,
}

/// How far over its budget the store is.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Pressure {
    /// Bytes that have to go; 0: none.
    pub(super) excess: u64,
    /// In words.
    pub(super) text: String,
}

impl Pressure {
    /// Of images that take `total` bytes. The disk is looked at where the budget speaks of it.
    pub(super) fn of(budget: &ImageBudget, total: u64, disk: impl FnOnce() -> Result<Disk>) -> Result<Self> {
        let (mut excess, mut texts) = (0, Vec::new());
        if let Some(max) = budget.max_bytes {
            excess = total.saturating_sub(max);
            texts.push(format!("images take {total} bytes of {max}"));
        }
        if let Some(percent) = budget.min_free_percent {
            let Disk { all, free } = disk()?;
            let wanted = all / 100 * u64::from(percent.min(100));
            excess = excess.max(wanted.saturating_sub(free));
            let now = u128::from(free) * 100 / u128::from(all.max(1));
            texts.push(format!("{now}% of the disk are free, {percent}% should be"));
        }
        if texts.is_empty() {
            texts.push("there is no budget for images (storage.gc.images)".to_owned());
        }
        Ok(Self { excess, text: texts.join("; ") })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use errors::{Class, Error};

    fn of(max_bytes: Option<u64>, min_free_percent: Option<u8>, free: u64) -> (u64, String) {
        let budget = ImageBudget { max_bytes, min_free_percent, ..ImageBudget::default() };
        let Pressure { excess, text } =
            Pressure::of(&budget, 500, || Ok(Disk { all: 10_000, free })).unwrap();
        (excess, text)
    }

    #[test]
    fn what_lacks_of_the_free_space_has_to_go() {
        assert_eq!(of(None, Some(20), 1500), (500, "15% of the disk are free, 20% should be".to_owned()));
        assert_eq!(of(None, Some(20), 2000).0, 0);
        assert_eq!(of(None, Some(20), 9999).0, 0);
        assert_eq!(of(None, Some(100), 0).0, 10_000);
        assert_eq!(of(None, Some(255), 0).0, 10_000, "no more than there is");
        assert_eq!(of(None, Some(0), 0).0, 0);
    }

    #[test]
    fn the_stricter_of_two_limits_counts_and_both_are_told() {
        let (excess, text) = of(Some(100), Some(20), 1900);
        assert_eq!(excess, 400);
        assert_eq!(text, "images take 500 bytes of 100; 19% of the disk are free, 20% should be");
        assert_eq!(of(Some(450), Some(20), 1000).0, 1000);
    }

    #[test]
    fn large_disks_are_reckoned_too_and_one_that_cannot_be_seen_is_an_error() {
        let budget = ImageBudget { min_free_percent: Some(50), ..ImageBudget::default() };
        let huge = Disk { all: 1 << 62, free: 1 << 60 };
        let pressure = Pressure::of(&budget, 0, || Ok(huge)).unwrap();
        assert_eq!(pressure.text, "25% of the disk are free, 50% should be");
        assert_eq!(pressure.excess, (1 << 62) / 100 * 50 - (1 << 60));
        Pressure::of(&budget, 0, || Err(Error::new(Class::Internal, "gone"))).unwrap_err();
    }

    #[test]
    fn without_a_limit_on_it_the_disk_is_not_looked_at() {
        let never = || Err(Error::new(Class::Internal, "looked"));
        let pressure = Pressure::of(&ImageBudget::default(), 500, never).unwrap();
        assert_eq!(pressure.excess, 0);
    }
}
