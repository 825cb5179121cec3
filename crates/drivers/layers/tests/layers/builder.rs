//! Archives byte by byte, since what makes honest archives refuses to make dishonest ones.

use tar::Header;

/// An archive in the making.
#[derive(Default, Clone)]
pub(crate) struct Builder {
    bytes: Vec<u8>,
}

/// One header.
pub(crate) fn header(kind: u8, name: &str, size: u64) -> Header {
    let mut header = Header::new_gnu();
    let old = header.as_old_mut();
    old.name[..name.len()].copy_from_slice(name.as_bytes());
    old.linkflag[0] = kind;
    header.set_mode(0o644);
    header.set_uid(0);
    header.set_gid(0);
    header.set_mtime(1_000_000_000);
    header.set_size(size);
    header
}

impl Builder {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// Header and content as they are; the checksum is made right.
    pub(crate) fn raw(mut self, mut header: Header, content: &[u8]) -> Self {
        header.set_cksum();
        self.bytes.extend_from_slice(header.as_bytes());
        self.bytes.extend_from_slice(content);
        self.bytes.resize(self.bytes.len().next_multiple_of(512), 0);
        self
    }

    pub(crate) fn file(self, name: &str, content: &str) -> Self {
        self.raw(header(b'0', name, content.len() as u64), content.as_bytes())
    }

    pub(crate) fn dir(self, name: &str) -> Self {
        let mut header = header(b'5', name, 0);
        header.set_mode(0o755);
        self.raw(header, b"")
    }

    pub(crate) fn link(self, kind: u8, name: &str, target: &str) -> Self {
        let mut header = header(kind, name, 0);
        header.as_old_mut().linkname[..target.len()].copy_from_slice(target.as_bytes());
        self.raw(header, b"")
    }

    pub(crate) fn symlink(self, name: &str, target: &str) -> Self {
        self.link(b'2', name, target)
    }

    pub(crate) fn hard_link(self, name: &str, target: &str) -> Self {
        self.link(b'1', name, target)
    }

    pub(crate) fn device(self, kind: u8, name: &str, major: u32, minor: u32) -> Self {
        let mut header = header(kind, name, 0);
        header.set_device_major(major).unwrap();
        header.set_device_minor(minor).unwrap();
        self.raw(header, b"")
    }

    /// An extended header for the entry behind it.
    pub(crate) fn pax(self, records: &[(&str, &[u8])]) -> Self {
        let content: Vec<u8> = records.iter().flat_map(|(key, value)| record(key, value)).collect();
        self.raw(header(b'x', "pax", content.len() as u64), &content)
    }

    /// Without the zeros at the end.
    pub(crate) fn open_end(self) -> Vec<u8> {
        self.bytes
    }

    pub(crate) fn end(mut self) -> Vec<u8> {
        self.bytes.extend_from_slice(&[0; 1024]);
        self.bytes
    }
}

fn record(key: &str, value: &[u8]) -> Vec<u8> {
    let rest = key.len() + value.len() + 3;
    let digits = |length: usize| length.to_string().len();
    let mut length = rest + digits(rest);
    length = rest + digits(length);
    [format!("{length} {key}=").as_bytes(), value, b"\n"].concat()
}
