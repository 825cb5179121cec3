//! Documents of megabytes, such as those of clients that publish thousands of ports: what they took goes back to the system. The C library
//! keeps what lies below the last block in use, for good.

use std::time::Duration;

/// Bytes from which a document is worth it: the walk over the heap takes a millisecond.
const LARGE: usize = 1 << 20;

/// In which an answer has gone to its client.
const SENT: Duration = Duration::from_secs(1);

/// After a document of so many bytes was read and dropped.
pub(crate) fn after_reading(bytes: usize) {
    if bytes >= LARGE {
        tokio::spawn(offload::blocking(sys::heap::trim));
    }
}

/// After an answer of so many bytes was made, which will be dropped when it is sent.
pub(crate) fn after_answering(bytes: usize) {
    if bytes >= LARGE {
        tokio::spawn(async {
            tokio::time::sleep(SENT).await;
            offload::blocking(sys::heap::trim).await;
        });
    }
}
