//! `storage`: layers and blobs.

use crate::Key;
use crate::Kind::{Bytes, Choice, List, Number, Path, Seconds, Text};

pub(super) const KEYS: [Key; 8] = [
    Key::new("storage.driver", Choice(&["overlay2"]), "How layers are put together."),
    Key::new("storage.root", Path, "Directory of images and containers' writable layers, on a file system that can be below an overlay. The registry of `registry.serve` needs it on that of `runtime.root_dir`.").or("`runtime.root_dir`"),
    Key::new("storage.gc.partials_after", Seconds(0), "Seconds since the last byte after which a half-fetched blob goes; 0: never.").now(),
    Key::new("storage.gc.interval", Seconds(1), "Seconds from one look at the store to the next.").now(),
    Key::new("storage.gc.images.max_bytes", Bytes, "What all layers and blobs may take on disk before images go that were used least recently.").or("no limit").now(),
    Key::new("storage.gc.images.min_free_percent", Number(0, 100), "Percent of the file system that must stay free.").or("no limit").now(),
    Key::new("storage.gc.images.min_age", Seconds(0), "Seconds since its last use for which an image stays, however full the disk is.").now(),
    Key::new("storage.gc.images.keep", List(&Text), "Names, or patterns with `*` and `?`, of images that stay.").now(),
];
