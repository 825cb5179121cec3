//! One source of settings, as values by key: a file, the environment, the flags.

use crate::key::{self, Found, Kind};
use crate::node::{self, Node, NodeValue};
use crate::value::{Sentence, from_node, value_of};
use crate::{KeyPath, Origin, Place, Problem};
use serde_json::Value;

/// What the environment's variables for settings begin with.
pub const ENVIRONMENT_PREFIX: &str = "CONTAINER_RUNTIME_";

/// The values that one source gives. Null: the key is to be absent, whatever a weaker source says.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Layer {
    pub(crate) values: Vec<(KeyPath, Value, Origin)>,
}

/// The registry of names that say none, of which a mere list of mirrors is.
const NAMELESS: &str = "docker.io";

/// Reads a file, or one of the drop-in directory.
///
/// # Errors
/// Everything that is wrong with it, each with its place.
pub fn from_file(name: &str, text: &str, drop_in: bool) -> Result<Layer, Vec<Problem>> {
    let origin = |line: usize, column: usize| {
        let place = Place { file: name.to_owned(), line, column };
        if drop_in { Origin::DropIn(place) } else { Origin::File(place) }
    };
    let document = node::parse(text).map_err(|error| {
        let origin = origin(error.line, error.column);
        vec![Problem { origin, key: KeyPath::root(), message: error.message }]
    })?;
    let mut reading = Reading { origin: &origin, layer: Layer::default(), problems: Vec::new() };
    if let Some(root) = &document.root {
        reading.section(&KeyPath::root(), root);
    }
    reading.end()
}

/// Reads those of the variables that name settings: `CONTAINER_RUNTIME_NETWORK__IP_RANGE`.
///
/// # Errors
/// A variable with two underscores in a row whose name is no key, or whose value can't be.
pub fn from_environment(
    variables: impl IntoIterator<Item = (String, String)>,
) -> Result<Layer, Vec<Problem>> {
    let ours = variables.into_iter().filter_map(|(name, value)| {
        let key = name.strip_prefix(ENVIRONMENT_PREFIX).filter(|rest| rest.contains("__"))?;
        let path = KeyPath::of(key.split("__").map(str::to_ascii_lowercase));
        Some((path, value, Origin::Environment(name)))
    });
    from_words(ours)
}

/// Reads flags: key, value, and the flag's name.
///
/// # Errors
/// A value that can't be.
pub fn from_flags<'a>(
    flags: impl IntoIterator<Item = (&'a str, String, &'a str)>,
) -> Result<Layer, Vec<Problem>> {
    let flags = flags
        .into_iter()
        .map(|(key, value, name)| (KeyPath::dotted(key), value, Origin::Flag(name.to_owned())));
    from_words(flags)
}

fn from_words(words: impl Iterator<Item = (KeyPath, String, Origin)>) -> Result<Layer, Vec<Problem>> {
    let (mut layer, mut problems) = (Layer::default(), Vec::new());
    for (path, text, origin) in words {
        match from_word(&path, &text, &origin) {
            Ok(values) => layer.values.extend(values.values),
            Err(more) => problems.extend(more),
        }
    }
    if problems.is_empty() { Ok(layer) } else { Err(problems) }
}

/// The value of one key, written as a word.
fn from_word(path: &KeyPath, text: &str, origin: &Origin) -> Result<Layer, Vec<Problem>> {
    let the_same = |_: usize, _: usize| origin.clone();
    let mut reading = Reading { origin: &the_same, layer: Layer::default(), problems: Vec::new() };
    match value_of(path, text) {
        Ok(node) => reading.value(path, &node),
        Err(message) => reading.problem(path, origin.clone(), message),
    }
    reading.end()
}

/// Why a path is no key.
pub(crate) fn unknown(path: &KeyPath) -> String {
    if matches!(key::find(path), Found::Section) {
        return format!("it is a section: name one of its keys, {}", names(path));
    }
    if let Some(meant) = key::meant(path) {
        return format!("there is no such key: did you mean {meant}?");
    }
    let parts = path.parts();
    let known = (0..parts.len()).rev().map(|length| KeyPath::of(&parts[..length]));
    let section = known.into_iter().find(|section| matches!(key::find(section), Found::Section));
    let section = section.unwrap_or_default();
    let what =
        if section.parts().is_empty() { "the sections are".to_owned() } else { format!("{section} has") };
    format!("there is no such key: {what} {}", names(&section))
}

fn names(section: &KeyPath) -> String {
    let names = key::names_in(section);
    match names.as_slice() {
        [] => "none yet".to_owned(),
        names => names.join(", "),
    }
}

struct Reading<'a> {
    origin: &'a dyn Fn(usize, usize) -> Origin,
    layer: Layer,
    problems: Vec<Problem>,
}

impl Reading<'_> {
    fn end(self) -> Result<Layer, Vec<Problem>> {
        if self.problems.is_empty() { Ok(self.layer) } else { Err(self.problems) }
    }

    fn problem(&mut self, key: &KeyPath, origin: Origin, message: String) {
        self.problems.push(Problem { origin, key: key.clone(), message });
    }

    fn at(&self, node: &Node) -> Origin {
        (self.origin)(node.line, node.column)
    }

    fn section(&mut self, path: &KeyPath, node: &Node) {
        // With all its lines commented out.
        if node.is_null() {
            return;
        }
        let NodeValue::Map { entries, .. } = &node.value else {
            let what =
                if path.parts().is_empty() { "the settings are".to_owned() } else { "it is".to_owned() };
            let message = format!("{what} a section: write keys below it, {}", names(path));
            return self.problem(path, self.at(node), message);
        };
        for (name, value) in entries {
            let child = path.child(name.text().unwrap_or_default());
            match key::find(&child) {
                Found::Key(_) | Found::Named(_) => self.value(&child, value),
                Found::Section => self.section(&child, value),
                Found::Unknown => self.problem(&child, self.at(name), unknown(&child)),
            }
        }
    }

    fn value(&mut self, path: &KeyPath, node: &Node) {
        let found = key::find(path);
        let Some(kind) = found.kind() else { return };
        match (&kind, &node.value) {
            (Kind::Map(_) | Kind::Mirrors, _) if node.is_null() => {}
            (Kind::Mirrors, NodeValue::List { .. }) => self.value(&path.child(NAMELESS), node),
            (Kind::Map(_) | Kind::Mirrors, NodeValue::Map { entries, .. }) => {
                for (name, value) in entries {
                    self.value(&path.child(name.text().unwrap_or_default()), value);
                }
            }
            _ if node.is_null() && found.may_be_absent() => self.keep(path, Value::Null, node),
            (Kind::List(_), _) if node.is_null() => self.keep(path, Value::Array(Vec::new()), node),
            _ if node.is_null() => {
                self.problem(
                    path,
                    self.at(node),
                    "it is empty: write a value, or take the line out".to_owned(),
                );
            }
            _ => match from_node(kind, node) {
                Ok(value) => self.keep(path, value, node),
                Err((Sentence(message), line, column)) => {
                    self.problem(path, (self.origin)(line, column), message);
                }
            },
        }
    }

    fn keep(&mut self, path: &KeyPath, value: Value, node: &Node) {
        self.layer.values.push((path.clone(), value, self.at(node)));
    }
}
