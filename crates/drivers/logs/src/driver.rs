//! Drivers by name: the one place that knows which there are.

use crate::json_file::Settings;
use crate::{Error, ReadOptions, Reader, Subject, json_file, number};
use std::collections::BTreeMap;
use std::path::Path;

/// A driver that this engine has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Driver {
    /// A JSON object a line, in files that rotate.
    JsonFile,
    /// Nothing is kept.
    None,
}

/// Names that Docker knows and we do not have yet.
const FOREIGN: [&str; 9] =
    ["awslogs", "etwlogs", "fluentd", "gcplogs", "gelf", "journald", "local", "splunk", "syslog"];

impl Driver {
    /// The driver of this name; empty: `json-file`.
    pub fn named(name: &str) -> Result<Self, Error> {
        match name {
            "" | "json-file" => Ok(Self::JsonFile),
            "none" => Ok(Self::None),
            other if FOREIGN.contains(&other) => Err(Error::UnsupportedDriver { name: other.to_owned() }),
            other => Err(Error::UnknownDriver { name: other.to_owned() }),
        }
    }
}

/// Checks a driver's name and options as the client gave them.
pub fn validate(driver: &str, options: &BTreeMap<String, String>) -> Result<Driver, Error> {
    let driver = Driver::named(driver)?;
    if driver == Driver::JsonFile {
        check_common(options)?;
        json_file::validate(options)?;
    }
    Ok(driver)
}

/// Checks the options and turns them into those that a writer is opened with: defaults filled in, and what
/// `labels`, `env` and `tag` ask for looked up in `subject`.
pub fn resolve(
    driver: &str,
    options: &BTreeMap<String, String>,
    subject: &Subject<'_>,
) -> Result<BTreeMap<String, String>, Error> {
    match validate(driver, options)? {
        Driver::None => Ok(BTreeMap::new()),
        Driver::JsonFile => {
            let attributes = subject.attributes(options)?;
            Ok(Settings::parse(options)?.with_attributes(&attributes).to_options())
        }
    }
}

/// Opens the log that `driver` wrote at `path` for reading.
pub fn open(driver: &str, path: &Path, options: ReadOptions) -> Result<Reader, Error> {
    match Driver::named(driver)? {
        Driver::None => Err(Error::NotReadable),
        Driver::JsonFile => Reader::open(path, options),
    }
}

/// Options that every driver has. Our writer never makes the application wait for a reader, so that `mode` is
/// accepted and changes nothing.
fn check_common(options: &BTreeMap<String, String>) -> Result<(), Error> {
    let mode = options.get("mode").map_or("", String::as_str);
    if !matches!(mode, "" | "blocking" | "non-blocking") {
        let message = format!("logger: logging mode not supported: {mode}");
        return Err(Error::BadValue { option: "mode", message });
    }
    if let Some(size) = options.get("max-buffer-size") {
        let bad = |message: String| Error::BadValue { option: "max-buffer-size", message };
        if mode != "non-blocking" {
            let message = "logger: max-buffer-size option is only supported with 'mode=non-blocking'";
            return Err(bad(message.to_owned()));
        }
        number::size(size, 1024)
            .map_err(|error| bad(format!("error parsing option max-buffer-size: {error}")))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(driver: &str, options: &[(&str, &str)]) -> String {
        let options = options.iter().map(|(k, v)| (k.to_string(), v.to_string())).collect();
        validate(driver, &options).map_or_else(|error| error.to_string(), |_| "ok".to_owned())
    }

    #[test]
    fn bad_drivers_and_options_are_refused_in_dockers_words() {
        assert_eq!(check("json-file", &[("max-size", "10m"), ("max-file", "3")]), "ok");
        assert_eq!(check("none", &[("anything", "x")]), "ok");
        assert_eq!(check("bogus", &[]), "error looking up logging plugin bogus: plugin \"bogus\" not found");
        assert_eq!(check("json-file", &[("x", "1")]), "unknown log opt 'x' for json-file log driver");
        assert_eq!(
            check("json-file", &[("attrs", "{}")]),
            "unknown log opt 'attrs' for json-file log driver"
        );
        assert_eq!(check("", &[("mode", "odd")]), "logger: logging mode not supported: odd");
        assert_eq!(
            check("", &[("max-buffer-size", "1m")]),
            "logger: max-buffer-size option is only supported with 'mode=non-blocking'"
        );
        assert_eq!(check("", &[("mode", "non-blocking"), ("max-buffer-size", "1m")]), "ok");
    }

    #[test]
    fn nothing_can_be_read_from_none() {
        let error = open("none", Path::new("/nowhere"), ReadOptions::all()).unwrap_err();
        assert_eq!(error.to_string(), "configured logging driver does not support reading");
    }
}
