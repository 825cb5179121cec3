//! Signals to this program while it is attached to a container.

use engine_client::Client;
use std::io;
use tokio::signal::unix::{Signal, SignalKind, signal};

/// What a signal means.
#[derive(Debug, Clone)]
pub(crate) enum OnSignal {
    /// Pass it on to that container (`--sig-proxy`).
    Proxy(String),
    /// End this program; the container goes on.
    Terminate,
}

/// The signals that docker passes on, with the names it uses. Not among them: CHLD, PIPE and URG, which concern
/// this program alone, and those that cannot be caught.
const PROXIED: [(i32, &str); 18] = [
    (1, "HUP"),
    (2, "INT"),
    (3, "QUIT"),
    (5, "TRAP"),
    (6, "ABRT"),
    (10, "USR1"),
    (12, "USR2"),
    (14, "ALRM"),
    (15, "TERM"),
    (18, "CONT"),
    (20, "TSTP"),
    (21, "TTIN"),
    (22, "TTOU"),
    (24, "XCPU"),
    (25, "XFSZ"),
    (26, "VTALRM"),
    (27, "PROF"),
    (29, "IO"),
];

/// Signals that end a program, which must restore the terminal first.
const FATAL: [(i32, &str); 4] = [(1, "HUP"), (2, "INT"), (3, "QUIT"), (15, "TERM")];

/// A set of caught signals.
#[derive(Debug)]
pub(super) struct Signals(Vec<(i32, &'static str, Signal)>);

impl Signals {
    /// Catches what `on` is concerned with, from now on.
    pub(super) fn catch(on: &OnSignal) -> io::Result<Self> {
        let wanted: &[(i32, &'static str)] = match on {
            OnSignal::Proxy(_) => &PROXIED,
            OnSignal::Terminate => &FATAL,
        };
        wanted
            .iter()
            .map(|(number, name)| Ok((*number, *name, signal(SignalKind::from_raw(*number))?)))
            .collect::<io::Result<_>>()
            .map(Self)
    }

    /// The next signal: its number and name.
    pub(super) async fn next(&mut self) -> (i32, &'static str) {
        std::future::poll_fn(|cx| {
            for (number, name, signal) in &mut self.0 {
                if signal.poll_recv(cx).is_ready() {
                    return std::task::Poll::Ready((*number, *name));
                }
            }
            std::task::Poll::Pending
        })
        .await
    }
}

/// Handles signals for ever; ends only with the status of one that terminates.
pub(super) async fn handle(mut signals: Signals, on: &OnSignal, client: &Client) -> i64 {
    loop {
        let (number, name) = signals.next().await;
        match on {
            OnSignal::Terminate => return 128 + i64::from(number),
            OnSignal::Proxy(container) => {
                let request = client.post(format!("/containers/{container}/kill")).query("signal", name);
                // The container may be gone already: then its end is what the session reports.
                request.done().await.ok();
            }
        }
    }
}
