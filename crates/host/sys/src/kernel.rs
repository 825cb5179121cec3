//! Which kernel this is: for what can be asked of it in no other way, or only at the cost of a complaint in its log.

/// Whether the kernel is of this release or a later one. One that bears no number is taken for new.
pub fn is_at_least(major: u32, minor: u32) -> bool {
    let release = rustix::system::uname();
    number(&release.release().to_string_lossy()).is_none_or(|number| number >= (major, minor))
}

/// The first two numbers of a release: `6.1.0-50-cloud-amd64`.
fn number(release: &str) -> Option<(u32, u32)> {
    let mut numbers = release.split(|c: char| !c.is_ascii_digit());
    Some((numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn releases_are_compared_by_their_numbers() {
        assert_eq!(number("6.1.0-50-cloud-amd64"), Some((6, 1)));
        assert_eq!(number("6.18-rc1"), Some((6, 18)));
        assert_eq!(number("custom"), None);
        assert!(is_at_least(2, 6) && !is_at_least(1000, 0));
    }
}
