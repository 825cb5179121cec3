//! tmpfs mounts: `--tmpfs PATH[:OPTIONS]`, and the structured form.

use crate::wire::mount::TmpfsOptions;
use spec::{Mount, MountKind, Tmpfs};

/// An entry of `HostConfig.Tmpfs`. Its options stay as they are, for the mount and for `inspect`.
pub(super) fn entry(target: &str, options: &str) -> Mount {
    let options: Vec<String> =
        options.split(',').filter(|option| !option.is_empty()).map(str::to_owned).collect();
    Mount {
        target: target.to_owned(),
        read_only: options.iter().any(|option| option == "ro"),
        kind: MountKind::Tmpfs(Tmpfs { size: None, mode: None, options }),
        structured: false,
    }
}

pub(super) fn wire_entry(tmpfs: &Tmpfs) -> String {
    tmpfs.options.join(",")
}

pub(super) fn structured(options: Option<&TmpfsOptions>) -> Tmpfs {
    let Some(options) = options else { return Tmpfs::default() };
    Tmpfs {
        size: u64::try_from(options.size_bytes).ok().filter(|size| *size != 0),
        mode: (options.mode != 0).then_some(options.mode),
        options: options.options.iter().map(|pair| pair.join("=")).collect(),
    }
}

pub(super) fn wire_structured(tmpfs: &Tmpfs) -> Option<TmpfsOptions> {
    let options = TmpfsOptions {
        size_bytes: tmpfs.size.map_or(0, |size| i64::try_from(size).unwrap_or(i64::MAX)),
        mode: tmpfs.mode.unwrap_or(0),
        options: tmpfs
            .options
            .iter()
            .map(|option| option.splitn(2, '=').map(str::to_owned).collect())
            .collect(),
    };
    (options != TmpfsOptions::default()).then_some(options)
}
