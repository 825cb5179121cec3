//! Blobs on their way to a registry.

use crate::scripted::{Act, Registry, says};
use crate::support::{app, hasty, noise, sha256, text};
use registry::{Purpose, Repository, Result, Source, Uploaded};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

const SIZE: usize = 900_000;

async fn upload(repository: &Repository, content: &[u8], from: Option<&str>) -> Result<Uploaded> {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), content).unwrap();
    let source = Source::File(file.path().to_owned());
    let sent = Arc::new(AtomicU64::new(0));
    let count = Arc::clone(&sent);
    let tell = Arc::new(move |position| count.store(position, Ordering::SeqCst));
    let done = repository.upload(&sha256(content), content.len() as u64, &source, from, tell).await;
    if matches!(done, Ok(Uploaded::Sent)) {
        assert_eq!(sent.load(Ordering::SeqCst), content.len() as u64);
    }
    done
}

fn stored(registry: &Registry, content: &[u8]) -> bool {
    registry.content(&format!("app/blobs/{}", sha256(content))).is_some_and(|bytes| bytes == content)
}

#[tokio::test]
async fn a_blob_is_sent_once() {
    let (registry, content) = (Registry::start().await, noise(SIZE));
    let repository = app(&registry, Purpose::Push);
    assert_eq!(upload(&repository, &content, None).await.unwrap(), Uploaded::Sent);
    assert!(stored(&registry, &content));
    let put = registry.seen().into_iter().find(|seen| seen.method == "PUT").unwrap();
    assert_eq!(put.query, format!("_state=a%2Fb&digest={}", sha256(&content).as_str().replace(':', "%3A")));
    assert_eq!(put.header("content-length"), SIZE.to_string());
    assert_eq!(upload(&repository, &content, None).await.unwrap(), Uploaded::Exists);
    assert_eq!(registry.count("PUT", ""), 1);
    assert_eq!(upload(&repository, b"", None).await.unwrap(), Uploaded::Sent);
}

#[tokio::test]
async fn a_location_is_relative_or_absolute_or_elsewhere() {
    let (registry, other) = (Registry::start().await, Registry::start().await);
    let repository = app(&registry, Purpose::Push);
    for (number, place) in ["9?x=1".to_owned(), format!("http://{}/v2/app/blobs/uploads/9", registry.host())]
        .into_iter()
        .enumerate()
    {
        let content = noise(SIZE + number);
        registry.script(
            "POST",
            "app/blobs/uploads/",
            [Act::Answer(202, vec![("location", place)], String::new())],
        );
        assert_eq!(upload(&repository, &content, None).await.unwrap(), Uploaded::Sent);
        assert!(stored(&registry, &content));
    }
    // What stores the content may be another server, that the password is none of the business of.
    registry.guard(|seen| {
        let challenge = [("www-authenticate", "Basic realm=x")];
        seen.header("authorization").is_empty().then(|| says(401, &challenge, ""))
    });
    let place = format!("http://{}/v2/app/blobs/uploads/1", other.host());
    registry.script(
        "POST",
        "app/blobs/uploads/",
        [Act::Answer(202, vec![("location", place)], String::new())],
    );
    let repository = crate::support::app_as(&registry, crate::support::user("a", "b"), Purpose::Push);
    let content = noise(10);
    assert_eq!(upload(&repository, &content, None).await.unwrap(), Uploaded::Sent);
    assert!(stored(&other, &content));
    assert!(other.seen().iter().all(|seen| seen.header("authorization").is_empty()));
    registry.script("POST", "app/blobs/uploads/", [Act::Answer(202, vec![], String::new())]);
    let error = upload(&repository, &noise(11), None).await.unwrap_err();
    assert!(text(&error).ends_with("the registry does not say where to send the blob"), "{}", text(&error));
}

