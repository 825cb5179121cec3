//! `docker info`.

use crate::app::App;
use crate::failure::{Failure, Outcome};
use crate::flags::format::{self, DocumentFormat};
use crate::output::{self, units};
use crate::template::Value;
use crate::verb::{Arity, verb};
use std::fmt::Write as _;

#[derive(Debug, clap::Args)]
struct Args {
    #[command(flatten)]
    format: DocumentFormat,
}

verb!(Args, run, Arity::None, "[OPTIONS]", "Display system-wide information");

async fn run(app: &App, args: &Args, _: &[String]) -> Outcome {
    let template = args.format.template()?;
    let server = server(app).await;
    let Some(template) = template else { return plain(app, server) };
    let mut document = server?;
    if let Value::Object(_, fields) = &mut document {
        fields.push(("ClientInfo".into(), client(app)));
    }
    output::stdout(&format::line(&template, &document)?)
}

async fn server(app: &App) -> Outcome<Value> {
    let bytes = app.client()?.get("/info").bytes().await?;
    let mut info: Value = serde_json::from_slice(&bytes)?;
    info.mark_maps(&["Runtimes", "IndexConfigs"]);
    Ok(info)
}

fn client(app: &App) -> Value {
    Value::structure(
        "*system.clientInfo",
        [
            ("Debug", app.globals.debug.into()),
            ("Version", app.environment.version.into()),
            ("GitCommit", app.environment.commit.into()),
            ("Os", "linux".into()),
            ("Context", app.context_name().into()),
            ("Plugins", Value::List(Vec::new())),
            ("Warnings", Value::Null),
        ],
    )
}

fn plain(app: &App, server: Outcome<Value>) -> Outcome {
    let mut out = format!(
        "Client:\n Version:    {}\n Context:    {}\n Debug Mode: {}\n\nServer:\n",
        app.environment.version,
        app.context_name(),
        app.globals.debug
    );
    let info = match server {
        Ok(info) => info,
        Err(failure) => {
            output::stdout(&out)?;
            return Err(failure);
        }
    };
    out.push_str(&describe(&info)?);
    output::stdout(&out)?;
    for warning in list(&info, "Warnings") {
        output::stderr(&format!("{warning}\n"));
    }
    Ok(())
}

fn text(info: &Value, path: &str) -> String {
    let mut value = Some(info);
    for name in path.split('.') {
        value = value.and_then(|value| value.get(name));
    }
    match value {
        None | Some(Value::Null) => String::new(),
        Some(value) => value.to_string(),
    }
}

fn list(info: &Value, path: &str) -> Vec<String> {
    let mut value = Some(info);
    for name in path.split('.') {
        value = value.and_then(|value| value.get(name));
    }
    match value {
        Some(Value::List(items)) => items.iter().map(ToString::to_string).collect(),
        _ => Vec::new(),
    }
}

/// Writes lines of `title: value`.
struct Lines<'i> {
    info: &'i Value,
    out: String,
}

impl Lines<'_> {
    fn line(&mut self, title: &str, value: &str) {
        writeln!(self.out, " {title}: {value}").expect("a String takes any text");
    }

    /// A field, also when it is empty.
    fn field(&mut self, title: &str, path: &str) {
        let value = text(self.info, path);
        self.line(title, &value);
    }

    /// A field, unless it is empty.
    fn present(&mut self, title: &str, path: &str) {
        let value = text(self.info, path);
        if !value.is_empty() {
            self.line(title, &value);
        }
    }

    /// A heading with one entry a line, unless there is none.
    fn block(&mut self, title: &str, entries: &[String]) {
        if !entries.is_empty() {
            writeln!(self.out, " {title}:").expect("a String takes any text");
            for entry in entries {
                writeln!(self.out, "  {entry}").expect("a String takes any text");
            }
        }
    }
}

fn describe(info: &Value) -> Outcome<String> {
    let mut lines = Lines { info, out: String::new() };
    for (title, path) in [
        ("Containers", "Containers"),
        (" Running", "ContainersRunning"),
        (" Paused", "ContainersPaused"),
        (" Stopped", "ContainersStopped"),
        ("Images", "Images"),
    ] {
        lines.field(title, path);
    }
    lines.present("Server Version", "ServerVersion");
    lines.present("Storage Driver", "Driver");
    if let Some(Value::List(pairs)) = info.get("DriverStatus") {
        for pair in pairs {
            if let Value::List(pair) = pair
                && let [name, value] = pair.as_slice()
            {
                lines.line(&format!(" {name}"), &value.to_string());
            }
        }
    }
    lines.present("Logging Driver", "LoggingDriver");
    lines.present("Cgroup Driver", "CgroupDriver");
    lines.present("Cgroup Version", "CgroupVersion");
    plugins(&mut lines);
    lines.block("CDI spec directories", &list(info, "CDISpecDirs"));
    lines.field("Swarm", "Swarm.LocalNodeState");
    runtimes(&mut lines);
    if text(info, "OSType") == "linux" {
        for (title, path) in [
            ("Init Binary", "InitBinary"),
            ("containerd version", "ContainerdCommit.ID"),
            ("runc version", "RuncCommit.ID"),
            ("init version", "InitCommit.ID"),
        ] {
            lines.field(title, path);
        }
        security(&mut lines);
    }
    host(&mut lines)?;
    registries(&mut lines);
    lines.field("Live Restore Enabled", "LiveRestoreEnabled");
    lines.present("Product License", "ProductLicense");
    pools(&mut lines);
    lines.out.push('\n');
    Ok(lines.out)
}

