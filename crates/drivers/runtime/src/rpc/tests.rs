//! How long is waited, against a shim that is the test. The clock moves when nothing else does.

use super::*;
use connection::Connection;
use containerd_shim_protos::api::{Empty, PidsRequest, StateRequest};
use tokio::net::UnixStream;
use tokio::time::sleep;
use ttrpc::MessageHeader;
use ttrpc::proto::GenMessage;

const LIMIT: Duration = Duration::from_secs(10);

/// Answers `Pids` after `pids` and all else at once.
fn rpc(pids: Duration) -> Rpc {
    let (ours, theirs) = UnixStream::pair().unwrap();
    tokio::spawn(serve(theirs, pids));
    let link = Link::new("/nowhere".into(), Connection::new(ours), None);
    Rpc::new(link, Version::V2, ContainerId::from_bytes([7; 32]), LIMIT)
}

async fn serve(stream: UnixStream, pids: Duration) {
    let (mut requests, responses) = stream.into_split();
    let responses = Arc::new(tokio::sync::Mutex::new(responses));
    while let Ok(message) = GenMessage::read_from(&mut requests).await {
        let request = Request::parse_from_bytes(&message.payload).unwrap();
        let responses = Arc::clone(&responses);
        tokio::spawn(async move {
            if request.method == "Pids" {
                sleep(pids).await;
            }
            let header = MessageHeader::new_response(message.header.stream_id, 0);
            let response = GenMessage { header, payload: Vec::new() };
            response.write_to(&mut *responses.lock().await).await.unwrap();
        });
    }
}

/// The shim answers somebody again and again.
fn keep_busy(rpc: &Rpc) {
    let rpc = rpc.clone();
    tokio::spawn(async move {
        loop {
            rpc.ask::<Empty>("State", &StateRequest::default()).await.unwrap();
            sleep(LIMIT * 2 / 3).await;
        }
    });
}

async fn pids(rpc: &Rpc) -> (Result<Empty>, Duration) {
    let started = Instant::now();
    (rpc.ask::<Empty>("Pids", &PidsRequest::default()).await, started.elapsed())
}

#[tokio::test(start_paused = true)]
async fn a_silent_shim_is_given_up_after_the_limit() {
    let (answer, took) = pids(&rpc(LIMIT * 2)).await;
    let error = answer.unwrap_err();
    let text = error.to_string();
    assert_eq!(errors::Classified::class(&error), Class::Unavailable);
    assert!(text.contains(&"07".repeat(32)) && text.contains("Pids") && text.contains("10s"), "{text}");
    assert!(took >= LIMIT && took < LIMIT * 2, "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn a_call_in_line_is_given_the_time_that_others_take() {
    let rpc = rpc(LIMIT * 5);
    keep_busy(&rpc);
    let (answer, took) = pids(&rpc).await;
    answer.unwrap();
    assert!(took >= LIMIT * 5, "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn a_call_that_alone_is_not_answered_is_given_up() {
    let rpc = rpc(LIMIT * IN_LINE * 2);
    keep_busy(&rpc);
    let (answer, took) = pids(&rpc).await;
    assert!(matches!(answer, Err(Error::Deadline { .. })), "{answer:?}");
    assert!(took >= LIMIT * IN_LINE && took < LIMIT * (IN_LINE + 1), "{took:?}");
}
