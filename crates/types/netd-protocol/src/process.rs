//! Which process a container is.

use serde::{Deserialize, Serialize};

/// A process, told from a later one of the same number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Process {
    /// Its number.
    pub pid: u32,
    /// Field 22 of `/proc/PID/stat`, in clock ticks since boot.
    pub start_time: u64,
}

impl Process {
    /// From the text of its `/proc/PID/stat`; none if that is none.
    pub fn read(stat: &str) -> Option<Self> {
        let pid = stat.split_once(' ')?.0.parse().ok()?;
        // The second field, the program's name, may hold anything.
        let start_time = stat.rsplit_once(") ")?.1.split_ascii_whitespace().nth(22 - 3)?.parse().ok()?;
        Some(Self { pid, start_time })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_may_look_like_the_rest() {
        let fields: Vec<_> = (3..60).map(|number| number.to_string()).collect();
        let stat = format!("7 (a) R 1 (b) {}", fields.join(" "));
        assert_eq!(Process::read(&stat), Some(Process { pid: 7, start_time: 22 }));
        assert_eq!(Process::read(""), None);
    }
}
