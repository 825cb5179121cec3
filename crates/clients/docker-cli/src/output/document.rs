//! `inspect` of any noun: the daemon's documents, indented, compact or through a template.

use super::format::parsing_error;
use crate::failure::{Errors, Failure, Outcome};
use crate::template::{HIDDEN, Kind, Template, Value};
use bytes::Bytes;

/// Objects that are maps, by the name of the field that holds them: they print as `map[…]`, and asking a map for
/// a key that it lacks is no error of the template's author.
const MAPS: [&str; 24] = [
    "Annotations",
    "AuxiliaryAddresses",
    "Config",
    "Containers",
    "Data",
    "DriverOpts",
    "ExposedPorts",
    "HostConfigSysctls",
    "Labels",
    "Networks",
    "Options",
    "PortBindings",
    "Ports",
    "StorageOpt",
    "Sysctls",
    "Tmpfs",
    "Volumes",
    "Status",
    "Metadata",
    "ImageManifestDescriptorAnnotations",
    "annotations",
    "Runtimes",
    "Services",
    "IndexConfigs",
];

/// Fields that the daemon leaves out of the document when they are empty, by the object they belong to, with what
/// a template then sees: so `{{if .State.Health}}` works for containers without a health check.
const OMITTED: &[(&str, &[(&str, Zero)])] = &[
    ("State", &[("Health", Zero::Nil)]),
    (
        "Config",
        &[
            ("ExposedPorts", Zero::Map),
            ("Healthcheck", Zero::Nil),
            ("MacAddress", Zero::Text),
            ("NetworkDisabled", Zero::False),
            ("OnBuild", Zero::List),
            ("Shell", Zero::List),
            ("StopSignal", Zero::Text),
            ("StopTimeout", Zero::Nil),
            ("ArgsEscaped", Zero::False),
        ],
    ),
    (
        "HostConfig",
        &[
            ("Annotations", Zero::Map),
            ("Init", Zero::Nil),
            ("Mounts", Zero::List),
            ("StorageOpt", Zero::Map),
            ("Sysctls", Zero::Map),
            ("Tmpfs", Zero::Map),
        ],
    ),
    ("", &[("SizeRw", Zero::Nil), ("SizeRootFs", Zero::Nil), ("UsageData", Zero::Nil)]),
];

/// The value of a field that was left out.
#[derive(Debug, Clone, Copy)]
enum Zero {
    Nil,
    Text,
    False,
    List,
    Map,
}

/// Fields that are lists or maps in Go and print so even where the document says null.
const NULL_LISTS: [&str; 21] = [
    "Binds",
    "BlkioDeviceReadBps",
    "BlkioDeviceReadIOps",
    "BlkioDeviceWriteBps",
    "BlkioDeviceWriteIOps",
    "BlkioWeightDevice",
    "CapAdd",
    "CapDrop",
    "Cmd",
    "DeviceCgroupRules",
    "DeviceRequests",
    "Devices",
    "Dns",
    "Entrypoint",
    "Env",
    "ExecIDs",
    "ExtraHosts",
    "GroupAdd",
    "Links",
    "OnBuild",
    "Ulimits",
];
const NULL_MAPS: [&str; 5] = ["Labels", "Volumes", "ExposedPorts", "Options", "PortBindings"];

/// How documents are to be printed.
#[derive(Debug)]
pub(crate) enum Inspector {
    Indented,
    Compact,
    Template(Template),
}

impl Inspector {
    /// Fetches each name's document and prints them all; what failed is told in the end.
    pub(crate) async fn run(&self, names: &[String], fetch: impl AsyncFn(&str) -> Outcome<Bytes>) -> Outcome {
        let mut errors = Errors::default();
        let mut documents = Vec::new();
        let mut rendered = String::new();
        for name in names {
            let Some(bytes) = errors.note(fetch(name).await) else { continue };
            match self {
                Self::Template(template) => {
                    if let Some(text) = errors.note(render(template, &bytes)) {
                        rendered.push_str(&text);
                        rendered.push('\n');
                    }
                }
                _ => documents.push(serde_json::from_slice::<Value>(&bytes)?),
            }
        }
        let text = match self {
            Self::Template(_) if rendered.is_empty() => "\n".to_owned(),
            Self::Template(_) => rendered,
            _ if documents.is_empty() => "[]\n".to_owned(),
            Self::Compact => Value::List(documents).to_json() + "\n",
            Self::Indented => indented(&Value::List(documents))? + "\n",
        };
        super::stdout(&text)?;
        errors.finish()
    }
}

