//! What an HTTP client says when there is no answer, in few words: the cause, without the layers that it came through.

use std::error::Error;
use std::fmt;
use std::io;

/// Why there is no answer, or no more of it.
#[derive(Debug)]
pub struct Broken(Box<reqwest::Error>);

impl Broken {
    pub(crate) fn new(error: reqwest::Error) -> Self {
        Self(Box::new(error))
    }

    pub(crate) fn error(&self) -> &reqwest::Error {
        &self.0
    }
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (mut inner, mut words): (&dyn Error, String) = (&*self.0, self.0.to_string());
        while let Some(source) = inner.source() {
            inner = source;
            if inner.to_string().starts_with("dns error") {
                return f.write_str("no such host");
            }
            words = inner.to_string();
        }
        if self.0.is_timeout() {
            return f.write_str("no answer in time");
        }
        match inner.downcast_ref().map(io::Error::kind) {
            Some(io::ErrorKind::ConnectionRefused) => f.write_str("connection refused"),
            Some(io::ErrorKind::ConnectionReset) => f.write_str("connection reset by peer"),
            Some(io::ErrorKind::HostUnreachable) => f.write_str("no route to host"),
            Some(io::ErrorKind::NetworkUnreachable) => f.write_str("network is unreachable"),
            _ if words.contains("InvalidContentType") => {
                f.write_str("the server does not speak TLS: if it may be reached without, name it in registry.insecure")
            }
            _ if words.contains("CertificateRequired") => f.write_str(
                "the server asks for a certificate of the client: put it into certs.d/HOST/client.cert, and its key into client.key there",
            ),
            // Another authority of the same name signs what does not fit.
            _ if ["UnknownIssuer", "BadSignature"].iter().any(|one| words.contains(one)) => f.write_str(
                "the certificate is of an authority that is not known here: put that into certs.d/HOST/ca.crt",
            ),
            _ => f.write_str(&words),
        }
    }
}

impl Error for Broken {}
