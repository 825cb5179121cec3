//! A client on one end of a pipe, a connection with a few routes on the other.

use super::*;
use crate::http::answer::{Answer, empty};
use crate::http::detach_keys::DetachKeys;
use crate::http::hijack::{Framing, Hijack};
use crate::http::lines;
use crate::http::pump::pump;
use crate::http::version::ApiVersion;
use axum::body::Bytes;
use axum::routing::{get, post};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
use tokio::sync::Notify;

/// No test waits longer than this for anything.
const LIMIT: Duration = Duration::from_secs(10);

/// For the headers of a request.
const PATIENCE: Duration = Duration::from_secs(5);

struct Rig {
    client: DuplexStream,
    /// The far end of what a hijacked connection is pumped to: the fake process.
    process: DuplexStream,
    connection: tokio::task::JoinHandle<()>,
    verbs: TaskTracker,
    shutdown: CancellationToken,
    begun: Arc<Notify>,
    go: Arc<Notify>,
    done: Arc<Notify>,
}

fn rig() -> Rig {
    let (client, io) = duplex(64 << 10);
    let (process, attachment) = duplex(64 << 10);
    let shutdown = CancellationToken::new();
    let verbs = TaskTracker::new();
    let [begun, go, done] = std::array::from_fn(|_| Arc::new(Notify::new()));
    let attachment = Arc::new(slot::Slot::new(attachment));
    let attach = {
        let shutdown = shutdown.clone();
        move |version: ApiVersion, hijack: Hijack, body: Bytes| async move {
            // The body says how: "tty" with a terminal and detach keys.
            let terminal = body.as_ref() == b"tty";
            let client = hijack.take(version, Framing::of(terminal)).await?;
            let keys = terminal.then(DetachKeys::default);
            pump(client, attachment.take(), keys, shutdown, std::future::ready(())).await;
            empty()
        }
    };
    let slow = {
        let (begun, go, done) = (Arc::clone(&begun), Arc::clone(&go), Arc::clone(&done));
        move || async move {
            begun.notify_one();
            go.notified().await;
            done.notify_one();
            "slow"
        }
    };
    let router = Router::new()
        .route("/attach", post(attach))
        .route("/slow", post(slow))
        .route("/panic", get(panics))
        .route(
            "/never",
            get({
                let shutdown = shutdown.clone();
                || async move {
                    lines::growing("application/json", futures_util::stream::pending::<Bytes>(), shutdown)
                }
            }),
        );
    let connection = tokio::spawn(serve(io, router, verbs.clone(), shutdown.clone(), Some(PATIENCE)));
    Rig { client, process, connection, verbs, shutdown, begun, go, done }
}

async fn panics() -> Answer {
    panic!("on purpose")
}

/// A value that one of several handlers takes.
mod slot {
    use std::sync::Mutex;

    pub(super) struct Slot<T>(Mutex<Option<T>>);

    impl<T> Slot<T> {
        pub(super) fn new(value: T) -> Self {
            Self(Mutex::new(Some(value)))
        }

        pub(super) fn take(&self) -> T {
            self.0.lock().unwrap().take().expect("taken once")
        }
    }
}

async fn send(client: &mut DuplexStream, text: &str) {
    client.write_all(text.as_bytes()).await.unwrap();
}

/// The head of an answer, up to and with the empty line.
async fn head(client: &mut DuplexStream) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(tokio::time::timeout(LIMIT, client.read_u8()).await.expect("an answer in time").unwrap());
    }
    String::from_utf8(head).unwrap()
}

async fn rest(client: &mut DuplexStream) -> Vec<u8> {
    let mut rest = Vec::new();
    tokio::time::timeout(LIMIT, client.read_to_end(&mut rest)).await.expect("an end in time").unwrap();
    rest
}

async fn exactly(stream: &mut DuplexStream, length: usize) -> Vec<u8> {
    let mut bytes = vec![0; length];
    tokio::time::timeout(LIMIT, stream.read_exact(&mut bytes)).await.expect("bytes in time").unwrap();
    bytes
}

const COMMON: &str = "Api-Version: 1.51\r\nDocker-Experimental: false\r\nOstype: linux\r\nServer: Docker/";

#[tokio::test]
async fn an_upgrade_is_answered_as_docker_does_and_carries_bytes_both_ways() {
    let mut rig = rig();
    // Input may come together with the request.
    send(&mut rig.client, "POST /attach HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: tcp\r\nContent-Length: 0\r\n\r\nearly").await;
    let head = head(&mut rig.client).await;
    let expected = "HTTP/1.1 101 UPGRADED\r\nContent-Type: application/vnd.docker.multiplexed-stream\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n";
    assert!(head.starts_with(expected), "{head}");
    assert!(head[expected.len()..].starts_with(COMMON), "{head}");
    send(&mut rig.client, " late").await;
    assert_eq!(exactly(&mut rig.process, 10).await, b"early late");
    // The client's half-close ends the input, not the output.
    rig.client.shutdown().await.unwrap();
    assert_eq!(rest(&mut rig.process).await, b"");
    rig.process.write_all(b"output").await.unwrap();
    drop(rig.process);
    assert_eq!(rest(&mut rig.client).await, b"output");
    rig.connection.await.unwrap();
}

