//! The ports column of `ps`: runs of ports joined to ranges.

use serde::Deserialize;

/// A port of a container.
#[derive(Debug, Clone, Deserialize, PartialEq, Eq, PartialOrd, Ord)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Port {
    pub(crate) private_port: u16,
    #[serde(default, rename = "IP")]
    pub(crate) ip: String,
    #[serde(default)]
    pub(crate) public_port: u16,
    #[serde(default)]
    pub(crate) r#type: String,
}

struct Run {
    ip: String,
    protocol: String,
    first: u16,
    last: u16,
}

/// `0.0.0.0:8080->80/tcp, 53/udp`.
pub(crate) fn text(ports: &[Port]) -> String {
    let mut sorted = ports.to_vec();
    sorted.sort();
    let mut open: Vec<Run> = Vec::new();
    let mut done: Vec<String> = Vec::new();
    let mut mapped: Vec<String> = Vec::new();
    for port in sorted {
        let private = port.private_port;
        if !port.ip.is_empty() && port.public_port != private {
            mapped.push(format!(
                "{}->{private}/{}",
                join(&port.ip, &port.public_port.to_string()),
                port.r#type
            ));
            continue;
        }
        let same = |run: &&mut Run| run.ip == port.ip && run.protocol == port.r#type;
        match open.iter_mut().find(same) {
            Some(run) if run.last.checked_add(1) == Some(private) => run.last = private,
            Some(run) => {
                done.push(show(run));
                (run.first, run.last) = (private, private);
            }
            None => open.push(Run { ip: port.ip, protocol: port.r#type, first: private, last: private }),
        }
    }
    done.extend(open.iter().map(show));
    done.extend(mapped);
    done.join(", ")
}

fn show(run: &Run) -> String {
    let range =
        if run.first == run.last { run.first.to_string() } else { format!("{}-{}", run.first, run.last) };
    if run.ip.is_empty() {
        return format!("{range}/{}", run.protocol);
    }
    format!("{}->{range}/{}", join(&run.ip, &range), run.protocol)
}

fn join(ip: &str, port: &str) -> String {
    if ip.contains(':') { format!("[{ip}]:{port}") } else { format!("{ip}:{port}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn port(private: u16, public: u16, ip: &str) -> Port {
        Port { private_port: private, ip: ip.to_owned(), public_port: public, r#type: "tcp".to_owned() }
    }

    #[test]
    fn ranges_and_mappings() {
        assert_eq!(text(&[port(81, 0, ""), port(80, 0, ""), port(90, 0, "")]), "80-81/tcp, 90/tcp");
        assert_eq!(
            text(&[port(80, 8080, "0.0.0.0"), port(80, 8080, "::")]),
            "0.0.0.0:8080->80/tcp, [::]:8080->80/tcp"
        );
        let equal = [port(80, 80, "0.0.0.0"), port(81, 81, "0.0.0.0")];
        assert_eq!(text(&equal), "0.0.0.0:80-81->80-81/tcp");
    }
}
