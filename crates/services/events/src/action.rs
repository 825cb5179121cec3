//! Docker's actions, each with what it carries besides the object itself.

/// How a container's health was found to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Health {
    /// The check began; nothing is known.
    Running,
    /// Within the start period.
    Starting,
    /// The last check succeeded.
    Healthy,
    /// As many checks in a row failed as are allowed.
    Unhealthy,
}

/// Attributes of an event: names and values.
pub(crate) type Extra = Vec<(&'static str, String)>;

/// What happened to a container.
#[derive(Debug, Clone, PartialEq)]
#[expect(missing_docs, reason = "the names are Docker's actions, listed in the Engine API's /events")]
pub enum ContainerAction {
    Attach,
    Checkpoint,
    Commit { image: String, reference: String, comment: String },
    Copy,
    Create,
    Destroy,
    Detach,
    Die { exit_code: i32, ran: std::time::Duration },
    ArchivePath,
    ExtractToDir,
    ExecCreate { exec: String, command: String },
    ExecDetach { exec: String },
    ExecDie { exec: String, exit_code: i32 },
    ExecStart { exec: String, command: String },
    Export,
    Health(Health),
    Kill { signal: i32 },
    Oom,
    Pause,
    Rename { old: String },
    Resize { width: u16, height: u16 },
    Restart,
    Start,
    Stop,
    Top,
    Unpause,
    Update,
    Prune { reclaimed: u64 },
}

impl ContainerAction {
    /// Docker's text of the action; that of an exec holds its command, that of a health check its result.
    pub fn text(&self) -> String {
        let fixed = match self {
            Self::Attach => "attach",
            Self::Checkpoint => "checkpoint",
            Self::Commit { .. } => "commit",
            Self::Copy => "copy",
            Self::Create => "create",
            Self::Destroy => "destroy",
            Self::Detach => "detach",
            Self::Die { .. } => "die",
            Self::ArchivePath => "archive-path",
            Self::ExtractToDir => "extract-to-dir",
            Self::ExecCreate { command, .. } => return format!("exec_create: {}", spaced(command)),
            Self::ExecDetach { .. } => "exec_detach",
            Self::ExecDie { .. } => "exec_die",
            Self::ExecStart { command, .. } => return format!("exec_start: {}", spaced(command)),
            Self::Export => "export",
            Self::Health(Health::Running) => "health_status: running",
            Self::Health(Health::Starting) => "health_status: starting",
            Self::Health(Health::Healthy) => "health_status: healthy",
            Self::Health(Health::Unhealthy) => "health_status: unhealthy",
            Self::Kill { .. } => "kill",
            Self::Oom => "oom",
            Self::Pause => "pause",
            Self::Rename { .. } => "rename",
            Self::Resize { .. } => "resize",
            Self::Restart => "restart",
            Self::Start => "start",
            Self::Stop => "stop",
            Self::Top => "top",
            Self::Unpause => "unpause",
            Self::Update => "update",
            Self::Prune { .. } => "prune",
        };
        fixed.to_owned()
    }

    pub(crate) fn extra(&self) -> Extra {
        match self {
            Self::Commit { image, reference, comment } => vec![
                ("imageID", image.clone()),
                ("imageRef", reference.clone()),
                ("comment", comment.clone()),
            ],
            Self::Die { exit_code, ran } => {
                vec![("exitCode", exit_code.to_string()), ("execDuration", ran.as_secs().to_string())]
            }
            Self::ExecCreate { exec, .. } | Self::ExecStart { exec, .. } | Self::ExecDetach { exec } => {
                vec![("execID", exec.clone())]
            }
            Self::ExecDie { exec, exit_code } => {
                vec![("execID", exec.clone()), ("exitCode", exit_code.to_string())]
            }
            Self::Kill { signal } => vec![("signal", signal.to_string())],
            Self::Rename { old } => vec![("oldName", old.clone())],
            Self::Resize { width, height } => {
                vec![("width", width.to_string()), ("height", height.to_string())]
            }
            Self::Prune { reclaimed } => vec![("reclaimed", reclaimed.to_string())],
            _ => Vec::new(),
        }
    }
}

/// A command as Docker prints it: with a space behind the program also when no argument follows.
fn spaced(command: &str) -> String {
    let space = if command.contains(' ') { "" } else { " " };
    format!("{command}{space}")
}

/// What happened to an image.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are Docker's actions, listed in the Engine API's /events")]
pub enum ImageAction {
    Create,
    Delete,
    Import,
    Load,
    Prune { reclaimed: u64 },
    Pull,
    Push,
    Save,
    Tag,
    Untag,
}

impl ImageAction {
    /// Docker's text of the action.
    pub fn text(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Delete => "delete",
            Self::Import => "import",
            Self::Load => "load",
            Self::Prune { .. } => "prune",
            Self::Pull => "pull",
            Self::Push => "push",
            Self::Save => "save",
            Self::Tag => "tag",
            Self::Untag => "untag",
        }
    }
}

/// What happened to a network.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are Docker's actions, listed in the Engine API's /events")]
pub enum NetworkAction {
    Create,
    Connect { container: String },
    Disconnect { container: String },
    Destroy,
    Remove,
    Update,
    Prune { reclaimed: u64 },
}

impl NetworkAction {
    /// Docker's text of the action.
    pub fn text(&self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Connect { .. } => "connect",
            Self::Disconnect { .. } => "disconnect",
            Self::Destroy => "destroy",
            Self::Remove => "remove",
            Self::Update => "update",
            Self::Prune { .. } => "prune",
        }
    }

    pub(crate) fn extra(&self) -> Extra {
        match self {
            Self::Connect { container } | Self::Disconnect { container } => {
                vec![("container", container.clone())]
            }
            Self::Prune { reclaimed } => vec![("reclaimed", reclaimed.to_string())],
            _ => Vec::new(),
        }
    }
}

/// What happened to a volume.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are Docker's actions, listed in the Engine API's /events")]
pub enum VolumeAction {
    Create,
    Destroy,
    Mount { container: String, destination: String, read_write: bool, propagation: String },
    Unmount { container: String },
    Prune { reclaimed: u64 },
}

impl VolumeAction {
    /// Docker's text of the action.
    pub fn text(&self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Destroy => "destroy",
            Self::Mount { .. } => "mount",
            Self::Unmount { .. } => "unmount",
            Self::Prune { .. } => "prune",
        }
    }

    pub(crate) fn extra(&self) -> Extra {
        match self {
            Self::Mount { container, destination, read_write, propagation } => vec![
                ("container", container.clone()),
                ("destination", destination.clone()),
                ("read/write", read_write.to_string()),
                ("propagation", propagation.clone()),
            ],
            Self::Unmount { container } => vec![("container", container.clone())],
            Self::Prune { reclaimed } => vec![("reclaimed", reclaimed.to_string())],
            _ => Vec::new(),
        }
    }
}

/// What happened to the daemon itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DaemonAction {
    /// It read its configuration again.
    Reload,
    /// It serves requests. Docker has no such event.
    Start,
    /// It was asked to end. Docker has no such event.
    Stop,
}

impl DaemonAction {
    /// The text of the action.
    pub fn text(self) -> &'static str {
        match self {
            Self::Reload => "reload",
            Self::Start => "start",
            Self::Stop => "stop",
        }
    }
}
