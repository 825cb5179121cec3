//! What is answered without an engine: versions, headers, what there is not.

use super::{around, unattended};
use crate::http::dispatch::dispatch;
use axum::body::Body;
use axum::http::{HeaderMap, Request};
use http_body_util::BodyExt;

struct Answered {
    status: u16,
    headers: HeaderMap,
    body: String,
}

impl Answered {
    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}

async fn ask(method: &str, path: &str) -> Answered {
    let request = Request::builder().method(method).uri(path).body(Body::empty()).unwrap();
    let response = dispatch(around(unattended()), request).await;
    let (parts, body) = response.into_parts();
    let body = body.collect().await.unwrap().to_bytes().to_vec();
    let body = String::from_utf8(body).unwrap();
    Answered { status: parts.status.as_u16(), headers: parts.headers, body }
}

#[tokio::test]
async fn ping_tells_clients_whom_they_talk_to() {
    for path in ["/_ping", "/v1.24/_ping", "/v1.51/_ping"] {
        for (method, body) in [("GET", "OK"), ("HEAD", "")] {
            let answer = ask(method, path).await;
            assert_eq!((answer.status, answer.body.as_str()), (200, body), "{method} {path}");
            for (name, value) in [
                ("Api-Version", "1.51"),
                ("Builder-Version", "1"),
                ("Docker-Experimental", "false"),
                ("Ostype", "linux"),
                ("Swarm", "inactive"),
                ("Cache-Control", "no-cache, no-store, must-revalidate"),
                ("Pragma", "no-cache"),
                ("Content-Type", "text/plain; charset=utf-8"),
            ] {
                assert_eq!(answer.header(name), value, "{method} {path}: {name}");
            }
            assert!(answer.header("Server").starts_with("Docker/28.5.2 (linux)"));
        }
    }
}

#[tokio::test]
async fn every_version_in_range_is_answered_and_no_other() {
    for minor in 24..=51 {
        assert_eq!(ask("GET", &format!("/v1.{minor}/plugins")).await.status, 200, "1.{minor}");
    }
    let old = ask("GET", "/v1.23/_ping").await;
    assert_eq!((old.status, old.header("Content-Type")), (400, "text/plain; charset=utf-8"));
    assert_eq!(
        old.body,
        "client version 1.23 is too old. Minimum supported API version is 1.24, \
         please upgrade your client to a newer version\n"
    );
    let new = ask("GET", "/v1.52/plugins").await;
    assert_eq!(new.status, 400);
    assert_eq!(
        new.body,
        r#"{"message":"client version 1.52 is too new. Maximum supported API version is 1.51"}"#
    );
    assert_eq!(new.header("Api-Version"), "1.51");
}

#[tokio::test]
async fn unknown_paths_and_methods_are_not_found() {
    for (method, path) in [
        ("GET", "/"),
        ("GET", "/nope"),
        ("GET", "/v1.41/"),
        ("GET", "/v1.41/nope"),
        ("GET", "/v1.99/nope"),
        ("POST", "/plugins"),
        ("DELETE", "/_ping"),
    ] {
        let answer = ask(method, path).await;
        assert_eq!(answer.status, 404, "{method} {path}");
        assert_eq!(answer.body, r#"{"message":"page not found"}"#, "{method} {path}");
        assert_eq!(answer.header("Api-Version"), "", "{method} {path}");
    }
}

#[tokio::test]
async fn swarm_answers_as_a_daemon_that_is_in_none() {
    let manager = r#"{"message":"This node is not a swarm manager. Use \"docker swarm init\" or \"docker swarm join\" to connect this node to swarm and try again."}"#;
    for path in
        ["/swarm", "/nodes", "/services", "/tasks", "/secrets", "/configs", "/nodes/x", "/services/x/logs"]
    {
        let answer = ask("GET", path).await;
        assert_eq!((answer.status, answer.body.as_str()), (503, manager), "{path}");
    }
    for path in ["/services/create", "/secrets/create", "/configs/x/update", "/swarm/update"] {
        assert_eq!(ask("POST", path).await.body, manager, "{path}");
    }
    let leave = ask("POST", "/swarm/leave?force=1").await;
    assert_eq!(
        (leave.status, leave.body.as_str()),
        (503, r#"{"message":"This node is not part of a swarm"}"#)
    );
    assert_eq!(ask("POST", "/swarm/init").await.status, 501);
}

#[tokio::test]
async fn there_are_no_plugins() {
    let list = ask("GET", "/plugins").await;
    assert_eq!((list.status, list.body.as_str()), (200, "[]\n"));
    let one = ask("GET", "/plugins/a/b:latest/json").await;
    assert_eq!((one.status, one.body.as_str()), (404, r#"{"message":"plugin \"a/b:latest\" not found"}"#));
    assert_eq!(ask("POST", "/plugins/x/enable?timeout=0").await.status, 404);
    assert_eq!(ask("DELETE", "/plugins/x").await.status, 404);
    assert_eq!(ask("POST", "/plugins/pull").await.status, 501);
}

#[tokio::test]
async fn what_is_missing_says_what_it_is() {
    for (method, path, what) in
        [("POST", "/build?t=x", "building images"), ("POST", "/containers/x/checkpoints", "checkpointing")]
    {
        let answer = ask(method, path).await;
        assert_eq!(answer.status, 501, "{method} {path}");
        assert!(answer.body.contains(what), "{method} {path}: {}", answer.body);
    }
    let session = ask("POST", "/session").await;
    assert_eq!(
        (session.status, session.body.as_str()),
        (400, r#"{"message":"no upgrade proto in request"}"#)
    );
}

#[tokio::test]
async fn options_are_answered_everywhere() {
    assert_eq!(ask("OPTIONS", "/whatever").await.status, 200);
}
