//! What can be wrong in the store, in words for whoever has to decide what to do.

use crate::Images;
use crate::index::{Index, names_of};
use layers::Differences;
use oci::{Digest, Reference};
use std::collections::BTreeSet;

/// Something that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Fault {
    /// A blob that a record names is not there.
    BlobMissing { digest: Digest },
    /// A blob is not what its name says.
    BlobDamaged { digest: Digest, reason: String },
    /// An image's config cannot be read: the image is left out of every list.
    ImageUnreadable { image: Digest },
    /// An image's config names a layer that no record names.
    LayerUnrecorded { image: Digest, diff_id: Digest },
    /// The directory of a layer is not there.
    LayerMissing { diff_id: Digest },
    /// A layer is not what its blob unpacks to.
    LayerDamaged { diff_id: Digest, differences: Differences },
    /// A layer's blob is sound, but unpacks to something else.
    LayerOther { diff_id: Digest, blob: Digest, found: Digest },
    /// A layer could not be compared.
    LayerUnchecked { diff_id: Digest, reason: String },
    /// A name of an image that is not here.
    NameDangling { name: Reference, image: Digest },
    /// A directory among the layers that is nobody's.
    OrphanLayer { name: String },
    /// A blob that nothing names.
    OrphanBlob { digest: Digest, size: u64 },
}

/// Something that is wrong, in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// `blob`, `image`, `layer`, `name` or `orphan`.
    pub kind: &'static str,
    /// Which: a digest, a name or a directory.
    pub thing: String,
    /// Names of the images that need it; the ids of those without a name.
    pub images: Vec<String>,
    /// What is wrong with it.
    pub problem: String,
    /// What a repair does about it, or who else can.
    pub remedy: String,
    /// Whether it is in order now; none: no repair was asked for.
    pub repaired: Option<bool>,
    /// What the repair came to.
    pub outcome: Option<String>,
}

impl Fault {
    /// In which order they are repaired.
    pub(super) fn rank(&self) -> u8 {
        match self {
            Self::BlobMissing { .. } | Self::BlobDamaged { .. } => 0,
            Self::ImageUnreadable { .. } => 1,
            Self::OrphanLayer { .. } | Self::OrphanBlob { .. } => 3,
            _ => 2,
        }
    }

    fn kind(&self) -> (&'static str, String) {
        match self {
            Self::BlobMissing { digest } | Self::BlobDamaged { digest, .. } => ("blob", digest.to_string()),
            Self::ImageUnreadable { image } | Self::LayerUnrecorded { image, .. } => {
                ("image", image.to_string())
            }
            Self::LayerMissing { diff_id }
            | Self::LayerDamaged { diff_id, .. }
            | Self::LayerOther { diff_id, .. }
            | Self::LayerUnchecked { diff_id, .. } => ("layer", diff_id.to_string()),
            Self::NameDangling { name, .. } => ("name", name.familiar()),
            Self::OrphanLayer { name } => ("orphan", format!("layers/l/{name}")),
            Self::OrphanBlob { digest, .. } => ("orphan", digest.to_string()),
        }
    }

    fn problem(&self) -> String {
        match self {
            Self::BlobMissing { .. } => "is not there".to_owned(),
            Self::BlobDamaged { reason, .. } => format!("is damaged: {reason}"),
            Self::ImageUnreadable { .. } => {
                "is left out of all lists, because its configuration cannot be read".to_owned()
            }
            Self::LayerUnrecorded { diff_id, .. } => format!("lacks its layer {diff_id}"),
            Self::LayerMissing { .. } => "has no directory".to_owned(),
            Self::LayerDamaged { differences, .. } => {
                let more = differences.count - differences.first.len();
                let more = if more > 0 { format!("; and {more} more") } else { String::new() };
                format!("differs from its archive: {}{more}", differences.first.join("; "))
            }
            Self::LayerOther { blob, found, .. } => {
                format!("is recorded with blob {blob}, which unpacks to {found}")
            }
            Self::LayerUnchecked { reason, .. } => {
                format!("could not be compared with its archive: {reason}")
            }
            Self::NameDangling { image, .. } => format!("means image {image}, which is not there"),
            Self::OrphanLayer { .. } => "belongs to no layer".to_owned(),
            Self::OrphanBlob { size, .. } => format!("is needed by nothing ({size} bytes)"),
        }
    }

