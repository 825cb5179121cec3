//! A client's archive into a container, which may run meanwhile.
//!
//! Unlike a layer it meets what is there: files are replaced, directories merged. Names that mean something in a layer
//! are names. Symbolic links on the way mean what they mean in the container, so that none leads out of it.

use super::name::Name;
use super::rules::{Extract, Rules};
use super::tree::{Place, Tree};
use super::{Contents, Limits, Unpacker, run};
use crate::archive::{Archive, Entry, Kind};
use crate::error::shown;
use crate::{LayerError, Result, decompress};
use rustix::fd::OwnedFd;
use rustix::fs::{FileType, Gid, Uid};
use spec::IdMaps;
use std::io::{BufRead, BufReader};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// How much is decompressed at a time.
const BUFFER: usize = 128 << 10;

/// Extracts `input`, plain or compressed, into `directory`, which is `path` in the container's root `root`.
pub(crate) fn extract(
    input: impl BufRead + Send,
    root: OwnedFd,
    directory: OwnedFd,
    path: &Path,
    how: Extract,
) -> Result<Contents> {
    let (uid, gid) = how.ids.as_ref().map_or((0, 0), IdMaps::root);
    let place = Place::Container {
        root,
        path: [path.as_os_str().as_bytes(), b"/"].concat(),
        owner: (Uid::from_raw(uid), Gid::from_raw(gid)),
    };
    let archive = Archive::new(BufReader::with_capacity(BUFFER, decompress(input)?));
    run(archive, Tree::new(directory, place), Rules::of_client(how), Limits::default())
}

impl Unpacker {
    /// In the present directory.
    pub(super) fn entry_of_client<R: BufRead>(
        &mut self,
        entry: &Entry,
        name: &Name,
        archive: &mut Archive<R>,
    ) -> Result<()> {
        if name.is_root() {
            // The directory into which is extracted stays as it is.
            return Ok(());
        }
        if self.rules.extract.keep_kinds
            && let Ok((there, _)) = self.tree.kind(name.base())
            && (there == FileType::Directory) != (entry.kind == Kind::Directory)
        {
            return Err(LayerError::OtherKind {
                entry: shown(name.as_bytes()),
                directory: there == FileType::Directory,
            });
        }
        self.create(entry, name, archive)
    }
}
