//! Request bodies that are streams.

use axum::body::Body;
use futures_util::TryStreamExt;
use std::io;
use tokio::io::AsyncRead;
use tokio_util::io::StreamReader;

/// The body as it arrives. Its end before its announced length is an error, so that half an upload is never taken for
/// a whole one.
pub(crate) fn reader(body: Body) -> impl AsyncRead + Send + 'static {
    StreamReader::new(body.into_data_stream().map_err(io::Error::other))
}
