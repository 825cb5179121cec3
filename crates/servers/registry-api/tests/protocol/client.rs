//! A client that says exactly what a case wants said.

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::header::{HeaderMap, HeaderName};
use hyper::{Method, Request, StatusCode};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::net::SocketAddr;
use tokio::net::TcpStream;

#[derive(Clone, Copy)]
pub(super) struct Client(pub(super) SocketAddr);

pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
}

impl Client {
    pub(super) async fn send(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: impl Into<Bytes>,
    ) -> Answer {
        let stream = TcpStream::connect(self.0).await.unwrap();
        let (mut sender, connection) =
            hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.unwrap();
        tokio::spawn(connection);
        // Registries may say where they are, or only the path.
        let path = match path.split_once("://") {
            Some((_, rest)) => &rest[rest.find('/').unwrap()..],
            None => path,
        };
        let mut request = Request::builder().method(Method::from_bytes(method.as_bytes()).unwrap()).uri(path);
        for (name, value) in [("host", self.0.to_string().as_str())].iter().chain(headers) {
            request = request.header(HeaderName::from_bytes(name.as_bytes()).unwrap(), *value);
        }
        let response = sender.send_request(request.body(Full::new(body.into())).unwrap()).await.unwrap();
        let (parts, body) = response.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        Answer { status: parts.status, headers: parts.headers, body }
    }

    pub(super) async fn get(&self, path: &str) -> Answer {
        self.send("GET", path, &[], "").await
    }

    /// Uploads a blob in two requests.
    pub(super) async fn blob(&self, name: &str, content: &[u8]) -> String {
        let digest = digest(content);
        let begun = self.send("POST", &format!("/v2/{name}/blobs/uploads/"), &[], "").await.expect(202);
        let path = with_query(begun.location(), &format!("digest={digest}"));
        self.send("PUT", &path, &[("content-type", "application/octet-stream")], content.to_vec())
            .await
            .expect(201);
        digest
    }

    pub(super) async fn manifest(&self, name: &str, target: &str, document: &Value) -> Answer {
        let kind = document["mediaType"].as_str().unwrap().to_owned();
        let path = format!("/v2/{name}/manifests/{target}");
        self.send("PUT", &path, &[("content-type", &kind)], document.to_string()).await
    }
}

impl Answer {
    /// Itself, if it has this status.
    #[track_caller]
    pub(super) fn expect(self, status: u16) -> Self {
        assert_eq!(self.status.as_u16(), status, "{}", String::from_utf8_lossy(&self.body));
        self
    }

    /// As [`Answer::expect`], and with this code of the specification.
    #[track_caller]
    pub(super) fn refused(self, status: u16, code: &str) -> Self {
        let answer = self.expect(status);
        assert_eq!(answer.json()["errors"][0]["code"], code, "{}", String::from_utf8_lossy(&answer.body));
        answer
    }

    pub(super) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    pub(super) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    pub(super) fn location(&self) -> &str {
        self.header("location")
    }
}

pub(super) fn with_query(path: &str, query: &str) -> String {
    format!("{path}{}{query}", if path.contains('?') { '&' } else { '?' })
}

pub(super) fn digest(content: &[u8]) -> String {
    let hex: String = Sha256::digest(content).iter().map(|byte| format!("{byte:02x}")).collect();
    format!("sha256:{hex}")
}