#[tokio::test]
async fn a_mount_spares_the_sending() {
    let (registry, content) = (Registry::start().await, noise(100));
    let repository = app(&registry, Purpose::Push);
    registry.script("POST", "app/blobs/uploads/", [Act::Answer(201, vec![], String::new())]);
    assert_eq!(upload(&repository, &content, Some("base")).await.unwrap(), Uploaded::Mounted);
    let post = registry.seen().into_iter().find(|seen| seen.method == "POST").unwrap();
    assert!(
        post.query.ends_with("&from=base") && post.query.starts_with("mount=sha256%3A"),
        "{}",
        post.query
    );
    // Not there any more: 202 as if nothing had been said, or a refusal.
    assert_eq!(upload(&repository, &content, Some("base")).await.unwrap(), Uploaded::Sent);
    let refusals = [401, 403, 404].map(|status| Act::Answer(status, vec![], String::new()));
    for (number, refusal) in refusals.into_iter().enumerate() {
        registry.script("POST", "app/blobs/uploads/", [refusal]);
        let content = noise(200 + number);
        assert_eq!(upload(&repository, &content, Some("base")).await.unwrap(), Uploaded::Sent);
    }
}

#[tokio::test]
async fn a_failed_upload_is_made_again() {
    let (registry, content) = (Registry::start().await, noise(SIZE));
    let repository = app(&registry, Purpose::Push);
    registry.script("PUT", "app/blobs/uploads/7", [503, 502].map(|s| Act::Answer(s, vec![], String::new())));
    assert_eq!(upload(&repository, &content, None).await.unwrap(), Uploaded::Sent);
    assert!(stored(&registry, &content));
    let wrong = r#"{"errors":[{"code":"DIGEST_INVALID","message":"provided digest did not match"}]}"#;
    registry.script("PUT", "app/blobs/uploads/7", [Act::Answer(400, vec![], wrong.to_owned())]);
    let error = upload(&repository, &noise(5), None).await.unwrap_err();
    assert!(text(&error).ends_with("400: digest invalid: provided digest did not match"), "{}", text(&error));
    registry.always("PUT", "app/blobs/uploads/7", Act::Hang);
    let begun = std::time::Instant::now();
    let error = upload(&repository, &noise(6), None).await.unwrap_err();
    assert!(text(&error).contains("nothing was received"), "{}", text(&error));
    assert!(begun.elapsed() < hasty().silence * 30);
}

/// A registry that takes its time to receive is no silent one, however long it takes in all.
#[tokio::test]
async fn a_long_upload_is_not_cut() {
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(512 << 10).unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let listener = socket.listen(8).unwrap();
    let host = listener.local_addr().unwrap().to_string();
    let received = tokio::spawn(receive_slowly(listener));
    let repository =
        crate::support::at(&crate::support::client(Default::default()), &host, None, Purpose::Push);
    let content = noise(24 << 20);
    assert_eq!(upload(&repository, &content, None).await.unwrap(), Uploaded::Sent);
    let took = received.await.unwrap();
    assert!(took > hasty().silence * 3, "it did not take long enough to show anything: {took:?}");
}

/// Answers HEAD, POST and PUT, and reads the body of the last slowly.
async fn receive_slowly(listener: tokio::net::TcpListener) -> std::time::Duration {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    loop {
        let (mut stream, _) = listener.accept().await.unwrap();
        let (mut pending, mut piece) = (Vec::new(), vec![0; 256 << 10]);
        loop {
            let count = stream.read(&mut piece).await.unwrap_or(0);
            if count == 0 {
                break;
            }
            pending.extend_from_slice(&piece[..count]);
            let Some(end) = pending.windows(4).position(|window| window == b"\r\n\r\n") else { continue };
            let head = String::from_utf8_lossy(&pending[..end]).into_owned();
            let answer = match head.split(' ').next().unwrap() {
                "HEAD" => "HTTP/1.1 404 Not Found\r\nConnection: close\r\nContent-Length: 0\r\n\r\n",
                "POST" => {
                    "HTTP/1.1 202 Accepted\r\nConnection: close\r\nLocation: /put\r\nContent-Length: 0\r\n\r\n"
                }
                "PUT" => {
                    let (begun, mut left) =
                        (std::time::Instant::now(), (24 << 20) - (pending.len() - end - 4));
                    while left > 0 {
                        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
                        left -= stream.read(&mut piece).await.unwrap();
                    }
                    let created = b"HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n";
                    stream.write_all(created).await.unwrap();
                    return begun.elapsed();
                }
                // TLS, which it does not speak.
                _ => break,
            };
            stream.write_all(answer.as_bytes()).await.unwrap();
            break;
        }
    }
}
