//! Where settings come from: file, drop-in directory, environment, flags.

use super::SettingsError;
use config::{Effective, Layer, Problem};
use errors::Result;
use std::path::{Path, PathBuf};

/// Where settings are that no flag names. It need not exist.
pub const DEFAULT_FILE: &str = "/etc/container-runtime/container-runtime.yaml";

/// Where settings come from.
#[derive(Debug, Clone)]
pub struct Sources {
    /// The settings file; the drop-in directory is beside it, with `.d` behind its name.
    pub file: PathBuf,
    /// Whether it must be there.
    pub required: bool,
    /// Flags: key, value, and the flag's name.
    pub flags: Vec<(&'static str, String, &'static str)>,
    /// Variables of the environment, ours and others'.
    pub environment: Vec<(String, String)>,
}

impl Sources {
    /// The file of this name, or the usual one, and this process's environment.
    pub fn of(file: Option<&Path>) -> Self {
        // A variable that is no text is none of ours.
        let environment = std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
        Self {
            file: file.unwrap_or_else(|| Path::new(DEFAULT_FILE)).to_owned(),
            required: file.is_some(),
            flags: Vec::new(),
            environment: environment.collect(),
        }
    }

    /// The directory of files that come before the settings file.
    pub fn drop_ins(&self) -> PathBuf {
        let mut name = self.file.clone().into_os_string();
        name.push(".d");
        name.into()
    }

    /// Reads everything.
    ///
    /// # Errors
    /// All mistakes of all sources; a file that can't be read.
    pub fn load(&self) -> Result<Effective> {
        let text = self.text()?;
        if text.is_none() && self.required {
            return Err(SettingsError::NoFile(self.file.clone()).into());
        }
        self.load_with(&text.unwrap_or_default())
    }

    /// The file's text; none: it is not there.
    ///
    /// # Errors
    /// When it can't be read.
    pub fn text(&self) -> Result<Option<String>> {
        let Some(bytes) = durable::read_optional(&self.file)? else { return Ok(None) };
        let text = String::from_utf8(bytes);
        Ok(Some(text.map_err(|_| SettingsError::NotText(self.file.clone()))?))
    }

    /// Reads everything, with this text in the place of the file's.
    ///
    /// # Errors
    /// As [`Sources::load`].
    pub fn load_with(&self, text: &str) -> Result<Effective> {
        let mut problems = Vec::new();
        let mut layers = Vec::new();
        let mut take = |read: Result<Layer, Vec<Problem>>| match read {
            Ok(layer) => layers.push(layer),
            Err(more) => problems.extend(more),
        };
        for path in self.drop_in_files()? {
            let bytes =
                std::fs::read(&path).map_err(|source| SettingsError::Read { path: path.clone(), source })?;
            let text = String::from_utf8(bytes).map_err(|_| SettingsError::NotText(path.clone()))?;
            take(config::from_file(&path.display().to_string(), &text, true));
        }
        take(config::from_file(&self.file.display().to_string(), text, false));
        take(config::from_environment(self.environment.iter().cloned()));
        take(config::from_flags(self.flags.iter().cloned()));
        if !problems.is_empty() {
            return Err(SettingsError::Wrong(problems).into());
        }
        let effective = Effective::of(layers).map_err(SettingsError::Wrong)?;
        log_options(&effective)?;
        Ok(effective)
    }

    /// In the order of their names.
    fn drop_in_files(&self) -> Result<Vec<PathBuf>> {
        let path = self.drop_ins();
        let entries = match std::fs::read_dir(&path) {
            Ok(entries) => entries,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(source) => return Err(SettingsError::Read { path, source }.into()),
        };
        let mut files = Vec::new();
        for entry in entries {
            let entry = entry.map_err(|source| SettingsError::Read { path: path.clone(), source })?;
            let name = entry.file_name();
            let hidden = name.to_string_lossy().starts_with('.');
            if !hidden && entry.path().extension().is_some_and(|extension| extension == "yaml") {
                files.push(entry.path());
            }
        }
        files.sort();
        Ok(files)
    }
}

/// What the log driver says of its options: it alone knows them.
fn log_options(effective: &Effective) -> Result<()> {
    let logging = &effective.settings.logging;
    let Err(error) = logs::validate(&logging.driver, &logging.options) else { return Ok(()) };
    let key = config::KeyPath::dotted("logging.options");
    let written = effective.entries().find(|(path, _)| path.is_in(&key));
    let origin = written.map_or(config::Origin::Default, |(_, entry)| entry.origin.clone());
    let message = errors::chain(&error);
    Err(SettingsError::Wrong(vec![Problem { origin, key, message }]).into())
}
