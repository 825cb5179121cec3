//! A user's home, from the container's own `/etc/passwd`, which may be anything.

use rustix::fs::{FileType, Mode, OFlags, fstat, open};
use std::fs::File;
use std::io::Read;

/// More than this of the file is not looked at.
const LIMIT: u64 = 1 << 20;

/// What the file says, else `/`.
pub(super) fn of(uid: u32) -> String {
    let text = read("/etc/passwd").unwrap_or_default();
    find(&text, uid).unwrap_or("/").to_owned()
}

/// Without waiting for anything: it could be a FIFO.
fn read(path: &str) -> Option<String> {
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    let file = open(path, flags, Mode::empty()).ok()?;
    let regular = FileType::from_raw_mode(fstat(&file).ok()?.st_mode) == FileType::RegularFile;
    let mut text = Vec::new();
    regular.then(|| File::from(file).take(LIMIT).read_to_end(&mut text))?.ok()?;
    Some(String::from_utf8_lossy(&text).into_owned())
}

fn find(text: &str, uid: u32) -> Option<&str> {
    text.lines().find_map(|line| {
        let mut fields = line.split(':').skip(2);
        let matches = fields.next()?.parse() == Ok(uid);
        fields.nth(2).filter(|home| matches && !home.is_empty())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_line_of_the_user_counts() {
        let text = "root:x:0:0:root:/root:/bin/sh\n# no\nbroken\nweb:x:33:33::/srv:\nother:x:33:33::/x:\nnone:x:7:7:::\n";
        assert_eq!(find(text, 0), Some("/root"));
        assert_eq!(find(text, 33), Some("/srv"));
        assert_eq!((find(text, 7), find(text, 8)), (None, None));
    }
}
