//! `-v` as it reaches the API: `[SOURCE:]TARGET[:MODE]`.

use errors::{Class, Classified};
use spec::{Bind, Mount, MountKind, Propagation, VolumeMount};

/// A bind that can't be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum BindError {
    /// Too many parts, or an empty one.
    #[error("invalid volume specification: '{spec}'")]
    Form { spec: String },
    /// An unknown or contradictory mode.
    #[error("invalid mode: {mode}")]
    Mode { mode: String },
    /// The container's path is not absolute.
    #[error(
        "invalid volume specification: '{spec}': invalid mount config for type \"{kind}\": invalid mount path: '{target}' mount path must be absolute"
    )]
    Relative { spec: String, kind: &'static str, target: String },
    /// The container's path is its root.
    #[error(
        "invalid volume specification: '{spec}': invalid mount config for type \"{kind}\": invalid specification: destination can't be '/'"
    )]
    Root { spec: String, kind: &'static str },
    /// Neither a path nor a volume's name.
    #[error(
        "create {name}: \"{name}\" includes invalid characters for a local volume name, only \"[a-zA-Z0-9][a-zA-Z0-9_.-]\" are allowed. If you intended to pass a host directory, use absolute path"
    )]
    Name { name: String },
}

impl Classified for BindError {
    fn class(&self) -> Class {
        Class::Invalid
    }
}

/// Parses one element of `HostConfig.Binds`.
pub(super) fn parse(spec: &str) -> Result<Mount, BindError> {
    let parts: Vec<&str> = spec.split(':').collect();
    let (source, target, mode) = match parts.as_slice() {
        [target] => ("", *target, ""),
        // Docker reads the second part as a mode when it can't be a path.
        [target, mode] if target.starts_with('/') && !mode.starts_with('/') && Mode::parse(mode).is_ok() => {
            ("", *target, *mode)
        }
        [source, target] => (*source, *target, ""),
        [source, target, mode] => (*source, *target, *mode),
        _ => return Err(BindError::Form { spec: spec.to_owned() }),
    };
    if target.is_empty() || (parts.len() > 1 && parts[0].is_empty()) {
        return Err(BindError::Form { spec: spec.to_owned() });
    }
    let is_path = source.starts_with('/');
    check_target(spec, target, if is_path { "bind" } else { "volume" })?;
    let mode = Mode::parse(mode)?;
    let kind = if is_path { mode.bind(source)? } else { mode.volume(source)? };
    Ok(Mount { target: target.to_owned(), read_only: mode.read_only, kind, structured: false })
}

fn check_target(spec: &str, target: &str, kind: &'static str) -> Result<(), BindError> {
    if !target.starts_with('/') {
        return Err(BindError::Relative { spec: spec.to_owned(), kind, target: target.to_owned() });
    }
    if target.split('/').all(|part| matches!(part, "" | ".")) {
        return Err(BindError::Root { spec: spec.to_owned(), kind });
    }
    Ok(())
}

/// The comma-separated last part.
#[derive(Default)]
struct Mode<'a> {
    text: &'a str,
    read_only: bool,
    relabel: Option<char>,
    propagation: Option<Propagation>,
    no_copy: bool,
}

impl<'a> Mode<'a> {
    fn parse(text: &'a str) -> Result<Self, BindError> {
        let mut mode = Self { text, ..Self::default() };
        let (mut access, mut consistency) = (0, 0);
        for option in text.split(',').filter(|_| !text.is_empty()) {
            let fresh = match option {
                "ro" | "rw" => {
                    mode.read_only = option == "ro";
                    access += 1;
                    access == 1
                }
                "z" | "Z" => mode.relabel.replace(if option == "z" { 'z' } else { 'Z' }).is_none(),
                "nocopy" => !std::mem::replace(&mut mode.no_copy, true),
                // Of Docker Desktop; without a meaning on Linux.
                "consistent" | "cached" | "delegated" | "default" => {
                    consistency += 1;
                    consistency == 1
                }
                other => match Propagation::parse(other) {
                    Some(propagation) => mode.propagation.replace(propagation).is_none(),
                    None => false,
                },
            };
            if !fresh {
                return Err(mode.invalid());
            }
        }
        Ok(mode)
    }

    fn invalid(&self) -> BindError {
        BindError::Mode { mode: self.text.to_owned() }
    }

    fn bind(&self, source: &str) -> Result<MountKind, BindError> {
        if self.no_copy {
            return Err(self.invalid());
        }
        Ok(MountKind::Bind(Bind {
            source: source.to_owned(),
            create_source: true,
            propagation: self.propagation,
            relabel: self.relabel,
            ..Bind::default()
        }))
    }

    fn volume(&self, name: &str) -> Result<MountKind, BindError> {
        if self.propagation.is_some() {
            return Err(self.invalid());
        }
        if !name.is_empty() && !ids::is_name(name) {
            return Err(BindError::Name { name: name.to_owned() });
        }
        let name = (!name.is_empty()).then(|| name.to_owned());
        Ok(MountKind::Volume(VolumeMount { name, no_copy: self.no_copy, ..VolumeMount::default() }))
    }
}
