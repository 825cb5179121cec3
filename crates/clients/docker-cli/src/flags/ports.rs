//! `-p`, `--publish`, `--expose`: `[[ip:][host]:]container[/proto]`, with ranges.

use serde_json::{Map, Value, json};
use std::net::IpAddr;

/// The ports of a request: exposed ones, and the bindings of the published ones.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Ports {
    pub(crate) exposed: Map<String, Value>,
    pub(crate) bindings: Map<String, Value>,
}

/// Reads all `--publish` and `--expose` values.
pub(crate) fn parse(publish: &[String], expose: &[String]) -> Result<Ports, String> {
    let mut ports = Ports::default();
    for text in publish {
        one(&standard_notation(text)?, &mut ports)?;
    }
    for text in expose {
        if text.contains(':') {
            return Err(format!("invalid port format for --expose: {text}"));
        }
        let (protocol, port) = split_protocol(text);
        let (first, last) =
            range(port).map_err(|why| format!("invalid range format for --expose: {text}, error: {why}"))?;
        for port in first..=last {
            ports.exposed.insert(format!("{port}/{protocol}"), json!({}));
        }
    }
    Ok(ports)
}

/// `target=80,published=8080,protocol=tcp` as `8080:80/tcp`.
fn standard_notation(text: &str) -> Result<String, String> {
    if !text.contains('=') {
        return Ok(text.to_owned());
    }
    let (mut target, mut published, mut protocol) = ("", "", "tcp");
    for field in text.split(',') {
        match field.split_once('=') {
            Some(("target", value)) => target = value,
            Some(("published", value)) => published = value,
            Some(("protocol", value)) => protocol = value,
            Some((key, _)) if !key.is_empty() => {}
            _ => {
                return Err(format!("invalid publish opts format (should be name=value but got '{field}')"));
            }
        }
    }
    Ok(format!("{published}:{target}/{protocol}"))
}

fn split_protocol(text: &str) -> (&str, &str) {
    match text.split_once('/') {
        Some((port, "")) => ("tcp", port),
        Some((port, protocol)) => (protocol, port),
        None => ("tcp", text),
    }
}

fn one(text: &str, ports: &mut Ports) -> Result<(), String> {
    let (head, container) = text.rsplit_once(':').unwrap_or(("", text));
    let (ip, host) = head.rsplit_once(':').unwrap_or(("", head));
    let (protocol, container) = split_protocol(container);
    let address = address(ip)?;
    if container.is_empty() {
        return Err(format!("no port specified: {text}<empty>"));
    }
    let (first, last) = range(container).map_err(|_| format!("invalid containerPort: {container}"))?;
    let host_range = match host {
        "" => None,
        host => Some(range(host).map_err(|_| format!("invalid hostPort: {host}"))?),
    };
    if let Some((low, high)) = host_range
        && high - low != last - first
        && last != first
    {
        return Err(format!("invalid ranges specified for container and host Ports: {container} and {host}"));
    }
    let protocol = protocol.to_ascii_lowercase();
    if !matches!(protocol.as_str(), "tcp" | "udp" | "sctp") {
        return Err(format!("invalid proto: {protocol}"));
    }
    for port in first..=last {
        let host_port = match host_range {
            None => String::new(),
            // One port of the container and a range of the host: any of them.
            Some((low, high)) if first == last && low != high => format!("{low}-{high}"),
            Some((low, _)) => (low + (port - first)).to_string(),
        };
        let key = format!("{port}/{protocol}");
        ports.exposed.insert(key.clone(), json!({}));
        let bindings = ports.bindings.entry(key).or_insert_with(|| json!([]));
        if let Value::Array(bindings) = bindings {
            bindings.push(json!({"HostIp": address, "HostPort": host_port}));
        }
    }
    Ok(())
}

fn address(ip: &str) -> Result<&str, String> {
    let bare = match ip.strip_prefix('[') {
        Some(rest) => rest
            .strip_suffix(']')
            .ok_or_else(|| format!("invalid IP address {ip}: missing ']' in address"))?,
        None => ip,
    };
    if !bare.is_empty() && bare.parse::<IpAddr>().is_err() {
        return Err(format!("invalid IP address: {bare}"));
    }
    Ok(bare)
}

/// `80` or `80-90`.
fn range(text: &str) -> Result<(u16, u16), String> {
    if text.is_empty() {
        return Err("empty string specified for ports".to_owned());
    }
    let number = |text: &str| {
        text.parse::<u16>().map_err(|error| {
            let why = match error.kind() {
                std::num::IntErrorKind::PosOverflow => "value out of range",
                _ => "invalid syntax",
            };
            format!("strconv.ParseUint: parsing {text:?}: {why}")
        })
    };
    let Some((first, last)) = text.split_once('-') else {
        return number(text).map(|port| (port, port));
    };
    let (first, last) = (number(first)?, number(last)?);
    if last < first {
        return Err(format!("invalid range specified for port: {text}"));
    }
    Ok((first, last))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bindings(text: &str) -> Result<Value, String> {
        parse(&[text.to_owned()], &[]).map(|ports| Value::Object(ports.bindings))
    }

    #[test]
    fn published_ports() {
        assert_eq!(bindings("8080:80").unwrap(), json!({"80/tcp": [{"HostIp": "", "HostPort": "8080"}]}));
        assert_eq!(bindings("80").unwrap(), json!({"80/tcp": [{"HostIp": "", "HostPort": ""}]}));
        assert_eq!(
            bindings("127.0.0.1::53/udp").unwrap(),
            json!({"53/udp": [{"HostIp": "127.0.0.1", "HostPort": ""}]})
        );
        assert_eq!(bindings("[::1]:1:2").unwrap(), json!({"2/tcp": [{"HostIp": "::1", "HostPort": "1"}]}));
        assert_eq!(
            bindings("10-11:20-21").unwrap(),
            json!({"20/tcp": [{"HostIp": "", "HostPort": "10"}], "21/tcp": [{"HostIp": "", "HostPort": "11"}]})
        );
        assert_eq!(bindings("10-20:5").unwrap(), json!({"5/tcp": [{"HostIp": "", "HostPort": "10-20"}]}));
        let long = "target=80,published=8080,protocol=udp";
        assert_eq!(bindings(long).unwrap(), json!({"80/udp": [{"HostIp": "", "HostPort": "8080"}]}));
    }

    #[test]
    fn mistakes() {
        for (text, message) in [
            ("abc", "invalid containerPort: abc"),
            ("x:80", "invalid hostPort: x"),
            ("1.2.3:1:2", "invalid IP address: 1.2.3"),
            ("80/foo", "invalid proto: foo"),
            ("1-2:5-9", "invalid ranges specified for container and host Ports: 5-9 and 1-2"),
            ("80:", "no port specified: 80:<empty>"),
        ] {
            assert_eq!(bindings(text).unwrap_err(), message);
        }
        let expose = |text: &str| parse(&[], &[text.to_owned()]);
        assert_eq!(expose("80-82/udp").unwrap().exposed.len(), 3);
        assert_eq!(expose("1:2").unwrap_err(), "invalid port format for --expose: 1:2");
        assert!(expose("x").unwrap_err().starts_with("invalid range format for --expose: x, error: strconv"));
    }
}
