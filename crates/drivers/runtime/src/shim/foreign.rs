//! Shims of others, started by containerd's convention: `<program> … start` in the bundle prints the address of the
//! shim that it leaves running.

use crate::error::{Error, Result};
use crate::rpc::Version;
use crate::rpc::connection::Connection;
use crate::shim::lost::convention;
use crate::socket;
use ids::ContainerId;
use serde::Deserialize;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

/// For a shim's `start` command.
const LIMIT: Duration = Duration::from_secs(20);

/// A shim that answers.
pub(crate) struct ForeignShim {
    pub(crate) connection: Connection,
    pub(crate) socket: PathBuf,
    pub(crate) version: Version,
}

/// The program of a shim's name: `io.containerd.runc.v2` is `containerd-shim-runc-v2`, a path is itself.
pub(crate) fn program_of(name: &str) -> PathBuf {
    if name.starts_with('/') {
        return PathBuf::from(name);
    }
    let mut parts = name.rsplit('.');
    match (parts.next(), parts.next()) {
        (Some(version), Some(runtime)) => format!("containerd-shim-{runtime}-{version}").into(),
        _ => PathBuf::from(name),
    }
}

/// Starts a shim and connects to it.
pub(crate) async fn start(
    program: &Path,
    namespace: &str,
    id: &ContainerId,
    bundle: &Path,
    events: &Path,
) -> Result<ForeignShim> {
    let failed = |message: String| Error::Bootstrap { program: program.to_path_buf(), message };
    let mut command = tokio::process::Command::new(program);
    convention(&mut command, namespace, id, bundle, events);
    command.arg("start").stdin(Stdio::null()).kill_on_drop(true);
    let output = tokio::time::timeout(LIMIT, command.output())
        .await
        .map_err(|_| failed(format!("no answer within {LIMIT:?}")))?
        .map_err(|cause| Error::Spawn { program: program.to_path_buf(), cause })?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        return Err(failed(format!("{}: {}", output.status, said.trim())));
    }
    let answer = String::from_utf8_lossy(&output.stdout);
    let (socket, version) = parse(answer.trim()).map_err(failed)?;
    let stream = socket::connect(&socket).map_err(|cause| Error::File {
        action: "connect to",
        path: socket.clone(),
        cause,
    })?;
    Ok(ForeignShim { connection: Connection::new(stream), socket, version })
}

/// What newer shims print.
#[derive(Deserialize)]
struct Bootstrap {
    version: u32,
    address: String,
    protocol: String,
}

/// Either JSON or the bare address of a version 2 shim.
fn parse(answer: &str) -> Result<(PathBuf, Version), String> {
    let bootstrap = if answer.starts_with('{') {
        serde_json::from_str(answer).map_err(|error| format!("unintelligible answer {answer:?}: {error}"))?
    } else {
        Bootstrap { version: 2, address: answer.to_owned(), protocol: "ttrpc".to_owned() }
    };
    if bootstrap.protocol != "ttrpc" {
        return Err(format!("it speaks {}, only ttrpc is supported", bootstrap.protocol));
    }
    let version = match bootstrap.version {
        2 => Version::V2,
        3 => Version::V3,
        other => return Err(format!("it speaks version {other} of the shim protocol, known are 2 and 3")),
    };
    let path = bootstrap.address.strip_prefix("unix://").unwrap_or(&bootstrap.address);
    if !path.starts_with('/') {
        return Err(format!("its address {:?} is not a unix socket", bootstrap.address));
    }
    Ok((PathBuf::from(path), version))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_stand_for_programs() {
        for (name, program) in [
            ("io.containerd.runc.v2", "containerd-shim-runc-v2"),
            ("io.containerd.kata.v2", "containerd-shim-kata-v2"),
            ("/opt/shim", "/opt/shim"),
        ] {
            assert_eq!(program_of(name), Path::new(program));
        }
    }

    #[test]
    fn both_forms_of_answers_are_understood() {
        let path = PathBuf::from("/run/s");
        assert_eq!(parse("unix:///run/s"), Ok((path.clone(), Version::V2)));
        let json = r#"{"version":3,"address":"unix:///run/s","protocol":"ttrpc"}"#;
        assert_eq!(parse(json), Ok((path, Version::V3)));
        for bad in [
            "",
            "tcp://1.2.3.4",
            "{}",
            r#"{"version":3,"address":"unix:///s","protocol":"grpc"}"#,
            r#"{"version":9,"address":"unix:///s","protocol":"ttrpc"}"#,
        ] {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }
}
