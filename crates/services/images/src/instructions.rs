//! Dockerfile instructions that change an image's config, as `import --change` and `commit --change` take them.

mod words;

use crate::{ImageError, Result};
use oci::{Empty, Healthcheck, RunConfig};
use words::{expand, pairs, split};

/// Instructions that make sense without a build.
const ALLOWED: &[&str] = &[
    "CMD",
    "ENTRYPOINT",
    "ENV",
    "EXPOSE",
    "HEALTHCHECK",
    "LABEL",
    "ONBUILD",
    "STOPSIGNAL",
    "USER",
    "VOLUME",
    "WORKDIR",
];

/// Applies one instruction. Variables are replaced from the environment that the config has by then.
pub(crate) fn apply(config: &mut RunConfig, line: &str) -> Result<()> {
    let line = line.trim();
    let (word, rest) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
    let upper = word.to_ascii_uppercase();
    let Some(instruction) = ALLOWED.iter().find(|known| **known == upper) else {
        return Err(ImageError::NotAChange { instruction: word.to_owned() });
    };
    let rest = rest.trim();
    let wrong = |reason| ImageError::BadChange { instruction, reason };
    if rest.is_empty() {
        return Err(wrong("requires at least one argument"));
    }
    set(config, instruction, rest).map_err(wrong)
}

fn set(config: &mut RunConfig, instruction: &str, rest: &str) -> Result<(), &'static str> {
    match instruction {
        "CMD" => config.cmd = Some(command(config, rest)),
        "ENTRYPOINT" => config.entrypoint = Some(command(config, rest)),
        "ENV" => {
            for (key, value) in pairs(rest, &config.env)? {
                set_env(&mut config.env, &key, &value);
            }
        }
        "LABEL" => config.labels.extend(pairs(rest, &config.env)?),
        "EXPOSE" => {
            for word in split(rest, &config.env)? {
                config.exposed_ports.extend(ports(&word)?.into_iter().map(|port| (port, Empty {})));
            }
        }
        "VOLUME" => {
            let paths = match json(rest) {
                Some(paths) => paths,
                None => split(rest, &config.env)?,
            };
            if paths.iter().any(String::is_empty) {
                return Err("specified volume can not be an empty string");
            }
            config.volumes.extend(paths.into_iter().map(|path| (path, Empty {})));
        }
        "USER" => config.user = one(rest, &config.env)?,
        "STOPSIGNAL" => config.stop_signal = one(rest, &config.env)?,
        "WORKDIR" => config.working_dir = resolve(&config.working_dir, &expand(rest, &config.env)?),
        "HEALTHCHECK" => config.healthcheck = Some(healthcheck(rest)?),
        _ => config.on_build.push(trigger(rest)?),
    }
    Ok(())
}

/// The JSON form is the argument vector itself; the shell form runs in the image's shell.
fn command(config: &RunConfig, rest: &str) -> Vec<String> {
    json(rest).unwrap_or_else(|| {
        let default = ["/bin/sh".to_owned(), "-c".to_owned()];
        let shell = if config.shell.is_empty() { &default[..] } else { &config.shell[..] };
        shell.iter().cloned().chain([rest.to_owned()]).collect()
    })
}

fn json(rest: &str) -> Option<Vec<String>> {
    serde_json::from_str(rest).ok()
}

fn one(rest: &str, env: &[String]) -> Result<String, &'static str> {
    let mut words = split(rest, env)?;
    match (words.pop(), words.is_empty()) {
        (Some(word), true) => Ok(word),
        _ => Err("requires exactly one argument"),
    }
}

/// Later values replace earlier ones in their place.
fn set_env(env: &mut Vec<String>, key: &str, value: &str) {
    let line = format!("{key}={value}");
    match env.iter_mut().find(|line| line.split_once('=').is_some_and(|(name, _)| name == key)) {
        Some(found) => *found = line,
        None => env.push(line),
    }
}

/// `80`, `80/udp`, `8000-8002/tcp`.
fn ports(word: &str) -> Result<Vec<String>, &'static str> {
    let (range, protocol) = word.split_once('/').unwrap_or((word, "tcp"));
    let protocol = protocol.to_ascii_lowercase();
    if !matches!(protocol.as_str(), "tcp" | "udp" | "sctp") {
        return Err("names an unknown protocol");
    }
    let (first, last) = range.split_once('-').unwrap_or((range, range));
    let port = |text: &str| text.parse::<u16>().map_err(|_| "names an invalid port");
    let (first, last) = (port(first)?, port(last)?);
    if first > last {
        return Err("names a range of ports that ends before it begins");
    }
    Ok((first..=last).map(|port| format!("{port}/{protocol}")).collect())
}

/// A relative directory is one below the directory set before.
fn resolve(before: &str, path: &str) -> String {
    let joined = if path.starts_with('/') { path.to_owned() } else { format!("/{before}/{path}") };
    let mut parts = Vec::new();
    for part in joined.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    format!("/{}", parts.join("/"))
}

