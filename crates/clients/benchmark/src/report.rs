//! The figures, as JSON and as a table.

use crate::options::Options;
use crate::statistics::Summary;
use crate::target::Target;
use anyhow::Result;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// Everything that was measured.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    engines: BTreeMap<String, Engine>,
    containers: usize,
    concurrent: usize,
    rounds: usize,
    host: Host,
    notes: Vec<String>,
}

#[derive(Debug, Clone, Default, Serialize)]
struct Engine {
    address: String,
    /// Milliseconds.
    latency_ms: BTreeMap<String, Summary>,
    throughput: BTreeMap<String, f64>,
    memory_bytes: BTreeMap<String, u64>,
}

#[derive(Debug, Clone, Serialize)]
struct Host {
    kernel: String,
    cpus: usize,
}

impl Report {
    pub(crate) async fn new(options: &Options, targets: &[Target]) -> Result<Self> {
        let engine = |target: &Target| Engine { address: target.address.clone(), ..Engine::default() };
        Ok(Self {
            engines: targets.iter().map(|target| (target.name.clone(), engine(target))).collect(),
            containers: options.containers,
            concurrent: options.concurrent,
            rounds: options.rounds,
            host: Host {
                kernel: rustix::system::uname().release().to_string_lossy().into_owned(),
                cpus: std::thread::available_parallelism().map_or(1, usize::from),
            },
            notes: Vec::new(),
        })
    }

    fn engine(&mut self, name: &str) -> &mut Engine {
        self.engines.entry(name.to_owned()).or_default()
    }

    pub(crate) fn latency(&mut self, engine: &str, verb: &str, summary: Summary) {
        self.engine(engine).latency_ms.insert(verb.to_owned(), summary);
    }

    pub(crate) fn throughput(&mut self, engine: &str, figure: &str, value: f64) {
        self.engine(engine).throughput.insert(figure.to_owned(), value);
    }

    pub(crate) fn memory(&mut self, engine: &str, figure: &str, bytes: u64) {
        self.engine(engine).memory_bytes.insert(figure.to_owned(), bytes);
    }

    pub(crate) fn note(&mut self, note: String) {
        self.notes.push(note);
    }

    /// For a file.
    ///
    /// # Errors
    /// When a figure is not a number.
    pub fn to_json(&self) -> serde_json::Result<String> {
        serde_json::to_string_pretty(self)
    }
}

/// One row a figure, one column an engine.
impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&String> = self.engines.keys().collect();
        let rows = |keys: fn(&Engine) -> Vec<&String>| -> BTreeSet<&String> {
            self.engines.values().flat_map(keys).collect()
        };
        write!(f, "{:<46}", format!("{} cores, kernel {}", self.host.cpus, self.host.kernel))?;
        for name in &names {
            write!(f, "{name:>20}")?;
        }
        writeln!(f, "\n\nmedian, milliseconds")?;
        for verb in rows(|engine| engine.latency_ms.keys().collect()) {
            row(f, verb, &names, |name| {
                self.engines[name].latency_ms.get(verb).map(|summary| format!("{:.2}", summary.median))
            })?;
        }
        writeln!(f, "\n{} containers, {} clients", self.containers, self.concurrent)?;
        for figure in rows(|engine| engine.throughput.keys().collect()) {
            row(f, figure, &names, |name| {
                self.engines[name].throughput.get(figure).map(|value| format!("{value:.1}"))
            })?;
        }
        writeln!(f, "\nmemory, KiB")?;
        for figure in rows(|engine| engine.memory_bytes.keys().collect()) {
            row(f, figure, &names, |name| {
                self.engines[name].memory_bytes.get(figure).map(|bytes| format!("{}", bytes / 1024))
            })?;
        }
        for note in &self.notes {
            writeln!(f, "\nnote: {note}")?;
        }
        Ok(())
    }
}

fn row(
    f: &mut fmt::Formatter<'_>,
    title: &str,
    names: &[&String],
    cell: impl Fn(&String) -> Option<String>,
) -> fmt::Result {
    write!(f, "  {title:<44}")?;
    for name in names {
        write!(f, "{:>20}", cell(name).unwrap_or_else(|| "-".into()))?;
    }
    writeln!(f)
}
