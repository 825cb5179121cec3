//! The vocabulary of image content: digests, references, platforms, image configs and manifests.
//!
//! Pure: parsing, formatting and arithmetic over documents, no I/O. Manifests, indexes and descriptors are
//! `oci-spec`'s; the image config is ours, because docker writes fields that the OCI schema lacks and an image's id
//! is the digest of the very bytes, so that nothing unknown may be lost.

mod config;
mod digest;
pub mod media;
mod platform;
mod reference;

pub use config::{Empty, Healthcheck, History, ImageConfig, RootFs, RunConfig};
pub use digest::{Digest, DigestError, chain_id};
pub use oci_spec::image::{Descriptor, ImageIndex, ImageManifest};
pub use platform::{Platform, PlatformError};
pub use reference::{DEFAULT_DOMAIN, DEFAULT_TAG, Query, Reference, ReferenceError, is_id_prefix};
