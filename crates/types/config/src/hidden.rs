//! What must not be shown to everybody who may look at settings.

use crate::KeyPath;
use crate::key::{Kind, kind_of};
use serde_json::Value;

/// What stands in the place of a secret.
const HIDDEN: &str = "(hidden)";

/// The value as it may be shown: passwords in URLs, and texts whose key says that they are one, are replaced.
pub fn hidden(path: &KeyPath, value: &Value) -> Value {
    let name = path.parts().last().map(|name| name.to_ascii_lowercase()).unwrap_or_default();
    let names_secret = ["password", "secret", "token"].iter().any(|word| name.contains(word));
    // Where a secret is, is none.
    let secret = names_secret && !matches!(kind_of(path), Kind::Path);
    match value {
        Value::String(text) if secret && !text.is_empty() => HIDDEN.into(),
        Value::String(text) => without_password(text).into(),
        Value::Array(items) => items.iter().map(|item| hidden(path, item)).collect(),
        other => other.clone(),
    }
}

/// `https://user:password@host` without the password.
fn without_password(text: &str) -> String {
    let Some((scheme, rest)) = text.split_once("://") else { return text.to_owned() };
    let end = rest.find('/').unwrap_or(rest.len());
    let Some((user, host)) = rest[..end].rsplit_once('@') else { return text.to_owned() };
    let name = user.split(':').next().unwrap_or_default();
    format!("{scheme}://{name}:{HIDDEN}@{host}{}", &rest[end..])
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn passwords_are_not_shown() {
        let of = |path: &str, value| hidden(&KeyPath::parse(path).unwrap(), &value);
        let mirrors = json!(["https://u:p@w@m.example/a@b", "https://m.example"]);
        assert_eq!(
            of("registry.mirrors.x", mirrors),
            json!(["https://u:(hidden)@m.example/a@b", "https://m.example"])
        );
        assert_eq!(of("logging.options.splunk-token", json!("abc")), json!("(hidden)"));
        assert_eq!(of("registry.serve.token", json!(true)), json!(true));
        assert_eq!(of("runtime.root_dir", json!("/x")), json!("/x"));
        assert_eq!(of("state.etcd.password_file", json!("/etc/password")), json!("/etc/password"));
    }
}
