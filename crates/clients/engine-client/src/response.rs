//! Answers: whole, decoded, or streamed.

use crate::error::{Error, Result};
use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt;
use hyper::body::{Body, Incoming};
use serde::de::DeserializeOwned;
use std::io;
use std::marker::PhantomData;

/// A successful answer whose body is still to be read.
#[derive(Debug)]
pub struct Response {
    pub(crate) inner: hyper::Response<Incoming>,
    pub(crate) path: String,
}

impl Response {
    /// The HTTP status.
    pub fn status(&self) -> u16 {
        self.inner.status().as_u16()
    }

    /// A header's value, when it is there and is text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.inner.headers().get(name)?.to_str().ok()
    }

    /// The next piece of the body; `None` at its end.
    pub async fn chunk(&mut self) -> Result<Option<Bytes>> {
        while let Some(frame) = self.inner.body_mut().frame().await {
            let frame = frame.map_err(|cause| Error::Stream(io::Error::other(cause)))?;
            if let Ok(data) = frame.into_data() {
                return Ok(Some(data));
            }
        }
        Ok(None)
    }

    /// The whole body.
    pub async fn bytes(mut self) -> Result<Bytes> {
        /// A daemon that announces more gets as much room as it fills.
        const MOST: u64 = 64 << 20;
        let announced = self.inner.body().size_hint().exact().unwrap_or_default().min(MOST);
        let mut whole = BytesMut::new();
        while let Some(chunk) = self.chunk().await? {
            if whole.is_empty() {
                if self.inner.body().is_end_stream() {
                    return Ok(chunk);
                }
                whole.reserve(announced as usize);
            }
            whole.extend_from_slice(&chunk);
        }
        Ok(whole.freeze())
    }

    /// The whole body as JSON.
    pub async fn json<T: DeserializeOwned>(self) -> Result<T> {
        let path = self.path.clone();
        let bytes = self.bytes().await?;
        serde_json::from_slice(&bytes).map_err(|cause| Error::Decode { path, cause })
    }

    /// The body as a sequence of JSON values, each given out as soon as it is complete.
    pub fn json_lines<T: DeserializeOwned>(self) -> JsonLines<T> {
        JsonLines { response: self, buffer: BytesMut::new(), ended: false, item: PhantomData }
    }
}

/// A stream of JSON values one after the other: events, stats, progress.
#[derive(Debug)]
pub struct JsonLines<T> {
    response: Response,
    buffer: BytesMut,
    ended: bool,
    item: PhantomData<fn() -> T>,
}

impl<T: DeserializeOwned> JsonLines<T> {
    /// The next value; `None` when the daemon ends the stream.
    pub async fn next(&mut self) -> Result<Option<T>> {
        loop {
            let mut values = serde_json::Deserializer::from_slice(&self.buffer).into_iter::<T>();
            match values.next() {
                Some(Ok(value)) => {
                    let used = values.byte_offset();
                    let _ = self.buffer.split_to(used);
                    return Ok(Some(value));
                }
                Some(Err(cause)) if !cause.is_eof() || self.ended => {
                    return Err(Error::Decode { path: self.response.path.clone(), cause });
                }
                None if self.ended => return Ok(None),
                _ => {}
            }
            match self.response.chunk().await? {
                Some(chunk) => self.buffer.extend_from_slice(&chunk),
                None => self.ended = true,
            }
        }
    }
}
