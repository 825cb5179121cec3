//! What can go wrong with objects.

use errors::{Class, Classified};
use std::io;

/// Results of the driver.
pub type Result<T, E = ObjectError> = std::result::Result<T, E>;

/// What can go wrong with objects.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs, reason = "the fields are what the messages say")]
pub enum ObjectError {
    /// No address of a bucket.
    #[error("'{address}' is no address of a bucket: {reason}")]
    Address { address: String, reason: &'static str },
    /// The client can't be set up.
    #[error("prepare requests to the bucket {bucket}")]
    Setup {
        bucket: String,
        #[source]
        source: object_store::Error,
    },
    /// The environment says nothing of who we are.
    #[error(
        "the bucket {bucket} at {endpoint} needs credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, and AWS_REGION if it is not us-east-1"
    )]
    NoCredentials { bucket: String, endpoint: String },
    /// The bucket can't be used, for a reason that whoever named it can mend.
    #[error("use the bucket {bucket} at {endpoint}: {advice}")]
    Unusable {
        bucket: String,
        endpoint: String,
        advice: &'static str,
        #[source]
        source: Box<object_store::Error>,
    },
    /// What can't be part of a key.
    #[error("'{key}' can't be the key of an object")]
    Key { key: String },
    /// A file that is to become an object can't be read.
    #[error("read what is to become {key}")]
    File {
        key: String,
        #[source]
        source: io::Error,
    },
    /// The store refused, or did not answer.
    #[error("{action} the object {key}")]
    Request {
        action: &'static str,
        key: String,
        #[source]
        source: object_store::Error,
    },
}

impl Classified for ObjectError {
    fn class(&self) -> Class {
        match self {
            Self::Address { .. } | Self::Setup { .. } | Self::Key { .. } => Class::Invalid,
            Self::NoCredentials { .. } => Class::Denied,
            Self::File { source, .. } => errors::io_class(source),
            Self::Unusable { source, .. } => of_store(source),
            Self::Request { source, .. } => of_store(source),
        }
    }
}

fn of_store(error: &object_store::Error) -> Class {
    match error {
        object_store::Error::NotFound { .. } => Class::NotFound,
        object_store::Error::PermissionDenied { .. } | object_store::Error::Unauthenticated { .. } => {
            Class::Denied
        }
        object_store::Error::Generic { .. } => Class::Unavailable,
        _ => Class::Internal,
    }
}

/// Says what was being done when a request failed.
pub(crate) fn at<T>(action: &'static str, key: &str, result: object_store::Result<T>) -> Result<T> {
    result.map_err(|source| ObjectError::Request { action, key: key.to_owned(), source })
}
