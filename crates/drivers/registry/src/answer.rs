//! Reading answers: bodies within limits, and errors as the specification writes them ("Error Codes").

use crate::{Broken, RegistryError, Result};
use reqwest::Response;
use reqwest::header::{HeaderMap, RETRY_AFTER};
use serde::Deserialize;
use std::time::Duration;

/// Of an error's body, as much is read.
const MAX_ERROR: u64 = 64 << 10;

/// The whole body.
pub(crate) async fn body(mut response: Response, limit: u64, what: impl Fn() -> String) -> Result<Vec<u8>> {
    let url = response.url().to_string();
    let mut bytes = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| broken("GET", &url, error))? {
        if bytes.len() as u64 + chunk.len() as u64 > limit {
            return Err(RegistryError::TooLarge { what: what(), limit });
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes)
}

/// No answer at all.
pub(crate) fn broken(method: &str, url: &str, error: reqwest::Error) -> RegistryError {
    RegistryError::Unreachable {
        method: method.to_owned(),
        url: url.to_owned(),
        source: Broken::new(error.without_url()),
    }
}

#[derive(Debug, Deserialize)]
struct Errors {
    #[serde(default)]
    errors: Vec<Problem>,
    /// What token services write instead.
    #[serde(default)]
    details: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Problem {
    #[serde(default)]
    code: String,
    #[serde(default)]
    message: String,
}

/// An answer that is not a success.
pub(crate) async fn refused(response: Response, method: &str) -> RegistryError {
    let (url, status) = (response.url().clone(), response.status());
    let wait = wait(response.headers());
    let text = body(response, MAX_ERROR, || "an error".to_owned()).await.unwrap_or_default();
    let message =
        message(&text).unwrap_or_else(|| status.canonical_reason().unwrap_or("no reason given").to_owned());
    let host = url.host_str().unwrap_or_default();
    let host = url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"));
    match status.as_u16() {
        401 => RegistryError::Unauthorized { host, message: message.replace("unauthorized: ", "") },
        429 => RegistryError::RateLimited { host, message: message.replace("toomanyrequests: ", ""), wait },
        status => RegistryError::Refused { method: method.to_owned(), url: url.to_string(), status, message },
    }
}

/// `denied: requested access to the resource is denied`: code and message as docker prints them.
fn message(body: &[u8]) -> Option<String> {
    let Ok(errors) = serde_json::from_slice::<Errors>(body) else {
        let text = String::from_utf8_lossy(body);
        let first =
            text.lines().next().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('<'))?;
        return Some(first.chars().take(300).collect());
    };
    let lines: Vec<String> = errors
        .errors
        .into_iter()
        .map(|problem| {
            let code = problem.code.to_ascii_lowercase().replace('_', " ");
            if problem.message.is_empty() { code } else { format!("{code}: {}", problem.message) }
        })
        .chain(errors.details)
        .collect();
    (!lines.is_empty()).then(|| lines.join("; "))
}

/// `Retry-After`, in seconds or as a date.
fn wait(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?;
    if let Ok(seconds) = text.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let at = jiff::fmt::rfc2822::parse(text).ok()?.timestamp();
    let left = at.as_second() - jiff::Timestamp::now().as_second();
    Some(Duration::from_secs(u64::try_from(left).unwrap_or(0)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_are_told_as_docker_tells_them() {
        let body =
            br#"{"errors":[{"code":"MANIFEST_UNKNOWN","message":"manifest unknown","detail":{"Tag":"x"}}]}"#;
        assert_eq!(message(body).unwrap(), "manifest unknown: manifest unknown");
        assert_eq!(
            message(br#"{"details":"incorrect username or password"}"#).unwrap(),
            "incorrect username or password"
        );
        assert_eq!(message(b"plain words\nmore").unwrap(), "plain words");
        assert_eq!(message(b"<html>"), None);
        assert_eq!(message(b"{}"), None);
    }

    #[test]
    fn waits_are_seconds_or_dates() {
        let with = |value: &str| HeaderMap::from_iter([(RETRY_AFTER, value.parse().unwrap())]);
        assert_eq!(wait(&with("30")), Some(Duration::from_secs(30)));
        assert_eq!(wait(&with("Wed, 21 Oct 2015 07:28:00 GMT")), Some(Duration::ZERO));
        assert_eq!(wait(&with("soon")), None);
    }
}
