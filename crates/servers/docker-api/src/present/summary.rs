//! A container in a list.

use crate::present::{mounts, network, state};
use crate::translate::wire_mode;
use crate::wire::summary::{ContainerSummary, HostConfigSummary, NetworkSettingsSummary, Port};
use containers::Record;
use engine::container::Summary;
use spec::{ExposedPort, NetworkMode};

/// An element of `GET /containers/json`. `now` is in nanoseconds since 1970.
pub(crate) fn summary(found: &Summary, now: i64) -> ContainerSummary<'_> {
    let record = &found.record;
    let spec = &record.spec;
    ContainerSummary {
        id: record.id.as_str(),
        names: [format!("/{}", record.name)],
        image: &found.image,
        image_id: &record.image.id,
        command: command(&spec.process.args()),
        created: record.created_at / 1_000_000_000,
        ports: ports(record),
        // As Docker does: an empty writable layer has no size.
        size_rw: found.sizes.map(|sizes| sizes.writable).filter(|size| *size != 0),
        size_root_fs: found.sizes.map(|sizes| sizes.total),
        labels: &spec.labels,
        state: record.state.word(),
        status: state::status(&record.state, now),
        host_config: HostConfigSummary {
            network_mode: wire_mode(&spec.network.mode),
            annotations: &spec.annotations,
        },
        network_settings: NetworkSettingsSummary { networks: network::endpoints(record).collect() },
        mounts: record.mounts.iter().map(mounts::mount_point).collect(),
    }
}

/// Arguments with blanks are quoted, without any escaping.
fn command(args: &[String]) -> String {
    let quoted = args
        .iter()
        .enumerate()
        .map(|(index, arg)| if index > 0 && arg.contains(' ') { format!("'{arg}'") } else { arg.clone() });
    quoted.collect::<Vec<_>>().join(" ")
}

fn ports(record: &Record) -> Vec<Port> {
    let shared = matches!(record.spec.network.mode, NetworkMode::Host | NetworkMode::Container(_));
    if shared || !record.state.is_live() {
        return Vec::new();
    }
    let of = |port: ExposedPort| {
        let shown = |ip: String, public_port| Port {
            ip,
            private_port: port.port,
            public_port,
            r#type: port.protocol.as_str(),
        };
        let bound = network::published(record, port);
        let bound: Vec<Port> = bound.map(|(host, number)| shown(host.to_string(), number)).collect();
        if bound.is_empty() { vec![shown(String::new(), 0)] } else { bound }
    };
    record.spec.network.exposed.iter().flat_map(of).collect()
}

#[cfg(test)]
mod tests {
    use super::command;

    #[test]
    fn arguments_with_blanks_are_quoted() {
        let args = ["sh", "-c", "sleep 1"].map(String::from);
        assert_eq!(command(&args), "sh -c 'sleep 1'");
        assert_eq!(command(&[]), "");
    }
}
