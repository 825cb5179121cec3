//! Docker's `certs.d`: in a directory of the host's name, `*.crt` are authorities, `*.cert` and `*.key` the client's.

use super::Connection;
use crate::{RegistryError, Result};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

pub(super) fn of(directories: &[PathBuf], host: &str) -> Result<Connection> {
    let mut connection = Connection::default();
    for directory in directories {
        add(&mut connection, &directory.join(host))?;
    }
    Ok(connection)
}

fn add(connection: &mut Connection, directory: &Path) -> Result<()> {
    let unreadable = |source| RegistryError::Unreadable { path: directory.to_owned(), source };
    let entries = match fs::read_dir(directory) {
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
            return Ok(());
        }
        other => other.map_err(unreadable)?,
    };
    let mut paths = Vec::new();
    for entry in entries {
        paths.push(entry.map_err(unreadable)?.path());
    }
    paths.sort();
    let extension = |path: &Path, wanted: &str| path.extension().is_some_and(|extension| extension == wanted);
    for path in &paths {
        if extension(path, "crt") {
            connection.authorities.push(path.clone());
        } else if extension(path, "cert") {
            let key = path.with_extension("key");
            if !key.exists() {
                let reason = format!("there is no {} for this client certificate", key.display());
                return Err(RegistryError::BadConfig { path: path.clone(), reason });
            }
            connection.identities.push((path.clone(), key));
        }
    }
    Ok(())
}
