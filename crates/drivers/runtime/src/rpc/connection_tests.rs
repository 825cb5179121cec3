//! Against a socket pair whose other end is the test.

use super::*;
use tokio::io::AsyncReadExt;

fn connected() -> (Arc<Connection>, UnixStream) {
    let (ours, theirs) = UnixStream::pair().unwrap();
    (Arc::new(Connection::new(ours)), theirs)
}

fn ask(connection: &Arc<Connection>, request: Vec<u8>) -> tokio::task::JoinHandle<Result<Vec<u8>, Failure>> {
    let connection = Arc::clone(connection);
    tokio::spawn(async move { connection.exchange(request).await })
}

async fn heard(shim: &mut UnixStream) -> GenMessage {
    GenMessage::read_from(shim).await.unwrap()
}

async fn answer(shim: &mut UnixStream, stream: u32, payload: &[u8]) {
    let header = MessageHeader::new_response(stream, u32::try_from(payload.len()).unwrap());
    GenMessage { header, payload: payload.to_vec() }.write_to(shim).await.unwrap();
}

#[tokio::test]
async fn answers_find_their_callers() {
    let (connection, mut shim) = connected();
    let (first, second) = (ask(&connection, vec![1]), ask(&connection, vec![2]));
    let heard = [heard(&mut shim).await, heard(&mut shim).await];
    for message in heard.iter().rev() {
        answer(&mut shim, message.header.stream_id, &message.payload).await;
    }
    assert_eq!(first.await.unwrap(), Ok(vec![1]));
    assert_eq!(second.await.unwrap(), Ok(vec![2]));
    assert!(connection.answered().is_some());
}

#[tokio::test]
async fn a_caller_that_leaves_in_the_middle_of_its_request_disturbs_nobody() {
    let (connection, mut shim) = connected();
    let patient = ask(&connection, vec![1]);
    let first = heard(&mut shim).await;
    // More than the socket holds: it is begun, and stays half written.
    let hasty = ask(&connection, vec![2; 3 << 20]);
    assert_eq!(shim.read_u8().await.unwrap(), 0);
    let unheard = ask(&connection, vec![3]);
    while connection.shared.lock().made < 3 {
        tokio::task::yield_now().await;
    }
    hasty.abort();
    unheard.abort();
    assert!(hasty.await.is_err() && unheard.await.is_err());
    let mut rest = vec![0; 9 + (3 << 20)];
    shim.read_exact(&mut rest).await.unwrap();
    assert!(rest[9..].iter().all(|&byte| byte == 2));
    answer(&mut shim, first.header.stream_id, &[4]).await;
    assert_eq!(patient.await.unwrap(), Ok(vec![4]));
    let next = ask(&connection, vec![5]);
    assert_eq!(heard(&mut shim).await.payload, [5], "the one that had left is not heard of");
    drop(shim);
    assert!(matches!(next.await.unwrap(), Err(Failure::Unanswered(_))));
}

#[tokio::test]
async fn of_a_broken_connection_it_is_known_what_was_never_sent() {
    let (connection, mut shim) = connected();
    let begun = ask(&connection, vec![2; 3 << 20]);
    assert_eq!(shim.read_u8().await.unwrap(), 0);
    let waiting = ask(&connection, vec![3]);
    while connection.shared.lock().made < 2 {
        tokio::task::yield_now().await;
    }
    drop(shim);
    assert!(matches!(begun.await.unwrap(), Err(Failure::Unanswered(_))));
    assert!(matches!(waiting.await.unwrap(), Err(Failure::Unsent(_))));
    assert!(matches!(ask(&connection, vec![4]).await.unwrap(), Err(Failure::Unsent(_))));
    assert!(connection.broken().is_some());
}
