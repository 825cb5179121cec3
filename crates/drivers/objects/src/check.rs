//! Whether a bucket can be used, before somebody relies on it; and what to do if it can't.

use crate::{Bucket, ObjectError, Result};
use futures_util::StreamExt;
use object_store::aws::{AmazonS3Builder, AmazonS3ConfigKey as Key};
use object_store::path::Path;
use object_store::{Error, ObjectStore};

/// Where credentials may come from, each enough for itself.
const CREDENTIALS: [Key; 4] = [
    Key::AccessKeyId,
    Key::WebIdentityTokenFile,
    Key::ContainerCredentialsRelativeUri,
    Key::ContainerCredentialsFullUri,
];

/// What a bucket is called in messages.
#[derive(Debug)]
pub(crate) struct Named {
    bucket: String,
    endpoint: Option<String>,
}

impl Named {
    pub(crate) fn new(bucket: &str, endpoint: Option<&str>) -> Self {
        Self { bucket: bucket.to_owned(), endpoint: endpoint.map(str::to_owned) }
    }

    fn endpoint(&self) -> String {
        self.endpoint.clone().unwrap_or_else(|| "Amazon S3".to_owned())
    }

    /// Another store than Amazon's takes only credentials that are given: to ask the virtual machine for some, as is usual there, would
    /// end after minutes with an address that nobody has written.
    pub(crate) fn check_credentials(&self, builder: &AmazonS3Builder) -> Result<()> {
        let given = CREDENTIALS.iter().any(|key| builder.get_config_value(key).is_some());
        if given || self.endpoint.is_none() {
            return Ok(());
        }
        Err(ObjectError::NoCredentials { bucket: self.bucket.clone(), endpoint: self.endpoint() })
    }

    fn unusable(&self, source: Error) -> ObjectError {
        let advice = match status(&source) {
            Some(404) => "there is no bucket of this name: make it, or name another",
            Some(401 | 403) => {
                "the credentials are refused: see AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_REGION"
            }
            _ if self.endpoint.is_some() => "nothing usable is answered there: see endpoint= in its address",
            _ => {
                "see AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_REGION, which say who asks and where, and the network"
            }
        };
        let (bucket, endpoint) = (self.bucket.clone(), self.endpoint());
        ObjectError::Unusable { bucket, endpoint, advice, source: Box::new(source) }
    }
}

/// The status of an answer to a listing, which `object_store` tells in words only.
fn status(error: &Error) -> Option<u16> {
    let told = errors::chain(error);
    let (_, rest) = told.split_once("status code: ")?;
    rest.get(..3)?.parse().ok()
}

impl Bucket {
    /// Asks for the first page of what is there.
    ///
    /// # Errors
    /// [`ObjectError::Unusable`] says what whoever named the bucket can do.
    pub async fn check(&self) -> Result<()> {
        let prefix = Path::parse(&self.prefix).map_err(|_| ObjectError::Key { key: self.prefix.clone() })?;
        match self.store.list(Some(&prefix)).next().await {
            None | Some(Ok(_)) => Ok(()),
            Some(Err(source)) => Err(self.named.unusable(source)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Read, Write};
    use std::net::TcpListener;

    /// What a check of a bucket says whose store answers so.
    async fn checked(answer: impl Into<String>) -> Result<()> {
        let (answer, listener) = (answer.into(), TcpListener::bind("127.0.0.1:0").unwrap());
        let address = format!("s3://images/x?endpoint=http://{}", listener.local_addr().unwrap());
        let server = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let _ = stream.read(&mut [0; 8192]).unwrap();
            stream.write_all(answer.as_bytes()).unwrap();
        });
        let checked = Bucket::open_as(&address, "id", "secret").unwrap().check().await;
        server.join().unwrap();
        checked
    }

    #[tokio::test]
    async fn what_can_be_mended_is_said() {
        for (answer, advice) in [
            ("HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n", "there is no bucket of this name"),
            ("HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n", "AWS_SECRET_ACCESS_KEY"),
        ] {
            let said = checked(answer).await.unwrap_err().to_string();
            assert!(said.starts_with("use the bucket images at http://127.0.0.1:"), "{said}");
            assert!(said.contains(advice), "{said}");
        }
    }

    #[tokio::test]
    async fn an_empty_bucket_is_one() {
        let listing = "<ListBucketResult><IsTruncated>false</IsTruncated></ListBucketResult>";
        checked(format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{listing}", listing.len()))
            .await
            .unwrap();
    }

    #[tokio::test]
    async fn a_dead_endpoint_is_named() {
        let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let bucket = Bucket::open_as(&format!("s3://images?endpoint=http://{free}"), "id", "secret").unwrap();
        let said = bucket.check().await.unwrap_err().to_string();
        assert!(
            said.contains("images") && said.contains(&free.to_string()) && said.contains("endpoint="),
            "{said}"
        );
    }

    #[test]
    fn without_credentials_nobody_is_asked() {
        let address = "s3://images?endpoint=http://127.0.0.1:1";
        let error = Bucket::built(address, AmazonS3Builder::new()).unwrap_err().to_string();
        assert!(error.contains("AWS_ACCESS_KEY_ID") && error.contains("images"), "{error}");
        Bucket::built("s3://images", AmazonS3Builder::new()).unwrap();
    }
}
