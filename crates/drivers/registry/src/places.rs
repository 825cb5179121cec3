//! In which order the places that may have a repository are asked, and when they are asked again.

use crate::hosts::Endpoint;
use crate::{RegistryError, Repository, Result};
use std::sync::PoisonError;

impl Repository {
    /// Runs `request` at one place after the other until one succeeds, and again after a while if what failed may pass.
    pub(crate) async fn anywhere<T, F: Future<Output = Result<T>>>(
        &self,
        request: impl Fn(usize) -> F,
    ) -> Result<T> {
        let (policy, mut attempt) = (self.inner.client.inner.retry, 0);
        loop {
            attempt += 1;
            match self.each_place(&request).await {
                Err(error) if error.passes() && attempt < policy.attempts => {
                    tokio::time::sleep(policy.wait_after(Some(&error), attempt)).await;
                }
                done => return done,
            }
        }
    }

    /// Runs `request` at one place after the other until one succeeds. The last error counts, but for mirrors: what the
    /// registry itself says is the truth.
    pub(crate) async fn each_place<T, F: Future<Output = Result<T>>>(
        &self,
        request: impl Fn(usize) -> F,
    ) -> Result<T> {
        let (mut failed, mut number) = (None, self.first_place());
        while let Some(place) = self.places().get(number) {
            match request(number).await {
                Err(error) if error.tries_next() => {
                    if place.endpoint.is_mirror {
                        let error = errors::chain(&error);
                        tracing::warn!(mirror = place.endpoint.host(), name = %self.inner.name, %error, "a mirror does not serve");
                    }
                    number = self.place_after(number, &error);
                    // What speaks no TLS says so before anything else; then HTTP comes next.
                    let hidden = failed.is_some() && error.is_no_answer();
                    if !hidden {
                        failed = Some(self.explained(&place.endpoint, error));
                    }
                }
                done => {
                    self.answered(number);
                    return done;
                }
            }
        }
        Err(failed.unwrap_or_else(|| RegistryError::BadHost { host: self.inner.name.domain().to_owned() }))
    }

    /// An error with what is behind it, if that is known: a server that wants a certificate only ends the connection.
    fn explained(&self, endpoint: &Endpoint, error: RegistryError) -> RegistryError {
        let asks = &self.inner.client.inner.ask_for_certificates;
        let asks = asks.lock().unwrap_or_else(PoisonError::into_inner).contains(endpoint.host());
        if !asks
            || !endpoint.is_https()
            || !error.is_no_answer()
            || !endpoint.connection.identities.is_empty()
        {
            return error;
        }
        RegistryError::NoCertificate { host: endpoint.host().to_owned(), source: Box::new(error) }
    }

    /// The place to ask first.
    pub(crate) fn first_place(&self) -> usize {
        self.usable(0)
    }

    /// The place to ask after one that failed; none is there at the end. What answered by HTTPS is not asked without it:
    /// it would hear in the clear what was meant for the encrypted connection.
    pub(crate) fn place_after(&self, number: usize, error: &RegistryError) -> usize {
        let endpoint = &self.places()[number].endpoint;
        if !endpoint.is_https() && error.is_no_answer() {
            self.inner.client.remember_plain(endpoint.host(), false);
        }
        let answered = self.has_plain_twin(number) && !error.is_no_answer();
        self.usable(number + if answered { 2 } else { 1 })
    }

    /// A place gave an answer.
    pub(crate) fn answered(&self, number: usize) {
        let endpoint = &self.places()[number].endpoint;
        if number > 0 && self.has_plain_twin(number - 1) {
            self.inner.client.remember_plain(endpoint.host(), true);
        }
    }

    /// This place, or the next if that is the same host without TLS and known not to speak it.
    fn usable(&self, number: usize) -> usize {
        let plain = |endpoint: &Endpoint| self.inner.client.speaks_plain(endpoint.host());
        let twin = self.has_plain_twin(number);
        number + usize::from(twin && plain(&self.places()[number].endpoint))
    }

    /// Whether the next place is the same by plain HTTP.
    fn has_plain_twin(&self, number: usize) -> bool {
        let endpoint = |number: usize| self.places().get(number).map(|place| &place.endpoint);
        let (Some(this), Some(next)) = (endpoint(number), endpoint(number + 1)) else { return false };
        this.is_https() && !next.is_https() && this.host() == next.host() && this.path == next.path
    }
}