    fn remedy(&self, index: &Index, images: &[String]) -> String {
        let pull = images.first().map_or_else(
            || "pull or load the image again".to_owned(),
            |name| format!("run 'docker pull {name}', or load the image again"),
        );
        match self {
            Self::BlobMissing { digest } | Self::BlobDamaged { digest, .. } => {
                match index.origins(digest).first() {
                    Some(name) => format!("a repair fetches this blob from {}", name.domain()),
                    None => format!("no registry is known to have it: {pull}"),
                }
            }
            Self::ImageUnreadable { image } if !index.origins(image).is_empty() => {
                "a repair fetches its configuration".to_owned()
            }
            Self::ImageUnreadable { .. } | Self::LayerUnrecorded { .. } => pull,
            Self::LayerMissing { .. } | Self::LayerDamaged { .. } => {
                "a repair unpacks it again, unless a running container has it".to_owned()
            }
            Self::LayerOther { .. } => "a repair forgets this blob".to_owned(),
            Self::LayerUnchecked { .. } => "see to what stands in the way, and check again".to_owned(),
            Self::NameDangling { name, .. } => {
                format!("a repair removes the name; 'docker pull {}' brings the image back", name.familiar())
            }
            Self::OrphanLayer { .. } | Self::OrphanBlob { .. } => "a repair removes it".to_owned(),
        }
    }

    /// Images that it harms.
    pub(super) fn harmed(&self, index: &Index) -> BTreeSet<Digest> {
        match self {
            Self::BlobMissing { digest } | Self::BlobDamaged { digest, .. } => index.images_with_blob(digest),
            Self::ImageUnreadable { image } | Self::LayerUnrecorded { image, .. } => {
                BTreeSet::from([image.clone()])
            }
            Self::LayerMissing { diff_id }
            | Self::LayerDamaged { diff_id, .. }
            | Self::LayerOther { diff_id, .. }
            | Self::LayerUnchecked { diff_id, .. } => index.images_with_layer(diff_id),
            Self::NameDangling { .. } | Self::OrphanLayer { .. } | Self::OrphanBlob { .. } => BTreeSet::new(),
        }
    }
}

impl Images {
    /// A fault in words.
    pub(super) fn describe(&self, fault: &Fault) -> Finding {
        let index = self.index();
        let images: Vec<String> = fault.harmed(&index).iter().map(|id| index.called(id)).collect();
        let (kind, thing) = fault.kind();
        let (problem, remedy) = (fault.problem(), fault.remedy(&index, &images));
        Finding { kind, thing, images, problem, remedy, repaired: None, outcome: None }
    }
}

impl Index {
    /// What a person calls an image.
    fn called(&self, id: &Digest) -> String {
        let listed = self.images.get(id).and_then(|stored| names_of(&stored.image).next());
        let recorded =
            || self.names.iter().find(|(_, of)| of.images().any(|of| of == id)).map(|(name, _)| name);
        listed.or_else(recorded).map_or_else(|| id.to_string(), Reference::familiar)
    }

    pub(super) fn images_with_layer(&self, diff_id: &Digest) -> BTreeSet<Digest> {
        let having = self.images.iter().filter(|(_, stored)| stored.config.rootfs.diff_ids.contains(diff_id));
        having.map(|(id, _)| id.clone()).collect()
    }

    fn images_with_blob(&self, digest: &Digest) -> BTreeSet<Digest> {
        let layers =
            self.layers.iter().filter(|(_, layer)| layer.blobs.iter().any(|blob| blob.digest == *digest));
        let mut images: BTreeSet<Digest> =
            layers.flat_map(|(diff_id, _)| self.images_with_layer(diff_id)).collect();
        let all = self.images.iter().map(|(id, stored)| (id, &stored.record));
        for (id, record) in all.chain(&self.unreadable) {
            if id == digest || record.manifest_digest().as_ref() == Some(digest) {
                images.insert(id.clone());
            }
        }
        let named =
            self.names.values().filter(|name| name.index.as_ref().is_some_and(|blob| blob.digest == *digest));
        images.extend(named.flat_map(|name| name.images().cloned()));
        images
    }

    /// Names by which a registry was asked, or given, what has this blob. One that is only a tag may never have been there.
    pub(super) fn origins(&self, digest: &Digest) -> Vec<Reference> {
        let images = self.images_with_blob(digest);
        let known = self
            .names
            .iter()
            .filter(|(name, of)| name.digest().is_some() && of.images().any(|image| images.contains(image)));
        known.map(|(name, _)| name.clone()).collect()
    }
}
