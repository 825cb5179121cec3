//! Processes added by `exec`.

use super::texts;
use serde::{Deserialize, Serialize};

/// The body of `POST /containers/{id}/exec`.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub(crate) struct ExecConfig {
    pub(crate) user: String,
    pub(crate) privileged: bool,
    pub(crate) tty: bool,
    pub(crate) console_size: Vec<u16>,
    pub(crate) attach_stdin: bool,
    pub(crate) attach_stdout: bool,
    pub(crate) attach_stderr: bool,
    pub(crate) detach_keys: String,
    pub(crate) env: Vec<String>,
    pub(crate) working_dir: String,
    #[serde(deserialize_with = "texts")]
    pub(crate) cmd: Option<Vec<String>>,
}

/// The body of `POST /exec/{id}/start`.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub(crate) struct ExecStart {
    pub(crate) detach: bool,
    pub(crate) tty: bool,
    pub(crate) console_size: Vec<u16>,
}

/// The answer of `GET /exec/{id}/json`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct ExecInspect {
    #[serde(rename = "ID")]
    pub(crate) id: String,
    #[serde(rename = "Running")]
    pub(crate) running: bool,
    #[serde(rename = "ExitCode")]
    pub(crate) exit_code: Option<i64>,
    #[serde(rename = "ProcessConfig")]
    pub(crate) process_config: ProcessConfig,
    #[serde(rename = "OpenStdin")]
    pub(crate) open_stdin: bool,
    #[serde(rename = "OpenStderr")]
    pub(crate) open_stderr: bool,
    #[serde(rename = "OpenStdout")]
    pub(crate) open_stdout: bool,
    #[serde(rename = "CanRemove")]
    pub(crate) can_remove: bool,
    #[serde(rename = "ContainerID")]
    pub(crate) container_id: String,
    #[serde(rename = "DetachKeys")]
    pub(crate) detach_keys: String,
    #[serde(rename = "Pid")]
    pub(crate) pid: u32,
}

/// What an exec runs. Its keys are lower case, unlike all others.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct ProcessConfig {
    pub(crate) tty: bool,
    pub(crate) entrypoint: String,
    pub(crate) arguments: Vec<String>,
    pub(crate) privileged: bool,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) user: String,
}
