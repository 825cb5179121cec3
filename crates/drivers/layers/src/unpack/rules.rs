//! What entries become: a layer's what they say, a client's what the client wishes and the container can have.

use crate::archive::Entry;
use crate::capability;
use spec::IdMaps;

/// How a client's archive is extracted into a container.
#[derive(Debug, Clone, Default)]
pub struct Extract {
    /// Refuses to replace a directory by something else, and something else by a directory.
    pub keep_kinds: bool,
    /// Whom everything belongs to.
    pub owner: Owner,
    /// What the container's ids are on the host, if not the same.
    pub ids: Option<IdMaps>,
}

/// Whom what is extracted belongs to, in the container's ids.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Owner {
    /// As the archive says.
    #[default]
    Archive,
    /// This user and group.
    Fixed(u32, u32),
}

/// The same for the unpacker.
pub(super) struct Rules {
    /// Whether names have the meaning that they have in a layer.
    pub(super) layer: bool,
    pub(super) extract: Extract,
}

impl Rules {
    pub(super) fn of_layer() -> Self {
        Self { layer: true, extract: Extract::default() }
    }

    pub(super) fn of_client(extract: Extract) -> Self {
        Self { layer: false, extract }
    }

    /// Makes the entry's owner and capabilities those that it shall have on the host.
    pub(super) fn adapt(&self, entry: &mut Entry) {
        if let Owner::Fixed(uid, gid) = self.extract.owner {
            (entry.uid, entry.gid) = (uid.into(), gid.into());
        }
        let Some(ids) = &self.extract.ids else { return };
        if let (Ok(uid), Ok(gid)) = (u32::try_from(entry.uid), u32::try_from(entry.gid)) {
            let (uid, gid) = ids.on_host(uid, gid);
            (entry.uid, entry.gid) = (uid.into(), gid.into());
        }
        for (name, value) in &mut entry.xattrs {
            if name == capability::NAME {
                *value = capability::on_host(value, ids);
            }
        }
    }
}
