//! What a client sees of an engine, without what differs from run to run.

use serde_json::Value;
use std::collections::BTreeMap;
use std::io;
use tests::TestEngine;

/// All of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct World {
    pub(super) containers: BTreeMap<String, Container>,
    images: Vec<String>,
    networks: Vec<String>,
    volumes: Vec<String>,
}

/// A container.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Container {
    pub(super) status: String,
    code: i64,
    restart: String,
    memory: i64,
    image: String,
    /// Names, and whether it has an address there.
    networks: Vec<(String, bool)>,
    /// How many are led somewhere.
    ports: usize,
    mounts: Vec<(String, String)>,
}

impl Container {
    /// With the other's settings: all but what changes from run to run.
    pub(super) fn but_as(&self, other: &Self) -> Self {
        let Self { status, code, networks, ports, .. } = self.clone();
        Self { status, code, networks, ports, ..other.clone() }
    }
}

/// Asks for everything; an error if no engine answers.
pub(super) fn look(engine: &TestEngine) -> io::Result<World> {
    let get = |path: &str| Ok::<_, io::Error>(engine.try_api("GET", path, None)?.json());
    let listed = get("/containers/json?all=1")?;
    let mut containers = BTreeMap::new();
    for listed in elements(&listed) {
        let name = text(&listed["Names"][0]).trim_start_matches('/').to_owned();
        let inspected = engine.try_api("GET", &format!("/containers/{}/json", text(&listed["Id"])), None)?;
        // It may go by itself meanwhile.
        if inspected.status == 200 {
            containers.insert(name, container(&inspected.json()));
        }
    }
    let images = get("/images/json")?;
    let tags = elements(&images).flat_map(|image| elements(&image["RepoTags"]).map(text));
    let (networks, volumes) = (get("/networks")?, get("/volumes")?);
    Ok(World {
        containers,
        images: sorted(tags),
        networks: sorted(elements(&networks).map(|network| text(&network["Name"]))),
        volumes: sorted(elements(&volumes["Volumes"]).map(|volume| volume_name(&volume["Name"]))),
    })
}

fn container(inspected: &Value) -> Container {
    let networks = inspected["NetworkSettings"]["Networks"].as_object().into_iter().flatten();
    let ports = inspected["NetworkSettings"]["Ports"].as_object().into_iter().flatten();
    let mut networks: Vec<_> =
        networks.map(|(name, endpoint)| (name.clone(), endpoint["IPAddress"] != "")).collect();
    networks.sort();
    let mut mounts: Vec<_> = elements(&inspected["Mounts"])
        .map(|mount| (volume_name(&mount["Name"]), text(&mount["Destination"])))
        .collect();
    mounts.sort();
    Container {
        status: text(&inspected["State"]["Status"]),
        code: inspected["State"]["ExitCode"].as_i64().unwrap_or(-1),
        restart: text(&inspected["HostConfig"]["RestartPolicy"]["Name"]),
        memory: inspected["HostConfig"]["Memory"].as_i64().unwrap_or(-1),
        image: text(&inspected["Config"]["Image"]),
        networks,
        ports: ports.filter(|(_, bindings)| elements(bindings).next().is_some()).count(),
        mounts,
    }
}

/// One that nobody named is like another.
fn volume_name(name: &Value) -> String {
    let name = text(name);
    if name.len() == 64 { "anonymous".to_owned() } else { name }
}

fn elements(array: &Value) -> impl Iterator<Item = &Value> {
    array.as_array().into_iter().flatten()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn sorted(names: impl Iterator<Item = String>) -> Vec<String> {
    let mut names: Vec<_> = names.collect();
    names.sort();
    names
}
