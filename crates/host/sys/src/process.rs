//! What the kernel says of a process, `proc_pid_stat(5)`.

/// Whether a process is past its last instruction, has ended, or is not there at all: by the flags of its main thread, the ninth field.
/// It may still hold what it had, and its parent may have to wait for its end.
pub fn is_ending(pid: u32) -> bool {
    const EXITING: u32 = 0x4;
    stat(pid).is_none_or(|(_, flags)| flags & EXITING != 0)
}

/// Whether a process waits for its parent alone, or is not there at all: by the state of its main thread, the third field.
pub fn has_ended(pid: u32) -> bool {
    stat(pid).is_none_or(|(state, _)| matches!(state, 'Z' | 'X'))
}

/// State and flags.
fn stat(pid: u32) -> Option<(char, u32)> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // Its name, in parentheses, may hold anything.
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace();
    Some((fields.next()?.chars().next()?, fields.nth(5)?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_that_lives_is_told_from_one_that_waits_for_its_parent() {
        let own = std::process::id();
        assert!(!is_ending(own) && !has_ended(own));
        let mut child = std::process::Command::new("true").spawn().unwrap();
        let end = std::time::Instant::now() + std::time::Duration::from_secs(10);
        while !has_ended(child.id()) && std::time::Instant::now() < end {
            std::thread::yield_now();
        }
        assert!(is_ending(child.id()) && has_ended(child.id()), "a zombie");
        child.wait().unwrap();
        assert!(is_ending(u32::MAX) && has_ended(u32::MAX));
    }
}
