//! Everything about a directory tree, in lines that can be compared.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// A line for each path below `root`, itself included: type, mode, owner, size, times, links, device, target, content,
/// attributes.
pub(crate) fn describe(root: &Path) -> BTreeMap<String, String> {
    let mut lines = BTreeMap::new();
    visit(root, root, &mut lines);
    lines
}

/// Where two descriptions differ.
pub(crate) fn differences(a: &BTreeMap<String, String>, b: &BTreeMap<String, String>) -> Vec<String> {
    let names: std::collections::BTreeSet<_> = a.keys().chain(b.keys()).collect();
    let differing = names.into_iter().filter(|name| a.get(*name) != b.get(*name));
    differing.map(|name| format!("{name}: {:.300?} and {:.300?}", a.get(name), b.get(name))).collect()
}

fn visit(root: &Path, path: &Path, lines: &mut BTreeMap<String, String>) {
    let stat = fs::symlink_metadata(path).unwrap();
    let size = if stat.is_dir() { 0 } else { stat.len() };
    let content = if stat.is_file() { checksum(&fs::read(path).unwrap()) } else { 0 };
    let target = fs::read_link(path).unwrap_or_default();
    let links = if stat.is_dir() { 0 } else { stat.nlink() };
    let line = format!(
        "{:o} {}:{} {size} {}.{:09} links={links} rdev={} -> {} content={content:x} {:?}",
        stat.mode(),
        stat.uid(),
        stat.gid(),
        stat.mtime(),
        stat.mtime_nsec(),
        stat.rdev(),
        target.display(),
        attributes(path),
    );
    let name = path.strip_prefix(root).unwrap().to_string_lossy().into_owned();
    lines.insert(name, line);
    if stat.is_dir() {
        for entry in fs::read_dir(path).unwrap() {
            visit(root, &entry.unwrap().path(), lines);
        }
    }
}

pub(crate) fn attributes(path: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut names = vec![0; 4096];
    let length = rustix::fs::llistxattr(path, names.as_mut_slice()).unwrap();
    let names = String::from_utf8(names[..length].to_vec()).unwrap();
    let value = |name: &str| {
        let mut value = vec![0; 4096];
        let length = rustix::fs::lgetxattr(path, name, value.as_mut_slice()).unwrap();
        value.truncate(length);
        value
    };
    names.split_terminator('\0').map(|name| (name.to_owned(), value(name))).collect()
}

fn checksum(bytes: &[u8]) -> u64 {
    bytes
        .iter()
        .fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x100_0000_01b3))
}
