//! Writing credentials to docker's `config.json`, keeping all else that stands there.

use crate::failure::{Failure, Outcome};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

/// Stores what a registry accepted.
pub(crate) fn store(directory: &Path, server: &str, user: &str, password: &str, token: &str) -> Outcome {
    edit(directory, |config| {
        let mut entry = json!({"auth": STANDARD.encode(format!("{user}:{password}"))});
        if !token.is_empty() {
            entry = json!({"auth": STANDARD.encode(format!("{user}:")), "identitytoken": token});
        }
        config["auths"][server] = entry;
        true
    })
    .map(drop)
}

/// Forgets a registry; false when nothing was known of it.
pub(crate) fn erase(directory: &Path, server: &str) -> Outcome<bool> {
    edit(directory, |config| {
        config
            .get_mut("auths")
            .and_then(Value::as_object_mut)
            .is_some_and(|auths| auths.remove(server).is_some())
    })
}

/// Changes the current context; `None` means the default.
pub(crate) fn set_context(directory: &Path, name: Option<&str>) -> Outcome {
    edit(directory, |config| {
        if let Some(config) = config.as_object_mut() {
            match name {
                Some(name) => config.insert("currentContext".to_owned(), json!(name)),
                None => config.remove("currentContext"),
            };
        }
        true
    })
    .map(drop)
}

/// Reads, changes and replaces the file in one step, so that no reader sees half of it.
fn edit(directory: &Path, change: impl FnOnce(&mut Value) -> bool) -> Outcome<bool> {
    let path = directory.join("config.json");
    let failed = |error: std::io::Error| Failure::new(format!("{}: {error}", path.display()));
    let mut config: Value = match fs::read(&path) {
        Ok(bytes) => serde_json::from_slice(&bytes)?,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => json!({}),
        Err(error) => return Err(failed(error)),
    };
    if !change(&mut config) {
        return Ok(false);
    }
    fs::create_dir_all(directory).map_err(failed)?;
    let part = directory.join(format!("config.json.{}", std::process::id()));
    let mut file = OpenOptions::new().create_new(true).write(true).mode(0o600).open(&part).map_err(failed)?;
    file.write_all(serde_json::to_string_pretty(&config)?.as_bytes()).map_err(failed)?;
    fs::rename(&part, &path).map_err(failed)?;
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_come_and_go_and_the_rest_stays() {
        let directory = std::env::temp_dir().join(format!("docker-cli-credentials-{}", std::process::id()));
        fs::create_dir_all(&directory).unwrap();
        fs::write(directory.join("config.json"), r#"{"psFormat":"x"}"#).unwrap();
        store(&directory, "h:5000", "me", "secret", "").unwrap();
        let (config, _) = crate::config::ConfigFile::load(&directory);
        assert_eq!(config.ps_format, "x");
        assert_eq!(STANDARD.decode(&config.auths["h:5000"].auth).unwrap(), b"me:secret");
        assert!(erase(&directory, "h:5000").unwrap());
        assert!(!erase(&directory, "h:5000").unwrap());
        fs::remove_dir_all(&directory).unwrap();
    }
}
