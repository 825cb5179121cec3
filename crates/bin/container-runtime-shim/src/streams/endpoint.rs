//! Where the streams of a process go, as a request says it.

use crate::error::{Error, Result};
use shim_protocol::ATTACH_STREAM;
use std::path::PathBuf;

/// The other end of one stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Endpoint {
    /// `/dev/null`.
    Null,
    /// Clients of the attach socket, as they come and go.
    Attach,
    /// A FIFO, as containerd makes them.
    Fifo(PathBuf),
}

impl Endpoint {
    fn parse(text: &str) -> Result<Self> {
        match text {
            "" => Ok(Self::Null),
            ATTACH_STREAM => Ok(Self::Attach),
            path if path.starts_with('/') => Ok(Self::Fifo(path.into())),
            other => Err(Error::Unsupported { what: format!("the stream {other:?}") }),
        }
    }

    fn as_str(&self) -> &str {
        match self {
            Self::Null => "",
            Self::Attach => ATTACH_STREAM,
            Self::Fifo(path) => path.to_str().unwrap_or_default(),
        }
    }
}

/// All three.
#[derive(Debug, Clone)]
pub(crate) struct Endpoints {
    pub(crate) stdin: Endpoint,
    pub(crate) stdout: Endpoint,
    pub(crate) stderr: Endpoint,
}

impl Endpoints {
    /// # Errors
    /// For what is neither empty nor [`ATTACH_STREAM`] nor an absolute path.
    pub(crate) fn parse(stdin: &str, stdout: &str, stderr: &str) -> Result<Self> {
        let parse = Endpoint::parse;
        Ok(Self { stdin: parse(stdin)?, stdout: parse(stdout)?, stderr: parse(stderr)? })
    }

    /// As the request had them.
    pub(crate) fn to_strings(&self) -> [String; 3] {
        [&self.stdin, &self.stdout, &self.stderr].map(|endpoint| endpoint.as_str().to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endpoints_read_back_and_other_schemes_are_refused() {
        let endpoints = Endpoints::parse("", ATTACH_STREAM, "/run/fifo").unwrap();
        assert_eq!(endpoints.to_strings(), ["", ATTACH_STREAM, "/run/fifo"]);
        assert!(matches!(Endpoints::parse("", "binary:///log", ""), Err(Error::Unsupported { .. })));
    }
}
