//! Options of the `json-file` driver.

use crate::{Error, number};
use std::collections::BTreeMap;

const KNOWN: [&str; 10] = [
    "max-file",
    "max-size",
    "compress",
    "labels",
    "labels-regex",
    "env",
    "env-regex",
    "tag",
    // of every driver
    "mode",
    "max-buffer-size",
];

/// The attributes as JSON, in what [`crate::resolve`] hands to the writer; no option of a client's.
const ATTRIBUTES: &str = "attrs";

/// Options, understood. Other than with Docker, logs are rotated unless asked otherwise: they fill no disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// In bytes: the file is rotated before the first line after it grew to this.
    pub max_size: u64,
    /// How many files are kept, the one in writing included; 1: it is emptied instead of rotated.
    pub max_files: u32,
    /// Whether rotated files are compressed.
    pub compress: bool,
    /// A JSON object that goes into each line; empty: none.
    pub attributes: String,
}

/// Checks the options as a client gave them.
pub fn validate(options: &BTreeMap<String, String>) -> Result<(), Error> {
    if let Some(option) = options.keys().find(|option| !KNOWN.contains(&option.as_str())) {
        return Err(Error::UnknownOption { option: option.clone(), driver: "json-file" });
    }
    Settings::parse(options).map(drop)
}

impl Settings {
    /// Reads values; knows also what [`Settings::to_options`] adds.
    pub fn parse(options: &BTreeMap<String, String>) -> Result<Self, Error> {
        let max_files = match options.get("max-file") {
            None => 3,
            Some(text) => match number::integer(text) {
                Err(message) => return Err(Error::BadValue { option: "max-file", message }),
                Ok(count) if count < 1 => return Err(bad("max-file", "max-file cannot be less than 1")),
                Ok(count) => u32::try_from(count).unwrap_or(u32::MAX),
            },
        };
        let max_size = match options.get("max-size").map(|text| number::size(text, 1000)) {
            None => 10_000_000,
            Some(Err(message)) => return Err(Error::BadValue { option: "max-size", message }),
            Some(Ok(size)) if size <= 0 => {
                return Err(bad("max-size", "max-size must be a positive number"));
            }
            Some(Ok(size)) => size.unsigned_abs(),
        };
        let compress = match options.get("compress").map(|text| number::boolean(text)) {
            None => false,
            Some(Err(message)) => return Err(Error::BadValue { option: "compress", message }),
            Some(Ok(true)) if max_files == 1 => {
                let message = "compress cannot be true when max-file is less than 2 or max-size is not set";
                return Err(bad("compress", message));
            }
            Some(Ok(compress)) => compress,
        };
        let attributes = options.get(ATTRIBUTES).cloned().unwrap_or_default();
        Ok(Self { max_size, max_files, compress, attributes })
    }

    /// The same with what goes into each line.
    #[must_use]
    pub fn with_attributes(mut self, attributes: &BTreeMap<String, String>) -> Self {
        self.attributes.clear();
        if !attributes.is_empty() {
            self.attributes = serde_json::json!(attributes).to_string();
        }
        self
    }

    /// As options for [`super::Writer::open`].
    pub fn to_options(&self) -> BTreeMap<String, String> {
        let mut options = BTreeMap::from([
            ("max-size".to_owned(), self.max_size.to_string()),
            ("max-file".to_owned(), self.max_files.to_string()),
            ("compress".to_owned(), self.compress.to_string()),
        ]);
        if !self.attributes.is_empty() {
            options.insert(ATTRIBUTES.to_owned(), self.attributes.clone());
        }
        options
    }
}

fn bad(option: &'static str, message: &str) -> Error {
    Error::BadValue { option, message: message.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(pairs: &[(&str, &str)]) -> Result<Settings, String> {
        let options = pairs.iter().map(|(k, v)| (k.to_string(), v.to_string())).collect();
        Settings::parse(&options).map_err(|error| error.to_string())
    }

    #[test]
    fn defaults_rotate_and_survive_the_way_to_the_writer() {
        let settings = parse(&[]).unwrap();
        assert_eq!((settings.max_size, settings.max_files, settings.compress), (10_000_000, 3, false));
        let full = settings.with_attributes(&BTreeMap::from([("a".to_owned(), "\"1\"".to_owned())]));
        assert_eq!(full.attributes, r#"{"a":"\"1\""}"#);
        assert_eq!(Settings::parse(&full.to_options()).unwrap(), full);
    }

    #[test]
    fn values_are_refused_in_dockers_words() {
        assert_eq!(parse(&[("max-size", "0")]).unwrap_err(), "max-size must be a positive number");
        assert_eq!(parse(&[("max-file", "0")]).unwrap_err(), "max-file cannot be less than 1");
        assert_eq!(parse(&[("max-file", "x")]).unwrap_err(), "strconv.Atoi: parsing \"x\": invalid syntax");
        assert_eq!(
            parse(&[("compress", "true"), ("max-file", "1")]).unwrap_err(),
            "compress cannot be true when max-file is less than 2 or max-size is not set"
        );
    }
}
