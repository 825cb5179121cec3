//! `s3://bucket/prefix?endpoint=URL&region=NAME`

use crate::ObjectError;
use std::str::FromStr;

/// Where objects are.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Address {
    pub(crate) bucket: String,
    /// Before all keys, without a slash at its end; may be empty.
    pub(crate) prefix: String,
    /// Of a server that is not Amazon's.
    pub(crate) endpoint: Option<String>,
    pub(crate) region: Option<String>,
}

impl FromStr for Address {
    type Err = ObjectError;
    fn from_str(text: &str) -> Result<Self, ObjectError> {
        let bad = |reason| ObjectError::Address { address: text.to_owned(), reason };
        let rest = text.strip_prefix("s3://").ok_or_else(|| bad("it does not begin with s3://"))?;
        let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
        let (bucket, prefix) = path.split_once('/').unwrap_or((path, ""));
        if bucket.is_empty() {
            return Err(bad("it names no bucket"));
        }
        let (mut endpoint, mut region) = (None, None);
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            match &*name {
                "endpoint" if value.starts_with("http://") || value.starts_with("https://") => {
                    endpoint = Some(value.into_owned());
                }
                "endpoint" => return Err(bad("an endpoint begins with http:// or https://")),
                "region" => region = Some(value.into_owned()),
                _ => return Err(bad("it may say endpoint and region, and nothing else")),
            }
        }
        Ok(Self { bucket: bucket.to_owned(), prefix: prefix.trim_matches('/').to_owned(), endpoint, region })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_a_bucket_and_may_have_more() {
        let full: Address = "s3://b/a/c/?endpoint=http://127.0.0.1:9000&region=x".parse().unwrap();
        let endpoint = Some("http://127.0.0.1:9000".to_owned());
        let expected =
            Address { bucket: "b".into(), prefix: "a/c".into(), endpoint, region: Some("x".into()) };
        assert_eq!(full, expected);
        let short: Address = "s3://b".parse().unwrap();
        assert_eq!((short.prefix.as_str(), short.endpoint), ("", None));
        for bad in ["b", "s3://", "s3:///x", "s3://b?endpoint=host:1", "s3://b?regoin=x"] {
            assert!(bad.parse::<Address>().is_err(), "{bad}");
        }
    }
}