fn healthcheck(rest: &str) -> Result<Healthcheck, &'static str> {
    let (mut check, mut rest) = (Healthcheck::default(), rest);
    while let Some(flag) = rest.strip_prefix("--") {
        let (flag, after) = flag.split_once(char::is_whitespace).unwrap_or((flag, ""));
        let (name, value) = flag.split_once('=').ok_or("has a flag without a value")?;
        match name {
            "interval" => check.interval = duration(value)?,
            "timeout" => check.timeout = duration(value)?,
            "start-period" => check.start_period = duration(value)?,
            "start-interval" => check.start_interval = duration(value)?,
            "retries" => check.retries = value.parse().map_err(|_| "has retries that are no number")?,
            _ => return Err("has an unknown flag"),
        }
        rest = after.trim_start();
    }
    let (kind, command) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
    check.test = match kind.to_ascii_uppercase().as_str() {
        "NONE" if command.trim().is_empty() => vec!["NONE".to_owned()],
        "NONE" => return Err("NONE takes no arguments"),
        "CMD" if command.trim().is_empty() => return Err("is missing a command after CMD"),
        "CMD" => match json(command.trim()) {
            Some(args) => ["CMD".to_owned()].into_iter().chain(args).collect(),
            None => vec!["CMD-SHELL".to_owned(), command.trim().to_owned()],
        },
        _ => return Err("needs CMD or NONE"),
    };
    Ok(check)
}

/// Go's durations: `1m30s`, `500ms`. In nanoseconds.
fn duration(text: &str) -> Result<i64, &'static str> {
    const ERROR: &str = "has a malformed duration";
    let (mut rest, mut total) = (text, 0.0);
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.').ok_or(ERROR)?;
        let (number, after) = rest.split_at(digits);
        let end = after.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(after.len());
        let (unit, next) = after.split_at(end);
        let scale = match unit {
            "ns" => 1.0,
            "us" | "µs" => 1e3,
            "ms" => 1e6,
            "s" => 1e9,
            "m" => 6e10,
            "h" => 3.6e12,
            _ => return Err(ERROR),
        };
        total += number.parse::<f64>().map_err(|_| ERROR)? * scale;
        rest = next;
    }
    // Docker refuses what is shorter than a millisecond.
    if (1e6..9e18).contains(&total) { Ok(total as i64) } else { Err("has a duration out of range") }
}

fn trigger(rest: &str) -> Result<String, &'static str> {
    match rest.split_whitespace().next().map(str::to_ascii_uppercase).as_deref() {
        Some("ONBUILD") => Err("chaining ONBUILD via `ONBUILD ONBUILD` isn't allowed"),
        Some("MAINTAINER" | "FROM") => Err("may not hold FROM or MAINTAINER"),
        _ => Ok(rest.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn applied(lines: &[&str]) -> RunConfig {
        let mut config = RunConfig::default();
        lines.iter().for_each(|line| apply(&mut config, line).unwrap());
        config
    }

    #[test]
    fn every_instruction_sets_its_field() {
        let config = applied(&[
            r#"CMD ["a", "b c"]"#,
            "entrypoint run me",
            "ENV A=1 B=\"x y\" C='$A' D=$A-${A}-${Z:-z}",
            "ENV A 2 3",
            "LABEL k=v \"other key\"=w",
            "EXPOSE 80 53/UDP 8000-8002",
            "VOLUME /data /more",
            "USER app:app",
            "STOPSIGNAL SIGQUIT",
            "WORKDIR /srv",
            "WORKDIR app/../web",
            "HEALTHCHECK --interval=1m30s --retries=3 CMD curl -f localhost",
            "ONBUILD RUN make",
        ]);
        assert_eq!(config.cmd.unwrap(), ["a", "b c"]);
        assert_eq!(config.entrypoint.unwrap(), ["/bin/sh", "-c", "run me"]);
        assert_eq!(config.env, ["A=2 3", "B=x y", "C=$A", "D=--z"]);
        assert_eq!(config.labels["other key"], "w");
        let ports: Vec<_> = config.exposed_ports.keys().map(String::as_str).collect();
        assert_eq!(ports, ["53/udp", "80/tcp", "8000/tcp", "8001/tcp", "8002/tcp"]);
        assert_eq!(config.volumes.len(), 2);
        assert_eq!((config.user.as_str(), config.stop_signal.as_str()), ("app:app", "SIGQUIT"));
        assert_eq!(config.working_dir, "/srv/web");
        let check = config.healthcheck.unwrap();
        assert_eq!(check.test, ["CMD-SHELL", "curl -f localhost"]);
        assert_eq!((check.interval, check.retries), (90_000_000_000, 3));
        assert_eq!(config.on_build, ["RUN make"]);
    }

    #[test]
    fn what_is_no_change_is_refused() {
        for (line, error) in [
            ("FROM x", "FROM is not a valid change command"),
            ("RUN x", "RUN is not a valid change command"),
            ("", " is not a valid change command"),
            ("ENV", "ENV requires at least one argument"),
            ("EXPOSE x", "EXPOSE names an invalid port"),
            ("EXPOSE 9-8", "EXPOSE names a range of ports that ends before it begins"),
            ("HEALTHCHECK x", "HEALTHCHECK needs CMD or NONE"),
            ("HEALTHCHECK --interval=1 CMD x", "HEALTHCHECK has a malformed duration"),
            ("ENV A=\"x", "ENV has a quotation that doesn't end"),
            ("USER a b", "USER requires exactly one argument"),
        ] {
            let found = apply(&mut RunConfig::default(), line).unwrap_err().to_string();
            assert_eq!(found, error, "{line}");
        }
    }
}
