//! `--mount type=bind,source=…,target=…`.

use super::csv;
use crate::output::units;
use crate::usage::boolean;
use serde_json::{Map, Value, json};

/// A mount being read.
#[derive(Default)]
struct Mount {
    fields: Map<String, Value>,
    bind: Option<Map<String, Value>>,
    volume: Option<Map<String, Value>>,
    image: Option<Map<String, Value>>,
    tmpfs: Option<Map<String, Value>>,
}

/// For clap: the API's mount object.
pub(crate) fn parse(text: &str) -> Result<Value, String> {
    let mut mount = Mount::default();
    mount.fields.insert("Type".to_owned(), json!("volume"));
    for field in csv::fields(text)? {
        match field.split_once('=') {
            Some((key, value)) => mount.pair(&key.to_ascii_lowercase(), value, &field)?,
            None => mount.word(&field)?,
        }
    }
    mount.check()?;
    Ok(mount.finish())
}

/// A path that begins with a dot is relative to the present directory; all others are taken as they are.
pub(crate) fn absolute(path: &str) -> String {
    match std::env::current_dir() {
        Ok(here) if path.starts_with('.') => super::device::clean(&here.join(path).to_string_lossy()),
        _ => path.to_owned(),
    }
}

impl Mount {
    fn set(&mut self, name: &str, value: impl Into<Value>) {
        self.fields.insert(name.to_owned(), value.into());
    }

    fn bind(&mut self, name: &str, value: impl Into<Value>) {
        self.bind.get_or_insert_default().insert(name.to_owned(), value.into());
    }

    fn volume(&mut self) -> &mut Map<String, Value> {
        self.volume.get_or_insert_with(|| {
            Map::from_iter([("Labels".to_owned(), json!({})), ("DriverConfig".to_owned(), json!({}))])
        })
    }

    fn word(&mut self, field: &str) -> Result<(), String> {
        match field.to_ascii_lowercase().as_str() {
            "readonly" | "ro" => self.set("ReadOnly", true),
            "volume-nocopy" => {
                self.volume().insert("NoCopy".to_owned(), json!(true));
            }
            "bind-nonrecursive" => self.bind("NonRecursive", true),
            _ => return Err(format!("invalid field '{field}' must be a key=value pair")),
        }
        Ok(())
    }

    fn pair(&mut self, key: &str, value: &str, field: &str) -> Result<(), String> {
        let invalid = || format!("invalid value for {key}: {value}");
        let lower = value.to_ascii_lowercase();
        match key {
            "type" => self.set("Type", lower),
            "source" | "src" => self.set("Source", absolute(value)),
            "target" | "dst" | "destination" => self.set("Target", value),
            "readonly" | "ro" => self.set("ReadOnly", boolean(value).map_err(|_| invalid())?),
            "consistency" => self.set("Consistency", lower),
            "bind-propagation" => self.bind("Propagation", lower),
            "bind-nonrecursive" => {
                self.bind("NonRecursive", boolean(value).map_err(|_| invalid())?);
                crate::output::warn("bind-nonrecursive is deprecated, use bind-recursive=disabled instead");
            }
            "bind-recursive" => self.recursion(key, value)?,
            "volume-subpath" => {
                self.volume().insert("Subpath".to_owned(), json!(value));
            }
            "volume-nocopy" => {
                let on = boolean(value).map_err(|_| invalid())?;
                self.volume().insert("NoCopy".to_owned(), json!(on));
            }
            "volume-driver" => self.volume()["DriverConfig"]["Name"] = json!(value),
            "volume-label" | "volume-opt" => {
                let (name, value) = value.split_once('=').unwrap_or((value, ""));
                let volume = self.volume();
                match name {
                    "" => {}
                    _ if key == "volume-label" => volume["Labels"][name] = json!(value),
                    _ => volume["DriverConfig"]["Options"][name] = json!(value),
                }
            }
            "image-subpath" => {
                self.image.get_or_insert_default().insert("Subpath".to_owned(), json!(value));
            }
            "tmpfs-size" => {
                let size = units::parse_bytes(value).map_err(|_| invalid())?;
                self.tmpfs.get_or_insert_default().insert("SizeBytes".to_owned(), json!(size));
            }
            "tmpfs-mode" => {
                let mode = u32::from_str_radix(value, 8).map_err(|_| invalid())?;
                self.tmpfs.get_or_insert_default().insert("Mode".to_owned(), json!(mode));
            }
            _ => return Err(format!("unexpected key '{key}' in '{field}'")),
        }
        Ok(())
    }

