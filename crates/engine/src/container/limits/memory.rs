//! Limits of memory and swap.

use crate::container::invalid;
use errors::Result;
use spec::Resources;

/// Smallest memory limit that a container can start in.
const LEAST_MEMORY: i64 = 6 << 20;

pub(super) fn check(limits: &mut Resources) -> Result<()> {
    let memory = limits.memory.filter(|&limit| limit != 0);
    if memory.is_some_and(|limit| limit > 0 && limit < LEAST_MEMORY) {
        return Err(invalid("Minimum memory limit allowed is 6MB"));
    }
    let swap = limits.memory_swap.filter(|&limit| limit != 0);
    match (memory, swap) {
        (None, Some(swap)) if swap > 0 => {
            return Err(invalid(
                "You should always set the Memory limit when using Memoryswap limit, see usage",
            ));
        }
        (Some(memory), Some(swap)) if swap > 0 && swap < memory => {
            return Err(invalid("Minimum memoryswap limit should be larger than memory limit, see usage"));
        }
        // As docker does: without a word about swap, as much swap as memory.
        (Some(memory), None) if memory > 0 => limits.memory_swap = Some(memory.saturating_mul(2)),
        _ => {}
    }
    let reservation = limits.memory_reservation.filter(|&limit| limit > 0);
    if reservation.is_some_and(|limit| limit < LEAST_MEMORY) {
        return Err(invalid("Minimum memory reservation allowed is 6MB"));
    }
    if let (Some(memory), Some(reservation)) = (memory.filter(|&limit| limit > 0), reservation)
        && reservation > memory
    {
        return Err(invalid("Minimum memory limit can not be less than memory reservation limit, see usage"));
    }
    if limits.memory_swappiness.is_some_and(|value| value != -1 && !(0..=100).contains(&value)) {
        return Err(invalid("Invalid value for swappiness, valid range is 0-100"));
    }
    limits.memory_swappiness = limits.memory_swappiness.filter(|&value| value != -1);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn swap_follows_memory_unless_told_otherwise() {
        let mut limits = Resources { memory: Some(64 << 20), ..Resources::default() };
        check(&mut limits).unwrap();
        assert_eq!(limits.memory_swap, Some(128 << 20));
        let mut limits =
            Resources { memory: Some(64 << 20), memory_swap: Some(1 << 20), ..Resources::default() };
        assert!(check(&mut limits).is_err());
        let mut limits = Resources { memory: Some(1 << 20), ..Resources::default() };
        assert_eq!(check(&mut limits).unwrap_err().to_string(), "Minimum memory limit allowed is 6MB");
    }

    #[test]
    fn a_reservation_is_neither_tiny_nor_more_than_the_limit() {
        let check = |memory, reservation| {
            let memory_reservation = Some(reservation);
            let mut limits = Resources { memory, memory_reservation, ..Resources::default() };
            super::check(&mut limits).map_err(|error| error.to_string())
        };
        let tiny = "Minimum memory reservation allowed is 6MB";
        assert_eq!(check(None, (6 << 20) - 1).unwrap_err(), tiny);
        assert!(check(Some(8 << 20), 16 << 20).unwrap_err().contains("can not be less than"));
        // None, and no limit.
        for (memory, reservation) in [(None, 0), (None, 6 << 20), (Some(-1), 16 << 20)] {
            check(memory, reservation).unwrap();
        }
    }
}
