//! Wrong input, and the ends of connections and processes.

use super::client::{digest, with_query};
use super::server::{over, over_at_most, with};
use registry_api::Access;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

#[tokio::test]
async fn nonsense_is_refused() {
    let server = with(|_| Access::Open).await;
    let client = server.client;
    client.get("/v2/../../etc/passwd").await.expect(404);
    client.get("/v2/a/%2e%2e/%2e%2e/tags/list").await.refused(400, "NAME_INVALID");
    client.get("/v2/a/blobs/sha256:xyz").await.refused(400, "DIGEST_INVALID");
    client.get("/v2/a/tags/list?n=many").await.expect(400);
    client.send("POST", "/v2/a/tags/list", &[], "").await.refused(405, "UNSUPPORTED");
    client
        .send("POST", "/v2/a/blobs/uploads/?digest-algorithm=md5", &[], "")
        .await
        .refused(400, "DIGEST_INVALID");
    let large = vec![b' '; (4 << 20) + 1];
    client.send("PUT", "/v2/a/manifests/x", &[], large).await.refused(413, "MANIFEST_INVALID");
    for (document, why) in [
        (r#"{"schemaVersion":1,"name":"a","tag":"x","fsLayers":[]}"#, "schema version 1"),
        (r#"{"schemaVersion":2}"#, "neither config"),
        (r#"{"schemaVersion":2,"manifests":[],"layers":[]}"#, "both an image and an index"),
        (r#"{"schemaVersion":2,"config":{"digest":"md5:00"},"layers":[]}"#, "malformed"),
        ("[]", "malformed"),
    ] {
        let refused =
            client.send("PUT", "/v2/a/manifests/x", &[], document).await.refused(400, "MANIFEST_INVALID");
        let message = refused.json()["errors"][0]["message"].to_string();
        assert!(message.contains(why), "{message}");
    }
    assert_eq!(std::fs::read_dir(server.dir.path().join("blobs/sha256")).unwrap().count(), 0);
}

/// Whatever came before a connection broke is kept, and another process goes on with it.
#[tokio::test]
async fn broken_uploads_are_gone_on_with() {
    let server = with(|_| Access::Open).await;
    let begun = server.client.send("POST", "/v2/a/blobs/uploads/", &[], "").await.expect(202);
    let mut stream = TcpStream::connect(server.client.0).await.unwrap();
    let head =
        format!("PATCH {} HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n0123456789", begun.location());
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.shutdown().await.unwrap();
    drop(stream);
    let limit = tokio::time::Instant::now() + Duration::from_secs(10);
    while server.client.get(begun.location()).await.expect(204).header("range") != "0-9" {
        assert!(tokio::time::Instant::now() < limit, "the first ten bytes did not arrive");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    // As a new process would find it; the old one has the file still open.
    let copy = tempfile::tempdir().unwrap();
    let copied =
        std::process::Command::new("cp").arg("-a").arg(server.dir.path().join(".")).arg(copy.path()).status();
    assert!(copied.unwrap().success());
    let client = over(copy.path(), Access::Open).await;
    assert_eq!(client.get(begun.location()).await.expect(204).header("range"), "0-9");
    client.send("PATCH", begun.location(), &[("content-range", "10-12")], "abc").await.expect(202);
    let digest = digest(b"0123456789abc");
    client.send("PUT", &with_query(begun.location(), &format!("digest={digest}")), &[], "").await.expect(201);
    assert_eq!(client.get(&format!("/v2/a/blobs/{digest}")).await.expect(200).body, "0123456789abc");
}

/// More connections than are allowed are not refused, and not begun with: they wait until another ends.
#[tokio::test]
async fn connections_beyond_the_bound_wait() {
    const PING: &[u8] = b"GET /v2/ HTTP/1.1\r\nHost: x\r\n\r\n";
    let dir = tempfile::tempdir().unwrap();
    let client = over_at_most(dir.path(), Access::Open, 1).await;
    let mut first = TcpStream::connect(client.0).await.unwrap();
    let mut answer = [0; 4096];
    first.write_all(PING).await.unwrap();
    assert!(first.read(&mut answer).await.unwrap() > 0);
    let mut second = TcpStream::connect(client.0).await.unwrap();
    second.write_all(PING).await.unwrap();
    for _ in 0..100 {
        first.write_all(PING).await.unwrap();
        assert!(first.read(&mut answer).await.unwrap() > 0);
    }
    let early = second.try_read(&mut answer);
    assert_eq!(early.unwrap_err().kind(), std::io::ErrorKind::WouldBlock);
    drop(first);
    assert!(second.read(&mut answer).await.unwrap() > 0);
}
