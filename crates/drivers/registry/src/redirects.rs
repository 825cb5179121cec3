//! Redirects of a server that is told more than others: headers that the user has written down for it.

use crate::hosts::Endpoint;
use crate::{Result, answer, origin};
use reqwest::header::{AUTHORIZATION, LOCATION};
use reqwest::{Client, Method, Request, Response};

/// As many as browsers follow.
const LIMIT: usize = 10;

/// Executes a request. One that reads follows redirects; to other servers without what is meant for this one.
pub(crate) async fn follow(http: &Client, request: Request, endpoint: &Endpoint) -> Result<Response> {
    let mut request = request;
    for _ in 0..LIMIT {
        let (method, url) = (request.method().clone(), request.url().to_string());
        let reads = method == Method::GET || method == Method::HEAD;
        let next = request.try_clone().filter(|_| reads);
        let sent = http.execute(request).await;
        let response = sent.map_err(|error| answer::broken(method.as_str(), &url, error))?;
        let location = response.headers().get(LOCATION).and_then(|value| value.to_str().ok());
        let target = location.and_then(|location| response.url().join(location).ok());
        let (true, Some(mut next), Some(target)) = (response.status().is_redirection(), next, target) else {
            return Ok(response);
        };
        if !origin::is_same(&endpoint.base, &target) {
            next.headers_mut().remove(AUTHORIZATION);
            for name in endpoint.connection.headers.keys() {
                next.headers_mut().remove(name);
            }
        }
        *next.url_mut() = target;
        request = next;
    }
    let reason = format!("more than {LIMIT} redirects");
    Err(crate::RegistryError::Protocol { url: endpoint.base.clone(), reason })
}
