//! The link to the next page of a list (RFC 8288).

use axum::http::HeaderValue;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

/// What follows `last` in the list at `path`.
pub(super) fn next(path: &str, limit: Option<usize>, last: &str, more: &[(&str, &str)]) -> HeaderValue {
    let mut link = format!("<{path}?last={}", encoded(last));
    if let Some(limit) = limit {
        link.push_str(&format!("&n={limit}"));
    }
    for (name, value) in more {
        link.push_str(&format!("&{name}={}", encoded(value)));
    }
    link.push_str(">; rel=\"next\"");
    crate::http::answer::value(&link)
}

fn encoded(text: &str) -> String {
    utf8_percent_encode(text, NON_ALPHANUMERIC).to_string()
}
