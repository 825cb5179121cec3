//! Header fields of requests.

use axum::http::{HeaderMap, HeaderName, header};

/// A field as text, if it is there once or more; then the first.
pub(crate) fn text(headers: &HeaderMap, name: HeaderName) -> Option<&str> {
    headers.get(name)?.to_str().ok()
}

/// `Content-Length`
pub(crate) fn length(headers: &HeaderMap) -> Option<u64> {
    text(headers, header::CONTENT_LENGTH)?.parse().ok()
}

/// The media type of the body, without parameters.
pub(crate) fn media_type(headers: &HeaderMap) -> Option<&str> {
    let value = text(headers, header::CONTENT_TYPE)?;
    Some(value.split(';').next().unwrap_or(value).trim()).filter(|value| !value.is_empty())
}

/// Whether `Accept` lists this type, or says nothing.
pub(crate) fn accepts(headers: &HeaderMap, media_type: &str) -> bool {
    let mut said = false;
    for list in headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok()) {
        for one in list.split(',') {
            said = true;
            let one = one.split(';').next().unwrap_or(one).trim();
            if matches!(one, "*/*" | "application/*") || one == media_type {
                return true;
            }
        }
    }
    !said
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accept_is_a_list_over_several_lines() {
        let headers = HeaderMap::from_iter([
            (header::ACCEPT, "a/b;q=0.5, c/d".parse().unwrap()),
            (header::ACCEPT, "e/f".parse().unwrap()),
        ]);
        assert!(accepts(&headers, "a/b") && accepts(&headers, "c/d") && accepts(&HeaderMap::new(), "x/y"));
        assert!(!accepts(&headers, "x/y"));
    }

    #[test]
    fn media_types_come_without_parameters() {
        let of = |text: &str| {
            let headers = HeaderMap::from_iter([(header::CONTENT_TYPE, text.parse().unwrap())]);
            media_type(&headers).map(str::to_owned)
        };
        assert_eq!(of("a/b; charset=utf-8").as_deref(), Some("a/b"));
        assert_eq!(of(""), None);
    }
}
