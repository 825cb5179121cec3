//! Standard input without blocking the rest: read on a thread that nobody waits for.

use std::io::Read as _;
use tokio::sync::mpsc;

/// Starts reading standard input. The channel closes at its end.
///
/// The thread may sit in `read` when the program ends; a terminal gives no other way out, and polling the
/// descriptor without blocking would change a mode that is shared with other programs.
pub(super) fn read() -> mpsc::Receiver<Vec<u8>> {
    let (sender, receiver) = mpsc::channel(4);
    std::thread::spawn(move || {
        let mut input = std::io::stdin().lock();
        loop {
            let mut piece = vec![0; 32 * 1024];
            match input.read(&mut piece) {
                Ok(0) => return,
                Ok(length) => piece.truncate(length),
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
                // EIO when the terminal hangs up is an end like any other.
                Err(_) => return,
            }
            if sender.blocking_send(piece).is_err() {
                return;
            }
        }
    });
    receiver
}
