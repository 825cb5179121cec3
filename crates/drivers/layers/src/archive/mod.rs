//! Reading a tar stream: headers of every dialect in use, with bounds on all that a stranger's archive announces.
//!
//! Understood: v7, ustar, GNU (long names `L` and `K`, sparse `S`, base-256 numbers), PAX (names, sizes, owners,
//! times, extended attributes, sparse 0.0, 0.1 and 1.0). The numbers of a header are read by the `tar` crate; its
//! reader is not used, because it follows an extension header of any size into memory, splits PAX records at
//! newlines that a binary attribute may contain, and does not know sparse files of PAX.
//!
//! Written: ustar, with PAX records where it does not suffice, which every reader in use understands.

mod entry;
mod error;
mod header;
mod pax;
mod reader;
mod sparse;
mod writer;

pub use entry::{Entry, Extent, Kind, Sparse, Time};
pub use error::ArchiveError;
pub use reader::Archive;
pub use writer::{ArchiveWriter, CopyError};

/// Size of a tar block.
pub(crate) const BLOCK: usize = 512;

/// Longest name or link target: the kernel's `PATH_MAX` with its final zero.
pub(crate) const MAX_PATH: usize = 4095;
