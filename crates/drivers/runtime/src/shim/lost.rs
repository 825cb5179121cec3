//! After a shim's death: ending what it held, and letting its program clean up.

use crate::config::KillCgroup;
use crate::error::{Error, Result};
use crate::shim::record::ShimRecord;
use containerd_shim_protos::api::DeleteResponse;
use ids::ContainerId;
use protobuf::Message;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

/// For killing a cgroup, and for a shim's `delete` command.
const LIMIT: Duration = Duration::from_secs(15);

/// What is needed to clean up after the shim of a container.
#[derive(Clone)]
pub(crate) struct Cleanup {
    pub(crate) id: ContainerId,
    pub(crate) bundle: PathBuf,
    pub(crate) namespace: String,
    pub(crate) events: PathBuf,
    pub(crate) record: ShimRecord,
    pub(crate) kill_cgroup: KillCgroup,
}

impl std::fmt::Debug for Cleanup {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Cleanup").field("id", &self.id).finish_non_exhaustive()
    }
}

impl Cleanup {
    /// Ends all processes of the container, then runs the shim's `delete`. What fails is logged.
    ///
    /// # Errors
    /// [`Error::LeftRunning`] while a process lives that could not be ended. A `delete` that fails is no reason to keep
    /// the container: its program may be gone for good.
    pub(crate) async fn run(&self) -> Result<()> {
        self.kill().await?;
        match tokio::time::timeout(LIMIT, self.delete()).await {
            Ok(Ok(_)) => {}
            Ok(Err(error)) => {
                tracing::warn!(container = %self.id, error, "clean up after a dead shim");
            }
            Err(_) => tracing::warn!(container = %self.id, "the shim's delete command took too long"),
        }
        // Again: `delete` may have found processes that were just being born.
        self.kill().await?;
        let _ = std::fs::remove_file(&self.record.socket);
        Ok(())
    }

    /// Ends all processes of the container.
    ///
    /// # Errors
    /// [`Error::LeftRunning`] if one is left.
    pub(crate) async fn kill(&self) -> Result<()> {
        let Some(cgroup) = self.record.cgroup.clone() else { return Ok(()) };
        let kill = self.kill_cgroup.clone();
        let killed = offload::blocking(move || kill(&cgroup));
        match tokio::time::timeout(LIMIT, killed).await {
            Ok(Ok(())) => return Ok(()),
            Ok(Err(error)) => tracing::warn!(container = %self.id, %error, "kill a container's cgroup"),
            Err(_) => tracing::warn!(container = %self.id, "killing a container's cgroup took too long"),
        }
        Err(Error::LeftRunning { container: self.id.to_string() })
    }

    /// containerd's convention: the answer is a `DeleteResponse` on standard output.
    async fn delete(&self) -> Result<DeleteResponse, String> {
        let mut command = tokio::process::Command::new(&self.record.program);
        convention(&mut command, &self.namespace, &self.id, &self.bundle, &self.events);
        let output = command
            .arg("delete")
            .stdin(Stdio::null())
            .kill_on_drop(true)
            .output()
            .await
            .map_err(|error| error.to_string())?;
        if !output.status.success() {
            return Err(format!("{}: {}", output.status, String::from_utf8_lossy(&output.stderr).trim()));
        }
        DeleteResponse::parse_from_bytes(&output.stdout).map_err(|error| error.to_string())
    }
}

/// The arguments, environment and directory that containerd gives a shim's program.
pub(crate) fn convention(
    command: &mut tokio::process::Command,
    namespace: &str,
    id: &ContainerId,
    bundle: &Path,
    events: &Path,
) {
    let path = std::env::var_os("PATH").unwrap_or_default();
    command
        .args(["-namespace", namespace, "-id", id.as_str()])
        // The addresses are where a shim publishes its events.
        .arg("-address")
        .arg(events)
        .arg("-bundle")
        .arg(bundle)
        .env_clear()
        .env("PATH", path)
        .env("NAMESPACE", namespace)
        .env("TTRPC_ADDRESS", events)
        .env("GRPC_ADDRESS", events)
        .env("MAX_SHIM_VERSION", "3")
        .current_dir(bundle);
}