fn plugins(lines: &mut Lines<'_>) {
    let mut entries = Vec::new();
    for (title, path) in
        [("Volume", "Volume"), ("Network", "Network"), ("Authorization", "Authorization"), ("Log", "Log")]
    {
        let names = list(lines.info, &format!("Plugins.{path}"));
        if title != "Authorization" || !names.is_empty() {
            entries.push(format!("{title}: {}", names.join(" ")));
        }
    }
    lines.block("Plugins", &entries);
}

fn runtimes(lines: &mut Lines<'_>) {
    if let Some(Value::Object(_, runtimes)) = lines.info.get("Runtimes")
        && !runtimes.is_empty()
    {
        let names: Vec<&str> = runtimes.iter().map(|(name, _)| name.as_ref()).collect();
        lines.line("Runtimes", &names.join(" "));
        lines.field("Default Runtime", "DefaultRuntime");
    }
}

/// `name=seccomp,profile=builtin` as a name with its profile below.
fn security(lines: &mut Lines<'_>) {
    let mut entries = Vec::new();
    for option in list(lines.info, "SecurityOptions") {
        let pairs = || option.split(',').map(|pair| pair.split_once('=').unwrap_or(("name", pair)));
        entries.extend(pairs().find(|(key, _)| *key == "name").map(|(_, name)| name.to_owned()));
        entries.extend(
            pairs().filter(|(key, _)| *key == "profile").map(|(_, value)| format!(" Profile: {value}")),
        );
    }
    lines.block("Security Options", &entries);
}

fn host(lines: &mut Lines<'_>) -> Outcome {
    for (title, path) in [
        ("Kernel Version", "KernelVersion"),
        ("Operating System", "OperatingSystem"),
        ("OSType", "OSType"),
        ("Architecture", "Architecture"),
    ] {
        lines.present(title, path);
    }
    lines.field("CPUs", "NCPU");
    let memory: f64 = match text(lines.info, "MemTotal").as_str() {
        "" => 0.0,
        number => number.parse().map_err(|_| Failure::new(format!("MemTotal is no number: {number}")))?,
    };
    lines.line("Total Memory", &units::bytes_size(memory));
    lines.present("Name", "Name");
    lines.present("ID", "ID");
    lines.field("Docker Root Dir", "DockerRootDir");
    lines.field("Debug Mode", "Debug");
    if text(lines.info, "Debug") == "true" {
        for (title, path) in [
            (" File Descriptors", "NFd"),
            (" Goroutines", "NGoroutines"),
            (" System Time", "SystemTime"),
            (" EventsListeners", "NEventsListener"),
        ] {
            lines.field(title, path);
        }
    }
    lines.present("HTTP Proxy", "HttpProxy");
    lines.present("HTTPS Proxy", "HttpsProxy");
    lines.present("No Proxy", "NoProxy");
    lines.block("Labels", &list(lines.info, "Labels"));
    lines.field("Experimental", "ExperimentalBuild");
    Ok(())
}

fn registries(lines: &mut Lines<'_>) {
    let config = lines.info.get("RegistryConfig");
    let mut insecure = Vec::new();
    if let Some(Value::Object(_, indexes)) = config.and_then(|config| config.get("IndexConfigs")) {
        let plain = indexes.iter().filter(|(_, index)| text(index, "Secure") == "false");
        insecure.extend(plain.map(|(name, _)| name.to_string()));
    }
    insecure.extend(list(lines.info, "RegistryConfig.InsecureRegistryCIDRs"));
    lines.block("Insecure Registries", &insecure);
    lines.block("Registry Mirrors", &list(lines.info, "RegistryConfig.Mirrors"));
}

fn pools(lines: &mut Lines<'_>) {
    if let Some(Value::List(pools)) = lines.info.get("DefaultAddressPools") {
        let show = |pool: &Value| format!(" Base: {}, Size: {}", text(pool, "Base"), text(pool, "Size"));
        let entries: Vec<String> = pools.iter().map(show).collect();
        lines.block("Default Address Pools", &entries);
    }
}
