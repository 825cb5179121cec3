//! Content that is in no registry: an archive at an address, for `import`.

use crate::answer::broken;
use crate::http::Reached;
use crate::{Client, RegistryError, Result};
use bytes::Bytes;
use futures_util::{Stream, TryStreamExt};
use std::io;

impl Client {
    /// Reads what is at an `http` or `https` address, as anybody, by way of redirects. A body that ends before its announced length
    /// is an error.
    ///
    /// # Errors
    /// [`RegistryError::Unreachable`], [`RegistryError::Refused`]; [`RegistryError::Protocol`] for what is no such address.
    pub async fn content_at(
        &self,
        address: &str,
    ) -> Result<impl Stream<Item = io::Result<Bytes>> + Send + 'static> {
        let wrong = |reason: String| RegistryError::Protocol { url: address.to_owned(), reason };
        let url = reqwest::Url::parse(address).map_err(|error| wrong(format!("not an address: {error}")))?;
        let https = match url.scheme() {
            "http" => false,
            "https" => true,
            other => return Err(wrong(format!("{other} is not supported, only http and https are"))),
        };
        let http = self.http_to(Reached::anything(https), url.host_str().unwrap_or_default())?;
        let answer = http.get(url).send().await.map_err(|error| broken("GET", address, error))?;
        if !answer.status().is_success() {
            let (url, status) = (address.to_owned(), answer.status().as_u16());
            let message = answer.status().canonical_reason().unwrap_or("no success").to_owned();
            return Err(RegistryError::Refused { method: "GET".to_owned(), url, status, message });
        }
        Ok(answer.bytes_stream().map_err(io::Error::other))
    }
}
