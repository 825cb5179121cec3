//! Work that may block, given to the pool of threads for such work.

/// Runs `work` on the pool. A panic in it goes on in the caller.
///
/// Work that has begun runs to its end whether or not anybody waits. What has not begun when the runtime shuts down never
/// does; then nobody waits for it any more either.
pub async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(error) => match error.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            Err(_) => std::future::pending().await,
        },
    }
}

/// Runs `work` on a thread of its own: for work that takes as long as some client does, of which any number may not hold up
/// the pool. A panic in it goes on in the caller.
///
/// Work that has begun runs to its end whether or not anybody waits.
///
/// # Errors
/// Where the host gives no further thread.
pub async fn lasting<T: Send + 'static>(
    name: &str,
    work: impl FnOnce() -> T + Send + 'static,
) -> std::io::Result<T> {
    let (sender, receiver) = tokio::sync::oneshot::channel();
    let runtime = tokio::runtime::Handle::current();
    std::thread::Builder::new().name(name.to_owned()).spawn(move || {
        let _runtime = runtime.enter();
        let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(work));
        // Nobody may wait for it any more.
        let _ = sender.send(result);
    })?;
    match receiver.await {
        Ok(Ok(result)) => Ok(result),
        Ok(Err(panic)) => std::panic::resume_unwind(panic),
        // The thread sends before it ends.
        Err(_) => std::future::pending().await,
    }
}

#[cfg(test)]
mod tests {
    use super::{blocking, lasting};

    #[tokio::test]
    async fn results_and_panics_come_back() {
        assert_eq!(blocking(|| 7).await, 7);
        let panicked = tokio::spawn(blocking(|| assert_eq!(1, 2, "on purpose"))).await.unwrap_err();
        assert!(panicked.is_panic());
    }

    #[tokio::test]
    async fn a_thread_of_its_own_does_the_same() {
        let name = lasting("copy", || std::thread::current().name().map(str::to_owned)).await.unwrap();
        assert_eq!(name.as_deref(), Some("copy"));
        let panicked = tokio::spawn(async { lasting("copy", || assert_eq!(1, 2, "on purpose")).await });
        assert!(panicked.await.unwrap_err().is_panic());
    }
}
