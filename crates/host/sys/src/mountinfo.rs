//! The kernel's table of mounts, `proc_pid_mountinfo(5)`.

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;
use std::path::PathBuf;

/// The table as this process sees it.
///
/// # Errors
/// Where `/proc` is not there.
pub fn read() -> std::io::Result<Vec<u8>> {
    std::fs::read("/proc/self/mountinfo")
}

/// The fields of each line, of which there are at least five.
pub fn lines(table: &[u8]) -> impl Iterator<Item = Vec<&[u8]>> {
    let lines = table.split(|byte| *byte == b'\n').map(|line| line.split(|byte| *byte == b' ').collect());
    lines.filter(|fields: &Vec<_>| fields.len() > POINT)
}

/// Where in a line the mount point is.
const POINT: usize = 4;

/// The mount point of a line, in which spaces and the like are octal numbers.
pub fn point(fields: &[&[u8]]) -> PathBuf {
    let mut rest = fields.get(POINT).copied().unwrap_or_default();
    let mut path = Vec::with_capacity(rest.len());
    while let Some((first, after)) = rest.split_first() {
        let octal = after.get(..3).filter(|_| *first == b'\\');
        let octal = octal.and_then(|digits| std::str::from_utf8(digits).ok());
        match octal.and_then(|digits| u8::from_str_radix(digits, 8).ok()) {
            Some(byte) => {
                path.push(byte);
                rest = after.get(3..).unwrap_or_default();
            }
            None => {
                path.push(*first);
                rest = after;
            }
        }
    }
    OsString::from_vec(path).into()
}

/// What a line says of how its mount propagates: the optional fields.
pub fn propagation<'a>(fields: &[&'a [u8]]) -> Vec<&'a [u8]> {
    fields.iter().skip(POINT + 2).take_while(|field| **field != b"-").copied().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_has_a_point_and_says_how_it_propagates() {
        let table = b"40 31 0:37 / /a\\040b\\134040/\xff rw shared:1 master:2 - tmpfs tmpfs rw\n";
        let all: Vec<_> = lines(table).collect();
        assert_eq!(all.len(), 1);
        assert_eq!(point(&all[0]), PathBuf::from(OsString::from_vec(b"/a b\\040/\xff".to_vec())));
        assert_eq!(propagation(&all[0]), [&b"shared:1"[..], b"master:2"]);
    }
}
