//! Parameters in the query of a request.

use crate::http::refusal::{Code, Refusal};
use axum::http::{StatusCode, Uri};

/// The parameters, decoded, in their order.
#[derive(Debug)]
pub(crate) struct Query(Vec<(String, String)>);

impl Query {
    pub(crate) fn of(uri: &Uri) -> Self {
        Self::parse(uri.query().unwrap_or_default().as_bytes())
    }

    /// Also of a form's body.
    pub(crate) fn parse(text: &[u8]) -> Self {
        Self(form_urlencoded::parse(text).into_owned().collect())
    }

    /// The first parameter of that name.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// All parameters of that name.
    pub(crate) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// How many items a page shall have; `default` where nothing is said.
    pub(crate) fn limit(&self, default: Option<usize>) -> Result<Option<usize>, Refusal> {
        let Some(text) = self.get("n") else { return Ok(default) };
        text.parse().map(Some).map_err(|_| {
            let message = format!("n={text} is no number of items");
            Refusal::new(StatusCode::BAD_REQUEST, Code::Unsupported, message)
        })
    }
}
