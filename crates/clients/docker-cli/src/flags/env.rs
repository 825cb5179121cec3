//! `-e`, `--env-file`, `--label`, `--label-file`: pairs on the command line and in files.

use spec::SysctlNamespace;
use std::collections::BTreeMap;

/// A variable; without `=` it takes the value from this program's environment, or stays a bare name.
pub(crate) fn variable(text: &str) -> Result<String, String> {
    if !spec::is_variable(text) {
        return Err(format!("invalid environment variable: {text}"));
    }
    if text.contains('=') {
        return Ok(text.to_owned());
    }
    Ok(std::env::var(text).map_or_else(|_| text.to_owned(), |value| format!("{text}={value}")))
}

/// A label: the name must not be empty nor hold blanks.
pub(crate) fn label(text: &str) -> Result<String, String> {
    let key = text.split('=').next().unwrap_or_default().trim_start_matches([' ', '\t']);
    if key.is_empty() {
        return Err(format!("invalid label '{text}': empty name"));
    }
    if key.contains([' ', '\t']) {
        return Err(format!("label '{key}' contains whitespaces"));
    }
    Ok(text.to_owned())
}

/// `--sysctl`: only those that live in a namespace.
pub(crate) fn sysctl(text: &str) -> Result<String, String> {
    match text.split_once('=') {
        Some((key, _)) if SysctlNamespace::of(key).is_some() => Ok(text.to_owned()),
        _ => Err(format!("sysctl '{text}' is not allowed")),
    }
}

/// Pairs as a map; a missing `=` makes an empty value.
pub(crate) fn map(pairs: &[String]) -> BTreeMap<String, String> {
    pairs
        .iter()
        .map(|pair| {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            (key.to_owned(), value.to_owned())
        })
        .collect()
}

/// The lines of files, then `given`. In files of variables a bare name takes its value from the environment
/// or is left out.
pub(crate) fn with_files(files: &[String], given: &[String], variables: bool) -> Result<Vec<String>, String> {
    let mut all = Vec::new();
    for file in files {
        let bytes = std::fs::read(file).map_err(|error| format!("open {file}: {}", reason(&error)))?;
        let lines =
            parse_lines(&bytes, variables).map_err(|why| format!("invalid env file ({file}): {why}"))?;
        all.extend(lines);
    }
    all.extend(given.iter().cloned());
    Ok(all)
}

/// The kernel's words, as Go prints them.
pub(crate) fn reason(error: &std::io::Error) -> String {
    let text = error.to_string();
    let plain = text.split(" (os error").next().unwrap_or(&text);
    plain.to_lowercase()
}

fn parse_lines(bytes: &[u8], variables: bool) -> Result<Vec<String>, String> {
    let mut lines = Vec::new();
    for (index, line) in bytes.split(|byte| *byte == b'\n').enumerate() {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let text = std::str::from_utf8(line)
            .map_err(|_| format!("invalid utf8 bytes at line {}: {line:?}", index + 1))?;
        let text = if index == 0 { text.trim_start_matches('\u{feff}') } else { text }.trim_start();
        if text.is_empty() || text.starts_with('#') {
            continue;
        }
        let (key, value) = text.split_once('=').map_or((text, None), |(key, value)| (key, Some(value)));
        if key.is_empty() {
            return Err(format!("no variable name on line '{text}'"));
        }
        if key.contains([' ', '\t']) {
            return Err(format!("variable '{key}' contains whitespaces"));
        }
        match (value, variables.then(|| std::env::var(key).ok())) {
            (Some(_), _) => lines.push(text.to_owned()),
            (None, Some(Some(value))) => lines.push(format!("{key}={value}")),
            (None, _) => {}
        }
    }
    Ok(lines)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_of_variables() {
        let text = b"\xef\xbb\xbfA=1\r\n# comment\n\n  B=x y \nNOT_SET_ANYWHERE\nPATH\n";
        let lines = parse_lines(text, true).unwrap();
        assert_eq!(lines[..2], ["A=1", "B=x y "]);
        assert!(lines[2].starts_with("PATH=/"), "{lines:?}");
        assert_eq!(parse_lines(b"=x", true).unwrap_err(), "no variable name on line '=x'");
        assert_eq!(parse_lines(b"a b=x", true).unwrap_err(), "variable 'a b' contains whitespaces");
    }

    #[test]
    fn single_values() {
        assert_eq!(variable("=x").unwrap_err(), "invalid environment variable: =x");
        assert_eq!(variable("A="), Ok("A=".to_owned()));
        assert_eq!(label("a b=1").unwrap_err(), "label 'a b' contains whitespaces");
        assert!(sysctl("net.core.somaxconn=1").is_ok());
        assert_eq!(sysctl("vm.x=1").unwrap_err(), "sysctl 'vm.x=1' is not allowed");
    }
}