#[tokio::test]
async fn without_upgrade_the_answer_is_200_and_then_raw_bytes() {
    let mut rig = rig();
    send(&mut rig.client, "POST /attach HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}input").await;
    let head = head(&mut rig.client).await;
    assert!(
        head.starts_with("HTTP/1.1 200 OK\r\nContent-Type: application/vnd.docker.raw-stream\r\nApi-Version"),
        "{head}"
    );
    assert!(
        !head.to_lowercase().contains("transfer-encoding") && !head.to_lowercase().contains("content-length")
    );
    assert_eq!(exactly(&mut rig.process, 5).await, b"input");
    rig.process.write_all(b"\x01\0\0\0\0\0\0\x02hi").await.unwrap();
    drop(rig.process);
    assert_eq!(rest(&mut rig.client).await, b"\x01\0\0\0\0\0\0\x02hi");
}

#[tokio::test]
async fn the_detach_keys_close_the_connection() {
    let mut rig = rig();
    send(&mut rig.client, "POST /attach HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: tcp\r\nContent-Length: 3\r\n\r\ntty").await;
    assert!(head(&mut rig.client).await.starts_with("HTTP/1.1 101"));
    send(&mut rig.client, "ls\x10\x11").await;
    assert_eq!(rest(&mut rig.process).await, b"ls");
    assert_eq!(rest(&mut rig.client).await, b"");
}

#[tokio::test]
async fn the_connection_can_be_hijacked_after_other_requests() {
    let mut rig = rig();
    send(&mut rig.client, "GET /panic HTTP/1.1\r\nHost: x\r\n\r\n").await;
    let text = head(&mut rig.client).await;
    let length: usize =
        text.lines().find_map(|line| line.strip_prefix("Content-Length: ")).unwrap().parse().unwrap();
    let body = exactly(&mut rig.client, length).await;
    assert!(String::from_utf8(body).unwrap().contains("this is a defect"));
    send(&mut rig.client, "POST /attach HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n").await;
    assert!(head(&mut rig.client).await.starts_with("HTTP/1.1 200 OK"));
}

#[tokio::test]
async fn a_panic_is_an_answer_and_the_connection_goes_on() {
    let mut rig = rig();
    for _ in 0..2 {
        send(&mut rig.client, "GET /panic HTTP/1.1\r\nHost: x\r\n\r\n").await;
        let text = head(&mut rig.client).await;
        assert!(text.starts_with("HTTP/1.1 500"), "{text}");
        let length =
            text.lines().find_map(|line| line.strip_prefix("Content-Length: ")).unwrap().parse().unwrap();
        exactly(&mut rig.client, length).await;
    }
}

#[tokio::test]
async fn a_client_that_leaves_does_not_cut_a_verb_in_half() {
    let mut rig = rig();
    send(&mut rig.client, "POST /slow HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n").await;
    tokio::time::timeout(LIMIT, rig.begun.notified()).await.unwrap();
    drop(rig.client);
    rig.connection.await.unwrap();
    assert_eq!(rig.verbs.len(), 1, "the verb still runs");
    rig.go.notify_one();
    tokio::time::timeout(LIMIT, rig.done.notified()).await.expect("the verb ends by itself");
}

#[tokio::test]
async fn the_head_of_a_growing_answer_comes_before_its_first_piece() {
    let mut rig = rig();
    send(&mut rig.client, "GET /never HTTP/1.1\r\nHost: x\r\n\r\n").await;
    assert!(head(&mut rig.client).await.starts_with("HTTP/1.1 200 OK"));
    rig.shutdown.cancel();
    assert_eq!(rest(&mut rig.client).await, b"0\r\n\r\n", "shutdown ends the stream in good order");
    rig.connection.await.unwrap();
}

#[tokio::test]
async fn shutdown_lets_the_request_in_progress_finish() {
    let mut rig = rig();
    send(&mut rig.client, "POST /slow HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n").await;
    tokio::time::timeout(LIMIT, rig.begun.notified()).await.unwrap();
    rig.shutdown.cancel();
    rig.go.notify_one();
    let answer = String::from_utf8(rest(&mut rig.client).await).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200") && answer.ends_with("slow"), "{answer}");
    rig.connection.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_client_that_never_finishes_its_headers_is_given_up() {
    let mut rig = rig();
    send(&mut rig.client, "GET /panic HTTP/1.1\r\nHost: x\r\n").await;
    let begun = tokio::time::Instant::now();
    rig.connection.await.unwrap();
    assert_eq!(begun.elapsed().as_secs(), PATIENCE.as_secs());
}

#[tokio::test]
async fn a_body_that_no_handler_reads_breaks_no_connection() {
    let rig = rig();
    let (mut reader, mut writer) = tokio::io::split(rig.client);
    let length = 200_000;
    let send = async {
        let head = format!("POST /nowhere HTTP/1.1\r\nHost: x\r\nContent-Length: {length}\r\n\r\n");
        writer.write_all(head.as_bytes()).await.unwrap();
        writer.write_all(&vec![0; length]).await.unwrap();
        writer.write_all(b"GET /panic HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").await.unwrap();
    };
    let mut answers = Vec::new();
    let both = async { tokio::join!(send, reader.read_to_end(&mut answers)) };
    tokio::time::timeout(LIMIT, both).await.unwrap().1.unwrap();
    let answers = String::from_utf8_lossy(&answers);
    assert!(answers.contains("404 Not Found") && answers.contains("500 Internal"), "{answers}");
}
