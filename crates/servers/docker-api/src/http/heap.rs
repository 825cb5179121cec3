//! Documents of megabytes, such as those of clients that publish thousands of ports: what they took goes back to the system. The C library
//! keeps what lies below the last block in use, for good.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

/// Bytes from which a document is worth it: the walk over the heap takes a millisecond.
const LARGE: usize = 1 << 20;

/// In which an answer has gone to its client.
const SENT: Duration = Duration::from_secs(1);

/// After a document of so many bytes was read and dropped.
pub(crate) fn after_reading(bytes: usize) {
    if bytes >= LARGE {
        trim_after(Duration::ZERO);
    }
}

/// After an answer of so many bytes was made, which will be dropped when it is sent.
pub(crate) fn after_answering(bytes: usize) {
    if bytes >= LARGE {
        trim_after(SENT);
    }
}

/// Once for all documents meanwhile, as every allocation waits for the walk; once more where some came during the pause.
fn trim_after(pause: Duration) {
    /// Since the walk that comes next was asked for.
    static DOCUMENTS: AtomicUsize = AtomicUsize::new(0);
    if DOCUMENTS.fetch_add(1, Ordering::Relaxed) > 0 {
        return;
    }
    tokio::spawn(async move {
        let mut pause = pause;
        loop {
            let known = DOCUMENTS.load(Ordering::Relaxed);
            tokio::time::sleep(pause).await;
            offload::blocking(sys::heap::trim).await;
            if DOCUMENTS.compare_exchange(known, 0, Ordering::Relaxed, Ordering::Relaxed).is_ok() {
                return;
            }
            pause = SENT;
        }
    });
}
