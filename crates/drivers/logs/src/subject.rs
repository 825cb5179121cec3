//! What log options may ask to keep with each line: labels and variables of the container, and a tag.

use crate::Error;
use regex_lite::Regex;
use std::collections::BTreeMap;

/// The container that a log belongs to, as far as log options can name it.
#[derive(Debug, Clone, Copy)]
pub struct Subject<'a> {
    /// All 64 digits.
    pub id: &'a str,
    /// Without a slash.
    pub name: &'a str,
    /// Digest of the image's configuration.
    pub image_id: &'a str,
    /// The image as the client named it.
    pub image_name: &'a str,
    /// Program and arguments, with spaces between.
    pub command: &'a str,
    /// The container's labels.
    pub labels: &'a BTreeMap<String, String>,
    /// `NAME=value`.
    pub env: &'a [String],
}

impl Subject<'_> {
    /// What `labels`, `labels-regex`, `env`, `env-regex` and `tag` select.
    pub fn attributes(&self, options: &BTreeMap<String, String>) -> Result<BTreeMap<String, String>, Error> {
        let env = || self.env.iter().filter_map(|pair| pair.split_once('='));
        let labels = || self.labels.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        let mut chosen = BTreeMap::new();
        let mut keep = |(name, value): (&str, &str)| {
            chosen.insert(name.to_owned(), value.to_owned());
        };
        if let Some(names) = options.get("labels") {
            labels().filter(|(name, _)| names.split(',').any(|wanted| wanted == *name)).for_each(&mut keep);
        }
        if let Some(regex) = regex("labels-regex", options)? {
            labels().filter(|(name, _)| regex.is_match(name)).for_each(&mut keep);
        }
        if let Some(names) = options.get("env") {
            env().filter(|(name, _)| names.split(',').any(|wanted| wanted == *name)).for_each(&mut keep);
        }
        if let Some(regex) = regex("env-regex", options)? {
            env().filter(|(name, _)| regex.is_match(name)).for_each(&mut keep);
        }
        if let Some(template) = options.get("tag").filter(|template| !template.is_empty()) {
            chosen.insert("tag".to_owned(), self.tag(template)?);
        }
        Ok(chosen)
    }

    /// Fills in `{{.Name}}` and the other fields that Docker's tags have.
    fn tag(&self, template: &str) -> Result<String, Error> {
        let mut tag = String::new();
        let mut rest = template;
        while let Some((before, after)) = rest.split_once("{{") {
            let bad = || bad_tag(template);
            let (field, after) = after.split_once("}}").ok_or_else(bad)?;
            tag.push_str(before);
            tag.push_str(self.field(field.trim()).ok_or_else(bad)?);
            rest = after;
        }
        tag.push_str(rest);
        Ok(tag)
    }

    fn field(&self, field: &str) -> Option<&str> {
        let image_id = self.image_id.strip_prefix("sha256:").unwrap_or(self.image_id);
        Some(match field {
            ".ID" => first_twelve(self.id),
            ".FullID" => self.id,
            ".Name" => self.name,
            ".ImageID" => first_twelve(image_id),
            ".ImageFullID" => self.image_id,
            ".ImageName" => self.image_name,
            ".Command" => self.command,
            ".DaemonName" => "docker",
            _ => return None,
        })
    }
}

fn first_twelve(id: &str) -> &str {
    id.get(..12).unwrap_or(id)
}

fn bad_tag(template: &str) -> Error {
    let message = format!("invalid log tag template '{template}': fields are written {{{{.Name}}}}");
    Error::BadValue { option: "tag", message }
}

fn regex(option: &'static str, options: &BTreeMap<String, String>) -> Result<Option<Regex>, Error> {
    let Some(pattern) = options.get(option).filter(|pattern| !pattern.is_empty()) else { return Ok(None) };
    let bad = |error| Error::BadValue { option, message: format!("invalid {option} '{pattern}': {error}") };
    Regex::new(pattern).map(Some).map_err(bad)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_select_labels_variables_and_a_tag() {
        let labels = BTreeMap::from([("a.x".into(), "1".into()), ("b".into(), "2".into())]);
        let env = ["HOME=/root".to_owned(), "LANG=C".to_owned()];
        let subject = Subject {
            id: "0123456789abcdef",
            name: "web",
            image_id: "sha256:fedcba9876543210",
            image_name: "busybox",
            command: "sh",
            labels: &labels,
            env: &env,
        };
        let select = |pairs: &[(&str, &str)]| {
            let options = pairs.iter().map(|(k, v)| (k.to_string(), v.to_string())).collect();
            subject.attributes(&options).map(|chosen| format!("{chosen:?}")).map_err(|e| e.to_string())
        };
        assert_eq!(select(&[]).unwrap(), "{}");
        assert_eq!(select(&[("labels", "b,c"), ("env", "LANG")]).unwrap(), r#"{"LANG": "C", "b": "2"}"#);
        assert_eq!(select(&[("labels-regex", "^a[.]")]).unwrap(), r#"{"a.x": "1"}"#);
        let tag = select(&[("tag", "{{.Name}}/{{ .ID }}/{{.ImageID}}")]).unwrap();
        assert_eq!(tag, r#"{"tag": "web/0123456789ab/fedcba987654"}"#);
        assert!(select(&[("tag", "{{.Nope}}")]).is_err());
        assert!(select(&[("env-regex", "(")]).is_err());
    }
}
