//! `container-runtime registry user add`

use super::options::AddUser;
use super::told;
use anyhow::{Context, Result, ensure};
use docker_cli::Invocation;
use durable::Sync;
use std::io::Read;
use std::process::ExitCode;

/// Writes the user's line, in place of an older one.
pub(crate) fn run(invocation: &Invocation) -> ExitCode {
    crate::own::succeed(invocation, "registry user add", |options: &AddUser| {
        let mut password = String::new();
        std::io::stdin().read_to_string(&mut password).context("read the password")?;
        add(options, password.trim_end_matches(['\n', '\r']))
    })
}

fn add(options: &AddUser, password: &str) -> Result<()> {
    ensure!(!password.is_empty(), "write the password to standard input");
    let line = registry_api::htpasswd_line(&options.name, password).map_err(told)?;
    let old = durable::read_optional(&options.htpasswd)?.unwrap_or_default();
    let old = String::from_utf8(old).context("the file of users is no text")?;
    let others = old.lines().filter(|one| one.split(':').next() != Some(options.name.as_str()));
    let mut text: String = others.map(|one| format!("{one}\n")).collect();
    text.push_str(&line);
    durable::write_atomic_mode(&options.htpasswd, text.as_bytes(), 0o600, Sync::FileAndDir)?;
    Ok(())
}
