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

#[cfg(test)]
mod tests {
    use super::blocking;

    #[tokio::test]
    async fn results_and_panics_come_back() {
        assert_eq!(blocking(|| 7).await, 7);
        let panicked = tokio::spawn(blocking(|| assert_eq!(1, 2, "on purpose"))).await.unwrap_err();
        assert!(panicked.is_panic());
    }
}
