//! Packing local files.

use bytes::Bytes;
use rustix::fs::lgetxattr;
use std::collections::HashMap;
use std::fs::{self, Metadata};
use std::io::{self, Write};
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::sync::mpsc;

/// A file's capabilities; nothing else of its extended attributes is copied, as with docker.
const CAPABILITY: &str = "security.capability";

/// Packs a file or tree under the name `name` (empty: its contents at the top), on a thread. `packed` counts the bytes.
pub(super) fn pack(from: PathBuf, name: String, packed: Arc<AtomicU64>) -> mpsc::Receiver<io::Result<Bytes>> {
    let (sender, receiver) = mpsc::channel(4);
    std::thread::spawn(move || {
        let output = io::BufWriter::with_capacity(256 << 10, Sender(sender.clone(), packed));
        let mut packer = Packer { archive: tar::Builder::new(output), links: HashMap::new() };
        packer.archive.follow_symlinks(false);
        let name = if name.is_empty() { PathBuf::from(".") } else { name.into() };
        let done = packer.entry(&from, &name).and_then(|()| packer.archive.into_inner()?.flush());
        if let Err(error) = done {
            // Nobody listens when the connection is gone, and then its error is the one to tell.
            sender.blocking_send(Err(error)).ok();
        }
    });
    receiver
}

struct Packer {
    archive: tar::Builder<io::BufWriter<Sender>>,
    /// Files with several names: that which came first.
    links: HashMap<(u64, u64), PathBuf>,
}

impl Packer {
    fn entry(&mut self, path: &Path, name: &Path) -> io::Result<()> {
        let metadata = fs::symlink_metadata(path)?;
        if metadata.file_type().is_socket() {
            return Ok(());
        }
        if metadata.is_dir() {
            return self.directory(path, name);
        }
        if metadata.nlink() > 1 {
            let key = (metadata.dev(), metadata.ino());
            if let Some(first) = self.links.get(&key) {
                let mut header = header(&metadata, tar::EntryType::Link);
                return self.archive.append_link(&mut header, name, first);
            }
            self.links.insert(key, name.to_owned());
        }
        self.capabilities(path, &metadata)?;
        self.archive.append_path_with_name(path, name)
    }

    fn directory(&mut self, path: &Path, name: &Path) -> io::Result<()> {
        self.archive.append_dir(name, path)?;
        let mut below =
            fs::read_dir(path)?.map(|entry| Ok(entry?.file_name())).collect::<io::Result<Vec<_>>>()?;
        below.sort();
        for base in below {
            match self.entry(&path.join(&base), &name.join(&base)) {
                // It has just been deleted.
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                other => other?,
            }
        }
        Ok(())
    }

    fn capabilities(&mut self, path: &Path, metadata: &Metadata) -> io::Result<()> {
        let mut value = [0; 64];
        if !metadata.is_file() {
            return Ok(());
        }
        // Absent, or unknown to the file system.
        let Ok(length) = lgetxattr(path, CAPABILITY, value.as_mut_slice()) else { return Ok(()) };
        let key = format!("SCHILY.xattr.{CAPABILITY}");
        self.archive.append_pax_extensions([(key.as_str(), &value[..length])])
    }
}

fn header(metadata: &Metadata, kind: tar::EntryType) -> tar::Header {
    let mut header = tar::Header::new_gnu();
    header.set_metadata(metadata);
    header.set_entry_type(kind);
    header.set_size(0);
    header
}

/// A writer into the channel of an upload.
struct Sender(mpsc::Sender<io::Result<Bytes>>, Arc<AtomicU64>);

impl Write for Sender {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let sent = self.0.blocking_send(Ok(Bytes::copy_from_slice(bytes)));
        sent.map_err(|_| io::Error::from(io::ErrorKind::BrokenPipe))?;
        self.1.fetch_add(bytes.len() as u64, Ordering::Relaxed);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
