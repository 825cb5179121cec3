//! `GET /containers/{id}/attach/ws`: attach for browsers. Output comes without frames, whatever the terminal.

use super::attach::{keys, wanted, with_keys};
use crate::http::answer::Answer;
use crate::http::detach_keys::{DetachKeys, Scanned, Scanner};
use crate::http::lines::frame::Unframe;
use crate::http::query::Query;
use crate::routes::Context;
use axum::extract::ws::{Message, WebSocket, WebSocketUpgrade};
use axum::extract::{Path, State};
use engine::container::Attached;
use futures_util::{SinkExt, StreamExt};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_util::sync::CancellationToken;

pub(super) async fn attach(
    State(api): Context,
    Path(id): Path<String>,
    query: Query,
    upgrade: WebSocketUpgrade,
) -> Answer {
    let keys = keys(&query)?;
    let attached = engine::container::attach(&api.services, &id, wanted(&query)).await?;
    let shutdown = api.shutdown.clone();
    Ok(upgrade.on_upgrade(move |socket| converse(socket, attached, keys, shutdown)))
}

async fn converse(socket: WebSocket, attached: Attached, keys: DetachKeys, shutdown: CancellationToken) {
    let terminal = attached.terminal;
    let (mut sink, source) = socket.split();
    if let Some(mut past) = attached.past {
        while let Some(Ok(entry)) = past.next().await {
            if sink.send(Message::Binary(entry.line)).await.is_err() {
                return;
            }
        }
    }
    if let Some(streams) = attached.streams {
        let attachment = tokio::select! {
            attachment = streams => attachment,
            () = shutdown.cancelled() => None,
        };
        if let Some(attachment) = attachment {
            let (reader, writer) = attachment.stream.into_split();
            tokio::select! {
                () = output(reader, &mut sink, terminal) => {}
                () = input(source, writer, with_keys(terminal, keys)) => {}
                () = shutdown.cancelled() => {}
            }
        }
    }
    // Tells the client that this is the end, not a fault; it may be gone.
    let _ = sink.close().await;
}

async fn output<S>(mut process: impl AsyncReadExt + Unpin, client: &mut S, terminal: bool)
where
    S: SinkExt<Message> + Unpin,
{
    let mut unframe = Unframe::default();
    let mut buffer = vec![0; 32 << 10];
    loop {
        let length = process.read(&mut buffer).await.unwrap_or(0);
        if length == 0 {
            return;
        }
        let piece = &buffer[..length];
        let bytes = if terminal { piece.to_vec() } else { unframe.feed(piece) };
        if !bytes.is_empty() && client.send(Message::Binary(bytes.into())).await.is_err() {
            return;
        }
    }
}

/// Ends when the client closes or detaches: a websocket has no half-close.
async fn input<S>(mut client: S, mut process: impl AsyncWriteExt + Unpin, keys: Option<DetachKeys>)
where
    S: StreamExt<Item = Result<Message, axum::Error>> + Unpin,
{
    let mut scanner = keys.map(Scanner::new);
    while let Some(Ok(message)) = client.next().await {
        let bytes = match message {
            Message::Text(text) => bytes::Bytes::from(text),
            Message::Binary(bytes) => bytes,
            Message::Close(_) => return,
            Message::Ping(_) | Message::Pong(_) => continue,
        };
        let (bytes, detach) = match scanner.as_mut().map(|scanner| scanner.feed(&bytes)) {
            None => (bytes, false),
            Some(Scanned::Input(bytes)) => (bytes.into(), false),
            Some(Scanned::Detach(bytes)) => (bytes.into(), true),
        };
        if process.write_all(&bytes).await.is_err() || detach {
            return;
        }
    }
}
