//! What a 401 asks for: the `WWW-Authenticate` header (RFC 9110, section 11.6.1).

use reqwest::header::{HeaderMap, WWW_AUTHENTICATE};
use std::collections::HashMap;

/// How to authenticate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scheme {
    Basic,
    Bearer,
}

/// One challenge that we can answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Challenge {
    pub(crate) scheme: Scheme,
    /// Lower-case names.
    pub(crate) parameters: HashMap<String, String>,
}

impl Challenge {
    /// The best of those in an answer: a token rather than a password in each request.
    pub(crate) fn of(headers: &HeaderMap) -> Option<Self> {
        let values = headers.get_all(WWW_AUTHENTICATE).iter().filter_map(|value| value.to_str().ok());
        let mut all: Vec<Self> = values.flat_map(parse).collect();
        all.sort_by_key(|challenge| challenge.scheme == Scheme::Basic);
        all.into_iter().next()
    }

    pub(crate) fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters.get(name).map(String::as_str)
    }
}

/// All challenges of a header, those of unknown schemes left out.
fn parse(text: &str) -> Vec<Challenge> {
    let (mut found, mut current): (Vec<Challenge>, Option<Challenge>) = (Vec::new(), None);
    let mut rest = text.trim();
    while !rest.is_empty() {
        let end = rest.find(|c: char| !is_token(c)).unwrap_or(rest.len());
        let (word, after) = rest.split_at(end);
        let after = after.trim_start();
        if let Some(value) = after.strip_prefix('=').filter(|_| !word.is_empty()) {
            let (value, after) = value_of(value.trim_start());
            if let Some(challenge) = &mut current {
                challenge.parameters.insert(word.to_ascii_lowercase(), value);
            }
            rest = after;
        } else if !word.is_empty() {
            found.extend(current.take());
            let scheme = match word.to_ascii_lowercase().as_str() {
                "basic" => Some(Scheme::Basic),
                "bearer" => Some(Scheme::Bearer),
                _ => None,
            };
            current = scheme.map(|scheme| Challenge { scheme, parameters: HashMap::new() });
            rest = after;
        } else {
            // A separator, or something that has no business here.
            let mut chars = rest.chars();
            chars.next();
            rest = chars.as_str();
        }
        rest = rest.trim_start_matches([' ', '\t', ',']);
    }
    found.extend(current);
    found
}

/// A token or a quoted string, and what is behind it.
fn value_of(text: &str) -> (String, &str) {
    let Some(quoted) = text.strip_prefix('"') else {
        let end = text.find([',', ' ', '\t']).unwrap_or(text.len());
        return (text[..end].to_owned(), &text[end..]);
    };
    let (mut value, mut escaped) = (String::new(), false);
    for (position, character) in quoted.char_indices() {
        match character {
            _ if escaped => {
                value.push(character);
                escaped = false;
            }
            '\\' => escaped = true,
            '"' => return (value, &quoted[position + 1..]),
            _ => value.push(character),
        }
    }
    (value, "")
}

fn is_token(character: char) -> bool {
    character.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(character)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn challenges_are_read_in_every_spelling() {
        let text = r#"Bearer realm="https://auth.example/token",service="reg, istry",scope="repository:a/b:pull,push""#;
        let found = parse(text);
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].scheme, Scheme::Bearer);
        assert_eq!(found[0].parameter("realm"), Some("https://auth.example/token"));
        assert_eq!(found[0].parameter("service"), Some("reg, istry"));
        assert_eq!(found[0].parameter("scope"), Some("repository:a/b:pull,push"));

        let found = parse(r#"Negotiate, basic Realm = "a \"b\"" , Digest x=1, BEARER realm=c"#);
        assert_eq!(found.iter().map(|c| c.scheme).collect::<Vec<_>>(), [Scheme::Basic, Scheme::Bearer]);
        assert_eq!(found[0].parameter("realm"), Some("a \"b\""));
        assert_eq!(found[1].parameter("realm"), Some("c"));
        for odd in ["", ",", "=", "\"", "Bearer realm=\"", "é=ü, Basic"] {
            parse(odd);
        }
    }

    #[test]
    fn a_token_is_preferred_to_a_password() {
        let mut headers = HeaderMap::new();
        headers.append(WWW_AUTHENTICATE, "Basic realm=x".parse().unwrap());
        headers.append(WWW_AUTHENTICATE, "Bearer realm=y".parse().unwrap());
        assert_eq!(Challenge::of(&headers).unwrap().scheme, Scheme::Bearer);
        assert_eq!(Challenge::of(&HeaderMap::new()), None);
    }
}
