//! Layers as directories, stacked by the kernel's overlay file system.
//!
//! A layer is one directory, unpacked once from a tar stream and never changed again; it depends on no other, so
//! that images share it wherever it stands in their stack. A snapshot is the writable top of a container: an upper
//! and a work directory, and the layers below it. The driver keeps no records: whoever calls it says which layers
//! and snapshots are wanted, and everything else goes when [`Layers::retain`] is called at start.
//!
//! ```text
//! <root>/l/<id>/            a layer; ids are six characters, so that 128 of them fit one mount's options
//! <root>/c/<key>/upper      what the container wrote
//! <root>/c/<key>/work       the kernel's
//! <root>/c/<key>/lower      symbolic link whose target lists the layers, topmost first: created atomically
//! <root>/tmp/<id>/          a layer being unpacked; gone at the next start
//! ```

mod changes;
mod error;
mod id;
mod mount;

pub use changes::{Change, ChangeKind};
pub use error::{LayerError, Result};
pub use id::LayerId;
pub use mount::{Mount, read_in_root};
