//! Query parameters, read as leniently as Docker reads them.

use crate::http::filters::{self, MalformedFilters};
use crate::http::timestamp::{self, TimestampError};
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use engine::Filters;
use errors::{Class, Classified};
use std::convert::Infallible;

/// All parameters in the order given; a name may repeat.
#[derive(Debug, Clone, Default)]
pub(crate) struct Query(Vec<(String, String)>);

/// A parameter that can't be read.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum QueryError {
    /// Not a number.
    #[error("invalid value '{value}' for the query parameter '{name}': expected an integer")]
    NotInteger { name: &'static str, value: String },
    /// Absent, but there is nothing to do without it.
    #[error("the query parameter '{name}' is required")]
    Missing { name: &'static str },
}

impl Classified for QueryError {
    fn class(&self) -> Class {
        Class::Invalid
    }
}

impl Query {
    /// Of the part of an URI behind the question mark.
    pub(crate) fn parse(text: &str) -> Self {
        Self(form_urlencoded::parse(text.as_bytes()).into_owned().collect())
    }

    /// The first value, if it is not empty.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.given(name).filter(|value| !value.is_empty())
    }

    /// The first value, if it is not empty, as an owned text.
    pub(crate) fn owned(&self, name: &str) -> Option<String> {
        self.text(name).map(str::to_owned)
    }

    /// As [`Query::text`], or an error that names the parameter.
    pub(crate) fn required(&self, name: &'static str) -> Result<&str, QueryError> {
        self.text(name).ok_or(QueryError::Missing { name })
    }

    /// All values of a name.
    pub(crate) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// Docker's idea of a boolean: anything but empty, `0`, `no`, `false` and `none` is true.
    pub(crate) fn flag(&self, name: &str) -> bool {
        self.flag_or(name, false)
    }

    /// As [`Query::flag`], with another value for an absent parameter.
    pub(crate) fn flag_or(&self, name: &str, absent: bool) -> bool {
        self.given(name).map_or(absent, is_true)
    }

    /// An integer; absent or empty: none.
    pub(crate) fn integer(&self, name: &'static str) -> Result<Option<i64>, QueryError> {
        let Some(value) = self.text(name) else { return Ok(None) };
        value.parse().map(Some).map_err(|_| QueryError::NotInteger { name, value: value.to_owned() })
    }

    /// A point in time, in nanoseconds since 1970; absent, empty or `0`: none.
    pub(crate) fn time(&self, name: &str) -> Result<Option<i64>, TimestampError> {
        match self.text(name) {
            None | Some("0") => Ok(None),
            Some(text) => timestamp::parse(text).map(Some),
        }
    }

    /// The parameter `filters`.
    pub(crate) fn filters(&self) -> Result<Filters, MalformedFilters> {
        filters::parse(self.text("filters").unwrap_or_default())
    }

    fn given(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

fn is_true(value: &str) -> bool {
    !matches!(value.trim().to_ascii_lowercase().as_str(), "" | "0" | "no" | "false" | "none")
}

impl<S: Sync> FromRequestParts<S> for Query {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self::parse(parts.uri.query().unwrap_or_default()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn booleans_are_read_as_docker_reads_them() {
        let query = Query::parse("a=1&b=true&c=True&d=yes&e=0&f=false&g=no&h=none&i=&j=False&k=%20");
        for name in ["a", "b", "c", "d"] {
            assert!(query.flag(name), "{name}");
        }
        for name in ["e", "f", "g", "h", "i", "j", "k", "absent"] {
            assert!(!query.flag(name), "{name}");
        }
        assert!(query.flag_or("absent", true));
        assert!(!query.flag_or("e", true));
    }

    #[test]
    fn numbers_and_repeated_names() {
        let query = Query::parse("limit=5&bad=x&names=a&names=b%2Fc&t=-1&empty=");
        assert_eq!(query.integer("limit").unwrap(), Some(5));
        assert_eq!(query.integer("t").unwrap(), Some(-1));
        assert_eq!(query.integer("empty").unwrap(), None);
        assert_eq!(query.integer("none").unwrap(), None);
        assert!(query.integer("bad").unwrap_err().to_string().contains("'bad'"));
        assert_eq!(query.all("names").collect::<Vec<_>>(), ["a", "b/c"]);
        assert_eq!(query.required("names").unwrap(), "a");
        assert!(query.required("empty").is_err());
    }
}