    fn recursion(&mut self, key: &str, value: &str) -> Result<(), String> {
        match value {
            "enabled" => {}
            "disabled" => self.bind("NonRecursive", true),
            "writable" => self.bind("ReadOnlyNonRecursive", true),
            "readonly" => self.bind("ReadOnlyForceRecursive", true),
            _ => {
                return Err(format!(
                    "invalid value for {key}: {value} \
                     (must be \"enabled\", \"disabled\", \"writable\", or \"readonly\")"
                ));
            }
        }
        Ok(())
    }

    fn check(&self) -> Result<(), String> {
        let text = |name: &str| self.fields.get(name).and_then(Value::as_str).unwrap_or_default();
        let kind = text("Type");
        if kind.is_empty() {
            return Err("type is required".to_owned());
        }
        if text("Target").is_empty() {
            return Err("target is required".to_owned());
        }
        for (name, options) in
            [("volume", &self.volume), ("image", &self.image), ("bind", &self.bind), ("tmpfs", &self.tmpfs)]
        {
            if options.is_some() && kind != name {
                return Err(format!("cannot mix '{name}-*' options with mount type '{kind}'"));
            }
        }
        let read_only = self.fields.get("ReadOnly") == Some(&json!(true));
        let bind = |name: &str| self.bind.as_ref().and_then(|bind| bind.get(name));
        if bind("ReadOnlyNonRecursive").is_some() && !read_only {
            return Err(requires("writable", "readonly"));
        }
        if bind("ReadOnlyForceRecursive").is_some() {
            if !read_only {
                return Err(requires("readonly", "readonly"));
            }
            if bind("Propagation") != Some(&json!("rprivate")) {
                return Err(requires("readonly", "bind-propagation=rprivate"));
            }
        }
        Ok(())
    }

    fn finish(self) -> Value {
        let Self { mut fields, bind, volume, image, tmpfs } = self;
        let options = [
            ("BindOptions", bind),
            ("VolumeOptions", volume),
            ("ImageOptions", image),
            ("TmpfsOptions", tmpfs),
        ];
        for (name, options) in options {
            if let Some(options) = options {
                fields.insert(name.to_owned(), Value::Object(options));
            }
        }
        Value::Object(fields)
    }
}

fn requires(recursion: &str, what: &str) -> String {
    format!("option 'bind-recursive={recursion}' requires '{what}' to be specified in conjunction")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mounts() {
        assert_eq!(
            parse("type=bind,src=/a,dst=/b,ro,bind-propagation=rshared").unwrap(),
            json!({"Type": "bind", "Source": "/a", "Target": "/b", "ReadOnly": true,
                   "BindOptions": {"Propagation": "rshared"}})
        );
        assert_eq!(parse("target=/x").unwrap()["Type"], "volume");
        let volume = parse("dst=/x,volume-opt=o=size=1m,volume-label=a=b,volume-driver=local").unwrap();
        assert_eq!(volume["VolumeOptions"]["DriverConfig"]["Options"]["o"], "size=1m");
        let tmpfs = parse("type=tmpfs,dst=/t,tmpfs-size=1m,tmpfs-mode=1777").unwrap();
        assert_eq!(tmpfs["TmpfsOptions"], json!({"SizeBytes": 1 << 20, "Mode": 0o1777}));
        for (text, message) in [
            ("type=bind", "target is required"),
            ("type=,dst=/x", "type is required"),
            ("foo", "invalid field 'foo' must be a key=value pair"),
            ("foo=1", "unexpected key 'foo' in 'foo=1'"),
            ("type=bind,dst=/x,tmpfs-size=1", "cannot mix 'tmpfs-*' options with mount type 'bind'"),
            ("type=bind,dst=/x,ro=maybe", "invalid value for ro: maybe"),
        ] {
            assert_eq!(parse(text).unwrap_err(), message);
        }
    }
}