/// Four blanks a level, as docker indents.
pub(crate) fn indented(value: &Value) -> Outcome<String> {
    let mut out = Vec::new();
    let formatter = serde_json::ser::PrettyFormatter::with_indent(b"    ");
    serde::Serialize::serialize(value, &mut serde_json::Serializer::with_formatter(&mut out, formatter))?;
    String::from_utf8(out).map_err(|_| Failure::new("the document is not UTF-8"))
}

fn render(template: &Template, bytes: &[u8]) -> Outcome<String> {
    let mut raw: Value = serde_json::from_slice(bytes)?;
    let mut typed = raw.clone();
    typed.mark_maps(&MAPS);
    complete(&mut typed);
    let mut out = String::new();
    // First as the typed document with its zero values; then as it came, whose errors are the ones to show.
    if template.render(&typed, &mut out).is_ok() {
        return Ok(out);
    }
    out.clear();
    raw.untype();
    template.render(&raw, &mut out).map_err(|error| parsing_error(&error))?;
    Ok(out)
}

/// Adds what was left out and turns null lists and maps into empty ones.
fn complete(document: &mut Value) {
    for (object, fields) in OMITTED {
        let target = if object.is_empty() { Some(&mut *document) } else { document.get_mut(object) };
        if let Some(Value::Object(kind, present)) = target {
            // `Config` of a container is a struct, whatever the same name means elsewhere.
            *kind = Kind::Struct("");
            for (name, zero) in *fields {
                if !present.iter().any(|(key, _)| key == name) {
                    present.push((format!("{HIDDEN}{name}").into(), zero_value(*zero)));
                }
            }
        }
    }
    fill_nulls(document);
}

fn zero_value(zero: Zero) -> Value {
    match zero {
        Zero::Nil => Value::Nil,
        Zero::Text => Value::from(""),
        Zero::False => Value::Bool(false),
        Zero::List => Value::List(Vec::new()),
        Zero::Map => Value::Object(Kind::Map, Vec::new()),
    }
}

fn fill_nulls(value: &mut Value) {
    match value {
        Value::List(items) => items.iter_mut().for_each(fill_nulls),
        Value::Object(_, fields) => {
            for (key, value) in fields {
                if !matches!(value, Value::Null) {
                    fill_nulls(value);
                } else if NULL_LISTS.contains(&key.as_ref()) {
                    *value = zero_value(Zero::List);
                } else if NULL_MAPS.contains(&key.as_ref()) {
                    *value = zero_value(Zero::Map);
                } else {
                    *value = Value::Nil;
                }
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(template: &str) -> String {
        let document = br#"{"Id":"1","State":{"Running":true},"Config":{"Cmd":null,"Labels":{"a":"b"}},
            "HostConfig":{"Binds":null,"Memory":0}}"#;
        render(&Template::parse(template).unwrap(), document).unwrap_or_else(|failure| failure.message)
    }

    #[test]
    fn what_is_left_out_counts_as_empty() {
        assert_eq!(shown("{{if .State.Health}}h{{else}}none{{end}}"), "none");
        assert_eq!(shown("{{.HostConfig.Binds}} {{.Config.Cmd}} {{.Config.ExposedPorts}}"), "[] [] map[]");
        assert_eq!(shown("{{.Config.Labels}} {{index .Config.Labels \"x\"}}|"), "map[a:b] |");
        assert!(shown("{{.State.Nope}}").ends_with("map has no entry for key \"Nope\""));
    }
}
