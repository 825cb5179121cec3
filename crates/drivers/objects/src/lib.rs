//! Objects in a bucket, by the protocol of Amazon S3, which many others speak.
//!
//! `s3://bucket/prefix?endpoint=https://host:port&region=eu-1` names where they are. Who we are the environment says, in
//! Amazon's variables: `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`, `AWS_SESSION_TOKEN`. What a store has acknowledged is
//! durable, and the next question sees it: S3 has promised that since 2020.

mod address;
mod check;
mod connection;
mod error;
mod put;

pub use error::{ObjectError, Result};

use address::Address;
use bytes::Bytes;
use connection::Connector;
use error::at;
use futures_util::StreamExt;
use futures_util::stream::BoxStream;
use object_store::aws::{AmazonS3, AmazonS3Builder};
use object_store::path::Path;
use object_store::{ListResult, ObjectMeta, ObjectStore, ObjectStoreExt, RetryConfig};
use std::ops::Range;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

/// How often a request is made again, and for how long: somebody waits.
const RETRIES: usize = 4;
const PATIENCE: Duration = Duration::from_secs(30);

/// A bucket, or what in it begins with a prefix. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Bucket {
    store: Arc<AmazonS3>,
    prefix: String,
    /// For messages.
    named: Arc<check::Named>,
}

/// What is known of an object without its content.
#[derive(Debug, Clone)]
pub struct Meta {
    /// The last part of its key.
    pub name: String,
    /// Bytes.
    pub size: u64,
    /// When it was stored.
    pub modified: SystemTime,
}

/// What is below a prefix, down to the next slash.
#[derive(Debug, Clone, Default)]
pub struct Listing {
    /// Objects.
    pub objects: Vec<Meta>,
    /// The parts of keys that have more behind them.
    pub folders: Vec<String>,
}

impl Bucket {
    /// The bucket of an `s3://…` address. Nothing is asked yet.
    ///
    /// # Errors
    /// [`ObjectError::Address`], [`ObjectError::NoCredentials`], [`ObjectError::Setup`].
    pub fn open(address: &str) -> Result<Self> {
        Self::built(address, AmazonS3Builder::from_env())
    }

    /// The same with an access key and its secret, whatever the environment says.
    ///
    /// # Errors
    /// As [`Bucket::open`].
    pub fn open_as(address: &str, key_id: &str, secret: &str) -> Result<Self> {
        let builder = AmazonS3Builder::new().with_access_key_id(key_id).with_secret_access_key(secret);
        Self::built(address, builder)
    }

    fn built(address: &str, builder: AmazonS3Builder) -> Result<Self> {
        let Address { bucket, prefix, endpoint, region } = address.parse()?;
        let named = check::Named::new(&bucket, endpoint.as_deref());
        named.check_credentials(&builder)?;
        let mut builder = builder
            .with_bucket_name(&bucket)
            .with_retry(RetryConfig {
                max_retries: RETRIES,
                retry_timeout: PATIENCE,
                ..RetryConfig::default()
            })
            .with_http_connector(Connector);
        if let Some(endpoint) = endpoint {
            builder = builder.with_allow_http(endpoint.starts_with("http://")).with_endpoint(endpoint);
        }
        if let Some(region) = region {
            builder = builder.with_region(region);
        }
        let store = builder.build().map_err(|source| ObjectError::Setup { bucket, source })?;
        Ok(Self { store: Arc::new(store), prefix, named: Arc::new(named) })
    }

    /// What is known of an object; none: there is none.
    pub async fn meta(&self, key: &str) -> Result<Option<Meta>> {
        let path = self.path(key)?;
        let found = self.store.head(&path).await;
        Ok(missing_is_none(at("ask for", key, found))?.as_ref().and_then(meta))
    }

    /// The content of a small object; none: there is none.
    pub async fn get(&self, key: &str) -> Result<Option<Bytes>> {
        let path = self.path(key)?;
        let Some(found) = missing_is_none(at("get", key, self.store.get(&path).await))? else {
            return Ok(None);
        };
        at("get", key, found.bytes().await).map(Some)
    }

    /// A part of an object, as it comes, which must lie in it and hold something; none: there is none of that key.
    pub async fn stream(
        &self,
        key: &str,
        range: Range<u64>,
    ) -> Result<Option<BoxStream<'static, Result<Bytes>>>> {
        let path = self.path(key)?;
        let options = object_store::GetOptions::new().with_range(Some(range));
        let found = self.store.get_opts(&path, options).await;
        let Some(found) = missing_is_none(at("get", key, found))? else { return Ok(None) };
        let key = key.to_owned();
        Ok(Some(found.into_stream().map(move |piece| at("get", &key, piece)).boxed()))
    }

    /// Makes or replaces a small object.
    pub async fn put(&self, key: &str, content: Bytes) -> Result<()> {
        let path = self.path(key)?;
        at("put", key, self.store.put(&path, content.into()).await).map(drop)
    }

    /// Deletes an object. One that does not exist is no error.
    pub async fn delete(&self, key: &str) -> Result<()> {
        let path = self.path(key)?;
        missing_is_none(at("delete", key, self.store.delete(&path).await)).map(drop)
    }

    /// What is below `folder/`.
    pub async fn list(&self, folder: &str) -> Result<Listing> {
        let path = self.path(folder)?;
        let ListResult { objects, common_prefixes, .. } =
            at("list", folder, self.store.list_with_delimiter(Some(&path)).await)?;
        let last = |path: &Path| path.filename().map(str::to_owned);
        let folders = common_prefixes.iter().filter_map(last).collect();
        Ok(Listing { objects: objects.iter().filter_map(meta).collect(), folders })
    }

    fn path(&self, key: &str) -> Result<Path> {
        let full = if self.prefix.is_empty() { key.to_owned() } else { format!("{}/{key}", self.prefix) };
        Path::parse(&full).map_err(|_| ObjectError::Key { key: key.to_owned() })
    }
}

fn meta(object: &ObjectMeta) -> Option<Meta> {
    let name = object.location.filename()?.to_owned();
    Some(Meta { name, size: object.size, modified: object.last_modified.into() })
}

fn missing_is_none<T>(result: Result<T>) -> Result<Option<T>> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(ObjectError::Request { source: object_store::Error::NotFound { .. }, .. }) => Ok(None),
        Err(error) => Err(error),
    }
}
