//! `--security-opt`: what the client reads or decides itself before the daemon sees it.

use super::env;

/// The options for the daemon, and whether `systempaths=unconfined` asked for nothing to be masked.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Security {
    pub(crate) options: Vec<String>,
    pub(crate) unmasked: bool,
}

/// Checks the forms and replaces the path of a seccomp profile by the profile.
pub(crate) fn parse(options: &[String]) -> Result<Security, String> {
    let mut security = Security::default();
    for option in options {
        let pair = match option.split_once('=') {
            None if option == "no-new-privileges" => None,
            None => option.split_once(':'),
            pair => pair,
        };
        match pair {
            None if option != "no-new-privileges" => {
                return Err(format!("Invalid --security-opt: {option:?}"));
            }
            Some((key, "")) if key != "no-new-privileges" => {
                return Err(format!("Invalid --security-opt: {option:?}"));
            }
            Some(("seccomp", path)) if !matches!(path, "builtin" | "unconfined") => {
                security.options.push(format!("seccomp={}", profile(path)?));
            }
            _ if option == "systempaths=unconfined" => security.unmasked = true,
            _ => security.options.push(option.clone()),
        }
    }
    Ok(security)
}

/// Capabilities under their full names, each once and sorted; `ALL` stands for itself and all others.
pub(crate) fn capabilities(names: &[String]) -> Vec<String> {
    let mut full: Vec<String> = names
        .iter()
        .map(|name| name.trim().to_ascii_uppercase())
        .map(|name| if name == "ALL" || name.starts_with("CAP_") { name } else { format!("CAP_{name}") })
        .collect();
    if full.iter().any(|name| name == "ALL") {
        return vec!["ALL".to_owned()];
    }
    full.sort();
    full.dedup();
    full
}

/// The compacted JSON of a profile's file.
fn profile(path: &str) -> Result<String, String> {
    let text = std::fs::read(path).map_err(|error| {
        format!("opening seccomp profile ({path}) failed: open {path}: {}", env::reason(&error))
    })?;
    // The daemon reads it; only its being JSON matters here, and the order of its keys stays.
    let value: crate::template::Value = serde_json::from_slice(&text)
        .map_err(|error| format!("compacting json for seccomp profile ({path}) failed: {error}"))?;
    Ok(value.to_json())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn capabilities_get_their_full_names() {
        let names = ["net_admin", "CAP_SYS_TIME", "NET_ADMIN"].map(str::to_owned);
        assert_eq!(capabilities(&names), ["CAP_NET_ADMIN", "CAP_SYS_TIME"]);
        assert_eq!(capabilities(&["chown".to_owned(), "all".to_owned()]), ["ALL"]);
    }

    #[test]
    fn options() {
        let parse = |text: &str| parse(&[text.to_owned()]);
        assert_eq!(parse("no-new-privileges").unwrap().options, ["no-new-privileges"]);
        assert!(parse("systempaths=unconfined").unwrap().unmasked);
        assert_eq!(parse("seccomp=unconfined").unwrap().options, ["seccomp=unconfined"]);
        assert_eq!(parse("label:disable").unwrap().options, ["label:disable"]);
        assert_eq!(parse("foo").unwrap_err(), "Invalid --security-opt: \"foo\"");
        assert_eq!(
            parse("seccomp=/nope").unwrap_err(),
            "opening seccomp profile (/nope) failed: open /nope: no such file or directory"
        );
    }
}
